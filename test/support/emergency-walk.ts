import { parse, stringify } from 'yaml';
import { endIn } from './deadline.ts';
import { PEOPLE, PHONES } from './demo.ts';
import { Caller, type Dialled, UK_FORMS } from './emergency-load.ts';
import { ADMIN_TOKEN, type Hotdesk } from './hotdesk.ts';
import { dialLogIn } from './log-in.ts';
import type { Phone } from './phone.ts';
import { MACRO } from './phone-audio.ts';
import type { OutgoingCall } from './phone-call.ts';
import { type SipText, userOf } from './sip-text.ts';
import { eventually, within } from './wait.ts';

/** A walk through the states a phone and its server can be in, by chance that can be repeated. */

export const DESKS = [
  { host: PHONES.reception, callback: '+442079460111' },
  { host: PHONES.window, callback: '+442079460112' },
  { host: PHONES.leeds, callback: '+441134960113' },
] as const;

type Desk = (typeof DESKS)[number];
const GUESTS = [PEOPLE.first, PEOPLE.second, PEOPLE.leeds] as const;
const WRONG_PIN = '640275';
const EXTRA_HOSTS = 300;
const SLOW_MS = 150;

/** Numbers in [0, 1) that are the same for the same seed. */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export interface WalkResult {
  readonly calls: number;
  /** ms from INVITE to INVITE. */
  readonly times: readonly number[];
  readonly problems: readonly string[];
  /** What had happened before calls that took long. */
  readonly slow: readonly string[];
  /** How often each state was entered. */
  readonly visited: Readonly<Record<string, number>>;
}

interface Seen {
  readonly at: number;
  readonly invite: SipText;
}

export class EmergencyWalk {
  readonly #hotdesk: Hotdesk;
  readonly #random: () => number;
  readonly #phones = new Map<string, Phone>();
  readonly #menus = new Map<string, OutgoingCall>();
  readonly #calls = new Map<string, OutgoingCall>();
  /** What to mend, newest last. */
  readonly #undo: { readonly what: string; readonly run: () => unknown }[] = [];
  readonly #visited: Record<string, number> = {};
  readonly #times: number[] = [];
  readonly #problems: string[] = [];
  readonly #slow: string[] = [];
  readonly #path: string[] = [];
  readonly #callIds = new Set<string>();
  #count = 0;

  constructor(hotdesk: Hotdesk, seed: number) {
    this.#hotdesk = hotdesk;
    this.#random = randomOf(seed);
  }

