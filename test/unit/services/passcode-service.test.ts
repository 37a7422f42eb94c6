import { randomInt } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import { passcodeProblems } from '../../../src/domain/passcode.ts';
import { allEntries, toStored } from '../../../src/services/directory-document.ts';
import { DirectoryService } from '../../../src/services/directory-service.ts';
import { PasscodeService } from '../../../src/services/passcode-service.ts';
import { StoreUnavailable } from '../../../src/store/store.ts';
import { directory, user } from '../domain/example.ts';
import { FakePasscodes, fakeHash } from './fake-passcodes.ts';
import { Harness } from './harness.ts';

const ACTOR = 'admin:kim';
const length = { min: 6, max: 8 };

let harness: Harness;
let passcodes: FakePasscodes;
let service: PasscodeService;
let draws: (limit: number) => number;

beforeEach(async () => {
  harness = new Harness();
  passcodes = new FakePasscodes();
  draws = randomInt;
  const people = [
    user('1001', { passcodeHash: fakeHash('583914') }),
    user('1002', { passcodeHash: undefined }),
  ];
  const company = directory({ company: { passcodeLength: length }, users: people, hosts: [] });
  const put = toStored(allEntries(company));
  await harness.store.writeDirectory({ put, remove: [], actor: 'test' });
  await harness.follow();
  const { store, view } = harness;
  const deps = { ...harness, store, view, passcodes };
  service = new PasscodeService({
    ...deps,
    directory: new DirectoryService({ ...deps, company: 'acme', realm: 'test' }),
    randomInt: (limit) => draws(limit),
  });
  store.calls.length = 0;
});

function stored(extension: string) {
  return harness.view.directory?.users.get(extension);
}

function notices(): string[] {
  return harness.store.log.flatMap((event) =>
    event.kind === 'notice' ? [`${event.notice} ${event.extension} by ${event.actor}`] : [],
  );
}

async function lockOut(extension: string): Promise<void> {
  const key = { extension, host: 'd1', source: 'x', known: true };
  for (let reserved = 0; reserved < 20; ) {
    const guess = { ...key, host: `d${reserved}`, source: `s${reserved}` };
    const reply = await harness.store.reserveGuess(guess);
    if (reply.outcome === 'reserved') reserved++;
    if (reply.outcome === 'wait') harness.now += reply.waitMs;
  }
  expect(await harness.store.reserveGuess(key)).toEqual({ outcome: 'locked' });
}

describe('set', () => {
  test('keeps the hash alone, tells, and lifts a lock-out', async () => {
    await lockOut('1002');
    expect(await service.set('1002', '204863', ACTOR)).toBe('done');
    expect(stored('1002')).toMatchObject({ passcodeHash: fakeHash('204863'), passcodeOneTime: false });
    expect(passcodes.hashed).toEqual(['acme 1002']);
    expect(notices()).toContain('passcodeSet 1002 by admin:kim');
    const key = { extension: '1002', host: 'new', source: 'new', known: true };
    expect(await harness.store.reserveGuess(key)).toEqual({ outcome: 'reserved' });
  });

  test('not before it is set: guesses at the old one get no new budget', async () => {
    await service.set('1001', '204863', ACTOR);
    expect(harness.store.calls).toEqual(['writeDirectory', 'clearGuesses']);
  });

  test('names every rule that is broken, hashes nothing, changes nothing', async () => {
    expect(await service.set('1001', '12345', ACTOR)).toEqual({
      refused: 'passcodeTooSimple',
      problems: ['tooShort', 'ascending'],
    });
    expect(await service.set('1001', '583914267', ACTOR)).toMatchObject({ problems: ['tooLong'] });
    expect([passcodes.hashed, harness.store.calls]).toEqual([[], []]);
  });

  test('nobody, and the store away', async () => {
    expect(await service.set('1777', '204863', ACTOR)).toEqual({ refused: 'unknownUser' });
    harness.disconnect();
    expect(await service.set('1001', '204863', ACTOR)).toMatchObject({ refused: 'storeUnavailable' });
    expect(stored('1001')?.passcodeHash).toBe(fakeHash('583914'));
  });

  test('the store goes away in between: refused, to be done again', async () => {
    harness.store.clearGuesses = () => Promise.reject(new StoreUnavailable('gone'));
    expect(await service.set('1001', '204863', ACTOR)).toMatchObject({ refused: 'storeUnavailable' });
  });
});

describe('giveOneTime', () => {
  test('a random passcode by the rules, to be replaced', async () => {
    const result = await service.giveOneTime('1001', ACTOR);
    const { passcode } = result as { passcode: string };
    expect(passcodeProblems(passcode, { extension: '1001', length: { min: 6, max: 6 } })).toEqual([]);
    expect(stored('1001')).toMatchObject({ passcodeHash: fakeHash(passcode), passcodeOneTime: true });
    expect(notices()).toContain('passcodeSet 1001 by admin:kim');
    expect(harness.store.calls).toEqual(['writeDirectory', 'clearGuesses']);
  });

  test('what breaks a rule is drawn again', async () => {
    const digits = [...'123456', ...'777777', ...'100199', ...'204863'].map(Number);
    draws = () => digits.shift() ?? 0;
    expect(await service.giveOneTime('1001', ACTOR)).toEqual({ passcode: '204863' });
  });

  test('every digit of ten, no other', async () => {
    const limits = new Set<number>();
    draws = (limit) => {
      limits.add(limit);
      return randomInt(limit);
    };
    await service.giveOneTime('1001', ACTOR);
    expect([...limits]).toEqual([10]);
  });

  test('chance that is none is an error, not an endless loop', async () => {
    draws = () => 7;
    await expect(service.giveOneTime('1001', ACTOR)).rejects.toThrow('not random');
  });

  test('nobody, and the store away: no passcode is told', async () => {
    expect(await service.giveOneTime('1777', ACTOR)).toEqual({ refused: 'unknownUser' });
    harness.disconnect();
    expect(await service.giveOneTime('1001', ACTOR)).toMatchObject({ refused: 'storeUnavailable' });
  });
});

describe('unlock', () => {
  test('names who did it', async () => {
    await lockOut('1001');
    expect(await service.unlock('1001', ACTOR)).toBe('done');
    expect(notices()).toContain('unlocked 1001 by admin:kim');
    expect(await service.unlock('1777', ACTOR)).toEqual({ refused: 'unknownUser' });
    harness.disconnect();
    expect(await service.unlock('1001', ACTOR)).toMatchObject({ refused: 'storeUnavailable' });
  });
});

test('no digits in any log line', async () => {
  await service.set('1001', '204863', ACTOR);
  await service.set('1001', '123456', ACTOR);
  const given = (await service.giveOneTime('1002', ACTOR)) as { passcode: string };
  const written = JSON.stringify(harness.log.lines);
  expect(written).toContain('passcode set');
  for (const digits of ['204863', '123456', given.passcode]) expect(written).not.toContain(digits);
});
