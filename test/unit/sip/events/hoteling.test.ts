import { createHash } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Company } from '../../../../src/domain/directory.ts';
import { Credentials } from '../../../../src/services/credentials.ts';
import { GuestKeys } from '../../../../src/services/guest-keys.ts';
import { HotelingSeals } from '../../../../src/services/hoteling-seals.ts';
import { createSealing } from '../../../../src/services/sealing.ts';
import { Hoteling, NEVER_SECONDS } from '../../../../src/sip/events/hoteling.ts';
import { HOTELING_TYPE } from '../../../../src/sip/events/hoteling-documents.ts';
import type { EventDocument } from '../../../../src/sip/events/package.ts';
import { user } from '../../domain/example.ts';
import { fakeHash } from '../../services/fake-passcodes.ts';
import { guestOffice, HOUR, PASSCODE, phones } from '../../services/guest-office.ts';
import { PEPPER, settle } from '../../services/harness.ts';
import { TapeLog } from '../world.ts';

/** `x-broadworks-hoteling` over the services and a fake store: each step of the exchange, and each "no". */

const NOBODY = '<guestAddress/>';
const WRONG = '640275';
const sealing = createSealing({ keyId: 'k', pepper: PEPPER });
const seals = new HotelingSeals({ sealing, company: 'acme' });

function person(extension: string, differs: Parameters<typeof user>[1] = {}) {
  const one = user(extension, { hotelingKeys: true, passcodeHash: fakeHash(PASSCODE), ...differs });
  return { ...one, hotelingSecret: seals.sealed(one, PASSCODE) };
}

/** 1001 and 1002 may use the keys; 1003 has no licence at all; 1004 has not opted in; 1005 was given a passcode. */
const users = [
  person('1001'),
  person('1002'),
  person('1003', { hotDeskLicence: false, addOns: [] }),
  person('1004', { hotelingKeys: false }),
  person('1005', { passcodeOneTime: true }),
];

async function world(company: Partial<Company> = {}) {
  const office = await guestOffice({ users, hosts: phones, company });
  const { harness, store, view, hotDesk, passcodes } = office;
  const log = new TapeLog();
  const credentials = new Credentials({
    ...{ store, view, passcodes },
    passcodeService: {
      renew: () => undefined,
      replace: () => Promise.reject(new Error('nothing is replaced')),
    },
  });
  const keys = new GuestKeys({ credentials, seals, hotDesk, view, log });
  let drawn = 0;
  const drawNonce = (): string => `${++drawn}`.padStart(32, 'a');
  const make = (): Hoteling => new Hoteling({ keys, view, clock: harness.clock, log, drawNonce });
  return { ...office, log, make, hoteling: make() };
}

let it: Awaited<ReturnType<typeof world>>;
beforeEach(async () => {
  it = await world();
});

function subscription(host = 'd1', id = `s-${host}`) {
  return { id, event: 'x-broadworks-hoteling', subscriber: host, resource: host, source: '192.0.2.10' };
}

function content(document: EventDocument | undefined): string {
  return /<HotelingEvent [^>]*>(.*)<\/HotelingEvent>/s.exec(document?.body ?? '')?.[1] ?? 'the state';
}

/** Sends a body; what comes of it, or, where that is the state, the state. */
async function send(inner: string, at = subscription(), hoteling = it.hoteling): Promise<string> {
  const body = `<SetHoteling xmlns="http://schema.broadsoft.com/hoteling">${inner}</SetHoteling>`;
  const result = await hoteling.received(at, { contentType: HOTELING_TYPE, body });
  return content(result ?? hoteling.stateFor(at));
}

function md5(nonce: string, passcode: string): string {
  return createHash('md5').update(`${nonce}:${passcode}`).digest('hex');
}

