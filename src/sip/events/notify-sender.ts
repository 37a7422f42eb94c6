import type { View } from '../../domain/view.ts';
import type { Clock } from '../ports.ts';
import type { Headers, Response, Srf } from '../srf.ts';
import type { EventDocument } from './package.ts';
import type { SubscriptionRecord } from './record.ts';

/** ms after which the server itself must be gone: it says 408 after 32 s (RFC 3261 17.1.2.2). */
const PATIENCE_MS = 40_000;
/** Answers after which the same NOTIFY may succeed a little later. */
const PASSING = new Set([480, 486, 491, 500, 503]);
/** ms, whatever the phone says. */
const LATEST_MS = 60_000;
/** ms until a server that is away is asked again. */
const SERVER_AWAY_MS = 5_000;

/** `gone`: the phone knows no such subscription, or is not there (RFC 6665 4.2.2). */
export type NotifyOutcome =
  | { readonly kind: 'taken' }
  | { readonly kind: 'gone'; readonly status: number }
  /** `afterMs`: as the phone says, if it does. `unsent`: the server is away. */
  | { readonly kind: 'later'; readonly afterMs?: number; readonly unsent?: boolean };

export interface Notify {
  readonly record: SubscriptionRecord;
  /** Value of Subscription-State. */
  readonly state: string;
  readonly document: EventDocument | undefined;
  /** The SIP server holds the dialog; else the NOTIFY carries all of it. */
  readonly inDialog: boolean;
  /** It is on its way; the record has its CSeq number. */
  sent(): void;
  /** The server knows no such dialog: nothing was sent. */
  dialogLost(): void;
  done(outcome: NotifyOutcome): void;
}

export interface NotifySenderDependencies {
  readonly srf: Pick<Srf, 'request'>;
  readonly view: Pick<View, 'bindingsOf'>;
  readonly clock: Clock;
}

/** Sends NOTIFYs inside the dialogs subscriptions made, whether the SIP server knows those dialogs or not. */
export class NotifySender {
  readonly #deps: NotifySenderDependencies;

  constructor(deps: NotifySenderDependencies) {
    this.#deps = deps;
  }

  /** Calls `done` once, or `dialogLost` instead. Never throws. */
  send(notify: Notify): void {
    const { srf, clock } = this.#deps;
    const { record } = notify;
    let open = true;
    const settle = (outcome: NotifyOutcome): void => {
      patience.cancel();
      if (open) notify.done(outcome);
      open = false;
    };
    const patience = clock.setTimer(PATIENCE_MS, () => settle({ kind: 'later' }));
    try {
      srf.request(record.target, this.#options(notify), (error, request) => {
        if (error && notify.inDialog && (error as { code?: unknown }).code === 'ENODIALOG') {
          open = false;
          patience.cancel();
          return notify.dialogLost();
        }
        if (error) return settle({ kind: 'later' });
        record.cseq = Number.parseInt(request.get('CSeq') ?? '', 10) || record.cseq;
        notify.sent();
        request.on('response', (response) => response.status >= 200 && settle(outcomeOf(response)));
      });
    } catch {
      // drachtio-srf throws while it has no server; that is said elsewhere, once.
      settle({ kind: 'later', afterMs: SERVER_AWAY_MS, unsent: true });
    }
  }

  #options(notify: Notify): Parameters<Srf['request']>[1] {
    const { record, document } = notify;
    const common = { method: 'NOTIFY', ...(document && { body: document.body }) };
    const headers = commonHeaders(notify);
    if (notify.inDialog) {
      const { callId, remote } = record;
      const stackDialogId = `${callId};from-tag=${tagOf(remote)}`;
      return { ...common, headers: { ...headers, Contact: record.contact }, stackDialogId };
    }
    record.cseq += 1;
    const dialog = {
      From: record.local,
      To: record.remote,
      'Call-ID': record.callId,
      CSeq: `${record.cseq} NOTIFY`,
      Contact: '<sip:hotdesk@localhost>',
    };
    return { ...common, headers: { ...dialog, ...headers }, proxy: this.#wayTo(record) };
  }

  /** The first route, else the flow the phone registered over by now, else the one it subscribed over. */
  #wayTo({ subscriber, target, flow, routes }: SubscriptionRecord): string {
    const route = routes[0] && /<([^<>]*)>/.exec(routes[0])?.[1];
    if (route) return route;
    const bindings = this.#deps.view.bindingsOf(subscriber);
    const now =
      bindings.find(({ contact }) => contact === target) ??
      bindings.find((one) => one.flow.protocol === flow.protocol && one.flow.address === flow.address);
    const { protocol, address, port } = flow.protocol === 'udp' ? flow : (now?.flow ?? flow);
    return `sip:${address.includes(':') ? `[${address}]` : address}:${port};transport=${protocol}`;
  }
}

function commonHeaders({ record, state, document }: Notify): Headers {
  const { event, eventId } = record;
  return {
    Event: eventId === '' ? event : `${event};id=${eventId}`,
    'Subscription-State': state,
    ...(document && { 'Content-Type': document.contentType }),
  };
}

function tagOf(party: string): string {
  return party.slice(party.lastIndexOf(';tag=') + ';tag='.length);
}

function outcomeOf(response: Response): NotifyOutcome {
  const { status } = response;
  if (status < 300) return { kind: 'taken' };
  const wait = /^\s*(\d{1,6})/.exec(response.get('Retry-After') ?? '')?.[1];
  if (wait === undefined && !PASSING.has(status)) return { kind: 'gone', status };
  // These mean that there is no subscription, whatever else is said (RFC 6665 4.2.2, RFC 5057 5.1).
  if ([404, 405, 410, 481, 489].includes(status)) return { kind: 'gone', status };
  if (wait === undefined) return { kind: 'later' };
  return { kind: 'later', afterMs: Math.min(Math.max(Number(wait), 1) * 1000, LATEST_MS) };
}
