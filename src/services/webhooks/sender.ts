import type { Webhook } from '../../domain/directory.ts';
import type { Clock } from '../ports.ts';
import type { Sealing } from '../sealing.ts';
import type { WebhookMessage } from './message.ts';
import type { Post } from './post.ts';
import { signatureOf } from './signature.ts';

/** One try. Times in ms. */
export type Attempt =
  | { readonly delivered: true; readonly status: number }
  | {
      readonly delivered: false;
      /** HTTP status, when there was an answer. */
      readonly status: number | undefined;
      /** Why, without secrets. */
      readonly problem: string;
      /** The receiver asks to be left alone for so long. */
      readonly retryAfterMs: number | undefined;
    };

export interface WebhookSender {
  /** Signs and sends once. Never rejects. */
  send(webhook: Webhook, message: WebhookMessage, signal: AbortSignal): Promise<Attempt>;
}

export interface WebhookSenderDependencies {
  readonly post: Post;
  readonly sealing: Sealing;
  readonly clock: Clock;
  readonly userAgent: string;
}

/** What a webhook's secret is sealed for. */
export function sealContext(id: string): string {
  return `webhook:${id}`;
}

/** Sends as the Standard Webhooks specification says. */
export function createWebhookSender(deps: WebhookSenderDependencies): WebhookSender {
  const { post, sealing, clock, userAgent } = deps;
  return {
    async send({ id: webhook, url, sealedSecret }, message, signal) {
      const secret = sealing.open(sealedSecret, sealContext(webhook));
      if (secret === undefined) return failed('the secret cannot be read by this server; make a new one');
      const { id } = message;
      const timestamp = Math.floor(clock.now() / 1000);
      const body = JSON.stringify(message);
      const headers = {
        'Content-Type': 'application/json',
        'User-Agent': userAgent,
        'Webhook-Id': id,
        'Webhook-Timestamp': String(timestamp),
        'Webhook-Signature': signatureOf({ id, timestamp, body }, secret),
      };
      const result = await post({ url, headers, body }, signal);
      if ('problem' in result) return failed(result.problem);
      const { status, retryAfter } = result;
      if (status >= 200 && status < 300) return { delivered: true, status };
      const note = status >= 300 && status < 400 ? '; redirects are not followed' : '';
      const retryAfterMs = delayOf(retryAfter, clock.now());
      return { ...failed(`the answer was ${status}${note}`), status, retryAfterMs };
    },
  };
}

function failed(problem: string): Extract<Attempt, { delivered: false }> {
  return { delivered: false, status: undefined, problem, retryAfterMs: undefined };
}

/** Retry-After in seconds or as a date (RFC 9110 10.2.3), in ms from now. */
function delayOf(text: string | undefined, now: number): number | undefined {
  if (text === undefined) return undefined;
  const ms = /^\d{1,9}$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}
