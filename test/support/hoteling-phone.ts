import { createHash, randomBytes } from 'node:crypto';
import { passwordOf } from './demo.ts';
import { authorization, challengeOf } from './digest-client.ts';
import { DOMAIN, type Hotdesk } from './hotdesk.ts';
import { SipText } from './sip-text.ts';
import { eventually, PATIENCE_MS, within } from './wait.ts';
import { openUdpWire, type UdpWire } from './wire.ts';

const TYPE = 'application/x-broadworks-hoteling+xml';
const HEAD = '<?xml version="1.0" encoding="ISO-8859-1"?>\r\n';

/** Hexadecimal MD5 of `nonce:passcode`, as the package wants it. */
export function responseTo(nonce: string, passcode: string): string {
  return createHash('md5').update(`${nonce}:${passcode}`).digest('hex');
}

/** A phone with Guest In and Guest Out keys that writes its SIP by hand, in the headers and bodies of a Cisco phone. */
export class HotelingPhone {
  readonly #wire: UdpWire;
  readonly #host: string;
  #callId = `${randomBytes(6).toString('hex')}@127.0.0.1`;
  readonly #fromTag = randomBytes(6).toString('hex');
  readonly #notifies: SipText[] = [];
  #target: string;
  #toTag = '';
  #cseq = 1000;
  #seen = 0;

  private constructor(wire: UdpWire, host: string) {
    this.#wire = wire;
    this.#host = host;
    this.#target = `sip:${host}@${DOMAIN}`;
    wire.onMessage = (text) => this.#take(new SipText(text));
  }

  static async plugIn(
    host: string,
    server: { readonly host: string; readonly port: number },
  ): Promise<HotelingPhone> {
    const wire = await openUdpWire('127.0.0.1');
    wire.aim(server);
    return new HotelingPhone(wire, host);
  }

  /** Another server, or the same one again. */
  aim(server: { readonly host: string; readonly port: number }): void {
    this.#wire.aim(server);
  }

  /** SUBSCRIBE with what it takes to be let in; the final answer. `resource`: instead of the phone itself. */
  async subscribe({ body = '', expires = 3600, resource }: SubscribeOptions = {}): Promise<SipText> {
    if (resource !== undefined) this.#target = `sip:${resource}@${DOMAIN}`;
    let answer = await this.#request(body, expires, undefined);
    if (answer.status === 401) answer = await this.#request(body, expires, answer);
    if (answer.status === 200) {
      this.#toTag = /;tag=([^;\s]+)/.exec(answer.header('To'))?.[1] ?? '';
      this.#target = /<([^>]*)>/.exec(answer.header('Contact'))?.[1] ?? this.#target;
    }
    return answer;
  }

  /** It forgets its subscription: the next SUBSCRIBE asks for another. */
  startAnew(): void {
    this.#callId = randomBytes(8).toString('hex');
    this.#toTag = '';
    this.#target = `sip:${this.#host}@${DOMAIN}`;
    this.#notifies.length = 0;
    this.#seen = 0;
  }

  /** A SetHoteling; 200 is all it is ever answered. */
  async set(content: string): Promise<void> {
    const xmlns = 'xmlns="http://schema.broadsoft.com/hoteling"';
    const answer = await this.subscribe({
      body: `${HEAD}<SetHoteling ${xmlns}>\r\n${content}\r\n</SetHoteling>\r\n`,
    });
    if (answer.status !== 200) throw new Error(answer.startLine);
  }

  /** Guest In as far as the challenge: its nonce. */
  async challenge(guest: string): Promise<string> {
    await this.set(`  <guestAddress>${guest}</guestAddress>`);
    const body = await this.told();
    const nonce = /<nonce>([^<]+)<\/nonce>/.exec(body)?.[1];
    if (nonce === undefined) throw new Error(`no challenge: ${body}`);
    return nonce;
  }

  async answer(guest: string, nonce: string, response: string): Promise<void> {
    const proof = `<nonce>${nonce}</nonce><algorithm>MD5</algorithm><response>${response}</response>`;
    await this.set(`<guestAddress>${guest}</guestAddress><authenticationData>${proof}</authenticationData>`);
  }

  /** The Guest In key, from extension and PIN to what the phone is told at the end. */
  async guestIn(guest: string, pin: string): Promise<string> {
    const nonce = await this.challenge(guest);
    await this.answer(guest, nonce, responseTo(nonce, pin));
    return this.told();
  }