async function challenge(guest: string, at = subscription()): Promise<string> {
  const told = await send(`<guestAddress>${guest}</guestAddress>`, at);
  const nonce = /<nonce>(\w+)<\/nonce><algorithm>MD5<\/algorithm>/.exec(told)?.[1];
  if (nonce === undefined) throw new Error(`no challenge: ${told}`);
  return nonce;
}

function answer(guest: string, nonce: string, response: string): string {
  const proof = `<nonce>${nonce}</nonce><algorithm>MD5</algorithm><response>${response}</response>`;
  return `<guestAddress>${guest}</guestAddress><authenticationData>${proof}</authenticationData>`;
}

async function guestIn(guest: string, passcode = PASSCODE, at = subscription()): Promise<string> {
  const nonce = await challenge(guest, at);
  return send(answer(guest, nonce, md5(nonce, passcode)), at);
}

describe('who may watch', () => {
  test.each([
    ['d1', 'd1', 'admitted'],
    ['d1', 'd2', { status: 403 }],
    ['d1', '1001', { status: 403 }],
    ['gone', 'gone', { status: 404 }],
  ])('%s watches %s: %j', (subscriber, resource, expected) => {
    const admission = it.hoteling.admit({ subscriber, resource });
    expect(admission).toEqual(typeof expected === 'string' ? expected : expect.objectContaining(expected));
  });
});

describe('Guest In', () => {
  test('challenge, answer, and the guest is there for as long as the host allows (B5a)', async () => {
    expect(content(it.hoteling.stateFor(subscription()))).toBe(NOBODY);
    expect(await guestIn('1001')).toBe('<guestAddress>1001</guestAddress><expires>43200</expires>');
    expect(await it.seats()).toEqual(['1001@d1']);
    expect(it.view.associationAt('d1')).toMatchObject({ guest: '1001' });
  });

  test.each([
    '1001@hotdesk.test',
    'sip:1001@hotdesk.test;user=phone',
    'SIP:1001',
    '+442079461001',
    '442079461001',
  ])('%s is 1001', async (address) => {
    expect(await guestIn(address)).toContain('<guestAddress>1001</guestAddress>');
  });

  test('the guest may be written another way in the answer', async () => {
    const nonce = await challenge('1001');
    expect(await send(answer('sip:1001@x', nonce, md5(nonce, PASSCODE)))).toContain('<guestAddress>1001<');
  });

  test('moves who sits elsewhere (B5c); who is here already is shown', async () => {
    await guestIn('1001', PASSCODE, subscription('d2'));
    expect(await guestIn('1001')).toContain('<guestAddress>1001<');
    expect(await it.seats()).toEqual(['1001@d1']);
    expect(await guestIn('1001')).toContain('<guestAddress>1001<');
    expect(content(it.hoteling.stateFor(subscription('d2')))).toBe(NOBODY);
  });

  test('at a user host', async () => {
    expect(await guestIn('1001', PASSCODE, subscription('u1002'))).toContain('<expires>86400</expires>');
  });

  test('without an end: the number phones get is the longest limit', async () => {
    it = await world({ associationLimit: 'never' });
    expect(await guestIn('1001')).toBe(
      `<guestAddress>1001</guestAddress><expires>${NEVER_SECONDS}</expires>`,
    );
  });

  test('everybody is challenged alike: known, unknown, unlicensed, not opted in', async () => {
    const told = new Set<string>();
    for (const guest of ['1001', '1999', '1003', '1004', '1005', '583914']) {
      const one = await send(`<guestAddress>${guest}</guestAddress>`);
      told.add(one.replace(guest, 'X').replace(/<nonce>\w+/, '<nonce>'));
    }
    expect([...told]).toEqual([
      '<guestAddress>X</guestAddress><authenticationData><nonce></nonce><algorithm>MD5</algorithm></authenticationData>',
    ]);
  });

  test.each([
    ['a wrong passcode', '1001', WRONG],
    ['nobody', '1999', PASSCODE],
    ['who has no licence', '1003', PASSCODE],
    ['who has not opted in', '1004', PASSCODE],
    ['a passcode that is to be replaced', '1005', PASSCODE],
    ['no passcode at all', '1001', ''],
  ])('%s: the state as it is', async (_what, guest, passcode) => {
    expect(await guestIn(guest, passcode)).toBe(NOBODY);
    await it.harness.seat('d1', '1002', 12 * HOUR);
    expect(await guestIn(guest, passcode)).toContain('<guestAddress>1002<');
    expect(await it.seats()).toEqual(['1002@d1']);
  });

  test('at a host that is taken: who is there', async () => {
    await it.harness.seat('d1', '1002', 12 * HOUR);
    expect(await guestIn('1001')).toContain('<guestAddress>1002<');
  });

  test('with the store away: the state', async () => {
    const nonce = await challenge('1001');
    it.store.down = true;
    expect(await send(answer('1001', nonce, md5(nonce, PASSCODE)))).toBe(NOBODY);
  });
});

