import type { Store, WebhookAttempt } from '../../store/store.ts';
import type { Log } from '../ports.ts';
import type { WebhookMessage } from './message.ts';
import type { Attempt } from './sender.ts';

/** The delivery log: what every node can read of tries made by any. */

export interface AttemptsDependencies {
  readonly store: Pick<Store, 'noteAttempt'>;
  readonly log: Log;
}

/** What is known of a try besides how it ended. */
export type Tried = Pick<WebhookAttempt, 'at' | 'cause' | 'try' | 'nextAt'> & {
  readonly message: Pick<WebhookMessage, 'id' | 'type'>;
  /** ms since 1970. */
  readonly endedAt: number;
};

/** A try as it is noted. */
export function attemptOf(attempt: Attempt, { message, endedAt, ...tried }: Tried): WebhookAttempt {
  return {
    ...tried,
    message: message.id,
    type: message.type,
    delivered: attempt.delivered,
    status: attempt.status,
    problem: attempt.delivered ? undefined : attempt.problem,
    durationMs: Math.max(0, Math.round(endedAt - tried.at)),
  };
}

/** Notes a try. Nothing waits for it, and a store that is away costs no delivery: the log has a gap then. */
export function noteAttempt(
  { store, log }: AttemptsDependencies,
  webhook: string,
  attempt: WebhookAttempt,
): void {
  store.noteAttempt(webhook, attempt).catch((error: unknown) => {
    log.warn({ err: error, webhook }, 'a try to deliver is missing in the delivery log');
  });
}
