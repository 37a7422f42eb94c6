import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { DigestSecrets } from '../domain/directory.ts';

/**
 * Digest authentication as a server (RFC 7616, RFC 8760), with SHA-256, and MD5 for the phones that have nothing else.
 * A nonce proves its own age and origin, so nothing is kept for a challenge nobody answers.
 */

const ALGORITHMS = { 'SHA-256': 'sha256', MD5: 'md5' } as const;
export type Algorithm = keyof typeof ALGORITHMS;

/** One per request within a nonce's lifetime. */
const MAX_USED_NONCES = 50_000;

export interface Credentials {
  readonly username: string;
  readonly realm: string;
  readonly nonce: string;
  readonly uri: string;
  readonly response: string;
  readonly algorithm: Algorithm;
  readonly qop?: string | undefined;
  readonly nc?: string | undefined;
  readonly cnonce?: string | undefined;
}

/** `stale`: right password, but the nonce is too old, used up or from before a restart. */
export type DigestVerdict = 'accepted' | 'stale' | 'wrong';

export interface DigestOptions {
  readonly realm: string;
  /** Seconds. */
  readonly nonceLifetime: number;
  readonly now: () => number;
  /** Nonces whose counts are remembered at once. */
  readonly maxUsedNonces?: number;
}

/** `name=value`, before the first of a set the scheme. Starts at word starts only, so that long words cost little. */
const FIELD = /(?<![\w-])(?:(digest)\s+)?([a-z]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/gis;

/**
 * Reads an Authorization value; undefined when it is no digest answer this server could have asked for. A phone may
 * send several answers, which drachtio-srf joins with commas: the first for `realm` counts (RFC 3261 22.3), without
 * a realm the first of all.
 */
export function parseCredentials(header: string, realm?: string): Credentials | undefined {
  const answers: Map<string, string>[] = [];
  for (const [, scheme, name, quoted, plain] of header.matchAll(FIELD)) {
    if (scheme !== undefined) answers.push(new Map());
    const value = quoted !== undefined ? quoted.replace(/\\(.)/gs, '$1') : (plain ?? '');
    answers.at(-1)?.set(name!.toLowerCase(), value);
  }
  return answers
    .map(toCredentials)
    .find((credentials) => credentials && (realm === undefined || credentials.realm === realm));
}

function toCredentials(fields: ReadonlyMap<string, string>): Credentials | undefined {
  const algorithm = (fields.get('algorithm') ?? 'MD5').toUpperCase();
  const required = ['username', 'realm', 'nonce', 'uri', 'response'].map((name) => fields.get(name));
  const [username, realm, nonce, uri, response] = required;
  if (!Object.hasOwn(ALGORITHMS, algorithm)) return undefined;
  if (username === undefined || realm === undefined || !nonce || uri === undefined || !response)
    return undefined;
  const qop = fields.get('qop');
  const shared = { username, realm, nonce, uri, response, algorithm: algorithm as Algorithm };
  return { ...shared, qop, nc: fields.get('nc'), cnonce: fields.get('cnonce') };
}

/** Challenges and checks; one per SIP application. */
export class DigestServer {
  readonly #options: DigestOptions;
  readonly #key = randomBytes(32);
  /** Highest nonce count seen, in order of first use. */
  readonly #used = new Map<string, number>();

  constructor(options: DigestOptions) {
    this.#options = options;
  }

  /**
   * Value of the WWW-Authenticate header. Two challenges must be two header lines (RFC 8760 2.4), which drachtio-srf
   * cannot express: the second line travels inside the value of the first. `source` is the address it goes to.
   */
  challenge(
    algorithms: readonly Algorithm[],
    { stale, source = '' }: { stale: boolean; source?: string },
  ): string {
    const nonce = this.#newNonce(source);
    const flag = stale ? ', stale=true' : '';
    const line = (algorithm: Algorithm): string =>
      `Digest realm="${this.#options.realm}", nonce="${nonce}", algorithm=${algorithm}, qop="auth"${flag}`;
    return algorithms.map(line).join('\r\nWWW-Authenticate: ');
  }

  /** Checks an answer against the stored secrets; unknown users are checked against `undefined` and take as long. */
  verify(method: string, credentials: Credentials, secrets: DigestSecrets | undefined): DigestVerdict {
    const { algorithm, realm, nonce } = credentials;
    const ha1 = (algorithm === 'MD5' ? secrets?.md5 : secrets?.sha256) ?? hash(algorithm, nonce);
    const right = sameText(expectedResponse(method, credentials, ha1), credentials.response.toLowerCase());
    if (!right || secrets === undefined || realm !== this.#options.realm) return 'wrong';
    return this.#nonceIsGood(credentials) ? 'accepted' : 'stale';
  }

  /**
   * Whether this nonce was given to that address: who answers it has received mail there. A nonce answered from
   * elsewhere is good all the same, as a phone may reach us through two proxies.
   */
  wasGivenTo(nonce: string, source: string): boolean {
    const [time, random, place, ...rest] = nonce.split('.', 5);
    return rest.length === 1 && sameText(this.#place(`${time}.${random}`, source), place ?? '');
  }

  #newNonce(source: string): string {
    const start = `${this.#options.now().toString(36)}.${randomBytes(9).toString('base64url')}`;
    const body = `${start}.${this.#place(start, source)}`;
    return `${body}.${this.#sign(body)}`;
  }

  #place(start: string, source: string): string {
    return this.#sign(`${start} ${source}`).slice(0, 12);
  }

  #sign(body: string): string {
    return createHmac('sha256', this.#key).update(body).digest('base64url').slice(0, 22);
  }

  #nonceIsGood({ nonce, qop, nc }: Credentials): boolean {
    const end = nonce.lastIndexOf('.');
    const body = nonce.slice(0, Math.max(end, 0));
    if (!sameText(this.#sign(body), nonce.slice(end + 1)) || this.#isOld(body)) return false;
    const count = qop === undefined ? 1 : Number.parseInt(nc ?? '', 16);
    const last = this.#used.get(nonce) ?? 0;
    if (!(count > last)) return false;
    if (last === 0 && !this.#makeRoom()) return false;
    this.#used.set(nonce, count);
    return true;
  }

  #isOld(nonce: string): boolean {
    const age = this.#options.now() - Number.parseInt(nonce, 36);
    return !(age >= 0 && age <= this.#options.nonceLifetime * 1000);
  }

  /** Forgets nonces past their lifetime; a table full of live ones takes no more, rather than allow a replay. */
  #makeRoom(): boolean {
    for (const nonce of this.#used.keys()) {
      if (!this.#isOld(nonce)) break;
      this.#used.delete(nonce);
    }
    return this.#used.size < (this.#options.maxUsedNonces ?? MAX_USED_NONCES);
  }
}

function expectedResponse(method: string, c: Credentials, ha1: string): string {
  const ha2 = hash(c.algorithm, `${method}:${c.uri}`);
  const middle = c.qop === undefined ? c.nonce : `${c.nonce}:${c.nc}:${c.cnonce}:${c.qop}`;
  return hash(c.algorithm, `${ha1}:${middle}:${ha2}`);
}

function hash(algorithm: Algorithm, text: string): string {
  return createHash(ALGORITHMS[algorithm]).update(text).digest('hex');
}

function sameText(a: string, b: string): boolean {
  const left = Buffer.from(a);
  const right = Buffer.from(b);
  return left.length === right.length && timingSafeEqual(left, right);
}
