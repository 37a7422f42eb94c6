import { describe, expect, test } from 'vitest';
import type { Refusal } from '../../../src/domain/reasons.ts';
import { msUntilDailyLogOut } from '../../../src/services/daily-log-out.ts';
import { allEntries, toStored } from '../../../src/services/directory-document.ts';
import { DirectoryService } from '../../../src/services/directory-service.ts';
import { HotDesk, type LogInRequest } from '../../../src/services/hot-desk.ts';
import { PasscodeService } from '../../../src/services/passcode-service.ts';
import { PendingEnds } from '../../../src/services/pending-ends.ts';
import { directory, host, site, user } from '../domain/example.ts';
import { FakePasscodes, fakeHash } from './fake-passcodes.ts';
import { Harness, settle } from './harness.ts';

const PASSCODE = '583914';
const HASH = fakeHash(PASSCODE);
const HOUR = 3_600_000;

const people = [
  user('1001', { passcodeHash: HASH }),
  user('1002', { passcodeHash: HASH }),
  user('1004', { passcodeHash: HASH, hotDeskLicence: false }),
  user('1005', { passcodeHash: undefined }),
  user('1006', { passcodeHash: HASH, passcodeOneTime: true }),
  user('1007', { passcodeHash: HASH, passcodeOneTime: true, hotDeskLicence: false }),
];
const desks = [
  host('d1'),
  host('d2'),
  host('off', { enabled: false }),
  host('u1002', { kind: 'user', owner: '1002' }),
];

async function office(company: Parameters<typeof directory>[0]['company'] = {}) {
  const harness = new Harness();
  await harness.store.writeDirectory({
    put: toStored(allEntries(directory({ company, users: people, hosts: desks }))),
    remove: [],
    actor: 'test',
  });
  await harness.follow();
  const passcodes = new FakePasscodes();
  const { store, view } = harness;
  const deps = { ...harness, store, view, passcodes };
  const service = new DirectoryService({ ...deps, company: 'acme', realm: 'test' });
  const passcodeService = new PasscodeService({ ...deps, directory: service, randomInt: () => 0 });
  const pendingEnds = new PendingEnds({ store, view, timers: harness.clock, log: harness.log });
  const hotDesk = new HotDesk({ ...deps, passcodeService, pendingEnds, storeNow: () => view.now() });
  const logIn = (differs: Partial<LogInRequest> = {}) =>
    hotDesk.logIn({ host: 'd1', extension: '1001', passcode: PASSCODE, source: '192.0.2.1', ...differs });
  return { harness, store, view, passcodes, verified: passcodes.verified, hotDesk, logIn };
}

function reason(result: object): string | undefined {
  return 'refused' in result ? (result as Refusal).refused : undefined;
}

