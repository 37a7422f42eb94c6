import { describe, expect, test } from 'vitest';
import { useAdministrator } from '../support/administrator.ts';
import { PEOPLE, PHONES, SERVICES } from '../support/demo.ts';
import { endedByServer } from '../support/log-in.ts';
import type { Phone } from '../support/phone.ts';
import { userOf } from '../support/sip-text.ts';
import { useHotdesk } from '../support/suite.ts';

/** Rule B3: a guest connects to a host without touching the phone, and the phone is theirs; what happens meanwhile. */

const hotdesk = useHotdesk({ voicemail: false });
const admin = useAdministrator(hotdesk);
const { first, second, leeds } = PEOPLE;
const OUTSIDE = '01632960500';

/** Priya sits at Oliver's phone; her own stands in Leeds. */
async function connected(): Promise<{ host: Phone; own: Phone }> {
  const host = await hotdesk().phone(PHONES.own);
  const own = await hotdesk().phone(PHONES.ownLeeds);
  await admin.must(admin.connect(leeds.extension, PHONES.own));
  await hotdesk().expectGuest(PHONES.own, leeds.extension);
  return { host, own };
}

/** A call from outside that one phone answers; who else is rung would show in what it received. */
async function callReaches(extension: string, phone: Phone): Promise<void> {
  const call = await hotdesk().trunks.main.call(extension);
  const ringing = await phone.nextCall();
  await ringing.accept();
  await call.answered;
  await call.hears(ringing);
  await call.hangUp();
  await ringing.ended;
}

describe('the list', () => {
  test('has name, number, site, limit, and whether it is free', async () => {
    const { body } = await admin.get(`/users/${leeds.extension}/hosts?q=oliver`);
    const oliver = { extension: second.extension, name: 'Oliver Hughes', number: '+442079460102' };
    const listed = {
      ...{ id: PHONES.own, kind: 'user', nickname: "Oliver's phone", owner: oliver },
      ...{ site: { id: 'london', name: 'London' }, limitHours: 24, free: true },
    };
    expect(body).toEqual({ hosts: [listed], next: null, total: 1 });
    await admin.must(admin.connect(leeds.extension, PHONES.own));
    expect((await admin.get(`/users/${leeds.extension}/hosts?q=oliver`)).body.hosts).toEqual([
      { ...listed, free: false },
    ]);
    expect(await admin.offered(first.extension, '?free=true')).not.toContain(PHONES.own);
  });

  test('comes in pages and by site', async () => {
    const all = await admin.offered(leeds.extension);
    expect(all.toSorted()).toEqual([PHONES.leeds, PHONES.own, PHONES.reception, PHONES.window].toSorted());
    const seen: string[] = [];
    let next: string | null = '';
    while (next !== null && seen.length < 10) {
      const cursor = next === '' ? '' : `&cursor=${next}`;
      const { body } = await admin.get(`/users/${leeds.extension}/hosts?limit=3${cursor}`);
      seen.push(...body.hosts.map(({ id }: { id: string }) => id));
      next = body.next;
    }
    expect(seen).toEqual(all);
    expect(await admin.offered(leeds.extension, '?site=leeds')).toEqual([PHONES.leeds]);
  });
});

describe('B3: connected through the API', () => {
  test('calls to the guest ring the host’s phone, and theirs in Leeds is silent', async () => {
    const { host, own } = await connected();
    await callReaches(leeds.extension, host);
    expect(own.received('INVITE')).toEqual([]);
  });

  test('the host’s phone calls as the guest', async () => {
    const { host } = await connected();
    const call = await host.call(OUTSIDE);
    const far = await hotdesk().trunks.main.nextCall();
    expect(userOf(far.invite.header('From'))).toBe('+441134960103');
    await far.accept();
    await call.answered;
    await call.hangUp();
  });

  test('the owner’s calls skip that phone', async () => {
    const { host } = await connected();
    const call = await hotdesk().trunks.main.call(second.extension);
    expect(await call.ended).toMatchObject({ by: 'them', status: 480 });
    expect(host.received('INVITE')).toEqual([]);
  });

  test('the owner’s forwarding still works', async () => {
    const { host } = await connected();
    const forwarding = { always: first.extension };
    await admin.must(admin.change(`/users/${second.extension}/calls`, { forwarding }));
    const desk = await hotdesk().phone(PHONES.reception);
    await hotdesk().seat(first.extension, PHONES.reception);
    await callReaches(second.extension, desk);
    expect(host.received('INVITE')).toEqual([]);
  });

  test('the guest’s own phone makes emergency calls and no others', async () => {
    const { own } = await connected();
    const refused = await own.call(OUTSIDE);
    expect((await endedByServer(refused)).reason).toContain('cause=403');
    expect(hotdesk().trunks.main.received('INVITE')).toEqual([]);
    const call = await own.call('999');
    const psap = await hotdesk().trunks.emergency.nextCall();
    await psap.accept();
    await call.answered;
    // As the desk it stands on, wherever its owner is.
    expect(userOf(psap.invite.header('From'))).toBe('+441134960114');
    await call.hangUp();
  });

  test('unless the company lets own phones ring too', async () => {
    await admin.must(admin.change('/company', { ringOwnPhone: { user: true } }));
    const { host, own } = await connected();
    const call = await hotdesk().trunks.main.call(leeds.extension);
    const [there, here] = [await host.nextCall(), await own.nextCall()];
    await there.reject(486);
    await here.accept();
    await call.answered;
    await call.hangUp();
    const out = await own.call(OUTSIDE);
    await (await hotdesk().trunks.main.nextCall()).accept();
    await out.answered;
    await out.hangUp();
  });

  test.each(['disconnect', 'release'])(
    'after %s the owner is back at once, and so is the guest',
    async (how) => {
      const { host, own } = await connected();
      const ended = how === 'disconnect' ? admin.disconnect(leeds.extension) : admin.release(PHONES.own);
      expect((await ended).status).toBe(204);
      await callReaches(second.extension, host);
      await callReaches(leeds.extension, own);
      expect(await admin.disconnect(leeds.extension)).toMatchObject({
        status: 404,
        body: { reason: 'nobodyHere' },
      });
    },
  );

  test('elsewhere by the next connection: the old host is free at once (B5c)', async () => {
    const { host } = await connected();
    await admin.must(admin.connect(leeds.extension, PHONES.leeds));
    expect(await hotdesk().guestAt(PHONES.own)).toBeUndefined();
    await callReaches(second.extension, host);
  });

  test('a host with somebody there is refused, and they stay (B5b)', async () => {
    await connected();
    await admin.must(admin.change(`/users/${first.extension}/guest`, { associationLimitHours: 8 }));
    expect(await admin.connect(first.extension, PHONES.own)).toMatchObject({
      status: 409,
      body: { reason: 'occupied' },
    });
    expect(await hotdesk().guestAt(PHONES.own)).toBe(leeds.extension);
  });
});

