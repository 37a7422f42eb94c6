import type { Store } from '../../store/store.ts';
import type { DirectoryService } from '../directory-service.ts';
import type { LocalView } from '../local-view.ts';
import type { Clock, Log, Random, Timers } from '../ports.ts';
import type { Sealing } from '../sealing.ts';
import { WebhookDeliveries } from './deliveries.ts';
import { createPost } from './post.ts';
import { createWebhookSender } from './sender.ts';
import { createWebhookTargets, type WebhookTargetOptions } from './targets.ts';
import { Webhooks } from './webhooks.ts';

export interface CreateWebhooksOptions {
  readonly store: Pick<
    Store,
    | 'consume'
    | 'forgetConsumer'
    | 'addDeadLetter'
    | 'deadLetters'
    | 'dropDeadLetter'
    | 'noteAttempt'
    | 'attempts'
  >;
  readonly view: LocalView;
  readonly directory: Pick<DirectoryService, 'editDirectory'>;
  readonly sealing: Sealing;
  /** The wall clock: receivers compare it with theirs. */
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random & {
    /** Fit for keys. */
    bytes(count: number): Uint8Array;
    /** From 0 to 1. */
    fraction(): number;
  };
  readonly log: Log;
  readonly company: string;
  readonly userAgent: string;
  readonly targets: WebhookTargetOptions;
}

/** Webhooks as a part of the house, and their administration. */
export function createWebhooks(options: CreateWebhooksOptions): {
  readonly admin: Webhooks;
  start(): void;
  stop(): Promise<void>;
} {
  const { timers, random } = options;
  const targets = createWebhookTargets(options.targets);
  const post = createPost({ targets, timers });
  const sender = createWebhookSender({ ...options, post });
  const deliveries = new WebhookDeliveries({
    ...options,
    sender,
    timers,
    jitter: () => random.fraction(),
  });
  const admin = new Webhooks({ ...options, deliveries, targets, sender });
  return {
    admin,
    start: () => deliveries.start(),
    stop: async () => {
      admin.stop();
      await deliveries.stop();
    },
  };
}
