import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createKeys } from '../../../src/store/redis/keys.ts';

describe('keys', () => {
  it.each(['', 'a}b', 'A', 'a b', '{a}', 'a\n', 'é'])('refuses the company id %j', (company) => {
    expect(() => createKeys(company)).toThrow(TypeError);
  });

  it('are all in the slot of their company', () => {
    const keys = createKeys('demo-1');
    const all = [
      ...Object.values(keys).filter((key) => typeof key === 'string'),
      keys.operation('0f8fad5b-d9cb-469f-a165-70867728950e'),
      keys.contacts('cp0004f2000001'),
      keys.guesses('x', '1001'),
    ];
    expect(new Set(all).size).toBe(all.length);
    for (const key of all) expect(key).toMatch(/^hd:\{demo-1\}:[a-zA-Z0-9:._-]+$/);
  });

  it('no id whatever makes a guess counter of another kind, slot or length', () => {
    const keys = createKeys('demo');
    fc.assert(
      fc.property(fc.string(), fc.string(), (a, b) => {
        expect(keys.guesses('h', a)).toMatch(/^hd:\{demo\}:guess:h:[A-Za-z0-9._:~-]{1,64}$/);
        if (a !== b) expect(keys.guesses('h', a)).not.toBe(keys.guesses('h', b));
      }),
    );
  });

  it.each(['', 'a:b', 'a}b', 'x'.repeat(65)])('refuses the operation id %j', (opId) => {
    expect(() => createKeys('demo').operation(opId)).toThrow(TypeError);
  });
});
