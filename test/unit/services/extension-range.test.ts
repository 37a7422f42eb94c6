import { describe, expect, test } from 'vitest';
import { DirectoryTable } from '../../../src/domain/directory-table.ts';
import { isEmergencyCall, isEmergencyTest } from '../../../src/domain/emergency.ts';
import { type Caller, decideRoute } from '../../../src/domain/route.ts';
import { directoryProblems } from '../../../src/services/directory-rules.ts';
import { type DirectoryDocument, directorySchema } from '../../../src/services/directory-schema.ts';
import { createNumberPlan } from '../../../src/services/number-plan.ts';
import { company, host, user, viewOf } from '../domain/example.ts';

/**
 * Issue 4: emergency numbers never steal an extension. An extension that the directory's rules let in is never an
 * emergency call, at no site, from no phone, known or not; and what they keep out is one somewhere.
 */

const COUNTRIES = ['GB', 'US', 'AU', 'DE', 'FR', 'IT', 'CH', 'JP', 'IN', 'NZ', 'IE', 'HK'] as const;
/** Outside-line prefixes of the two sites of a company. */
const PREFIXES = [
  ['', ''],
  ['9', ''],
  ['', '0'],
  ['9', '0'],
  ['1', '99'],
  ['00', '112'],
  ['11', '9'],
] as const;
const ADDED = ['2222', '18000', '55'];

const exhaustive = [2, 3, 4].flatMap((length) =>
  Array.from({ length: 10 ** length }, (_, number) => String(number).padStart(length, '0')),
);

/** Of the longer ones: around every emergency number, and an even sample. */
function sampled(numbers: readonly string[]): string[] {
  const around = numbers.flatMap((number) =>
    ['', '0', '1', '9', '12', '99', '112', '999'].flatMap((more) => [number + more, more + number]),
  );
  const even = [5, 6, 7, 8].flatMap((length) =>
    Array.from({ length: 500 }, (_, i) => {
      const number = Math.floor((i * 10 ** length) / 500 + ((i * 7_919) % (10 ** length / 500)));
      return String(number).padStart(length, '0').slice(-length);
    }),
  );
  return [...around, ...even].filter((digits) => digits.length >= 5 && digits.length <= 8);
}

const EMERGENCY = ['999', '911', '112', '000', '106', '110', '111', '113', '115', '117', '118', '119', '144'];
const EXTENSIONS = [...new Set([...exhaustive, ...sampled([...EMERGENCY, ...ADDED, '15', '17', '18'])])];

interface Company {
  readonly country: string;
  readonly prefixes: readonly [string, string];
}

function documentOf({ country, prefixes }: Company): DirectoryDocument {
  const place = (at: 0 | 1, name: string) => ({
    ...{ name, timeZone: 'Europe/London', callbackNumber: '+442079460100', outsideLinePrefix: prefixes[at] },
    ...{ emergencyNumbers: at === 1 ? ADDED : [], emergencyTestNumbers: at === 0 ? ['933'] : [] },
  });
  const bare = directorySchema.parse({
    company: { id: 'acme', name: 'Acme', country, hotDeskLicences: 0 },
    sites: { london: place(0, 'London'), leeds: place(1, 'Leeds') },
    users: { 10: { name: 'X', site: 'london', callerId: '+442079460101' } },
    hosts: {},
  });
  const [one] = Object.values(bare.users);
  return { ...bare, users: Object.fromEntries(EXTENSIONS.map((extension) => [extension, one])) as never };
}

function refusedOf(document: DirectoryDocument): ReadonlySet<string> {
  const named = directoryProblems(document).map((text) => /^users\.(\d+): dialling it/.exec(text)?.[1]);
  return new Set(named.filter((extension) => extension !== undefined));
}