describe('logIn', () => {
  test('extension and passcode make an association for the company’s limit', async () => {
    const { logIn, view, harness } = await office({ associationLimit: 4 });
    const result = await logIn();
    expect(result).toMatchObject({
      user: { extension: '1001' },
      association: { host: 'd1', site: 'london' },
    });
    expect(result).toMatchObject({
      association: { expiresAt: harness.now + 4 * HOUR },
      movedFrom: undefined,
    });
    expect(view.associationAt('d1')?.guest).toBe('1001');
  });

  test('a second desk: moved, the first is free (B5c)', async () => {
    const { logIn, view } = await office();
    await logIn();
    expect(await logIn({ host: 'd2' })).toMatchObject({
      movedFrom: { id: 'd1' },
      association: { host: 'd2' },
    });
    expect(view.associationAt('d1')).toBeUndefined();
  });

  test.each([
    ['wrong passcode', { passcode: '583915' }, 'badCredentials'],
    ['unknown extension', { extension: '1777' }, 'badCredentials'],
    ['no extension at all', { extension: '', passcode: '' }, 'badCredentials'],
    ['no passcode set', { extension: '1005' }, 'badCredentials'],
    ['no licence', { extension: '1004' }, 'notLicensed'],
    ['no licence and wrong passcode', { extension: '1004', passcode: '1' }, 'badCredentials'],
    ['host off', { host: 'off' }, 'hostDisabled'],
    ['host off and wrong passcode', { host: 'off', passcode: '1' }, 'badCredentials'],
    ['own phone', { host: 'u1002', extension: '1002' }, 'ownHost'],
    ['a host that does not exist', { host: 'gone' }, 'unknownHost'],
  ])('refused: %s', async (_, request, expected) => {
    const { logIn, store } = await office();
    expect(reason(await logIn(request))).toBe(expected);
    expect(store.log.filter(({ kind }) => kind === 'start')).toEqual([]);
  });

  test('refused: occupied by somebody else (B5b), and already here', async () => {
    const { logIn, view } = await office();
    await logIn();
    expect(reason(await logIn({ extension: '1002' }))).toBe('occupied');
    expect(reason(await logIn())).toBe('alreadyHere');
    expect(view.associationAt('d1')?.guest).toBe('1001');
  });

  test('occupied with take-over; elsewhere with deny', async () => {
    const { logIn, view } = await office({ occupiedDeskPolicy: 'takeover', secondDeskPolicy: 'deny' });
    await logIn();
    expect(reason(await logIn({ extension: '1002' }))).toBeUndefined();
    expect(view.associationAt('d1')?.guest).toBe('1002');
    expect(reason(await logIn({ host: 'd2', extension: '1002' }))).toBe('guestElsewhere');
  });

  test('unknown extension and wrong passcode take the same steps, and give the same answer', async () => {
    const steps = async (differs: Partial<LogInRequest>) => {
      const { logIn, store, verified } = await office();
      store.calls.length = 0;
      const result = await logIn(differs);
      return { result, calls: store.calls, hashes: verified.length };
    };
    const wrong = await steps({ passcode: '1' });
    expect(await steps({ extension: '1777' })).toEqual(wrong);
    expect(await steps({ extension: '1005' })).toEqual(wrong);
  });

  test('guesses are reserved before the passcode is looked at: parallel ones share one budget', async () => {
    const { logIn, verified } = await office();
    const results = await Promise.all(Array.from({ length: 50 }, () => logIn({ passcode: '1' })));
    expect(verified).toHaveLength(5);
    expect(results.filter((result) => reason(result) === 'tooManyTries')).toHaveLength(45);
  });

  test('the right passcode does not help while the extension has to wait, and does afterwards', async () => {
    const { logIn, harness } = await office();
    for (let turn = 0; turn < 5; turn++) await logIn({ passcode: '1' });
    expect(reason(await logIn())).toBe('tooManyTries');
    harness.now += 1_000;
    expect(reason(await logIn())).toBeUndefined();
  });

  test('an extension nobody has runs out of tries like any other', async () => {
    const { logIn } = await office();
    for (let turn = 0; turn < 5; turn++) await logIn({ extension: '1777' });
    expect(reason(await logIn({ extension: '1777' }))).toBe('tooManyTries');
  });

  test('a phone that guesses too much hears what a wrong passcode hears, after as much work', async () => {
    const { logIn, verified } = await office();
    for (let turn = 0; turn < 10; turn++) await logIn({ extension: String(2000 + turn) });
    verified.length = 0;
    expect(reason(await logIn())).toBe('badCredentials');
    expect(verified).toEqual(['-']);
    expect(reason(await logIn({ host: 'd2' }))).toBeUndefined();
  });

  test('the store away: refused, nothing promised', async () => {
    const { logIn, harness } = await office();
    harness.disconnect();
    expect(await logIn()).toEqual({ refused: 'storeUnavailable', detail: 'down' });
  });

  test('a lost answer is asked for again with the same op id', async () => {
    const { logIn, store, harness } = await office();
    const confirm = store.confirmGuess.bind(store);
    store.confirmGuess = async (key) => {
      await confirm(key);
      store.loseReplies = 1;
    };
    expect(await logIn()).toMatchObject({ association: { host: 'd1' } });
    expect(store.log.filter(({ kind }) => kind === 'start')).toHaveLength(1);
    expect(store.calls.filter((name) => name === 'associate')).toHaveLength(2);
    expect(harness.random.uuid()).toBe('op-2');
  });

  test('no directory yet: refused', async () => {
    const harness = new Harness();
    const { store, view } = harness;
    const passcodes = { verify: async () => true, blind: () => 'x' };
    const passcodeService = { renew: () => undefined, replace: async () => 'done' as const };
    const rest = { storeNow: () => 0, pendingEnds: { add: () => false } };
    const hotDesk = new HotDesk({ ...harness, store, view, passcodes, passcodeService, ...rest });
    const request = { host: 'd1', extension: '1001', passcode: PASSCODE, source: 'x' };
    expect(reason(await hotDesk.logIn(request))).toBe('storeUnavailable');
    expect(reason(await hotDesk.release({ host: 'd1', actor: 'admin:x' }))).toBe('storeUnavailable');
  });

  test('what was typed never reaches the log; a passcode typed as extension neither', async () => {
    const { logIn, harness } = await office();
    await logIn();
    await logIn({ passcode: '583915' });
    await logIn({ extension: PASSCODE, passcode: '1001' });
    const written = JSON.stringify(harness.log.lines);
    expect(harness.log.lines).toHaveLength(3);
    expect(written).toContain('"guest":"1001"');
    expect(written).not.toMatch(/58391/);
  });

  test('a failure that is none of the store’s absence is not hidden', async () => {
    const { logIn, store } = await office();
    store.associate = () => Promise.reject(new TypeError('broken'));
    await expect(logIn()).rejects.toThrow('broken');
  });
});

