import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensurePackages } from '../src/os-packages.ts';
import { PEOPLE, PHONES } from '../test/support/demo.ts';
import { DOMAIN, type Hotdesk, type HotdeskOptions, startHotdesk } from '../test/support/hotdesk.ts';
import { CASES, type Case, type Stage } from './cases.ts';
import { dtmfRecording } from './dtmf-recording.ts';
import { runSipp } from './sipp.ts';

/**
 * `npm run scenarios [WORD…]`: SIPp as the phones, against Hotdesks on loopback with the demo's data. They wait more
 * than they work, so several run beside each other, each with a Hotdesk and ports of its own.
 */

const { first } = PEOPLE;
/** Where emergency services are, by an address of its own as trunks are known by theirs. */
const PSAP = { host: '127.0.0.4', port: 25_080, mediaPort: 16_584 } as const;
const ORDINARY_LANES = 3;
/** What each lane adds to the ports of the one before. */
const LANE_STEP = 200;

interface Lane {
  readonly options: HotdeskOptions;
  /** Lanes with the same queue share its work. */
  readonly queue: Case[];
}

interface Outcome {
  readonly passed: number;
  readonly failed: number;
}

/** Runs one case; undefined when all went well, else the first thing that did not. */
async function runCase(stage: Stage, one: Case): Promise<string | undefined> {
  const { file, dial, protocol, among, phone = PHONES.reception } = one;
  try {
    await one.before?.(stage);
    const beside = one.beside?.(stage);
    // Often why: it waits for SIPp, and SIPp for it.
    const meanwhile: string[] = [];
    beside?.catch((error) => void meanwhile.push(`meanwhile: ${wordOf(error)}`));
    const options = {
      ...(dial === undefined ? {} : { dial }),
      ...(protocol === undefined ? {} : { protocol }),
    };
    const problem = await stage.sipp({ file, phone, ...options }, among === 'psap' ? 'psap' : 'caller');
    if (problem !== undefined) return [problem, ...meanwhile].join('\n');
    await beside;
    await one.after?.(stage);
    return undefined;
  } catch (error) {
    return wordOf(error);
  }
}

function wordOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function makeStage(hotdesk: Hotdesk, { folder, step }: { folder: string; step: number }): Stage {
  const at = {
    caller: { port: 25_060 + step, mediaPort: 16_384 + step },
    called: { port: 25_070 + step, mediaPort: 16_484 + step },
    psap: PSAP,
  };
  return {
    hotdesk,
    sipp: (run, as = 'caller') =>
      runSipp({
        phone: PHONES.reception,
        server: hotdesk.sip[run.protocol ?? 'udp'],
        domain: DOMAIN,
        folder,
        ...at[as],
        ...run,
      }),
  };
}

/** What SIPp reads and writes, apart for each lane. */
async function makeFolder(parent: string, name: string): Promise<string> {
  const folder = join(parent, name);
  await mkdir(folder);
  const keys = `${first.extension}#${first.pin}#`;
  const recording = dtmfRecording({ keys, payloadType: 127, on: 50, gap: 50 });
  await writeFile(join(folder, 'burst-127.pcap'), recording);
  return folder;
}

/** The lanes that have something to do. */
function lanesOf(chosen: readonly Case[]): Lane[] {
  // SIPp plays one call per scenario: a NOTIFY between them would be another.
  const settings = { sip: { nonceLifetime: 5 }, phones: { update: 'none' as const } };
  const psap = { uri: `sip:${PSAP.host}:${PSAP.port};transport=udp`, emergencyCalls: { pidfLo: true } };
  const queue = (among: Case['among']): Case[] => chosen.filter((one) => one.among === among);
  const ordinary = queue(undefined);
  const lanes: Lane[] = [
    ...Array.from({ length: Math.min(ORDINARY_LANES, ordinary.length) }, () => ({
      options: { settings },
      queue: ordinary,
    })),
    { options: { settings, trunkSettings: { emergency: psap } }, queue: queue('psap') },
    { options: { settings }, queue: queue('lamps') },
  ];
  return lanes.filter(({ queue: work }) => work.length > 0);
}

/** As tests of whole processes (see vitest.config): a CI machine's other work may have come in the way once. */
const TRIES = process.env.CI ? 2 : 1;

/** True when it went well, if need be at the second try, which is said. */
async function tryCase(stage: Stage, one: Case): Promise<boolean> {
  for (let attempt = 1; ; attempt++) {
    const startedAt = Date.now();
    const problem = await runCase(stage, one);
    await stage.hotdesk.tidy();
    const seconds = ((Date.now() - startedAt) / 1000).toFixed(1);
    const name = `${one.title} (${one.file}.xml, ${seconds} s)`;
    if (problem === undefined) {
      console.log(`${attempt === 1 ? 'ok    ' : 'SECOND TRY'} ${name}`);
      return true;
    }
    console.log(`${attempt < TRIES ? 'again ' : 'FAILED'} ${name}`);
    console.log(problem.replace(/^/gm, '       '));
    if (attempt === TRIES) return false;
  }
}

/** One after the other on a Hotdesk of its own. */
async function runLane({ options, queue }: Lane, at: { folder: string; step: number }): Promise<Outcome> {
  const outcome = { passed: 0, failed: 0 };
  const hotdesk = await startHotdesk(options);
  try {
    const stage = makeStage(hotdesk, at);
    for (let one = queue.shift(); one !== undefined; one = queue.shift()) {
      outcome[(await tryCase(stage, one)) ? 'passed' : 'failed']++;
    }
    return outcome;
  } finally {
    await hotdesk.stop();
  }
}

async function main(words: readonly string[]): Promise<number> {
  const missing = await ensurePackages(
    [
      { binary: 'redis-server', package: 'redis-server' },
      { binary: 'sipp', package: 'sip-tester' },
    ],
    console.log,
  );
  if (missing !== undefined) {
    console.error(missing);
    return 1;
  }
  const parent = await mkdtemp(join(tmpdir(), 'hotdesk-sipp-'));
  const chosen = CASES.filter(
    ({ file, title }) => words.length === 0 || words.some((word) => `${file} ${title}`.includes(word)),
  );
  const outcomes = await Promise.all(
    lanesOf(chosen).map(async (lane, index) =>
      runLane(lane, { folder: await makeFolder(parent, `lane-${index}`), step: index * LANE_STEP }),
    ),
  );
  await rm(parent, { recursive: true, force: true });
  const passed = outcomes.reduce((sum, one) => sum + one.passed, 0);
  console.log(`${passed} passed, ${chosen.length - passed} failed`);
  return chosen.length - passed;
}

process.exit((await main(process.argv.slice(2))) === 0 ? 0 : 1);
