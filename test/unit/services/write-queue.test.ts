import { expect, test } from 'vitest';
import { WriteQueue } from '../../../src/services/write-queue.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { settle } from './harness.ts';

const FULL = { refused: 'overloaded', detail: 'too many changes at once' };

function queue() {
  const clock = new FakeClock();
  const writes = new WriteQueue(clock);
  let open = (): void => undefined;
  const hold = () =>
    writes.run(
      () =>
        new Promise<void>((resolve) => {
          open = resolve;
        }),
    );
  return { clock, writes, hold, open: () => open() };
}

test('one after the other, in order, also after one that fails', async () => {
  const { writes, hold, open } = queue();
  const done: string[] = [];
  const first = hold();
  const second = writes.run(async () => {
    done.push('second');
    throw new TypeError('broken');
  });
  const third = writes.run(async () => done.push('third'));
  second.catch(() => undefined);
  await settle();
  expect(done).toEqual([]);
  open();
  await first;
  await expect(second).rejects.toThrow('broken');
  expect(await third).toBe(2);
  expect(done).toEqual(['second', 'third']);
});

test('a thousand may wait, and there is room again when they are through', async () => {
  const { writes, hold, open } = queue();
  void hold();
  await settle();
  const waiting = Array.from({ length: 1_000 }, () => writes.run(async () => 'done'));
  expect(await writes.run(async () => 'done')).toEqual(FULL);
  open();
  expect(new Set(await Promise.all(waiting))).toEqual(new Set(['done']));
  expect(await writes.run(async () => 'done')).toBe('done');
});

test('nobody waits for ever', async () => {
  const { clock, writes, hold, open } = queue();
  void hold();
  let done = false;
  const late = writes.run(async () => {
    done = true;
  });
  await settle();
  clock.advance(10_001);
  const soon = writes.run(async () => 'done');
  open();
  expect(await late).toEqual(FULL);
  expect(done).toBe(false);
  expect(await soon).toBe('done');
});
