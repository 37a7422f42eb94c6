import { createSocket, type Socket } from 'node:dgram';
import { authorization, challengeOf } from '../support/digest-client.ts';
import { SipText } from '../support/sip-text.ts';

const DOMAIN = 'hotdesk.example';

/** A socket that sends requests of one phone and hands each response to who waits for its Call-ID. */
export class Line {
  readonly socket: Socket = createSocket('udp4');
  readonly #server: number;
  readonly #waiting = new Map<string, (message: SipText) => void>();
  port = 0;

  constructor(server: number) {
    this.#server = server;
  }

  async open(port = 0): Promise<this> {
    await new Promise<void>((resolve) => this.socket.bind(port, '127.0.0.1', resolve));
    this.port = this.socket.address().port;
    this.socket.on('message', (data) => {
      const message = new SipText(data.toString('latin1'));
      this.#waiting.get(message.header('Call-ID'))?.(message);
    });
    return this;
  }

  on(callId: string, take: (message: SipText) => void): void {
    this.#waiting.set(callId, take);
  }

  off(callId: string): void {
    this.#waiting.delete(callId);
  }

  send(text: string): void {
    this.socket.send(Buffer.from(text, 'latin1'), this.#server, '127.0.0.1');
  }
}

export interface RequestParts {
  readonly line: Line;
  readonly method: string;
  readonly user: string;
  readonly host: string;
  readonly callId: string;
  readonly seq: number;
  readonly toTag?: string;
  readonly headers?: readonly string[];
  readonly body?: string;
}

/** A request from a phone to Hotdesk. */
export function request({
  line,
  method,
  user,
  host,
  callId,
  seq,
  toTag,
  headers = [],
  body = '',
}: RequestParts): string {
  return [
    `${method} sip:${user}${user === '' ? '' : '@'}${DOMAIN} SIP/2.0`,
    `Via: SIP/2.0/UDP 127.0.0.1:${line.port};branch=z9hG4bK${callId}${seq}${method};rport`,
    'Max-Forwards: 70',
    `From: <sip:${host}@${DOMAIN}>;tag=${callId}`,
    `To: <sip:${user || host}@${DOMAIN}>${toTag === undefined ? '' : `;tag=${toTag}`}`,
    `Call-ID: ${callId}`,
    `CSeq: ${seq} ${method}`,
    `Contact: <sip:${host}@127.0.0.1:${line.port}>`,
    ...headers,
    ...(body === '' ? [] : ['Content-Type: application/sdp']),
    `Content-Length: ${body.length}`,
    '',
    body,
  ].join('\r\n');
}

/** The Authorization header that answers a 401. */
export function answerTo(
  challenge: SipText,
  { host, method, user }: { host: string; method: string; user: string },
): string {
  const uri = `sip:${user}${user === '' ? '' : '@'}${DOMAIN}`;
  const answer = {
    user: host,
    password: `demo-${host}`,
    method,
    uri,
    challenge: challengeOf(challenge, 'MD5'),
  };
  return `Authorization: ${authorization(answer)}`;
}

/** Registers a demo phone from a given port, then leaves the port to somebody else. */
export async function registerAt({
  server,
  from,
  host,
}: {
  server: number;
  from: number;
  host: string;
}): Promise<void> {
  const line = await new Line(server).open(from);
  // Another one each time: the registrar remembers the CSeq of the last.
  const callId = `register-${host}-${process.pid}-${line.port}-${performance.now()}`;
  const parts = { line, method: 'REGISTER', user: '', host, callId };
  const exchange = (text: string): Promise<SipText> =>
    new Promise((resolve) => {
      line.on(callId, resolve);
      line.send(text);
    });
  const challenge = await exchange(request({ ...parts, seq: 1 }));
  const headers = [answerTo(challenge, { host, method: 'REGISTER', user: '' }), 'Expires: 3600'];
  const answer = await exchange(request({ ...parts, seq: 2, headers }));
  if (answer.status !== 200) throw new Error(`registration refused: ${answer.startLine}`);
  await new Promise<void>((resolve) => line.socket.close(() => resolve()));
}
