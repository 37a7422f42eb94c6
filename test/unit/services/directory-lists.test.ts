import { describe, expect, test } from 'vitest';
import { isRefusal } from '../../../src/domain/reasons.ts';
import { toStored } from '../../../src/services/directory-document.ts';
import { DirectoryLists } from '../../../src/services/lists/directory-lists.ts';
import { host, site, user } from '../domain/example.ts';
import { fakeHash } from './fake-passcodes.ts';
import { ACTOR, guestOffice, PASSCODE } from './guest-office.ts';

/** Long lists of the directory: order, words, filters, and cursors under changes. */

const users = [
  user('1001', {
    name: 'Zoë Archer',
    email: 'zoe@example.com',
    addOns: ['guest'],
    numbers: ['+442079461001'],
  }),
  user('1002', { name: 'Amelia Clarke', site: 'leeds', addOns: [] }),
  user('1003', { name: 'bob barker', addOns: ['host'] }),
].map((one) => ({ ...one, passcodeHash: fakeHash(PASSCODE) }));
const hosts = [
  host('d10', { nickname: 'Desk 10' }),
  host('d9', { nickname: 'Desk 9', mac: '0004f2000009' }),
  host('x1', { nickname: 'Äpfel', site: 'leeds' }),
  host('u1003', { kind: 'user', owner: '1003', nickname: 'Loft' }),
];

async function office() {
  const made = await guestOffice({ users, hosts });
  const lists = new DirectoryLists({ view: made.view });
  lists.start();
  return { ...made, lists };
}
type Office = Awaited<ReturnType<typeof office>>;

async function hostIds({ lists }: Office, query: object = {}): Promise<string> {
  const page = await lists.hosts({ sort: 'nickname', limit: 50, ...query });
  return isRefusal(page) ? page.refused : `${page.entries.map(({ id }) => id).join(' ')} (${page.total})`;
}

async function userIds({ lists }: Office, query: object = {}): Promise<string> {
  const page = await lists.users({ sort: 'name', limit: 50, ...query });
  return isRefusal(page) ? page.refused : page.entries.map(({ extension }) => extension).join(' ');
}

describe('order', () => {
  test.each([
    [{}, 'x1 d9 d10 u1003 (4)'],
    [{ descending: true }, 'u1003 d10 d9 x1 (4)'],
    [{ sort: 'id' }, 'd9 d10 u1003 x1 (4)'],
    [{ sort: 'site' }, 'x1 d9 d10 u1003 (4)'],
    [{ limit: 2 }, 'x1 d9 (4)'],
  ])('%j', async (query, expected) => expect(await hostIds(await office(), query)).toBe(expected));

  test('since when: who came first, then those where nobody is', async () => {
    const all = await office();
    await all.hotDesk.associate({ host: 'd10', extension: '1001', actor: ACTOR });
    all.harness.now += 1_000;
    await all.hotDesk.associate({ host: 'd9', extension: '1002', actor: ACTOR });
    expect(await hostIds(all, { sort: 'since' })).toBe('d10 d9 x1 u1003 (4)');
    expect(await userIds(all, { sort: 'since' })).toBe('1001 1002 1003');
    await all.hotDesk.release({ host: 'd10', actor: ACTOR });
    expect(await hostIds(all, { sort: 'since' })).toBe('d9 x1 d10 u1003 (4)');
  });
});

