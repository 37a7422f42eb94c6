import { beforeEach, describe, expect, test } from 'vitest';
import { DigitQueue } from '../../../../src/sip/menus/digit-queue.ts';
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
