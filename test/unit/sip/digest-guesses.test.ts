import { beforeEach, describe, expect, test } from 'vitest';
import type { Binding } from '../../../src/domain/binding.ts';
import { DigestGuesses, type Guess, type GuessWait, networkOf } from '../../../src/sip/digest-guesses.ts';
import { binding } from '../domain/example.ts';

let now = 0;
let waits: GuessWait[];
let bindings: Record<string, Binding[]>;
let guesses: DigestGuesses;

beforeEach(() => {
  now = 1_700_000_000_000;
  waits = [];
  bindings = {};
  guesses = new DigestGuesses({
    now: () => now,
    bindingsOf: (user) => bindings[user] ?? [],
    onWait: (wait) => waits.push(wait),
  });
});

function guess(differs: Partial<Guess> = {}): Guess {
  return { user: 'cp1', address: '203.0.113.66', port: 40_000, proven: true, ...differs };
}

function fail(times: number, differs: Partial<Guess> = {}): void {
  for (let n = 0; n < times; n++) guesses.failed(guess(differs));
}

/** Fails once as each of so many users. */
function spray(users: number, differs: Partial<Guess> = {}): void {
  for (let n = 0; n < users; n++) fail(1, { user: `nobody${n}`, ...differs });
}

function home(address: string, port: number): Binding {
  return binding('sip:cp1@192.0.2.10', { flow: { protocol: 'udp', address, port } });
}

describe('guesses for one user from one address', () => {
  test('five are looked at, then waits double up to five minutes', () => {
    fail(4);
    expect(guesses.decide(guess())).toBe('check');
    const seconds: number[] = [];
    for (let n = 0; n < 12; n++) {
      fail(1);
      expect(guesses.decide(guess())).toBe('wait');
      const { ms } = waits.at(-1)!;
      seconds.push(ms / 1000);
      now += ms - 1;
      expect(guesses.decide(guess())).toBe('wait');
      now += 1;
      expect(guesses.decide(guess())).toBe('check');
    }
    expect(seconds).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
    expect(waits).toHaveLength(12);
  });

  test('within a minute of 100 a second, ten are looked at', () => {
    let looked = 0;
    for (let n = 0; n < 6_000; n++, now += 10) {
      if (guesses.decide(guess()) !== 'check') continue;
      looked++;
      guesses.failed(guess());
    }
    expect(looked).toBe(10);
  });

  test('nobody else waits: not another user there, not the same user elsewhere', () => {
    fail(9);
    expect(guesses.decide(guess({ user: 'cp2' }))).toBe('check');
    expect(guesses.decide(guess({ address: '203.0.113.67' }))).toBe('check');
    expect(guesses.decide(guess({ port: 50_000 }))).toBe('wait');
  });

  test('a right answer clears the account, a quarter of an hour forgets it', () => {
    fail(4);
    guesses.succeeded(guess());
    fail(4);
    expect(guesses.decide(guess())).toBe('check');
    now += 900_001;
    fail(4);
    expect(waits).toEqual([]);
    fail(1);
    expect(waits).toHaveLength(1);
  });

  test('a clock set back ends a wait instead of making it longer', () => {
    fail(14);
    now -= 86_400_000;
    expect(guesses.decide(guess())).toBe('check');
  });

  test('who only says to be there has an account of its own', () => {
    fail(9, { proven: false });
    expect(guesses.decide(guess({ proven: false }))).toBe('wait');
    expect(guesses.decide(guess())).toBe('check');
  });

  test('a /64 of IPv6 is one address', () => {
    fail(9, { address: '2001:db8:1:2::7' });
    expect(guesses.decide(guess({ address: '2001:db8:1:2:ffff::1' }))).toBe('wait');
    expect(guesses.decide(guess({ address: '2001:db8:1:3::7' }))).toBe('check');
  });
});

