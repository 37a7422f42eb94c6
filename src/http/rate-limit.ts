import { isIPv4 } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Origin } from '../services/sign-in.ts';
import { keyOf, principalOf } from './principal.ts';
import { sendProblem, statusProblem } from './problem.ts';

const WINDOW_MS = 60_000;
/** Wrong tokens, links and set-up secrets of one source. */
const FAILURES_PER_MINUTE = 20;
const MOST_SOURCES = 10_000;
/** Many people may sit behind one address. */
const SOURCE_FACTOR = 5;

export interface CountsOptions {
  /** Milliseconds of any clock that only goes forward. */
  readonly now: () => number;
  readonly perMinute: number;
  /** Keys at a time; the oldest is forgotten first. */
  readonly most?: number;
}

/** Counts per key, in windows of a minute each. Bounded. */
export class MinuteCounts {
  readonly #counts = new Map<string, { since: number; count: number }>();
  readonly #options: CountsOptions;

  constructor(options: CountsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#counts.size;
  }

  /** Seconds this key must wait, or 0. */
  waitOf(key: string): number {
    const { now, perMinute } = this.#options;
    const entry = this.#counts.get(key);
    const left = entry === undefined ? 0 : entry.since + WINDOW_MS - now();
    return entry !== undefined && entry.count >= perMinute && left > 0 ? Math.ceil(left / 1000) : 0;
  }

  count(key: string): void {
    const { now, most = MOST_SOURCES } = this.#options;
    const entry = this.#counts.get(key);
    if (entry !== undefined && now() - entry.since < WINDOW_MS) {
      entry.count += 1;
      return;
    }
    this.#counts.delete(key);
    const [oldest] = this.#counts.keys();
    if (oldest !== undefined && this.#counts.size >= most) this.#counts.delete(oldest);
    this.#counts.set(key, { since: now(), count: 1 });
  }
}

/** Guesses at secrets that cannot be guessed: whoever goes on all the same is stopped. */
export function failuresOf(now: () => number): MinuteCounts {
  return new MinuteCounts({ now, perMinute: FAILURES_PER_MINUTE });
}

/** Where a request comes from, as far as limits go: who has one address of an IPv6 network (/64) has all of it. */
export function sourceOf({ ip }: Pick<FastifyRequest, 'ip'>): string {
  const plain = ip.replace(/^::ffff:(?=\d+\.)/i, '');
  if (isIPv4(plain) || !plain.includes(':')) return plain;
  const [head = '', tail] = plain.split('%')[0]?.split('::') ?? [];
  const front = head.split(':').filter(Boolean);
  const back = (tail ?? '').split(':').filter(Boolean);
  const zeros = tail === undefined ? [] : Array.from({ length: 8 - front.length - back.length }, () => '0');
  const groups = [...front, ...zeros, ...back].slice(0, 4);
  return `${groups.map((group) => Number.parseInt(group, 16).toString(16)).join(':')}::/64`;
}

/** Where a session is begun, for whoever it belongs to. */
export function originOf({ ip, headers }: Pick<FastifyRequest, 'ip' | 'headers'>): Origin {
  const [address = ''] = ip.replace(/^::ffff:(?=\d+\.)/i, '').split('%');
  return { address, userAgent: headers['user-agent'] };
}

/** 429 while this key has to wait; undefined: it need not. */
export function refuseWaiting(
  counts: MinuteCounts,
  key: string,
  reply: FastifyReply,
): FastifyReply | undefined {
  const wait = counts.waitOf(key);
  if (wait === 0) return undefined;
  return sendProblem(reply.header('retry-after', String(wait)), statusProblem(429));
}

export interface Limits {
  /** Of everything an address asks for. */
  readonly sources: MinuteCounts;
  /** Of what an account or token asks of the API. */
  readonly principals: MinuteCounts;
}

/** `perMinute`: of one account or token. */
export function limitsOf({ now, perMinute }: CountsOptions): Limits {
  return {
    sources: new MinuteCounts({ now, perMinute: SOURCE_FACTOR * perMinute }),
    principals: new MinuteCounts({ now, perMinute }),
  };
}

/** Who looks whether we live is always answered. */
const UNLIMITED = new Set(['/healthz', '/readyz']);

type Hook = (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply | undefined>;

function take(counts: MinuteCounts, key: string, reply: FastifyReply): FastifyReply | undefined {
  const refused = refuseWaiting(counts, key, reply);
  if (refused === undefined) counts.count(key);
  return refused;
}

/** A hook for every request, before anything is looked up for it. */
export function limitSource({ sources }: Limits): Hook {
  return async (request, reply) =>
    UNLIMITED.has(request.routeOptions.url ?? '') ? undefined : take(sources, sourceOf(request), reply);
}

/** A hook behind authentication. */
export function limitPrincipal({ principals }: Limits): Hook {
  return async (request, reply) => take(principals, keyOf(principalOf(request)), reply);
}
