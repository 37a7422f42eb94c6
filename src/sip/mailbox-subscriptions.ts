import { parseSummary } from '../domain/message-summary.ts';
import type { Mailboxes } from '../services/mailboxes.ts';
import { SUMMARY_TYPE } from './events/message-summary.ts';
import type { Clock, Log, Timer, Trunk } from './ports.ts';
import type { Dialog, Request, Response, SipFailure, Subscribed, Subscriber } from './srf.ts';
import { encodeUser, hostOf, withUser } from './uri.ts';

/** Mailboxes watched at once. */
const MOST = 10_000;
const TICK = 250;
/** SUBSCRIBEs in a tick: twenty a second. */
const PER_TICK = 5;
/** ms between two looks at which mailboxes are in use. */
const LOOK_EVERY = 5_000;
/** Seconds asked for. */
const EXPIRES = 3_600;
const LONGEST_EXPIRES = 86_400;
/** ms for an answer, after which the PBX is taken for away: SIP's own time-out and a little. */
const PATIENCE = 35_000;
/** ms before the first try again; doubled each time, up to the longest. */
const BACK_OFF = 5_000;
const LONGEST_BACK_OFF = 600_000;
/** ms a subscription has to last before failures of earlier times are forgotten. */
const STEADY = 60_000;
/** ms before a PBX is asked again for what it will not tell. */
const REFUSED = 3_600_000;
/** Statuses that no repetition changes (RFC 6665 4.1.2.3, 7.3). */
const FINAL = new Set([400, 403, 404, 405, 410, 416, 420, 482, 483, 484, 485, 489, 501, 604]);

export interface MailboxSubscriptionsDependencies {
  readonly mailboxes: Pick<Mailboxes, 'inUse' | 'learn' | 'onLamp'>;
  /** Where the mailboxes are. */
  readonly trunk: Trunk;
  readonly srf: Subscriber;
  /** Whether this node is to watch them. */
  readonly isMine: () => boolean;
  readonly clock: Clock;
  readonly log: Log;
  /** 0 ≤ x < 1. */
  random(): number;
}

interface Watch {
  readonly mailbox: string;
  /** When to subscribe or refresh, by the clock. */
  due: number;
  /** When the dialog was made. */
  since: number;
  /** End of the subscription as granted. */
  until: number;
  /** The request under way; what an earlier one brings is too late. */
  attempt: object | undefined;
  dialog: Dialog | undefined;
  failures: number;
  wanted: boolean;
  /** Seconds to ask for. */
  expires: number;
}

/**
 * Subscriptions of ours to the mailboxes in use (RFC 3842, RFC 6665 4.1), refreshed, made anew when they end, with
 * patience when refused; never more than twenty requests a second.
 */
export class MailboxSubscriptions {
  readonly #deps: MailboxSubscriptionsDependencies;
  readonly #watches = new Map<string, Watch>();
  #timer: Timer | undefined;
  #stopListening: (() => void) | undefined;
  #lookAt = 0;
  #full = false;
  /** Status of the last refusal that was logged, until one is granted. */
  #toldOf: number | undefined;

  constructor(deps: MailboxSubscriptionsDependencies) {
    this.#deps = deps;
  }

