import type { LocalView } from '../services/local-view.ts';
import { Mailboxes } from '../services/mailboxes.ts';
import { NodeLease } from '../services/node-lease.ts';
import type { SharedState } from '../services/shared-state.ts';
import { voicemailTrunks } from '../sip/calls/voicemail.ts';
import { Lamps } from '../sip/events/lamps.ts';
import { MessageSummary } from '../sip/events/message-summary.ts';
import type { EventPackage } from '../sip/events/package.ts';
import { Watchers } from '../sip/events/watchers.ts';
import { MailboxSubscriptions } from '../sip/mailbox-subscriptions.ts';
import type { Trunk } from '../sip/ports.ts';
import type { Srf, Subscriber } from '../sip/srf.ts';
import type { Store } from '../store/store.ts';
import type { Running } from './running.ts';

interface Needs {
  readonly store: Store;
  readonly view: LocalView;
  readonly shared: SharedState;
  readonly srf: Srf & Subscriber;
  readonly trunks: readonly Trunk[];
}

export interface MailboxParts {
  readonly mailboxes: Mailboxes;
  /** What phones may subscribe to. */
  readonly packages: readonly EventPackage[];
  /** Begins to watch mailboxes and to light lamps; the SIP server is to be connected. */
  start(): Promise<void>;
}

/** What is in the mailboxes, and the lamps that show it, as `phones.messageSummary` says. */
export function createMailboxes(running: Running, needs: Needs): MailboxParts {
  const { config, clock, log } = running;
  const { view, shared } = needs;
  const { domain } = config.sip;
  const mode = config.phones.messageSummary;
  const mailboxes = new Mailboxes({ view, shared, clock });
  if (mode === 'off') return { mailboxes, packages: [], start: () => Promise.resolve() };
  const summary = new MessageSummary({ mailboxes, view, domain });
  return {
    mailboxes,
    packages: [summary],
    async start() {
      await startWatching(running, needs, mailboxes);
      if (mode !== 'unsolicited') return;
      const watchers = await running.up(new Watchers(shared));
      const { store, srf } = needs;
      await running.up(
        new Lamps({
          ...{ summary, view, shared, srf, clock, log, domain },
          claimOnce: (name, ttlMs) => store.claimOnce(name, ttlMs),
          isSubscribed: (host) => watchers.has(summary.event, host),
          onUnsubscribed: (listener) =>
            watchers.onEnd((event, host) => event === summary.event && listener(host)),
        }),
      );
    },
  };
}

/** One node of all asks the PBX. */
async function startWatching(
  { clock, log, node, up }: Running,
  { store, shared, srf, trunks }: Needs,
  mailboxes: Mailboxes,
): Promise<void> {
  const way = voicemailTrunks(trunks).find(({ voicemail }) => voicemail.subscribe);
  if (!way) return;
  const lease = await up(
    new NodeLease({
      ...{ name: 'mailboxes', node, shared, timers: clock },
      claimOnce: (name, ttlMs) => store.claimOnce(name, ttlMs),
    }),
  );
  const subscriptions = await up(
    new MailboxSubscriptions({
      ...{ mailboxes, trunk: way.trunk, srf, clock, log },
      isMine: () => lease.isMine,
      random: () => Math.random(),
    }),
  );
  srf.on('close', () => subscriptions.dropAll());
}
