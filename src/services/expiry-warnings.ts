import { type Association, decideAssociation } from '../domain/association.ts';
import { isRefusal, type Refusal } from '../domain/reasons.ts';
import type { View } from '../domain/view.ts';
import { isWarningDue, minutesUntil } from '../domain/warning.ts';
import { type Store, StoreUnavailable } from '../store/store.ts';
import { msUntilDailyLogOut } from './daily-log-out.ts';
import type { Log, Timers } from './ports.ts';

const TICK = 1_000;
/** Associations looked at per tick: 1 ms of work. */
const SLICE = 20_000;
/** Warnings kept at once; more wait until one is over. */
const MOST_WARNINGS = 10_000;
/** Phones rung at once, and claims under way. */
const MOST_AT_ONCE = 100;
/** ms that a node without a call of the phone leaves to the node that has one. */
const AFTER_YOU = 2_000;
/** ms until a phone that was busy, or a store that was away, is tried again. */
const AGAIN_AFTER = 20_000;
const LONGEST_RINGING = 30_000;
/** Nobody can listen and decide in less, in ms. */
const LAST_CHANCE = 10_000;
/** ms a claim outlives the deadline. */
const CLAIM_MARGIN = 60_000;

export interface ExpiryWarningsDependencies {
  readonly store: Pick<Store, 'claimOnce' | 'extend'>;
  readonly view: Pick<View, 'directory' | 'associationAt'> & {
    /** The store's clock, ms since 1970. */
    now(): number;
    associations(): Iterable<Association>;
  };
  readonly phones: WarnedPhones;
  readonly timers: Timers;
  readonly log: Log;
}

/**
 * What came of ringing. `busy`: the phone says so; `interrupted`: somebody began a call at it, or it was called off;
 * `emergency`: somebody called for help from it.
 */
export type RingOutcome = 'answered' | 'unanswered' | 'busy' | 'interrupted' | 'emergency';

/** The phones that are told. */
export interface WarnedPhones {
  stateOf(host: string): 'free' | 'busy' | 'emergency';
  /** Rings the phone and asks who answers whether they stay. Never rejects. */
  ring(host: string, question: StayQuestion): Promise<RingOutcome>;
  /** Shows a text on the phone, if it can do that; nobody hears whether it did. */
  message(host: string, text: string): void;
}

export interface StayQuestion {
  readonly ringMs: number;
  /** Calls it off, ringing or answered. */
  readonly signal: AbortSignal;
  /** Whole minutes until the log-out, from 1. */
  minutesLeft(): number;
  /** The answer is yes; undefined when it has been done. */
  stay(): Promise<Refusal | undefined>;
}

interface Warning {
  readonly association: Association & { readonly expiresAt: number };
  readonly calledOff: AbortController;
  /** `theirs`: another node does it. */
  state: 'new' | 'claiming' | 'ours' | 'ringing' | 'over' | 'theirs';
  /** Nothing is done about it before; store clock. */
  notBefore: number;
  messaged: boolean;
  /** The guest has said yes: that the deadline moves ends nothing. */
  staying: boolean;
}

/**
 * Tells guests before their deadline (issue: "press 1 to stay"), once per deadline whichever node does it. A phone in
 * use shows a text and is rung when it is free; one that is or was in an emergency call is left alone.
 */
export class ExpiryWarnings {
  readonly #deps: ExpiryWarningsDependencies;
  /** By host: there is one association at each. */
  readonly #warnings = new Map<string, Warning>();
  readonly #ringing = new Set<Promise<void>>();
  #timer: { cancel(): void } | undefined;
  #looking: Iterator<Association> | undefined;
  #claiming = 0;
  #storeAway = false;

  constructor(deps: ExpiryWarningsDependencies) {
    this.#deps = deps;
  }