  async guestOut(): Promise<string> {
    await this.set('<guestAddress/>');
    return this.told();
  }

  /** The next NOTIFY. */
  async notify(withinMs = PATIENCE_MS): Promise<SipText> {
    const next = await eventually('a NOTIFY', () => this.#notifies[this.#seen], withinMs);
    this.#seen++;
    return next;
  }

  /** What the next NOTIFY has in its HotelingEvent. */
  async told(withinMs?: number): Promise<string> {
    const { body } = await this.notify(withinMs);
    return /<HotelingEvent [^>]*>(.*)<\/HotelingEvent>/s.exec(body)?.[1] ?? body;
  }

  /** NOTIFYs nobody has looked at yet. */
  get unseen(): number {
    return this.#notifies.length - this.#seen;
  }

  /** CSeq numbers of all NOTIFYs, in the order in which they came. */
  get order(): number[] {
    return this.#notifies.map((notify) => Number.parseInt(notify.header('CSeq'), 10));
  }

  async unplug(): Promise<void> {
    await this.#wire.close();
  }

  #request(body: string, expires: number, refused: SipText | undefined): Promise<SipText> {
    const { host, port } = this.#wire.local;
    const branch = `z9hG4bK-${randomBytes(8).toString('hex')}`;
    const cseq = ++this.#cseq;
    const us = `sip:${this.#host}@${DOMAIN}`;
    const lines = [
      `SUBSCRIBE ${this.#target} SIP/2.0`,
      `Via: SIP/2.0/UDP ${host}:${port};branch=${branch}`,
      `From: <${us}>;tag=${this.#fromTag}`,
      `To: <${us}>${this.#toTag && `;tag=${this.#toTag}`}`,
      `Call-ID: ${this.#callId}`,
      `CSeq: ${cseq} SUBSCRIBE`,
      'Max-Forwards: 70',
      ...(refused ? [`Authorization: ${this.#proof(refused)}`] : []),
      `Contact: <sip:${this.#host}@${host}:${port}>`,
      `Accept: ${TYPE}`,
      `Expires: ${expires}`,
      'Event: x-broadworks-hoteling',
      'User-Agent: Cisco-CP-8865-3PCC/12.0.3',
      ...(body === '' ? [] : [`Content-Type: ${TYPE}`]),
      `Content-Length: ${body.length}`,
    ];
    const answer = new Promise<SipText>((resolve) => this.#answers.set(branch, resolve));
    this.#wire.send(`${lines.join('\r\n')}\r\n\r\n${body}`);
    return within(5000, 'an answer to SUBSCRIBE', answer);
  }

  readonly #answers = new Map<string, (answer: SipText) => void>();

  #proof(refused: SipText): string {
    const challenge = challengeOf(refused, 'MD5');
    const user = this.#host;
    return authorization({
      ...{ user, password: passwordOf(user), method: 'SUBSCRIBE', uri: this.#target, challenge },
    });
  }

  #take(message: SipText): void {
    if (message.status !== undefined) {
      const branch = /branch=([^;\s,]+)/.exec(message.header('Via'))?.[1] ?? '';
      if (message.status >= 200) this.#answers.get(branch)?.(message);
      return;
    }
    const isNew = !this.order.includes(Number.parseInt(message.header('CSeq'), 10));
    if (message.method === 'NOTIFY' && isNew) this.#notifies.push(message);
    const copied = ['Via', 'From', 'To', 'Call-ID', 'CSeq'].map((name) => `${name}: ${message.header(name)}`);
    this.#wire.send(['SIP/2.0 200 OK', ...copied, 'Content-Length: 0', '', ''].join('\r\n'));
  }
}

interface SubscribeOptions {
  readonly body?: string;
  readonly expires?: number;
  readonly resource?: string;
}

/** Opts a person in and sets the same PIN, so that it is kept at once. */
export async function optIn(
  of: Hotdesk,
  { extension, pin }: { extension: string; pin: string },
): Promise<void> {
  const path = `/api/v1/users/${extension}`;
  await of.api(path, { method: 'PATCH', json: { hotelingKeys: true } });
  await of.api(`${path}/passcode`, { method: 'PUT', json: { passcode: pin } });
}
