import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Binding } from '../../../src/domain/binding.ts';
import { BindingTable } from '../../../src/services/binding-table.ts';
import { FlowIndex } from '../../../src/services/flow-index.ts';
import { binding, NOW } from '../domain/example.ts';

const PORTS = [5060, 5062, 5064];
const HOSTS = ['a', 'b', 'c'];

const bindings = fc.array(
  fc
    .record({ port: fc.constantFrom(...PORTS), expiresAt: fc.integer({ min: NOW - 2, max: NOW + 2 }) })
    .map(({ port, expiresAt }): Binding => {
      const flow = { protocol: 'udp', address: '192.0.2.10', port } as const;
      return binding(`sip:x@192.0.2.10:${port}`, { expiresAt, flow });
    }),
  { maxLength: 3 },
);
const step = fc.oneof(
  fc.record({
    what: fc.constantFrom('put', 'saved', 'keep', 'take'),
    aor: fc.constantFrom(...HOSTS),
    bindings,
  }),
  fc.record({ what: fc.constant('load'), aor: fc.constantFrom(...HOSTS), bindings }),
  fc.record({ what: fc.constant('remember'), aor: fc.constantFrom(...HOSTS), bindings }),
);

function take(
  table: BindingTable,
  { what, aor, bindings: each }: typeof step extends fc.Arbitrary<infer T> ? T : never,
) {
  const set = { version: 1, bindings: each };
  if (what === 'put') table.put(aor, set);
  else if (what === 'saved') table.saved(aor, set, NOW);
  else if (what === 'keep') table.keep(aor, each, NOW);
  else if (what === 'take') table.take(aor, set, NOW);
  else if (what === 'load') table.load(new Map([[aor, set]]), new Map());
  else table.remember(new Map([[aor, each]]));
}

test('who is found by a flow are those whose live bindings have it, after any changes', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
      const table = new BindingTable(() => undefined);
      for (const each of steps) take(table, each);
      for (const port of PORTS) {
        const there = HOSTS.filter((host) => table.of(host, NOW).some(({ flow }) => flow.port === port));
        expect([...table.hostsAt('192.0.2.10', port, NOW)].sort()).toEqual(there);
      }
      expect([...table.hostsAt('192.0.2.11', 5060, NOW)]).toEqual([]);
    }),
    { numRuns: 500 },
  );
});

test('what the disk had counts until the store speaks, and less than what has been heard since', () => {
  const table = new BindingTable(() => undefined);
  const [old, heard] = [binding('sip:old@192.0.2.1'), binding('sip:heard@192.0.2.1')];
  table.keep('b', [heard], NOW);
  table.remember(
    new Map([
      ['a', [old]],
      ['b', [old]],
    ]),
  );
  expect([table.of('a', NOW), table.of('b', NOW)]).toEqual([[old], [heard]]);
  expect(table.setOf('a')).toEqual({ version: 0, bindings: [] });
  table.load(new Map(), new Map());
  expect(table.of('a', NOW)).toEqual([]);
  table.remember(new Map([['a', [old]]]));
  expect(table.of('a', NOW)).toEqual([]);
});

test('each change is told, a load is not', () => {
  const told: string[] = [];
  const table = new BindingTable((aor) => told.push(aor));
  table.put('a');
  table.keep('b', [], NOW);
  table.take('c', { version: 1, bindings: [] }, NOW);
  table.load(new Map(), new Map());
  expect(told).toEqual(['a', 'b', 'c']);
});

test('a flow nobody has any more is forgotten, however often phones move', () => {
  const index = new FlowIndex();
  const at = (port: number) => [{ flow: { address: '192.0.2.10', port } }];
  for (const host of ['a', 'b', 'c']) index.replace(host, [], at(1));
  for (let port = 1; port < 100; port++)
    for (const host of ['a', 'b', 'c']) index.replace(host, at(port), at(port + 1));
  expect(index.size).toBe(1);
  expect([...index.hostsAt({ address: '192.0.2.10', port: 100 })]).toEqual(['a', 'b', 'c']);
  for (const host of ['c', 'a', 'b']) index.replace(host, at(100), []);
  expect(index.size).toBe(0);
});