describe('B3: limits and the switch', () => {
  test.each([
    [null, 'the host allows 24 h at most; the guest has no limit'],
    [25, 'the host allows 24 h at most; the limit of the guest is 25 h'],
  ])('a limit of %s h is refused with the figures', async (associationLimitHours, detail) => {
    await admin.must(admin.change(`/users/${leeds.extension}/guest`, { associationLimitHours }));
    expect(await admin.connect(leeds.extension, PHONES.own)).toMatchObject({
      status: 409,
      type: expect.stringContaining('application/problem+json'),
      body: { reason: 'limitTooLong', detail },
    });
    expect(await hotdesk().guestAt(PHONES.own)).toBeUndefined();
  });

  test('up to the host’s it is taken; where the host has none, any', async () => {
    const guest = `/users/${leeds.extension}/guest`;
    await admin.must(admin.change(guest, { associationLimitHours: 24 }));
    await admin.must(admin.connect(leeds.extension, PHONES.own));
    await admin.must(admin.release(PHONES.own));
    await admin.must(admin.change(`/hosts/${PHONES.own}`, { associationLimitHours: null }));
    await admin.must(admin.change(guest, { associationLimitHours: null }));
    const { body } = await admin.must(admin.connect(leeds.extension, PHONES.own));
    expect(body.association).toMatchObject({ host: { id: PHONES.own }, expiresAt: null });
  });

  test('switched off, nobody is connected; switched on, they are', async () => {
    const guest = `/users/${leeds.extension}/guest`;
    await admin.must(admin.change(guest, { enabled: false }));
    expect(await admin.connect(leeds.extension, PHONES.own)).toMatchObject({
      status: 409,
      body: { reason: 'guestDisabled' },
    });
    expect(await admin.offered(leeds.extension)).not.toContain(PHONES.own);
    await admin.must(admin.change(guest, { enabled: true }));
    await admin.must(admin.connect(leeds.extension, PHONES.own));
  });

  test('not changed under the guest: they are disconnected first', async () => {
    await admin.must(admin.connect(leeds.extension, PHONES.own));
    for (const change of [{ associationLimitHours: 2 }, { enabled: false }]) {
      const answer = await admin.change(`/users/${leeds.extension}/guest`, change);
      expect(answer).toMatchObject({ status: 409, body: { reason: 'associationRunning' } });
    }
    await admin.must(admin.disconnect(leeds.extension));
    await admin.must(admin.change(`/users/${leeds.extension}/guest`, { associationLimitHours: 2 }));
  });
});

describe('numbers that clash are refused', () => {
  test.each([
    ['voice portal', { voicePortal: { number: '1001' } }, 'body.voicePortal.number'],
    ['voicemail', { voicemailNumber: SERVICES.voicePortal }, 'body.voicemailNumber'],
    ['emergency', { voicemailNumber: '999' }, 'body.voicemailNumber'],
    ['test number', { voicePortal: { number: '933' } }, 'body.voicePortal.number'],
    [
      'keys',
      { voicePortal: { keys: { hoteling: { associate: '1' } } } },
      'body.voicePortal.keys.hoteling.associate',
    ],
  ])('%s', async (_what, change, path) => {
    const { status, body } = await admin.change('/company', change);
    expect([status, body.errors[0].path]).toEqual([422, path]);
    expect((await admin.get('/company')).body).toMatchObject({ voicePortal: { number: '8000' } });
  });

  test('forwarding to oneself', async () => {
    const json = { forwarding: { unanswered: leeds.extension } };
    expect(await admin.change(`/users/${leeds.extension}/calls`, json)).toMatchObject({
      status: 422,
      body: { errors: [{ path: 'body.forwarding.unanswered', message: 'is their own number' }] },
    });
  });
});