describe('the phone itself', () => {
  const flow = { address: '203.0.113.66', port: 5_060 };

  test('is looked at, at its registered flow, while a neighbour behind the same NAT guesses', () => {
    bindings.cp1 = [home(flow.address, flow.port)];
    fail(20, { port: 40_000 });
    expect(guesses.decide(guess({ port: 40_000 }))).toBe('wait');
    expect(guesses.decide(guess(flow))).toBe('check');
    guesses.succeeded(guess(flow));
    expect(guesses.decide(guess({ port: 40_000 }))).toBe('wait');
  });

  test('is asked to prove that it is there: a forged sender is not looked at', () => {
    bindings.cp1 = [home(flow.address, flow.port)];
    fail(20, { ...flow, proven: false });
    expect(guesses.decide(guess({ ...flow, proven: false }))).toBe('prove');
    expect(guesses.decide(guess(flow))).toBe('check');
  });

  test('waits half a minute at most when somebody guesses through the very same flow, an SBC', () => {
    bindings.cp1 = [home(flow.address, flow.port)];
    fail(20, flow);
    expect(guesses.decide(guess(flow))).toBe('wait');
    now += 30_000;
    expect(guesses.decide(guess(flow))).toBe('check');
  });
});

describe('a spray over many users', () => {
  test('is slowed down as a whole', () => {
    spray(49);
    expect(guesses.decide(guess({ user: 'new' }))).toBe('check');
    spray(1);
    expect(waits.map(({ over }) => over)).toEqual(['spray']);
    expect(guesses.decide(guess({ user: 'new' }))).toBe('wait');
    now += 1_000;
    expect(guesses.decide(guess({ user: 'new' }))).toBe('check');
    spray(1, { user: 'new' });
    now += 1_999;
    expect(guesses.decide(guess({ user: 'newer' }))).toBe('wait');
    expect(guesses.decide(guess({ user: 'newer', address: '203.0.113.67' }))).toBe('check');
  });

  test('is no site with a few broken phones', () => {
    for (let n = 0; n < 100; n++) for (let phone = 0; phone < 19; phone++) fail(1, { user: `cp${phone}` });
    expect(waits.filter(({ over }) => over === 'spray')).toEqual([]);
    expect(guesses.decide(guess({ user: 'cp99' }))).toBe('check');
  });

  test('leaves alone who is registered from there', () => {
    bindings.cp1 = [home('203.0.113.66', 5_060)];
    spray(200);
    expect(guesses.decide(guess({ user: 'cp2' }))).toBe('wait');
    expect(guesses.decide(guess({ port: 5_061 }))).toBe('check');
  });

  test('is not made of phones that failed and then were right', () => {
    for (let phone = 0; phone < 100; phone++) {
      fail(3, { user: `cp${phone}` });
      guesses.succeeded(guess({ user: `cp${phone}` }));
    }
    expect(waits).toEqual([]);
  });
});

describe('room', () => {
  test('is bounded, and made by the oldest', () => {
    fail(14, { user: 'first' });
    for (let n = 0; n < 8_200; n++) fail(1, { address: `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}` });
    expect(guesses.decide(guess({ user: 'first' }))).toBe('check');
  });

  test('names of any length count as one', () => {
    for (let n = 0; n < 5; n++) fail(1, { user: `${'x'.repeat(60_000)}${n}` });
    expect(guesses.decide(guess({ user: `${'x'.repeat(60_000)}5` }))).toBe('wait');
  });
});

describe('the network an address is counted under', () => {
  test.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['2001:0db8:0001:0002:3:4:5:6', '2001:db8:1:2'],
    ['2001:DB8::1', '2001:db8:0:0'],
    ['::1', '0:0:0:0'],
    ['fe80::1:2:3:4', 'fe80:0:0:0'],
    ['1:2:3:4:5::', '1:2:3:4'],
    ['', ''],
  ])('%s: %s', (address, expected) => expect(networkOf(address)).toBe(expected));
});
