import type { Clock } from '../clock.ts';
import type { FirstLook } from './first-look.ts';

/**
 * `proven`: an emergency call of a peer that is known, or what comes from where those are answered; `claimed`: an
 * emergency call of anybody else who may make one.
 */
export type Urgency = 'proven' | 'claimed' | 'none';

/** How a message was taken in; `late`: an emergency call beyond the share of its source, treated like any other. */
export type Taken = 'urgent' | 'late' | 'inTurn' | 'turnedAway';

type Turn = 'goingOn' | 'new';

export interface IntakeOptions {
  readonly clock: Clock;
  /** What must not wait, from the first look alone, at once. */
  readonly urgencyOf: (look: FirstLook) => Urgency;
  /** Runs once in the next turn of the event loop, after the sockets were read. */
  readonly nextTurn?: (run: () => void) => void;
  readonly onError: (error: Error) => void;
}

/** Work taken on in one turn of the event loop. With more, an emergency call would have to wait for all of it. */
const NEW_PER_TURN = 8;
const GOING_ON_PER_TURN = 64;
/**
 * Messages in one turn from which on it is a flood: less is taken on, so that the turn is short and the sockets are read
 * again soon. Node reads 32 datagrams of a socket in a turn, and what the kernel has no room for is lost unseen.
 */
const FLOOD_PER_TURN = 30;
const NEW_PER_FLOODED_TURN = 1;
/** Of the flooded turns in a row, every how many takes on anything new: until the sockets are empty, reading goes first. */
const FLOODED_TURNS_PER_NEW = 8;
const GOING_ON_PER_FLOODED_TURN = 16;
/** Waiting at most: some seconds of work. */
const MAX_WAITING = 4_000;
/** Waiting, from which on it is a flood to others as well. */
const MANY_WAITING = 200;

/**
 * Urgent messages in a second, new requests and what belongs to calls each: of a known peer; of all others at one address,
 * and what of that is theirs even while the others together ask for more than can be done. More wait their turn.
 */
const PROVEN_PER_PEER = 200;
const CLAIMED_PER_ADDRESS = 200;
const CLAIMED_IN_ANY_CASE = 20;
const CLAIMED_IN_ALL = 300;
const WINDOW_MS = 1_000;

/**
 * Decides what is handled first. As long as there is little to do, everything is handled as it comes. Under a flood,
 * reading goes on at full speed, emergency calls are handled at once, calls that are up come next, and new requests wait
 * or are left out: whoever sent them sends them again.
 */
export class Intake {
  /** Messages for which there was no room. */
  turnedAway = 0;
  readonly #options: IntakeOptions;
  readonly #nextTurn: (run: () => void) => void;
  readonly #goingOn = new Queue();
  readonly #new = new Queue();
  /** Urgent messages of this window by kind and peer, by kind and address, and by kind all that were claimed. */
  readonly #urgent = new Map<string, number>();
  #windowEnd = Number.NEGATIVE_INFINITY;
  /** Counts of this turn. */
  #seen = 0;
  #goneOn = 0;
  #begun = 0;
  /** Turns before this one, in a row, that were floods. */
  #floodedTurns = 0;
  #scheduled = false;

  constructor(options: IntakeOptions) {
    this.#options = options;
    this.#nextTurn = options.nextTurn ?? ((run) => void setImmediate(run));
  }

  /** Messages that wait. */
  get waiting(): number {
    return this.#goingOn.length + this.#new.length;
  }

  /** More comes than can be handled: what can be left out should be. */
  get isFlooded(): boolean {
    return this.waiting >= MANY_WAITING;
  }