  start(): void {
    this.#timer ??= this.#deps.timers.setTimer(TICK, () => {
      this.#timer = undefined;
      this.#tick();
      this.start();
    });
  }

  /** Calls off what is under way; resolves when no phone rings any more. */
  async stop(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#forgetAll();
    await Promise.all(this.#ringing);
  }

  /** Warnings known at the moment, done or not. */
  get size(): number {
    return this.#warnings.size;
  }

  #tick(): void {
    const minutes = this.#deps.view.directory?.company.expiryWarningMinutes ?? 0;
    if (minutes === 0) return this.#forgetAll();
    const now = this.#deps.view.now();
    this.#look(minutes, now);
    for (const warning of this.#warnings.values()) this.#advance(warning, now);
  }

  #forgetAll(): void {
    this.#looking = undefined;
    for (const { calledOff } of this.#warnings.values()) calledOff.abort();
    this.#warnings.clear();
  }

  /** A slice at a time, so that calls do not wait for it however many associations there are. */
  #look(minutes: number, now: number): void {
    this.#looking ??= this.#deps.view.associations()[Symbol.iterator]();
    for (let n = 0; n < SLICE; n++) {
      const { done, value } = this.#looking.next();
      if (done) {
        this.#looking = undefined;
        return;
      }
      if (isWarningDue(value, { minutes, now })) this.#note(value, now);
    }
  }

  #note(association: Association, now: number): void {
    const { host, expiresAt } = association;
    const known = this.#warnings.get(host);
    if (expiresAt === 'never' || (known && isSame(known.association, association))) return;
    if (!known && this.#warnings.size >= MOST_WARNINGS) return;
    known?.calledOff.abort();
    this.#warnings.set(host, {
      association: { ...association, expiresAt },
      calledOff: new AbortController(),
      state: 'new',
      notBefore: now + AFTER_YOU,
      messaged: false,
      staying: false,
    });
  }

  #advance(warning: Warning, now: number): void {
    const { host, expiresAt } = warning.association;
    const current = this.#deps.view.associationAt(host);
    if (!current || !isSame(current, warning.association)) return this.#forget(warning);
    if (warning.state !== 'new' && warning.state !== 'ours') return;
    if (expiresAt - now < LAST_CHANCE) warning.state = 'over';
    else if (warning.state === 'new') this.#claimInTurn(warning, now);
    else this.#tellInTurn(warning, now);
  }

  #forget(warning: Warning): void {
    if (!warning.staying) warning.calledOff.abort();
    this.#warnings.delete(warning.association.host);
  }

  /** The node that carries a call of the phone goes first: the others do not know that it is busy. */
  #claimInTurn(warning: Warning, now: number): void {
    const isFree = this.#deps.phones.stateOf(warning.association.host) === 'free';
    if (isFree && now < warning.notBefore) return;
    if (this.#ringing.size + this.#claiming >= MOST_AT_ONCE) return;
    void this.#claim(warning, now);
  }

  async #claim(warning: Warning, now: number): Promise<void> {
    const { host, generation, expiresAt } = warning.association;
    warning.state = 'claiming';
    this.#claiming++;
    try {
      const name = `warn:${host}:${generation}:${expiresAt}`;
      const isOurs = await this.#deps.store.claimOnce(name, expiresAt - now + CLAIM_MARGIN);
      this.#storeAway = false;
      warning.state = isOurs ? 'ours' : 'theirs';
      warning.notBefore = 0;
      if (isOurs && this.#warnings.get(host) === warning) this.#advance(warning, this.#deps.view.now());
    } catch (error) {
      if (!this.#storeAway) this.#deps.log.warn({ err: error }, 'log-outs cannot be announced; trying again');
      this.#storeAway = true;
      warning.state = 'new';
      warning.notBefore = now + AGAIN_AFTER;
    } finally {
      this.#claiming--;
    }
  }

  #tellInTurn(warning: Warning, now: number): void {
    const { host } = warning.association;
    const state = this.#deps.phones.stateOf(host);
    if (state === 'emergency') {
      // Whoever called for help, or is called back, has other worries.
      warning.state = 'over';
    } else if (state === 'busy') this.#message(warning, now);
    else if (now >= warning.notBefore && this.#ringing.size < MOST_AT_ONCE) this.#ring(warning, now);
  }

  #message(warning: Warning, now: number): void {
    if (warning.messaged) return;
    warning.messaged = true;
    const { host, expiresAt } = warning.association;
    const minutes = minutesUntil(expiresAt, now);
    const inTime = minutes === 1 ? '1 minute' : `${minutes} minutes`;
    this.#deps.phones.message(host, `You will be logged out of this phone in ${inTime}.`);
  }

  #ring(warning: Warning, now: number): void {
    const { host, guest, generation, expiresAt } = warning.association;
    warning.state = 'ringing';
    const question: StayQuestion = {
      ringMs: Math.min(LONGEST_RINGING, expiresAt - now - LAST_CHANCE / 2),
      signal: warning.calledOff.signal,
      minutesLeft: () => minutesUntil(expiresAt, this.#deps.view.now()),
      stay: () => this.#stay(warning),
    };
    const ringing = this.#deps.phones.ring(host, question).then((outcome) => {
      this.#ringing.delete(ringing);
      this.#deps.log.info({ host, guest, generation, outcome }, 'phone rung before the log-out');
      this.#rung(warning, outcome);
    });
    this.#ringing.add(ringing);
  }

  /** A phone that rang in vain is not rung again; one that could not ring is. */
  #rung(warning: Warning, outcome: RingOutcome): void {
    const now = this.#deps.view.now();
    const mayRingAgain = outcome === 'busy' || outcome === 'interrupted';
    warning.state = mayRingAgain && !warning.staying ? 'ours' : 'over';
    if (outcome !== 'busy') return;
    warning.notBefore = now + AGAIN_AFTER;
    this.#message(warning, now);
  }

  async #stay(warning: Warning): Promise<Refusal | undefined> {
    const { host, guest, generation } = warning.association;
    const limitMs = this.#limitAnew(warning);
    if (isRefusal(limitMs)) return limitMs;
    warning.staying = true;
    const command = { reason: 'stay', host, generation, limitMs, actor: 'guest' } as const;
    try {
      const { store, log } = this.#deps;
      // Twice is as good as once: the second answer may be the first that arrives.
      const reply = await store.extend(command).catch(() => store.extend(command));
      if (reply.outcome !== 'extended') {
        return { refused: reply.outcome === 'gone' ? 'nobodyHere' : 'storeUnavailable' };
      }
      log.info({ host, guest, generation }, 'stays logged in');
      return undefined;
    } catch (error) {
      warning.staying = false;
      if (error instanceof StoreUnavailable) return { refused: 'storeUnavailable' };
      throw error;
    }
  }

  /** By the rules as they are now (A4, B2, B3); of the daily log-outs, the one after the deadline there is. */
  #limitAnew({ association }: Warning): number | 'never' | Refusal {
    const { directory } = this.#deps.view;
    const now = this.#deps.view.now();
    const host = directory?.hosts.get(association.host);
    const user = directory?.users.get(association.guest);
    if (!directory || !host || !user) return { refused: 'nobodyHere', detail: 'no longer in the directory' };
    const owner = host.owner === undefined ? undefined : directory.users.get(host.owner);
    const site = directory.sites.get(host.site);
    const daily = site && msUntilDailyLogOut(site, association.expiresAt);
    const untilDailyLogOutMs = daily === undefined ? undefined : association.expiresAt - now + daily;
    const { company } = directory;
    // Who says so stands before the host.
    const plan = decideAssociation({ company, host, user, owner, how: 'atHost', untilDailyLogOutMs });
    return isRefusal(plan) ? plan : plan.limitMs;
  }
}

function isSame(a: Association, b: Association): boolean {
  return a.generation === b.generation && a.expiresAt === b.expiresAt;
}
