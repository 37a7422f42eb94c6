import { createServer, type Server, type Socket } from 'node:net';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';

export interface ReceivedMail {
  readonly from: string;
  readonly to: readonly string[];
  readonly user: string | undefined;
  readonly secure: boolean;
  /** As it came over the wire, CRLF and all. */
  readonly text: string;
}

export interface MailServerOptions {
  readonly credentials?: { readonly username: string; readonly password: string };
  /** `starttls`: offered with a certificate nobody trusts, unless one is given; `tls`: from the first octet. */
  readonly tls?: 'none' | 'starttls' | 'tls';
  readonly key?: string;
  readonly cert?: string;
}

/** A real mail server on loopback that keeps what it gets. */
export class MailServer {
  readonly mails: ReceivedMail[] = [];
  /** Status a recipient gets instead of 250. */
  refuse: (address: string) => number | undefined = () => undefined;
  /** Status the next messages get instead of 250, in order. */
  readonly trouble: number[] = [];
  connections = 0;
  readonly #server: SMTPServer;

  constructor({ credentials, tls = 'none', key, cert }: MailServerOptions = {}) {
    const options: SMTPServerOptions = {
      secure: tls === 'tls',
      authOptional: credentials === undefined,
      allowInsecureAuth: true,
      disableReverseLookup: true,
      disabledCommands: [...(tls === 'starttls' ? [] : ['STARTTLS']), ...(credentials ? [] : ['AUTH'])],
      ...(key === undefined ? {} : { key }),
      ...(cert === undefined ? {} : { cert }),
      logger: false,
      onConnect: (_session, done) => {
        this.connections++;
        done();
      },
      onAuth: ({ username, password }, _session, done) => {
        const isRight = username === credentials?.username && password === credentials?.password;
        // A talkative server: it says what it got.
        done(isRight ? null : new Error(`no such login: ${username} ${password}`), { user: username });
      },
      onRcptTo: ({ address }, _session, done) => {
        const status = this.refuse(address);
        done(status === undefined ? undefined : withStatus(status));
      },
      onData: (stream, session, done) => {
        const chunks: Buffer[] = [];
        stream.on('data', (chunk: Buffer) => chunks.push(chunk));
        stream.on('end', () => {
          const status = this.trouble.shift();
          if (status !== undefined) return done(withStatus(status));
          const { mailFrom, rcptTo } = session.envelope;
          this.mails.push({
            from: mailFrom === false ? '' : mailFrom.address,
            to: rcptTo.map(({ address }) => address),
            user: session.user === undefined ? undefined : String(session.user),
            secure: session.secure,
            text: Buffer.concat(chunks).toString('utf8'),
          });
          done();
        });
      },
    };
    this.#server = new SMTPServer(options);
    this.#server.on('error', () => undefined);
  }

  /** Resolves with the port in use. */
  async start(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', () => resolve()));
    const address = this.#server.server.address();
    return typeof address === 'object' && address ? address.port : 0;
  }

  stop(): Promise<void> {
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }
}

function withStatus(responseCode: number): Error {
  return Object.assign(new Error(`status ${responseCode}`), { responseCode });
}

/** Accepts connections and never says a word. */
export class SilentServer {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  connections = 0;

  constructor() {
    this.#server = createServer((socket) => {
      this.connections++;
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => this.#sockets.delete(socket));
    });
  }

  get open(): number {
    return this.#sockets.size;
  }

  async start(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const address = this.#server.address();
    return typeof address === 'object' && address ? address.port : 0;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** Header of a mail, unfolded; `''` when there is none. */
export function mailHeader({ text }: ReceivedMail, name: string): string {
  const head = (text.split('\r\n\r\n', 1)[0] ?? '').replace(/\r\n[ \t]+/g, ' ');
  const line = head.split('\r\n').find((each) => each.toLowerCase().startsWith(`${name.toLowerCase()}:`));
  return decodeWords(line?.slice(name.length + 1).trim() ?? '');
}

/** Body of a mail without its transfer encoding. */
export function mailBody(mail: ReceivedMail): string {
  const raw = mail.text.slice(mail.text.indexOf('\r\n\r\n') + 4);
  const encoding = mailHeader(mail, 'Content-Transfer-Encoding').toLowerCase();
  if (encoding === 'base64') return Buffer.from(raw, 'base64').toString('utf8');
  if (encoding !== 'quoted-printable') return raw;
  return fromQuotedPrintable(raw.replace(/=\r\n/g, ''));
}

/** RFC 2047. */
function decodeWords(text: string): string {
  return text
    .replace(/\?=\s+=\?/g, '?==?')
    .replace(/=\?utf-8\?([bq])\?([^?]*)\?=/gi, (_, kind: string, word: string) =>
      kind.toLowerCase() === 'b'
        ? Buffer.from(word, 'base64').toString('utf8')
        : fromQuotedPrintable(word.replaceAll('_', ' ')),
    );
}

function fromQuotedPrintable(text: string): string {
  const octets = text.replace(/=([0-9A-F]{2})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(octets, 'latin1').toString('utf8');
}
