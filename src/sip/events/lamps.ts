import { createHash } from 'node:crypto';
import type { View } from '../../domain/view.ts';
import type { SharedState } from '../../services/shared-state.ts';
import type { Target } from '../calls/fork.ts';
import { phoneTargets } from '../calls/targets.ts';
import type { Clock, Log, Timer } from '../ports.ts';
import type { Headers, Srf } from '../srf.ts';
import type { Lamp, MessageSummary } from './message-summary.ts';

/** Changes closer together are one, in ms: a move, a take-over. */
const SETTLE = 50;
/** ms at least between two NOTIFYs to one phone, whichever node sends them. */
const SPACING = 300;
/** ms after which a node looks whether the one that was faster has told the phone. */
const LOOK_AGAIN = 150;
/** ms to wait for a store that is away. */
const STORE_AWAY = 1_000;
/** Times a node looks again at one change. */
const LOOKS = 100;
/** ms before a phone that does not answer is told again; doubled each time. */
const BACK_OFF = 2_000;
const RETRIES = 3;
/** ms a phone has to answer: five transmissions over UDP (RFC 3261 17.1.2). */
const PATIENCE = 8_000;
/** NOTIFYs under way at once; the others wait their turn. */
const MAX_IN_FLIGHT = 50;
/** ms for which all nodes remember what a phone shows. */
const REMEMBERED = 30 * 24 * 3_600_000;
/** ms for which a phone that wants none is left alone. */
const LEFT_ALONE = 6 * 3_600_000;
/** Statuses of a phone that takes no such NOTIFY. */
const UNWANTED = new Set([403, 405, 481, 489, 501]);

export interface LampsDependencies {
  readonly summary: Pick<MessageSummary, 'event' | 'lampOf' | 'watch'>;
  readonly view: View & { onBindingsChange(listener: (host: string) => void): () => void };
  readonly shared: SharedState;
  /** True for one caller in `ttlMs`, whichever node asks. Rejects when the store is away. */
  claimOnce(name: string, ttlMs: number): Promise<boolean>;
  /** Whether a phone of this host has subscribed and hears of changes that way. */
  isSubscribed(host: string): boolean;
  /** Called when a phone of this host has no subscription any more. */
  onUnsubscribed(listener: (host: string) => void): () => void;
  readonly srf: Pick<Srf, 'request'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly domain: string;
}

/** What a phone shows, for all nodes: name of the state it was last told, over the registrations it was told by. */
interface Told {
  readonly is: string;
}

interface Change {
  looks: number;
  tries: number;
  timer: Timer | undefined;
  /** Something has changed again while it was being told. */
  isStale: boolean;
  running: boolean;
}

type Outcome = 'told' | 'unwanted' | 'failed';

/**
 * Message lamps of phones that have not subscribed: an unsolicited NOTIFY (RFC 3842) down each flow a phone registered
 * over, whenever what it shows is no longer so. Level-triggered: every node compares what a phone was told with what is
 * so now, and the first to claim it tells. Phones nobody ever lit are left in peace.
 */
export class Lamps {
  readonly #deps: LampsDependencies;
  readonly #changes = new Map<string, Change>();
  readonly #waiting: (() => void)[] = [];
  /** `<host> <contact>` of registrations that were sent something and have not answered. */
  readonly #unanswered = new Set<string>();
  #inFlight = 0;
  #stops: (() => void)[] = [];

  constructor(deps: LampsDependencies) {
    this.#deps = deps;
  }

