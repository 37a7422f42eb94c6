import type { Directory, Webhook } from '../../domain/directory.ts';
import type { Store } from '../../store/store.ts';
import type { LocalView } from '../local-view.ts';
import {
  consumerOf,
  Delivery,
  type DeliveryDependencies,
  newStatus,
  type WebhookStatus,
} from './delivery.ts';

export interface WebhookDeliveriesDependencies extends Omit<DeliveryDependencies, 'store'> {
  readonly store: Pick<Store, 'consume' | 'addDeadLetter' | 'forgetConsumer' | 'noteAttempt'>;
  readonly view: Pick<LocalView, 'directory' | 'lacks' | 'onChange'>;
}

interface Running {
  /** Webhook as it was taken up; undefined: stopped, and about to end. */
  readonly settings: string | undefined;
  readonly stop: AbortController;
  readonly ended: Promise<void>;
}

/** The directory is looked at this often besides each change of it: the first one is no change. */
const LOOK_MS = 10_000;

/** Names of what waits for the change log: the webhooks that are on. */
export function webhookConsumers(directory: Pick<Directory, 'webhooks'>): string[] {
  return [...directory.webhooks.values()].filter(({ enabled }) => enabled).map(({ id }) => consumerOf(id));
}

/** Delivers changes to every webhook that is on, and follows the directory in that. */
export class WebhookDeliveries {
  readonly #deps: WebhookDeliveriesDependencies;
  readonly #running = new Map<string, Running>();
  readonly #status = new Map<string, WebhookStatus>();
  /** All that were in the directory when it was last looked at, those that are off too. */
  #known = new Set<string>();
  #timer: { cancel(): void } | undefined;
  #unsubscribe: (() => void) | undefined;

  constructor(deps: WebhookDeliveriesDependencies) {
    this.#deps = deps;
  }

  start(): void {
    this.#unsubscribe ??= this.#deps.view.onChange(({ kind }) => {
      if (kind === 'directory') this.#adjustAll();
    });
    this.#lookAgain();
  }

  /** Resolves when no request is under way any more. What was not acknowledged is delivered by another node, or later. */
  async stop(): Promise<void> {
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
    this.#timer?.cancel();
    const running = [...this.#running.values()];
    for (const { stop } of running) stop.abort();
    await Promise.all(running.map(({ ended }) => ended));
  }

  /** As this node saw it: a webhook is served by one node at a time. */
  statusOf(id: string): WebhookStatus {
    return this.#status.get(id) ?? newStatus();
  }

  #lookAgain(): void {
    this.#adjustAll();
    this.#timer?.cancel();
    this.#timer = this.#deps.timers.setTimer(LOOK_MS, () => this.#lookAgain());
  }

  #adjustAll(): void {
    const { directory } = this.#deps.view;
    if (!directory) return;
    const { webhooks } = directory;
    for (const id of new Set([...this.#running.keys(), ...this.#known, ...webhooks.keys()])) {
      this.#adjust(id, webhooks.get(id));
    }
    this.#known = new Set(webhooks.keys());
    for (const id of this.#status.keys()) if (!webhooks.has(id)) this.#status.delete(id);
  }

  #adjust(id: string, webhook: Webhook | undefined): void {
    const wanted = webhook?.enabled ? webhook : undefined;
    const settings = wanted && JSON.stringify(wanted);
    const running = this.#running.get(id);
    if (running ? running.settings === settings : webhook && !wanted) return;
    running?.stop.abort();
    if (wanted) this.#run(wanted, running?.ended);
    else if (running) this.#running.set(id, { ...running, settings: undefined });
    else if (!webhook) this.#finish(id);
  }

  /** One that was off when it was removed. */
  #finish(id: string): void {
    const stop = new AbortController();
    const ended = this.#forgetIfRemoved(id).then(() => this.#forgetRunning(id, stop));
    this.#running.set(id, { settings: undefined, stop, ended });
  }

  /** Each node does when its consumer has ended: the last one leaves nothing behind. */
  async #forgetIfRemoved(id: string): Promise<void> {
    const { store, view, log } = this.#deps;
    if (!view.lacks({ kind: 'webhook', id })) return;
    try {
      await store.forgetConsumer(consumerOf(id));
    } catch (error) {
      log.warn({ err: error, webhook: id }, 'how far a removed webhook had got is still in the store');
    }
  }

  #forgetRunning(id: string, stop: AbortController): void {
    const running = this.#running.get(id);
    if (running?.stop === stop && running.settings === undefined) this.#running.delete(id);
  }

  /** Only when the one before has ended: two would compete for the same place in the log. */
  #run(webhook: Webhook, before: Promise<void> = Promise.resolve()): void {
    const { id } = webhook;
    const status = this.#status.get(id) ?? newStatus();
    this.#status.set(id, status);
    const stop = new AbortController();
    const delivery = new Delivery(this.#deps, webhook, status);
    const ended = before
      .then(() => (stop.signal.aborted ? undefined : this.#deps.store.consume(delivery, stop.signal)))
      .catch((error: unknown) => {
        this.#deps.log.error({ err: error, webhook: id }, 'webhook cannot be delivered to');
      })
      .then(() => this.#forgetIfRemoved(id))
      .then(() => this.#forgetRunning(id, stop));
    this.#running.set(id, { settings: JSON.stringify(webhook), stop, ended });
  }
}
