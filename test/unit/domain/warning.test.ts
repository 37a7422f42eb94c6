import { expect, test } from 'vitest';
import { isWarningDue, minutesUntil } from '../../../src/domain/warning.ts';
import { association, NOW } from './example.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** Began at NOW, with 5 minutes' warning. */
function due(differs: Parameters<typeof association>[2], after: number, minutes = 5): boolean {
  return isWarningDue(association('d1', '1001', differs), { minutes, now: NOW + after });
}

test('five minutes before the deadline, and until it', () => {
  const inTwelveHours = { expiresAt: NOW + 12 * HOUR };
  expect(due(inTwelveHours, 12 * HOUR - 5 * MINUTE - 1)).toBe(false);
  expect(due(inTwelveHours, 12 * HOUR - 5 * MINUTE)).toBe(true);
  expect(due(inTwelveHours, 12 * HOUR - 1)).toBe(true);
  expect(due(inTwelveHours, 12 * HOUR)).toBe(false);
});

test('never, when there is no deadline or the company wants no warning', () => {
  expect(due({}, 12 * HOUR)).toBe(false);
  expect(due({ expiresAt: NOW + HOUR }, HOUR - MINUTE, 0)).toBe(false);
});

test('not to somebody who has just come', () => {
  const soon = { expiresAt: NOW + 6 * MINUTE };
  expect(due(soon, 2 * MINUTE)).toBe(false);
  expect(due(soon, 5 * MINUTE + 1)).toBe(true);
  expect(due({ expiresAt: NOW + 3 * MINUTE }, 2 * MINUTE)).toBe(false);
});

test('with a short idle limit, half of it ahead', () => {
  const idle = { startedAt: NOW - HOUR, expiresAt: NOW + 4 * MINUTE, idleLimitMs: 4 * MINUTE };
  expect(due(idle, 0)).toBe(false);
  expect(due(idle, 2 * MINUTE)).toBe(true);
});

test.each([
  [5 * MINUTE, 5],
  [4.6 * MINUTE, 5],
  [1.4 * MINUTE, 1],
  [100, 1],
])('%i ms are %i minutes', (ms, minutes) => {
  expect(minutesUntil(NOW + ms, NOW)).toBe(minutes);
});
