import { beforeEach, describe, expect, test } from 'vitest';
import { Challenges } from '../../../src/sip/challenges.ts';

const BOTH = ['MD5', 'SHA-256'] as const;
const PHONE = { address: '192.0.2.10', user: 'cp1' };
let now = 0;
let challenges: Challenges;

beforeEach(() => {
  now = 1_000_000;
  challenges = new Challenges(BOTH, () => now);
});

describe('which digests a phone is offered', () => {
  test('all, in the order of the configuration', () => {
    expect(challenges.offer(PHONE, 'PolycomVVX-VVX_411-UA/5.9.7.3480')).toEqual(BOTH);
  });

  test('MD5 alone, for a program known to give up at SHA-256', () => {
    expect(challenges.offer(PHONE, 'baresip v1.0.0 (x86_64/linux)')).toEqual(['MD5']);
    expect(challenges.offer(PHONE, 'SIP.js/0.21.1')).toEqual(['MD5']);
  });

  test('MD5 alone, once it has let an offer of both pass', () => {
    challenges.offer(PHONE, 'Unheard of');
    now += 5_000;
    expect(challenges.offer(PHONE, 'Unheard of')).toEqual(['MD5']);
    challenges.answered(PHONE);
    now += 5_000;
    expect(challenges.offer(PHONE, 'Unheard of')).toEqual(['MD5']);
  });

  test('both again, when it answered the last offer', () => {
    challenges.offer(PHONE, 'Unheard of');
    challenges.answered(PHONE);
    now += 5_000;
    expect(challenges.offer(PHONE, 'Unheard of')).toEqual(BOTH);
  });

  test('both, while several requests are on their way', () => {
    challenges.offer(PHONE, 'Unheard of');
    now += 300;
    expect(challenges.offer(PHONE, 'Unheard of')).toEqual(BOTH);
  });

  test('never what the operator has ruled out', () => {
    challenges = new Challenges(['SHA-256'], () => now);
    expect(challenges.offer(PHONE, 'baresip v1.0.0')).toEqual(['SHA-256']);
  });

  test('both, whatever a stranger elsewhere did in its name', () => {
    const stranger = { ...PHONE, address: '203.0.113.66' };
    challenges.offer(stranger, 'friendly-scanner');
    now += 5_000;
    expect(challenges.offer(stranger, 'friendly-scanner')).toEqual(['MD5']);
    expect(challenges.offer(PHONE, 'Unheard of')).toEqual(BOTH);
  });

  test('names without number or end take no more room than others', () => {
    const asker = (n: number) => ({ address: '203.0.113.66', user: `${'x'.repeat(70_000)}${n}` });
    for (let n = 0; n < 20; n++) challenges.offer(asker(n), 'friendly-scanner');
    now += 5_000;
    expect(challenges.offer(asker(99), 'friendly-scanner')).toEqual(['MD5']);
    for (let n = 0; n < 9_000; n++) challenges.offer({ ...PHONE, user: `u${n}` }, '');
    expect(challenges.offer(asker(99), 'friendly-scanner')).toEqual(BOTH);
  });
});
