import { domainToASCII } from 'node:url';
import { getSystemErrorMap } from 'node:util';
import { createTransport, type Transporter } from 'nodemailer';

export interface SmtpSettings {
  readonly host: string;
  readonly port: number;
  /** `starttls`: never without (RFC 3207); `tls`: from the first octet (RFC 8314). */
  readonly tls: 'none' | 'starttls' | 'tls';
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** An address, with a name before it or not. */
  readonly from: string;
}

export interface Mail {
  /** Left part of the Message-ID: the same mail sent twice is known by it. */
  readonly id: string;
  /** The same of the mail this one goes on from. */
  readonly follows?: string | undefined;
  readonly to: readonly string[];
  readonly subject: string;
  readonly body: string;
}

/** Whom the server took it for, and why not for the others, without a word of the server's. */
export interface MailResult {
  readonly taken: readonly string[];
  readonly problem: string | undefined;
}

/** Never rejects. */
export type SendMail = (mail: Mail, signal: AbortSignal) => Promise<MailResult>;

/** ms; what is to be quick gives up soon and tries again. */
const CONNECT_MS = 5_000;
const SILENCE_MS = 10_000;

/** Mail by SMTP (RFC 5321), a connection for each. The server's certificate must be good; the system says whose is. */
export function createSmtp(settings: SmtpSettings): SendMail {
  const transport = createTransport(optionsOf(settings));
  return async (mail, signal) => {
    try {
      const { accepted } = await transport.sendMail({ ...messageOf(mail, settings), signal });
      const places = new Set(accepted.map(placeOf));
      const taken = mail.to.filter((address) => places.has(placeOf(address)));
      const problem = 'the mail server does not take mail for this address';
      return { taken, problem: taken.length < mail.to.length ? problem : undefined };
    } catch (error) {
      return { taken: [], problem: signal.aborted ? 'no answer in time' : wordsOf(error) };
    }
  };
}

function optionsOf({ host, port, tls, username, password }: SmtpSettings) {
  return {
    host,
    port,
    secure: tls === 'tls',
    requireTLS: tls === 'starttls',
    ignoreTLS: tls === 'none',
    ...(username === undefined ? {} : { auth: { user: username, pass: password ?? '' }, forceAuth: true }),
    connectionTimeout: CONNECT_MS,
    dnsTimeout: CONNECT_MS,
    greetingTimeout: CONNECT_MS,
    socketTimeout: SILENCE_MS,
    // Closed at once when it is done with: a server that holds on to connections holds none of ours.
    socketCloseTimeout: 0,
    disableFileAccess: true,
    disableUrlAccess: true,
  } satisfies Parameters<typeof createTransport>[0];
}

/** An address as it is the same however its domain is written. */
function placeOf(address: string): string {
  const at = address.lastIndexOf('@');
  const domain = address.slice(at + 1);
  return `${address.slice(0, at)}@${domainToASCII(domain) || domain.toLowerCase()}`;
}

type Message = Parameters<Transporter['sendMail']>[0];

function messageOf({ id, follows, to, subject, body }: Mail, { from }: SmtpSettings): Message {
  const [, domain = 'localhost'] = /@([^\s@<>]+)>?\s*$/.exec(from) ?? [];
  return {
    from,
    // As objects: an address is never read as a list of them.
    to: to.map((address) => ({ name: '', address })),
    subject,
    text: body,
    messageId: `<${id}@${domain}>`,
    ...(follows === undefined
      ? {}
      : { inReplyTo: `<${follows}@${domain}>`, references: `<${follows}@${domain}>` }),
    priority: 'high',
    // RFC 3834: no out-of-office answers.
    headers: { 'Auto-Submitted': 'auto-generated' },
  };
}

const WORDS: Readonly<Record<string, string>> = {
  EAUTH: 'the mail server refuses the login',
  ENOAUTH: 'the mail server refuses the login',
  EENVELOPE: 'the mail server refuses the sender or every recipient',
  EMESSAGE: 'the mail server refuses the message',
  EDNS: 'the mail server’s name is not known',
  ENOTFOUND: 'the mail server’s name is not known',
  ETLS: 'no secure connection to the mail server',
  ESOCKET: 'no secure connection to the mail server, whose certificate is perhaps not trusted',
  ETIMEDOUT: 'the mail server does not answer in time',
  ECONNREFUSED: 'the mail server takes no connection',
  ECONNRESET: 'the mail server has cut the connection',
  ECONNECTION: 'the mail server has cut the connection',
  EPROTOCOL: 'what answers is no mail server that can be used',
};

/** Words of our own: a server may repeat what it was sent, password included. */
function wordsOf(error: unknown): string {
  const { code, errno, responseCode } = error as { code?: unknown; errno?: unknown; responseCode?: unknown };
  const system = typeof errno === 'number' ? getSystemErrorMap().get(errno)?.[0] : undefined;
  // What the system says is nearer to the cause; ESOCKET alone is what becomes of TLS.
  const known =
    WORDS[String(system)] ?? (system !== undefined && code === 'ESOCKET' ? undefined : WORDS[String(code)]);
  const words = known ?? 'mail cannot be sent';
  const details = [system ?? code, responseCode].filter(
    (detail) =>
      typeof detail === 'number' || (typeof detail === 'string' && /^[A-Z][A-Z0-9_]{2,40}$/.test(detail)),
  );
  return details.length === 0 ? words : `${words} (${details.join(', ')})`;
}
