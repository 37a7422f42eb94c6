import { beforeEach, expect, test } from 'vitest';
import {
  HotelingNonces,
  MOST_NONCES,
  NONCE_LIFETIME_MS,
} from '../../../../src/sip/events/hoteling-nonces.ts';
import { FakeClock } from '../../../support/fake-clock.ts';

let clock: FakeClock;
let nonces: HotelingNonces;
let drawn: number;

beforeEach(() => {
  clock = new FakeClock();
  drawn = 0;
  nonces = new HotelingNonces(clock, () => `n${++drawn}`);
});

test('a nonce is good once', () => {
  const nonce = nonces.issue('s1', '1001');
  expect(nonces.take('s1', { nonce, guest: '1001' })).toBe(true);
  expect(nonces.take('s1', { nonce, guest: '1001' })).toBe(false);
});

test.each([
  ['another subscription', 's2', 'n1', '1001'],
  ['another guest', 's1', 'n1', '1002'],
  ['another nonce', 's1', 'n2', '1001'],
])('not for %s', (_what, subscription, nonce, guest) => {
  nonces.issue('s1', '1001');
  expect(nonces.take(subscription, { nonce, guest })).toBe(false);
});

test('a wrong answer ends the challenge', () => {
  nonces.issue('s1', '1001');
  nonces.take('s1', { nonce: 'x', guest: '1001' });
  expect(nonces.take('s1', { nonce: 'n1', guest: '1001' })).toBe(false);
});

test('a new challenge voids the one before', () => {
  nonces.issue('s1', '1001');
  nonces.issue('s1', '1001');
  expect(nonces.take('s1', { nonce: 'n1', guest: '1001' })).toBe(false);
});

test('a minute, not longer', () => {
  nonces.issue('s1', '1001');
  nonces.issue('s2', '1001');
  clock.advance(NONCE_LIFETIME_MS - 1);
  expect(nonces.take('s1', { nonce: 'n1', guest: '1001' })).toBe(true);
  clock.advance(1);
  expect(nonces.take('s2', { nonce: 'n2', guest: '1001' })).toBe(false);
});

test('the table is bounded: the oldest makes room, and what is over leaves first', () => {
  for (let n = 0; n <= MOST_NONCES; n++) nonces.issue(`s${n}`, '1001');
  expect(nonces.size).toBe(MOST_NONCES);
  expect(nonces.take('s0', { nonce: 'n1', guest: '1001' })).toBe(false);
  expect(nonces.take('s1', { nonce: 'n2', guest: '1001' })).toBe(true);
  clock.advance(NONCE_LIFETIME_MS);
  nonces.issue('new', '1001');
  expect(nonces.size).toBe(1);
});
