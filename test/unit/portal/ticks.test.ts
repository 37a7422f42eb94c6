import { describe, expect, test } from 'vitest';
import { ticksWithRoom } from '../../../src/portal/ui/ticks.ts';

/** The words below the axis of a chart: as many as do not touch each other. */

const hours = Array.from({ length: 24 }, (_, hour) => ({
  tick: hour % 3 === 0 ? `${hour}:00`.padStart(5, '0') : '',
}));
const days = (count: number, every: number) =>
  Array.from({ length: count }, (_, day) => ({ tick: (count - 1 - day) % every === 0 ? '22 Nov' : '' }));

describe('the words below a chart', () => {
  test('all of them where there is room', () => {
    expect([...ticksWithRoom(hours, 28)]).toEqual([0, 3, 6, 9, 12, 15, 18, 21]);
  });

  test('every second one on a phone, from midnight', () => {
    expect([...ticksWithRoom(hours, 13)]).toEqual([0, 6, 12, 18]);
  });

  test('days are counted from today', () => {
    expect([...ticksWithRoom(days(30, 4), 10.5)]).toEqual([29, 21, 13, 5]);
  });

  test('one alone, and none', () => {
    expect([...ticksWithRoom(days(1, 1), 300)]).toEqual([0]);
    expect([...ticksWithRoom([], 300)]).toEqual([]);
  });
});
