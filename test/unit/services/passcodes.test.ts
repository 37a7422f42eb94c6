import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isPasscodeHash, Passcodes } from '../../../src/services/passcodes.ts';
import { user } from '../domain/example.ts';
import { PEPPER } from './harness.ts';

const passcodes = new Passcodes({ keyId: 'k1', pepper: PEPPER });
const attempt = { company: 'acme', extension: '1001', passcode: '583914' };

describe('Passcodes', () => {
  test('the right passcode of the right person in the right company, and no other', async () => {
    const passcodeHash = await passcodes.hash('acme', '1001', '583914');
    expect(passcodeHash).toMatch(/^k1:\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect(isPasscodeHash(passcodeHash)).toBe(true);
    const ada = user('1001', { passcodeHash });
    expect(await passcodes.verify(ada, attempt)).toBe(true);
    expect(await passcodes.verify(ada, { ...attempt, passcode: '583915' })).toBe(false);
    expect(await passcodes.verify(ada, { ...attempt, extension: '1002' })).toBe(false);
    expect(await passcodes.verify(ada, { ...attempt, company: 'other' })).toBe(false);
    expect(await passcodes.verify(undefined, attempt)).toBe(false);
  });

  test('two hashes of one passcode differ', async () => {
    expect(await passcodes.hash('a', '1', '2')).not.toBe(await passcodes.hash('a', '1', '2'));
  });

  test('without the pepper a hash is worth nothing; an older pepper stays good', async () => {
    const passcodeHash = await passcodes.hash('acme', '1001', '583914');
    const other = Buffer.alloc(32, 7);
    const ada = user('1001', { passcodeHash });
    const stolen = new Passcodes({ keyId: 'k1', pepper: other });
    const rotated = new Passcodes({ keyId: 'k2', pepper: other, olderPeppers: new Map([['k1', PEPPER]]) });
    const forgotten = new Passcodes({ keyId: 'k2', pepper: other });
    expect(await stolen.verify(ada, attempt)).toBe(false);
    expect(await rotated.verify(ada, attempt)).toBe(true);
    expect(await forgotten.verify(ada, attempt)).toBe(false);
    expect([passcodes, rotated].map((each) => each.isOutdated(passcodeHash))).toEqual([false, true]);
    expect(rotated.isOutdated(await rotated.hash('acme', '1001', '583914'))).toBe(false);
  });

  test.each([
    ['m=19456,t=2', false],
    ['m=65536,t=3', false],
    ['m=4096,t=2', true],
    ['m=19456,t=1', true],
  ])('a hash that costs %s is outdated: %s', (cost, outdated) => {
    const made = `k1:$argon2id$v=19$${cost},p=1$${'A'.repeat(22)}$${'A'.repeat(43)}`;
    expect(isPasscodeHash(made)).toBe(true);
    expect(passcodes.isOutdated(made)).toBe(outdated);
  });

  test.each([
    ['m=131072,t=10', true],
    ['m=131073,t=1', false],
    ['m=8,t=11', false],
    ['m=999999,t=99', false],
  ])('a hash that costs %s to check is taken: %s', async (cost, taken) => {
    expect(isPasscodeHash(`k1:$argon2id$v=19$${cost},p=1$${'A'.repeat(22)}$${'A'.repeat(43)}`)).toBe(taken);
  });

  test('nobody, a broken hash and an unknown key cost as much as a wrong passcode', async () => {
    const ada = user('1001', { passcodeHash: await passcodes.hash('acme', '1001', '583914') });
    const broken = [
      undefined,
      user('1', { passcodeHash: undefined }),
      user('1', { passcodeHash: 'k1:rubbish' }),
      user('1', { passcodeHash: 'k9:x' }),
    ];
    const wrong = await cpu(() => passcodes.verify(ada, { ...attempt, passcode: '000000' }));
    for (const somebody of broken) {
      expect(await cpu(() => passcodes.verify(somebody, attempt))).toBeGreaterThan(wrong / 4);
    }
  });

  test('a hash that was made for less work takes as long to check', async () => {
    const cheap = `k1:$argon2id$v=19$m=1024,t=1,p=1$${'A'.repeat(22)}$${'A'.repeat(43)}`;
    const [today, before] = [undefined, user('1', { passcodeHash: cheap })];
    const full = await cpu(() => passcodes.verify(today, attempt));
    expect(await cpu(() => passcodes.verify(before, attempt))).toBeGreaterThan(full / 2);
  });

  test('odd input is a wrong passcode, never an error', async () => {
    const odd = fc.record({
      company: fc.string(),
      extension: fc.string(),
      passcode: fc.string({ unit: 'binary' }),
    });
    await fc.assert(
      fc.asyncProperty(odd, fc.string(), async (guess, passcodeHash) => {
        return !(await passcodes.verify(user('1', { passcodeHash }), guess));
      }),
      { numRuns: 10 },
    );
  });

  test('many at once are done a few at a time, all of them', async () => {
    const one = new Passcodes({ keyId: 'k1', pepper: PEPPER, concurrency: 1 });
    const order: number[] = [];
    await Promise.all([1, 2, 3, 4].map((n) => one.verify(undefined, attempt).then(() => order.push(n))));
    expect(order).toEqual([1, 2, 3, 4]);
  });

  test('a short pepper is refused', () => {
    expect(() => new Passcodes({ keyId: 'k', pepper: new Uint8Array(31) })).toThrow(RangeError);
    expect(() => new Passcodes({ keyId: 'a:b', pepper: PEPPER })).toThrow(RangeError);
    const olderPeppers = new Map([['k0', new Uint8Array(31)]]);
    expect(() => new Passcodes({ keyId: 'k', pepper: PEPPER, olderPeppers })).toThrow(RangeError);
  });
});

/** CPU time of all threads in microseconds, the least of three: the wall clock is shared with other tests. */
async function cpu(work: () => Promise<unknown>): Promise<number> {
  const spent: number[] = [];
  for (let turn = 0; turn < 3; turn++) {
    const before = process.cpuUsage();
    await work();
    const { user: own, system } = process.cpuUsage(before);
    spent.push(own + system);
  }
  return Math.min(...spent);
}
