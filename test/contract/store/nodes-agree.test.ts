import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Association } from '../../../src/domain/association.ts';
import type { BindingSet } from '../../../src/domain/binding.ts';
import { LocalView } from '../../../src/services/local-view.ts';
import { Registrar } from '../../../src/services/registrar.ts';
import { SharedWriter } from '../../../src/services/shared-writer.ts';
import { createKeys } from '../../../src/store/redis/keys.ts';
import { type Store, StoreUnavailable } from '../../../src/store/store.ts';
import { steadyClock } from '../../../src/wiring/running.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';
import { TestLog } from '../../unit/services/harness.ts';
import { login, logout, newCompany, openStore, sharedIn } from './setup.ts';

/**
 * Nodes that register phones, log people in and out and put shared entries at the same time, while connections are cut,
 * the streams are trimmed under them and nodes start anew: once all is calm each knows what the store has, no more, no less.
 */

const NODES = ['n0', 'n1', 'n2'] as const;
const LIMITS = { minExpires: 1, defaultExpires: 3_600, maxExpires: 7_200, maxContacts: 5 };
const FLOW = { protocol: 'udp', address: '192.0.2.1', port: 5060 } as const;

let redis: TestRedis;
let raw: Redis;

beforeAll(async () => {
  redis = await startRedis();
  raw = new Redis(redis.path);
});
afterAll(async () => {
  raw?.disconnect();
  await redis?.stop();
});

type Node = Awaited<ReturnType<typeof startNode>>;

async function startNode(node: string, company: string) {
  const [log, following] = [new TestLog(), new AbortController()];
  const store = await openStore(redis.path, { company, node });
  const view = new LocalView({ clock: steadyClock, log });
  await store.follow(view, following.signal);
  const registrar = new Registrar({ store, view, timers: steadyClock, log, limits: LIMITS });
  const shared = new SharedWriter({ store, view, timers: steadyClock, log });
  registrar.start();
  shared.start();
  const stop = async (): Promise<void> => {
    registrar.stop();
    await shared.stop();
    following.abort();
    await store.stop();
  };
  return { node, log, store, view, registrar, shared, stop };
}

class World {
  readonly company = newCompany();
  readonly nodes: Node[] = [];
  /** Whose connections are never cut. */
  #witness: Store | undefined;
  #cseq = 0;

  async start(): Promise<this> {
    this.#witness = await openStore(redis.path, { company: this.company, node: 'witness' });
    for (const node of NODES) this.nodes.push(await startNode(node, this.company));
    return this;
  }

