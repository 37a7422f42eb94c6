import type { Log } from '../ports.ts';
import type { Party } from './leg.ts';

/** RFC 4235 3.7.1, as far as it is seen from the middle of a call; what is terminated is not there any more. */
export type LineState = 'trying' | 'early' | 'confirmed';

/** One call as one phone has it, however many contacts of the phone ring. */
export interface Line {
  /** Unique on this node. */
  readonly id: number;
  /** Of the phone: it began the call, or was called. */
  readonly direction: 'initiator' | 'recipient';
  readonly state: LineState;
  /** From or To of the far side, as the phone is shown it; undefined: not to be told. */
  readonly remote: string | undefined;
}

/** A line of a call that goes on, kept by the call. All of it may be called at any time, and counts until the end. */
export interface OpenLine {
  readonly remote: string | undefined;
  /** It rings. */
  early(): void;
  confirm(): void;
  /** Somebody else is there now: the call was transferred. */
  shows(remote: string | undefined): void;
  /** A leg has it now and will end it. */
  keep(): void;
  /** Ends it unless a leg has it. */
  drop(): void;
  /** Once; later calls do nothing. */
  end(): void;
}

/** Of trunks, and of phones nobody knows. */
const NO_LINE: OpenLine = Object.freeze({
  remote: undefined,
  early: () => undefined,
  confirm: () => undefined,
  shows: () => undefined,
  keep: () => undefined,
  drop: () => undefined,
  end: () => undefined,
});

/**
 * The calls of our phones as far as this node carries them. No larger than its calls. What listeners do is the calls'
 * to wait for, so they only take note.
 */
export class Lines {
  readonly #hosts = new Map<string, Set<Line>>();
  readonly #listeners = new Set<(host: string) => void>();
  readonly #log: Log;
  #id = 0;

  constructor(log: Log) {
    this.#log = log;
  }

  /** Phones with a line. */
  get size(): number {
    return this.#hosts.size;
  }

  hosts(): Iterable<string> {
    return this.#hosts.keys();
  }

  /** In the order they began. */
  at(host: string): Iterable<Line> {
    return this.#hosts.get(host) ?? [];
  }

  /** Called when a line begins, changes or ends. */
  onChange(listener: (host: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  begin(
    party: Party,
    { direction, state = 'trying', remote }: Pick<Line, 'direction' | 'remote'> & { state?: LineState },
  ): OpenLine {
    // An emergency call may come from a phone nobody knows.
    if (party.kind !== 'host' || party.host === '') return NO_LINE;
    const { host } = party;
    const line = new LineInUse({ id: ++this.#id, direction, state, remote }, (isOver) => {
      if (isOver) this.#remove(host, line);
      this.#tell(host);
    });
    const own = this.#hosts.get(host) ?? new Set();
    this.#hosts.set(host, own.add(line));
    this.#tell(host);
    return line;
  }

  #remove(host: string, line: Line): void {
    const own = this.#hosts.get(host);
    own?.delete(line);
    if (own?.size === 0) this.#hosts.delete(host);
  }

  /** Calls go on whatever a listener does. */
  #tell(host: string): void {
    for (const listener of this.#listeners) {
      try {
        listener(host);
      } catch (error) {
        this.#log.error({ err: error, host }, 'a listener failed on a call');
      }
    }
  }
}

const ORDER: Readonly<Record<LineState, number>> = { trying: 0, early: 1, confirmed: 2 };

class LineInUse implements Line, OpenLine {
  readonly id: number;
  readonly direction: Line['direction'];
  state: LineState;
  remote: string | undefined;
  #changed: ((isOver: boolean) => void) | undefined;
  #kept = false;

  constructor({ id, direction, state, remote }: Line, changed: (isOver: boolean) => void) {
    this.id = id;
    this.direction = direction;
    this.state = state;
    this.remote = remote;
    this.#changed = changed;
  }

  early(): void {
    this.#reach('early');
  }

  confirm(): void {
    this.#reach('confirmed');
  }

  shows(remote: string | undefined): void {
    if (this.remote === remote) return;
    this.remote = remote;
    this.#changed?.(false);
  }

  keep(): void {
    this.#kept = true;
  }

  drop(): void {
    if (!this.#kept) this.end();
  }

  end(): void {
    const changed = this.#changed;
    this.#changed = undefined;
    changed?.(true);
  }

  /** Never back: of forks one may answer while another still begins to ring. */
  #reach(state: LineState): void {
    if (ORDER[state] <= ORDER[this.state]) return;
    this.state = state;
    this.#changed?.(false);
  }
}
