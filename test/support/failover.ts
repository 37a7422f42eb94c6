import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { createRedisStore } from '../../src/store/redis/redis-store.ts';
import type { Place } from '../../src/store/redis/topology.ts';
import type { AssociateCommand, Follower, Store } from '../../src/store/store.ts';
import type { RedisNode } from './redis-node.ts';
import type { RedisWire } from './redis-wire.ts';

/** Something that fails over, and how to make it. */
export interface FailoverTarget {
  readonly place: Place;
  readonly company: string;
  /** Default 1; with 0 logins are acknowledged that a fail-over loses. */
  readonly waitForReplicas?: number;
  /** With a wire where others reach it over one. */
  master(): Promise<RedisNode & { readonly wire?: RedisWire }>;
  /** Waits until all nodes are back and in sync. */
  settled(): Promise<void>;
}

/**
 * `crash`: killed with -9. `partition`: it answers nobody. `split`: it answers us, and neither sentinels nor replicas
 * reach it.
 */
export type Fault = 'crash' | 'partition' | 'split';

export interface FailoverOutcome {
  readonly fault: Fault;
  /** Host to guest. */
  readonly acknowledged: ReadonlyMap<string, string>;
  readonly refused: number;
  /** Acknowledged, and not there afterwards. */
  readonly lost: readonly string[];
  /** Refused, and there all the same when everything had been quiet for a while. */
  readonly ghosts: readonly string[];
  /** Longest time from one acknowledgement to the next. */
  readonly outageMs: number;
  /** From the fault until the view had been loaded from the new master. */
  readonly viewMs: number;
  /** Acknowledged logins that the view once had and did not have at some later moment. */
  readonly forgotten: readonly string[];
  /** Whether the view at the end is what the store has. */
  readonly viewIsRight: boolean;
}

const WORKERS = 8;
const NODES = 2;
/** Within this all must be well again. */
const RECOVERY_MS = 20_000;

/** Logs people in from two nodes while the master fails and another takes over, and counts what was lost. */
export async function failOver(target: FailoverTarget, fault: Fault): Promise<FailoverOutcome> {
  await target.settled();
  const stores = Array.from({ length: NODES }, (_, i) => storeAt(target, `n${i}`));
  const following = new AbortController();
  const view = createView();
  try {
    await Promise.all(stores.map((store) => store.start()));
    await stores[0]!.follow(view, following.signal);
    const load = startLoad(stores);
    await until(() => load.acknowledged.size > 20);
    await delay(700);
    const broken = await target.master();
    const loads = view.loads;
    const at = performance.now();
    await breakIt(broken, fault);
    await until(() => load.lastAt > at + 100 && view.loads > loads);
    const viewMs = view.loadedAt - at;
    await delay(500);
    await mend(broken, fault);
    await delay(1500);
    await load.stop();
    const store = stores[1]!;
    const ghosts = await ghostsIn(store, load);
    const state = await stateOf(store);
    const lost = missingIn(state, load.acknowledged);
    await until(() => isSame(view.state, state)).catch(() => undefined);
    return {
      ...{
        fault,
        acknowledged: load.acknowledged,
        refused: load.refused.size,
        outageMs: load.longestGapMs,
      },
      ...{
        lost,
        ghosts,
        viewMs,
        forgotten: [...view.forgotten].filter((host) => load.acknowledged.has(host)),
      },
      viewIsRight: isSame(view.state, state),
    };
  } finally {
    following.abort();
    await Promise.all(stores.map((store) => store.stop()));
  }
}

type Broken = Awaited<ReturnType<FailoverTarget['master']>>;

async function breakIt(node: Broken, fault: Fault): Promise<void> {
  if (fault === 'crash') await node.kill9();
  else if (fault === 'partition') node.freeze();
  else node.wire?.cut();
}

async function mend(node: Broken, fault: Fault): Promise<void> {
  if (fault === 'crash') await node.restart();
  else if (fault === 'partition') node.thaw();
  else node.wire?.heal();
}

function storeAt({ place, company, waitForReplicas = 1 }: FailoverTarget, node: string): Store {
  const clock = { now: Date.now };
  const acceptWeakDurability = waitForReplicas === 0;
  return createRedisStore({ connection: place, company, node, clock, waitForReplicas, acceptWeakDurability });
}

interface Load {
  /** Host to guest. */
  readonly acknowledged: ReadonlyMap<string, string>;
  readonly refused: ReadonlySet<string>;
  /** `performance.now()` of the last acknowledgement. */
  readonly lastAt: number;
  readonly longestGapMs: number;
  stop(): Promise<void>;
}

