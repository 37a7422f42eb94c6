import type { ChangeEvent } from '../../domain/association.ts';
import type { Webhook } from '../../domain/directory.ts';
import type { EmergencyStage } from '../../domain/emergency-record.ts';
import { isRefusal, type Refusal } from '../../domain/reasons.ts';
import type { View } from '../../domain/view.ts';
import type { KeptLetter, Store, WebhookAttempt } from '../../store/store.ts';
import type { DirectoryService } from '../directory-service.ts';
import { isOtherTag } from '../entry-tag.ts';
import type { Clock, Log, Random } from '../ports.ts';
import type { Sealing } from '../sealing.ts';
import { whileStoreAnswers } from '../while-store-answers.ts';
import { attemptOf, noteAttempt } from './attempts.ts';
import { consumerOf, type WebhookStatus } from './delivery.ts';
import { messageOf, testMessage, type WebhookMessage } from './message.ts';
import { sealContext, type WebhookSender } from './sender.ts';
import { SECRET_BYTES, secretText } from './signature.ts';
import type { WebhookTargets } from './targets.ts';

export interface WebhooksDependencies {
  readonly view: View;
  readonly directory: Pick<DirectoryService, 'editDirectory'>;
  readonly store: Pick<Store, 'deadLetters' | 'dropDeadLetter' | 'noteAttempt' | 'attempts'>;
  readonly deliveries: { statusOf(id: string): WebhookStatus };
  readonly targets: WebhookTargets;
  readonly sender: WebhookSender;
  readonly sealing: Sealing;
  readonly clock: Clock;
  readonly random: Random & {
    /** Fit for keys. */
    bytes(count: number): Uint8Array;
  };
  readonly company: string;
  readonly log: Log;
}

export interface WebhookState {
  readonly webhook: Webhook;
  readonly status: WebhookStatus;
}

export interface WebhookWish {
  readonly url: string;
  /** Empty: all. */
  readonly events: readonly ChangeEvent['kind'][];
  /** Of emergency calls; undefined: every stage. */
  readonly emergencyStages?: readonly EmergencyStage[] | undefined;
  readonly enabled: boolean;
}

export interface FailedDelivery {
  /** The store's own. */
  readonly id: string;
  /** Id of the webhook. */
  readonly webhook: string;
  readonly at: number;
  readonly problem: string;
  /** Absent: changes that were forgotten before they could be sent. */
  readonly message: WebhookMessage | undefined;
}

export interface WebhookTest {
  readonly delivered: boolean;
  readonly status: number | undefined;
  readonly problem: string | undefined;
  readonly durationMs: number;
}

const MAX_WEBHOOKS = 20;
/** How many of the store's dead letters there are at most. */
const MAX_LETTERS = 1_000;
/** Tests under way at once. */
const MAX_TESTS = 5;
const NAME = 'webhook:';

/** Administration of webhooks. A secret is told when it is made, and never again. */
export class Webhooks {
  readonly #deps: WebhooksDependencies;
  readonly #tests = new Set<AbortController>();

  constructor(deps: WebhooksDependencies) {
    this.#deps = deps;
  }

