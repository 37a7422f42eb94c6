import { describe, expect, test } from 'vitest';
import type { Site } from '../../../src/domain/directory.ts';
import { DirectoryTable } from '../../../src/domain/directory-table.ts';
import { isEmergencyTest } from '../../../src/domain/emergency.ts';
import { type Caller, decideRoute } from '../../../src/domain/route.ts';
import type { View } from '../../../src/domain/view.ts';
import { company, host, site, UK, user, viewOf } from './example.ts';

const london = site('london', { emergencyTestNumbers: ['933'], outsideLinePrefix: '9' });
const desk: Caller = { kind: 'host', host: 'd1' };

function at(place: Site, facts: Partial<Parameters<typeof viewOf>[0]> = {}): View {
  const table = new DirectoryTable();
  table.put({ kind: 'company', value: company() });
  table.put({ kind: 'site', value: place });
  table.put({ kind: 'user', value: user('1001') });
  table.put({ kind: 'host', value: host('d1', { callbackNumber: '+442079460111' }) });
  return viewOf({ directory: table, ...facts });
}

function kindOf(dialled: string, view: View, caller: Caller = desk): string {
  const route = decideRoute({ requestUri: `sip:${dialled}@pbx.example`, caller }, view, UK);
  return route.kind === 'refuse' ? route.reason : route.kind;
}

describe('isEmergencyTest', () => {
  test.each(['sip:933@x', 'tel:9-33', 'sip:9933@x;user=phone', 'sip:%39%33%33@x', '933#'])(
    '%s is one',
    (uri) => expect(isEmergencyTest(uri, london)).toBe(true),
  );
  test.each([
    'sip:9330@x',
    'sip:93@x',
    'sip:99933@x',
    'sip:+933@x',
    'sip:*933@x',
    'sip:9x33@x',
    '',
    'sip:x@933',
  ])('%s is none', (uri) => expect(isEmergencyTest(uri, london)).toBe(false));
  test('without a number or a site there is none', () => {
    expect(isEmergencyTest('sip:933@x', site('leeds'))).toBe(false);
    expect(isEmergencyTest('sip:933@x', undefined)).toBe(false);
    expect(isEmergencyTest('', { ...london, emergencyTestNumbers: [] })).toBe(false);
  });
});

describe('a test number', () => {
  test.each([
    ['nobody is there', {}],
    ['somebody is there', { seats: { d1: '1001' } }],
    ['nobody knows who sits where', { knowledge: 'unknown' as const }],
  ])('is read back when %s', (_when, facts) => {
    const view = at(london, facts);
    const route = decideRoute({ requestUri: 'sip:933@x', caller: desk }, view, UK);
    expect(route).toMatchObject({ kind: 'readBack', host: { id: 'd1' }, callbackNumber: '+442079460111' });
  });

  test('is never sent to a trunk, from wherever it comes', () => {
    const view = at(london, { seats: { d1: '1001' } });
    expect(kindOf('933', view, { kind: 'unknown' })).toBe('callerUnknown');
    expect(kindOf('933', view, { kind: 'trunk', trunk: 'pbx', emergency: false })).toBe('numberUnknown');
    expect(kindOf('933', view, { kind: 'trunk', trunk: 'sos', emergency: true })).toBe('numberUnknown');
    expect(kindOf('9933', view)).toBe('readBack');
  });

  test('is never taken for an emergency number, nor an emergency number for it', () => {
    // The directory's rules refuse this; should it stand there all the same, help is called.
    const careless = at(site('london', { emergencyTestNumbers: ['999', '112'] }));
    for (const number of ['999', '112']) expect(kindOf(number, careless)).toBe('emergency');
  });

  test('is the phone’s own site’s', () => {
    expect(kindOf('933', at(site('london'), { seats: { d1: '1001' } }))).not.toBe('readBack');
  });
});