describe('filters', () => {
  test.each([
    [{ q: 'desk' }, 'd9 d10 (2)'],
    [{ q: 'apf' }, 'x1 (1)'],
    [{ q: 'esk' }, ' (0)'],
    [{ q: 'DESK 9' }, 'd9 (1)'],
    [{ q: '00:04:f2' }, 'd9 (1)'],
    [{ q: 'barker' }, 'u1003 (1)'],
    [{ q: '*' }, ' (0)'],
    [{ site: 'leeds' }, 'x1 (1)'],
    [{ kind: 'user' }, 'u1003 (1)'],
    [{ kind: 'unassigned' }, ' (0)'],
    [{ status: 'inUse' }, 'd10 (1)'],
    [{ status: 'free', limit: 1 }, 'x1 (3)'],
    [{ q: 'archer' }, 'd10 (1)'],
    [{ registered: true }, ' (0)'],
    [{ maySee: ({ site }: { site: string }) => site === 'leeds' }, 'x1 (1)'],
  ])('hosts %j', async (query, expected) => {
    const all = await office();
    await hostIds(all);
    await all.hotDesk.associate({ host: 'd10', extension: '1001', actor: ACTOR });
    expect(await hostIds(all, query)).toBe(expected);
  });

  test.each([
    [{ q: 'zoe' }, '1001'],
    [{ q: 'zoe@exam' }, '1001'],
    [{ q: '020 7946 1001' }, '1001'],
    [{ q: '+442079461001' }, '1001'],
    [{ q: '100' }, '1002 1003 1001'],
    [{ addOn: 'guest' }, '1001'],
    [{ loggedIn: false }, '1002 1003 1001'],
    [{ site: 'leeds' }, '1002'],
  ])('users %j', async (query, expected) => expect(await userIds(await office(), query)).toBe(expected));
});

describe('cursors', () => {
  test('every row once, whatever comes and goes meanwhile', async () => {
    for (const descending of [false, true]) {
      const all = await office();
      const seen: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await all.lists.hosts({ sort: 'nickname', descending, limit: 1, cursor });
        if (isRefusal(page)) throw new Error(page.refused);
        seen.push(...page.entries.map(({ id }) => id));
        cursor = page.next;
        // What has been shown goes: nothing is left out or shown twice.
        const id = page.entries[0]?.id ?? '';
        await all.service.editDirectory(() => ({ remove: [{ kind: 'host', id }] }), ACTOR);
      } while (cursor !== undefined);
      expect(seen).toEqual(descending ? ['u1003', 'd10', 'd9', 'x1'] : ['x1', 'd9', 'd10', 'u1003']);
    }
  });

  test('of another order, or made up: refused', async () => {
    const all = await office();
    const page = await all.lists.hosts({ sort: 'nickname', limit: 1 });
    const cursor = isRefusal(page) ? '' : page.next;
    expect(await hostIds(all, { sort: 'id', cursor })).toBe('invalidCursor');
    expect(await hostIds(all, { descending: true, cursor })).toBe('invalidCursor');
    for (const made of ['x', 'W10', Buffer.from('["nickname",7,"x"]').toString('base64url')])
      expect(await hostIds(all, { cursor: made })).toBe('invalidCursor');
  });
});

test('changes are in the lists at once: names, owners, sites, an import', async () => {
  const all = await office();
  expect(await userIds(all)).toBe('1002 1003 1001');
  await all.service.updateUser('1003', (before) => ({ ...before, name: 'Aaron Bell' }), { actor: ACTOR });
  expect(await userIds(all)).toBe('1003 1002 1001');
  expect(await hostIds(all, { q: 'aaron' })).toBe('u1003 (1)');
  expect(await hostIds(all, { q: 'barker' })).toBe(' (0)');
  const yaml = await all.service.exportYaml();
  if (isRefusal(yaml)) throw new Error('no directory');
  await all.service.importYaml(yaml.replace('Desk 9', 'Zebra'), { actor: ACTOR });
  expect(await hostIds(all)).toBe('x1 d10 u1003 d9 (4)');
});

test('a phone that was somebody’s is found by what they are called now', async () => {
  const all = await office();
  const was = { kind: 'commonArea', owner: undefined, reservedFor: '1003', enabled: false } as const;
  await all.service.updateHost('u1003', (before) => ({ host: { ...before, ...was } }), ACTOR);
  expect(await hostIds(all, { q: 'barker' })).toBe('u1003 (1)');
  await all.service.updateUser('1003', (before) => ({ ...before, name: 'Aaron Bell' }), { actor: ACTOR });
  expect(await hostIds(all, { q: 'aaron' })).toBe('u1003 (1)');
  expect(await hostIds(all, { q: 'barker' })).toBe(' (0)');
});

