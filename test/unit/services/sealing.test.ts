import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createSealing } from '../../../src/services/sealing.ts';

const OLD = Buffer.alloc(32, 1);
const NEW = Buffer.alloc(32, 2);
const SECRET = 'whsec-key of a webhook';

const sealing = createSealing({ keyId: 'p1', pepper: OLD });

describe('sealing', () => {
  test('what is sealed opens for what it belongs to, and for nothing else', () => {
    const sealed = sealing.seal(SECRET, 'webhook:a');
    expect(sealed).toMatch(/^p1:[A-Za-z0-9+/]+={0,2}$/);
    expect(sealing.open(sealed, 'webhook:a')).toBe(SECRET);
    expect(sealing.open(sealed, 'webhook:b')).toBeUndefined();
    expect(sealing.open(sealed, '')).toBeUndefined();
  });

  test('any text comes back, and never looks the same twice', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string(), (secret, context) => {
        const sealed = sealing.seal(secret, context);
        expect(sealing.open(sealed, context)).toBe(secret);
        expect(sealing.seal(secret, context)).not.toBe(sealed);
      }),
      { numRuns: 50 },
    );
  });

  test('one character changed, missing or added anywhere: not opened', () => {
    const sealed = sealing.seal(SECRET, 'webhook:a');
    for (let at = 0; at < sealed.length; at++) {
      const [before, after] = [sealed.slice(0, at), sealed.slice(at + 1)];
      const other = sealed[at] === 'A' ? 'B' : 'A';
      for (const text of [before + other + after, before + after, `${before}A${sealed.slice(at)}`]) {
        expect(sealing.open(text, 'webhook:a')).toBeUndefined();
      }
    }
  });

  test('odd text is not opened, never an error', () => {
    for (const text of ['', ':', 'p1', 'p1:', 'p1:AAAA', 'p2:AAAA', `p1:${'A'.repeat(38)}==`, 'p1:A:A']) {
      expect(sealing.open(text, 'x')).toBeUndefined();
    }
    fc.assert(fc.property(fc.string(), (text) => sealing.open(`p1:${text}`, 'x') === undefined));
  });

  test('after a new pepper the old seals open as long as the old pepper is kept', () => {
    const sealed = sealing.seal(SECRET, 'webhook:a');
    const rotated = createSealing({ keyId: 'p2', pepper: NEW, olderPeppers: new Map([['p1', OLD]]) });
    expect(rotated.open(sealed, 'webhook:a')).toBe(SECRET);
    expect(rotated.seal(SECRET, 'webhook:a')).toMatch(/^p2:/);
    const forgotten = createSealing({ keyId: 'p2', pepper: NEW });
    expect(forgotten.open(sealed, 'webhook:a')).toBeUndefined();
    expect(forgotten.open(sealed.replace('p1:', 'p2:'), 'webhook:a')).toBeUndefined();
  });

  test('the same id with another pepper opens nothing', () => {
    const other = createSealing({ keyId: 'p1', pepper: NEW });
    expect(other.open(sealing.seal(SECRET, 'x'), 'x')).toBeUndefined();
  });

  test('peppers that will not do are refused', () => {
    expect(() => createSealing({ keyId: 'p1', pepper: new Uint8Array(31) })).toThrow(RangeError);
    expect(() => createSealing({ keyId: 'p:1', pepper: OLD })).toThrow(RangeError);
    const olderPeppers = new Map([['p1', NEW]]);
    expect(() => createSealing({ keyId: 'p1', pepper: OLD, olderPeppers })).toThrow(RangeError);
  });
});