describe('a nonce', () => {
  test.each<[string, (nonce: string) => Promise<string>]>([
    ['made up', () => send(answer('1001', 'f'.repeat(32), md5('f'.repeat(32), PASSCODE)))],
    [
      'of another subscription',
      (nonce) => send(answer('1001', nonce, md5(nonce, PASSCODE)), subscription('d1', 'x')),
    ],
    ['of another host', (nonce) => send(answer('1001', nonce, md5(nonce, PASSCODE)), subscription('d2'))],
    ['for another guest', (nonce) => send(answer('1002', nonce, md5(nonce, PASSCODE)))],
    [
      'of a process before this one',
      (nonce) => send(answer('1001', nonce, md5(nonce, PASSCODE)), subscription(), it.make()),
    ],
    [
      'that is old',
      (nonce) => {
        it.harness.pass(60_000);
        return send(answer('1001', nonce, md5(nonce, PASSCODE)));
      },
    ],
  ])('%s is no nonce, and no guess', async (_what, attempt) => {
    const nonce = await challenge('1001');
    it.store.calls.length = 0;
    expect(await attempt(nonce)).toBe(NOBODY);
    expect(it.store.calls).toEqual([]);
  });

  test('is good once: an answer that was overheard is worth nothing', async () => {
    const nonce = await challenge('1001');
    const heard = answer('1001', nonce, md5(nonce, PASSCODE));
    await send(heard);
    await send('<guestAddress/>');
    expect(await send(heard)).toBe(NOBODY);
    expect(await it.seats()).toEqual([]);
  });

  test('is over after a wrong answer, too', async () => {
    const nonce = await challenge('1001');
    await send(answer('1001', nonce, md5(nonce, WRONG)));
    expect(await send(answer('1001', nonce, md5(nonce, PASSCODE)))).toBe(NOBODY);
  });
});

describe('guesses', () => {
  const phone = { host: 'd1', source: '192.0.2.10', extension: '1001' };

  /** Wrong guesses until one is not even looked at. */
  async function budget(guess: () => Promise<unknown>, guesses: () => number): Promise<number> {
    for (let n = 0; n < 50; n++) {
      const before = guesses();
      await guess();
      if (guesses() === before) return n;
    }
    return Number.POSITIVE_INFINITY;
  }

  /** Guesses that were taken are those the store has counted. */
  const reserved = () => it.store.calls.filter((call) => call === 'reserveGuess').length;

  test('are counted with those at the prompts: as many, and in one budget', async () => {
    const byPhone = await world();
    const verified = await budget(
      () => byPhone.hotDesk.logIn({ ...phone, passcode: WRONG }),
      () => byPhone.passcodes.verified.length,
    );
    for (let n = 0; n < verified; n++) expect(await guestIn('1001', WRONG)).toBe(NOBODY);
    expect(reserved()).toBe(verified);
    expect(await guestIn('1001')).toBe(NOBODY);
    expect(await it.hotDesk.logIn({ ...phone, passcode: PASSCODE })).toMatchObject({
      refused: 'tooManyTries',
    });
    expect(it.log.lines.at(-1)?.data).toMatchObject({ guest: '1001', reason: 'tooManyTries' });
    it.harness.pass(HOUR);
    expect(await guestIn('1001')).toContain('<guestAddress>1001<');
  });

  test('too many at the prompts hold the keys back', async () => {
    for (let n = 0; n < 10; n++) await it.hotDesk.logIn({ ...phone, passcode: WRONG });
    expect(await guestIn('1001')).toBe(NOBODY);
  });

  test('of a right answer are given back', async () => {
    for (let n = 0; n < 30; n++) expect(await guestIn('1001')).toContain('<guestAddress>1001<');
  });
});

