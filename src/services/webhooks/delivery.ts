import type { ChangeEvent } from '../../domain/association.ts';
import type { Webhook } from '../../domain/directory.ts';
import type { Consumer, Store } from '../../store/store.ts';
import type { Clock, Log, Timers } from '../ports.ts';
import { attemptOf, noteAttempt } from './attempts.ts';
import { messageOf, type WebhookMessage } from './message.ts';
import type { Attempt, WebhookSender } from './sender.ts';

/** How a webhook has done lately, as this node saw it. Times in ms since 1970. */
export interface WebhookStatus {
  lastTriedAt: number | undefined;
  lastDeliveredAt: number | undefined;
  /** HTTP status of the last answer; undefined when the last try had none. */
  lastStatus: number | undefined;
  /** Why the last try failed; undefined when it did not. */
  lastProblem: string | undefined;
  consecutiveFailures: number;
}

export function newStatus(): WebhookStatus {
  return {
    lastTriedAt: undefined,
    lastDeliveredAt: undefined,
    lastStatus: undefined,
    lastProblem: undefined,
    consecutiveFailures: 0,
  };
}

export interface DeliveryDependencies {
  readonly store: Pick<Store, 'addDeadLetter' | 'noteAttempt'>;
  readonly sender: WebhookSender;
  readonly clock: Clock;
  readonly timers: Timers;
  /** From 0 to 1. */
  readonly jitter: () => number;
  readonly company: string;
  readonly log: Log;
}

const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 300_000;
const MAX_TRIES = 12;
/** Pauses, all together. */
const GIVE_UP_MS = 1_800_000;
/** Waits are this much shorter or longer, so that webhooks of one receiver do not come back together. */
const SPREAD = 0.2;

/** Name under which the store keeps how far a webhook has got. */
export function consumerOf(id: string): string {
  return `webhook:${id}`;
}

/** Takes changes one after the other to one webhook: the next waits until this one is delivered or a dead letter. */
export class Delivery implements Consumer {
  readonly name: string;
  readonly #deps: DeliveryDependencies;
  readonly #webhook: Webhook;
  readonly #status: WebhookStatus;
  /** Since a dead letter nothing was delivered: one try each, or the log would grow while a receiver is away. */
  #isDown = false;

  constructor(deps: DeliveryDependencies, webhook: Webhook, status: WebhookStatus) {
    this.name = consumerOf(webhook.id);
    this.#deps = deps;
    this.#webhook = webhook;
    this.#status = status;
  }

  /** Rejects when told to stop, and when the store cannot keep the dead letter: then the change comes again. */
  async take(event: ChangeEvent, signal: AbortSignal): Promise<void> {
    if (!isAskedFor(this.#webhook, event)) return;
    const problem = await this.#deliver(event, signal);
    if (problem === undefined) return;
    this.#isDown = true;
    await this.#keep(event, problem);
  }

  missed(from: number, to: number): void {
    const problem = `changes ${from} to ${to} were forgotten before they could be delivered`;
    this.#keep(undefined, problem).catch((error: unknown) => {
      this.#deps.log.error({ err: error, webhook: this.#webhook.id, from, to }, `webhook: ${problem}`);
    });
  }

  /** The last problem, when every try failed. */
  async #deliver(event: ChangeEvent, signal: AbortSignal): Promise<string | undefined> {
    const { sender, company, timers } = this.#deps;
    const message = messageOf(event, company);
    let waited = 0;
    for (let tries = 1; ; tries++) {
      signal.throwIfAborted();
      const at = this.#deps.clock.now();
      const attempt = await sender.send(this.#webhook, message, signal);
      if (!attempt.delivered) signal.throwIfAborted();
      this.#note(attempt);
      if (attempt.delivered) {
        this.#log(attempt, { at, message, try: tries });
        return undefined;
      }
      const wait = this.#waitAfter(tries, attempt.retryAfterMs);
      const isLast = this.#isDown || tries >= MAX_TRIES || waited + wait > GIVE_UP_MS;
      this.#log(attempt, { at, message, try: tries, ...(isLast ? {} : { wait }) });
      if (isLast) return attempt.problem;
      waited += wait;
      await pause(timers, wait, signal);
    }
  }

  /** 1 s, 2 s, 4 s … 5 min, and no sooner than the receiver asked, within the same 5 min. */
  #waitAfter(tries: number, retryAfterMs = 0): number {
    const spread = 1 - SPREAD + 2 * SPREAD * this.#deps.jitter();
    const backOff = Math.round(FIRST_WAIT_MS * 2 ** (tries - 1) * spread);
    return Math.min(LONGEST_WAIT_MS, Math.max(backOff, retryAfterMs));
  }

  #log(attempt: Attempt, { message, at, wait, try: tries }: Logged): void {
    const endedAt = this.#deps.clock.now();
    const nextAt = wait === undefined ? undefined : endedAt + wait;
    const noted = attemptOf(attempt, { at, message, cause: 'change', try: tries, endedAt, nextAt });
    noteAttempt(this.#deps, this.#webhook.id, noted);
  }

  #note(attempt: Attempt): void {
    const status = this.#status;
    status.lastTriedAt = this.#deps.clock.now();
    status.lastStatus = attempt.status;
    status.lastProblem = attempt.delivered ? undefined : attempt.problem;
    status.consecutiveFailures = attempt.delivered ? 0 : status.consecutiveFailures + 1;
    if (!attempt.delivered) return;
    status.lastDeliveredAt = status.lastTriedAt;
    if (this.#isDown) this.#deps.log.info({ webhook: this.#webhook.id }, 'webhook delivers again');
    this.#isDown = false;
  }

  async #keep(event: ChangeEvent | undefined, problem: string): Promise<void> {
    const { store, clock, log } = this.#deps;
    await store.addDeadLetter({ consumer: this.name, event, problem, at: clock.now() });
    log.warn({ webhook: this.#webhook.id, seq: event?.seq, problem }, 'webhook event not delivered');
  }
}

interface Logged {
  readonly at: number;
  readonly message: WebhookMessage;
  readonly try: number;
  /** ms until it is tried again; absent: it is not. */
  readonly wait?: number;
}

function isAskedFor({ events, emergencyStages }: Webhook, event: ChangeEvent): boolean {
  if (events.length > 0 && !events.includes(event.kind)) return false;
  return event.kind !== 'emergency' || (emergencyStages?.includes(event.stage) ?? true);
}

/** Rejects on abort. */
function pause(timers: Timers, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      timer.cancel();
      reject(signal.reason);
    };
    const timer = timers.setTimer(ms, () => {
      signal.removeEventListener('abort', stop);
      resolve();
    });
    signal.addEventListener('abort', stop, { once: true });
  });
}