  async stop(): Promise<void> {
    await Promise.all([...this.nodes, this.#witness].map((one) => one?.stop()));
  }

  get keys() {
    return createKeys(this.company);
  }

  at(index: number): Node {
    return this.nodes[index % this.nodes.length]!;
  }

  async register({ node, aor, contact, isOff }: Registration): Promise<void> {
    const request = { contacts: [{ uri: contact }], expires: isOff ? 0 : 600, callId: contact };
    await this.at(node).registrar.register(aor, {
      ...{ ...request, cseq: ++this.#cseq, flow: FLOW, path: [], userAgent: '' },
    });
  }

  /** As a network does it: of what is under way nobody knows what became of it. */
  async cut(node: number): Promise<void> {
    const clients = String(await raw.client('LIST')).split('\n');
    const ours = clients.filter((line) => line.includes(`name=hotdesk-${this.at(node).node}`));
    for (const line of ours) {
      const id = /\bid=(\d+)/.exec(line)?.[1] ?? '0';
      await raw.client('KILL', 'ID', id).catch(() => undefined);
    }
  }

  /** Redis trims as it adds: what is gone is followed by something. */
  async trim(): Promise<void> {
    await raw.xtrim(this.keys.contactStream, 'MAXLEN', 0);
    await this.#witness?.putShared('trimmed', true, 600_000);
  }

  async restart(node: number): Promise<void> {
    const before = this.at(node);
    await before.stop();
    this.nodes[node % this.nodes.length] = await startNode(before.node, this.company);
  }

  async isCalm(): Promise<boolean> {
    const { keys } = this;
    const now = async (): Promise<(string | null)[]> => [
      await raw.get(keys.seq),
      await raw.get(keys.contactSeq),
    ];
    const before = await now();
    await delay(50);
    const isWritten = this.nodes.every(({ view }) => view.unsavedAors().length === 0);
    return isWritten && JSON.stringify(before) === JSON.stringify(await now());
  }

  /** What each node knows. */
  known(): unknown[] {
    return this.nodes.map(({ view }) => ({
      bindings: AORS.map((aor) => bindingsIn(view.bindingSetOf(aor))),
      guests: guestsOf(view.associations()),
      shared: SHARED.map((name) => view.shared.get(name)),
    }));
  }

  /** The same as the store has it. */
  async stored(): Promise<unknown> {
    const store = this.#witness!;
    const { bindings, associations } = await store.snapshot();
    const shared = await sharedIn(store);
    return {
      bindings: AORS.map((aor) => bindingsIn(bindings.get(aor))),
      guests: guestsOf(associations),
      shared: SHARED.map((name) => shared.get(name)?.value),
    };
  }
}

function bindingsIn(set: BindingSet | undefined): string {
  const contacts = set?.bindings.map(({ contact, cseq }) => `${contact} ${cseq}`);
  return `${set?.version ?? 0}: ${contacts?.join(', ') ?? ''}`;
}

function guestsOf(associations: Iterable<Association>): string[] {
  return [...associations].map(({ host, guest, generation }) => `${host} ${guest} ${generation}`).sort();
}

const AORS = ['a', 'b'];
const SHARED = ['x:1', 'x:2'];
const HOSTS = ['h1', 'h2'];

interface Registration {
  readonly node: number;
  readonly aor: string;
  readonly contact: string;
  readonly isOff: boolean;
}

type Step = (world: World) => Promise<unknown>;

const node = fc.nat(NODES.length - 1);
const registration = fc
  .record({
    ...{ node, aor: fc.constantFrom(...AORS), isOff: fc.boolean() },
    contact: fc.constantFrom('sip:1@x', 'sip:2@x', 'sip:3@x'),
  })
  .map((made): Step => named(`register ${JSON.stringify(made)}`, (world) => world.register(made)));
const put = fc
  .record({ node, name: fc.constantFrom(...SHARED), value: fc.option(fc.nat(9), { nil: undefined }) })
  .map(
    (made): Step =>
      named(`put ${JSON.stringify(made)}`, async (world) =>
        world.at(made.node).shared.put(made.name, made.value, 600_000),
      ),
  );
const seat = fc
  .record({
    node,
    host: fc.constantFrom(...HOSTS),
    guest: fc.constantFrom('1001', '1002'),
    isOut: fc.boolean(),
  })
  .map(
    ({ node: at, host, guest, isOut }): Step =>
      named(`seat ${at} ${host} ${guest} ${isOut}`, async (world) => {
        const { store } = world.at(at);
        if (isOut) await store.end(logout({ host }));
        else await store.associate(login(host, guest, { occupied: 'takeover' }));
      }),
  );
const calm = fc.nat(30).map((ms): Step => named(`wait ${ms}`, () => delay(ms)));
const cut = node.map((at): Step => named(`cut ${at}`, (world) => world.cut(at)));
const restart = node.map((at): Step => named(`restart ${at}`, (world) => world.restart(at)));
const trim = fc.constant(named('trim', (world) => world.trim()));

function named(name: string, step: Step): Step {
  return Object.assign(step, { [fc.toStringMethod]: () => name });
}

const step = fc.oneof(
  { weight: 8, arbitrary: registration },
  { weight: 5, arbitrary: put },
  { weight: 4, arbitrary: seat },
  { weight: 4, arbitrary: calm },
  { weight: 2, arbitrary: cut },
  { weight: 1, arbitrary: trim },
  { weight: 1, arbitrary: restart },
);

/** Steps side by side; a node that starts anew does nothing else meanwhile. */
const program = fc.array(fc.array(step, { minLength: 1, maxLength: 6 }), { minLength: 2, maxLength: 8 });

async function carryOut(world: World, steps: readonly Step[]): Promise<void> {
  const isRestart = (one: Step): boolean =>
    String(Reflect.get(one, fc.toStringMethod)?.()).startsWith('restart');
  await Promise.all(
    steps
      .filter((one) => !isRestart(one))
      .map(async (one) => {
        try {
          await one(world);
        } catch (error) {
          if (!(error instanceof StoreUnavailable)) throw error;
        }
      }),
  );
  for (const one of steps.filter(isRestart)) await one(world);
}

it('nodes agree in the end', async () => {
  await fc.assert(
    fc.asyncProperty(program, async (groups) => {
      const world = await new World().start();
      try {
        for (const steps of groups) await carryOut(world, steps);
        let stored: unknown;
        // A node whose connection was cut may still have something to write.
        const agree = async (): Promise<boolean> => {
          const isCalm = await world.isCalm();
          stored = await world.stored();
          return isCalm && world.known().every((known) => JSON.stringify(known) === JSON.stringify(stored));
        };
        for (let tries = 0; tries < 100 && !(await agree()); tries++) await delay(50);
        expect(world.known()).toEqual(NODES.map(() => stored));
        for (const { log } of world.nodes) expect(log.level('error')).toEqual([]);
      } finally {
        await world.stop();
      }
    }),
    { numRuns: 15, endOnFailure: true },
  );
}, 300_000);
