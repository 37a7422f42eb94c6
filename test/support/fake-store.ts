import type { Association, ChangeEvent, EndReason, Notice } from '../../src/domain/association.ts';
import type { BindingSet } from '../../src/domain/binding.ts';
import type { EmergencyRecord, EmergencyStage } from '../../src/domain/emergency-record.ts';
import { isOverdue } from '../../src/domain/fold.ts';
import {
  type AssociateCommand,
  type AssociateReply,
  type ClaimReply,
  type Consumer,
  type DeadLetter,
  type DirectoryWrite,
  type DirectoryWritten,
  type EndCommand,
  type EndReply,
  type ExtendCommand,
  type ExtendReply,
  type Follower,
  type GuessKey,
  type GuessReply,
  type HistoryPage,
  type HistoryQuery,
  type KeptLetter,
  type KeptSession,
  LARGEST_RECORDING,
  LARGEST_SHARED,
  LONGEST_SESSION_MS,
  MOST_ATTEMPTS,
  MOST_ORDERS,
  MOST_SESSIONS,
  MOST_SHARED,
  type OrderWrite,
  type OrderWritten,
  SHARED_NAME,
  type SharedEntry,
  type Snapshot,
  type Store,
  type StoredOrder,
  StoreUnavailable,
  type WebhookAttempt,
} from '../../src/store/store.ts';

interface Counter {
  n: number;
  /** Since a right one or an unlock. */
  total: number;
  /** End of the wait, and whose guess began it. */
  until: number;
  by: string;
  /** End of the window. */
  ends: number;
}

const COUNTERS = ['extension', 'pair', 'host', 'source'] as const;
const NEVER = Number.POSITIVE_INFINITY;
const GUESSES = {
  extension: { free: 5, longest: 30_000, window: 3_600_000, slides: true, hard: 20 },
  pair: { free: 5, longest: 3_600_000, window: 3_600_000, slides: true, hard: NEVER },
  host: { free: 10, longest: 300_000, window: 900_000, slides: false, hard: NEVER },
  source: { free: 200, longest: 30_000, window: 900_000, slides: false, hard: NEVER },
} as const;

