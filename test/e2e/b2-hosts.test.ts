import { describe, expect, test } from 'vitest';
import { useAdministrator } from '../support/administrator.ts';
import { PEOPLE, PHONES } from '../support/demo.ts';
import { userOf } from '../support/sip-text.ts';
import { useHotdesk } from '../support/suite.ts';

/** Rule B2: a host is on or off, for guests of its site or of the company, for so long at most. */

const hotdesk = useHotdesk();
const admin = useAdministrator(hotdesk);
const { first, second, leeds } = PEOPLE;
const HOST = `/hosts/${PHONES.own}`;
const HOUR_MS = 3_600_000;

test('B2: a host says whose it is, for whom and how long, and who is there since when until when', async () => {
  expect((await admin.get(HOST)).body).toMatchObject({
    ...{ kind: 'user', owner: { extension: second.extension, name: 'Oliver Hughes' }, enabled: true },
    ...{ accessLevel: 'company', associationLimitHours: 24, registered: false, association: null },
  });
  await hotdesk().phone(PHONES.own);
  await admin.must(admin.connect(leeds.extension, PHONES.own));
  const { registered, association } = (await admin.get(HOST)).body;
  expect(registered).toBe(true);
  expect(association.guest).toEqual({ extension: leeds.extension, name: 'Priya Shah' });
  // The guest's own limit, 12 h, is below the host's.
  expect(Date.parse(association.expiresAt) - Date.parse(association.startedAt)).toBe(12 * HOUR_MS);
});

test('B2: a host that is off is not offered and takes nobody', async () => {
  expect(await admin.offered(leeds.extension)).toContain(PHONES.own);
  await admin.must(admin.change(HOST, { enabled: false }));
  expect(await admin.offered(leeds.extension)).not.toContain(PHONES.own);
  expect(await admin.connect(leeds.extension, PHONES.own)).toMatchObject({
    status: 409,
    body: { reason: 'hostDisabled' },
  });
  await admin.must(admin.change(HOST, { enabled: true }));
  await admin.must(admin.connect(leeds.extension, PHONES.own));
});

test('B2: same site only, or the whole company', async () => {
  await admin.must(admin.change(`/users/${first.extension}/guest`, { associationLimitHours: 24 }));
  await admin.must(admin.change(HOST, { accessLevel: 'site' }));
  // Priya is in Leeds, the phone and Amelia in London.
  expect(await admin.offered(leeds.extension)).not.toContain(PHONES.own);
  expect(await admin.offered(first.extension)).toContain(PHONES.own);
  expect(await admin.connect(leeds.extension, PHONES.own)).toMatchObject({
    status: 403,
    body: { reason: 'notAllowedHere' },
  });
  await admin.must(admin.connect(first.extension, PHONES.own));
  await admin.must(admin.release(PHONES.own));
  await admin.must(admin.change(HOST, { accessLevel: 'company' }));
  await admin.must(admin.connect(leeds.extension, PHONES.own));
});

test('one’s own phone is not offered, and refused', async () => {
  await admin.must(admin.change(`/users/${second.extension}`, { addOns: ['host', 'guest'] }));
  expect(await admin.offered(second.extension)).not.toContain(PHONES.own);
  await admin.must(admin.change(`/users/${second.extension}/guest`, { associationLimitHours: 1 }));
  expect(await admin.connect(second.extension, PHONES.own)).toMatchObject({
    status: 409,
    body: { reason: 'ownHost' },
  });
});

test('A7: a phone taken from one user and given to another calls as them and rings for them', async () => {
  const at = '/api/v1/hosts/u1003';
  const { address } = (await admin.get('/hosts/u1003')).body;
  const post = (action: string, json: object) =>
    admin.must(hotdesk().api(`${at}/${action}`, { method: 'POST', json }));
  await post('unassign', { address });
  await post('assign', { owner: '1004', nickname: 'George’s phone', address });
  const phone = await hotdesk().phone('u1003');
  const call = await phone.call('01632960123');
  const far = await hotdesk().trunks.main.nextCall();
  expect(userOf(far.invite.header('From'))).toBe('+442079460104');
  await far.accept();
  await call.answered;
  await call.hangUp();
  const incoming = await hotdesk().trunks.main.call('1004');
  const ringing = await phone.nextCall();
  await ringing.accept();
  await incoming.answered;
  await incoming.hangUp();
});

describe('B2: under a running association', () => {
  test.each([
    { associationLimitHours: 4 },
    { associationLimitHours: null },
    { accessLevel: 'site' },
    { enabled: false },
  ])('%j is refused, or releases first', async (change) => {
    await admin.must(admin.connect(leeds.extension, PHONES.own));
    const before = (await admin.get(HOST)).body;
    const refused = await admin.change(HOST, change);
    expect(refused).toMatchObject({ status: 409, body: { reason: 'associationRunning' } });
    expect(refused.body.detail).toContain(leeds.extension);
    expect((await admin.get(HOST)).body).toEqual(before);

    const changed = await admin.must(admin.change(HOST, { ...change, release: true }));
    expect(changed.body).toMatchObject({ ...change, association: null });
    expect(await hotdesk().guestAt(PHONES.own)).toBeUndefined();
  });

  test('a name and an address may change: nobody is disturbed', async () => {
    await admin.must(admin.connect(leeds.extension, PHONES.own));
    await admin.must(admin.change(HOST, { nickname: 'The corner' }));
    expect(await hotdesk().guestAt(PHONES.own)).toBe(leeds.extension);
  });

  test('what is not valid releases nobody', async () => {
    await admin.must(admin.connect(leeds.extension, PHONES.own));
    const change = { callbackNumber: 'no number', enabled: false, release: true };
    expect(await admin.change(HOST, change)).toMatchObject({
      status: 422,
      body: { errors: [{ path: 'body.callbackNumber' }] },
    });
    expect(await hotdesk().guestAt(PHONES.own)).toBe(leeds.extension);
  });
});

test('B2: released, the host is free and the guest is told by the API', async () => {
  await admin.must(admin.connect(leeds.extension, PHONES.own));
  expect((await admin.get(`/users/${leeds.extension}`)).body.association.host.id).toBe(PHONES.own);
  expect((await admin.release(PHONES.own)).status).toBe(204);
  await hotdesk().expectGuest(PHONES.own, undefined);
  expect((await admin.get(`/users/${leeds.extension}`)).body.association).toBeNull();
  expect(await admin.release(PHONES.own)).toMatchObject({ status: 404, body: { reason: 'nobodyHere' } });
});
