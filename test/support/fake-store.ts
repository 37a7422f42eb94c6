import type { Association, ChangeEvent, EndReason } from '../../src/domain/association.ts';
import type { BindingSet } from '../../src/domain/binding.ts';
import { isOverdue } from '../../src/domain/fold.ts';
import {
  type AssociateCommand,
  type AssociateReply,
  type ClaimReply,
  type DirectoryEntries,
  type EndCommand,
  type EndReply,
  type Follower,
  type GuessKey,
  type GuessReply,
  type Snapshot,
  type Store,
  StoreUnavailable,
} from '../../src/store/store.ts';

interface Counter {
  n: number;
  /** End of the wait, and whose guess began it. */
  until: number;
  by: string;
  /** End of the window. */
  ends: number;
}

const COUNTERS = ['extension', 'host', 'source'] as const;
const NEVER = Number.POSITIVE_INFINITY;
const GUESSES = {
  extension: { free: 5, longest: 3_600_000, window: 3_600_000, slides: true, hard: 20 },
  host: { free: 10, longest: 300_000, window: 900_000, slides: false, hard: NEVER },
  source: { free: 200, longest: 30_000, window: 900_000, slides: false, hard: NEVER },
} as const;

/**
 * The store's rules without a store: one process, no IO, time from outside. Unit tests use it as a fake, the store's
 * contract as its oracle. `down` makes every method reject; `loseReplies` carries out that many commands and rejects
 * all the same.
 */