  start(): void {
    this.#stopListening ??= this.#deps.mailboxes.onLamp(() => {
      this.#lookAt = 0;
    });
    this.#tickLater();
  }

  /** Nothing is said to the PBX: what it still tells gets 481, and lapses. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#stopListening?.();
    this.#stopListening = undefined;
    this.dropAll();
  }

  /** Subscriptions as the PBX knows them. */
  get active(): number {
    return [...this.#watches.values()].filter(({ dialog }) => dialog).length;
  }

  /** The SIP server is gone, and with it all dialogs: everything is asked anew. */
  dropAll(): void {
    for (const watch of this.#watches.values()) this.#forget(watch);
    this.#watches.clear();
    this.#lookAt = 0;
  }

  #tickLater(): void {
    this.#timer = this.#deps.clock.setTimer(TICK, () => {
      this.#tickLater();
      this.#tick();
    });
  }

  #tick(): void {
    const { clock, isMine } = this.#deps;
    if (!isMine()) {
      if (this.#watches.size > 0) this.dropAll();
      return;
    }
    const now = clock.now();
    if (now >= this.#lookAt) this.#look(now);
    let room = PER_TICK;
    for (const watch of this.#watches.values()) {
      if (watch.attempt || watch.due > now) continue;
      if (watch.wanted) void this.#ask(watch);
      else this.#end(watch);
      if (--room === 0) return;
    }
  }

  /** New ones are asked for first: somebody has just sat down. */
  #look(now: number): void {
    this.#lookAt = now + LOOK_EVERY;
    const before = new Map(this.#watches);
    const fresh: Watch[] = [];
    let count = 0;
    for (const mailbox of this.#deps.mailboxes.inUse()) {
      if (++count > MOST) break;
      const watch = before.get(mailbox);
      if (watch) watch.wanted = true;
      else fresh.push(newWatch(mailbox, now));
      before.delete(mailbox);
    }
    this.#noteFull(count > MOST);
    for (const watch of before.values()) Object.assign(watch, { wanted: false, due: now });
    if (fresh.length === 0) return;
    const kept = [...this.#watches.values()];
    this.#watches.clear();
    for (const watch of [...fresh, ...kept]) this.#watches.set(watch.mailbox, watch);
  }

  #noteFull(isFull: boolean): void {
    if (isFull && !this.#full)
      this.#deps.log.error({ most: MOST }, 'too many mailboxes to watch: some lamps stay as they are');
    this.#full = isFull;
  }

  async #ask(watch: Watch): Promise<void> {
    const { clock } = this.#deps;
    const attempt = {};
    watch.attempt = attempt;
    const now = clock.now();
    const patience = clock.setTimer(PATIENCE, () => this.#failed(watch, { status: 408 }));
    const begun = watch.dialog;
    try {
      const granted = begun ? await this.#refresh(watch, begun) : await this.#subscribe(watch);
      if (watch.attempt === attempt && this.#isOurs(watch)) this.#granted(watch, granted, now);
      else if (!begun) this.#deps.srf.forget(granted.dialog);
    } catch (error) {
      if (watch.attempt === attempt) this.#failed(watch, error as SipFailure);
    }
    patience.cancel();
  }

  #isOurs(watch: Watch): boolean {
    return this.#watches.get(watch.mailbox) === watch;
  }

  #subscribe({ mailbox, expires }: Watch): Promise<Subscribed> {
    const { trunk, srf } = this.#deps;
    const account = `<sip:${encodeUser(mailbox)}@${hostOf(trunk.uri)}>`;
    const headers = {
      ...{ From: account, To: account, Contact: '<sip:hotdesk@localhost>' },
      ...subscribeHeaders(expires),
    };
    const auth = trunk.credentials === undefined ? {} : { auth: trunk.credentials };
    return srf.subscribe(withUser(trunk.uri, mailbox), { headers, ...auth }).then((granted) => {
      let last = -1;
      granted.dialog.on('notify', (request, response) => {
        const seq = Number.parseInt(request.get('CSeq') ?? '', 10);
        // One that came before our 200 may be handed over after the next one (RFC 3261 12.2.2).
        if (seq < last) return response.send(500);
        last = Number.isNaN(seq) ? last : seq;
        this.#notified(mailbox, { request, response });
      });
      return granted;
    });
  }

  #refresh({ expires }: Watch, dialog: Dialog): Promise<Subscribed> {
    return new Promise((resolve, reject) => {
      const request = { method: 'SUBSCRIBE', headers: subscribeHeaders(expires) };
      dialog.request(request, (error, response) => {
        if (error) return reject(error);
        if (response.status < 200) return;
        if (response.status >= 300) return reject({ status: response.status, res: response });
        resolve({ dialog, expires: secondsIn(response.get('Expires')) });
      });
    });
  }

  /** Refreshed in the last fifth of its time, not all at once. */
  #granted(watch: Watch, { dialog, expires = watch.expires }: Subscribed, askedAt: number): void {
    const { random } = this.#deps;
    const seconds = Math.min(Math.max(expires, 1), LONGEST_EXPIRES);
    this.#toldOf = undefined;
    watch.attempt = undefined;
    if (watch.dialog !== dialog) watch.since = askedAt;
    watch.dialog = dialog;
    watch.until = askedAt + seconds * 1000;
    watch.due = askedAt + seconds * (800 + 100 * random());
  }

  #failed(watch: Watch, { status = 500, res }: SipFailure): void {
    const { clock, log, trunk } = this.#deps;
    watch.attempt = undefined;
    if (!this.#isOurs(watch)) return;
    const isRefresh = watch.dialog !== undefined;
    this.#forgive(watch);
    this.#forget(watch);
    if (status === 423) watch.expires = atLeast(watch.expires, secondsIn(res?.get('Min-Expires')));
    // A subscription the PBX does not know any more is made anew at once (RFC 6665 4.1.2.2), once.
    const isQuick = watch.failures === 0 && (status === 423 || (isRefresh && status === 481));
    const wait = isQuick ? 0 : FINAL.has(status) ? REFUSED : this.#backOff(watch);
    watch.failures++;
    watch.due = clock.now() + wait;
    if (status !== this.#toldOf)
      log.warn({ trunk: trunk.name, status }, 'the state of mailboxes cannot be had for the moment');
    this.#toldOf = status;
  }

  /** ms, half of it by chance: ten thousand that failed together do not come back together. */
  #backOff({ failures }: Watch): number {
    const longest = Math.min(LONGEST_BACK_OFF, BACK_OFF * 2 ** Math.min(failures, 10));
    return longest * (0.5 + 0.5 * this.#deps.random());
  }

  /** Some grant everything, and end it at once. */
  #forgive(watch: Watch): void {
    if (watch.dialog && this.#deps.clock.now() - watch.since >= STEADY) watch.failures = 0;
  }

  #forget(watch: Watch): void {
    if (watch.dialog) this.#deps.srf.forget(watch.dialog);
    watch.dialog = undefined;
  }

  /** Nobody uses the mailbox any more: unsubscribed (RFC 6665 4.1.2.3). */
  #end(watch: Watch): void {
    const { dialog, mailbox } = watch;
    this.#watches.delete(mailbox);
    if (!dialog) return;
    dialog.request({ method: 'SUBSCRIBE', headers: subscribeHeaders(0) }, () => undefined);
    // The NOTIFY that says good-bye is still answered; then drachtio-srf forgets it itself, or is made to.
    this.#deps.clock.setTimer(PATIENCE, () => this.#deps.srf.forget(dialog));
  }

  #notified(mailbox: string, { request, response }: { request: Request; response: Response }): void {
    const { mailboxes } = this.#deps;
    const [event = ''] = (request.get('Event') ?? '').split(';');
    if (event.trim().toLowerCase() !== 'message-summary') return response.send(489);
    const summary = request.body ? parseSummary(request.body) : undefined;
    if (summary) mailboxes.learn(mailbox, summary.state);
    response.send(request.body && !summary ? 400 : 200);
    const watch = this.#watches.get(mailbox);
    if (watch) this.#applyState(watch, request.get('Subscription-State') ?? '');
  }

  /** RFC 6665 4.1.3: how long it still lasts, or why it is over. */
  #applyState(watch: Watch, header: string): void {
    const { clock } = this.#deps;
    const now = clock.now();
    const [state = ''] = header.split(';');
    if (state.trim().toLowerCase() === 'terminated') return this.#terminated(watch, header);
    const seconds = secondsIn(/;\s*expires\s*=\s*(\d{1,9})/i.exec(header)?.[1]);
    const until = seconds === undefined ? watch.until : now + seconds * 1000;
    // The notifier may shorten it; it may not make it longer.
    if (until >= watch.until || !watch.dialog) return;
    watch.until = until;
    watch.due = Math.min(watch.due, now + (until - now) * 0.8);
  }

  #terminated(watch: Watch, header: string): void {
    const { clock } = this.#deps;
    const reason = /;\s*reason\s*=\s*"?([a-z]+)/i.exec(header)?.[1]?.toLowerCase();
    const after = secondsIn(/;\s*retry-after\s*=\s*(\d{1,9})/i.exec(header)?.[1]);
    this.#forgive(watch);
    watch.dialog = undefined;
    const asked = after === undefined ? undefined : Math.min(after * 1000, REFUSED);
    const isOver = reason === 'rejected' || reason === 'noresource' || reason === 'invariant';
    const wait = isOver ? REFUSED : (asked ?? this.#backOff(watch));
    // Deactivated or timed out: again at once, unless that goes on and on.
    const isQuick = watch.failures === 0 && asked === undefined && !isOver && reason !== 'probation';
    watch.failures++;
    watch.due = clock.now() + (isQuick ? 0 : wait);
  }
}

function newWatch(mailbox: string, now: number): Watch {
  return {
    ...{
      mailbox,
      due: now,
      since: now,
      until: 0,
      attempt: undefined,
      dialog: undefined,
      failures: 0,
      wanted: true,
    },
    expires: EXPIRES,
  };
}

function subscribeHeaders(expires: number): Record<string, string> {
  return { Event: 'message-summary', Accept: SUMMARY_TYPE, Expires: String(expires) };
}

function secondsIn(value: string | undefined): number | undefined {
  const digits = /^\s*(\d{1,9})\s*$/.exec(value ?? '')?.[1];
  return digits === undefined ? undefined : Number(digits);
}

function atLeast(seconds: number, least: number | undefined): number {
  return Math.min(LONGEST_EXPIRES, Math.max(seconds, least ?? seconds * 2));
}
