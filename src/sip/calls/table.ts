import type { Log } from '../ports.ts';
import { reasonHeader } from '../reasons.ts';
import type { Dialog, Request, Response } from '../srf.ts';
import { Leg, type Party } from './leg.ts';

/** All live legs by Call-ID, and how many calls there are. */
export class CallTable {
  readonly #legs = new Map<string, Leg>();
  readonly #log: Log;
  readonly #now: () => number;
  /** Set by the transfer code, which needs this table itself. */
  onRefer: (leg: Leg, request: Request, response: Response) => void = (_leg, _request, response) =>
    response.send(405);
  /** Calls not answered yet, menus and announcements. */
  pending = 0;

  constructor(log: Log, now: () => number) {
    this.#log = log;
    this.#now = now;
  }

  get size(): number {
    return this.pending + Math.ceil(this.#legs.size / 2);
  }

  get legs(): number {
    return this.#legs.size;
  }

  /** Takes a dialog in as a leg and listens to it. */
  add(dialog: Dialog, options: { party: Party; emergency: boolean }): Leg {
    const leg = new Leg(dialog, {
      ...options,
      events: { onRefer: (...args) => this.onRefer(...args), onEnded: (ended) => this.#remove(ended) },
    });
    this.#legs.set(dialog.sip.callId, leg);
    return leg.listen();
  }

  /** Links two legs and writes the call's record when it ends. */
  connect(a: Leg, b: Leg, record: object): void {
    const startedAt = this.#now();
    Leg.link(a, b);
    this.#log.info({ ...record, call: a.dialog.sip.callId }, 'call answered');
    a.dialog.on('destroy', () => this.#logEnd(a, startedAt));
    b.dialog.on('destroy', () => this.#logEnd(b, startedAt));
  }

  /** The leg a Replaces names (RFC 3891); tags as the phone sees them. */
  find(callId: string, tags: { to: string; from: string }): Leg | undefined {
    const leg = this.#legs.get(callId);
    const { localTag, remoteTag } = leg?.dialog.sip ?? {};
    const same =
      (localTag === tags.to && remoteTag === tags.from) || (localTag === tags.from && remoteTag === tags.to);
    return same ? leg : undefined;
  }

  /** Ends every call; for stop. */
  hangUpAll(): void {
    for (const leg of this.#legs.values()) leg.hangUp(reasonHeader(503, 'Server stops'));
  }

  #remove(leg: Leg): void {
    this.#legs.delete(leg.dialog.sip.callId);
  }

  #logEnd(leg: Leg, startedAt: number): void {
    const seconds = Math.round((this.#now() - startedAt) / 1000);
    this.#log.info({ call: leg.dialog.sip.callId, seconds, endedBy: leg.party }, 'call ended');
  }
}
