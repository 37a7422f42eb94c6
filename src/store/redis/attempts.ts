import { z } from 'zod';
import { MOST_ATTEMPTS, type Store, StoreUnavailable, type WebhookAttempt } from '../store.ts';
import type { Link } from './connection.ts';
import { decodeJson, decodeStrings } from './decode.ts';
import type { Keys } from './keys.ts';

const KEPT_MS = 14 * 86_400_000;
const LONGEST_PROBLEM = 500;

const whole = z.number().int().nonnegative();
const attempt = z.object({
  at: whole,
  message: z.string(),
  type: z.string(),
  cause: z.enum(['change', 'test', 'resend']),
  try: whole,
  delivered: z.boolean(),
  status: whole.optional(),
  problem: z.string().optional(),
  durationMs: whole,
  nextAt: whole.optional(),
}) satisfies z.ZodType<WebhookAttempt>;

/** Tries to deliver: a short list per webhook, which whoever delivers writes and every node reads. */
export function createAttempts(link: Link, keys: Keys): Pick<Store, 'noteAttempt' | 'attempts'> {
  return {
    async noteAttempt(webhook, noted) {
      const problem = noted.problem?.slice(0, LONGEST_PROBLEM);
      const json = JSON.stringify({ ...noted, problem });
      const args = [json, MOST_ATTEMPTS, KEPT_MS];
      const reply = await link.run({ script: 'noteAttempt', keys: [keys.attempts(webhook)], args });
      if (decodeStrings(reply) === undefined)
        throw new StoreUnavailable('The store gave a reply that cannot be read');
    },
    async attempts(webhook, limit) {
      const most = Math.min(Math.max(1, Math.floor(limit)), MOST_ATTEMPTS);
      const reply = await link.send('LRANGE', keys.attempts(webhook), 0, most - 1);
      const texts = decodeStrings(reply);
      if (texts === undefined) throw new StoreUnavailable('The store gave attempts that cannot be read');
      return texts.flatMap((json) => attempt.safeParse(decodeJson(json)).data ?? []);
    },
  };
}
