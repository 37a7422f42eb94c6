import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Association, ChangeEvent } from '../../../src/domain/association.ts';
import type { Binding } from '../../../src/domain/binding.ts';
import { PhoneUpdates } from '../../../src/services/phone-updates.ts';
import type { FaceOutcome, FaceState, PhonePort } from '../../../src/services/ports.ts';
import { type HistoryPage, StoreUnavailable } from '../../../src/store/store.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { binding } from '../domain/example.ts';
import { TestLog } from './harness.ts';

/** What all nodes share. */
class Cluster {
  readonly clock = new FakeClock();
  readonly log = new TestLog();
  readonly history: ChangeEvent[] = [];
  readonly seats = new Map<string, Association>();
  readonly bindings = new Map<string, Binding[]>();
  readonly nodes: Node[] = [];
  readonly #claims = new Map<string, number>();
  storeAway = false;
  spacingMs = 0;

  constructor() {
    this.clock.advance(1_700_000_000_000);
  }

  node(): Node {
    const node = new Node(this);
    this.nodes.push(node);
    node.updates.start();
    return node;
  }

  claim(name: string, ttl: number): boolean {
    if (!/^[A-Za-z0-9._:-]{1,100}$/.test(name)) throw new TypeError(name);
    if ((this.#claims.get(name) ?? 0) > this.clock.now()) return false;
    this.#claims.set(name, this.clock.now() + ttl);
    return true;
  }

  logIn(host: string, guest = '1001'): void {
    const generation = this.history.length + 1;
    const startedAt = this.clock.now();
    const association: Association = {
      ...{ host, guest, site: 'london', generation, startedAt },
      ...{ expiresAt: 'never', idleLimitMs: 'never' },
    };
    this.seats.set(host, association);
    const event = { kind: 'start', seq: generation, at: startedAt, actor: 'guest', reason: 'logIn' } as const;
    this.#change({ ...event, association, previousHost: undefined });
  }

  logOut(host: string): void {
    const association = this.seats.get(host);
    if (!association) throw new Error('nobody there');
    this.seats.delete(host);
    const seq = this.history.length + 1;
    const at = this.clock.now();
    this.#change({ kind: 'end', seq, at, actor: 'guest', reason: 'loggedOut', association });
  }

  #change(event: ChangeEvent): void {
    this.history.push(event);
    for (const node of this.nodes) if (!node.dead) node.hear(event);
  }

  /** Lets time pass in small steps, with room for promises in each. */
  async pass(ms: number): Promise<void> {
    const step = Math.max(50, ms / 2_000);
    for (let left = ms; left > 0; left -= step) {
      await quiet();
      this.clock.advance(Math.min(step, left));
    }
    await quiet();
  }

  /** All that phones were told, on whichever node, in order. */
  told(): { host: string; guest: string | undefined; at: number }[] {
    return this.nodes.flatMap((node) => node.told).toSorted((a, b) => a.at - b.at);
  }

  guests(): (string | undefined)[] {
    return this.told().map(({ guest }) => guest);
  }
}

class Node implements PhonePort {
  readonly told: { host: string; guest: string | undefined; at: number; seq: number }[] = [];
  readonly inCall = new Set<string>();
  outcomes: FaceOutcome[] = [];
  /** ms a phone takes to answer, and the store to grant. */
  delay = 0;
  claimDelay = 0;
  dead = false;
  /** Times it has read what went before. */
  looksBack = 0;
  readonly updates: PhoneUpdates;
  readonly #cluster: Cluster;
  readonly #listeners = new Set<(event: ChangeEvent) => void>();
  readonly #reconnected = new Set<() => void>();

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
    const { clock, log } = cluster;
    this.updates = new PhoneUpdates({
      clock,
      log,
      phone: this,
      spacingMs: cluster.spacingMs,
      store: {
        claimOnce: async (name, ttl) => {
          await this.#later(this.claimDelay);
          return this.#answer(() => cluster.claim(name, ttl));
        },
        history: async ({ from = 0, limit }) =>
          this.#answer((): HistoryPage => {
            this.looksBack++;
            const events = cluster.history.filter(({ at }) => at >= from).toReversed();
            return { events: events.slice(0, limit), next: undefined };
          }),
      },
      view: {
        now: () => clock.now(),
        associationAt: (host) => cluster.seats.get(host),
        bindingsOf: (host) => cluster.bindings.get(host) ?? [],
        onChange: (listener) => {
          this.#listeners.add(listener);
          return () => this.#listeners.delete(listener);
        },
        onReconnect: (listener) => {
          this.#reconnected.add(listener);
          return () => this.#reconnected.delete(listener);
        },
      },
    });
  }

  hear(event: ChangeEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  reconnect(): void {
    for (const listener of this.#reconnected) listener();
  }

  die(): void {
    this.dead = true;
    this.updates.stop();
  }

  isFree(host: string): boolean {
    return !this.inCall.has(host);
  }

  async update(host: string, { seq, association }: FaceState): Promise<FaceOutcome> {
    await this.#later(this.delay);
    this.told.push({ host, guest: association?.guest, at: this.#cluster.clock.now(), seq });
    return this.outcomes.shift() ?? 'told';
  }

  async #later(ms: number): Promise<void> {
    if (ms > 0) await new Promise<void>((resolve) => this.#cluster.clock.setTimer(ms, resolve));
  }

  #answer<T>(work: () => T): T {
    if (this.#cluster.storeAway || this.dead) throw new StoreUnavailable('away');
    return work();
  }
}

let cluster: Cluster;

beforeEach(() => {
  cluster = new Cluster();
});

afterEach(() => {
  for (const node of cluster.nodes) node.updates.stop();
  expect(cluster.clock.pending).toBe(0);
});

describe('a phone is told', () => {
  test('once when somebody comes and once when they go', async () => {
    const node = cluster.node();
    cluster.logIn('d1');
    await cluster.pass(30_000);
    expect(node.told).toEqual([expect.objectContaining({ host: 'd1', guest: '1001', seq: 1 })]);
    cluster.logOut('d1');
    await cluster.pass(30_000);
    expect(cluster.guests()).toEqual(['1001', undefined]);
    expect(node.updates.size).toBe(0);
  });

  test('what is so now, once, after a quick in, out and in again', async () => {
    cluster.node();
    cluster.logIn('d1', '1001');
    cluster.logOut('d1');
    await cluster.pass(200);
    cluster.logIn('d1', '1002');
    await cluster.pass(30_000);
    expect(cluster.guests()).toEqual(['1002']);
  });

  test('no oftener than every 500 ms, the last state always', async () => {
    cluster.node();
    for (let n = 0; n < 30; n++) {
      cluster.logIn('d1', `10${n}`);
      await cluster.pass(130);
      if (n < 29) cluster.logOut('d1');
    }
    await cluster.pass(5_000);
    const times = cluster.told().map(({ at }) => at);
    const gaps = times.slice(1).map((at, index) => at - times[index]!);
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(500);
    expect(times.length).toBeGreaterThan(3);
    expect(cluster.guests().at(-1)).toBe('1029');
  });

  test('no oftener than the spacing, whichever node tells, the last state always', async () => {
    cluster.spacingMs = 10_000;
    const nodes = [cluster.node(), cluster.node()];
    cluster.logIn('d1');
    await cluster.pass(2_000);
    cluster.logOut('d1');
    await cluster.pass(2_000);
    cluster.logIn('d1', '1002');
    cluster.logIn('d2', '1003');
    await cluster.pass(30_000);
    const told = nodes.flatMap((node) => node.told).filter(({ host }) => host === 'd1');
    expect(told.map(({ guest }) => guest)).toEqual(['1001', '1002']);
    expect(Number(told[1]?.at) - Number(told[0]?.at)).toBeGreaterThanOrEqual(10_000);
    expect(nodes.flatMap((node) => node.told).filter(({ host }) => host === 'd2')).toHaveLength(1);
  });

  test('again without waiting for the spacing when a try has failed', async () => {
    cluster.spacingMs = 10_000;
    const node = cluster.node();
    node.outcomes = ['failed'];
    cluster.logIn('d1');
    await cluster.pass(4_000);
    expect(node.told).toHaveLength(2);
  });

  test('both phones of a move, each on its own', async () => {
    cluster.node();
    cluster.logIn('d1');
    await cluster.pass(5_000);
    cluster.logOut('d1');
    cluster.logIn('d2');
    await cluster.pass(5_000);
    expect(cluster.told().map(({ host, guest }) => [host, guest])).toEqual([
      ['d1', '1001'],
      ['d1', undefined],
      ['d2', '1001'],
    ]);
  });

  test('again when the change comes while it is being told', async () => {
    const node = cluster.node();
    node.delay = 3_000;
    cluster.logIn('d1', '1001');
    await cluster.pass(1_000);
    cluster.logOut('d1');
    cluster.logIn('d1', '1002');
    await cluster.pass(30_000);
    expect(cluster.guests()).toEqual(['1001', '1002']);
  });

  test('once, when the change comes while the store is asked for the one before', async () => {
    const node = cluster.node();
    node.claimDelay = 400;
    cluster.logIn('d1', '1001');
    await cluster.pass(700);
    cluster.logOut('d1');
    cluster.logIn('d1', '1002');
    await cluster.pass(30_000);
    expect(cluster.guests()).toEqual(['1002']);
  });

  test('nothing of what is no login, and nothing after a stop', async () => {
    const node = cluster.node();
    node.hear({ kind: 'directory', seq: 1, at: 0, actor: 'x', entries: 'all' });
    cluster.logIn('d1');
    node.updates.stop();
    cluster.logOut('d1');
    await cluster.pass(60_000);
    expect(cluster.told()).toEqual([]);
  });
});

describe('a phone in a call', () => {
  test('is left alone until two seconds after it', async () => {
    const node = cluster.node();
    node.inCall.add('d1');
    cluster.logIn('d1');
    await cluster.pass(90_000);
    expect(cluster.told()).toEqual([]);
    node.inCall.delete('d1');
    const over = cluster.clock.now();
    await cluster.pass(1_900);
    expect(cluster.told()).toEqual([]);
    await cluster.pass(1_200);
    expect(cluster.guests()).toEqual(['1001']);
    expect(cluster.told()[0]!.at - over).toBeGreaterThanOrEqual(2_000);
  });

  test('is told by the node that has the call, not by one that knows of none', async () => {
    cluster.node();
    const node = cluster.node();
    cluster.node();
    node.inCall.add('d1');
    cluster.logIn('d1');
    await cluster.pass(50_000);
    expect(cluster.told()).toEqual([]);
    node.inCall.delete('d1');
    await cluster.pass(120_000);
    expect(node.told).toHaveLength(1);
    expect(cluster.told()).toHaveLength(1);
  });
});

describe('several nodes', () => {
  test('tell it once', async () => {
    for (let n = 0; n < 4; n++) cluster.node();
    cluster.logIn('d1');
    await cluster.pass(3_000);
    cluster.logOut('d1');
    await cluster.pass(900_000);
    expect(cluster.guests()).toEqual(['1001', undefined]);
    expect(cluster.nodes.map(({ updates }) => updates.size)).toEqual([0, 0, 0, 0]);
  });

  test('one that dies in the middle is stood in for', async () => {
    const first = cluster.node();
    first.delay = 20_000;
    cluster.node();
    cluster.logIn('d1');
    await cluster.pass(1_000);
    first.die();
    await cluster.pass(40_000);
    expect(cluster.nodes[1]!.told).toHaveLength(1);
  });

  test('also when the store is away as it starts: then once it is back', async () => {
    const first = cluster.node();
    cluster.logIn('d1');
    first.die();
    cluster.storeAway = true;
    const next = cluster.node();
    await cluster.pass(5_000);
    next.reconnect();
    await cluster.pass(5_000);
    cluster.storeAway = false;
    next.reconnect();
    next.reconnect();
    await cluster.pass(30_000);
    expect(cluster.guests()).toEqual(['1001']);
    expect(cluster.log.level('warn')).toHaveLength(2);
    expect(next.looksBack).toBe(1);
  });

  test('what all of them left untold when they died is told by the next to start, once', async () => {
    const first = cluster.node();
    cluster.logIn('d1');
    first.die();
    cluster.logIn('d2');
    await cluster.pass(5_000);
    cluster.node();
    cluster.node();
    await cluster.pass(60_000);
    expect(
      cluster
        .told()
        .map(({ host }) => host)
        .toSorted(),
    ).toEqual(['d1', 'd2']);
    cluster.node();
    await cluster.pass(60_000);
    expect(cluster.told()).toHaveLength(2);
  });

  test('one that was cut off and hears of it late does not tell it again', async () => {
    cluster.node();
    const late = cluster.node();
    cluster.logIn('d1');
    await cluster.pass(3_000);
    const event = { ...cluster.history[0]!, seq: 77, actor: 'unknown' } as ChangeEvent;
    await cluster.pass(60_000);
    late.hear(event);
    await cluster.pass(120_000);
    expect(cluster.told()).toHaveLength(1);
  });
});

describe('trouble', () => {
  test('a phone that does not answer is tried three times more, ever later', async () => {
    const node = cluster.node();
    node.outcomes = ['failed', 'failed', 'failed', 'failed', 'failed'];
    cluster.logIn('d1');
    await cluster.pass(60_000);
    await cluster.pass(600_000);
    const times = node.told.map(({ at }) => at);
    expect(times.slice(1).map((at, index) => at - times[index]!)).toEqual([2_000, 4_000, 8_000]);
    expect(cluster.log.level('warn')).toEqual(['a phone does not answer and shows who sat there before']);
  });

  test('a newer change goes before the retries of an older one', async () => {
    const node = cluster.node();
    node.outcomes = ['failed', 'failed'];
    cluster.logIn('d1');
    await cluster.pass(2_600);
    cluster.logOut('d1');
    await cluster.pass(600_000);
    expect(cluster.guests()).toEqual(['1001', '1001', undefined]);
    expect(cluster.told()[2]!.at - cluster.told()[1]!.at).toBeLessThanOrEqual(700);
  });

  test('a change that comes during a failing try gets all of its own', async () => {
    const node = cluster.node();
    node.delay = 1_000;
    node.outcomes = Array.from({ length: 9 }, () => 'failed');
    cluster.logIn('d1');
    await cluster.pass(1_000);
    cluster.logOut('d1');
    await cluster.pass(60_000);
    expect(node.told.map(({ seq }) => seq)).toEqual([1, 2, 2, 2, 2]);
  });

  test('a phone that refuses is not asked again', async () => {
    const node = cluster.node();
    node.outcomes = ['refused'];
    cluster.logIn('d1');
    await cluster.pass(600_000);
    expect(node.told).toHaveLength(1);
  });

  test('a phone that was away is told when it registers', async () => {
    const node = cluster.node();
    node.outcomes = ['nobody'];
    cluster.logIn('d1');
    await cluster.pass(600_000);
    expect(node.told).toHaveLength(1);
    cluster.bindings.set('d1', [binding('sip:d1@192.0.2.10')]);
    await cluster.pass(30_000);
    expect(node.told).toHaveLength(2);
    await cluster.pass(600_000);
    expect(node.told).toHaveLength(2);
  });

  test('a store that is away is waited for', async () => {
    cluster.node();
    cluster.storeAway = true;
    cluster.logIn('d1');
    await cluster.pass(60_000);
    expect(cluster.told()).toEqual([]);
    cluster.storeAway = false;
    await cluster.pass(5_000);
    expect(cluster.guests()).toEqual(['1001']);
  });

  test('more phones than there is room for: the oldest wait is given up', async () => {
    const node = cluster.node();
    cluster.storeAway = true;
    for (let n = 0; n < 50_010; n++) cluster.logIn(`h${n}`);
    expect(node.updates.size).toBe(50_000);
    expect(cluster.log.level('error')).toEqual(['too many phones to tell at once: some are not']);
  });

  test('the longest of ids makes a good claim', async () => {
    const host = 'x'.repeat(64);
    cluster.node();
    cluster.logIn(host);
    await cluster.pass(5_000);
    expect(cluster.told()).toHaveLength(1);
  });
});

async function quiet(): Promise<void> {
  for (let n = 0; n < 12; n++) await Promise.resolve();
}
