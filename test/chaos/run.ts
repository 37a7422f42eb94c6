import { randomInt } from 'node:crypto';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { eventually } from '../support/wait.ts';
import { createChance } from './chance.ts';
import type { Evidence } from './evidence.ts';
import { startLoad } from './load.ts';
import { type Faults, unleash } from './nemesis.ts';
import { CONTROLS, type Control } from './redis.ts';
import { figures, lines } from './report.ts';
import { settle } from './settle.ts';
import { judge } from './verdict.ts';
import { startWorld, type World } from './world.ts';

/**
 * `npm run test:chaos [seconds]`: four nodes at work while nodes and Redis are killed with -9 and connections cut, all
 * at once; then it is checked that nothing acknowledged was lost, missed, doubled or shown wrongly. `HOTDESK_SEED`
 * repeats the same orders and faults, though not the same timing. `--control no-appendonly` and `--control power-loss`
 * run on a Redis that loses what it acknowledged: they must fail.
 */

interface Options {
  readonly seconds: number;
  readonly seed: number;
  readonly control: Control;
}

/** A minute of it breaks at least so much; shorter or longer ones in proportion. */
const A_MINUTE: Readonly<Faults> = { nodeKills: 66, redisKills: 9, cuts: 30, delays: 20 };
const SETTLE_MS = 75_000;
/** Starting, reading and judging. */
const REST_MS = 90_000;

function readOptions(): Options {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { control: { type: 'string', default: 'none' } },
  });
  const seconds = Number(positionals[0] ?? process.env.HOTDESK_CHAOS_SECONDS ?? 60);
  const seed = Number(process.env.HOTDESK_SEED ?? randomInt(2 ** 31));
  const control = CONTROLS.find((name) => name === values.control);
  if (!(seconds >= 1 && seconds <= 3_600) || !Number.isInteger(seed) || control === undefined) {
    throw new TypeError(
      `usage: run.ts [seconds] [--control ${CONTROLS.join('|')}], HOTDESK_SEED a whole number`,
    );
  }
  return { seconds, seed, control };
}

function planFor(seconds: number): Faults {
  const share = (count: number) => Math.max(1, Math.round((count * seconds) / 60));
  const { nodeKills, redisKills, cuts, delays } = A_MINUTE;
  return {
    ...{ nodeKills: share(nodeKills), redisKills: share(redisKills) },
    ...{ cuts: share(cuts), delays: share(delays) },
  };
}

async function storm(world: World, { seconds, seed }: Options): Promise<Evidence> {
  const { fleet, redis, proxies, store, receiver, phones } = world;
  const chance = (purpose: string) => createChance(seed, purpose);
  const plan = planFor(seconds);
  const { seq: firstSeq } = await store.snapshot();
  const load = startLoad(fleet, chance('load'));
  const faults = await unleash({ fleet, redis, proxies, chance, plan, durationMs: seconds * 1_000 });
  receiver.calm();
  await load.stop();
  await eventually(
    'all nodes and Redis are back',
    () => fleet.ready.length === proxies.length && store.available,
    20_000,
  );
  const sight = await settle(world, SETTLE_MS);
  return {
    ...{
      seconds,
      plan,
      faults,
      outages: world.pulse.outages,
      absences: redis.absences,
      deeds: load.deeds,
      firstSeq,
    },
    ...{ lives: fleet.lives, crashes: fleet.crashes, errors: fleet.errors },
    ...{ duplicates: receiver.duplicates, offences: receiver.offences },
    ...{ faceUpdates: phones.updates, staleFaces: phones.stale },
    ...sight,
  };
}

/** What is needed to understand a failure, in a folder that stays. */
async function keep(evidence: Evidence, nodeLog: readonly string[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'hd-chaos-evidence-'));
  const { log, deeds, ...rest } = evidence;
  const perLine = (all: readonly unknown[]) => all.map((each) => `${JSON.stringify(each)}\n`).join('');
  await Promise.all([
    writeFile(join(folder, 'log.jsonl'), perLine(log)),
    writeFile(join(folder, 'deeds.jsonl'), perLine(deeds)),
    writeFile(join(folder, 'nodes.log'), nodeLog.map((line) => `${line}\n`).join('')),
    writeFile(
      join(folder, 'rest.json'),
      JSON.stringify({ ...rest, faces: [...rest.faces], deliveries: undefined }),
    ),
  ]);
  return folder;
}

async function main(options: Options): Promise<number> {
  const { seconds, seed, control } = options;
  const doing = control === 'none' ? '' : `, control ${control}: must fail`;
  console.log(`chaos: ${seconds} s, seed ${seed} (HOTDESK_SEED=${seed} repeats it)${doing}`);
  const world = await startWorld(control, (purpose) => createChance(seed, purpose));
  try {
    const evidence = await storm(world, options);
    const checks = judge(evidence);
    const failed = checks.filter(({ offenders }) => offenders.length > 0).length;
    console.log(`${figures(evidence)}\n\n${lines(checks)}`);
    if (failed > 0) console.log(`evidence: ${await keep(evidence, world.fleet.log)}`);
    console.log(`${checks.length - failed} passed, ${failed} failed`);
    return failed === 0 ? 0 : 1;
  } finally {
    await world.stop();
  }
}

const options = readOptions();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
setTimeout(
  () => {
    console.error('chaos: not over in time\n0 passed, 1 failed');
    process.exit(1);
  },
  options.seconds * 1_500 + SETTLE_MS + REST_MS,
).unref();
process.exit(
  await main(options).catch((error: unknown) => {
    console.error(error, '\n0 passed, 1 failed');
    return 1;
  }),
);