  start(): void {
    const { summary, view, onUnsubscribed } = this.#deps;
    this.#stops = [
      summary.watch((resource) => this.#changed(resource)),
      view.onBindingsChange((host) => this.#changed(host)),
      // It may have started anew and know nothing of what was told inside the subscription.
      onUnsubscribed((host) => this.#changed(host)),
    ];
  }

  /** What is not told by now, another node tells. */
  stop(): void {
    for (const stop of this.#stops.splice(0)) stop();
    for (const { timer } of this.#changes.values()) timer?.cancel();
    this.#changes.clear();
  }

  /** Hosts being told at this moment. */
  get size(): number {
    return this.#changes.size;
  }

  #changed(host: string): void {
    if (!this.#deps.view.directory?.hosts.has(host)) return;
    this.#forgetIfSubscribed(host);
    const before = this.#changes.get(host);
    if (!before && !this.#wanted(host)) return;
    if (before) {
      Object.assign(before, { looks: 0, tries: 0, isStale: true });
      if (!before.running) this.#lookIn(SETTLE, host, before);
      return;
    }
    const change: Change = { looks: 0, tries: 0, timer: undefined, isStale: false, running: false };
    this.#changes.set(host, change);
    this.#lookIn(SETTLE, host, change);
  }

  /** What a phone shows then is not what it was told here. */
  #forgetIfSubscribed(host: string): void {
    const { shared } = this.#deps;
    const told = toldIn(shared.get(`lamp:${host}`));
    if (told && told.is !== '' && this.#deps.isSubscribed(host)) this.#forget(host);
  }

  /** What it shows is not known any more. */
  #forget(host: string): void {
    this.#deps.shared.put(`lamp:${host}`, { is: '' } satisfies Told, REMEMBERED);
  }

  #lookIn(ms: number, host: string, change: Change): void {
    change.timer?.cancel();
    change.timer = this.#deps.clock.setTimer(ms, () => {
      change.timer = undefined;
      void this.#look(host, change);
    });
  }

  async #look(host: string, change: Change): Promise<void> {
    change.running = true;
    change.isStale = false;
    const next = await this.#attempt(host, change);
    change.running = false;
    if (this.#changes.get(host) !== change) return;
    if (change.isStale) this.#lookIn(SETTLE, host, change);
    else if (next === 'done') this.#changes.delete(host);
    else this.#lookIn(next, host, change);
  }

  /** ms after which to look again. Never rejects. */
  async #attempt(host: string, change: Change): Promise<number | 'done'> {
    if (!this.#wanted(host) || change.looks++ >= LOOKS) return 'done';
    try {
      if (!(await this.#deps.claimOnce(`lamp:${host}`, SPACING))) return LOOK_AGAIN;
    } catch {
      return STORE_AWAY;
    }
    const lamp = this.#wanted(host);
    return lamp ? this.#tell(host, lamp, change) : 'done';
  }

  /** What to tell; undefined: the phone shows it, hears it otherwise, or wants none. */
  #wanted(host: string): (Lamp & { readonly is: string }) | undefined {
    const { view, shared, summary } = this.#deps;
    const bindings = view.bindingsOf(host);
    if (bindings.length === 0 || this.#deps.isSubscribed(host)) return undefined;
    if (shared.get(`lamp-no:${host}`) !== undefined) return undefined;
    const lamp = summary.lampOf(host);
    const told = toldIn(shared.get(`lamp:${host}`));
    if (told === undefined && !lamp.waiting) return undefined;
    // A phone that has restarted registers anew, and shows nothing.
    const phones = bindings.map(({ contact, callId }) => `${contact} ${callId}`).sort();
    const is = createHash('sha256')
      .update([lamp.body, ...phones].join('\n'))
      .digest('base64url')
      .slice(0, 22);
    return told?.is === is ? undefined : { ...lamp, is };
  }

  async #tell(host: string, lamp: Lamp & { readonly is: string }, change: Change): Promise<number | 'done'> {
    const { shared, log } = this.#deps;
    // Before it is known to have arrived: the other nodes need not try as well.
    shared.put(`lamp:${host}`, { is: lamp.is } satisfies Told, REMEMBERED);
    const outcome = await this.#notify(host, lamp);
    if (outcome === 'told') return 'done';
    if (outcome === 'unwanted') {
      shared.put(`lamp-no:${host}`, true, LEFT_ALONE);
      log.info({ host }, 'a phone takes no message-summary without a subscription');
      return 'done';
    }
    if (!change.isStale) this.#forget(host);
    if (change.tries >= RETRIES) {
      log.warn({ host }, 'a phone does not answer: its message lamp may be wrong');
      return 'done';
    }
    return BACK_OFF * 2 ** change.tries++;
  }

  /** Done when one phone has it: a registration nobody is behind any more must not hold up the next change. */
  async #notify(host: string, lamp: Lamp & { readonly is: string }): Promise<Outcome> {
    const { view, domain } = this.#deps;
    const show = { identity: { name: '', number: host }, domain, called: host };
    // Of two under way to one phone the older might arrive last (RFC 3261 17.1.2).
    const targets = phoneTargets([{ id: host }], view, show).filter(
      ({ uri }) => !this.#unanswered.has(`${host} ${uri}`),
    );
    const outcomes = targets.map((target) => this.#notifyOne(host, target, lamp));
    const told = outcomes.map(
      async (one): Promise<Outcome> => ((await one) === 'told' ? 'told' : Promise.reject()),
    );
    return Promise.any(told).catch(async () => {
      const all = await Promise.all(outcomes);
      return all.length > 0 && all.every((outcome) => outcome === 'unwanted') ? 'unwanted' : 'failed';
    });
  }

  async #notifyOne(host: string, target: Target, lamp: Lamp & { readonly is: string }): Promise<Outcome> {
    const key = `${host} ${target.uri}`;
    this.#unanswered.add(key);
    const outcome = await this.#inTurn(target, lamp);
    this.#unanswered.delete(key);
    if (outcome === 'told') this.#catchUp(host, lamp.is);
    return outcome;
  }

  /** A phone that took its time was passed over meanwhile. */
  #catchUp(host: string, is: string): void {
    const told = toldIn(this.#deps.shared.get(`lamp:${host}`));
    if (this.#stops.length === 0 || !told || told.is === is) return;
    this.#forget(host);
    this.#changed(host);
  }

  async #inTurn(target: Target, lamp: Lamp): Promise<Outcome> {
    if (this.#inFlight >= MAX_IN_FLIGHT) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#inFlight++;
    try {
      return await this.#send(target, lamp);
    } finally {
      // The place goes to who waits longest, or is free.
      const next = this.#waiting.shift();
      if (next) next();
      else this.#inFlight--;
    }
  }

  #send({ uri, headers, proxy }: Target, { contentType, body }: Lamp): Promise<Outcome> {
    const { srf, clock, log, summary } = this.#deps;
    const { From = '', To = '' } = headers;
    const ours: Headers = { From, To, Contact: '<sip:hotdesk@localhost>', Event: summary.event };
    const options = {
      ...{ method: 'NOTIFY', body, ...(proxy === undefined ? {} : { proxy }) },
      headers: { ...ours, 'Subscription-State': 'active', 'Content-Type': contentType },
    };
    return new Promise((resolve) => {
      const patience = clock.setTimer(PATIENCE, () => resolve('failed'));
      const settle = (outcome: Outcome): void => {
        patience.cancel();
        resolve(outcome);
      };
      try {
        srf.request(uri, options, (error, request) => {
          if (error) return settle('failed');
          request.on('response', ({ status }) => status >= 200 && settle(outcomeOf(status)));
        });
      } catch (error) {
        // drachtio-srf throws while it has no server.
        log.debug({ err: error }, 'a message lamp was not told');
        settle('failed');
      }
    });
  }
}

function toldIn(value: unknown): Told | undefined {
  return typeof value === 'object' && value !== null && 'is' in value ? (value as Told) : undefined;
}

/** A challenge is not answered: no phone gets a digest of ours to crack. */
function outcomeOf(status: number): Outcome {
  if (status < 300) return 'told';
  return UNWANTED.has(status) || status === 401 || status === 407 ? 'unwanted' : 'failed';
}
