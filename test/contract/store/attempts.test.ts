import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MOST_ATTEMPTS, type Store, type WebhookAttempt } from '../../../src/store/store.ts';
import { FakeStore } from '../../support/fake-store.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';
import { newCompany, openStore } from './setup.ts';

let redis: TestRedis;
let raw: Redis;
beforeAll(async () => {
  redis = await startRedis();
  raw = new Redis(redis.path);
});
afterAll(async () => {
  raw.disconnect();
  await redis.stop();
});

const attempt = (n: number): WebhookAttempt => ({
  ...{ at: n, message: `demo:${n}:1`, type: 'association.started', cause: 'change', try: n },
  ...{ delivered: false, status: 500, problem: 'é', durationMs: 3, nextAt: n + 1_000 },
});

async function withRedis(test: (store: Store, company: string) => Promise<void>): Promise<void> {
  const company = newCompany();
  const store = await openStore(redis.path, { company });
  await test(store, company).finally(() => store.stop());
}
const withFake = (test: (store: Store, company: string) => Promise<void>) =>
  test(new FakeStore(() => 1_900_000_000_000), 'none');

describe.each([
  ['Redis', withRedis],
  ['the fake', withFake],
] as const)('tries to deliver in %s', (_name, run) => {
  it('come back as they were, newest first, of this webhook', () =>
    run(async (store) => {
      const bare: WebhookAttempt = {
        ...{ at: 5, message: 'm', type: 'webhook.test', cause: 'test', try: 1 },
        ...{ delivered: true, status: 204, durationMs: 0 },
      };
      await store.noteAttempt('a1', attempt(1));
      await store.noteAttempt('a1', bare);
      await store.noteAttempt('b2', attempt(3));
      expect(await store.attempts('a1', 100)).toEqual([bare, attempt(1)]);
      expect(await store.attempts('a1', 1)).toEqual([bare]);
      expect(await store.attempts('c3', 100)).toEqual([]);
    }));

  it('the newest hundred are kept', () =>
    run(async (store) => {
      for (let n = 1; n <= MOST_ATTEMPTS + 5; n++) await store.noteAttempt('a1', attempt(n));
      const kept = await store.attempts('a1', 1_000);
      expect(kept.map(({ at }) => at)).toEqual(Array.from({ length: MOST_ATTEMPTS }, (_, i) => 105 - i));
    }));
});

it('they lapse, are short, and leave out what cannot be read', () =>
  withRedis(async (store, company) => {
    await store.noteAttempt('a1', { ...attempt(1), problem: 'x'.repeat(9_000) });
    const key = `hd:{${company}}:try:a1`;
    expect(await raw.pttl(key)).toBeGreaterThan(13 * 86_400_000);
    expect((await raw.lindex(key, 0))?.length).toBeLessThan(1_000);
    await raw.lpush(key, 'no json', '{"at":"x"}');
    expect(await store.attempts('a1', 10)).toHaveLength(1);
  }));
