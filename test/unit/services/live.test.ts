import { expect, test } from 'vitest';
import type { ChangeEvent } from '../../../src/domain/association.ts';
import { isRefusal } from '../../../src/domain/reasons.ts';
import { Live } from '../../../src/services/live.ts';
import { StoreUnavailable } from '../../../src/store/store.ts';

/** Changes as they happen: what was missed, who is slow, how many may watch. */

const change = (seq: number): ChangeEvent => ({
  ...{ kind: 'directory', seq, at: seq, actor: 'admin:kim', entries: [] },
});

function world(past: readonly number[] = []) {
  const listeners = new Set<(event: ChangeEvent) => void>();
  const timers: (() => void)[] = [];
  const events = [...past].reverse().map(change);
  const state = { away: false, whileReading: () => {} };
  const setTimer = (_ms: number, run: () => void) => {
    timers.push(run);
    return { cancel: () => void timers.splice(0) };
  };
  const live = new Live({
    view: { onChange: (listen) => listeners.add(listen) && (() => listeners.delete(listen)) },
    store: {
      history: async ({ limit, after = '0' }) => {
        if (state.away) throw new StoreUnavailable('away');
        state.whileReading();
        const from = Number(after);
        const next = from + limit < events.length ? String(from + limit) : undefined;
        return { events: events.slice(from, from + limit), next };
      },
    },
    timers: { setTimer },
  });
  live.start();
  const happen = (seq: number) => {
    for (const listen of listeners) listen(change(seq));
  };
  return { live, state, happen, timers, listeners };
}

function watcher(isQuick = () => true) {
  const heard: (number | string)[] = [];
  const say = (what: number | string) => isQuick() && heard.push(what) > 0;
  const one = {
    event: ({ seq }: ChangeEvent) => say(seq),
    missed: () => say('reset'),
    ping: () => say('ping'),
    close: () => void heard.push('closed'),
  };
  return { one, heard };
}

test('from now on', async () => {
  const { live, happen, timers } = world([1, 2]);
  const { one, heard } = watcher();
  const leave = await live.watch(one);
  happen(3);
  timers.at(-1)?.();
  if (typeof leave !== 'function') throw new Error(leave.refused);
  leave();
  happen(4);
  expect(heard).toEqual([3, 'ping']);
});

test('what was missed comes first, and what happens meanwhile once', async () => {
  const { live, happen, state } = world([5, 6, 7]);
  const { one, heard } = watcher();
  state.whileReading = () => {
    happen(7);
    happen(8);
  };
  await live.watch(one, 5);
  happen(9);
  expect(heard).toEqual([6, 7, 8, 9]);
});

test('too much was missed, or it is forgotten: everything is to be read anew', async () => {
  const many = world(Array.from({ length: 2_600 }, (_, i) => i + 1));
  const forgotten = world([50, 51]);
  for (const { live } of [many, forgotten]) {
    const { one, heard } = watcher();
    await live.watch(one, 3);
    expect(heard).toEqual(['reset']);
  }
});

test('a slow one is let go, and the others stay', async () => {
  const { live, happen } = world();
  let quick = true;
  const [slow, other] = [watcher(() => quick), watcher()];
  await live.watch(slow.one);
  await live.watch(other.one);
  happen(1);
  quick = false;
  happen(2);
  happen(3);
  expect(slow.heard).toEqual([1, 'closed']);
  expect(other.heard).toEqual([1, 2, 3]);
});

test('there may be 200; the store may be away; a stop ends all', async () => {
  const { live, state, listeners } = world();
  const first = watcher();
  await live.watch(first.one);
  state.away = true;
  expect(await live.watch(watcher().one, 1)).toMatchObject({ refused: 'storeUnavailable' });
  for (let i = 1; i < 200; i++) expect(isRefusal(await live.watch(watcher().one))).toBe(false);
  expect(await live.watch(watcher().one)).toEqual({ refused: 'overloaded' });
  live.stop();
  expect(first.heard).toEqual(['closed']);
  expect(listeners.size).toBe(0);
});
