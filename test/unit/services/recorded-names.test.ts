import { expect, test } from 'vitest';
import type { ChangeEvent } from '../../../src/domain/association.ts';
import { RecordedNames } from '../../../src/services/recorded-names.ts';
import { StoreUnavailable } from '../../../src/store/store.ts';

/** People's names in their own voice. */

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
  const view = {
    lacks: ({ id }: { id: string }) => id !== '1002',
    onChange: (listener: (event: ChangeEvent) => void) => {
      changed = listener;
      return () => {
        changed = () => undefined;
      };
    },
  };
  const change = (entries: readonly string[] | 'all'): void =>
    changed({ kind: 'directory', seq: 1, at: 0, actor: 'admin:a', entries });
  return { kept, lines, change, names: new RecordedNames({ store, view, log }) };
}

const NAME = { mulaw: new Uint8Array([1, 2, 3]) };

test('kept, heard and replaced, by extension', async () => {
  const { kept, lines, names: people } = names();
  expect(await people.of('1001')).toBeUndefined();
  expect(await people.keep('1001', NAME)).toBe('done');
  expect(await people.of('1001')).toEqual(NAME);
  expect(await people.of('1002')).toBeUndefined();
  expect([...kept.keys()]).toEqual(['name:1001']);
  const other = { mulaw: new Uint8Array([9]) };
  await people.keep('1001', other);
  expect(await people.of('1001')).toEqual(other);
  expect(lines).toEqual(Array(2).fill({ extension: '1001' }));
});

test('whoever leaves the directory takes the name along', async () => {
  const { kept, change, names: people } = names();
  people.start();
  await people.keep('1001', NAME);
  await people.keep('1002', NAME);
  change(['user:1002', 'host:1001', 'company']);
  change('all');
  expect([...kept.keys()]).toEqual(['name:1001', 'name:1002']);
  change(['user:1001', 'user:1002']);
  expect([...kept.keys()]).toEqual(['name:1002']);
  people.stop();
  await people.keep('1001', NAME);
  change(['user:1001']);
  expect(kept.size).toBe(2);
});

test.each([
  ['nothing', 0],
  ['more than 80 KB', 80 * 1024 + 1],
])('%s is not kept', async (_what, bytes) => {
  const { kept, names: people } = names();
  expect(await people.keep('1001', { mulaw: new Uint8Array(bytes) })).toEqual({ refused: 'notRecorded' });
  expect(kept.size).toBe(0);
});

test('the longest recording is kept', async () => {
  const { kept, names: people } = names();
  expect(await people.keep('1001', { mulaw: new Uint8Array(80 * 1024) })).toBe('done');
  expect(kept.size).toBe(1);
});

test('with the store away there is no name, and none can be kept', async () => {
  const { names: people } = names(new StoreUnavailable('away'));
  expect(await people.of('1001')).toBeUndefined();
  expect(await people.keep('1001', NAME)).toEqual({ refused: 'storeUnavailable' });
});

test('what is broken is not taken for an answer', async () => {
  const { names: people } = names(new TypeError('broken'));
  await expect(people.of('1001')).rejects.toThrow('broken');
  await expect(people.keep('1001', NAME)).rejects.toThrow('broken');
});