  list(): readonly WebhookState[] | Refusal {
    const { directory } = this.#deps.view;
    if (!directory) return { refused: 'stateUnknown' };
    return [...directory.webhooks.values()]
      .map((webhook) => this.#stateOf(webhook))
      .sort((a, b) => (a.webhook.id < b.webhook.id ? -1 : 1));
  }

  get(id: string): WebhookState | Refusal {
    const { directory } = this.#deps.view;
    if (!directory) return { refused: 'stateUnknown' };
    const webhook = directory.webhooks.get(id);
    return webhook ? this.#stateOf(webhook) : { refused: 'unknownWebhook' };
  }

  /** Refused with invalidWebhook, tooManyWebhooks, and what the directory refuses. */
  async create(wish: WebhookWish, actor: string): Promise<(WebhookState & { secret: string }) | Refusal> {
    const problem = this.#deps.targets.refuseUrl(wish.url);
    if (problem !== undefined) return { refused: 'invalidWebhook', detail: problem };
    const id = Buffer.from(this.#deps.random.bytes(8)).toString('hex');
    const { secret, sealedSecret } = this.#newSecret(id);
    const webhook: Webhook = withoutUndefined({ ...wish, id, sealedSecret });
    const done = await this.#deps.directory.editDirectory(
      ({ webhooks }) =>
        webhooks.size >= MAX_WEBHOOKS
          ? { refused: 'tooManyWebhooks', detail: `there may be ${MAX_WEBHOOKS}` }
          : { put: [{ kind: 'webhook', value: webhook }] },
      actor,
    );
    if (isRefusal(done)) return done;
    this.#deps.log.info({ webhook: id, actor }, 'webhook created');
    return { ...this.#stateOf(webhook), secret };
  }

  /** Changes what is given, and leaves the rest. Refused with changedMeanwhile when it has not this tag any more. */
  async change(
    id: string,
    wish: Partial<WebhookWish>,
    { actor, ifTag }: { readonly actor: string; readonly ifTag?: string | undefined },
  ): Promise<WebhookState | Refusal> {
    const problem = wish.url === undefined ? undefined : this.#deps.targets.refuseUrl(wish.url);
    if (problem !== undefined) return { refused: 'invalidWebhook', detail: problem };
    return this.#edit(
      id,
      (webhook) =>
        isOtherTag(webhook, ifTag)
          ? { refused: 'changedMeanwhile' }
          : withoutUndefined({ ...webhook, ...wish }),
      actor,
    );
  }

  /** A new secret; the old one is worth nothing from now on. */
  async renewSecret(id: string, actor: string): Promise<{ readonly secret: string } | Refusal> {
    const { secret, sealedSecret } = this.#newSecret(id);
    const done = await this.#edit(id, (webhook) => ({ ...webhook, sealedSecret }), actor);
    return isRefusal(done) ? done : { secret };
  }

  async remove(id: string, actor: string): Promise<'done' | Refusal> {
    const done = await this.#deps.directory.editDirectory(
      ({ webhooks }) =>
        webhooks.has(id) ? { put: [], remove: [{ kind: 'webhook', id }] } : { refused: 'unknownWebhook' },
      actor,
    );
    if (!isRefusal(done)) this.#deps.log.info({ webhook: id, actor }, 'webhook removed');
    return done;
  }

  /** Sends one test message, at once and once, also to a webhook that is off. */
  async test(id: string, actor: string): Promise<WebhookTest | Refusal> {
    const found = this.get(id);
    if (isRefusal(found)) return found;
    const { clock, company, random } = this.#deps;
    const message = testMessage({ id: random.uuid(), at: clock.now(), company, actor });
    return this.#sendOnce(found.webhook, message, 'test');
  }

  /** What could not be delivered, newest first; of one webhook or of all. */
  async deadLetters(query: {
    readonly webhook?: string | undefined;
    readonly limit: number;
  }): Promise<readonly FailedDelivery[] | Refusal> {
    const { company } = this.#deps;
    const letters = await this.#letters();
    if (isRefusal(letters)) return letters;
    return letters
      .filter(({ consumer }) =>
        query.webhook === undefined ? consumer.startsWith(NAME) : consumer === NAME + query.webhook,
      )
      .slice(0, query.limit)
      .map(({ id, consumer, event, problem, at }) => ({
        id,
        webhook: consumer.slice(NAME.length),
        at,
        problem,
        message: event && messageOf(event, company),
      }));
  }

