import { beforeEach, describe, expect, test } from 'vitest';
import { Challenges } from '../../../src/sip/challenges.ts';

const BOTH = ['MD5', 'SHA-256'] as const;
let now = 0;
let challenges: Challenges;

beforeEach(() => {
  now = 1_000_000;
  challenges = new Challenges(BOTH, () => now);
});

describe('which digests a phone is offered', () => {
  test('all, in the order of the configuration', () => {
    expect(challenges.offer('cp1', 'PolycomVVX-VVX_411-UA/5.9.7.3480')).toEqual(BOTH);
  });

  test('MD5 alone, for a program known to give up at SHA-256', () => {
    expect(challenges.offer('cp1', 'baresip v1.0.0 (x86_64/linux)')).toEqual(['MD5']);
  });

  test('MD5 alone, once it has let an offer of both pass', () => {
    challenges.offer('cp1', 'Unheard of');
    now += 5_000;
    expect(challenges.offer('cp1', 'Unheard of')).toEqual(['MD5']);
    challenges.answered('cp1');
    now += 5_000;
    expect(challenges.offer('cp1', 'Unheard of')).toEqual(['MD5']);
  });

  test('both again, when it answered the last offer', () => {
    challenges.offer('cp1', 'Unheard of');
    challenges.answered('cp1');
    now += 5_000;
    expect(challenges.offer('cp1', 'Unheard of')).toEqual(BOTH);
  });

  test('both, while several requests are on their way', () => {
    challenges.offer('cp1', 'Unheard of');
    now += 300;
    expect(challenges.offer('cp1', 'Unheard of')).toEqual(BOTH);
  });

  test('never what the operator has ruled out', () => {
    challenges = new Challenges(['SHA-256'], () => now);
    expect(challenges.offer('cp1', 'baresip v1.0.0')).toEqual(['SHA-256']);
  });

  test('both, however often somebody unknown asks', () => {
    challenges.offer(undefined, 'friendly-scanner');
    now += 5_000;
    expect(challenges.offer(undefined, 'friendly-scanner')).toEqual(BOTH);
  });
});