describe('Guest Out', () => {
  test('whoever is there leaves, without a passcode (A2)', async () => {
    await guestIn('1001');
    expect(await send('<guestAddress/>')).toBe(NOBODY);
    expect(await it.seats()).toEqual([]);
    expect(await send('<guestAddress/>')).toBe(NOBODY);
  });

  test('with the store away they are gone here all the same', async () => {
    await guestIn('1001');
    it.store.down = true;
    expect(await send('<guestAddress/>')).toBe(NOBODY);
  });
});

describe('what is told', () => {
  test('each change from elsewhere, at its host', async () => {
    const changed: string[] = [];
    const stop = it.hoteling.watch((host) => changed.push(host));
    await it.harness.seat('d1', '1001', 12 * HOUR);
    await it.harness.seat('d2', '1001', 12 * HOUR);
    await it.hotDesk.release({ host: 'd2', actor: 'admin:kim' });
    expect(changed).toEqual(['d1', 'd1', 'd2', 'd2']);
    stop();
    await it.harness.seat('d1', '1001', 12 * HOUR);
    expect(changed).toHaveLength(4);
  });

  test('seconds that pass are no news; another deadline or guest is', async () => {
    await it.harness.seat('d1', '1001', 12 * HOUR);
    const before = it.hoteling.stateFor(subscription());
    it.harness.pass(1_500);
    const after = it.hoteling.stateFor(subscription());
    expect(content(after)).toContain('<expires>43199</expires>');
    expect(after.identity).toBe(before.identity);
    it.harness.pass(12 * HOUR);
    expect(content(it.hoteling.stateFor(subscription()))).toBe(NOBODY);
    await it.store.claimDue(10);
    await it.harness.seat('d1', '1001', 12 * HOUR);
    expect(it.hoteling.stateFor(subscription()).identity).not.toBe(before.identity);
  });

  test('what has just been done, also when this node has not heard of it yet', async () => {
    const nonce = await challenge('1001');
    it.harness.disconnect();
    it.store.down = false;
    let told: string | undefined;
    void send(answer('1001', nonce, md5(nonce, PASSCODE))).then((what) => (told = what));
    await settle();
    await settle();
    expect(told).toBeUndefined();
    it.harness.pass(1_000);
    await settle();
    expect(told).toContain('<guestAddress>1001</guestAddress>');
  });
});

test('what is not understood changes nothing, and is logged without its content', async () => {
  await guestIn('1001');
  expect(await send('<guestAddress>1002')).toContain('<guestAddress>1001<');
  const line = it.log.lines.at(-1);
  expect(line).toEqual({
    level: 'info',
    data: { host: 'd1' },
    text: expect.stringContaining('not understood'),
  });
});

test('neither nonce nor answer nor what was typed is logged', async () => {
  const nonce = await challenge('583914');
  const response = md5(nonce, WRONG);
  await send(answer('583914', nonce, response));
  await send(answer('583914', nonce, response));
  const lines = JSON.stringify(it.log.lines);
  for (const secret of [nonce, response, WRONG, '583914']) expect(lines).not.toContain(secret);
  expect(lines).toContain('guest in refused');
});
