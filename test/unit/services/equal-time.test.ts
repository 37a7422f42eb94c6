import { describe, expect, test } from 'vitest';
import { HotDesk } from '../../../src/services/hot-desk.ts';
import { Passcodes } from '../../../src/services/passcodes.ts';
import type { GuessReply } from '../../../src/store/store.ts';
import { directory, host, user, viewOf } from '../domain/example.ts';
import { PEPPER, TestLog } from './harness.ts';

/**
 * Nobody learns from the time an answer takes whether an extension exists: real argon2, many interleaved logins,
 * compared by Welch's t (|t| < 4.5, as for side channels in general). The control takes away what makes them equal.
 */

const SAMPLES = 72;
/** The slowest of each case tell of the machine and its other work. */
const LEFT_OUT = 12;
const LIMIT = 4.5;
/** A busy machine may disturb one comparison, hardly three in a row; a true difference fails them all. */
const ATTEMPTS = 3;

const passcodes = new Passcodes({ keyId: 'p1', pepper: PEPPER });

/** What the counters say of a guess, by its source. */
const REPLIES: Readonly<Record<string, GuessReply>> = {
  'slow-host': { outcome: 'wait', waitMs: 1000, counter: 'host' },
  'slow-source': { outcome: 'wait', waitMs: 1000, counter: 'source' },
};

const CASES = {
  'a wrong PIN': { extension: '1001', source: 'x' },
  'an unknown extension': { extension: '1777', source: 'x' },
  'no PIN set': { extension: '1002', source: 'x' },
  'one given out, wrong': { extension: '1003', source: 'x' },
  'a host that has to wait': { extension: '1001', source: 'slow-host' },
  'a source that has to wait': { extension: '1001', source: 'slow-source' },
} as const;
type Case = keyof typeof CASES;
const NAMES = Object.keys(CASES) as Case[];

async function desk(verify: Pick<Passcodes, 'verify'>['verify']): Promise<HotDesk> {
  const passcodeHash = await passcodes.hash('acme', '1001', '583914');
  const users = [
    user('1001', { passcodeHash }),
    user('1002', { passcodeHash: undefined }),
    user('1003', { passcodeHash, passcodeOneTime: true }),
  ];
  return new HotDesk({
    store: {
      reserveGuess: async ({ source }) => REPLIES[source] ?? { outcome: 'reserved' },
      confirmGuess: () => Promise.reject(new Error('no PIN of these is right')),
      associate: () => Promise.reject(new Error('no PIN of these is right')),
      end: () => Promise.reject(new Error('nobody logs out')),
    },
    view: viewOf({ directory: directory({ users, hosts: [host('d1')] }) }),
    passcodes: { verify, blind: (company, typed) => passcodes.blind(company, typed) },
    pendingEnds: { add: () => false },
    passcodeService: { renew: () => undefined, replace: () => Promise.reject(new Error('no PIN is right')) },
    random: { uuid: () => 'op' },
    log: new TestLog(),
    storeNow: () => 0,
  });
}

type Times = Record<Case, number[]>;

/** Each case once per round, in another order each time, so that whatever disturbs one disturbs all. */
async function measure(hotDesk: HotDesk, names: readonly Case[]): Promise<Times> {
  const times = Object.fromEntries(NAMES.map((name) => [name, [] as number[]])) as Times;
  for (let round = -2; round < SAMPLES; round++) {
    for (let turn = 0; turn < names.length; turn++) {
      const name = names[(turn * 5 + round + names.length) % names.length] as Case;
      const before = process.hrtime.bigint();
      const result = await hotDesk.logIn({ host: 'd1', passcode: '583915', ...CASES[name] });
      const ms = Number(process.hrtime.bigint() - before) / 1e6;
      expect(result).toMatchObject({ refused: 'badCredentials' });
      // The first rounds warm up.
      if (round >= 0) times[name].push(ms);
    }
  }
  return times;
}

function welch(a: readonly number[], b: readonly number[]): number {
  const [x, y] = [moments(quickest(a)), moments(quickest(b))];
  return (x.mean - y.mean) / Math.sqrt((x.variance + y.variance) / (SAMPLES - LEFT_OUT));
}

function quickest(values: readonly number[]): number[] {
  return values.toSorted((a, b) => a - b).slice(0, SAMPLES - LEFT_OUT);
}

function moments(values: readonly number[]): { mean: number; variance: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, variance: squares / (values.length - 1) };
}

describe('the time of a refusal', () => {
  test('is the same for each reason nobody may know', { timeout: 120_000 }, async () => {
    const hotDesk = await desk((who, attempt) => passcodes.verify(who, attempt));
    let apart: string[] = [];
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const times = await measure(hotDesk, NAMES);
      apart = NAMES.flatMap((name) => {
        const t = welch(times['a wrong PIN'], times[name]);
        return Math.abs(t) < LIMIT ? [] : [`${name}: t = ${t.toFixed(1)}`];
      });
      if (apart.length === 0) return;
    }
    expect(apart).toEqual([]);
  });

  test('control: without the hash of nobody the difference is plain', { timeout: 60_000 }, async () => {
    const lazy = await desk(async (who, attempt) =>
      who?.passcodeHash === undefined ? false : passcodes.verify(who, attempt),
    );
    const times = await measure(lazy, ['a wrong PIN', 'an unknown extension', 'no PIN set']);
    expect(welch(times['a wrong PIN'], times['an unknown extension'])).toBeGreaterThan(2 * LIMIT);
    expect(welch(times['a wrong PIN'], times['no PIN set'])).toBeGreaterThan(2 * LIMIT);
  });
});
