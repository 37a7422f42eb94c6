import type { Clock, Log, Timer } from '../ports.ts';
import type { NotifyOutcome, NotifySender } from './notify-sender.ts';
import type { Pacer } from './pacer.ts';
import type { EventDocument, EventPackage, Subscription } from './package.ts';
import { digestOf, type SubscriptionRecord } from './record.ts';

/** ms between two NOTIFYs of one subscription. */
export const SPACING_MS = 250;
/** ms until one NOTIFY is tried again: a phone that lost its connection needs a while to come back. */
const AGAIN_MS = [2_000, 10_000, 30_000] as const;
/** ms a package has to make something of a body. */
const RECEIVING_MS = 10_000;
/** Bodies that wait; phones send one and wait for what comes of it. */
const MAX_BODIES = 4;

/** Reasons of RFC 6665 4.1.3 that are used here. */
export type EndReason = 'timeout' | 'noresource' | 'rejected';

export interface FeedHouse {
  readonly clock: Clock;
  readonly log: Log;
  readonly pacer: Pacer;
  readonly sender: NotifySender;
  /** The store's clock, ms since 1970. */
  now(): number;
  /** The record has changed. */
  save(feed: Feed): void;
  /** It has ended, and the phone knows or cannot be told. */
  ended(feed: Feed, why: string): void;
}

export interface FeedOptions {
  readonly id: string;
  readonly record: SubscriptionRecord;
  readonly pack: EventPackage;
  readonly house: FeedHouse;
  /** The SIP server holds the dialog. */
  readonly inDialog: boolean;
}

/**
 * One subscription as its notifier lives it: one NOTIFY at a time, each with the newest state, until it ends. Bodies of
 * SUBSCRIBEs are taken one after another, and what came of each is told before the next.
 */
export class Feed {
  readonly id: string;
  readonly record: SubscriptionRecord;
  readonly #pack: EventPackage;
  readonly #house: FeedHouse;
  readonly #bodies: EventDocument[] = [];
  #inDialog: boolean;
  /** What came of a body, to be told. */
  #result: EventDocument | undefined;
  #due: 'no' | 'ifChanged' | 'must' = 'no';
  #ending: EndReason | undefined;
  #busy: 'no' | 'receiving' | 'queued' | 'sending' = 'no';
  #over = false;
  #failures = 0;
  /** NOTIFYs that may have been sent and were not counted. */
  #unknown = 0;
  #lastSentAt = Number.NEGATIVE_INFINITY;
  #notBefore = 0;
  #expiry: Timer | undefined;
  #pause: Timer | undefined;
  #receiving: Timer | undefined;

  constructor({ id, record, pack, house, inDialog }: FeedOptions) {
    this.id = id;
    this.record = record;
    this.#pack = pack;
    this.#house = house;
    this.#inDialog = inDialog;
  }

  get subscription(): Subscription {
    const { id, record } = this;
    const { event, subscriber, resource, flow } = record;
    return { id, event, subscriber, resource, source: flow.address };
  }

  /** It ends, or has ended, whether the phone knows or not. */
  get isEnding(): boolean {
    return this.#over || this.#ending !== undefined;
  }

  /** No more bodies are taken for now. */
  get isFull(): boolean {
    return this.#bodies.length >= MAX_BODIES;
  }

