import { describe, expect, it } from 'vitest';
import { NotLocated } from '../../../src/store/redis/client.ts';
import { describe as wordsFor } from '../../../src/store/redis/connection.ts';
import { createStoreClock } from '../../../src/store/redis/store-clock.ts';

describe('words for an error', () => {
  it.each([
    [new Error('Command timed out'), 'no answer in time'],
    [new Error("Stream isn't writeable and enableOfflineQueue options is false"), 'not connected'],
    [new Error('Connection is closed.'), 'not connected'],
    [
      Object.assign(new Error('connect ECONNREFUSED 10.0.0.1:6379'), { code: 'ECONNREFUSED' }),
      'ECONNREFUSED',
    ],
    [new Error("OOM command not allowed when used memory > 'maxmemory'."), 'Redis refused: OOM'],
    [new Error("ERR unknown command 'X', with args beginning with: '583914'"), 'Redis refused: ERR'],
    [new Error('WRONGPASS invalid username-password pair'), 'Redis refused: WRONGPASS'],
    [new Error('MOVED 5474 10.0.0.1:6379'), 'Redis refused: MOVED'],
    [new NotLocated('no sentinel knows a master'), 'no sentinel knows a master'],
    [new Error('583914'), 'not connected'],
    [{}, 'not connected'],
  ])('%s: %s', (error, words) => {
    expect(wordsFor(error)).toBe(words);
  });
});

describe('the store clock', () => {
  it('is unknown at first, then ours plus the offset in the middle of the round trip', () => {
    const clock = { at: 1000, now: () => clock.at };
    const storeClock = createStoreClock(clock);
    expect(storeClock.in(0)).toBeUndefined();
    const asked = storeClock.ask();
    clock.at += 20;
    asked.answered(5010);
    expect(storeClock.in(250)).toBe(5270);
    storeClock.ask().answered(undefined);
    expect(storeClock.in(0)).toBe(5020);
  });
});