export class FakeStore implements Store {
  readonly log: ChangeEvent[] = [];
  down = false;
  loseReplies = 0;
  /** Names of the methods called, in order. */
  readonly calls: string[] = [];
  readonly #now: () => number;
  readonly #byHost = new Map<string, Association>();
  readonly #operations = new Map<string, AssociateReply | EndReply>();
  readonly #guesses = new Map<string, Counter>();
  readonly #bindings = new Map<string, BindingSet>();
  readonly #followers = new Set<Follower>();
  #directory = new Map<string, unknown>();
  #seq = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  get available(): boolean {
    return !this.down;
  }

  async start(): Promise<void> {}
  async stop(): Promise<void> {}

  associate(command: AssociateCommand): Promise<AssociateReply> {
    return this.#answer('associate', () =>
      this.#once(command.opId, () => this.#associate(command)),
    ) as Promise<AssociateReply>;
  }

  end(command: EndCommand): Promise<EndReply> {
    return this.#answer('end', () =>
      this.#once(command.opId, () => this.#endOne(command)),
    ) as Promise<EndReply>;
  }

  claimDue(limit: number): Promise<ClaimReply> {
    return this.#answer('claimDue', () => {
      const now = this.#now();
      const due = [...this.#byHost.values()]
        .filter((association) => isOverdue(association, now))
        .slice(0, limit);
      for (const association of due) this.#finish(association, 'expired', 'ttl');
      const deadlines = [...this.#byHost.values()].flatMap(({ expiresAt }) =>
        expiresAt === 'never' ? [] : [expiresAt],
      );
      return { ended: due.length, nextDeadline: deadlines.length ? Math.min(...deadlines) : undefined, now };
    });
  }

  snapshot(): Promise<Snapshot> {
    return this.#answer('snapshot', () => this.#snapshot());
  }

  async follow(follower: Follower, signal: AbortSignal): Promise<void> {
    this.#followers.add(follower);
    signal.addEventListener('abort', () => this.#followers.delete(follower), { once: true });
    follower.onSnapshot(await this.snapshot());
  }

  reserveGuess(key: GuessKey): Promise<GuessReply> {
    return this.#answer('reserveGuess', () => {
      const now = this.#now();
      const counters = COUNTERS.map((name) => ({ name, counter: this.#counter(name, key) }));
      if (counters.some(({ name, counter }) => counter.n >= GUESSES[name].hard)) return { outcome: 'locked' };
      const [longest] = counters.toSorted((a, b) => b.counter.until - a.counter.until);
      if (longest && longest.counter.until > now) {
        return { outcome: 'wait', waitMs: longest.counter.until - now, counter: longest.name };
      }
      for (const { name, counter } of counters) {
        const { free, longest: most, window, slides } = GUESSES[name];
        counter.n = counter.ends > now ? counter.n + 1 : 1;
        const due = counter.n >= free ? Math.min(most, 1000 * 2 ** (counter.n - free)) : 0;
        counter.until = now + due;
        counter.by = due > 0 ? guessId(key) : '';
        if (slides) counter.ends = now + due + window;
        else if (counter.n === 1) counter.ends = now + window;
      }
      return { outcome: 'reserved' };
    });
  }

  confirmGuess(key: GuessKey): Promise<void> {
    return this.#answer('confirmGuess', () => {
      this.#guesses.delete(`extension ${key.extension}`);
      for (const name of ['host', 'source'] as const) {
        const counter = this.#counter(name, key);
        counter.n--;
        if (counter.n <= 0) this.#guesses.delete(`${name} ${key[name]}`);
        if (counter.by === guessId(key)) counter.until = 0;
      }
    });
  }

  clearGuesses(extension: string): Promise<void> {
    return this.#answer('clearGuesses', () => void this.#guesses.delete(`extension ${extension}`));
  }

  writeDirectory(command: {
    readonly put: DirectoryEntries;
    readonly remove: readonly string[];
    readonly ifEmpty?: boolean;
    readonly actor: string;
  }): Promise<boolean> {
    return this.#answer('writeDirectory', () => {
      if (command.ifEmpty && this.#directory.has('company')) return false;
      const next = new Map([...this.#directory, ...structuredClone(command.put)]);
      for (const key of command.remove) next.delete(key);
      this.#directory = next;
      this.#tell({ kind: 'directory', seq: ++this.#seq, at: this.#now(), actor: command.actor });
      return true;
    });
  }

  writeBindings(aor: string, expected: number, set: BindingSet): Promise<boolean> {
    return this.#answer('writeBindings', () => {
      const stored = this.#bindings.get(aor);
      if (stored && stored.version !== expected) return false;
      const written = { version: expected + 1, bindings: set.bindings };
      this.#bindings.set(aor, written);
      for (const follower of this.#followers) follower.onBindings(aor, written);
      return true;
    });
  }

  /** Tells the followers that they are in touch, as an empty read does. */
  contact(offsetMs = 0): void {
    for (const follower of this.#followers) follower.onContact(offsetMs);
  }

  async #answer<T>(name: string, work: () => T): Promise<T> {
    this.calls.push(name);
    if (this.down) throw new StoreUnavailable('down');
    const reply = work();
    if (this.loseReplies > 0) {
      this.loseReplies--;
      throw new StoreUnavailable('the answer got lost');
    }
    return reply;
  }

  #once<T extends AssociateReply | EndReply>(opId: string, work: () => T): T {
    const before = this.#operations.get(opId) as T | undefined;
    if (before) return 'replay' in before ? { ...before, replay: true } : before;
    const reply = work();
    this.#operations.set(opId, reply);
    return reply;
  }

  #associate(command: AssociateCommand): AssociateReply {
    const { host, guest, site, limitMs, actor } = command;
    const there = this.#live(this.#byHost.get(host));
    const elsewhere = this.#live(
      [...this.#byHost.values()].find((association) => association.guest === guest),
    );
    if (there?.guest === guest) return { outcome: 'alreadyHere', association: there };
    if (there && command.occupied === 'deny') return { outcome: 'occupied', by: there };
    if (elsewhere && command.secondDesk === 'deny') return { outcome: 'elsewhere', at: elsewhere };
    if (there) this.#finish(there, 'takenOver', actor);
    if (elsewhere) this.#finish(elsewhere, 'moved', actor);
    const at = this.#now();
    const seq = ++this.#seq;
    const expiresAt = limitMs === 'never' ? 'never' : at + limitMs;
    const association = { host, guest, site, generation: seq, startedAt: at, expiresAt } as const;
    this.#byHost.set(host, association);
    const previousHost = elsewhere?.host;
    this.#tell({
      kind: 'start',
      seq,
      at,
      actor,
      reason: elsewhere ? 'move' : 'logIn',
      association,
      previousHost,
    });
    return { outcome: 'associated', association, movedFrom: previousHost, replay: false };
  }

  #endOne({ host, guest, generation, reason, actor }: EndCommand): EndReply {
    const found = [...this.#byHost.values()].find((a) =>
      host === undefined ? a.guest === guest : a.host === host,
    );
    const association = this.#live(found);
    if (!association) return { outcome: 'none' };
    if (guest !== undefined && association.guest !== guest) return { outcome: 'notYours' };
    if (generation !== undefined && association.generation !== generation) return { outcome: 'stale' };
    this.#finish(association, reason, actor);
    return { outcome: 'ended', association, replay: false };
  }

  /** Whoever touches an overdue association ends it first, so that the log is in the right order. */
  #live(association: Association | undefined): Association | undefined {
    if (!association || !isOverdue(association, this.#now())) return association;
    this.#finish(association, 'expired', 'ttl');
    return undefined;
  }

  #finish(association: Association, reason: EndReason, actor: string): void {
    this.#byHost.delete(association.host);
    this.#tell({ kind: 'end', seq: ++this.#seq, at: this.#now(), actor, reason, association });
  }

  #tell(event: ChangeEvent): void {
    this.log.push(event);
    for (const follower of this.#followers) follower.onEvent(event);
  }

  #counter(name: (typeof COUNTERS)[number], key: GuessKey): Counter {
    const id = `${name} ${key[name]}`;
    const counter = this.#guesses.get(id) ?? { n: 0, until: 0, by: '', ends: 0 };
    this.#guesses.set(id, counter);
    return counter;
  }

  #snapshot(): Snapshot {
    return {
      seq: this.#seq,
      now: this.#now(),
      associations: [...this.#byHost.values()],
      directory: structuredClone(this.#directory),
      bindings: new Map(this.#bindings),
    };
  }
}

function guessId({ extension, host, source }: GuessKey): string {
  return JSON.stringify([extension, host, source]);
}
