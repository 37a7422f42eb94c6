import { setTimeout as delay } from 'node:timers/promises';
import { decideRoute } from '../../src/domain/route.ts';
import { createCompanyPlan } from '../../src/services/company-plan.ts';
import { LocalView } from '../../src/services/local-view.ts';
import { createRedisStore } from '../../src/store/redis/redis-store.ts';
import type { Store } from '../../src/store/store.ts';
import { steadyClock } from '../../src/wiring/running.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { extensionOf, fillDirectory, hostOf } from './office.ts';
import { median, percentile } from './process.ts';

const PEOPLE = 2_000;
const SEATED = 500;
/** Decisions per state, in slices with pauses, so that what Redis does in between has its turn. */
const SLICES = 200;
const PER_SLICE = 50;
const TARGET_MS = 1;

/**
 * How long the decision where a call goes takes, while Redis is up and changing, frozen, dead and coming back: calls
 * are decided from memory, so it must not matter.
 */
export async function benchDecisions(): Promise<boolean> {
  const redis = await startRedis(['appendfsync no']);
  const view = new LocalView({ clock: steadyClock, log: { info() {}, warn() {}, error() {} } });
  const store = createRedisStore({
    connection: { path: redis.path },
    ...{ company: 'bench', node: 'n1', clock: steadyClock, acceptWeakDurability: true },
  });
  const end = new AbortController();
  try {
    await fillDirectory(redis.path, 'bench', PEOPLE);
    await store.start();
    for (let i = 0; i < SEATED; i++) await seat(store, i);
    await store.follow(view, end.signal);
    console.log(
      `Routing decision, ${PEOPLE} people, ${SEATED} associations (target: p99 below ${TARGET_MS} ms)`,
    );
    const slowest = await inEachState(view, { store, redis });
    return slowest < TARGET_MS;
  } finally {
    end.abort();
    await store.stop();
    await redis.stop();
  }
}

async function inEachState(
  view: LocalView,
  { store, redis }: { readonly store: Store; readonly redis: TestRedis },
): Promise<number> {
  const states: readonly [string, () => Promise<void>][] = [
    ['up, and changing', async () => keepChanging(store)],
    ['frozen', async () => redis.freeze()],
    [
      'dead',
      async () => {
        redis.thaw();
        await redis.kill9();
      },
    ],
    ['coming back', () => redis.restart()],
  ];
  let slowest = 0;
  for (const [name, enter] of states) {
    await enter();
    const times = await decide(view);
    const p99 = percentile(times, 0.99);
    const figures = [median(times), p99, Math.max(...times)].map((ms) => `${(ms * 1000).toFixed(0)} µs`);
    console.log(`  ${name.padEnd(18)} median ${figures[0]}, p99 ${figures[1]}, longest ${figures[2]}`);
    slowest = Math.max(slowest, p99);
  }
  return slowest;
}

/** Milliseconds of each of some thousand decisions: calls from an occupied desk to people who sit at others. */
async function decide(view: LocalView): Promise<number[]> {
  const plan = createCompanyPlan(view);
  const times: number[] = [];
  for (let slice = 0; slice < SLICES; slice++) {
    for (let n = 0; n < PER_SLICE; n++) {
      const i = (slice * PER_SLICE + n) % SEATED;
      const call = {
        requestUri: `sip:${extensionOf((i + 1) % SEATED)}@h`,
        caller: { kind: 'host', host: hostOf(2 * i) },
      };
      const begun = performance.now();
      decideRoute(call as Parameters<typeof decideRoute>[0], view, plan);
      times.push(performance.now() - begun);
    }
    await delay(5);
  }
  return times;
}

function seat(store: Store, i: number): Promise<unknown> {
  return store.associate({
    ...{ host: hostOf(2 * i), guest: extensionOf(i), site: 'london', limitMs: 'never', idleLimitMs: 'never' },
    ...{ occupied: 'takeover', secondDesk: 'move', actor: 'bench', opId: crypto.randomUUID() },
  });
}

/** Logins and moves beside the decisions, for about as long as they take. */
function keepChanging(store: Store): void {
  const until = performance.now() + SLICES * 5;
  const next = async (i: number): Promise<void> => {
    if (performance.now() > until) return;
    await seat(store, SEATED + (i % 400)).catch(() => undefined);
    return next(i + 1);
  };
  void next(0);
}
