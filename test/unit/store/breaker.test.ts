import { describe, expect, it } from 'vitest';
import { createBreaker } from '../../../src/store/redis/breaker.ts';

function setUp() {
  const clock = { at: 1000, now: () => clock.at };
  const breaker = createBreaker({ clock, timeouts: 3, openMs: 500 });
  const timeOut = (times: number) => {
    for (let i = 0; i < times; i++) {
      expect(breaker.enter()).toBe(true);
      breaker.timedOut();
    }
  };
  return { clock, breaker, timeOut };
}

describe('breaker', () => {
  it('opens at the third time-out in a row', () => {
    const { breaker, timeOut } = setUp();
    timeOut(2);
    expect(breaker.closed).toBe(true);
    timeOut(1);
    expect(breaker.closed).toBe(false);
    expect(breaker.enter()).toBe(false);
  });

  it('an answer in between starts the count anew', () => {
    const { breaker, timeOut } = setUp();
    timeOut(2);
    breaker.enter();
    breaker.succeeded();
    timeOut(2);
    expect(breaker.closed).toBe(true);
  });

  it('lets one call decide after 500 ms', () => {
    const { clock, breaker, timeOut } = setUp();
    timeOut(3);
    clock.at += 499;
    expect(breaker.enter()).toBe(false);
    clock.at += 1;
    expect(breaker.closed).toBe(true);
    expect([breaker.enter(), breaker.enter(), breaker.closed]).toEqual([true, false, false]);
    breaker.timedOut();
    expect(breaker.enter()).toBe(false);
    clock.at += 500;
    expect(breaker.enter()).toBe(true);
    breaker.succeeded();
    expect([breaker.enter(), breaker.enter()]).toEqual([true, true]);
  });

  it('is not held open by a clock that was set back', () => {
    const { clock, breaker, timeOut } = setUp();
    timeOut(3);
    clock.at -= 60_000;
    expect(breaker.enter()).toBe(true);
  });
});