describe('a passcode that was given out (one-time)', () => {
  const given = { extension: '1006' };
  const chosen = { ...given, newPasscode: '204863' };

  test('is asked to be replaced, as often as it is used', async () => {
    const { logIn, view } = await office();
    expect(await logIn(given)).toEqual({ refused: 'newPasscodeNeeded' });
    expect(await logIn(given)).toEqual({ refused: 'newPasscodeNeeded' });
    expect(view.associationAt('d1')).toBeUndefined();
  });

  test('with a new one: replaced and associated; never good again', async () => {
    const { logIn, view, store, hotDesk } = await office();
    expect(await logIn(chosen)).toMatchObject({ association: { host: 'd1', guest: '1006' } });
    expect(view.directory?.users.get('1006')).toMatchObject({
      passcodeHash: fakeHash('204863'),
      passcodeOneTime: false,
    });
    expect(store.log.filter(({ kind }) => kind === 'notice')).toMatchObject([
      { notice: 'passcodeSet', extension: '1006', actor: 'guest' },
    ]);
    await hotDesk.logOut({ host: 'd1' });
    expect(reason(await logIn(given))).toBe('badCredentials');
    expect(reason(await logIn({ ...chosen, newPasscode: '730951' }))).toBe('badCredentials');
    expect(await logIn({ ...given, passcode: '204863' })).toMatchObject({ association: { guest: '1006' } });
  });

  test('two phones at once: one choice holds, the other is refused', async () => {
    const { logIn, view } = await office();
    const results = await Promise.all([
      logIn(chosen),
      logIn({ ...chosen, host: 'd2', newPasscode: '730951' }),
    ]);
    expect(results.filter((result) => reason(result) === 'badCredentials')).toHaveLength(1);
    const winner = results[0] && 'refused' in results[0] ? '730951' : '204863';
    expect(view.directory?.users.get('1006')?.passcodeHash).toBe(fakeHash(winner));
  });

  test.each([
    ['too short', '20486'],
    ['a row', '234567'],
    ['the extension in it', '100648'],
    ['the one it replaces', PASSCODE],
  ])('a new one that will not do (%s) changes nothing', async (_, newPasscode) => {
    const { logIn, view } = await office();
    expect(await logIn({ ...given, newPasscode })).toMatchObject({ refused: 'passcodeTooSimple' });
    expect(view.directory?.users.get('1006')?.passcodeHash).toBe(HASH);
    expect(view.associationAt('d1')).toBeUndefined();
  });

  test('who may not log in anyway is told so, and asked nothing', async () => {
    const { logIn } = await office();
    expect(reason(await logIn({ extension: '1007' }))).toBe('notLicensed');
    expect(reason(await logIn({ ...given, host: 'off' }))).toBe('hostDisabled');
  });

  test('the wrong one learns nothing of it', async () => {
    const { logIn } = await office();
    expect(reason(await logIn({ ...given, passcode: '583915' }))).toBe('badCredentials');
    expect(reason(await logIn({ ...chosen, passcode: '583915' }))).toBe('badCredentials');
  });

  test('occupied after the choice: refused, and the choice holds', async () => {
    const { logIn, view } = await office();
    await logIn();
    expect(await logIn(chosen)).toMatchObject({ refused: 'occupied', passcodeChanged: true });
    expect(view.directory?.users.get('1006')?.passcodeHash).toBe(fakeHash('204863'));
  });

  test('its digits reach no log', async () => {
    const { logIn, harness } = await office();
    await logIn(given);
    await logIn(chosen);
    expect(JSON.stringify(harness.log.lines)).not.toMatch(/58391|20486/);
  });
});

