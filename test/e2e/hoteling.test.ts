import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { useAdministrator } from '../support/administrator.ts';
import { PEOPLE, PHONES } from '../support/demo.ts';
import { HotelingPhone, optIn, responseTo } from '../support/hoteling-phone.ts';
import { logInBySoftKey } from '../support/log-in.ts';
import { useHotdesk } from '../support/suite.ts';
import { eventually } from '../support/wait.ts';

/** `x-broadworks-hoteling` over SIP: a phone with Guest In and Guest Out keys, in the steps a Cisco phone takes. */

const { first, second } = PEOPLE;
const NOBODY = '<guestAddress/>';
const NOT_AT_ALL = 700;
const THERE = /^<guestAddress>1001<\/guestAddress><expires>(\d+)<\/expires>$/;

const hotdesk = useHotdesk();
const administrator = useAdministrator(hotdesk);
let phone: HotelingPhone;

beforeEach(async () => {
  await optIn(hotdesk(), first);
  phone = await HotelingPhone.plugIn(PHONES.reception, hotdesk().sip.udp);
});
afterEach(async () => {
  await phone.unplug();
});

/** Moves the stored deadline to now: the store's clock is the only clock. */
async function letTimeRunOut(host: string): Promise<void> {
  const redis = hotdesk().redis.client();
  const record = JSON.parse((await redis.hget('hd:{demo}:b', host)) ?? '{}');
  const now = Date.now();
  await redis.hset('hd:{demo}:b', host, JSON.stringify({ ...record, dl: String(now) }));
  await redis.zadd('hd:{demo}:dl', now, host);
}

/** Nothing more comes. */
async function silence(): Promise<void> {
  await sleep(NOT_AT_ALL);
  expect(phone.unseen).toBe(0);
}

describe('the exchange', () => {
  test('step by step, as phones make it', async () => {
    const registered = await (await hotdesk().unregistered(PHONES.window)).register();
    expect(registered.header('Allow-Events')).toContain('x-broadworks-hoteling');

    const answer = await phone.subscribe();
    expect([answer.status, answer.header('Expires')]).toEqual([200, '3600']);
    const initial = await phone.notify();
    expect(initial.header('Event')).toBe('x-broadworks-hoteling');
    expect(initial.header('Subscription-State')).toMatch(/^active;expires=(3600|3599)$/);
    expect(initial.header('Content-Type')).toBe('application/x-broadworks-hoteling+xml');
    expect(initial.body).toBe(
      '<?xml version="1.0" encoding="UTF-8"?>\n' +
        '<HotelingEvent xmlns="http://schema.broadsoft.com/hoteling"><guestAddress/></HotelingEvent>',
    );

    await phone.set('  <guestAddress>1001</guestAddress>');
    const challenge = await phone.told();
    expect(challenge).toMatch(
      /^<guestAddress>1001<\/guestAddress><authenticationData><nonce>[0-9a-f]{32}<\/nonce><algorithm>MD5<\/algorithm><\/authenticationData>$/,
    );
    const nonce = /<nonce>(.*)<\/nonce>/.exec(challenge)?.[1] ?? '';
    await phone.answer('1001', nonce, responseTo(nonce, first.pin));
    const seconds = Number(THERE.exec(await phone.told())?.[1]);
    expect(seconds).toBeGreaterThan(12 * 3600 - 10);
    expect(seconds).toBeLessThanOrEqual(12 * 3600);
    await hotdesk().expectGuest(PHONES.reception, '1001');
    await silence();

    expect(await phone.guestOut()).toBe(NOBODY);
    await hotdesk().expectGuest(PHONES.reception, undefined);
    await silence();

    const bye = await phone.subscribe({ expires: 0 });
    expect(bye.status).toBe(200);
    expect((await phone.notify()).header('Subscription-State')).toBe('terminated;reason=timeout');
    expect(phone.order).toEqual([...phone.order].sort((a, b) => a - b));
    expect(phone.order).toHaveLength(5);
  });

  test('the check value: MD5("4f2c9a:4711")', () => {
    expect(responseTo('4f2c9a', '4711')).toBe('aa983c59fa820a87b528a03f9050584c');
  });

  test('another phone is not to be watched', async () => {
    expect((await phone.subscribe({ resource: PHONES.window })).status).toBe(403);
    expect((await phone.subscribe({ resource: '1001' })).status).toBe(403);
  });

  test('while somebody is there a challenge stands alone', async () => {
    await hotdesk().seat(second.extension, PHONES.reception);
    await phone.subscribe();
    expect(await phone.told()).toContain('<guestAddress>1002<');
    await sleep(1_100);
    const nonce = await phone.challenge('1001');
    await silence();
    await phone.answer('1001', nonce, responseTo(nonce, first.pin));
    // Taken: who is there stays, and is shown.
    expect(await phone.told()).toContain('<guestAddress>1002<');
    await silence();
  });

  test('two bodies at once: each is told what came of it, in its order', async () => {
    await phone.subscribe();
    await phone.told();
    const asked = phone.set('<guestAddress>1001</guestAddress>');
    await asked;
    await phone.set('<guestAddress/>');
    expect([await phone.told(), await phone.told()]).toEqual([expect.stringContaining('<nonce>'), NOBODY]);
    await silence();
  });
});

