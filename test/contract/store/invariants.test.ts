import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ChangeEvent } from '../../../src/domain/association.ts';
import { createLink, type Link } from '../../../src/store/redis/connection.ts';
import { decodeEvent, decodeFacts, decodeRead, decodeStrings } from '../../../src/store/redis/decode.ts';
import { associationKeys, createKeys, type Keys } from '../../../src/store/redis/keys.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';
import { replay, type State } from './replay.ts';
import { newCompany } from './setup.ts';

const CLIENTS = 8;
const RUNS = 150;

let redis: TestRedis;
let raw: Redis;
const links: Link[] = [];

beforeAll(async () => {
  redis = await startRedis();
  raw = new Redis(redis.path, { protocol: 2 });
  for (let i = 0; i < CLIENTS; i++) {
    const connection = { path: redis.path };
    const link = createLink({
      ...{ connection, node: `n${i}`, clock: { now: Date.now }, commandTimeoutMs: 5000 },
      onProblem: () => undefined,
    });
    await link.open();
    links.push(link);
  }
});
afterAll(async () => {
  for (const link of links) link.close();
  raw.disconnect();
  await redis.stop();
});

const host = fc.constantFrom('h1', 'h2', 'h3', 'h4', 'h5');
const guest = fc.constantFrom('g1', 'g2', 'g3', 'g4', 'g5');
const site = fc.constantFrom('london', 'leeds');
const limitMs = fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 12 }), fc.constant(60_000));

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('associate' as const),
      ...{ host, guest, site, limitMs, twice: fc.boolean() },
      occupied: fc.constantFrom('deny', 'deny', 'takeover'),
      secondDesk: fc.constantFrom('move', 'move', 'deny'),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('end' as const),
      ...{ host, guest, twice: fc.boolean() },
      by: fc.constantFrom('host', 'guest', 'both'),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('claim' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('check' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('pause' as const), ms: fc.integer({ min: 1, max: 5 }) }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;
const programs = fc.array(fc.array(step, { minLength: 3, maxLength: 30 }), {
  minLength: CLIENTS,
  maxLength: CLIENTS,
});

interface Answer {
  readonly step: Step;
  readonly reply: readonly string[];
  /** Highest log position anybody had seen before the call began. */
  readonly floor: number;
}

/** Everything one run of eight programs does and sees. */
function createRun(keys: Keys) {
  const answers: Answer[] = [];
  let seen = 0;

  async function call(link: Link, step: Step, opId: string): Promise<readonly string[]> {
    const floor = seen;
    const reply = decodeStrings(await link.run(toCall(keys, step, opId)))!;
    if (reply[0] === 'new') {
      answers.push({ step, reply, floor });
      seen = Math.max(seen, Number(reply[3]));
    }
    return reply;
  }

  /** I8: the same operation from two connections at once is done once and answered alike. */
  async function twice(link: Link, step: Step): Promise<void> {
    const opId = randomUUID();
    const replies = await Promise.all([link, links[0]!].map((each) => call(each, step, opId)));
    expect(replies.map(([first]) => first).toSorted()).toEqual(['new', 'replay']);
    expect(replies[0]!.slice(2)).toEqual(replies[1]!.slice(2));
  }

  async function perform(link: Link, step: Step): Promise<void> {
    if (step.kind === 'pause') await delay(step.ms);
    else if (step.kind === 'check') await checkState(keys);
    else if (step.kind === 'claim')
      await link.run({ script: 'claimDue', keys: associationKeys(keys), args: [100, 'sweep'] });
    else if (step.twice) await twice(link, step);
    else await call(link, step, randomUUID());
  }

  return { answers, perform };
}

function toCall(keys: Keys, step: Step, opId: string) {
  const core = [...associationKeys(keys), keys.operation(opId)];
  if (step.kind === 'associate') {
    const { host, guest, site, limitMs, occupied, secondDesk } = step;
    return {
      script: 'associate' as const,
      keys: core,
      args: [host, guest, site, limitMs, occupied, secondDesk, `${occupied}-${secondDesk}`, 600_000, 0],
    };
  }
  if (step.kind !== 'end') throw new TypeError(step.kind);
  const [host, guest] = [step.by === 'guest' ? '' : step.host, step.by === 'host' ? '' : step.guest];
  return {
    script: 'end' as const,
    keys: core,
    args: [host, guest, '', 'loggedOut', 'user', 600_000],
  };
}

const PICTURE = `return {redis.call('HGETALL',KEYS[1]),redis.call('HGETALL',KEYS[2]),
  redis.call('ZRANGE',KEYS[3],0,-1,'WITHSCORES'),redis.call('HGETALL',KEYS[4]),redis.call('GET',KEYS[6]) or '0'}`;

const toObject = (flat: readonly string[]) =>
  Object.fromEntries(flat.flatMap((name, i) => (i % 2 === 0 ? [[name, flat[i + 1]!]] : [])));

/** I1–I3 at one moment: both directions, deadlines and counts say the same. */
async function checkState(keys: Keys): Promise<{ state: State; seq: number }> {
  const core = associationKeys(keys);
  const [b, g, dl, sites, seq] = (await raw.eval(PICTURE, core.length, ...core)) as [
    ...[string[], string[], string[], string[]],
    string,
  ];
  const records = Object.entries(toObject(b)).map(([host, json]) => {
    const { g, site, gen, at, dl } = JSON.parse(json);
    return decodeFacts([host, g, site, gen, at, dl])!;
  });
  expect(toObject(g), 'I1').toEqual(Object.fromEntries(records.map((a) => [a.guest, a.host])));
  const finite = records.filter((a) => a.expiresAt !== 'never');
  expect(toObject(dl), 'I2').toEqual(Object.fromEntries(finite.map((a) => [a.host, String(a.expiresAt)])));
  const counts: Record<string, string> = {};
  for (const { site } of records) counts[site] = String(Number(counts[site] ?? 0) + 1);
  expect(toObject(sites), 'I3').toEqual(counts);
  return { state: new Map(records.map((a) => [a.host, a])), seq: Number(seq) };
}

async function readLog(keys: Keys): Promise<ChangeEvent[]> {
  const read = decodeRead(await raw.xread('COUNT', 100_000, 'STREAMS', keys.events, '0'))!;
  return (read.get(keys.events) ?? []).map(({ fields }) => decodeEvent(fields)!);
}

/** L: a reply is true at its log position, and later than what was known before the call. */
function checkAnswer(
  { step, reply, floor }: Answer,
  log: readonly ChangeEvent[],
  states: readonly State[],
): void {
  const [, now, outcome, position] = reply;
  const seq = Number(position);
  expect(seq, 'real-time order').toBeGreaterThanOrEqual(floor);
  if (step.kind !== 'associate' && step.kind !== 'end') return;
  const facts = decodeFacts(reply.slice(4, 10));
  if (facts && outcome !== 'ended') {
    expect(
      facts.expiresAt === 'never' || facts.expiresAt > Number(now),
      'I7: nothing past its deadline',
    ).toBe(true);
  }
  const state = states[seq]!;
  const there = state.get(step.host);
  const where = [...state.values()].find((a) => a.guest === step.guest);
  switch (outcome) {
    case 'associated': {
      expect(log[seq - 1], 'the reply is its start').toMatchObject({ kind: 'start', association: facts });
      expect(facts, 'as asked').toMatchObject({ host: step.host, guest: step.guest });
      const limit = step.kind === 'associate' && step.limitMs;
      expect(facts!.expiresAt).toBe(limit === 0 ? 'never' : facts!.startedAt + Number(limit));
      return;
    }
    case 'occupied':
      expect(step).toMatchObject({ occupied: 'deny' });
      expect(there).toEqual(facts);
      return expect(there?.guest).not.toBe(step.guest);
    case 'elsewhere':
      expect(step).toMatchObject({ secondDesk: 'deny' });
      expect(where).toEqual(facts);
      return expect(where?.host).not.toBe(step.host);
    case 'alreadyHere':
      expect(there).toEqual(facts);
      return expect(there?.guest).toBe(step.guest);
    case 'ended':
      return expect(log[seq - 1]).toMatchObject({ kind: 'end', reason: 'loggedOut', association: facts });
    case 'notYours':
      expect(there).toBeDefined();
      return expect(there?.guest).not.toBe(step.guest);
    case 'none':
      return expect(step.kind === 'end' && step.by === 'guest' ? where : there).toBeUndefined();
    default:
      throw new Error(`unknown outcome ${outcome}`);
  }
}

/** Policy `deny` never threw a guest out, and never moved one. */
function checkPolicies(log: readonly ChangeEvent[]): void {
  for (const event of log) {
    if (event.kind !== 'end') continue;
    if (event.reason === 'takenOver') expect(event.actor).toMatch(/^takeover-/);
    if (event.reason === 'moved') expect(event.actor).toMatch(/-move$/);
  }
}

it('I1–I8 and linearisability hold for eight clients at once', { timeout: 120_000 }, async () => {
  const kinds = new Map<string, number>();
  await fc.assert(
    fc.asyncProperty(programs, async (list) => {
      const keys = createKeys(newCompany());
      const run = createRun(keys);
      await Promise.all(
        list.map(async (program, i) => {
          for (const each of program) await run.perform(links[i]!, each);
        }),
      );
      await delay(13);
      await links[0]!.run({ script: 'claimDue', keys: associationKeys(keys), args: [100, 'sweep'] });
      const { state, seq } = await checkState(keys);
      const log = await readLog(keys);
      const states = replay(log);
      expect(seq, 'I4: every change is in the log').toBe(log.length);
      expect(states.at(-1), 'I4: the log gives the state').toEqual(state);
      const overdue = [...state.values()].filter(
        (a) => a.expiresAt !== 'never' && a.expiresAt < Date.now() - 5,
      );
      expect(overdue, 'I7: nothing overdue stays after a claim').toEqual([]);
      checkPolicies(log);
      for (const answer of run.answers) {
        checkAnswer(answer, log, states);
        kinds.set(answer.reply[2]!, (kinds.get(answer.reply[2]!) ?? 0) + 1);
      }
    }),
    { numRuns: RUNS },
  );
  // The property is worth something only if every outcome occurred.
  const all = ['alreadyHere', 'associated', 'elsewhere', 'ended', 'none', 'notYours', 'occupied'];
  expect([...kinds.keys()].toSorted()).toEqual(all);
});
