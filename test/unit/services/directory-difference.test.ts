import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { DirectoryEntry } from '../../../src/domain/directory-table.ts';
import { differenceOf, sealFile } from '../../../src/services/directory-difference.ts';
import { parseYaml, tableOf } from '../../../src/services/directory-document.ts';
import { portionsOf, readDirectoryYaml } from '../../../src/services/directory-reader.ts';
import { company, directory, host, site, user } from '../domain/example.ts';

/** How much is done in one go, while calls wait. */
const MOST_AT_ONCE = 250;
const DEMO = readFileSync(new URL('../../../config/demo.yaml', import.meta.url), 'utf8');

/** What the work does between two turns, at most, as told by `note`. */
async function mostAtOnce(work: (note: () => void) => Promise<unknown>): Promise<number> {
  let [now, most, isOver] = [0, 0, false];
  const turns = (): void => {
    now = 0;
    if (!isOver) setImmediate(turns);
  };
  turns();
  await work(() => {
    now++;
    most = Math.max(most, now);
  });
  isOver = true;
  return most;
}

test('secrets of many phones are sealed in portions', async () => {
  const { digest: _, ...bare } = host('desk');
  const phone = { ...bare, sipPassword: 'a long password', location: undefined };
  const entries = Array.from({ length: 1_000 }, (_, i) => ({
    ...{ kind: 'host' as const, value: { ...phone, id: `desk${i}`, address: { ...phone.address } } },
  }));
  const most = await mostAtOnce((note) =>
    sealFile(
      { entries, hasWebhooks: false },
      {
        hash: async () => '',
        keep: () => undefined,
        digest: () => {
          note();
          return host('desk').digest;
        },
      },
    ),
  );
  expect(most).toBeGreaterThan(0);
  expect(most).toBeLessThanOrEqual(MOST_AT_ONCE);
});

test('a long file is held against a long directory in portions', async () => {
  const noted = (i: number, note: () => void): DirectoryEntry => {
    const person = user(String(1_000 + i));
    const toJSON = (): object => {
      note();
      return { ...person };
    };
    return { kind: 'user', value: { ...person, toJSON } as typeof person };
  };
  const people = Array.from({ length: 1_000 }, (_, i) => ({ ...user(String(1_000 + i)), name: 'Old' }));
  const before = directory({ users: people });
  const most = await mostAtOnce(async (note) => {
    const entries = Array.from({ length: 1_000 }, (_, i) => noted(i, note));
    const { put } = await differenceOf(before, { entries, hasWebhooks: false });
    expect(put.length).toBe(1_000);
  });
  expect(most).toBeGreaterThan(0);
  expect(most).toBeLessThanOrEqual(MOST_AT_ONCE);
});

test('what a file does not have goes; webhooks only where it speaks of them', async () => {
  const webhook = { id: 'w', url: 'https://example.com', events: [], enabled: true, sealedSecret: 's' };
  const kept: DirectoryEntry[] = [
    { kind: 'company', value: company() },
    { kind: 'site', value: site('london') },
    { kind: 'user', value: user('1001') },
  ];
  const before = tableOf([
    ...kept,
    { kind: 'user', value: user('1002') },
    { kind: 'host', value: host('desk') },
    { kind: 'webhook', value: webhook },
  ]);
  const gone = [
    { kind: 'user', id: '1002' },
    { kind: 'host', id: 'desk' },
  ];
  expect(await differenceOf(before, { entries: kept, hasWebhooks: false })).toEqual({
    put: [],
    remove: gone,
  });
  const { remove } = await differenceOf(before, { entries: kept, hasWebhooks: true });
  expect(remove).toEqual([...gone, { kind: 'webhook', id: 'w' }]);
});

test('a thread tells of a long file in portions, and all of it', async () => {
  const people = Array.from({ length: 500 }, (_, i) => {
    const details = `name: Person ${i}, site: london, callerId: "+44207946${1_000 + i}"`;
    return `  "${20_000 + i}": { ${details}, mailbox: m${i} }\n`;
  });
  const text = DEMO.replace(/^users:\n/m, `users:\n${people.join('')}`);
  const portions = [...portionsOf(parseYaml(text))].map((told) => ('problems' in told ? [] : told.entries));
  expect(Math.max(...portions.map(({ length }) => length))).toBeLessThanOrEqual(MOST_AT_ONCE);
  const read = await readDirectoryYaml(text);
  if (!('entries' in read)) throw new Error(JSON.stringify(read));
  expect(read.entries).toEqual(portions.flat());
  expect(read.entries.filter(({ kind }) => kind === 'user').length).toBe(504);
});
