import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Binding } from '../../../src/domain/binding.ts';
import { type CallbackRoute, isOpenCallback } from '../../../src/domain/callback.ts';
import type { Site } from '../../../src/domain/directory.ts';
import { DirectoryTable } from '../../../src/domain/directory-table.ts';
import type { EmergencyRecord } from '../../../src/domain/emergency-record.ts';
import { type Caller, decideRoute, type Route } from '../../../src/domain/route.ts';
import { binding, company, directory, emergency, host, NOW, site, UK, viewOf } from './example.ts';

const SITE = '+442079460100';
const OWN = '+442079460111';
const pbx: Caller = { kind: 'trunk', trunk: 'pbx', emergency: false };
const sos: Caller = { kind: 'trunk', trunk: 'sos', emergency: true };
const acme = directory({});
const here: readonly Binding[] = [binding('sip:phone@192.0.2.1')];
const everywhere = { d1: here, d2: here, d3: here, u1002: here };

type Facts = Parameters<typeof viewOf>[0];

function call(caller: Caller, number: string, facts: Facts = {}): Route {
  const view = viewOf({ directory: acme, bindings: everywhere, ...facts });
  return decideRoute({ requestUri: `sip:${number}@pbx.example`, caller }, view, UK);
}

function callback(number: string, facts: Facts, caller = pbx): CallbackRoute {
  const route = call(caller, number, facts);
  if (route.kind !== 'callback') throw new Error(`is ${JSON.stringify(route)}`);
  return route;
}

/** A directory of one site whose five desks share its number. */
function office(differs: Partial<Site> = {}): DirectoryTable {
  const table = new DirectoryTable();
  table.put({ kind: 'company', value: company() });
  table.put({ kind: 'site', value: site('london', differs) });
  for (const id of ['a', 'b', 'c', 'd', 'e']) table.put({ kind: 'host', value: host(id) });
  return table;
}

describe('a call back', () => {
  const record = emergency('d1', { callbackNumber: OWN });

  test.each([OWN, '02079460111', '442079460111', '+44 20 7946-0111', '%2B442079460111'])(
    'to %s rings the desk the call came from',
    (number) => {
      const route = callback(number, { emergencies: [record] });
      expect(route).toEqual({ kind: 'callback', number: OWN, rounds: [['d1']], roundMs: 20_000, record });
    },
  );

  test.each<[string, Facts]>([
    ['nobody sits there', {}],
    ['somebody else sits there by now', { seats: { d1: '1003' } }],
    ['the guest sits elsewhere', { seats: { d2: '1001' } }],
    ['nobody knows who sits where', { knowledge: 'unknown' }],
    ['there is no directory', { directory: undefined }],
    ['the desk is no longer in the directory', { directory: directory({ hosts: [] }) }],
    ['its site has another number by now', { directory: directory({ hosts: [host('d1')] }) }],
    ['no phone is registered', { bindings: {} }],
  ])('rings it although %s', (_, facts) => {
    const guest = { extension: '1001', name: 'Person 1001' };
    const emergencies = [{ ...record, guest }];
    expect(callback(OWN, { ...facts, emergencies }).rounds).toEqual([['d1']]);
  });

  test('of a person’s number rings the desk while the record is open, and the person again after it', () => {
    const number = '+442079461001';
    const seats = { d2: '1001' };
    const emergencies = [emergency('d1', { callbackNumber: number })];
    expect(callback(number, { seats, emergencies }).rounds).toEqual([['d1']]);
    expect(call(pbx, number, { seats })).toMatchObject({ kind: 'ring', hosts: [{ id: 'd2' }] });
  });

  test('is believed from an ordinary trunk only with an open record', () => {
    expect(call(pbx, OWN)).toEqual({ kind: 'refuse', reason: 'numberUnknown' });
    expect(callback(OWN, {}, sos)).toMatchObject({ rounds: [['d1']], record: undefined });
    expect(call(pbx, OWN, { emergencies: [emergency('d2')] }).kind).toBe('refuse');
  });

  test('from a phone is none: who sits there calls out', () => {
    const facts = { emergencies: [record], seats: { d2: '1001' } };
    expect(call({ kind: 'host', host: 'd2' }, OWN, facts).kind).toBe('trunk');
    expect(call({ kind: 'unknown' }, OWN, facts)).toEqual({ kind: 'refuse', reason: 'callerUnknown' });
  });

  test('is never mistaken for an emergency call, nor the other way round', () => {
    expect(call(sos, '999', { emergencies: [emergency('d1', { callbackNumber: '+999' })] }).kind).toBe(
      'emergency',
    );
  });
});

