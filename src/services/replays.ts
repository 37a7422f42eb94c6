import { createHash } from 'node:crypto';
import type { Refusal } from '../domain/reasons.ts';
import { type Store, StoreUnavailable } from '../store/store.ts';
import type { Clock } from './ports.ts';
import type { Sealing } from './sealing.ts';
import type { SharedState } from './shared-state.ts';
import { whileStoreAnswers } from './while-store-answers.ts';

/** An answer that is given again to the same request. */
export interface KeptAnswer {
  readonly status: number;
  readonly body: unknown;
  readonly headers: Readonly<Record<string, string>>;
}

export interface ReplaysDependencies {
  readonly store: Pick<Store, 'claimOnce' | 'dropClaim'>;
  readonly shared: Pick<SharedState, 'get' | 'put'>;
  /** Answers may hold what is told once. */
  readonly sealing: Pick<Sealing, 'seal' | 'open'>;
  readonly clock: Clock;
}

/** What makes a request the same request. */
export interface RequestKey {
  readonly actor: string;
  /** Such as `POST /api/v1/users`. */
  readonly route: string;
  /** The client's. */
  readonly key: string;
  readonly body: unknown;
}

const KEPT_MS = 24 * 3_600_000;
/** Longer than any request may take. */
const CLAIM_MS = 15_000;
/** Pieces of answers one node keeps: nearly every answer is one. */
const MOST_KEPT = 5_000;
/** Characters of a piece: with what is beside it less than a shared entry may have. */
const PIECE = 3_800;

/** A claim that ends this soon is left to end: by then it may be another node's. */
const UNSURE_MS = 5_000;

/**
 * Does a request once, however often it comes with the same idempotency key, to whichever node; for a day. Only what was
 * done is kept: a refusal has changed nothing, and may be another answer by the time it is mended, here or by somebody
 * else; so whoever was refused may come again with the same key. What failed on our side is done anew, too.
 */
export class Replays {
  readonly #deps: ReplaysDependencies;
  /** Names of answers kept by this node and how many pieces each has, the oldest first. */
  readonly #kept = new Map<string, number>();
  #pieces = 0;
  readonly #inHand = new Set<string>();
  /** What this node has claimed and not answered for good, and until when it may be sure of it; the oldest first. */
  readonly #claimed = new Map<string, number>();

  constructor(deps: ReplaysDependencies) {
    this.#deps = deps;
  }

  /** Refused with keyUsed, requestInHand or storeUnavailable. */
  async run(request: RequestKey, work: () => Promise<KeptAnswer>): Promise<KeptAnswer | Refusal> {
    const { actor, route, key, body } = request;
    const name = `idem:${digest([actor, route, key]).slice(0, 40)}`;
    const print = digest(body);
    const before = this.#look(name, print);
    if (before) return before;
    if (this.#inHand.has(name)) return { refused: 'requestInHand' };
    this.#inHand.add(name);
    try {
      if (!(await this.#claim(name))) return this.#look(name, print) ?? { refused: 'requestInHand' };
      const answer = await work();
      if (answer.status < 400) this.#keep(name, print, answer);
      else if (answer.status < 500)
        await whileStoreAnswers(() => this.#giveBack(name).then(() => 'done' as const));
      return answer;
    } catch (error) {
      if (error instanceof StoreUnavailable) return { refused: 'storeUnavailable' };
      throw error;
    } finally {
      this.#inHand.delete(name);
    }
  }

  /** Whether it is ours to do: nobody has begun it, or we have, and failed. */
  async #claim(name: string): Promise<boolean> {
    const { store, clock } = this.#deps;
    const now = clock.now();
    if (!(await store.claimOnce(name, CLAIM_MS))) return (this.#claimed.get(name) ?? 0) > now;
    const [oldest] = this.#claimed.keys();
    if (oldest !== undefined && this.#claimed.size >= MOST_KEPT) this.#claimed.delete(oldest);
    this.#claimed.set(name, now + CLAIM_MS);
    return true;
  }

  /** At once also for other nodes. Should the store be away, it ends by itself. */
  async #giveBack(name: string): Promise<void> {
    const { store, clock } = this.#deps;
    if ((this.#claimed.get(name) ?? 0) - clock.now() < UNSURE_MS) return;
    await store.dropClaim(name);
    this.#claimed.delete(name);
  }

  #look(name: string, print: string): KeptAnswer | Refusal | undefined {
    const { shared, sealing } = this.#deps;
    const entry = shared.get(name) as Kept | undefined;
    if (!entry) return undefined;
    if (entry.print !== print) return { refused: 'keyUsed' };
    const rest = restOf(name, entry.pieces).map((piece) => shared.get(piece));
    // It comes to other nodes piece by piece.
    if (rest.includes(undefined)) return { refused: 'requestInHand' };
    const text = sealing.open(entry.sealed + rest.join(''), name);
    return text === undefined ? { refused: 'keyUsed' } : (JSON.parse(text) as KeptAnswer);
  }

  /** An answer may be longer than a shared entry: the passwords of many phones. */
  #keep(name: string, print: string, answer: KeptAnswer): void {
    const { shared, sealing } = this.#deps;
    this.#claimed.delete(name);
    const all = sealing.seal(JSON.stringify(answer), name);
    const pieces = Math.ceil(all.length / PIECE);
    // One that has lapsed meanwhile under this name takes no room any more.
    this.#pieces += pieces - (this.#kept.get(name) ?? 0);
    this.#kept.delete(name);
    this.#makeRoom();
    this.#kept.set(name, pieces);
    for (const [i, piece] of restOf(name, pieces).entries())
      shared.put(piece, all.slice((i + 1) * PIECE, (i + 2) * PIECE), KEPT_MS);
    shared.put(name, { print, pieces, sealed: all.slice(0, PIECE) } satisfies Kept, KEPT_MS);
  }

  #makeRoom(): void {
    for (const [name, pieces] of this.#kept) {
      if (this.#pieces <= MOST_KEPT) return;
      this.#kept.delete(name);
      this.#pieces -= pieces;
      for (const piece of [name, ...restOf(name, pieces)]) this.#deps.shared.put(piece, undefined, KEPT_MS);
    }
  }
}

/** What is kept of an answer under its name: how many pieces there are, and the first. */
interface Kept {
  readonly print: string;
  /** Absent: one, by an earlier version. */
  readonly pieces?: number;
  readonly sealed: string;
}

/** Names of the pieces after the first. */
function restOf(name: string, pieces = 1): string[] {
  return Array.from({ length: pieces - 1 }, (_, i) => `${name}:${i + 1}`);
}

function digest(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex');
}
