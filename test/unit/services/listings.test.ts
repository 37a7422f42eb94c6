import { expect, test } from 'vitest';
import type { Listing } from '../../../src/domain/listing.ts';
import {
  buildListings,
  type Listings,
  renewListings,
  type Stale,
} from '../../../src/services/lists/listings.ts';
import { HOST_SORTS, USER_SORTS } from '../../../src/services/lists/rows.ts';
import { directory, host, user } from '../domain/example.ts';

/** Lists of many entries: built in one go, and brought up to date when much has changed. */

const PEOPLE = 6_000;
const SITES = ['london', 'leeds', 'nowhere'];
const person = (i: number, name = `Person ${(i * 7_919) % PEOPLE}`) =>
  user(String(10_000 + i), { name, site: SITES[i % 3] ?? '' });
const desk = (i: number) => host(`desk${i}`, { nickname: `Desk ${(i * 31) % 90}`, site: SITES[i % 3] ?? '' });
const all = <T>(count: number, make: (i: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => make(i));

function factsOf(users = all(PEOPLE, (i) => person(i)), hosts = all(90, desk)) {
  const seated = new Map([
    ['desk5', { host: 'desk5', guest: '10007', startedAt: 5 }],
    ['desk3', { host: 'desk3', guest: '10009', startedAt: 3 }],
  ]);
  const byGuest = new Map([...seated.values()].map((association) => [association.guest, association]));
  const view = {
    associationAt: (id: string) => seated.get(id),
    associationOf: (extension: string) => byGuest.get(extension),
  };
  return { directory: directory({ users, hosts }), view } as Parameters<typeof buildListings>[0];
}

function orders({ hosts, users }: Listings): Record<string, string[]> {
  const ids = <Sort extends string>(listing: Listing<Sort>, sort: Sort): string[] =>
    listing.order(sort).map(({ id, text }) => `${id} ${text}`);
  return Object.fromEntries([
    ...HOST_SORTS.map((sort) => [`hosts ${sort}`, ids(hosts, sort)]),
    ...USER_SORTS.map((sort) => [`users ${sort}`, ids(users, sort)]),
  ]);
}

test('each order is that of its keys', async () => {
  const { hosts, users } = await buildListings(factsOf());
  const isInOrder = <Sort extends string>(listing: Listing<Sort>, sort: Sort): boolean => {
    const keys = listing.order(sort).map((row) => row.keys[sort]);
    return keys.every((key, i) => i === 0 || (keys[i - 1] ?? '') < key);
  };
  expect(HOST_SORTS.filter((sort) => !isInOrder(hosts, sort))).toEqual([]);
  expect(USER_SORTS.filter((sort) => !isInOrder(users, sort))).toEqual([]);
  expect([hosts.size, users.size]).toEqual([90, PEOPLE]);
});

test('brought up to date it is as if it were made anew', async () => {
  const old = await buildListings(factsOf());
  const people = all(PEOPLE + 500, (i) => person(i, i % 5 === 0 ? `New ${i}` : undefined)).slice(300);
  const facts = factsOf(people, all(95, desk).slice(2));
  const anew = orders(await buildListings(facts));
  expect(orders(await renewListings(old, 'all', facts))).toEqual(anew);
  const named = people.filter((_, i) => (i + 300) % 5 === 0).map(({ extension }) => `user:${extension}`);
  const stale: Stale = new Set([...named, ...all(95, (i) => `host:desk${i}`)]);
  expect(orders(await renewListings(old, stale, facts))).toEqual(anew);
});

test('of what has stayed as it was not even the rows are other ones', async () => {
  const old = await buildListings(factsOf());
  const facts = factsOf(all(PEOPLE, (i) => person(i, i === 7 ? 'Aaron' : undefined)));
  const { users, hosts } = await renewListings(old, new Set(['user:10007']), facts);
  const others = users.order('name').filter((row) => old.users.get(row.id) !== row);
  expect(others.map(({ id }) => id)).toEqual(['10007']);
  // Who sits at it is called otherwise.
  expect(
    hosts
      .order('id')
      .filter((row) => old.hosts.get(row.id) !== row)
      .map(({ id }) => id),
  ).toEqual(['desk5']);
});

test('who is at a site that is called otherwise moves', async () => {
  const old = await buildListings(factsOf());
  const facts = factsOf();
  const { directory: renamed } = facts;
  const london = renamed.sites.get('london');
  (renamed.sites as Map<string, unknown>).set('london', { ...london, name: 'Zebra' });
  expect(orders(await renewListings(old, new Set(['site:london']), facts))).toEqual(
    orders(await buildListings(facts)),
  );
});
