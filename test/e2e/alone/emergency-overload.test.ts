import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PHONES } from '../../support/demo.ts';
import { Caller, Psap, shownTo, UK_FORMS } from '../../support/emergency-load.ts';
import { type Hotdesk, startHotdesk } from '../../support/hotdesk.ts';
import { within } from '../../support/wait.ts';

/**
 * Design section 7: in overload too. A flood of INVITEs in a process of its own, and emergency calls meanwhile; figures for
 * a node by itself come from `npm run test:emergency` and test/bench/emergency-overload.ts.
 */

const CALLS = 50;
const EVERY_MS = 50;
const FLOOD = { perSecond: 6_000, seconds: 3 };
/** No measure of speed: the machine also carries the flood, the callers and the PSAP. */
const LATEST_MS = 4_000;

/** A drachtio-server has no rule of who goes first: there the SBC before it has to bound a flood (see README). */
const testWithEngine = test.runIf(process.env.DRACHTIO_HOST === undefined);

let psap: Psap;
let hotdesk: Hotdesk;
let flood: ChildProcess | undefined;

beforeAll(async () => {
  psap = await new Psap('127.0.0.4').open();
  const { host, port } = psap.address;
  const emergency = { uri: `sip:${host}:${port};transport=udp` };
  hotdesk = await startHotdesk({ trunkSettings: { emergency } });
});

afterAll(async () => {
  flood?.kill('SIGKILL');
  await hotdesk?.stop();
  psap?.close();
});

testWithEngine(
  'every emergency call is delivered while INVITEs flood in',
  async () => {
    await hotdesk.phone(PHONES.reception);
    const caller = await new Caller(hotdesk.sip.udp).open();
    const flooded = await startFlood(hotdesk.sip.udp.port);
    const calls: ReturnType<Caller['place']>[] = [];
    for (let i = 0; i < CALLS; i++) {
      calls.push(caller.place({ uri: UK_FORMS[i % UK_FORMS.length] ?? '', from: PHONES.reception }));
      await sleep(EVERY_MS);
    }
    const placed = await Promise.all(calls);
    caller.close();
    const found = placed.map(({ id, status, sentAt }) => {
      const arrival = psap.arrivals.get(id);
      const isLate = (arrival?.at ?? Number.POSITIVE_INFINITY) - sentAt > LATEST_MS;
      return { id, status, shown: arrival && shownTo(arrival), isLate };
    });
    const wrong = found.filter(
      ({ status, shown, isLate }) => status !== 200 || shown !== '+442079460111' || isLate,
    );
    expect(wrong).toEqual([]);
    // Else this was no flood.
    expect(await flooded()).toBeGreaterThan(FLOOD.perSecond / 4);
  },
  40_000,
);

/** Resolves when it flows, with a way to learn how many INVITEs were sent in the end. */
async function startFlood(port: number): Promise<() => Promise<number>> {
  const args = [
    '--import',
    'tsx',
    'test/bench/flood.ts',
    ...[port, FLOOD.perSecond, FLOOD.seconds].map(String),
  ];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  flood = child;
  let said = '';
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const flows = new Promise<void>((resolve) => {
    child.stdout.on('data', (data: Buffer) => {
      said += data.toString();
      if (said.includes('flowing')) resolve();
    });
  });
  await within(15_000, 'the flood', flows);
  return async () => {
    await within(15_000, 'the end of the flood', ended);
    return Number(/"sent":(\d+)/.exec(said)?.[1] ?? 0);
  };
}