  async walk(seconds: number): Promise<WalkResult> {
    await this.#arrange();
    const end = Date.now() + seconds * 1000;
    while (Date.now() < end && this.#problems.length < 3) {
      for (let steps = this.#below(3); steps > 0; steps--) await this.#step();
      for (let calls = 1 + this.#below(3); calls > 0; calls--) await this.#callForHelp();
    }
    await this.#mendAll();
    const [calls, times, problems, slow, visited] = [
      this.#count,
      this.#times,
      this.#problems,
      this.#slow,
      this.#visited,
    ];
    return { calls, times, problems, slow, visited };
  }

  // --- states

  readonly #steps: readonly (readonly [
    name: string,
    weight: number,
    run: (desk: Desk) => Promise<unknown>,
  ])[] = [
    ['somebody sits down', 3, (desk) => this.#seat(desk)],
    ['somebody leaves', 2, ({ host }) => this.#api('DELETE', host)],
    ['registers', 3, async ({ host }) => (await this.#phone(host)).register()],
    ['is unregistered', 2, async ({ host }) => (await this.#phone(host)).unregister()],
    ['at the extension prompt', 2, (desk) => this.#menu(desk)],
    ['at the PIN prompt', 1, (desk) => this.#menu(desk, `${PEOPLE.first.extension}#`, 'enter-pin')],
    ['locked out', 1, (desk) => this.#lockOut(desk)],
    ['at the deadline', 2, (desk) => this.#deadline(desk)],
    ['during a move', 2, (desk) => this.#move(desk)],
    ['in a call', 2, (desk) => this.#ordinaryCall(desk)],
    ['transferring', 1, (desk) => this.#transfer(desk)],
    ['emergency trunk silent', 1, async () => this.#trunkDown('silent')],
    ['emergency trunk refuses', 1, async () => this.#trunkDown('refuses')],
    ['Redis frozen', 1, () => this.#storeAway('frozen')],
    ['Redis dead', 1, () => this.#storeAway('dead')],
    ['directory half imported', 1, async () => this.#import()],
    ['event loop busy', 2, async () => this.#stall()],
    ['mended', 4, () => this.#mendOne()],
  ];

  async #step(): Promise<void> {
    const total = this.#steps.reduce((sum, [, weight]) => sum + weight, 0);
    const drawn = this.#below(total);
    let sum = 0;
    const [name, , run] = this.#steps.find(([, weight]) => {
      sum += weight;
      return drawn < sum;
    })!;
    const desk = this.#one(DESKS);
    this.#visited[name] = (this.#visited[name] ?? 0) + 1;
    this.#path.push(`${name} (${desk.host.slice(-1)})`);
    // A step may well be refused in the state things are in; what counts is the call after it.
    await within(10_000, name, Promise.resolve(run(desk))).catch((error: Error) =>
      this.#path.push(`refused: ${error.message.slice(0, 60)}`),
    );
  }

  async #arrange(): Promise<void> {
    const directory = await this.#readDirectory();
    directory.sites.leeds.outsideLinePrefix = '9';
    await this.#writeDirectory(directory);
    const { emergency, main, spare } = this.#hotdesk.trunks;
    for (const trunk of [emergency, main, spare])
      trunk.onCall((call) => void call.accept().catch(() => undefined));
  }

  async #phone(host: string): Promise<Phone> {
    const phone =
      this.#phones.get(host) ?? (await this.#hotdesk.unregistered(host, { protocol: protocolOf(host) }));
    this.#phones.set(host, phone);
    return phone;
  }

  #seat({ host }: Desk): Promise<unknown> {
    return this.#api('PUT', host, this.#one(GUESTS).extension);
  }

  async #api(method: string, host: string, guest?: string): Promise<unknown> {
    const answer = await this.#hotdesk.api(`/api/v1/hosts/${host}/association`, {
      method,
      ...(guest === undefined ? {} : { json: { guest } }),
    });
    if (answer.status >= 300) throw new Error(`${answer.status}`);
    return answer;
  }

  async #menu({ host }: Desk, digits?: string, prompt?: string): Promise<void> {
    if (this.#menus.has(host)) return;
    const phone = await this.#phone(host);
    const call = await dialLogIn(phone);
    if (digits !== undefined && prompt !== undefined) {
      await call.digits(digits);
      await call.heard(prompt);
    } else this.#menus.set(host, call);
    this.#undo.push({
      what: 'menu',
      run: () => {
        this.#menus.delete(host);
        return call.hangUp();
      },
    });
  }

  async #lockOut(desk: Desk): Promise<void> {
    const phone = await this.#phone(desk.host);
    const call = await dialLogIn(phone);
    for (let i = 0; i < 3; i++) await call.digits(`${PEOPLE.second.extension}#${WRONG_PIN}#`, MACRO);
    await call.hangUp();
  }

  async #deadline(desk: Desk): Promise<void> {
    await this.#seat(desk);
    await endIn(this.#hotdesk, desk.host, 300);
  }

  async #move(desk: Desk): Promise<void> {
    await this.#api('PUT', desk.host, PEOPLE.first.extension);
    // Under way while the next call is made.
    void this.#api('PUT', this.#one(DESKS).host, PEOPLE.first.extension).catch(() => undefined);
  }

  async #ordinaryCall(desk: Desk): Promise<void> {
    if (this.#calls.has(desk.host)) return;
    await this.#seat(desk);
    const phone = await this.#phone(desk.host);
    const call = await phone.call('01632960500');
    await within(3000, 'an answer', call.answered);
    this.#calls.set(desk.host, call);
    this.#undo.push({
      what: 'call',
      run: () => {
        this.#calls.delete(desk.host);
        return call.hangUp();
      },
    });
  }

  async #transfer(desk: Desk): Promise<void> {
    await this.#ordinaryCall(desk);
    void this.#calls
      .get(desk.host)
      ?.refer('01632960501')
      .catch(() => undefined);
  }

  #trunkDown(how: 'silent' | 'refuses'): void {
    const { emergency } = this.#hotdesk.trunks;
    if (how === 'silent') emergency.wire.deaf = (message) => message.method === 'INVITE';
    else emergency.onCall((call) => void call.reject(503).catch(() => undefined));
    this.#undo.push({
      what: 'trunk',
      run: () => {
        emergency.wire.deaf = () => false;
        emergency.onCall((call) => void call.accept().catch(() => undefined));
      },
    });
  }

  async #storeAway(how: 'frozen' | 'dead'): Promise<void> {
    const { redis } = this.#hotdesk;
    if (this.#undo.some(({ what }) => what === 'store')) return;
    if (how === 'frozen') await redis.freeze();
    else await redis.kill9();
    this.#undo.push({
      what: 'store',
      run: async () => {
        if (how === 'frozen') await redis.thaw();
        else await redis.restart();
        const isBack = async (): Promise<boolean> => (await this.#hotdesk.api('/readyz')).status === 200;
        await eventually('the store back', isBack, 15_000);
      },
    });
  }

