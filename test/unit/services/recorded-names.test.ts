import { expect, test } from 'vitest';
import type { ChangeEvent } from '../../../src/domain/association.ts';
import type { Directory } from '../../../src/domain/directory.ts';
import { RecordedNames, type Speaker } from '../../../src/services/recorded-names.ts';
import { StoreUnavailable } from '../../../src/store/store.ts';

/** People's names in their own voice. */

const FIRST: Speaker = { extension: '1001', name: 'Amelia' };
const SECOND: Speaker = { extension: '1002', name: 'Oliver' };

function names(broken?: Error) {
  const kept = new Map<string, Uint8Array>();
  const lines: object[] = [];
  const log = {
    info: (data: object) => void lines.push(data),
    warn: () => undefined,
    error: () => undefined,
  };
  const store = {
    keepRecording: async (name: string, audio: Uint8Array | undefined) => {
      if (broken) throw broken;
      if (audio) kept.set(name, audio);
      else kept.delete(name);
    },
    recording: async (name: string) => {
      if (broken) throw broken;
      return kept.get(name);
    },
  };
  let changed: (event: ChangeEvent) => void = () => undefined;
  const users = new Map<string, Speaker>([FIRST, SECOND].map((speaker) => [speaker.extension, speaker]));
  const view = {
    directory: { users } as unknown as Directory,
    lacks: ({ id }: { id: string }) => !users.has(id),
    onChange: (listener: (event: ChangeEvent) => void) => {
      changed = listener;
      return () => {
        changed = () => undefined;
      };
    },
  };
  const change = (entries: readonly string[] | 'all'): void =>
    changed({ kind: 'directory', seq: 1, at: 0, actor: 'admin:a', entries });
  return { kept, lines, users, change, names: new RecordedNames({ store, view, log }) };
}

const NAME = { mulaw: new Uint8Array([1, 2, 3]) };

test('kept, heard and replaced, by extension', async () => {
  const { kept, lines, names: people } = names();
  expect(await people.of('1001')).toBeUndefined();
  expect(await people.keep(FIRST, NAME)).toBe('done');
  expect(await people.of('1001')).toEqual(NAME);
  expect(await people.of('1002')).toBeUndefined();
  expect([...kept.keys()]).toEqual(['name:1001']);
  const other = { mulaw: new Uint8Array([9]) };
  await people.keep(FIRST, other);
  expect(await people.of('1001')).toEqual(other);
  expect(lines).toEqual(Array(2).fill({ extension: '1001' }));
});

test('whoever leaves the directory takes the name along', async () => {
  const { kept, users, change, names: people } = names();
  people.start();
  await people.keep(FIRST, NAME);
  await people.keep(SECOND, NAME);
  users.delete('1001');
  change(['user:1002', 'host:1001', 'company']);
  change('all');
  expect([...kept.keys()]).toEqual(['name:1001', 'name:1002']);
  change(['user:1001', 'user:1002']);
  expect([...kept.keys()]).toEqual(['name:1002']);
  people.stop();
  users.delete('1002');
  change(['user:1002']);
  expect(kept.size).toBe(1);
});

test('a name that could not be removed is nobody else’s who has the extension next', async () => {
  const { users, change, names: people } = names();
  people.start();
  await people.keep(FIRST, NAME);
  users.set('1001', { ...FIRST, name: 'Somebody Else' });
  change('all');
  expect(await people.of('1001')).toBeUndefined();
  users.set('1001', FIRST);
  expect(await people.of('1001')).toEqual(NAME);
});

test('who has left the directory while they spoke leaves nothing', async () => {
  const { kept, users, names: people } = names();
  users.delete('1001');
  expect(await people.keep(FIRST, NAME)).toEqual({ refused: 'unknownUser' });
  users.set('1001', { ...FIRST, name: 'Somebody Else' });
  await people.keep(FIRST, NAME);
  expect(await people.of('1001')).toBeUndefined();
  expect(kept.size).toBe(1);
});

test.each([
  ['nothing', 0],
  ['more than 80 KB', 80 * 1024 + 1],
])('%s is not kept', async (_what, bytes) => {
  const { kept, names: people } = names();
  expect(await people.keep(FIRST, { mulaw: new Uint8Array(bytes) })).toEqual({ refused: 'notRecorded' });
  expect(kept.size).toBe(0);
});

test('the longest recording is kept', async () => {
  const { kept, names: people } = names();
  expect(await people.keep(FIRST, { mulaw: new Uint8Array(80 * 1024) })).toBe('done');
  expect(kept.size).toBe(1);
});

test('with the store away there is no name, and none can be kept', async () => {
  const { names: people } = names(new StoreUnavailable('away'));
  expect(await people.of('1001')).toBeUndefined();
  expect(await people.keep(FIRST, NAME)).toMatchObject({ refused: 'storeUnavailable' });
});

test('what is broken is not taken for an answer', async () => {
  const { names: people } = names(new TypeError('broken'));
  await expect(people.of('1001')).rejects.toThrow('broken');
  await expect(people.keep(FIRST, NAME)).rejects.toThrow('broken');
});
