import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { DigitQueue, type EmergencyDigits, type PressedKey } from '../../../../src/sip/menus/digit-queue.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { settled } from '../../../support/fake-sip.ts';

let clock: FakeClock;
let queue: DigitQueue;
let call: AbortController;
let firsts: number;

beforeEach(() => {
  clock = new FakeClock();
  queue = new DigitQueue(clock);
  call = new AbortController();
  firsts = 0;
});

/** Collects a field; `digits` is undefined until it is complete. */
function collect(maxDigits = 12, enough?: (digits: string) => boolean): { digits: string | undefined } {
  const field: { digits: string | undefined } = { digits: undefined };
  const wanted = { maxDigits, signal: call.signal, onFirst: () => void firsts++, ...(enough && { enough }) };
  void queue.collect(wanted).then((digits) => {
    field.digits = digits;
  });
  return field;
}

function press(digits: string, source: 'rtp' | 'info' = 'rtp'): void {
  for (const digit of digits) queue.push(digit, source);
}

async function pass(ms: number): Promise<void> {
  await settled();
  clock.advance(ms);
  await settled();
}

describe('a burst', () => {
  test('typed ahead holds both fields', async () => {
    press('1001#583914#');
    const extension = collect();
    await settled();
    const pin = collect();
    await settled();
    expect([extension.digits, pin.digits]).toEqual(['1001', '583914']);
    expect(queue.isEmpty).toBe(true);
    expect(clock.pending).toBe(0);
  });

  test('while the field waits', async () => {
    const extension = collect();
    press('1001#58');
    await settled();
    expect(extension.digits).toBe('1001');
    const pin = collect();
    press('3914#');
    await settled();
    expect(pin.digits).toBe('583914');
  });

  test('of more than anybody needs is cut off at 64', async () => {
    press('1'.repeat(100));
    const all = collect(1000);
    await pass(4000);
    expect(all.digits).toHaveLength(64);
  });
});

describe('a field ends', () => {
  test('with #, which is not part of it', async () => {
    const field = collect();
    press('12');
    await settled();
    expect(field.digits).toBeUndefined();
    press('#');
    await settled();
    expect(field.digits).toBe('12');
  });

  test('with the most digits it may have; the next is for the next field', async () => {
    press('12345');
    const [first, second] = [collect(3), undefined];
    await settled();
    expect(first.digits).toBe('123');
    expect(second).toBeUndefined();
    const rest = collect(2);
    await settled();
    expect(rest.digits).toBe('45');
  });

  test('when the digits say enough', async () => {
    const field = collect(12, (digits) => digits === '999');
    press('99');
    await settled();
    expect(field.digits).toBeUndefined();
    press('9');
    await settled();
    expect(field.digits).toBe('999');
  });

  test.each([
    ['12 s without a first digit', '', 'rtp', 12_000],
    ['4 s after a digit', '12', 'rtp', 4000],
    ['7 s after a digit that came by INFO', '12', 'info', 7000],
  ] as const)('%s', async (_what, digits, source, ms) => {
    const field = collect();
    press(digits, source);
    await pass(ms - 1);
    expect(field.digits).toBeUndefined();
    await pass(1);
    expect(field.digits).toBe(digits);
    expect(clock.pending).toBe(0);
  });

  test('each digit starts the wait anew', async () => {
    const field = collect();
    for (const digit of '1234') {
      press(digit);
      await pass(3900);
    }
    expect(field.digits).toBeUndefined();
    await pass(100);
    expect(field.digits).toBe('1234');
  });

  test('when the caller hangs up, and leaves no timer', async () => {
    const field = collect();
    press('12');
    await settled();
    call.abort();
    await settled();
    expect(field.digits).toBe('12');
    expect(clock.pending).toBe(0);
    const next = collect();
    await settled();
    expect(next.digits).toBe('');
  });
});

test('* starts the field again', async () => {
  const field = collect();
  press('99*1001#');
  await settled();
  expect(field.digits).toBe('1001');
});

test('the first digit is told of once per field', async () => {
  press('12#3#');
  const first = collect();
  await settled();
  expect([first.digits, firsts]).toEqual(['12', 1]);
  collect();
  await settled();
  expect(firsts).toBe(2);
  collect();
  await pass(12_000);
  expect(firsts).toBe(2);
});