  /** Handles a message now or soon, or not at all; `late` is told to the handler, since it comes later. */
  take(look: FirstLook, handle: (late: boolean) => void): Taken {
    this.#seen += 1;
    this.#schedule();
    const urgency = this.#urgencyOf(look);
    if (urgency !== 'none' && this.#isWithinShare(look, urgency)) {
      handle(false);
      return 'urgent';
    }
    const late = urgency !== 'none';
    const turn = look.isNew ? 'new' : 'goingOn';
    return this.#takeInTurn(turn, () => handle(late)) ? (late ? 'late' : 'inTurn') : 'turnedAway';
  }

  #takeInTurn(turn: Turn, handle: () => void): boolean {
    const queue = turn === 'new' ? this.#new : this.#goingOn;
    if (queue.length === 0 && this.#hasTime(turn)) {
      this.#count(turn);
      handle();
      return true;
    }
    if (queue.length < MAX_WAITING) return queue.add(handle);
    this.turnedAway += 1;
    return false;
  }

  /** What decides this is others' code: whatever it does, the message is handled. */
  #urgencyOf(look: FirstLook): Urgency {
    try {
      return this.#options.urgencyOf(look);
    } catch (error) {
      this.#options.onError(error as Error);
      return 'none';
    }
  }

  /** A flood of emergency calls from one place must not keep away those from others. */
  #isWithinShare({ address, port, isNew }: FirstLook, urgency: Urgency): boolean {
    const now = this.#options.clock.now();
    if (now >= this.#windowEnd) {
      this.#urgent.clear();
      this.#windowEnd = now + WINDOW_MS;
    }
    // What belongs to calls takes nothing of the share of new ones, which would be turned away for it.
    const kind = isNew ? 'new' : 'on';
    if (urgency === 'proven') return this.#oneMore(`${kind} ${address} ${port}`) <= PROVEN_PER_PEER;
    const ofAddress = this.#oneMore(`${kind} ${address}`);
    if (ofAddress > CLAIMED_PER_ADDRESS) return false;
    return this.#oneMore(kind) <= CLAIMED_IN_ALL || ofAddress <= CLAIMED_IN_ANY_CASE;
  }

  #oneMore(source: string): number {
    const count = (this.#urgent.get(source) ?? 0) + 1;
    this.#urgent.set(source, count);
    return count;
  }

  #hasTime(turn: Turn): boolean {
    const flooded = this.#seen >= FLOOD_PER_TURN;
    if (turn === 'goingOn') return this.#goneOn < (flooded ? GOING_ON_PER_FLOODED_TURN : GOING_ON_PER_TURN);
    if (!flooded) return this.#begun < NEW_PER_TURN;
    return this.#floodedTurns % FLOODED_TURNS_PER_NEW === 0 && this.#begun < NEW_PER_FLOODED_TURN;
  }

  #count(turn: Turn): void {
    if (turn === 'new') this.#begun += 1;
    else this.#goneOn += 1;
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#nextTurn(() => this.#turnEnds());
  }

  /** The sockets were read: what time is left goes to what waits, and a new turn begins. */
  #turnEnds(): void {
    this.#scheduled = false;
    for (const [turn, queue] of [['goingOn', this.#goingOn] as const, ['new', this.#new] as const]) {
      while (queue.length > 0 && this.#hasTime(turn)) {
        this.#count(turn);
        queue.next()?.();
      }
    }
    this.#floodedTurns = this.#seen >= FLOOD_PER_TURN ? this.#floodedTurns + 1 : 0;
    this.#seen = 0;
    this.#goneOn = 0;
    this.#begun = 0;
    if (this.waiting > 0) this.#schedule();
  }
}

/** First in, first out, at the same cost for any length. */
class Queue {
  #items: (() => void)[] = [];
  #first = 0;

  get length(): number {
    return this.#items.length - this.#first;
  }

  add(item: () => void): true {
    this.#items.push(item);
    return true;
  }

  next(): (() => void) | undefined {
    const item = this.#items[this.#first];
    this.#first += 1;
    if (this.#first > 1_000) {
      this.#items = this.#items.slice(this.#first);
      this.#first = 0;
    }
    return item;
  }
}
