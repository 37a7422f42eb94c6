import type { Log } from '../ports.ts';
import { reasonHeader } from '../reasons.ts';
import type { Dialog, Request, Response } from '../srf.ts';
import { Detours } from './detours.ts';
import type { InboundInvite } from './inbound.ts';
import { Leg, type Party } from './leg.ts';
import { Lines, type OpenLine } from './lines.ts';
import { type EndUse, PhonesInUse } from './phones-in-use.ts';
import type { WebSide } from './web-side.ts';

/** All live legs, and how many calls there are. */
export class CallTable {
  /** Not by Call-ID: a proxy that forks towards us sends two calls with one. */
  readonly #legs = new Map<Leg, EndUse>();
  /** The call each leg is in now, for the record. */
  readonly #calls = new Map<Leg, { readonly id: string; readonly startedAt: number; over: boolean }>();
  readonly #log: Log;
  readonly #now: () => number;
  /** Set by the transfer code, which needs this table itself. */
  onRefer: (leg: Leg, request: Request, response: Response) => void = (_leg, _request, response) =>
    response.send(405);
  /** Set by the code that gives such a call its sound back. */
  onMute: (leg: Leg) => void = () => undefined;
  /** Calls not answered yet, menus and announcements. */
  readonly pending = new Set<InboundInvite>();
  readonly phones: PhonesInUse;
  readonly lines: Lines;
  /** Calls on their way to where somebody wants them. */
  readonly detours = new Detours();

  constructor(log: Log, now: () => number, lines = new Lines(log)) {
    this.#log = log;
    this.#now = now;
    this.phones = new PhonesInUse(log);
    this.lines = lines;
  }

  get size(): number {
    return this.pending.size + Math.ceil(this.#legs.size / 2);
  }

  get legs(): number {
    return this.#legs.size;
  }

  /** Takes a dialog in as a leg and listens to it. It goes on with the line it had before it was answered. */
  add(
    dialog: Dialog,
    options: {
      party: Party;
      emergency: boolean;
      line?: OpenLine | undefined;
      web?: WebSide | undefined;
      source?: string | undefined;
    },
  ): Leg {
    const line =
      options.line ?? this.lines.begin(options.party, { direction: 'initiator', remote: undefined });
    line.confirm();
    line.keep();
    const leg = new Leg(dialog, {
      ...options,
      line,
      events: {
        onRefer: (...args) => this.onRefer(...args),
        onEnded: (ended) => this.#remove(ended),
        onMute: (mute) => this.onMute(mute),
      },
    });
    this.#legs.set(leg, this.phones.use(options.party, options.emergency));
    return leg.listen();
  }

  /** Links two legs and writes the call's record when it ends. */
  connect(a: Leg, b: Leg, record: object): void {
    const startedAt = this.#now();
    const call = { id: a.dialog.sip.callId, startedAt, over: false };
    this.#log.info({ ...record, call: call.id }, 'call answered');
    for (const leg of [a, b]) if (!leg.ended) this.#calls.set(leg, call);
    Leg.link(a, b);
  }

  /** The leg a Replaces names (RFC 3891); tags as the phone sees them. */
  find(callId: string, tags: { to: string; from: string }): Leg | undefined {
    for (const leg of this.#legs.keys()) {
      const { callId: own, localTag, remoteTag } = leg.dialog.sip;
      if (own !== callId) continue;
      if (localTag === tags.to && remoteTag === tags.from) return leg;
      if (localTag === tags.from && remoteTag === tags.to) return leg;
    }
    return undefined;
  }

  /** Emergency calls nobody has answered yet. */
  get pendingEmergencies(): number {
    return [...this.pending].filter(({ emergency }) => emergency).length;
  }

  /** Ends every call for stop but emergency calls: most of those that are answered need no server for their media. */
  hangUpAll(): void {
    const reason = reasonHeader(503, 'Server stops');
    for (const invite of [...this.pending]) if (!invite.emergency) invite.abandon(reason);
    for (const leg of [...this.#legs.keys()]) if (!leg.emergency) leg.hangUp(reason);
  }

  /** Sides of emergency calls that are heard through our relay. */
  get relayedEmergencies(): number {
    return this.#relayed.length;
  }

  /** Ends them: the audio stops with us, and whoever waits in silence does not call back. */
  hangUpRelayed(): void {
    for (const leg of this.#relayed) {
      const { peer } = leg;
      leg.hangUp(reasonHeader(503, 'Server stops'));
      peer?.hangUp(reasonHeader(503, 'Server stops'));
    }
  }

  get #relayed(): Leg[] {
    return [...this.#legs.keys()].filter(({ emergency, web }) => emergency && web);
  }

  /** The SIP server is gone and took all dialogs with it; none of them will ever be heard of again. */
  dropAll(): void {
    const reason = reasonHeader(503, 'SIP server lost');
    for (const invite of [...this.pending]) invite.abandon(reason);
    for (const leg of [...this.#legs.keys()]) leg.hangUp(reason);
    this.pending.clear();
  }

  /** The first leg to go ends the call; a transferred leg has gone into another one. */
  #remove(leg: Leg): void {
    this.#legs.get(leg)?.();
    this.#legs.delete(leg);
    leg.line.end();
    leg.web?.close();
    const call = this.#calls.get(leg);
    this.#calls.delete(leg);
    if (!call || call.over) return;
    call.over = true;
    const seconds = Math.round((this.#now() - call.startedAt) / 1000);
    this.#log.info({ call: call.id, seconds, endedBy: leg.party }, 'call ended');
  }
}
