import type { Association, ChangeEvent } from '../domain/association.ts';
import type { View } from '../domain/view.ts';
import { type Store, StoreUnavailable } from '../store/store.ts';
import { MissedPhones } from './missed-phones.ts';
import type { Log, PhonePort, Timers } from './ports.ts';

/** Changes closer together are one, in ms: a move, a take-over. */
const SETTLE = 500;
/** A phone is not disturbed in a call: looked at this often, and left alone for so long afterwards. */
const BUSY = 1_000;
const AFTER_CALL = 2_000;
/** ms a node has for one try before another takes it for dead. */
const LEASE = 15_000;
const LEASE_MARGIN = 2_000;
/** ms a change that was told is remembered by all nodes. */
const REMEMBERED = 600_000;
/** Tries after the first, and ms before the first of them; doubled for each. */
const RETRIES = 3;
const BACK_OFF = 2_000;
/** ms to wait for a store that is away. */
const STORE_AWAY = 1_000;
/** ms until a phone that was told a moment ago is looked at again. */
const SPACED = 1_000;
/** Changes this old are told at start-up, if no node has. */
const RECENT = 120_000;
/** A change that took longer to get here may have been told by others long ago. */
const LATE = 5_000;
/** Times a node looks whether the one that was faster is still at it. */
const LOOKS = 4;
const MAX_HOSTS = 50_000;

export interface PhoneUpdatesDependencies {
  readonly store: Pick<Store, 'claimOnce' | 'history'>;
  readonly view: Pick<View, 'associationAt' | 'bindingsOf'> & {
    /** The store's clock, ms since 1970. */
    now(): number;
    onChange(listener: (event: ChangeEvent) => void): () => void;
    onReconnect(listener: () => void): () => void;
  };
  readonly phone: PhonePort;
  /** ms at least between two updates of a phone, whichever node sends them: it loads its configuration each time. */
  readonly spacingMs: number;
  readonly clock: { now(): number } & Timers;
  readonly log: Log;
}

type Seating = Extract<ChangeEvent, { kind: 'start' | 'end' }>;

/** One host whose phone is to look again. */
interface Face {
  /** Names the change, the same on every node. */
  key: string;
  seq: number;
  /** Another node may have told it already. */
  doubtful: boolean;
  /** Our own: no other node knows of it. */
  alone: boolean;
  /** The change for which the phone has been left alone for long enough. */
  spaced: string;
  /** Until when this node may try, by our own clock. */
  leasedUntil: number;
  tries: number;
  lost: number;
  wasBusy: boolean;
  due: number;
  timer: { cancel(): void } | undefined;
  running: boolean;
}

/**
 * Tells phones that somebody has logged in or out. Level-triggered: whatever led to it, the phone is told to look
 * again and finds what is so now, so that a late "logged out" undoes nothing. One node tells; if it dies, another
 * does. At least once, and nearly always once.
 */
export class PhoneUpdates {
  readonly #deps: PhoneUpdatesDependencies;
  readonly #faces = new Map<string, Face>();
  readonly #missed: MissedPhones;
  #stopListening: (() => void) | undefined;
  #stopWaiting: (() => void) | undefined;
  /** What the last minutes left untold could not be read. */
  #isBehind = false;
  #full = false;

  constructor(deps: PhoneUpdatesDependencies) {
    this.#deps = deps;
    const again = (host: string, seq: number): void => this.#note(host, { key: '', seq, alone: true });
    this.#missed = new MissedPhones({ view: deps.view, timers: deps.clock, again });
  }

