import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { LocalView } from '../../src/services/local-view.ts';
import { SharedWriter } from '../../src/services/shared-writer.ts';
import { Lines } from '../../src/sip/calls/lines.ts';
import { DialogPackage } from '../../src/sip/events/dialog.ts';
import { PersonLines } from '../../src/sip/events/person-lines.ts';
import type { Store } from '../../src/store/store.ts';
import { steadyClock } from '../../src/wiring/running.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { directory, UK, viewOf } from '../unit/domain/example.ts';
import { TapeLog } from '../unit/sip/world.ts';
import { login, logout, newCompany, openStore } from './store/setup.ts';

/** Two nodes on one Redis: a busy lamp served by one shows the calls that the other carries. */

const company = newCompany();
let redis: TestRedis;
const ends: (() => unknown)[] = [];

beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());

interface Node {
  readonly store: Store;
  readonly shared: SharedWriter;
  readonly lines: Lines;
  readonly people: PersonLines;
  readonly told: string[];
  states(extension: string): string;
}

let one: Node;
let two: Node;

beforeEach(async () => {
  one = await startNode('one');
  two = await startNode('two');
});
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function startNode(node: string): Promise<Node> {
  const log = new TapeLog();
  const store = await openStore(redis.path, { company, node });
  const local = new LocalView({ clock: steadyClock, log });
  const following = new AbortController();
  ends.push(
    () => store.stop(),
    () => following.abort(),
  );
  await store.follow(local, following.signal);
  const shared = new SharedWriter({ store, view: local, timers: steadyClock, log });
  shared.start();
  ends.push(() => shared.stop());
  const people_ = directory({});
  const view = {
    ...viewOf({ directory: people_ }),
    associationAt: (id: string) => local.associationAt(id),
    associationOf: (extension: string) => local.associationOf(extension),
    onChange: (listener: Parameters<LocalView['onChange']>[0]) => local.onChange(listener),
  };
  const lines = new Lines(log);
  const extensionOf = (resource: string): string | undefined => people_.users.get(resource)?.extension;
  const people = new PersonLines({ lines, view, shared, node, clock: steadyClock, log, extensionOf });
  const pack = new DialogPackage({ people, view, numberPlan: UK, domain: 'hotdesk.test' });
  const told: string[] = [];
  pack.watch((resource) => told.push(resource));
  people.start();
  ends.push(() => people.stop());
  const states = (resource: string): string =>
    [...pack.stateFor({ resource }, 0).body.matchAll(/<state>(\w+)/g)].map(([, state]) => state).join();
  return { store, shared, lines, people, told, states };
}

function call(node: Node, host: string): ReturnType<Lines['begin']> {
  const remote = '"Ann" <sip:1002@hotdesk.test>';
  return node.lines.begin({ kind: 'host', host }, { direction: 'recipient', remote });
}

function written(node: Node): string[] {
  return [...node.shared.entries('line:')].map(([name]) => name);
}

/** Tries until it holds. */
function eventually(holds: () => void): Promise<void> {
  return vi.waitFor(holds, { timeout: 3_000, interval: 5 });
}

test('state follows calls and person; nothing is written unless somebody watches', async () => {
  const early = call(one, 'd1');
  await one.store.associate(login('d1', '1001'));
  await eventually(() => expect([one.states('1001'), two.states('1001')]).toEqual(['trying', '']));
  expect(written(one)).toEqual([]);

  two.shared.put('sub:lamp', { event: 'dialog', resource: '1001', node: 'two' }, 60_000);
  await eventually(() => expect(two.states('1001')).toBe('trying'));
  for (const state of ['early', 'confirmed'] as const) {
    if (state === 'early') early.early();
    else early.confirm();
    await eventually(() => expect(two.states('1001')).toBe(state));
  }
  expect(new Set(two.told)).toEqual(new Set(['1001']));

  const other = call(one, 'd2');
  await one.store.associate(login('d2', '1001'));
  await eventually(() => expect([one.states('1001'), two.states('1001')]).toEqual(['trying', 'trying']));
  await eventually(() => expect(written(two)).toEqual(['line:d2:one']));
  other.end();
  await eventually(() => expect([two.states('1001'), written(two)]).toEqual(['', []]));
  early.end();
  await one.store.end(logout({ guest: '1001' }));
});

test('a node that goes takes its lines along', async () => {
  await one.store.associate(login('d1', '1001'));
  two.shared.put('sub:lamp', { event: 'dialog', resource: '1001', node: 'two' }, 60_000);
  await eventually(() => expect(one.people.size).toBeGreaterThan(0));
  call(one, 'd1').confirm();
  await eventually(() => expect(two.states('1001')).toBe('confirmed'));
  one.people.stop();
  await eventually(() => expect([two.states('1001'), written(two)]).toEqual(['', []]));
  expect(two.told.at(-1)).toBe('1001');
});
