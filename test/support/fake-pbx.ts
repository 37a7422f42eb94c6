import { SipText, userOf } from './sip-text.ts';
import { type Deferred, deferred, within } from './wait.ts';
import { type Endpoint, openUdpWire, type UdpWire } from './wire.ts';

interface Watched {
  readonly callId: string;
  /** From of the PBX's NOTIFYs and their To, with tags. */
  readonly from: string;
  readonly to: string;
  readonly target: string;
  seq: number;
  expires: number;
}

let serial = 0;
const next = (): string => `pbx${process.pid.toString(36)}x${serial++}`;

/** The voicemail of a PBX as far as lamps go (RFC 3842): takes SUBSCRIBE, sends NOTIFY, in a dialog or out of the blue. */
export class FakePbx {
  readonly wire: UdpWire;
  /** Subscriptions as they are now, by mailbox. */
  readonly watched = new Map<string, Watched>();
  /** Calls, which nobody answers. */
  readonly invites: SipText[] = [];
  /** SUBSCRIBEs in the order they came. */
  readonly subscribes: SipText[] = [];
  /** Status a SUBSCRIBE gets, with headers. */
  decide: (mailbox: string, request: SipText) => { status: number; headers?: readonly string[] } = () => ({
    status: 200,
  });
  /** Longest time granted, in seconds. */
  grants = 3600;
  readonly #bodies = new Map<string, string>();
  readonly #answers = new Map<string, Deferred<SipText>>();

  constructor(wire: UdpWire) {
    this.wire = wire;
    wire.onMessage = (text) => this.#take(new SipText(text));
  }

  /** Open at this loopback address, leading nowhere until it is aimed. */
  static async open(address: string): Promise<FakePbx> {
    return new FakePbx(await openUdpWire(address));
  }

  get local(): Endpoint {
    return this.wire.local;
  }

  /** What a mailbox holds from now on; who watches it is told. */
  async set(mailbox: string, fresh: number, old = 0): Promise<void> {
    this.#bodies.set(mailbox, bodyOf(mailbox, fresh, old));
    if (this.watched.has(mailbox)) await this.notify(mailbox);
  }

  /** Tells who watches a mailbox; resolves with the status of the answer. */
  notify(mailbox: string, state?: string): Promise<number> {
    const watched = this.watched.get(mailbox);
    if (!watched) throw new Error(`nobody watches ${mailbox}`);
    watched.seq += 1;
    const { target, from, to, callId, seq, expires } = watched;
    if (state?.startsWith('terminated')) this.watched.delete(mailbox);
    const head = [`From: ${from}`, `To: ${to}`, `Call-ID: ${callId}`, `CSeq: ${seq} NOTIFY`];
    return this.#send(target, [...head, `Subscription-State: ${state ?? `active;expires=${expires}`}`], {
      body: this.#bodies.get(mailbox) ?? bodyOf(mailbox, 0, 0),
    });
  }

  /** A NOTIFY without a subscription. */
  tell(
    mailbox: string,
    body: string,
    { server, event = 'message-summary' }: { readonly server: Endpoint; readonly event?: string },
  ): Promise<number> {
    const account = `<sip:${mailbox}@${server.host}>`;
    const head = [`From: ${account};tag=${next()}`, `To: ${account}`, `Call-ID: ${next()}`, 'CSeq: 1 NOTIFY'];
    const uri = `sip:${mailbox}@${server.host}:${server.port}`;
    return this.#send(uri, [...head, 'Subscription-State: active'], { body, event });
  }

  close(): Promise<void> {
    return this.wire.close();
  }

  async #send(
    uri: string,
    headers: readonly string[],
    { body, event = 'message-summary' }: { readonly body: string; readonly event?: string },
  ): Promise<number> {
    const { host, port } = this.local;
    const branch = `z9hG4bK${next()}`;
    const answer = deferred<SipText>();
    this.#answers.set(branch, answer);
    this.wire.send(
      [
        `NOTIFY ${uri} SIP/2.0`,
        `Via: SIP/2.0/UDP ${host}:${port};branch=${branch}`,
        ...['Max-Forwards: 70', `Contact: <sip:pbx@${host}:${port}>`, `Event: ${event}`],
        ...headers,
        'Content-Type: application/simple-message-summary',
        ...[`Content-Length: ${Buffer.byteLength(body)}`, '', body],
      ].join('\r\n'),
    );
    const { status = 0 } = await within(3_000, 'an answer to NOTIFY', answer.promise);
    return status;
  }

  #take(message: SipText): void {
    if (message.status !== undefined) {
      const branch = /branch=([^;]+)/.exec(message.header('Via'))?.[1] ?? '';
      this.#answers.get(branch)?.resolve(message);
      return;
    }
    if (message.method === 'INVITE') this.invites.push(message);
    if (message.method === 'SUBSCRIBE') this.#subscribed(message);
    else if (message.method !== 'ACK') this.#answer(message, { status: 480 });
  }

  #subscribed(request: SipText): void {
    const mailbox = userOf(request.header('To'));
    const known = this.watched.get(mailbox);
    const isInside = /;tag=/.test(request.header('To'));
    this.subscribes.push(request);
    if (isInside && known?.callId !== request.header('Call-ID'))
      return this.#answer(request, { status: 481 });
    const { status, headers = [] } = this.decide(mailbox, request);
    if (status !== 200) return this.#answer(request, { status, headers });
    const expires = Math.min(Number(request.header('Expires')), this.grants);
    const to = isInside ? request.header('To') : `${request.header('To')};tag=${next()}`;
    this.#answer(request, { status, headers: [`Expires: ${expires}`, this.#contact()], to });
    const target = /<([^>]+)>/.exec(request.header('Contact'))?.[1] ?? '';
    const watched = { callId: request.header('Call-ID'), from: to, to: request.header('From'), target };
    this.watched.set(mailbox, { ...watched, seq: known && isInside ? known.seq : 0, expires });
    void this.notify(mailbox, expires === 0 ? 'terminated;reason=timeout' : undefined).catch(() => undefined);
  }

  #contact(): string {
    return `Contact: <sip:pbx@${this.local.host}:${this.local.port}>`;
  }

  #answer(
    request: SipText,
    how: { readonly status: number; readonly headers?: readonly string[]; readonly to?: string },
  ): void {
    const copied = ['Via', 'From', 'Call-ID', 'CSeq'].flatMap((name) =>
      request.headers(name).map((value) => `${name}: ${value}`),
    );
    const to = how.to ?? request.header('To');
    const tagged = /;tag=/.test(to) ? to : `${to};tag=${next()}`;
    const lines = [`SIP/2.0 ${how.status} Answer`, ...copied, `To: ${tagged}`, ...(how.headers ?? [])];
    this.wire.send([...lines, 'Content-Length: 0', '', ''].join('\r\n'));
  }
}

/** A body as RFC 3842 5.2 has it. */
export function bodyOf(mailbox: string, fresh: number, old: number): string {
  return [
    `Messages-Waiting: ${fresh > 0 ? 'yes' : 'no'}`,
    `Message-Account: sip:${mailbox}@pbx.example`,
    `Voice-Message: ${fresh}/${old} (0/0)`,
    '',
  ].join('\r\n');
}