  /**
   * The record was read back: what is so now is told if it is news. `unknown`: NOTIFYs that may have been sent and are
   * not in it.
   */
  resume(unknown: number): void {
    this.#unknown = unknown;
    if (this.isEnding) return;
    if (this.record.expiresAt <= this.#house.now()) return this.end('timeout');
    this.#armExpiry();
    this.changed();
  }

  /** After the 200 to a SUBSCRIBE: a NOTIFY follows, whatever there is to tell (RFC 6665 4.2.1.2). */
  refreshed(seconds: number, body: EventDocument | undefined): void {
    if (this.isEnding) return;
    this.record.expiresAt = this.#house.now() + seconds * 1000;
    if (body && this.#pack.received) this.#bodies.push(body);
    this.#due = 'must';
    // The phone is there: what had to wait for it need not.
    this.#failures = 0;
    this.#notBefore = this.#lastSentAt + SPACING_MS;
    this.#pause?.cancel();
    this.#pause = undefined;
    if (seconds === 0) this.#ending = 'timeout';
    else this.#armExpiry();
    this.#house.save(this);
    this.#step();
  }

  /** The resource may have changed. */
  changed(): void {
    if (this.#due === 'no') this.#due = 'ifChanged';
    this.#step();
  }

  /** Ends it with a last NOTIFY. */
  end(reason: EndReason): void {
    if (this.isEnding) return;
    this.#ending = reason;
    this.#due = 'must';
    this.#step();
  }

  /** Nothing more is said or done: another node has it, or this one stops. */
  forget(): void {
    this.#over = true;
    for (const timer of [this.#expiry, this.#pause, this.#receiving]) timer?.cancel();
  }

  #armExpiry(): void {
    this.#expiry?.cancel();
    const ms = Math.max(0, this.record.expiresAt - this.#house.now());
    this.#expiry = this.#house.clock.setTimer(ms, () => this.end('timeout'));
  }

  /** Does what is to be done next, if anything can be done now. */
  #step(): void {
    if (this.#over || this.#busy !== 'no' || this.#pause) return;
    const body = this.#result ? undefined : this.#bodies.shift();
    if (body) return this.#receive(body);
    if (this.#due === 'no') return;
    const wait = this.#notBefore - this.#house.clock.now();
    if (wait > 0) return this.#wait(wait);
    this.#busy = 'queued';
    this.#house.pacer.inTurn(this.record.subscriber, () => {
      if (this.#over) return false;
      this.#busy = 'no';
      return this.#send();
    });
  }

  #wait(ms: number): void {
    this.#pause = this.#house.clock.setTimer(ms, () => {
      this.#pause = undefined;
      this.#step();
    });
  }

  #receive(body: EventDocument): void {
    this.#busy = 'receiving';
    let open = true;
    const done = (result: EventDocument | undefined): void => {
      this.#receiving?.cancel();
      if (!open || this.#over) return;
      open = false;
      this.#busy = 'no';
      this.#result = result;
      this.#due = 'must';
      this.#step();
    };
    const failed = (error: unknown): void => {
      if (open) this.#house.log.error({ err: error, event: this.record.event }, 'event package failed');
      done(undefined);
    };
    this.#receiving = this.#house.clock.setTimer(RECEIVING_MS, () => failed(new Error('no result in time')));
    Promise.resolve(this.#pack.received?.(this.subscription, body)).then(done, failed);
  }

  /** False: there is nothing to tell. */
  #send(): boolean {
    const { record } = this;
    const ending = this.#ending;
    if (this.#due === 'ifChanged' && !ending && !this.#isNews()) {
      this.#due = 'no';
      this.#step();
      return false;
    }
    const result = this.#result;
    // Of what is not there, or not theirs any more, nothing is told.
    const silent = ending === 'noresource' || ending === 'rejected';
    const document = silent ? undefined : this.#count(result);
    this.#result = undefined;
    // A result need not say what has changed meanwhile.
    this.#due = result ? 'ifChanged' : 'no';
    this.#busy = 'sending';
    this.#lastSentAt = this.#house.clock.now();
    this.#notBefore = this.#lastSentAt + SPACING_MS;
    record.at = this.#house.now();
    this.#house.sender.send({
      ...{ record, document, inDialog: this.#inDialog, state: this.#stateValue(ending) },
      sent: () => this.#over || this.#house.save(this),
      dialogLost: () => this.#lost(result),
      done: (outcome) => this.#sent(outcome, { result, ending }),
    });
    return true;
  }

  /** What the next NOTIFY carries; it is counted, and the state, if that is what it tells, is known as told. */
  #count(result: EventDocument | undefined): EventDocument | undefined {
    const { record } = this;
    const version = record.version + this.#unknown;
    const state = this.#stateAt(version);
    const digest = digestOf(state);
    record.version = version + 1;
    this.#unknown = 0;
    if (!result || digestOf(result) === digest) Object.assign(record, { digest, toldAs: version });
    return result ?? state;
  }

  /** Whether the state is another than the one last told. */
  #isNews(): boolean {
    const { toldAs, digest } = this.record;
    return toldAs < 0 || digestOf(this.#stateAt(toldAs)) !== digest;
  }

  #stateAt(version: number): EventDocument | undefined {
    try {
      return this.#pack.stateFor(this.subscription, version);
    } catch (error) {
      this.#house.log.error({ err: error, event: this.record.event }, 'event package failed');
      return undefined;
    }
  }

  #stateValue(ending: EndReason | undefined): string {
    if (ending) return `terminated;reason=${ending}`;
    const seconds = Math.ceil((this.record.expiresAt - this.#house.now()) / 1000);
    return `active;expires=${Math.max(seconds, 0)}`;
  }

  /** The server is a new one: from now on NOTIFYs bring the dialog themselves. */
  #lost(result: EventDocument | undefined): void {
    if (this.#over) return;
    this.#inDialog = false;
    this.record.version -= 1;
    this.#again(result);
    this.#step();
  }

  #sent(
    outcome: NotifyOutcome,
    was: { result: EventDocument | undefined; ending: EndReason | undefined },
  ): void {
    if (this.#over) return;
    if (was.ending) return this.#finish(was.ending);
    if (outcome.kind === 'gone') return this.#finish(`answered ${outcome.status}`);
    if (outcome.kind === 'taken') {
      this.#failures = 0;
      this.#busy = 'no';
      return this.#step();
    }
    if (outcome.unsent) this.record.version -= 1;
    else this.#failures += 1;
    const ms = AGAIN_MS[Math.max(this.#failures, 1) - 1];
    if (ms === undefined) return this.#finish('not taken');
    this.#notBefore = this.#house.clock.now() + (outcome.afterMs ?? ms);
    this.#again(was.result);
    this.#step();
  }

  #again(result: EventDocument | undefined): void {
    this.#busy = 'no';
    this.#result ??= result;
    this.#due = 'must';
  }

  #finish(why: string): void {
    this.forget();
    this.#house.ended(this, why);
  }
}