  /** Listens from now on, and looks in the background what the last minutes left untold. */
  start(): void {
    this.#stopListening ??= this.#deps.view.onChange((event) => {
      if (event.kind === 'start' || event.kind === 'end') this.#changed(event);
    });
    this.#stopWaiting ??= this.#deps.view.onReconnect(() => {
      if (this.#isBehind) void this.#catchUp();
    });
    void this.#catchUp();
  }

  /** What is not told by now, another node tells. */
  stop(): void {
    this.#stopListening?.();
    this.#stopListening = undefined;
    this.#stopWaiting?.();
    this.#stopWaiting = undefined;
    for (const face of this.#faces.values()) face.timer?.cancel();
    this.#faces.clear();
    this.#missed.clear();
  }

  /** Hosts remembered at this moment. */
  get size(): number {
    return this.#faces.size + this.#missed.size;
  }

  #changed(event: Seating): void {
    const isLate = event.actor === 'unknown' || this.#deps.view.now() - event.at > LATE;
    const { host } = event.association;
    this.#missed.delete(host);
    this.#note(host, { key: keyOf(event), seq: event.seq, doubtful: isLate });
  }

  /** A node that died between a change and its NOTIFY left it to whoever starts next. */
  async #catchUp(): Promise<void> {
    const { store, view } = this.#deps;
    this.#isBehind = false;
    try {
      const query = { from: view.now() - RECENT, kinds: ['start', 'end'], limit: 1_000 } as const;
      const { events } = await store.history(query);
      const newest = new Map<string, Seating>();
      for (const event of events) {
        if (event.kind !== 'start' && event.kind !== 'end') continue;
        const { host } = event.association;
        if (!newest.has(host)) newest.set(host, event);
      }
      for (const [host, event] of this.#stopListening ? newest : []) {
        if (!this.#faces.has(host)) this.#note(host, { key: keyOf(event), seq: event.seq, doubtful: true });
      }
    } catch (error) {
      this.#isBehind = true;
      this.#deps.log.warn({ err: error }, 'cannot see which phones were told of the last changes');
    }
  }

  #note(host: string, change: Pick<Face, 'key' | 'seq'> & Partial<Face>): void {
    const before = this.#faces.get(host);
    const face: Face = before ?? { ...NEW_FACE, key: '', seq: 0 };
    Object.assign(face, { doubtful: false, alone: false, tries: 0, lost: 0, leasedUntil: 0 }, change);
    if (!before) {
      this.#makeRoom();
      this.#faces.set(host, face);
    }
    // Whose call the phone is in tells it afterwards: no other node may come first.
    if (!face.running) this.#lookIn(this.#deps.phone.isFree(host) ? SETTLE : 0, host, face);
  }

  /** Sooner if it was to be later. */
  #lookIn(ms: number, host: string, face: Face): void {
    const { clock } = this.#deps;
    const due = clock.now() + ms;
    if (face.timer && face.due <= due) return;
    face.timer?.cancel();
    face.due = due;
    face.timer = clock.setTimer(ms, () => {
      face.timer = undefined;
      void this.#look(host, face);
    });
  }

  async #look(host: string, face: Face): Promise<void> {
    const { key } = face;
    face.running = true;
    const next = await this.#attempt(host, face);
    face.running = false;
    if (this.#faces.get(host) !== face) return;
    if (face.key !== key) this.#lookIn(SETTLE, host, face);
    else if (next === 'done') this.#faces.delete(host);
    else this.#lookIn(next, host, face);
  }

  /** ms after which to look again. Never rejects. */
  async #attempt(host: string, face: Face): Promise<number | 'done'> {
    try {
      if (!this.#deps.phone.isFree(host)) {
        face.wasBusy = true;
        await this.#lease(host, face);
        return BUSY;
      }
      if (face.wasBusy) {
        face.wasBusy = false;
        return AFTER_CALL;
      }
      const { key } = face;
      const mine = await this.#isMine(host, face);
      // Told by who knows the newest change; it may have come in this moment.
      if (face.key !== key) return SETTLE;
      if (mine === 'yes') return await this.#tell(host, face);
      if (mine === 'soon') return SPACED;
      return mine === 'told' || face.lost++ >= LOOKS ? 'done' : LEASE + LEASE_MARGIN;
    } catch (error) {
      if (error instanceof StoreUnavailable) return STORE_AWAY;
      this.#deps.log.error({ err: error, host }, 'telling a phone failed');
      return 'done';
    }
  }

  async #isMine(host: string, face: Face): Promise<'yes' | 'soon' | 'no' | 'told'> {
    const doubtful = face.doubtful || face.lost > 0;
    if (face.alone) return 'yes';
    if (!(await this.#lease(host, face))) return 'no';
    if (!(await this.#isSpaced(host, face))) return 'soon';
    if (!doubtful) return 'yes';
    face.doubtful = false;
    face.lost = 0;
    return (await this.#markTold(host, face.key)) ? 'yes' : 'told';
  }

  /** The right to try, for a while. */
  async #lease(host: string, face: Face): Promise<boolean> {
    const { store, clock } = this.#deps;
    if (face.alone || face.leasedUntil > clock.now()) return true;
    const { key } = face;
    const asked = clock.now();
    const granted = await store.claimOnce(`face:${host}:${key}`, LEASE);
    if (granted && face.key === key) face.leasedUntil = asked + LEASE;
    return granted;
  }

  /** Whether the last update is long enough ago; a try that failed may be repeated sooner. */
  async #isSpaced(host: string, face: Face): Promise<boolean> {
    const { store, spacingMs } = this.#deps;
    if (spacingMs === 0 || face.spaced === face.key) return true;
    const { key } = face;
    const granted = await store.claimOnce(`facing:${host}`, spacingMs);
    if (granted) face.spaced = key;
    return granted;
  }

  /** True for the first node that does. */
  #markTold(host: string, key: string): Promise<boolean> {
    return this.#deps.store.claimOnce(`faced:${host}:${key}`, REMEMBERED);
  }

  async #tell(host: string, face: Face): Promise<number | 'done'> {
    const { phone, view, log } = this.#deps;
    const { key, seq } = face;
    const reached = this.#missed.reachNow(host);
    const outcome = await phone.update(host, { seq, association: view.associationAt(host) });
    if (face.key !== key) return SETTLE;
    if (outcome === 'failed' && face.tries < RETRIES) return BACK_OFF * 2 ** face.tries++;
    if (outcome === 'failed') log.warn({ host }, 'a phone does not answer and shows who sat there before');
    if (outcome === 'refused')
      log.warn({ host }, 'a phone is not set up to be told of a change (check-sync)');
    if (outcome === 'failed' || outcome === 'nobody') this.#missed.add(host, { seq, reached });
    // Given up is as good as told: other nodes could do no better.
    if (!face.alone) await this.#markTold(host, key).catch(() => undefined);
    return 'done';
  }

  #makeRoom(): void {
    const [oldest] = this.#faces.keys();
    if (this.#faces.size < MAX_HOSTS || oldest === undefined) {
      this.#full = false;
      return;
    }
    if (!this.#full)
      this.#deps.log.error({ hosts: MAX_HOSTS }, 'too many phones to tell at once: some are not');
    this.#full = true;
    this.#faces.get(oldest)?.timer?.cancel();
    this.#faces.delete(oldest);
  }
}

const NEW_FACE: Omit<Face, 'key' | 'seq'> = {
  doubtful: false,
  alone: false,
  spaced: '',
  leasedUntil: 0,
  tries: 0,
  lost: 0,
  wasBusy: false,
  due: 0,
  timer: undefined,
  running: false,
};

/** By what the change is, not by its position: who missed it in the log, and sees it in a snapshot, names it the same. */
function keyOf({ kind, association }: { kind: 'start' | 'end'; association: Association }): string {
  const { generation, startedAt } = association;
  return `${generation.toString(36)}.${Math.round(startedAt).toString(36)}.${kind}`;
}
