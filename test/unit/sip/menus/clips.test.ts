import { describe, expect, test } from 'vitest';
import { promptIds } from '../../../../src/media/prompt-ids.ts';
import { counted, hoursClips, minutesClips, pinLengthClips } from '../../../../src/sip/menus/clips.ts';

const HOUR = 3_600_000;

/** Clips in a line, as they are said. */
function heard(clips: readonly string[]): string {
  return clips.map((clip) => clip.replace(/^(number|digit)-/, '')).join(' ');
}

describe('numbers as one says them', () => {
  test.each([
    [1, '1'],
    [10, '10'],
    [19, '19'],
    [20, '20'],
    [42, '40 2'],
    [100, '1 hundred'],
    [101, '1 hundred and 1'],
    [112, '1 hundred and 12'],
    [168, '1 hundred and 60 8'],
    [999, '9 hundred and 90 9'],
  ])('%i: %s', (count, words) => {
    expect(heard(counted(count))).toBe(words);
  });

  test('all of them have been recorded', () => {
    const recorded = promptIds('config/prompts/en-GB');
    const wanted = new Set(Array.from({ length: 999 }, (_, i) => counted(i + 1)).flat());
    expect([...wanted].filter((clip) => !recorded.includes(clip))).toEqual([]);
  });
});

test.each([
  [0.2, 'less-than-an-hour'],
  [1, 'one-hour'],
  [12, '12 hours'],
  [120, '1 hundred and 20 hours'],
])('%d h: %s', (hours, words) => {
  expect(heard(hoursClips(hours * HOUR))).toBe(words);
});

test.each([
  [1, 'one-minute'],
  [2, '2 minutes'],
  [15, '15 minutes'],
])('%i min: %s', (minutes, words) => {
  expect(heard(minutesClips(minutes))).toBe(words);
});

test.each([
  [{ min: 6, max: 12 }, 'pin-needs-between 6 and 12 digits'],
  [{ min: 4, max: 4 }, 'pin-needs 4 digits'],
])('%o: %s', (length, words) => {
  expect(heard(pinLengthClips(length))).toBe(words);
});