  /**
   * Sends a dead letter again, at once and once, also to a webhook that is off; one that is taken is no dead letter any
   * more. Refused with unknownWebhook, unknownDeadLetter, overloaded and storeUnavailable.
   */
  async resend(id: string, letter: string, actor: string): Promise<WebhookTest | Refusal> {
    const found = this.get(id);
    if (isRefusal(found)) return found;
    const letters = await this.#letters();
    if (isRefusal(letters)) return letters;
    const kept = letters.find((one) => one.id === letter && one.consumer === consumerOf(id));
    if (!kept?.event) return { refused: 'unknownDeadLetter' };
    const result = await this.#sendOnce(found.webhook, messageOf(kept.event, this.#deps.company), 'resend');
    if (isRefusal(result) || !result.delivered) return result;
    this.#deps.log.info({ webhook: id, seq: kept.event.seq, actor }, 'dead letter delivered after all');
    // Delivered it is: a letter that stays is sent twice at worst.
    await whileStoreAnswers(() => this.#deps.store.dropDeadLetter(letter));
    return result;
  }

  /** The last tries to deliver, by whichever node, newest first. */
  async deliveries(id: string, limit: number): Promise<readonly WebhookAttempt[] | Refusal> {
    const found = this.get(id);
    if (isRefusal(found)) return found;
    return whileStoreAnswers(() => this.#deps.store.attempts(id, limit));
  }

  #letters(): Promise<readonly KeptLetter[] | Refusal> {
    return whileStoreAnswers(() => this.#deps.store.deadLetters(MAX_LETTERS));
  }

  /** Sends outside the order of the log. */
  async #sendOnce(
    webhook: Webhook,
    message: WebhookMessage,
    cause: 'test' | 'resend',
  ): Promise<WebhookTest | Refusal> {
    if (this.#tests.size >= MAX_TESTS) return { refused: 'overloaded' };
    const stop = new AbortController();
    this.#tests.add(stop);
    const { clock, sender } = this.#deps;
    const at = clock.now();
    try {
      const attempt = await sender.send(webhook, message, stop.signal);
      const noted = attemptOf(attempt, { at, message, cause, try: 1, endedAt: clock.now() });
      noteAttempt(this.#deps, webhook.id, noted);
      const { delivered, status } = attempt;
      const problem = attempt.delivered ? undefined : attempt.problem;
      return { delivered, status, problem, durationMs: Math.max(0, clock.now() - at) };
    } finally {
      this.#tests.delete(stop);
    }
  }

  /** Ends tests that are under way. */
  stop(): void {
    for (const test of this.#tests) test.abort();
  }

  async #edit(
    id: string,
    edit: (webhook: Webhook) => Webhook | Refusal,
    actor: string,
  ): Promise<WebhookState | Refusal> {
    let changed: Webhook | undefined;
    const done = await this.#deps.directory.editDirectory(({ webhooks }) => {
      const webhook = webhooks.get(id);
      if (!webhook) return { refused: 'unknownWebhook' };
      const edited = edit(webhook);
      if (isRefusal(edited)) return edited;
      changed = edited;
      return { put: [{ kind: 'webhook', value: changed }] };
    }, actor);
    if (isRefusal(done)) return done;
    if (!changed) return { refused: 'unknownWebhook' };
    this.#deps.log.info({ webhook: id, actor }, 'webhook changed');
    return this.#stateOf(changed);
  }

  #stateOf(webhook: Webhook): WebhookState {
    return { webhook, status: { ...this.#deps.deliveries.statusOf(webhook.id) } };
  }

  #newSecret(id: string): { secret: string; sealedSecret: string } {
    const secret = secretText(this.#deps.random.bytes(SECRET_BYTES));
    return { secret, sealedSecret: this.#deps.sealing.seal(secret, sealContext(id)) };
  }
}

/** What is undefined is left out: entries are compared as JSON. */
function withoutUndefined(
  webhook: Omit<Webhook, 'emergencyStages'> & Pick<WebhookWish, 'emergencyStages'>,
): Webhook {
  const { emergencyStages, ...rest } = webhook;
  return emergencyStages === undefined ? rest : { ...rest, emergencyStages };
}