describe('a number that desks share', () => {
  const bindings = Object.fromEntries(['a', 'b', 'c', 'd', 'e'].map((id) => [id, here]));
  const emergencies = [emergency('c', { at: NOW + 2 }), emergency('a', { at: NOW + 1 }), emergency('b')];
  const rounds = (differs: Partial<Site>, facts: Facts = {}) =>
    callback(SITE, { directory: office(differs), bindings, emergencies, ...facts });

  test('the latest desk first, then the others that have called, then the rest of the site', () => {
    expect(rounds({})).toMatchObject({
      rounds: [['c'], ['a', 'b'], ['d', 'e']],
      roundMs: 20_000,
      record: { host: 'c' },
    });
  });

  test('as the site wants it', () => {
    expect(rounds({ callbackOthersAfter: 7 }).roundMs).toBe(7_000);
    expect(rounds({ callbackOthersAfter: 0 }).rounds).toEqual([['c', 'a', 'b', 'd', 'e']]);
    expect(rounds({ callbackOthersAfter: 'never' })).toMatchObject({
      rounds: [['c'], ['a', 'b']],
      roundMs: 20_000,
    });
  });

  test('as the disk has it while there is no directory', () => {
    const onDisk = office({ callbackOthersAfter: 7 });
    expect(rounds({}, { directory: undefined, onDisk })).toMatchObject({
      rounds: [['c'], ['a', 'b'], ['d', 'e']],
      roundMs: 7_000,
    });
  });

  test('the rest of the site as far as phones are there', () => {
    expect(rounds({}, { bindings: { d: here } }).rounds).toEqual([['c'], ['a', 'b'], ['d']]);
  });

  test('never more than thirty, whatever a site holds', () => {
    const table = office();
    for (let i = 0; i < 100; i++) table.put({ kind: 'host', value: host(`x${i}`) });
    const view = { ...viewOf({ directory: table, emergencies }), bindingsOf: () => here };
    const route = decideRoute({ requestUri: `sip:${SITE}@x`, caller: pbx }, view, UK);
    expect(route.kind === 'callback' && route.rounds.flat()).toHaveLength(30);
    expect(route).toMatchObject({ rounds: [['c'], ['a', 'b'], { length: 27 }] });
  });
});

test('an open record lets calls with its number past full tables', () => {
  const view = viewOf({ emergencies: [emergency('d1', { callbackNumber: OWN })] });
  const isOpen = (uri: string): boolean => isOpenCallback(uri, view, UK);
  expect(isOpen(`sip:${OWN}@hotdesk.test`)).toBe(true);
  expect(isOpen('sip:02079460111@x')).toBe(true);
  expect(isOpen('sip:442079460111@x')).toBe(true);
  expect(isOpen(`sip:${SITE}@x`)).toBe(false);
  expect(isOpen('')).toBe(false);
  expect(isOpen('sip:999@x')).toBe(false);
});

test('whatever is known and whatever is called, the desk of the latest open record rings first, each desk once', () => {
  const ids = fc.constantFrom('d1', 'd2', 'd3', 'u1002', 'gone');
  const records = fc
    .uniqueArray(fc.tuple(ids, fc.constantFrom(SITE, OWN), fc.integer({ min: 0, max: 9 })), {
      selector: ([id]) => id,
    })
    .map((list): EmergencyRecord[] =>
      list
        .map(([id, callbackNumber, s]) => emergency(id, { callbackNumber, at: NOW + s }))
        .sort((a, b) => b.at - a.at),
    );
  const facts = fc.record({
    emergencies: records,
    directory: fc.constantFrom(acme, directory({ hosts: [] }), office(), undefined),
    knowledge: fc.constantFrom('fresh' as const, 'unknown' as const),
    seats: fc.dictionary(ids, fc.constantFrom('1001', '1002')),
    bindings: fc.dictionary(ids, fc.constant(here)),
  });
  fc.assert(
    fc.property(facts, fc.constantFrom(SITE, OWN), fc.constantFrom(pbx, sos), (known, number, caller) => {
      const [latest] = known.emergencies.filter(({ callbackNumber }) => callbackNumber === number);
      const route = call(caller, number, known);
      if (!latest) return caller === sos || route.kind !== 'callback';
      if (route.kind !== 'callback') return false;
      const all = route.rounds.flat();
      return all[0] === latest.host && route.record === latest && new Set(all).size === all.length;
    }),
  );
});