describe('keys one by one', () => {
  /** As in the United Kingdom, and one of the site's own. */
  const NUMBERS = ['999', '112', '5555'];
  const emergency: EmergencyDigits = {
    number: (digits) => NUMBERS.find((number) => number === digits),
    begins: (digits) => NUMBERS.some((number) => number !== digits && number.startsWith(digits)),
  };

  /** Asks for a key; `pressed` is 'waiting' until there is an answer. */
  function key(after: Promise<unknown> = Promise.resolve()): { pressed: PressedKey | 'waiting' } {
    const answer: { pressed: PressedKey | 'waiting' } = { pressed: 'waiting' };
    void queue
      .key({ signal: call.signal, emergency, after, onFirst: () => void firsts++ })
      .then((pressed) => {
        answer.pressed = pressed;
      });
    return answer;
  }

  test.each([...'0234678*#'])('%s is an answer at once', async (pressed) => {
    const answer = key();
    await settled();
    press(pressed);
    await settled();
    expect([answer.pressed, firsts, clock.pending]).toEqual([{ key: pressed }, 1, 0]);
  });

  test.each([...'195'])('%s waits a moment: it may begin an emergency number', async (pressed) => {
    const answer = key();
    press(pressed);
    await pass(699);
    expect(answer.pressed).toBe('waiting');
    await pass(1);
    expect([answer.pressed, clock.pending]).toEqual([{ key: pressed }, 0]);
  });

  test('typed ahead are answers one after the other, at once', async () => {
    press('712*');
    for (const wanted of '712*') {
      const answer = key();
      await settled();
      expect(answer.pressed).toEqual({ key: wanted });
    }
    expect(clock.pending).toBe(0);
  });

  test.each(['999', '112', '5555'])('%s is one number, however it is typed', async (number) => {
    press(number);
    const burst = key();
    await settled();
    expect([burst.pressed, queue.isEmpty]).toEqual([{ emergency: number }, true]);

    const byHand = key();
    for (const digit of number) {
      press(digit);
      await pass(500);
    }
    expect(byHand.pressed).toEqual({ emergency: number });
  });

  test('typed so slowly that its first digits have been taken for answers, it is still one', async () => {
    for (const digit of '99') {
      const answer = key();
      press(digit);
      await pass(1900);
      expect(answer.pressed).toEqual({ key: digit });
    }
    const last = key();
    press('9');
    await settled();
    expect(last.pressed).toEqual({ emergency: '999' });
  });

  test('with a phone whose INFO requests come 5 s apart', async () => {
    const seen = [];
    for (const digit of '112') {
      const answer = key();
      press(digit, 'info');
      await pass(5000);
      seen.push(answer.pressed);
    }
    expect(seen).toEqual([{ key: '1' }, { key: '1' }, { emergency: '112' }]);
  });

  test('behind another answer, and after a false start', async () => {
    press('7999');
    const first = key();
    await settled();
    const second = key();
    await settled();
    expect([first.pressed, second.pressed]).toEqual([{ key: '7' }, { emergency: '999' }]);
    press('9112');
    const nine = key();
    await settled();
    const help = key();
    await settled();
    expect([nine.pressed, help.pressed]).toEqual([{ key: '9' }, { emergency: '112' }]);
  });

  test.each([
    ['thoughtful answers', '112', 2001],
    ['answers with a star between', '11*2', 100],
  ])('%s are no number', async (_what, keys, gap) => {
    for (const digit of keys) {
      const answer = key();
      press(digit);
      await pass(gap);
      await pass(700);
      expect(answer.pressed).toEqual({ key: digit });
    }
  });

  test('pressed long ago, far apart, are no number either', async () => {
    press('9');
    await pass(3000);
    press('99');
    const first = key();
    await settled();
    expect(first.pressed).toEqual({ key: '9' });
    const second = key();
    await pass(700);
    expect(second.pressed).toEqual({ key: '9' });
  });

  test('silence counts from the end of the prompt, 12 s', async () => {
    let finish = (): void => undefined;
    const prompt = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const answer = key(prompt);
    await pass(60_000);
    expect(answer.pressed).toBe('waiting');
    finish();
    await pass(11_999);
    expect(answer.pressed).toBe('waiting');
    await pass(1);
    expect([answer.pressed, clock.pending, firsts]).toEqual([undefined, 0, 0]);
  });

  test('a prompt that ends after the answer starts no clock', async () => {
    let finish = (): void => undefined;
    const answer = key(
      new Promise<void>((resolve) => {
        finish = resolve;
      }),
    );
    await settled();
    press('7');
    await settled();
    finish();
    await settled();
    expect([answer.pressed, clock.pending]).toEqual([{ key: '7' }, 0]);
  });

  test.each(['', '9'])('the caller hangs up after %j', async (keys) => {
    const answer = key();
    press(keys);
    await settled();
    call.abort();
    await settled();
    expect(clock.pending).toBe(0);
    expect(answer.pressed).toEqual(keys === '' ? undefined : { key: keys });
  });

  test('whatever is typed, each key comes once, or is part of a number that was typed', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom(...'11299557*#'), { maxLength: 30 }), async (keys) => {
        queue = new DigitQueue(clock);
        const typed = keys.join('');
        press(typed);
        let seen = '';
        /** Behind the last number: its digits are none of the next one's. */
        let free = 0;
        while (!queue.isEmpty) {
          const answer = key();
          await pass(700);
          const { pressed } = answer;
          if (pressed === 'waiting' || pressed === undefined) throw new Error('no answer');
          if ('key' in pressed) seen += pressed.key;
          else {
            // Some of its digits may have been answers already.
            const from = typed.indexOf(pressed.emergency, Math.max(free, seen.length - 3));
            free = from + pressed.emergency.length;
            expect(free).toBeGreaterThan(seen.length);
            seen = typed.slice(0, free);
          }
        }
        expect(seen).toBe(typed);
        expect(clock.pending).toBe(0);
      }),
      { numRuns: 200, examples: [[[...'55555555']]] },
    );
  });
});

test('* in the empty field is the answer where it is asked for, and later starts the field again', async () => {
  const wanted = { maxDigits: 12, signal: call.signal, onFirst: () => undefined, starEnds: true };
  press('*58*3914#');
  expect(await queue.collect(wanted)).toBe('*');
  expect(await queue.collect(wanted)).toBe('3914');
});