describe('a passcode hashed with an older pepper', () => {
  const old = user('1001', { passcodeHash: fakeHash(PASSCODE, 'old') });
  const rotated = async () => {
    const made = await office();
    const put = toStored([{ kind: 'user', value: old }]);
    await made.store.writeDirectory({ put, remove: [], actor: 'test' });
    return { ...made, hash: () => made.view.directory?.users.get('1001')?.passcodeHash };
  };

  test('is hashed anew after the login', async () => {
    const { logIn, passcodes, hash } = await rotated();
    let go = (): void => undefined;
    passcodes.onHash = () => new Promise<void>((resolve) => (go = resolve));
    expect(await logIn()).toMatchObject({ association: { host: 'd1' } });
    expect(hash()).toBe(old.passcodeHash);
    go();
    await settle();
    expect(hash()).toBe(HASH);
  });

  test('not by a wrong passcode, and not twice at once', async () => {
    const { logIn, passcodes } = await rotated();
    await logIn({ passcode: '583915' });
    expect(passcodes.hashed).toEqual([]);
    passcodes.onHash = () => new Promise(() => undefined);
    await logIn();
    await logIn({ host: 'd2' });
    expect(passcodes.hashed).toEqual(['acme 1001']);
  });

  test('a passcode set meanwhile stays; what goes wrong is left to the next login', async () => {
    const { logIn, passcodes, store, hash, hotDesk } = await rotated();
    passcodes.onHash = () => Promise.reject(new Error('broken'));
    expect(reason(await logIn())).toBeUndefined();
    await settle();
    expect(hash()).toBe(old.passcodeHash);
    await hotDesk.logOut({ host: 'd1' });
    const other = { ...old, passcodeHash: fakeHash('204863') };
    passcodes.onHash = () =>
      store.writeDirectory({ put: toStored([{ kind: 'user', value: other }]), remove: [], actor: 'x' });
    expect(reason(await logIn())).toBeUndefined();
    await settle();
    expect(hash()).toBe(fakeHash('204863'));
  });
});

describe('daily log-out', () => {
  test('shortens what is longer', async () => {
    const { logIn, view, store } = await office();
    const place = { ...site('london'), dailyLogOut: '07:30' };
    await store.writeDirectory({
      put: toStored([{ kind: 'site', value: place }]),
      remove: [],
      actor: 'test',
    });
    const until = msUntilDailyLogOut(place, view.now()) ?? 0;
    const result = await logIn();
    expect(until).toBeLessThan(12 * HOUR);
    expect(result).toMatchObject({ association: { expiresAt: view.now() + until } });
  });
});

describe('logOut', () => {
  test('whoever is there leaves (A2), and is named', async () => {
    const { logIn, hotDesk, view } = await office();
    await logIn();
    expect(await hotDesk.logOut({ host: 'd1' })).toMatchObject({ association: { guest: '1001' } });
    expect(view.associationAt('d1')).toBeUndefined();
    expect(reason(await hotDesk.logOut({ host: 'd1' }))).toBe('nobodyHere');
  });

  test('a lost answer is asked for again', async () => {
    const { logIn, hotDesk, store, harness } = await office();
    await logIn();
    store.loseReplies = 1;
    expect(await hotDesk.logOut({ host: 'd1' })).toMatchObject({ association: { guest: '1001' } });
    expect(harness.log.level('warn')).toEqual([]);
  });

  test('with the store away they are gone here at once, and in the store when it is back', async () => {
    const { logIn, hotDesk, store, view, harness } = await office();
    await logIn();
    store.down = true;
    expect(await hotDesk.logOut({ host: 'd1' })).toMatchObject({ association: { guest: '1001' } });
    expect(view.associationAt('d1')).toBeUndefined();
    expect(view.associationOf('1001')).toBeUndefined();
    expect([...view.associations()]).toEqual([]);
    expect(reason(await hotDesk.logOut({ host: 'd1' }))).toBe('storeUnavailable');
    harness.pass(1_000);
    await settle();
    store.down = false;
    expect((await store.snapshot()).associations).toHaveLength(1);
    harness.pass(1_000);
    await settle();
    expect((await store.snapshot()).associations).toEqual([]);
    harness.pass(60_000);
    await settle();
    expect(store.log.filter(({ kind }) => kind === 'end')).toHaveLength(1);
  });

  test('however late the store is told, it ends nobody else’s association', async () => {
    const { logIn, hotDesk, store, view, harness } = await office();
    await logIn();
    store.down = true;
    await hotDesk.logOut({ host: 'd1' });
    store.down = false;
    await store.end({ host: 'd1', reason: 'released', actor: 'admin:kim', opId: 'x' });
    await harness.seat('d1', '1002');
    expect(view.associationAt('d1')?.guest).toBe('1002');
    harness.pass(1_000);
    await settle();
    expect(view.associationAt('d1')?.guest).toBe('1002');
    expect((await store.snapshot()).associations).toMatchObject([{ guest: '1002' }]);
  });

  test('an administrator’s release is refused with the store away, and done later by nobody', async () => {
    const { logIn, hotDesk, store, view, harness } = await office();
    await logIn();
    store.down = true;
    expect(reason(await hotDesk.release({ host: 'd1', actor: 'admin:kim' }))).toBe('storeUnavailable');
    store.down = false;
    harness.pass(5_000);
    await settle();
    expect(view.associationAt('d1')?.guest).toBe('1001');
  });

  test('a guest who has left the directory is logged out like any other, the store away or not', async () => {
    const { harness, hotDesk, store, view } = await office();
    const gone = { association: { host: 'd1', guest: '1777' } };
    await harness.seat('d1', '1777');
    expect(await hotDesk.logOut({ host: 'd1' })).toMatchObject(gone);
    await harness.seat('d1', '1777');
    expect(await hotDesk.release({ host: 'd1', actor: 'admin:kim' })).toMatchObject(gone);
    expect(view.associationAt('d1')).toBeUndefined();
    await harness.seat('d1', '1777');
    store.down = true;
    expect(await hotDesk.logOut({ host: 'd1' })).toMatchObject(gone);
    expect(view.associationAt('d1')).toBeUndefined();
  });
});

