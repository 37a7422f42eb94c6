import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { registerAt } from '../bench/phones.ts';
import { percentile } from '../bench/process.ts';
import { Caller, type Dialled, type Placed, Psap, shownTo, UK_FORMS } from '../support/emergency-load.ts';
import { startTcpRedis, type TcpRedis } from '../support/tcp-redis.ts';

/**
 * `npm run test:emergency -- [calls per state] [state …]`: emergency calls while something is badly wrong. Every call must
 * reach the PSAP, with the desk's callback number wherever the desk can be known, and be answered.
 */
const [count = '1000', ...only] = process.argv.slice(2);
const CALLS = Number(count);
/** Calls at once, and ms between two. */
const EVERY_MS = 20;
/** About ten times what one node carries. */
const FLOOD_PER_SECOND = Number(process.env.HOTDESK_FLOOD ?? '10000');
/** ms from INVITE to INVITE at the 99th percentile; of fewer calls there is none. */
const LIMIT_MS = 250;
const CALLS_FOR_A_PERCENTILE = 100;

const DESKS = [
  { host: 'cp0004f2000001', callback: '+442079460111' },
  { host: 'cp0004f2000002', callback: '+442079460112' },
  { host: 'cp0004f2000003', callback: '+441134960113' },
] as const;

interface Stage {
  readonly redis: TcpRedis;
  readonly psap: Psap;
  readonly folder: string;
  node: ServedNode;
  /** Restarts the node on its data, or on none. */
  restart(how: { readonly redisUrl?: string; readonly folder?: string }): Promise<void>;
}

interface FaultState {
  readonly name: string;
  /** What is wrong; resolves with how to mend it. */
  arrange(stage: Stage): Promise<() => unknown>;
  /** Whether the desk is known, and so its number. */
  readonly knowsDesks: boolean;
  readonly unknownPhone?: boolean;
}

const nothing = (): void => undefined;
const NOWHERE = 'redis://127.0.0.1:1/0';

const STATES: readonly FaultState[] = [
  { name: 'normal', knowsDesks: true, arrange: async () => nothing },
  {
    name: 'Redis dead',
    knowsDesks: true,
    arrange: async ({ redis }) => {
      await redis.kill9();
      return () => redis.restart();
    },
  },
  {
    name: 'Redis frozen',
    knowsDesks: true,
    arrange: async ({ redis }) => {
      await redis.freeze();
      return () => redis.thaw();
    },
  },
  {
    name: 'cold start, no Redis, snapshot on disk',
    knowsDesks: true,
    arrange: async (stage) => {
      await stage.restart({ redisUrl: NOWHERE });
      return () => stage.restart({});
    },
  },
  {
    name: 'nothing known at all',
    knowsDesks: false,
    arrange: async (stage) => {
      const folder = mkdtempSync(join(tmpdir(), 'hotdesk-empty-'));
      await stage.restart({ redisUrl: NOWHERE, folder });
      return async () => {
        await stage.restart({});
        rmSync(folder, { recursive: true, force: true });
      };
    },
  },
  {
    name: 'ten times overloaded',
    knowsDesks: true,
    arrange: async (stage) => {
      const seconds = Math.ceil((CALLS * EVERY_MS) / 1000) + 3;
      const args = [
        '--import',
        'tsx',
        'test/bench/flood.ts',
        ...[stage.node.port, FLOOD_PER_SECOND, seconds].map(String),
      ];
      const flood = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
      await new Promise((resolve) => flood.stdout.once('data', resolve));
      await sleep(1000);
      return async () => {
        flood.kill('SIGKILL');
        await stage.restart({});
      };
    },
  },
  {
    name: 'everything else throws',
    knowsDesks: true,
    arrange: async (stage) => {
      await stage.node.sabotage();
      return () => stage.restart({});
    },
  },
  { name: 'phone not provisioned', knowsDesks: false, unknownPhone: true, arrange: async () => nothing },
];

/** A Hotdesk in a process of its own. */
class ServedNode {
  readonly port: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  static async start(config: object): Promise<ServedNode> {
    const args = ['--import', 'tsx', 'test/chaos/emergency-node.ts', JSON.stringify(config)];
    const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    const said = await told(child, /ready (\d+)/);
    return new ServedNode(child, Number(said[1]));
  }