/** Each login is another person at another phone, so each one can be looked for afterwards. */
function startLoad(stores: readonly Store[]): Load {
  const acknowledged = new Map<string, string>();
  const refused = new Set<string>();
  const run = randomUUID().slice(0, 8);
  let [lastAt, longestGapMs, n, running] = [performance.now(), 0, 0, true];

  async function work(store: Store): Promise<void> {
    while (running) {
      n += 1;
      const [host, guest] = [`h${run}-${n}`, `g${run}-${n}`];
      const done = await store.associate(login(host, guest)).then(
        ({ outcome }) => outcome === 'associated',
        () => false,
      );
      if (done) {
        acknowledged.set(host, guest);
        longestGapMs = Math.max(longestGapMs, performance.now() - lastAt);
        lastAt = performance.now();
      } else refused.add(host);
      await delay(done ? 8 : 25);
    }
  }

  const workers = Array.from({ length: WORKERS }, (_, i) => work(stores[i % stores.length]!));
  return {
    acknowledged,
    refused,
    get lastAt() {
      return lastAt;
    },
    get longestGapMs() {
      return longestGapMs;
    },
    async stop() {
      running = false;
      await Promise.all(workers);
    },
  };
}

function login(host: string, guest: string): AssociateCommand {
  return {
    ...{ host, guest, site: 'london', limitMs: 'never', idleLimitMs: 'never' },
    ...{ occupied: 'deny', secondDesk: 'move', actor: 'guest', opId: randomUUID() },
  };
}

/** Refused logins are undone in the background: those that stay are ghosts. */
async function ghostsIn(store: Store, load: Load): Promise<string[]> {
  let ghosts: string[] = [];
  for (let i = 0; i < 40; i++) {
    const { associations } = await snapshotOf(store);
    ghosts = associations.map(({ host }) => host).filter((host) => load.refused.has(host));
    if (ghosts.length === 0) return [];
    await delay(200);
  }
  return ghosts;
}

/** Which of these associations, acknowledged earlier, are not there any more. */
export async function missingAfterAll(
  target: FailoverTarget,
  acknowledged: ReadonlyMap<string, string>,
): Promise<string[]> {
  await target.settled();
  const store = storeAt(target, 'check');
  await store.start();
  try {
    return missingIn(await stateOf(store), acknowledged);
  } finally {
    await store.stop();
  }
}

function missingIn(state: ReadonlyMap<string, string>, wanted: ReadonlyMap<string, string>): string[] {
  return [...wanted].filter(([host, guest]) => state.get(host) !== guest).map(([host]) => host);
}

async function stateOf(store: Store): Promise<Map<string, string>> {
  const { associations } = await snapshotOf(store);
  return new Map(associations.map(({ host, guest }) => [host, guest]));
}

async function snapshotOf(store: Store) {
  for (let i = 0; ; i++) {
    try {
      return await store.snapshot();
    } catch (error) {
      if (i === 50) throw error;
      await delay(100);
    }
  }
}

/** What a node would route by; notes what it forgets although nobody has logged out. */
function createView() {
  let state = new Map<string, string>();
  const forgotten = new Set<string>();
  let [loads, loadedAt] = [0, 0];
  const follower: Follower = {
    onSnapshot({ associations }) {
      const loaded = new Map(associations.map(({ host, guest }) => [host, guest]));
      for (const host of state.keys()) if (!loaded.has(host)) forgotten.add(host);
      [state, loadedAt] = [loaded, performance.now()];
      loads += 1;
    },
    onSharedEntries: () => ({ page: () => undefined, done: () => undefined }),
    onDirectory: () => ({ page: () => undefined, done: () => undefined }),
    onEntries: () => undefined,
    onEvent(event) {
      if (event.kind === 'start') state.set(event.association.host, event.association.guest);
      else if (event.kind === 'end') state.delete(event.association.host);
    },
    onSkipped: () => undefined,
    onBindings: () => undefined,
    onShared: () => undefined,
    onContact: () => undefined,
  };
  return {
    ...follower,
    forgotten,
    get state(): ReadonlyMap<string, string> {
      return state;
    },
    get loads() {
      return loads;
    },
    get loadedAt() {
      return loadedAt;
    },
  };
}

function isSame(one: ReadonlyMap<string, string>, other: ReadonlyMap<string, string>): boolean {
  return one.size === other.size && [...one].every(([host, guest]) => other.get(host) === guest);
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + RECOVERY_MS;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`not recovered within ${RECOVERY_MS / 1000} s`);
    await delay(10);
  }
}