const ACCOUNT_GUESSES = {
  extension: { ...GUESSES.extension, free: 10, hard: NEVER },
  pair: GUESSES.pair,
  host: { ...GUESSES.host, free: 100 },
  source: GUESSES.source,
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
  /** Consumers that will not come again. */
  readonly forgotten: string[] = [];
  /** Names of the methods called, in order. */
  readonly calls: string[] = [];
  readonly #now: () => number;
  readonly #byHost = new Map<string, Association>();
  /** Deadlines without the idle limit, by generation. */
  readonly #caps = new Map<number, number | 'never'>();
  readonly #once = new Map<string, number>();
  readonly #letters: KeptLetter[] = [];
  #letterCount = 0;
  readonly #attempts = new Map<string, readonly WebhookAttempt[]>();
  readonly #wakes = new Set<() => void>();
  readonly #operations = new Map<string, AssociateReply | EndReply>();
  readonly #emergencies = new Map<string, { record: EmergencyRecord; stages: Set<EmergencyStage> }>();
  readonly #guesses = new Map<string, Counter>();
  readonly #bindings = new Map<string, BindingSet>();
  readonly #seen = new Map<string, number>();
  readonly shared = new Map<string, SharedEntry>();
  #sharedPosition = 0;
  readonly #recordings = new Map<string, Uint8Array>();
  readonly #sessions = new Map<string, { account: string; json: string; until: number }>();
  readonly #followers = new Set<Follower>();
  readonly directory = new Map<string, unknown>();
  mostOrders = MOST_ORDERS;
  readonly #orders = new Map<string, StoredOrder & { readonly finished: boolean }>();
  readonly #orderOps = new Map<string, string>();
  #orderNumber = 1_000;
  #orderRevision = 0;
  #version = 0;
  #seq = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  readonly weakness = undefined;

  get available(): boolean {
    return !this.down;
  }

  async start(): Promise<void> {}
  async stop(): Promise<void> {}

  associate(command: AssociateCommand): Promise<AssociateReply> {
    return this.#answer('associate', () =>
      this.#doOnce(command.opId, () => this.#associate(command)),
    ) as Promise<AssociateReply>;
  }

  end(command: EndCommand): Promise<EndReply> {
    return this.#answer('end', () =>
      this.#doOnce(command.opId, () => this.#endOne(command)),
    ) as Promise<EndReply>;
  }

  extend(command: ExtendCommand): Promise<ExtendReply> {
    return this.#answer('extend', () => this.#extend(command));
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
    const loading = follower.onSharedEntries(this.#sharedPosition);
    loading.page(new Map(this.shared));
    loading.done();
    this.#loadDirectory(follower);
    follower.onContact(0);
  }

  reserveGuess(key: GuessKey): Promise<GuessReply> {
    return this.#answer('reserveGuess', () => {
      const now = this.#now();
      const limits = key.limits === 'account' ? ACCOUNT_GUESSES : GUESSES;
      const counters = COUNTERS.map((name) => ({ name, counter: this.#counter(name, key) }));
      if (counters.some(({ name, counter }) => counter.total >= limits[name].hard))
        return { outcome: 'locked' };
      const [longest] = counters.toSorted((a, b) => b.counter.until - a.counter.until);
      if (longest && longest.counter.until > now) {
        return { outcome: 'wait', waitMs: longest.counter.until - now, counter: longest.name };
      }
      for (const { name, counter } of counters) {
        const { free, longest: most, window, slides } = limits[name];
        counter.n = counter.ends > now ? counter.n + 1 : 1;
        counter.total += 1;
        const due = counter.n >= free ? Math.min(most, 1000 * 2 ** (counter.n - free)) : 0;
        counter.until = now + due;
        counter.by = due > 0 ? guessId(key) : '';
        if (slides) counter.ends = now + due + window;
        else if (counter.n === 1) counter.ends = now + window;
      }
      const actor = 'guest';
      const extension = key.known ? key.extension : undefined;
      if (this.#counter('extension', key).total === limits.extension.hard)
        this.#notice('lockedOut', { actor, extension, host: key.host });
      if (this.#counter('host', key).n === limits.host.free)
        this.#notice('guessing', { actor, extension: undefined, host: key.host });
      return { outcome: 'reserved' };
    });
  }

  confirmGuess(key: GuessKey): Promise<void> {
    return this.#answer('confirmGuess', () => {
      for (const name of ['extension', 'pair'] as const) this.#guesses.delete(counterId(name, key));
      for (const name of ['host', 'source'] as const) {
        const counter = this.#counter(name, key);
        counter.n--;
        if (counter.n <= 0) this.#guesses.delete(counterId(name, key));
        if (counter.by === guessId(key)) counter.until = 0;
      }
    });
  }

  clearGuesses(extension: string, actor: string): Promise<void> {
    return this.#answer('clearGuesses', () => {
      this.#guesses.delete(`extension ${extension}`);
      this.#notice('unlocked', { actor, extension, host: undefined });
    });
  }

  noteEmergency(record: EmergencyRecord, stage: EmergencyStage, actor: string): Promise<void> {
    return this.#answer('noteEmergency', () => {
      const now = this.#now();
      if (record.callbackUntil <= now - 24 * 3_600_000) return;
      const known = this.#emergencies.get(record.id) ?? { record, stages: new Set() };
      if (known.stages.has(stage)) return;
      this.#emergencies.set(record.id, known);
      known.stages.add(stage);
      this.#tell({ kind: 'emergency', seq: ++this.#seq, at: now, actor, stage, record: known.record });
    });
  }

  claimOnce(name: string, ttlMs: number): Promise<boolean> {
    return this.#answer('claimOnce', () => {
      if ((this.#once.get(name) ?? 0) > this.#now()) return false;
      this.#once.set(name, this.#now() + ttlMs);
      return true;
    });
  }

  dropClaim(name: string): Promise<void> {
    return this.#answer('dropClaim', () => void this.#once.delete(name));
  }

  /** Entry by entry from the end of the log; what is rejected is taken again at once. */
  async consume(consumer: Consumer, signal: AbortSignal): Promise<void> {
    let next = this.log.length;
    while (!signal.aborted) {
      const event = this.log[next];
      if (event === undefined || this.down) {
        await new Promise<void>((resolve) => {
          this.#wakes.add(resolve);
          signal.addEventListener('abort', () => resolve(), { once: true });
        });
        continue;
      }
      await consumer.take(event, signal).then(
        () => {
          next += 1;
        },
        () => undefined,
      );
    }
  }

  history({ host, guest, from, to, kinds, limit, after }: HistoryQuery): Promise<HistoryPage> {
    return this.#answer('history', () => {
      const found = this.log.toReversed().filter((event) => {
        const about = 'association' in event ? event.association : undefined;
        const notice = event.kind === 'notice' ? event : undefined;
        const call = event.kind === 'emergency' ? event.record : undefined;
        return (
          (after === undefined || event.seq < Number(after)) &&
          (host === undefined || host === (about?.host ?? notice?.host ?? call?.host)) &&
          (guest === undefined || guest === (about?.guest ?? notice?.extension ?? call?.guest?.extension)) &&
          (from === undefined || event.at >= from) &&
          (to === undefined || event.at <= to) &&
          (kinds?.includes(event.kind) ?? true)
        );
      });
      const events = found.slice(0, limit);
      return { events, next: found.length > limit ? String(events.at(-1)?.seq) : undefined };
    });
  }

  trimLog(retainMs: number): Promise<number> {
    return this.#answer('trimLog', () => {
      const old = this.log.filter(({ at }) => at < this.#now() - retainMs).length;
      this.log.splice(0, old);
      return old;
    });
  }

  forgetConsumer(name: string): Promise<void> {
    return this.#answer('forgetConsumer', () => void this.forgotten.push(name));
  }

  addDeadLetter(letter: DeadLetter): Promise<void> {
    return this.#answer('addDeadLetter', () => {
      this.#letterCount += 1;
      this.#letters.unshift({ ...letter, id: `${this.#now()}-${this.#letterCount}` });
    });
  }

  deadLetters(limit: number): Promise<readonly KeptLetter[]> {
    return this.#answer('deadLetters', () => this.#letters.slice(0, limit));
  }

  dropDeadLetter(id: string): Promise<boolean> {
    return this.#answer('dropDeadLetter', () => {
      const index = this.#letters.findIndex((letter) => letter.id === id);
      if (index >= 0) this.#letters.splice(index, 1);
      return index >= 0;
    });
  }

  noteAttempt(webhook: string, attempt: WebhookAttempt): Promise<void> {
    return this.#answer('noteAttempt', () => {
      const known = this.#attempts.get(webhook) ?? [];
      this.#attempts.set(webhook, [attempt, ...known].slice(0, MOST_ATTEMPTS));
    });
  }

  attempts(webhook: string, limit: number): Promise<readonly WebhookAttempt[]> {
    return this.#answer('attempts', () => (this.#attempts.get(webhook) ?? []).slice(0, limit));
  }

  writeDirectory(write: DirectoryWrite): Promise<DirectoryWritten> {
    return this.#answer('writeDirectory', () => {
      const { put, remove, ifEmpty, ifVersion = this.#version, actor, notice } = write;
      if (ifEmpty && this.directory.has('company')) return { outcome: 'exists', version: this.#version };
      if (ifVersion !== this.#version) return { outcome: 'conflict', version: this.#version };
      const no = write.order && this.#orderRefusal(write.order);
      if (no) return { outcome: no === 'full' ? 'ordersFull' : 'orderChanged', version: this.#version };
      // As JSON, which knows nothing undefined.
      for (const [name, value] of put) {
        if (!this.directory.has(name)) this.#seen.delete(name.replace('host:', ''));
        this.directory.set(name, JSON.parse(JSON.stringify(value)));
      }
      for (const name of remove) this.directory.delete(name);
      const entries = [...put.keys(), ...remove];
      this.#version = ++this.#seq;
      for (const follower of this.#followers) {
        follower.onEntries(new Map(entries.map((name) => [name, this.directory.get(name)])));
      }
      const written = { outcome: 'written', version: this.#version } as const;
      this.#tell({ kind: 'directory', seq: this.#version, at: this.#now(), actor, entries });
      const order = write.order && this.#putOrder(write.order, actor);
      if (notice) this.#notice(notice.notice, { actor, extension: notice.extension, host: notice.host });
      return { ...written, ...(order && { order }) };
    });
  }

  writeOrder(write: OrderWrite, actor: string): Promise<OrderWritten> {
    return this.#answer('writeOrder', () => {
      const made = this.#orders.get(this.#orderOps.get(write.opId ?? '') ?? '');
      if (made) return { outcome: 'written', id: made.id, revision: made.revision };
      const outcome = this.#orderRefusal(write);
      return outcome ? { outcome } : { outcome: 'written', ...this.#putOrder(write, actor) };
    });
  }

  orders(ids: readonly string[]): Promise<readonly StoredOrder[]> {
    return this.#answer('orders', () => ids.flatMap((id) => this.#orderIn(id) ?? []));
  }

  changedOrders(
    after: number,
    limit: number,
  ): Promise<{ readonly orders: readonly StoredOrder[]; readonly total: number }> {
    return this.#answer('changedOrders', () => {
      const changed = [...this.#orders.values()].filter(({ revision }) => revision > after);
      const first = changed.toSorted((a, b) => a.revision - b.revision).slice(0, limit);
      return { orders: first.flatMap(({ id }) => this.#orderIn(id) ?? []), total: this.#orders.size };
    });
  }

  #orderIn(id: string): StoredOrder | undefined {
    const { revision, value } = this.#orders.get(id) ?? {};
    return revision === undefined ? undefined : { id, revision, value };
  }

  #orderRefusal({ id, ifRevision }: OrderWrite): 'changed' | 'full' | undefined {
    if (id !== undefined) return this.#orders.get(id)?.revision === ifRevision ? undefined : 'changed';
    const isFull = this.#orders.size >= this.mostOrders;
    return isFull && ![...this.#orders.values()].some(({ finished }) => finished) ? 'full' : undefined;
  }

  #putOrder(write: OrderWrite, actor: string): { id: string; revision: number } {
    const change = write.id === undefined ? 'created' : 'changed';
    if (change === 'created' && this.#orders.size >= this.mostOrders) this.#forgetOrders();
    const id = write.id ?? `HD-${++this.#orderNumber}`;
    const { finished, facts, opId } = write;
    if (opId !== undefined) this.#orderOps.set(opId, id);
    const revision = ++this.#orderRevision;
    this.#orders.set(id, { id, revision, value: JSON.parse(JSON.stringify(write.value)), finished });
    this.#tell({ kind: 'order', seq: ++this.#seq, at: this.#now(), actor, change, order: id, facts });
    return { id, revision };
  }

  #forgetOrders(): void {
    const number = ({ id }: StoredOrder) => Number(id.slice(3));
    const old = [...this.#orders.values()].filter(({ finished }) => finished);
    const oldest = old.toSorted((a, b) => number(a) - number(b));
    for (const { id } of oldest.slice(0, Math.max(1, Math.floor(this.mostOrders / 100))))
      this.#orders.delete(id);
  }

  writeBindings(aor: string, expected: number, set: BindingSet): Promise<boolean> {
    return this.#answer('writeBindings', () => {
      const stored = this.#bindings.get(aor);
      if (stored && stored.version !== expected) return false;
      const written = { version: expected + 1, bindings: set.bindings };
      this.#bindings.set(aor, written);
      this.#seen.set(aor, this.#now());
      for (const follower of this.#followers) follower.onBindings(aor, written);
      return true;
    });
  }

  putShared(name: string, value: unknown, ttlMs: number): Promise<number> {
    return this.#answer('putShared', () => {
      const entry = sharedEntry(name, { value, ttlMs, now: this.#now() });
      for (const [old, { expiresAt }] of this.shared) if (expiresAt <= this.#now()) this.shared.delete(old);
      const isKnown = this.shared.has(name);
      if (!entry && !isKnown) return this.#sharedPosition;
      if (!isKnown && this.shared.size >= MOST_SHARED) throw new RangeError('full');
      if (entry) this.shared.set(name, entry);
      else this.shared.delete(name);
      const position = ++this.#sharedPosition;
      for (const follower of this.#followers) follower.onShared(name, entry, position);
      return position;
    });
  }

  keepRecording(name: string, audio: Uint8Array | undefined): Promise<void> {
    return this.#answer('keepRecording', () => {
      if (!SHARED_NAME.test(name)) throw new TypeError('no name');
      if (audio && audio.byteLength > LARGEST_RECORDING) throw new TypeError('too long');
      if (audio) this.#recordings.set(name, audio.slice());
      else this.#recordings.delete(name);
    });
  }

  recording(name: string): Promise<Uint8Array | undefined> {
    return this.#answer('recording', () => {
      if (!SHARED_NAME.test(name)) throw new TypeError('no name');
      return this.#recordings.get(name)?.slice();
    });
  }

  keepSession(hash: string, session: { account: string; value: unknown; ttlMs: number }): Promise<void> {
    return this.#answer('keepSession', () => {
      const { account, value, ttlMs } = session;
      checkSession(hash, ttlMs);
      for (const [old, { until }] of this.#sessions) if (until <= this.#now()) this.#sessions.delete(old);
      this.#sessions.delete(hash);
      const json = JSON.stringify(value);
      this.#sessions.set(hash, { account, json, until: this.#now() + Math.ceil(ttlMs) });
      const own = [...this.#sessions].filter(([, other]) => other.account === account);
      for (const [oldest] of own.slice(0, -MOST_SESSIONS)) this.#sessions.delete(oldest);
    });
  }

  session(hash: string, ttlMs?: number): Promise<unknown> {
    return this.#answer('session', () => {
      checkSession(hash, ttlMs ?? 1);
      const found = this.#sessions.get(hash);
      if (!found || found.until <= this.#now()) return undefined;
      if (ttlMs !== undefined) found.until = this.#now() + Math.ceil(ttlMs);
      return JSON.parse(found.json);
    });
  }

  sessionsOf(account: string): Promise<KeptSession[]> {
    return this.#answer('sessionsOf', () =>
      [...this.#sessions].flatMap(([hash, { account: owner, json, until }]) =>
        owner === account && until > this.#now()
          ? [{ hash, value: JSON.parse(json), leftMs: until - this.#now() }]
          : [],
      ),
    );
  }

  dropSession(hash: string): Promise<void> {
    return this.#answer('dropSession', () => {
      checkSession(hash, 1);
      this.#sessions.delete(hash);
    });
  }

  dropSessionsOf(account: string): Promise<void> {
    return this.#answer('dropSessionsOf', () => {
      for (const [hash, session] of this.#sessions)
        if (session.account === account) this.#sessions.delete(hash);
    });
  }

  logNotice({ notice, ...about }: Parameters<Store['logNotice']>[0]): Promise<void> {
    return this.#answer('logNotice', () =>
      this.#notice(notice, { extension: undefined, host: undefined, ...about }),
    );
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

  #doOnce<T extends AssociateReply | EndReply>(opId: string, work: () => T): T {
    const before = this.#operations.get(opId) as T | undefined;
    if (before) return 'replay' in before ? { ...before, replay: true } : before;
    const reply = work();
    this.#operations.set(opId, reply);
    return reply;
  }

  #associate(command: AssociateCommand): AssociateReply {
    const { host, guest, site, limitMs, idleLimitMs, actor, names } = command;
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
    const cap = limitMs === 'never' ? 'never' : at + limitMs;
    this.#caps.set(seq, cap);
    const expiresAt = earlier(cap, idleLimitMs === 'never' ? 'never' : at + idleLimitMs);
    const facts = { host, guest, site, generation: seq, startedAt: at, expiresAt, idleLimitMs };
    const association = { ...facts, ...(names && { names }) };
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

  #extend(command: ExtendCommand): ExtendReply {
    const there = this.#live(this.#byHost.get(command.host));
    if (there?.generation !== command.generation) return { outcome: 'gone' };
    const at = this.#now();
    let cap = this.#caps.get(there.generation) ?? 'never';
    if (command.reason === 'stay') cap = command.limitMs === 'never' ? 'never' : at + command.limitMs;
    const expiresAt = earlier(cap, there.idleLimitMs === 'never' ? 'never' : at + there.idleLimitMs);
    const isLater = earlier(there.expiresAt, expiresAt) === there.expiresAt && expiresAt !== there.expiresAt;
    if (!isLater) return { outcome: 'unchanged' };
    this.#caps.set(there.generation, cap);
    const association = { ...there, expiresAt };
    this.#byHost.set(command.host, association);
    const { actor, reason } = command;
    this.#tell({ kind: 'extend', seq: ++this.#seq, at, actor, reason, association });
    return { outcome: 'extended', association };
  }

  #notice(
    name: Notice,
    about: { actor: string; extension: string | undefined; host: string | undefined },
  ): void {
    this.#tell({ kind: 'notice', seq: ++this.#seq, at: this.#now(), notice: name, ...about });
  }

  #loadDirectory(follower: Follower): void {
    const loading = follower.onDirectory();
    loading.page(structuredClone(this.directory));
    loading.done(this.#version);
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
    for (const wake of this.#wakes) wake();
    this.#wakes.clear();
  }

  #counter(name: (typeof COUNTERS)[number], key: GuessKey): Counter {
    const id = counterId(name, key);
    const counter = this.#guesses.get(id) ?? { n: 0, total: 0, until: 0, by: '', ends: 0 };
    this.#guesses.set(id, counter);
    return counter;
  }

  #snapshot(): Snapshot {
    return {
      seq: this.#seq,
      now: this.#now(),
      associations: [...this.#byHost.values()],
      emergencies: [...this.#emergencies.values()]
        .map(({ record }) => record)
        .filter(({ callbackUntil }) => callbackUntil > this.#now()),
      bindings: new Map(this.#bindings),
      seen: new Map(this.#seen),
    };
  }
}

/** undefined: to be removed. */
function sharedEntry(
  name: string,
  { value, ttlMs, now }: { readonly value: unknown; readonly ttlMs: number; readonly now: number },
): SharedEntry | undefined {
  if (!SHARED_NAME.test(name)) throw new TypeError('no name');
  if (value === undefined) return undefined;
  const json = JSON.stringify(value);
  if (json === undefined || Buffer.byteLength(json) > LARGEST_SHARED) throw new TypeError('no value');
  if (!(ttlMs > 0 && Number.isFinite(ttlMs))) throw new TypeError('no time');
  return { value: JSON.parse(json), expiresAt: now + Math.ceil(ttlMs) };
}

function checkSession(hash: string, ttlMs: number): void {
  if (!/^[0-9a-f]{64}$/.test(hash)) throw new TypeError('no hash');
  if (!(ttlMs > 0 && ttlMs <= LONGEST_SESSION_MS)) throw new TypeError('no time');
}

function earlier(a: number | 'never', b: number | 'never'): number | 'never' {
  if (a === 'never') return b;
  return b === 'never' ? a : Math.min(a, b);
}

function counterId(name: (typeof COUNTERS)[number], key: GuessKey): string {
  return `${name} ${name === 'pair' ? `${key.extension}:${key.host}` : key[name]}`;
}

function guessId({ extension, host, source }: GuessKey): string {
  return JSON.stringify([extension, host, source]);
}
