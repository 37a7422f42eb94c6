import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ChangeEvent } from '../../../src/domain/association.ts';
import { type Connection, createLink, type Link } from '../../../src/store/redis/connection.ts';
import { decodeEvent, decodeRead, decodeRecord } from '../../../src/store/redis/decode.ts';
import { associationKeys, createKeys, type Keys } from '../../../src/store/redis/keys.ts';
import { createClusterLocator, type Locator } from '../../../src/store/redis/topology.ts';
import { startRedis } from '../../support/redis.ts';
import { startCluster } from '../../support/redis-cluster.ts';
import { checkPolicies, justify } from './justify.ts';
import { CLIENTS, createRun, programs } from './programs.ts';
import { replay, type State } from './replay.ts';
import { newCompany } from './setup.ts';

const SEED = Number(process.env.HOTDESK_SEED ?? Math.floor(Math.random() * 2 ** 31));
/** Runs on the single Redis and on the cluster. */
const [SINGLE_RUNS, CLUSTER_RUNS] = (process.env.HOTDESK_RUNS ?? '800,250').split(',').map(Number);

/** One Redis that holds companies: eight connections of the store, and one to look at what is stored. */
interface Holder {
  readonly links: readonly Link[];
  readonly raw: Redis;
}

interface Target {
  /** Who holds the company with these keys. */
  holderOf(keys: Keys): Promise<Holder>;
  stop(): Promise<void>;
}

const targets: Partial<Record<'single' | 'cluster', Target>> = {};

beforeAll(async () => {
  targets.single = await singleTarget();
  if (CLUSTER_RUNS! > 0) targets.cluster = await clusterTarget();
}, 60_000);
afterAll(async () => {
  for (const target of Object.values(targets)) await target.stop();
});

async function singleTarget(): Promise<Target> {
  const redis = await startRedis();
  const holder = await hold({ path: redis.path }, new Redis(redis.path, { protocol: 2 }));
  return {
    holderOf: async () => holder,
    async stop() {
      release(holder);
      await redis.stop();
    },
  };
}

/** The connections are the store's own, which find the master of a slot; they are shared by the companies it has. */
async function clusterTarget(): Promise<Target> {
  const cluster = await startCluster();
  const holders = new Map<number, Holder>();
  const locators: Locator[] = [];
  return {
    async holderOf(keys) {
      const { port } = await cluster.ownerOf(keys.records);
      const known = holders.get(port);
      if (known !== undefined) return known;
      const locator = createClusterLocator({ addresses: cluster.addresses.slice(0, 1) }, keys.records);
      locators.push(locator);
      const holder = await hold({ locator }, new Redis(port, '127.0.0.1', { protocol: 2 }));
      holders.set(port, holder);
      return holder;
    },
    async stop() {
      for (const holder of holders.values()) release(holder);
      for (const locator of locators) locator.close();
      await cluster.stop();
    },
  };
}

async function hold(connection: Connection, raw: Redis): Promise<Holder> {
  const links = Array.from({ length: CLIENTS }, (_, i) =>
    createLink({
      ...{ connection, node: `n${i}`, clock: { now: Date.now }, commandTimeoutMs: 5000 },
      onProblem: () => undefined,
    }),
  );
  await Promise.all(links.map((link) => link.open()));
  return { links, raw };
}

function release({ links, raw }: Holder): void {
  for (const link of links) link.close();
  raw.disconnect();
}

const PICTURE = `return {redis.call('HGETALL',KEYS[1]),redis.call('HGETALL',KEYS[2]),
  redis.call('ZRANGE',KEYS[3],0,-1,'WITHSCORES'),redis.call('HGETALL',KEYS[4]),redis.call('GET',KEYS[6]) or '0'}`;

const toObject = (flat: readonly string[]) =>
  Object.fromEntries(flat.flatMap((name, i) => (i % 2 === 0 ? [[name, flat[i + 1]!]] : [])));

