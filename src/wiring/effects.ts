import { randomBytes, randomUUID } from 'node:crypto';
import { Audit } from '../services/audit.ts';
import type { DirectoryService } from '../services/directory-service.ts';
import type { LocalView } from '../services/local-view.ts';
import { LogTrimmer } from '../services/log-trimmer.ts';
import type { Sealing } from '../services/sealing.ts';
import { Usage } from '../services/usage/usage.ts';
import { createWebhooks } from '../services/webhooks/create-webhooks.ts';
import type { Webhooks } from '../services/webhooks/webhooks.ts';
import type { Store } from '../store/store.ts';
import type { Running } from './running.ts';

const USER_AGENT = 'Hotdesk/0.1';

export interface Effects {
  readonly webhooks: Webhooks;
  readonly audit: Audit;
  readonly usage: Usage;
}

/** What goes on behind the change log: webhooks, questions about the past, and the end of old entries. */
export async function startEffects(
  running: Running,
  parts: {
    readonly store: Store;
    readonly view: LocalView;
    readonly directory: DirectoryService;
    readonly sealing: Sealing;
  },
): Promise<Effects> {
  const { config, log, clock: timers } = running;
  const { store, view } = parts;
  const webhooks = createWebhooks({
    ...parts,
    ...{ timers, log, company: config.company, userAgent: USER_AGENT, targets: config.webhooks },
    // Receivers compare the time of a signature with the time of day.
    clock: { now: () => Date.now() },
    random: { uuid: randomUUID, bytes: (count) => randomBytes(count), fraction: () => Math.random() },
  });
  await running.up(webhooks);
  const { retentionDays } = config.audit;
  await running.up(new LogTrimmer({ store, view, timers, log, retentionDays }));
  return { webhooks: webhooks.admin, audit: new Audit({ store, view }), usage: new Usage({ store, view }) };
}