  /** Not waited for: the next call comes in the middle of it. */
  #import(): void {
    const work = async (): Promise<void> => {
      const directory = await this.#readDirectory();
      const { mac: _, digest: __, callbackNumber: ___, ...desk } = directory.hosts[PHONES.reception];
      for (let i = 0; i < EXTRA_HOSTS; i++)
        directory.hosts[`extra${i}`] = {
          ...desk,
          nickname: `Extra ${this.#count} ${i}`,
          sipPassword: 'extra-extra',
        };
      await this.#writeDirectory(directory);
    };
    void work().catch(() => undefined);
  }

  /** Somebody else's work: 30 ms in every 60. */
  #stall(): void {
    if (this.#undo.some(({ what }) => what === 'stall')) return;
    const timer = setInterval(() => {
      const until = performance.now() + 30;
      while (performance.now() < until);
    }, 60);
    this.#undo.push({ what: 'stall', run: () => clearInterval(timer) });
  }

  async #mendOne(): Promise<void> {
    if (this.#undo.length === 0) return;
    const [undo] = this.#undo.splice(this.#below(this.#undo.length), 1);
    await undo?.run();
  }

  async #mendAll(): Promise<void> {
    for (const { run } of this.#undo.splice(0).reverse())
      await Promise.resolve()
        .then(run)
        .catch(() => undefined);
  }

  // --- the call

  async #callForHelp(): Promise<void> {
    const desk = this.#one(DESKS);
    const menu = this.#menus.get(desk.host);
    const ways = [
      ['its own phone', () => this.#byPhone(desk)],
      ['a bare socket', () => this.#byCaller(desk)],
      ['wrong credentials', () => this.#byCaller(desk, [stale(desk.host)])],
      ['a phone nobody knows', () => this.#byCaller({ host: 'cp00000000dead', callback: '' })],
      ...(menu ? [['the menu', () => this.#byMenu(desk, menu)] as const] : []),
    ] as const;
    const [way, call] = this.#one(ways);
    this.#path.push(`999 by ${way} (${desk.host.slice(-1)})`);
    this.#visited[`999 by ${way}`] = (this.#visited[`999 by ${way}`] ?? 0) + 1;
    this.#count += 1;
    try {
      await call();
    } catch (error) {
      this.#problems.push(`${this.#path.slice(-25).join(' > ')}: ${(error as Error).message}`);
    }
  }

  async #byPhone(desk: Desk): Promise<void> {
    const phone = await this.#phone(desk.host);
    const numbers = desk.host === PHONES.leeds ? ['999', '112', '9999', '9112'] : ['999', '112'];
    const sentAt = Date.now();
    const call = await phone.call(this.#one(numbers));
    const seen = await this.#arrived(sentAt);
    this.#timed(seen.at - sentAt);
    this.#check(seen, desk.callback);
    await within(9000, 'an answer', call.answered);
    await call.hangUp();
  }

  async #byCaller(desk: { host: string; callback: string }, headers: readonly string[] = []): Promise<void> {
    const caller = await new Caller(this.#hotdesk.sip.udp).open();
    const sentAt = Date.now();
    const dialled: Dialled = { uri: this.#one(UK_FORMS), from: desk.host, headers };
    const placed = caller.place(dialled);
    try {
      const seen = await this.#arrived(sentAt);
      this.#timed(seen.at - sentAt);
      this.#check(seen, desk.callback);
      const { status } = await within(9000, 'an answer', placed);
      if (status !== 200) throw new Error(`answered ${status}`);
    } finally {
      setTimeout(() => caller.close(), 500).unref();
    }
  }

  /** 999 typed at the extension prompt. How long that takes is the caller's fingers. */
  async #byMenu(desk: Desk, menu: OutgoingCall): Promise<void> {
    this.#menus.delete(desk.host);
    const sentAt = Date.now();
    await menu.digits('999#');
    this.#check(await this.#arrived(sentAt, 4000), desk.callback);
    setTimeout(() => void menu.hangUp().catch(() => undefined), 1500).unref();
  }

  /** The first INVITE of a new call to reach any trunk. */
  #arrived(since: number, withinMs = 2000): Promise<Seen> {
    const { emergency, main, spare } = this.#hotdesk.trunks;
    const look = (): Seen | undefined => {
      for (const { wire } of [emergency, main, spare]) {
        for (const { direction, at, message } of wire.trace) {
          const isNew = direction === 'in' && at >= since && message.status === undefined;
          if (!isNew || message.method !== 'INVITE' || message.header('Priority') !== 'emergency') continue;
          const callId = message.header('Call-ID');
          if (this.#callIds.has(callId)) continue;
          this.#callIds.add(callId);
          return { at, invite: message };
        }
      }
      return undefined;
    };
    return eventually('an INVITE at a trunk', look, withinMs);
  }

  #timed(ms: number): void {
    this.#times.push(ms);
    if (ms > SLOW_MS) this.#slow.push(`${ms} ms: ${this.#path.slice(-8).join(' > ')}`);
  }

  #check({ invite }: Seen, callback: string): void {
    const dialled = userOf(invite.requestUri);
    if (dialled !== '999' && dialled !== '112') throw new Error(`${dialled} was dialled`);
    const shown = userOf(invite.header('P-Asserted-Identity'));
    if (shown !== callback) throw new Error(`${shown || 'nobody'} was shown, not ${callback || 'nobody'}`);
  }

  // --- tools

  // biome-ignore lint/suspicious/noExplicitAny: what is in the document is the product's business
  async #readDirectory(): Promise<any> {
    return parse((await this.#hotdesk.api('/api/v1/directory')).body);
  }

  async #writeDirectory(directory: object): Promise<void> {
    await fetch(`${this.#hotdesk.http}/api/v1/directory`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'text/yaml' },
      body: stringify(directory),
    });
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }

  #one<T>(all: readonly T[]): T {
    return all[this.#below(all.length)]!;
  }
}

function protocolOf(host: string): 'udp' | 'tcp' {
  return host === PHONES.window ? 'tcp' : 'udp';
}

/** Right in form, for a nonce of long ago, and with an answer nobody could have computed. */
function stale(host: string): string {
  const answer = '0123456789abcdef0123456789abcdef';
  return `Authorization: Digest username="${host}", realm="hotdesk.example", nonce="c3RhbGU", uri="sip:999@hotdesk.example", response="${answer}", algorithm=MD5, qop=auth, nc=00000001, cnonce="x"`;
}
