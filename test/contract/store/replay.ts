import { expect } from 'vitest';
import type { Association, ChangeEvent } from '../../../src/domain/association.ts';

/** Who sits where, as the log alone tells it. */
export type State = ReadonlyMap<string, Association>;

/**
 * Replays a change log from its start and checks what every log must fulfil (I4–I7): no gap, no guest on two hosts,
 * no host with two guests, nothing ended twice, a move is an adjacent pair, nothing expires early and nothing is ended
 * otherwise after its deadline. Returns the state after each position; index 0 is the empty one.
 */
export function replay(events: readonly ChangeEvent[]): State[] {
  const states: State[] = [new Map()];
  for (const [i, event] of events.entries()) {
    expect(event.seq, 'no gap').toBe(i + 1);
    const state = new Map(states[i]);
    if (event.kind === 'start') start(state, event, events[i - 1]);
    if (event.kind === 'extend') extend(state, event);
    if (event.kind === 'end') end(state, event, events[i + 1]);
    states.push(state);
  }
  return states;
}

function start(
  state: Map<string, Association>,
  event: ChangeEvent & { kind: 'start' },
  before: ChangeEvent | undefined,
): void {
  const { association } = event;
  expect(association.generation, 'generation is the position').toBe(event.seq);
  expect(association.startedAt).toBe(event.at);
  expect(state.has(association.host), 'host is free').toBe(false);
  const elsewhere = [...state.values()].some(({ guest }) => guest === association.guest);
  expect(elsewhere, 'guest is nowhere else').toBe(false);
  expect(event.reason === 'move', 'a move names the first host').toBe(event.previousHost !== undefined);
  if (event.reason === 'move') {
    expect(before, 'a move is an adjacent pair').toMatchObject({
      ...{ kind: 'end', reason: 'moved' },
      association: { host: event.previousHost, guest: association.guest },
    });
  }
  state.set(association.host, association);
}

function extend(state: Map<string, Association>, event: ChangeEvent & { kind: 'extend' }): void {
  const { association, at } = event;
  const before = state.get(association.host);
  expect({ ...before, expiresAt: association.expiresAt }, 'only the deadline moves').toEqual(association);
  expect(at, 'not after the deadline').toBeLessThan(momentOf(before!));
  expect(momentOf(association), 'never to an earlier moment').toBeGreaterThan(momentOf(before!));
  state.set(association.host, association);
}

function momentOf({ expiresAt }: Association): number {
  return expiresAt === 'never' ? Number.POSITIVE_INFINITY : expiresAt;
}

function end(
  state: Map<string, Association>,
  event: ChangeEvent & { kind: 'end' },
  after: ChangeEvent | undefined,
): void {
  const { association, reason, at } = event;
  expect(state.get(association.host), 'ended once, and as it was').toEqual(association);
  const deadline = momentOf(association);
  if (reason === 'expired') expect(at, 'never early').toBeGreaterThanOrEqual(deadline);
  else expect(at, 'after the deadline it expires and nothing else').toBeLessThan(deadline);
  if (reason === 'moved') {
    expect(after, 'a move is an adjacent pair').toMatchObject({ kind: 'start', reason: 'move' });
  }
  state.delete(association.host);
}
