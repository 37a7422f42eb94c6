import { passwordOf } from './demo.ts';
import { authorization, challengeOf } from './digest-client.ts';
import { DOMAIN } from './hotdesk.ts';
import {
  type HeaderList,
  type Match,
  RawDialog,
  type RawMessage,
  RawSipPeer,
  reply,
  unique,
} from './raw-sip-peer.ts';
import { SipText } from './sip-text.ts';

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** The server's side of one phone's subscription, by hand: what is sent and what comes, message by message. */
export class Subscriber {
  readonly peer: RawSipPeer;
  readonly user: string;
  dialog: RawDialog;
  readonly event: string;
  readonly resource: string;
  /** What NOTIFYs of this subscription get; undefined: nothing. */
  answers: { status: number; headers?: HeaderList } | undefined = { status: 200 };
  /** NOTIFYs of this subscription in the order they came, repeats left out. */
  readonly notifies: RawMessage[] = [];
  #seen = 0;
  #closed = false;

  constructor(peer: RawSipPeer, options: { user: string; event: string; resource?: string }) {
    this.peer = peer;
    this.user = options.user;
    this.event = options.event;
    this.resource = options.resource ?? options.user;
    this.dialog = this.#newDialog();
    void this.#listen();
  }

  static async open(
    to: Endpoint,
    options: { user: string; event?: string; resource?: string; protocol?: 'udp' | 'tcp' },
  ): Promise<Subscriber> {
    const { protocol = 'udp', event = 'message-summary' } = options;
    return new Subscriber(await RawSipPeer.open({ protocol, to }), { ...options, event });
  }

  /** The phone forgets what it had, as when it starts anew. */
  startAnew(): void {
    this.dialog = this.#newDialog();
  }

  /** Sends a SUBSCRIBE, with proof when asked for it, and returns the final answer. */
  async subscribe(
    options: { expires?: number | string; headers?: HeaderList; body?: string } = {},
  ): Promise<RawMessage> {
    const { expires, body } = options;
    const given = options.headers ?? [];
    const own: HeaderList = given.some(([name]) => name === 'Event') ? [] : [['Event', this.event]];
    const headers: HeaderList = [
      ...own,
      ...(expires === undefined ? [] : [['Expires', `${expires}`] as const]),
      ...given,
    ];
    const first = await this.#ask(headers, body);
    const answer = first.status === 401 ? await this.#ask([...headers, this.#proof(first)], body) : first;
    if (answer.status === 200 && this.dialog.remoteTag === '') this.dialog.learn(answer);
    return answer;
  }

  /** The next NOTIFY of this subscription. */
  async notified(ms = 3_000): Promise<RawMessage> {
    const until = Date.now() + ms;
    for (;;) {
      const next = this.notifies[this.#seen];
      if (next) {
        this.#seen++;
        return next;
      }
      if (Date.now() > until) throw new Error(`no NOTIFY for ${this.user} within ${ms} ms`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.peer.close();
  }

  #newDialog(): RawDialog {
    const from = `sip:${this.user}@${DOMAIN}`;
    return new RawDialog(this.peer, `sip:${this.resource}@${DOMAIN}`, { from });
  }

  async #ask(headers: HeaderList, body: string | undefined): Promise<RawMessage> {
    const typed: HeaderList = body === undefined ? headers : [...headers, ['Content-Type', 'text/plain']];
    const sent = this.dialog.send('SUBSCRIBE', { headers: typed, ...(body === undefined ? {} : { body }) });
    const callId = sent.header('Call-ID');
    const mine: Match = (one) =>
      one.cseqMethod === 'SUBSCRIBE' && one.cseq === sent.cseq && one.header('Call-ID') === callId;
    return this.peer.next(mine);
  }

  #proof(challenged: RawMessage): readonly [string, string] {
    const challenge = challengeOf(new SipText(challenged.text), 'MD5');
    const how = { user: this.user, password: passwordOf(this.user), method: 'SUBSCRIBE', challenge };
    return ['Authorization', authorization({ ...how, uri: this.dialog.target })];
  }

  async #listen(): Promise<void> {
    while (!this.#closed) {
      const mine: Match = (one) => one.method === 'NOTIFY' && one.header('Call-ID') === this.dialog.callId;
      const notify = await this.peer.next(mine, 600_000).catch(() => undefined);
      if (!notify) return;
      if (!this.notifies.some((one) => one.cseq === notify.cseq)) this.notifies.push(notify);
      if (this.answers)
        this.peer.send(reply(notify, this.answers.status, { headers: this.answers.headers ?? [] }));
    }
  }
}

/** A PBX says out of the blue how many new messages a mailbox has; resolves when it was believed. */
export async function tellMailbox(
  server: Endpoint,
  mailbox: string,
  fresh: number,
  from: string,
): Promise<void> {
  const peer = await RawSipPeer.open({ host: from, to: server });
  try {
    const dialog = new RawDialog(peer, `sip:${mailbox}@${DOMAIN}`, { from: `sip:${unique('pbx')}@${from}` });
    dialog.send('NOTIFY', {
      headers: [
        ['Event', 'message-summary'],
        ['Subscription-State', 'active'],
        ['Content-Type', 'application/simple-message-summary'],
      ],
      body: `Messages-Waiting: ${fresh > 0 ? 'yes' : 'no'}\r\nVoice-Message: ${fresh}/0 (0/0)\r\n`,
    });
    const { status } = await peer.next((one) => one.status >= 200);
    if (status !== 200) throw new Error(`the NOTIFY of the PBX got ${status}`);
  } finally {
    await peer.close();
  }
}