/** I1–I3 at one moment: both directions, deadlines and counts say the same. */
async function checkState(raw: Redis, keys: Keys): Promise<{ state: State; seq: number }> {
  const core = associationKeys(keys);
  const [b, g, dl, sites, seq] = (await raw.eval(PICTURE, core.length, ...core)) as [
    ...[string[], string[], string[], string[]],
    string,
  ];
  const records = Object.entries(toObject(b)).map(([host, json]) => decodeRecord(host, json)!);
  expect(toObject(g), 'I1').toEqual(Object.fromEntries(records.map((a) => [a.guest, a.host])));
  const finite = records.filter((a) => a.expiresAt !== 'never');
  expect(toObject(dl), 'I2').toEqual(Object.fromEntries(finite.map((a) => [a.host, String(a.expiresAt)])));
  const counts: Record<string, string> = {};
  for (const { site } of records) counts[site] = String(Number(counts[site] ?? 0) + 1);
  expect(toObject(sites), 'I3').toEqual(counts);
  return { state: new Map(records.map((a) => [a.host, a])), seq: Number(seq) };
}

/** The log, and that its index by host and by guest names each entry and nothing else. */
async function readLog(raw: Redis, keys: Keys): Promise<ChangeEvent[]> {
  const read = decodeRead(await raw.xread('COUNT', 100_000, 'STREAMS', keys.events, '0'))!;
  const entries = read.get(keys.events) ?? [];
  const index = entries.flatMap(({ id, fields: { host, guest } }) => [
    `h\0${host}\0${id}`,
    `g\0${guest}\0${id}`,
  ]);
  expect((await raw.zrange(keys.history, 0, '-1')).toSorted(), 'the index').toEqual(index.toSorted());
  return entries.map(({ fields }) => decodeEvent(fields)!);
}

/** One run of eight programs at once on a new company; what it answered, counted into `outcomes`. */
async function runPrograms(
  target: Target,
  list: typeof programs extends fc.Arbitrary<infer P> ? P : never,
  outcomes: Set<string>,
): Promise<void> {
  const keys = createKeys(newCompany());
  const { links, raw } = await target.holderOf(keys);
  const run = createRun({ keys, other: links[0]!, check: () => checkState(raw, keys) });
  await Promise.all(
    list.map(async (program, i) => {
      for (const each of program) await run.perform(links[i]!, each);
    }),
  );
  await delay(13);
  await links[0]!.run({ script: 'claimDue', keys: associationKeys(keys), args: [100, 'sweep'] });
  const { state, seq } = await checkState(raw, keys);
  const log = await readLog(raw, keys);
  const states = replay(log);
  expect(seq, 'I4: every change is in the log').toBe(log.length);
  expect(states.at(-1), 'I4: the log gives the state').toEqual(state);
  const overdue = [...state.values()].filter((a) => a.expiresAt !== 'never' && a.expiresAt < Date.now() - 5);
  expect(overdue, 'I7: nothing overdue stays after a claim').toEqual([]);
  expect(run.unequal, 'I8: an operation is done once').toEqual([]);
  for (const reply of run.late)
    expect(reply, 'nothing is done too late').toEqual(['late', expect.any(String)]);
  checkPolicies(log);
  for (const answer of run.answers) {
    justify(answer, { log, states });
    outcomes.add(answer.step.kind === 'extend' ? answer.reply[0]! : answer.reply[2]!);
  }
}

const ALL_OUTCOMES = [
  ...['alreadyHere', 'associated', 'elsewhere', 'ended', 'extended', 'gone'],
  ...['none', 'notYours', 'occupied', 'stale', 'unchanged'],
];

const cases = [
  ['single', SINGLE_RUNS!],
  ['cluster', CLUSTER_RUNS!],
] as const;

/** Runs wait more than they work, so some companies are tried at the same time. */
const LANES = 4;

describe.concurrent(`eight clients at once (HOTDESK_SEED=${SEED})`, { timeout: 180_000 }, () => {
  it.each(cases.filter(([, runs]) => runs > 0))(
    'I1–I8 and linearisability hold on the %s, %i runs',
    async (name, runs) => {
      const outcomes = new Set<string>();
      const property = fc.asyncProperty(programs, (list) => runPrograms(targets[name]!, list, outcomes));
      const lanes = Array.from({ length: LANES }, (_, i) =>
        // What happens at the same moment does not happen again in the same way: there is nothing to shrink by.
        fc.assert(property, { numRuns: Math.ceil(runs / LANES), seed: SEED + i, endOnFailure: true }),
      );
      await Promise.all(lanes);
      // The property is worth something only if every outcome occurred.
      expect([...outcomes].toSorted()).toEqual(ALL_OUTCOMES);
    },
  );
});
