import { describe, expect, test } from 'vitest';
import type { Refusal } from '../../../src/domain/reasons.ts';
import { toEntries } from '../../../src/services/directory-document.ts';
import { HotDesk, type LogInRequest } from '../../../src/services/hot-desk.ts';
import { directory, host, user } from '../domain/example.ts';
import { Harness } from './harness.ts';

const HASH = `k:$argon2id$v=19$m=19456,t=2,p=1$${'A'.repeat(22)}$${'A'.repeat(43)}`;
const PASSCODE = '583914';
const HOUR = 3_600_000;

const people = [
  user('1001', { passcodeHash: HASH }),
  user('1002', { passcodeHash: HASH }),
  user('1004', { passcodeHash: HASH, hotDeskLicence: false }),
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
    put: toEntries(directory({ company, users: people, hosts: desks })),
    remove: [],
    actor: 'test',
  });
  await harness.follow();
  /** Whom each passcode was checked for: `-` where nobody has the extension. */
  const verified: string[] = [];
  const passcodes = {
    verify: async (of: { extension: string } | undefined, guess: { passcode: string }) => {
      verified.push(of?.extension ?? '-');
      return of !== undefined && guess.passcode === PASSCODE;
    },
  };
  const hotDesk = new HotDesk({ ...harness, store: harness.store, view: harness.view, passcodes });
  const logIn = (differs: Partial<LogInRequest> = {}) =>
    hotDesk.logIn({ host: 'd1', extension: '1001', passcode: PASSCODE, source: '192.0.2.1', ...differs });
  return { harness, store: harness.store, view: harness.view, verified, hotDesk, logIn };
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
    expect(await steps({ extension: '1777' })).toEqual(await steps({ passcode: '1' }));
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
    expect(reason(await logIn())).toBe('storeUnavailable');
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
    const passcodes = { verify: async () => true };
    const hotDesk = new HotDesk({ ...harness, store: harness.store, view: harness.view, passcodes });
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

describe('logOut', () => {
  test('whoever is there leaves (A2), and is named', async () => {
    const { logIn, hotDesk, view } = await office();
    await logIn();
    expect(await hotDesk.logOut({ host: 'd1' })).toMatchObject({ user: { extension: '1001' } });
    expect(view.associationAt('d1')).toBeUndefined();
    expect(reason(await hotDesk.logOut({ host: 'd1' }))).toBe('nobodyHere');
  });

  test('a lost answer is asked for again; a store that stays away is a refusal', async () => {
    const { logIn, hotDesk, store, harness } = await office();
    await logIn();
    store.loseReplies = 1;
    expect(await hotDesk.logOut({ host: 'd1' })).toMatchObject({ user: { extension: '1001' } });
    harness.disconnect();
    expect(reason(await hotDesk.logOut({ host: 'd1' }))).toBe('storeUnavailable');
  });

  test('a guest who has left the directory is nobody', async () => {
    const { harness, hotDesk } = await office();
    await harness.seat('d1', '1777');
    expect(reason(await hotDesk.logOut({ host: 'd1' }))).toBe('nobodyHere');
    expect(harness.view.associationAt('d1')).toBeUndefined();
  });
});

describe('administrators', () => {
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