test('many changes at once, and changes while the lists are put in order', async () => {
  const all = await office();
  const people = Array.from({ length: 300 }, (_, i) => ({
    extension: String(20_000 + i),
    name: `Many ${i}`,
  }));
  const like = all.view.directory?.users.get('1001');
  if (!like) throw new Error('nobody');
  const put = people.map((person) => ({ kind: 'user' as const, value: { ...like, ...person, numbers: [] } }));
  expect(await userIds(all)).toBe('1002 1003 1001');
  expect(await all.service.editDirectory(() => ({ put }), ACTOR)).toBe('done');
  // Both ask while it is being put in order, the second after the first began to wait.
  const both = [userIds(all, { q: 'many 299' }), userIds(all, { q: 'many 298' })];
  expect(await Promise.all(both)).toEqual(['20299', '20298']);
  const asked = userIds(all, { q: 'many 299' });
  await all.service.updateUser('20299', (before) => ({ ...before, name: 'Other' }), { actor: ACTOR });
  await asked;
  expect(await userIds(all, { q: 'many 299' })).toBe('');
  expect(await userIds(all, { q: 'other' })).toBe('20299');
  expect(await userIds(all, { q: 'many 29', limit: 3 })).toBe('20029 20290 20291');
});

test('a site that gets another name while the lists are put in order by the one before', async () => {
  const all = await office();
  const { view } = all;
  const asked = hostIds(all, { sort: 'site' });
  // The rows of phones are made by now, the site's own is not.
  view.onEntries(toStored([{ kind: 'site', value: site('leeds', { name: 'Zennor' }) }]));
  const about = { at: 0, actor: ACTOR, entries: ['site:leeds'] };
  view.onEvent({ kind: 'directory', seq: view.directoryVersion + 1, ...about });
  expect(await asked).toBe('d9 d10 u1003 x1 (4)');
  expect(await hostIds(all, { sort: 'site' })).toBe('d9 d10 u1003 x1 (4)');
});

test('phones that have moved since anybody confirmed their address', async () => {
  const all = await office();
  const location = { network: '192.0.2.0/24', verified: false };
  await all.service.updateHost('d9', (before) => ({ host: { ...before, location } }), ACTOR);
  await all.service.updateHost(
    'd10',
    (before) => ({ host: { ...before, location: { ...location, verified: true } } }),
    ACTOR,
  );
  expect(await hostIds(all, { verified: false })).toBe('d9 (1)');
  expect(await hostIds(all, { verified: true })).toBe('x1 d10 u1003 (3)');
});

test('the phones of one person, and of nobody else by any word', async () => {
  const all = await office();
  expect(await hostIds(all, { owner: '1003' })).toBe('u1003 (1)');
  expect(await hostIds(all, { owner: '1003', kind: 'commonArea' })).toBe(' (0)');
  for (const owner of ['100', '1001', 'Loft', '']) expect(await hostIds(all, { owner })).toBe(' (0)');
});

test('a guest is offered hosts of their own site first, page by page', async () => {
  const all = await office();
  await all.service.updateUser('1001', (before) => ({ ...before, site: 'leeds' }), { actor: ACTOR });
  const first = await all.lists.hostsFor('1001', { limit: 2 });
  if (isRefusal(first)) throw new Error(first.refused);
  expect([first.entries.map((one) => one.host), first.total]).toEqual([['x1', 'd9'], 4]);
  const second = await all.lists.hostsFor('1001', { limit: 2, cursor: first.next });
  expect(second).toMatchObject({ entries: [{ host: 'd10' }, { host: 'u1003' }], next: undefined });
});