function facts(at: Company, document: DirectoryDocument) {
  const plan = createNumberPlan(at.country);
  if (!plan) throw new Error(at.country);
  const table = new DirectoryTable();
  table.put({ kind: 'company', value: company({ country: at.country }) });
  for (const [id, value] of Object.entries(document.sites))
    table.put({ kind: 'site', value: { id, ...value } });
  for (const id of ['london', 'leeds']) table.put({ kind: 'host', value: host(id, { site: id }) });
  for (const extension of EXTENSIONS) table.put({ kind: 'user', value: user(extension, { numbers: [] }) });
  const view = viewOf({ directory: table, seats: { london: '4711', leeds: '4712' } });
  return { plan, view, sites: [...table.sites.values()] };
}

const CALLERS: readonly Caller[] = [
  { kind: 'host', host: 'london' },
  { kind: 'host', host: 'leeds' },
  { kind: 'unknown' },
  { kind: 'trunk', trunk: 'pbx', emergency: false },
];

/** Whether dialling it calls for help, or reads an address aloud, at any site or where no site is known. */
function isTaken(extension: string, { plan, sites }: ReturnType<typeof facts>): boolean {
  return [undefined, ...sites].some(
    (place) =>
      isEmergencyCall(extension, { plan, site: place }) !== undefined || isEmergencyTest(extension, place),
  );
}

describe('no extension is stolen', () => {
  const companies = COUNTRIES.flatMap((country) => {
    const prefixes = country === 'GB' ? PREFIXES : [PREFIXES[0], PREFIXES[3]];
    return prefixes.map((each) => ({ country, prefixes: each }));
  });
  test.each(companies)('$country, outside line $prefixes', (each) => {
    const document = documentOf(each);
    const refused = refusedOf(document);
    const known = facts(each, document);
    const taken = EXTENSIONS.filter((extension) => isTaken(extension, known));
    expect(taken.filter((extension) => !refused.has(extension))).toEqual([]);
    expect([...refused].filter((extension) => !taken.includes(extension))).toEqual([]);
    expect(taken.length).toBeGreaterThan(3);
  });

  test.each(PREFIXES)('GB, outside line %j and %j: whoever dials it', (...prefixes) => {
    const document = documentOf({ country: 'GB', prefixes });
    const refused = refusedOf(document);
    const { plan, view } = facts({ country: 'GB', prefixes }, document);
    const stolen = EXTENSIONS.filter((extension) => {
      const requestUri = `sip:${extension}@pbx.example`;
      const kinds = CALLERS.map((caller) => decideRoute({ requestUri, caller }, view, plan).kind);
      return !refused.has(extension) && kinds.some((kind) => kind === 'emergency' || kind === 'readBack');
    });
    expect(stolen).toEqual([]);
  });

  test('few are refused, and exactly those that must be', () => {
    const refused = (country: string, prefixes: readonly [string, string]) =>
      [...refusedOf(documentOf({ country, prefixes }))].sort();
    const added = ['18000', '2222', '55'];
    expect(refused('GB', ['', ''])).toEqual(['112', '933', '999', ...added].sort());
    expect(refused('GB', ['9', ''])).toEqual(['112', '933', '999', '9112', '9933', '9999', ...added].sort());
    expect(refused('US', ['', ''])).toEqual(['112', '911', '933', ...added].sort());
    expect(refused('DE', ['', '0'])).toEqual(
      ['110', '112', '933', '0110', '0112', '018000', '02222', '055', ...added].sort(),
    );
  });

  test('9999 and 1120 are extensions where no prefix makes them more', () => {
    const { view, plan } = facts(
      { country: 'GB', prefixes: ['', ''] },
      documentOf({ country: 'GB', prefixes: ['', ''] }),
    );
    for (const extension of ['9999', '1120', '9990', '0999', '0112', '1112', '99', '9112']) {
      for (const caller of CALLERS) {
        const route = decideRoute({ requestUri: `sip:${extension}@x`, caller }, view, plan);
        expect(route.kind, extension).not.toBe('emergency');
      }
    }
  });
});
