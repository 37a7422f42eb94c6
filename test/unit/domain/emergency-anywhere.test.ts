import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Site } from '../../../src/domain/directory.ts';
import { DirectoryTable } from '../../../src/domain/directory-table.ts';
import { isEmergencyAnywhere, isEmergencyCall } from '../../../src/domain/emergency.ts';
import { decideRoute } from '../../../src/domain/route.ts';
import { binding, company, host, site, UK, viewOf } from './example.ts';

/** What is an emergency number for a phone whose site nobody knows: as if every site were asked in turn. */

const digits = fc.constantFrom('1', '2', '9', '0');
const text = (min: number, max: number) =>
  fc.array(digits, { minLength: min, maxLength: max }).map((each) => each.join(''));
const sites = fc.array(
  fc.record({
    id: fc.constantFrom('a', 'b', 'c'),
    outsideLinePrefix: text(0, 2),
    emergencyNumbers: fc.array(text(2, 4), { maxLength: 2 }),
    gone: fc.boolean(),
  }),
  { maxLength: 8 },
);
const dialled = fc.oneof(
  text(1, 7),
  fc.tuple(text(0, 2), fc.constantFrom('999', '112')).map((parts) => parts.join('')),
  fc.constantFrom('urn:service:sos', 'sip:999@x', 'tel:9-112', 'sip:@', ''),
  fc.string(),
);

function scanned(uri: string, all: Iterable<Site>): string | undefined {
  const every = [undefined, ...all].map((each) => isEmergencyCall(uri, { plan: UK, site: each }));
  return every.find((number) => number !== undefined);
}

describe('any site’s rules', () => {
  test('the index says what a walk through all sites says, after any changes', () => {
    fc.assert(
      fc.property(sites, fc.array(dialled, { minLength: 1, maxLength: 20 }), (steps, uris) => {
        const table = new DirectoryTable();
        for (const { gone, ...each } of steps) {
          if (gone) table.remove('site', each.id);
          else table.put({ kind: 'site', value: site(each.id, each) });
        }
        for (const uri of uris) {
          const found = isEmergencyAnywhere(uri, { plan: UK, directory: table });
          expect(found, uri).toBe(scanned(uri, table.sites.values()));
        }
      }),
      { numRuns: 2_000 },
    );
  });

  test('of sites that read digits differently the first decides', () => {
    const read = (...ids: string[]): string | undefined => {
      const table = new DirectoryTable();
      const rules = {
        own: { emergencyNumbers: ['92222'] },
        behind: { outsideLinePrefix: '9', emergencyNumbers: ['2222'] },
      };
      for (const id of ids) table.put({ kind: 'site', value: site(id, rules[id as keyof typeof rules]) });
      return isEmergencyAnywhere('sip:92222@x', { plan: UK, directory: table });
    };
    expect([read('own', 'behind'), read('behind', 'own'), read('own'), read('behind'), read()]).toEqual([
      ...['92222', '2222', '92222', '2222', undefined],
    ]);
  });
});

test('neither a number nor a flow costs more with ten thousand desks at a thousand sites', () => {
  const table = new DirectoryTable();
  table.put({ kind: 'company', value: company() });
  for (let i = 0; i < 1_000; i++)
    table.put({
      kind: 'site',
      value: site(`s${i}`, { outsideLinePrefix: String(i % 10), emergencyNumbers: [`77${i}`] }),
    });
  for (let i = 0; i < 10_000; i++)
    table.put({ kind: 'host', value: host(`d${i}`, { site: `s${i % 1_000}` }) });
  const flow = { protocol: 'udp', address: '192.0.2.77', port: 5060 } as const;
  let asked = 0;
  const view = {
    ...viewOf({ directory: table }),
    bindingsOf: () => {
      asked += 1;
      return [binding('sip:d@192.0.2.77', { flow })];
    },
    hostByFlow: (address: string, port: number) =>
      address === flow.address && port === flow.port ? 'd9999' : undefined,
  };
  const caller = { kind: 'unknown' } as const;
  const from = (address: string, requestUri = 'sip:999@x') =>
    decideRoute(
      { requestUri, caller, anonymousSource: { address, port: 5060, claimedHost: 'nobody' } },
      view,
      UK,
    );
  expect(from('192.0.2.77')).toMatchObject({ kind: 'emergency', host: { id: 'd9999' } });
  expect(from('192.0.2.78')).toMatchObject({ kind: 'emergency', host: undefined });
  expect(from('192.0.2.78', 'sip:77123@x')).toMatchObject({ kind: 'emergency', number: '77123' });
  expect(from('192.0.2.78', 'sip:01632960500@x')).toMatchObject({ kind: 'refuse' });
  expect(asked).toBe(0);
});
