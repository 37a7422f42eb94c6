import { createHash, randomBytes } from 'node:crypto';
import { SipText } from './sip-text.ts';
import { deferred, within } from './wait.ts';
import { type Endpoint, openWire, type Wire } from './wire.ts';

export type Algorithm = 'MD5' | 'SHA-256';

export interface Challenge {
  readonly realm: string;
  readonly nonce: string;
  readonly algorithm: Algorithm;
  readonly stale: boolean;
}

/** The challenge of a 401 for this algorithm. */
export function challengeOf(response: SipText, algorithm: Algorithm): Challenge {
  const line = response.headers('WWW-Authenticate').find((value) => algorithmOf(value) === algorithm);
  if (line === undefined) throw new Error(`no ${algorithm} challenge in ${response.startLine}`);
  const field = (name: string): string => new RegExp(`\\b${name}="?([^",]*)"?`, 'i').exec(line)?.[1] ?? '';
  return {
    realm: field('realm'),
    nonce: field('nonce'),
    algorithm,
    stale: field('stale').toLowerCase() === 'true',
  };
}

function algorithmOf(line: string): string {
  return /algorithm="?([\w-]+)"?/i.exec(line)?.[1]?.toUpperCase() ?? 'MD5';
}

export interface DigestAnswer {
  readonly user: string;
  readonly password: string;
  readonly method: string;
  readonly uri: string;
  readonly challenge: Challenge;
  readonly count?: number;
}

/** An Authorization header value (RFC 7616, qop=auth). */
export function authorization(answer: DigestAnswer): string {
  const { user, password, method, uri, challenge, count = 1 } = answer;
  const { realm, nonce, algorithm } = challenge;
  const hash = (text: string): string =>
    createHash(algorithm === 'MD5' ? 'md5' : 'sha256')
      .update(text)
      .digest('hex');
  const cnonce = randomBytes(8).toString('hex');
  const nc = count.toString(16).padStart(8, '0');
  const ha1 = hash(`${user}:${realm}:${password}`);
  const response = hash(`${ha1}:${nonce}:${nc}:${cnonce}:auth:${hash(`${method}:${uri}`)}`);
  const quoted = `username="${user}", realm="${realm}", nonce="${nonce}", uri="${uri}", response="${response}"`;
  return `Digest ${quoted}, algorithm=${algorithm}, cnonce="${cnonce}", nc=${nc}, qop=auth`;
}

/** A client that writes its SIP by hand: for what no proper phone would send. */
export class HandWritten {
  readonly wire: Wire;
  readonly domain: string;
  #cseq = 0;
  #waiting: ((message: SipText) => void) | undefined;

  constructor(wire: Wire, domain: string) {
    this.wire = wire;
    this.domain = domain;
    wire.onMessage = (text) => this.#waiting?.(new SipText(text));
  }

  static async open(protocol: 'udp' | 'tcp', server: Endpoint, domain: string): Promise<HandWritten> {
    return new HandWritten(await openWire(protocol, server), domain);
  }

  /** Sends a request and returns its final response. `lines` are the headers a test cares about. */
  async request(
    method: string,
    options: {
      readonly uri?: string;
      readonly user: string;
      readonly lines?: readonly string[];
      readonly callId?: string;
      readonly cseq?: number;
    },
  ): Promise<SipText> {
    const { user, lines = [], callId = 'by-hand', uri = `sip:${this.domain}` } = options;
    this.#cseq = options.cseq ?? this.#cseq + 1;
    const { host, port } = this.wire.local;
    const branch = `z9hG4bK${randomBytes(8).toString('hex')}`;
    const text = [
      `${method} ${uri} SIP/2.0`,
      `Via: SIP/2.0/${this.wire.protocol.toUpperCase()} ${host}:${port};branch=${branch};rport`,
      `From: <sip:${user}@${this.domain}>;tag=${randomBytes(4).toString('hex')}`,
      `To: <sip:${method === 'REGISTER' ? `${user}@${this.domain}` : uri.slice(4)}>`,
      `Call-ID: ${callId}-${port}`,
      `CSeq: ${this.#cseq} ${method}`,
      'Max-Forwards: 70',
      ...lines,
      'Content-Length: 0',
      '',
      '',
    ].join('\r\n');
    return within(5000, `an answer to ${method}`, this.#exchange(text, branch));
  }

  close(): Promise<void> {
    return this.wire.close();
  }

  #exchange(text: string, branch: string): Promise<SipText> {
    const answer = deferred<SipText>();
    this.#waiting = (message) => {
      const mine = message.header('Via').includes(branch);
      if (mine && (message.status ?? 0) >= 200) answer.resolve(message);
    };
    this.wire.send(text);
    return answer.promise;
  }
}