describe('pushed, without being asked', () => {
  beforeEach(async () => {
    await phone.subscribe();
    expect(await phone.told()).toBe(NOBODY);
  });

  test('a login by *90, an administrator’s release', async () => {
    const desk = await hotdesk().phone(PHONES.reception);
    await logInBySoftKey(desk, first);
    expect(await phone.told(8_000)).toMatch(THERE);
    await administrator.release(PHONES.reception);
    expect(await phone.told(1_000)).toBe(NOBODY);
    await silence();
  });

  test('a guest put there from afar, and moved away', async () => {
    await hotdesk().seat('1001', PHONES.reception);
    expect(await phone.told(1_000)).toMatch(THERE);
    await hotdesk().seat('1001', PHONES.window);
    expect(await phone.told(1_000)).toBe(NOBODY);
    await silence();
  });

  test('the end of the time', async () => {
    await phone.guestIn('1001', first.pin);
    await letTimeRunOut(PHONES.reception);
    expect(await phone.told(6_000)).toBe(NOBODY);
    await silence();
  });
});

describe('who may not', () => {
  beforeEach(async () => {
    await phone.subscribe();
    await phone.told();
  });

  test('wrong PIN, unknown, unlicensed, not opted in: challenged alike, and nobody is shown', async () => {
    for (const [guest, pin] of [
      ['1001', '640275'],
      ['1999', first.pin],
      [PEOPLE.unlicensed.extension, PEOPLE.unlicensed.pin],
      [second.extension, second.pin],
    ] as const) {
      expect(await phone.guestIn(guest, pin)).toBe(NOBODY);
    }
    expect(await hotdesk().guestAt(PHONES.reception)).toBeUndefined();
  });

  test('what is not understood: the state', async () => {
    const answer = await phone.subscribe({ body: '<!DOCTYPE x [<!ENTITY y "z">]><x>&y;</x>' });
    expect([answer.status, await phone.told()]).toEqual([200, NOBODY]);
  });

  test('an answer that is sent again', async () => {
    const nonce = await phone.challenge('1001');
    const response = responseTo(nonce, first.pin);
    await phone.answer('1001', nonce, response);
    expect(await phone.told()).toMatch(THERE);
    await phone.guestOut();
    await phone.answer('1001', nonce, response);
    expect(await phone.told()).toBe(NOBODY);
  });

  test('too many wrong answers: then the right one is none, here and at the prompts', async () => {
    // At a phone of its own: so many guesses make the phone wait, too.
    const desk = await HotelingPhone.plugIn(PHONES.window, hotdesk().sip.udp);
    await desk.subscribe();
    await desk.told();
    const refused = (): string[] =>
      hotdesk().log.lines.filter((line) => line.includes('guest in refused') && line.includes(PHONES.window));
    // The fifth costs a wait of 1 s, the seventh one of 4 s: long enough for a slow machine.
    while (refused().filter((line) => line.includes('badCredentials')).length < 7) {
      await desk.guestIn('1001', '640275');
      expect(refused().length).toBeLessThan(40);
    }
    expect(await desk.guestIn('1001', first.pin)).toBe(NOBODY);
    expect(refused().at(-1)).toContain('tooManyTries');
    await hotdesk().api('/api/v1/users/1001/unlock', { method: 'POST' });
    expect(await desk.guestIn('1001', first.pin)).toMatch(THERE);
    await desk.unplug();
  });

  test('a PIN that was given out is to be replaced first', async () => {
    const path = '/api/v1/users/1001/passcode';
    const { body } = await hotdesk().api(path, { method: 'POST' });
    expect(await phone.guestIn('1001', body.passcode)).toBe(NOBODY);
  });
});

describe('the opt-in', () => {
  const path = `/api/v1/users/${second.extension}`;

  test('works from the next right PIN at a phone on, and ends at once', async () => {
    await phone.subscribe();
    await phone.told();
    const on = await hotdesk().api(path, { method: 'PATCH', json: { hotelingKeys: true } });
    expect(on.body).toMatchObject({ hotelingKeys: true, hotelingKeysReady: false });
    expect(await phone.guestIn('1002', second.pin)).toBe(NOBODY);
    const desk = await hotdesk().phone(PHONES.window);
    await logInBySoftKey(desk, second);
    await hotdesk().expectGuest(PHONES.window, '1002', 8_000);
    await eventually('the PIN to be kept', async () => (await hotdesk().api(path)).body.hotelingKeysReady);
    expect(await phone.guestIn('1002', second.pin)).toContain('<guestAddress>1002<');
    const off = await hotdesk().api(path, { method: 'PATCH', json: { hotelingKeys: false } });
    expect(off.body).toMatchObject({ hotelingKeys: false, hotelingKeysReady: false });
    await phone.guestOut();
    expect(await phone.guestIn('1002', second.pin)).toBe(NOBODY);
  });

  test('no PIN, nonce or answer is logged or stored in clear', async () => {
    await phone.subscribe();
    await phone.told();
    const nonce = await phone.challenge('1001');
    const response = responseTo(nonce, first.pin);
    await phone.answer('1001', nonce, response);
    await phone.told();
    const stored = (await hotdesk().api('/api/v1/directory')).body;
    expect(stored).toContain('hotelingSecret');
    for (const text of [
      hotdesk().log.text,
      stored,
      JSON.stringify((await hotdesk().api('/api/v1/users')).body),
    ]) {
      for (const secret of [nonce, response, first.pin]) expect(text).not.toContain(secret);
    }
  });
});