describe('administrators', () => {
  test('free a host of the guest they mean, not of who came after (A5)', async () => {
    const { harness, hotDesk, store, view } = await office();
    await harness.seat('d1', '1001');
    const generation = view.associationAt('d1')?.generation ?? 0;
    await store.end({ host: 'd1', reason: 'loggedOut', actor: 'guest', opId: 'x' });
    await harness.seat('d1', '1002');
    const meant = { host: 'd1', actor: 'admin:kim', generation };
    expect(reason(await hotDesk.release(meant))).toBe('changedMeanwhile');
    expect(view.associationAt('d1')?.guest).toBe('1002');
    const now = { ...meant, generation: view.associationAt('d1')?.generation };
    expect(await hotDesk.release(now)).toMatchObject({ association: { guest: '1002' } });
    expect(reason(await hotDesk.release(now))).toBe('nobodyHere');
  });

  test('associate by the same rules, without a passcode', async () => {
    const { hotDesk, store } = await office();
    const actor = 'admin:kim';
    expect(await hotDesk.associate({ host: 'd1', extension: '1001', actor })).toMatchObject({
      user: { extension: '1001' },
    });
    expect(store.log.at(-1)).toMatchObject({ kind: 'start', actor });
    expect(reason(await hotDesk.associate({ host: 'd1', extension: '1002', actor }))).toBe('occupied');
    expect(reason(await hotDesk.associate({ host: 'd2', extension: '1004', actor }))).toBe('notLicensed');
    expect(reason(await hotDesk.associate({ host: 'gone', extension: '1001', actor }))).toBe('unknownHost');
    expect(reason(await hotDesk.associate({ host: 'd2', extension: '1777', actor }))).toBe('unknownUser');
    expect(store.calls).not.toContain('reserveGuess');
  });

  test('release a host (A5)', async () => {
    const { logIn, hotDesk, store, harness } = await office();
    await logIn();
    const actor = 'admin:kim';
    expect(await hotDesk.release({ host: 'd1', actor })).toMatchObject({ association: { guest: '1001' } });
    expect(store.log.at(-1)).toMatchObject({ kind: 'end', reason: 'released', actor });
    expect(reason(await hotDesk.release({ host: 'd1', actor }))).toBe('nobodyHere');
    expect(reason(await hotDesk.release({ host: 'gone', actor }))).toBe('unknownHost');
    harness.disconnect();
    expect(reason(await hotDesk.release({ host: 'd1', actor }))).toBe('storeUnavailable');
    expect(reason(await hotDesk.associate({ host: 'd1', extension: '1001', actor }))).toBe(
      'storeUnavailable',
    );
  });
});
