import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Host, User } from '../../../src/domain/directory.ts';
import { type DirectoryEntry, DirectoryTable } from '../../../src/domain/directory-table.ts';
import { company, host, site, user } from './example.ts';

const numbers = ['+441', '+442', '+443'];
const entry = fc.oneof<fc.Arbitrary<DirectoryEntry>[]>(
  fc
    .record({ id: fc.constantFrom('10', '101', '1011', '2'), held: fc.subarray(numbers) })
    .map(({ id, held }): DirectoryEntry => ({ kind: 'user', value: user(id, { numbers: held }) })),
  fc
    .record({
      id: fc.constantFrom('a', 'b', 'c'),
      owner: fc.constantFrom('10', '2', undefined),
      reserved: fc.constantFrom('10', '2', undefined),
      callback: fc.constantFrom(...numbers, undefined),
      at: fc.constantFrom('london', 'leeds', 'nowhere'),
    })
    .map(
      ({ id, owner, reserved, callback, at }): DirectoryEntry => ({
        kind: 'host',
        value: host(id, {
          ...{ kind: owner ? 'user' : 'commonArea', owner, site: at },
          reservedFor: owner ? undefined : reserved,
          ...(callback && { callbackNumber: callback }),
        }),
      }),
    ),
  fc
    .record({ id: fc.constantFrom('london', 'leeds'), callback: fc.constantFrom(...numbers) })
    .map(
      ({ id, callback }): DirectoryEntry => ({ kind: 'site', value: site(id, { callbackNumber: callback }) }),
    ),
);

const removal = fc.oneof(
  fc.record({ kind: fc.constant('user' as const), id: fc.constantFrom('10', '101', '1011', '2') }),
  fc.record({ kind: fc.constant('host' as const), id: fc.constantFrom('a', 'b', 'c') }),
  fc.record({ kind: fc.constant('site' as const), id: fc.constantFrom('london', 'leeds') }),
);

const ids = (hosts: readonly Host[]): string[] => hosts.map(({ id }) => id).toSorted();

/** What the index says, told from the tables alone. */
function expected(table: DirectoryTable) {
  const users = [...table.users.values()];
  const hosts = [...table.hosts.values()];
  return {
    owned: (extension: string) =>
      ids(hosts.filter((each) => each.kind === 'user' && each.owner === extension)),
    kept: (extension: string) => ids(hosts.filter(({ reservedFor }) => reservedFor === extension)),
    called: (number: string) =>
      ids(
        hosts.filter(
          (each) => (each.callbackNumber ?? table.sites.get(each.site)?.callbackNumber) === number,
        ),
      ),
    holders: (number: string): (User | undefined)[] => users.filter((each) => each.numbers.includes(number)),
    lengths: (n: number) => users.some(({ extension }) => extension.length === n),
    continues: (digits: string) =>
      users.some(({ extension }) => extension.length > digits.length && extension.startsWith(digits)),
  };
}

describe('DirectoryTable', () => {
  test('what is looked up agrees with the entries after any changes', () => {
    const step = fc.oneof(entry, removal);
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const table = new DirectoryTable();
        for (const each of steps) {
          if ('value' in each) table.put(each);
          else table.remove(each.kind, each.id);
        }
        const { index } = table;
        const right = expected(table);
        for (const extension of ['10', '2']) {
          expect(ids(index.hostsOfOwner(extension))).toEqual(right.owned(extension));
          expect(ids(index.hostsReservedFor(extension))).toEqual(right.kept(extension));
        }
        for (const number of numbers) {
          expect(ids(index.hostsByCallback(number))).toEqual(right.called(number));
          // Of two with one number either is right; a number nobody has any more leads nowhere.
          const found = index.userByNumber(number);
          if (found) expect(right.holders(number)).toContain(found);
        }
        for (const n of [1, 2, 3, 4, 5]) expect(index.hasExtensionOfLength(n)).toBe(right.lengths(n));
        for (const digits of ['1', '10', '101', '1011', '2', '3']) {
          expect(index.continuesToExtension(digits)).toBe(right.continues(digits));
        }
      }),
    );
  });

  test('is no directory until the company is there', () => {
    const table = new DirectoryTable();
    expect(table.isComplete).toBe(false);
    expect(() => table.company).toThrow('no company yet');
    table.put({ kind: 'company', value: company() });
    expect(table.company.id).toBe('acme');
  });
});