  async sabotage(): Promise<void> {
    const done = told(this.#child, /sabotaged/);
    this.#child.stdin?.write('sabotage\n');
    await done;
  }

  async stop(): Promise<void> {
    const ended = new Promise<void>((resolve) => this.#child.once('exit', () => resolve()));
    this.#child.kill('SIGTERM');
    await Promise.race([ended, sleep(14_000)]);
    this.#child.kill('SIGKILL');
  }
}

function told(child: ChildProcess, what: RegExp): Promise<RegExpExecArray> {
  let said = '';
  return new Promise((resolve, reject) => {
    child.once('exit', () => reject(new Error(`the node ended: ${said}`)));
    child.stdout?.on('data', (data: Buffer) => {
      said = (said + data.toString()).slice(-4000);
      const found = what.exec(said);
      if (found) resolve(found);
    });
  });
}

function configOf(redisUrl: string, folder: string, psap: Psap): object {
  const { host, port } = psap.address;
  const trunk = { name: 'sos', uri: `sip:${host}:${port};transport=udp`, addresses: [host], emergency: true };
  return {
    ...{ company: 'demo', data: folder, directory: 'config/demo.yaml' },
    sip: { listen: [{ protocol: 'udp', host: '127.0.0.1', port: 0 }], trunks: [trunk] },
    ...{ http: { port: 0 }, redis: { url: redisUrl }, log: { level: 'fatal' } },
  };
}

async function setStage(): Promise<Stage & { stop(): Promise<void> }> {
  const redis = await startTcpRedis();
  const psap = await new Psap('127.0.0.4').open();
  const own = mkdtempSync(join(tmpdir(), 'hotdesk-emergency-'));
  const start = ({
    redisUrl = redis.url,
    folder = own,
  }: {
    redisUrl?: string;
    folder?: string;
  }): Promise<ServedNode> => ServedNode.start(configOf(redisUrl, folder, psap));
  const stage = {
    ...{ redis, psap, folder: own, node: await start({}) },
    async restart(how: { redisUrl?: string; folder?: string }) {
      await stage.node.stop();
      stage.node = await start(how);
    },
    async stop() {
      await stage.node.stop();
      await redis.stop();
      psap.close();
      rmSync(own, { recursive: true, force: true });
    },
  };
  return stage;
}

/** All calls of one state, at a steady rate from registered desks, or from phones nobody knows. */
async function run(state: FaultState, stage: Stage): Promise<boolean> {
  await registerDesks(stage);
  const mend = await state.arrange(stage);
  const server = { host: '127.0.0.1', port: stage.node.port };
  const callers = await Promise.all(DESKS.map(() => new Caller(server).open()));
  const calls: Promise<{ placed: Placed; callback: string }>[] = [];
  for (let i = 0; i < CALLS; i++) {
    const desk = DESKS[i % DESKS.length]!;
    const dialled: Dialled = {
      uri: UK_FORMS[i % UK_FORMS.length]!,
      from: state.unknownPhone ? `cp00000000${String(i % 1000).padStart(4, '0')}` : desk.host,
    };
    const callback = state.knowsDesks ? desk.callback : '';
    calls.push(callers[i % callers.length]!.place(dialled).then((placed) => ({ placed, callback })));
    await sleep(EVERY_MS);
  }
  const ended = await Promise.all(calls);
  await mend();
  for (const caller of callers) caller.close();
  return judge(state, ended, stage.psap);
}

async function registerDesks({ node }: Stage): Promise<void> {
  for (const [index, { host }] of DESKS.entries())
    await registerAt({ server: node.port, from: 17_280 + index, host });
}

function judge(
  state: FaultState,
  ended: readonly { readonly placed: Placed; readonly callback: string }[],
  psap: Psap,
): boolean {
  const found = ended.map(({ placed, callback }) => ({
    placed,
    callback,
    arrival: psap.arrivals.get(placed.id),
  }));
  const delivered = found.filter(({ arrival }) => arrival !== undefined);
  const answered = found.filter(({ placed }) => placed.status === 200).length;
  const wrong = delivered.filter(({ arrival, callback }) => arrival && shownTo(arrival) !== callback).length;
  const times = delivered.map(({ arrival, placed }) => (arrival?.at ?? 0) - placed.sentAt);
  const p99 = percentile(times, 0.99);
  const isLate = ended.length >= CALLS_FOR_A_PERCENTILE && p99 > LIMIT_MS;
  const good = delivered.length === ended.length && answered === ended.length && wrong === 0 && !isLate;
  console.log(
    `${good ? 'ok  ' : 'FAILED'} ${state.name}: ${delivered.length} of ${ended.length} delivered, ` +
      `${answered} answered, ${wrong} with the wrong number; p50 ${percentile(times, 0.5).toFixed(1)} ms, ` +
      `p99 ${p99.toFixed(1)} ms, longest ${percentile(times, 1).toFixed(0)} ms`,
  );
  for (const { placed, arrival } of found)
    if (!arrival || placed.status !== 200)
      console.log(
        `     ${placed.id}: status ${placed.status} ${placed.why}, ${arrival ? 'delivered' : 'not delivered'}`,
      );
  psap.arrivals.clear();
  return good;
}

const wanted = STATES.filter(({ name }) => only.length === 0 || only.some((word) => name.includes(word)));
if (!(CALLS >= 1) || wanted.length === 0) {
  throw new TypeError(
    `usage: emergency.ts [calls per state] [word of a state …]: ${STATES.map(({ name }) => name).join('; ')}`,
  );
}
const stage = await setStage();
let passed = 0;
try {
  for (const state of wanted) if (await run(state, stage)) passed += 1;
} finally {
  await stage.stop();
}
const failed = wanted.length - passed;
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
