import type { ChangeEvent } from '../../domain/association.ts';
import type { Webhook } from '../../domain/directory.ts';
import { isRefusal, type Refusal } from '../../domain/reasons.ts';
import type { View } from '../../domain/view.ts';
import { type Store, StoreUnavailable } from '../../store/store.ts';
import type { DirectoryService } from '../directory-service.ts';
import type { Clock, Log, Random } from '../ports.ts';
import type { Sealing } from '../sealing.ts';
import type { WebhookStatus } from './delivery.ts';
import { messageOf, testMessage, type WebhookMessage } from './message.ts';
import { sealContext, type WebhookSender } from './sender.ts';
import { SECRET_BYTES, secretText } from './signature.ts';
import type { WebhookTargets } from './targets.ts';

export interface WebhooksDependencies {
  readonly view: View;
  readonly directory: Pick<DirectoryService, 'editDirectory'>;
  readonly store: Pick<Store, 'deadLetters'>;
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
  readonly enabled: boolean;
}

export interface FailedDelivery {
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

export const MAX_WEBHOOKS = 20;
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
    const webhook: Webhook = { ...wish, id, sealedSecret };
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

  /** Changes what is given, and leaves the rest. */
  async change(id: string, wish: Partial<WebhookWish>, actor: string): Promise<WebhookState | Refusal> {
    const problem = wish.url === undefined ? undefined : this.#deps.targets.refuseUrl(wish.url);
    if (problem !== undefined) return { refused: 'invalidWebhook', detail: problem };
    return this.#edit(id, (webhook) => ({ ...webhook, ...wish }), actor);
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
    if (this.#tests.size >= MAX_TESTS) return { refused: 'overloaded' };
    const stop = new AbortController();
    this.#tests.add(stop);
    const { clock, company, random, sender } = this.#deps;
    const at = clock.now();
    const message = testMessage({ id: random.uuid(), at, company, actor });
    try {
      const attempt = await sender.send(found.webhook, message, stop.signal);
      const problem = attempt.delivered ? undefined : attempt.problem;
      const { delivered, status } = attempt;
      return { delivered, status, problem, durationMs: Math.max(0, clock.now() - at) };
    } finally {
      this.#tests.delete(stop);
    }
  }

  /** What could not be delivered, newest first; of one webhook or of all. */
  async deadLetters(query: {
    readonly webhook?: string | undefined;
    readonly limit: number;
  }): Promise<readonly FailedDelivery[] | Refusal> {
    const { store, company } = this.#deps;
    try {
      const letters = await store.deadLetters(MAX_LETTERS);
      return letters
        .filter(({ consumer }) =>
          query.webhook === undefined ? consumer.startsWith(NAME) : consumer === NAME + query.webhook,
        )
        .slice(0, query.limit)
        .map(({ consumer, event, problem, at }) => ({
          webhook: consumer.slice(NAME.length),
          at,
          problem,
          message: event && messageOf(event, company),
        }));
    } catch (error) {
      if (error instanceof StoreUnavailable) return { refused: 'storeUnavailable' };
      throw error;
    }
  }

  /** Ends tests that are under way. */
  stop(): void {
    for (const test of this.#tests) test.abort();
  }

  async #edit(
    id: string,
    edit: (webhook: Webhook) => Webhook,
    actor: string,
  ): Promise<WebhookState | Refusal> {
    let changed: Webhook | undefined;
    const done = await this.#deps.directory.editDirectory(({ webhooks }) => {
      const webhook = webhooks.get(id);
      if (!webhook) return { refused: 'unknownWebhook' };
      changed = edit(webhook);
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
