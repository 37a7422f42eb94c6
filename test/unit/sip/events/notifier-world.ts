import type { SharedState } from '../../../../src/services/shared-state.ts';
import { Notifier } from '../../../../src/sip/events/notifier.ts';
import type { Admission, EventDocument, EventPackage } from '../../../../src/sip/events/package.ts';
import type { Request, Response, Srf } from '../../../../src/sip/srf.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { FakeRequest, type Sent, settled } from '../../../support/fake-sip.ts';
import { binding, directory, host, viewOf } from '../../domain/example.ts';
import { TapeLog } from '../world.ts';

/** A notifier over fakes: lamps that tests switch, phones that answer as tests say, shared entries that outlive it. */

export const LAMPS = 'text/x-lamp';

/** One lamp for each resource; `gone` ones are no resource any more. */
export class Lamps implements EventPackage {
  readonly event = 'x-lamp';
  readonly contentType = LAMPS;
  readonly expires = { min: 60, standard: 3600, max: 7200 };
  readonly lit = new Map<string, string>();
  readonly gone = new Set<string>();
  readonly received_: EventDocument[] = [];
  /** What comes of the next bodies. */
  results: (() => Promise<EventDocument | undefined>)[] = [];
  /** Documents name the version, as dialog-info does. */
  numbered = false;
  #changed: (resource: string) => void = () => undefined;

  admit({ subscriber, resource }: { subscriber: string; resource: string }): Admission {
    if (this.gone.has(resource)) return { status: 404, reason: 'Nobody' };
    return subscriber === 'stranger' ? { status: 403, reason: 'Not yours' } : 'admitted';
  }

  stateFor({ resource }: { resource: string }, version: number): EventDocument {
    const body = `${resource} ${this.lit.get(resource) ?? 'off'}${this.numbered ? ` ${version}` : ''}`;
    return { contentType: LAMPS, body };
  }

  received(_subscription: unknown, body: EventDocument): Promise<EventDocument | undefined> {
    this.received_.push(body);
    const next = this.results.shift();
    return next ? next() : Promise.resolve({ contentType: LAMPS, body: `did ${body.body}` });
  }

  watch(changed: (resource: string) => void): () => void {
    this.#changed = changed;
    return () => {
      this.#changed = () => undefined;
    };
  }

  light(resource: string, colour: string): void {
    this.lit.set(resource, colour);
    this.#changed(resource);
  }
}

/** Shared entries as one or several nodes see them at once. */
export class FakeShared implements SharedState {
  readonly values = new Map<string, { value: unknown; until: number }>();
  readonly #clock: FakeClock;
  readonly #listeners = new Set<(name: string) => void>();

  constructor(clock: FakeClock) {
    this.#clock = clock;
  }

  get(name: string): unknown {
    const entry = this.values.get(name);
    return entry && entry.until > this.#clock.now() ? entry.value : undefined;
  }

  *entries(prefix: string): Iterable<readonly [string, unknown]> {
    for (const name of this.values.keys()) {
      const value = name.startsWith(prefix) ? this.get(name) : undefined;
      if (value !== undefined) yield [name, value];
    }
  }

  put(name: string, value: unknown, ttlMs: number): void {
    const text = JSON.stringify(value);
    if (text === undefined) this.values.delete(name);
    else this.values.set(name, { value: JSON.parse(text), until: this.#clock.now() + ttlMs });
    for (const listener of [...this.#listeners]) listener(name);
  }

  onChange(listener: (name: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  names(prefix: string): string[] {
    return [...this.entries(prefix)].map(([name]) => name);
  }
}

/** A NOTIFY as drachtio-srf was given it. */
export interface Told {
  readonly uri: string;
  readonly headers: Record<string, string>;
  readonly body: string | undefined;
  readonly proxy: string | undefined;
  readonly dialogId: string | undefined;
  /** CSeq number on the wire. */
  readonly cseq: number;
  answer(status: number, headers?: Record<string, string>): void;
}

let serial = 0;

/** A phone's side of a subscription. */
export interface Phone {
  readonly callId: string;
  readonly tag: string;
  toTag: string;
  cseq: number;
}

export interface Node {
  readonly notifier: Notifier;
  readonly log: TapeLog;
}

export class NotifierWorld {
  readonly clock = new FakeClock();
  readonly shared = new FakeShared(this.clock);
  readonly lamps = new Lamps();
  readonly told: Told[] = [];
  /** Dialogs the SIP server knows, and their last CSeq numbers. */
  readonly dialogs = new Map<string, number>();
  /** There is no SIP server. */
  isServerAway = false;
  /** How phones answer; undefined: the test does. */
  answers: number | undefined = 200;
  view = viewOf({
    directory: directory({ hosts: [host('d1')] }),
    bindings: { d1: [binding('sip:d1@192.0.2.10:5060')] },
  });
  readonly claims = new Set<string>();
  /** Claims are granted, and the answer is lost on the way. */
  lostClaims = 0;
  #directoryListeners = new Set<() => void>();
  readonly first: Node;

  constructor() {
    this.first = this.node('n1');
  }

  /** Another node, or the next process; not started. */
  node(name: string): Node {
    const log = new TapeLog();
    const deps = {
      ...{ log, clock: this.clock, srf: { request: this.#request } as unknown as Srf, view: this.view },
      events: {
        ...{ packages: [this.lamps], shared: this.shared, node: name, storeNow: () => this.clock.now() },
        claimOnce: async (claim: string) => {
          const isFree = !this.claims.has(claim);
          this.claims.add(claim);
          if (this.lostClaims-- > 0) throw new Error('no answer in time');
          return isFree;
        },
        onDirectoryChange: (listener: () => void) => {
          this.#directoryListeners.add(listener);
          return () => this.#directoryListeners.delete(listener);
        },
      },
    };
    const identifier = {
      authenticate: (request: Request, response: Response) => {
        const who = request.get('X-Who');
        if (who === undefined) response.send(401);
        return who;
      },
    };
    return { log, notifier: new Notifier({ deps, identifier }) };
  }

  directoryChanges(): void {
    for (const listener of this.#directoryListeners) listener();
  }

  phone(): Phone {
    serial++;
    return { callId: `c${serial}`, tag: `f${serial}`, toTag: '', cseq: 0 };
  }

  /** Sends a SUBSCRIBE and has the answer. */
  async subscribe(
    phone: Phone,
    headers: Record<string, string> = {},
    { to = 'd1', body = '', node = this.first }: { to?: string; body?: string; node?: Node } = {},
  ): Promise<Sent> {
    phone.cseq++;
    const own = phone.toTag === '' ? `t${serial}-${phone.callId}` : phone.toTag;
    const base = {
      ...{ Event: 'x-lamp', 'X-Who': 'd1', Contact: '<sip:d1@192.0.2.10:5060>', 'Call-ID': phone.callId },
      From: `"Desk" <sip:d1@hotdesk.test>;tag=${phone.tag}`,
      To: `<sip:${to}@hotdesk.test>${phone.toTag && `;tag=${phone.toTag}`}`,
      CSeq: `${phone.cseq} SUBSCRIBE`,
    };
    const uri = `sip:${to}@hotdesk.test`;
    const all = without(undefined, { ...base, ...headers });
    const request = new FakeRequest({ method: 'SUBSCRIBE', uri, headers: all, body });
    const response = new AnsweredSubscribe(request, own);
    node.notifier.handle(request.asRequest, response as unknown as Response);
    const answer = response.final;
    if (answer?.status === 200 && phone.toTag === '') {
      phone.toTag = own;
      this.dialogs.set(`${phone.callId};from-tag=${phone.tag}`, phone.cseq);
    }
    await settled();
    response.settle();
    await settled();
    if (!answer) throw new Error('the SUBSCRIBE was not answered');
    return answer;
  }

  /** NOTIFYs since the last call: body, or state if there is none. */
  news(): string[] {
    return this.told
      .splice(0)
      .map(({ body, headers }) => [headers['Subscription-State'], body].filter(Boolean).join(' | '));
  }

  async pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 250) {
      this.clock.advance(Math.min(left, 250));
      await settled();
    }
  }

  readonly #request = (
    uri: string,
    options: { headers: Record<string, string>; body?: string; proxy?: string; stackDialogId?: string },
    callback: (error: unknown, request?: FakeRequest) => void,
  ): void => {
    if (this.isServerAway) throw new Error('assert(typeSocket(socket))');
    const { headers, body, proxy, stackDialogId: dialogId } = options;
    const last = dialogId === undefined ? undefined : this.dialogs.get(dialogId);
    if (dialogId !== undefined && last === undefined)
      return callback(Object.assign(new Error('unable to find dialog'), { code: 'ENODIALOG' }));
    const cseq = last === undefined ? Number.parseInt(headers.CSeq ?? '', 10) : last + 1;
    if (dialogId !== undefined) this.dialogs.set(dialogId, cseq);
    const request = new FakeRequest({ method: 'NOTIFY', headers: { CSeq: `${cseq} NOTIFY` } });
    const answer = (status: number, more: Record<string, string> = {}): void => {
      request.emit('response', Object.assign(new FakeRequest({ headers: more }), { status }));
    };
    callback(null, request);
    this.told.push({ uri, headers, body, proxy, dialogId, cseq, answer });
    if (this.answers !== undefined) answer(this.answers);
  };
}

function without<T>(value: undefined, headers: Record<string, T>): Record<string, T> {
  return Object.fromEntries(Object.entries(headers).filter(([, one]) => one !== value));
}

/** The response to a SUBSCRIBE; what was sent is told when the test says so, with the tag the server made. */
class AnsweredSubscribe {
  final: Sent | undefined;
  finalResponseSent = false;
  readonly #request: FakeRequest;
  readonly #tag: string;
  #callback: (() => void) | undefined;

  constructor(request: FakeRequest, tag: string) {
    this.#request = request;
    this.#tag = tag;
  }

  send(status: number, ...rest: unknown[]): void {
    const reason = typeof rest[0] === 'string' ? (rest.shift() as string) : undefined;
    const [options = {}, callback] = rest as [
      { headers?: Record<string, string> }?,
      ((error: unknown, sent: FakeRequest) => void)?,
    ];
    this.final ??= { status, reason, headers: { ...options.headers }, body: undefined };
    const to = this.#request.get('To') ?? '';
    const headers = {
      To: to.includes(';tag=') ? to : `${to};tag=${this.#tag}`,
      Contact: '<sip:192.0.2.1:5060>',
    };
    this.#callback = () => callback?.(undefined, new FakeRequest({ headers }));
  }

  settle(): void {
    this.#callback?.();
  }
}
