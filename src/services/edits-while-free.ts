import type { Association, Notice } from '../domain/association.ts';
import type { Directory, Host, User } from '../domain/directory.ts';
import type { DirectoryEntry } from '../domain/directory-table.ts';
import { runningAt } from '../domain/in-use.ts';
import { isRefusal, type Refusal } from '../domain/reasons.ts';
import type { View } from '../domain/view.ts';
import type { OrderWrite, Store } from '../store/store.ts';
import type { DirectoryEdit, DirectoryRefusal, DirectoryService } from './directory-service.ts';
import { isOtherTag } from './entry-tag.ts';
import type { Log, Random } from './ports.ts';
import { releaseAll } from './releases.ts';

export interface EditsWhileFreeDependencies {
  readonly store: Pick<Store, 'end'>;
  readonly directory: Pick<DirectoryService, 'editDirectory' | 'check'>;
  readonly view: Pick<View, 'directory'>;
  readonly random: Random;
  readonly log: Log;
}

interface Values {
  readonly user: User;
  readonly host: Host;
}

/** A change of one entry that associations may be in the way of. Asked several times: each time by what is known then. */
export interface GuardedEdit<K extends keyof Values> {
  readonly kind: K;
  /** Extension or host id. */
  readonly id: string;
  /** The entry as it is to be; `before` itself: nothing is to change. */
  change(before: Values[K], directory: Directory): Values[K] | Refusal;
  /** Associations begun by rules that this changes, as this node knows them. */
  uses(before: Values[K], after: Values[K]): readonly Association[];
  readonly notice?: Notice | undefined;
  /** Written in the same step. */
  order?(after: Values[K]): OrderWrite;
  readonly whenOrdered?: ((order: { readonly id: string }) => void) | undefined;
}

export interface EditOptions {
  readonly actor: string;
  /** Whoever sits there is released first; otherwise the change is refused. */
  readonly release?: boolean | undefined;
  /** With `release`: of the one stay that is meant. Whoever else is there is left there: refused with changedMeanwhile. */
  readonly generation?: number | undefined;
  /** Only while the entry has this tag (entry-tag); otherwise refused with changedMeanwhile. */
  readonly ifTag?: string | undefined;
}

interface Plan<K extends keyof Values> {
  readonly before: Values[K];
  readonly after: Values[K];
}

/** `version`: log position of the change; undefined: there was nothing to change. */
interface Written<K extends keyof Values> extends Plan<K> {
  readonly version: number | undefined;
}

/** How often people may come in between before a change that releases them gives up. */
const ROUNDS = 3;

/**
 * Changes what may not change under a running association (rules B1–B3).
 *
 * A release comes first, then the change: when the store goes away between the two, somebody is gone and all rules are
 * as they were, and the same order again completes it. A login that crosses the change meets it in one of two places,
 * because starts and changes stand in one log: one that stands before the change is seen here when the change has been
 * read back, and the change is taken back (or the guest released, where that was asked for); one that stands after it
 * is judged by every node by the rules as changed (see orphans.ts).
 */
export class EditsWhileFree {
  readonly #deps: EditsWhileFreeDependencies;

  constructor(deps: EditsWhileFreeDependencies) {
    this.#deps = deps;
  }

  /**
   * Gives the entry as it is then. Refused with associationRunning, unknownUser, unknownHost, whatever `change` refuses,
   * or what DirectoryService.editDirectory refuses. What is not valid releases nobody.
   */
  async change<K extends keyof Values>(
    edit: GuardedEdit<K>,
    options: EditOptions,
  ): Promise<Values[K] | DirectoryRefusal> {
    const ended = new Set<number>();
    for (let round = 1; ; round++) {
      const plan = this.#plan(edit, options);
      if (isRefusal(plan)) return plan;
      const running = options.release ? this.#running(edit, plan, ended) : [];
      if (areOthers(options, running)) return SOMEBODY_ELSE;
      const released = await this.#release(running, options.actor, ended);
      const written = released ?? (await this.#write(edit, options, ended));
      if (!isRefusal(written)) return this.#lookAgain(edit, { written, options, ended });
      const again = options.release && written.refused === 'associationRunning' && round < ROUNDS;
      if (!again) return written;
    }
  }

  /** The change by what is known now, checked before anybody is released for it. */
  #plan<K extends keyof Values>(edit: GuardedEdit<K>, options: EditOptions): Plan<K> | DirectoryRefusal {
    const { directory, view } = this.#deps;
    if (!view.directory) return { refused: 'stateUnknown' };
    const plan = planOf(edit, view.directory, options);
    return isRefusal(plan) ? plan : (directory.check([entryOf(edit.kind, plan.after)]) ?? plan);
  }

  #running<K extends keyof Values>(
    edit: GuardedEdit<K>,
    { before, after }: Plan<K>,
    ended: ReadonlySet<number>,
  ): readonly Association[] {
    return edit.uses(before, after).filter(({ generation }) => !ended.has(generation));
  }

  #release(
    associations: readonly Association[],
    actor: string,
    ended: Set<number>,
  ): Promise<Refusal | undefined> {
    return releaseAll(associations, this.#deps, { actor, ended });
  }

  /** Looks once more in the moment of writing: the store takes the change only while the directory is as it was then. */
  async #write<K extends keyof Values>(
    edit: GuardedEdit<K>,
    options: EditOptions,
    ended: ReadonlySet<number>,
  ): Promise<Written<K> | DirectoryRefusal> {
    let plan: Plan<K> | undefined;
    let version: number | undefined;
    const result = await this.#deps.directory.editDirectory((directory): DirectoryEdit | Refusal => {
      const found = planOf(edit, directory, options);
      if (isRefusal(found)) return found;
      const [somebody] = this.#running(edit, found, ended);
      if (somebody) return runningAt(somebody);
      plan = found;
      if (found.after === found.before) return {};
      const notice = edit.notice && { notice: edit.notice, ...aboutOf(edit) };
      const whenWritten: DirectoryEdit['whenWritten'] = (at, ordered) => {
        version = at;
        if (ordered) edit.whenOrdered?.(ordered);
      };
      const order = edit.order?.(found.after);
      return { put: [entryOf(edit.kind, found.after)], ...(notice && { notice }), order, whenWritten };
    }, options.actor);
    return result === 'done' && plan ? { ...plan, version } : (result as DirectoryRefusal);
  }

  /** The log up to the change is known here by now, and with it every login that was before it. */
  async #lookAgain<K extends keyof Values>(
    edit: GuardedEdit<K>,
    { written, options, ended }: { written: Written<K>; options: EditOptions; ended: Set<number> },
  ): Promise<Values[K] | DirectoryRefusal> {
    const { after, version = 0 } = written;
    const crossed = this.#running(edit, written, ended).filter(({ generation }) => generation < version);
    if (crossed.length === 0) return after;
    const others = areOthers(options, crossed);
    if (options.release && !others) return (await this.#release(crossed, options.actor, ended)) ?? after;
    const done = await this.#takeBack(edit, {
      written: { ...written, version },
      actor: options.actor,
      ended,
    });
    return others && isRefusal(done) && done.refused === 'associationRunning' ? SOMEBODY_ELSE : done;
  }

  /**
   * Takes back what has not been changed again since, while who came before it is still there; else it stands. Who came
   * between the two sits there by rules that were never meant to be, and is released.
   */
  async #takeBack<K extends keyof Values>(
    edit: GuardedEdit<K>,
    {
      written,
      actor,
      ended,
    }: { written: Written<K> & { version: number }; actor: string; ended: Set<number> },
  ): Promise<Values[K] | DirectoryRefusal> {
    const { after, version } = written;
    const running = (): readonly Association[] => this.#running(edit, written, ended);
    let somebody: Association | undefined;
    let until = version;
    const result = await this.#deps.directory.editDirectory((directory): DirectoryEdit => {
      const now = entryIn(edit, directory);
      somebody = running().find(({ generation }) => generation < version);
      if (!now || !somebody) return {};
      const whenWritten = (at: number): void => {
        until = at;
      };
      return { put: [entryOf(edit.kind, takenBack(now, written))], whenWritten };
    }, actor);
    if (isRefusal(result)) return result;
    if (!somebody) return after;
    const between = running().filter(({ generation }) => generation > version && generation < until);
    return (await this.#release(between, actor, ended)) ?? runningAt(somebody);
  }
}

/** What was to end one stay would end another. */
export const SOMEBODY_ELSE: Refusal = { refused: 'changedMeanwhile', detail: 'somebody else is there' };

function areOthers({ release, generation }: EditOptions, running: readonly Association[]): boolean {
  const isOther = (one: Association): boolean => one.generation !== generation;
  return release === true && generation !== undefined && running.some(isOther);
}

function planOf<K extends keyof Values>(
  edit: GuardedEdit<K>,
  directory: Directory,
  { ifTag }: EditOptions,
): Plan<K> | Refusal {
  const before = entryIn(edit, directory);
  if (!before) return { refused: edit.kind === 'user' ? 'unknownUser' : 'unknownHost' };
  if (isOtherTag(before, ifTag)) return { refused: 'changedMeanwhile' };
  const after = edit.change(before, directory);
  return isRefusal(after) ? after : { before, after };
}

function entryIn<K extends keyof Values>(
  { kind, id }: GuardedEdit<K>,
  { users, hosts }: Directory,
): Values[K] | undefined {
  return (kind === 'user' ? users.get(id) : hosts.get(id)) as Values[K] | undefined;
}

function entryOf<K extends keyof Values>(kind: K, value: Values[K]): DirectoryEntry {
  return { kind, value } as DirectoryEntry;
}

function aboutOf({ kind, id }: GuardedEdit<keyof Values>): {
  readonly extension?: string;
  readonly host?: string;
} {
  return kind === 'user' ? { extension: id } : { host: id };
}

function takenBack<V extends object>(now: V, { before, after }: { before: V; after: V }): V {
  const keys = new Set([...Object.keys(before), ...Object.keys(after)] as (keyof V)[]);
  const ours = [...keys].filter((key) => !same(before[key], after[key]) && same(now[key], after[key]));
  return { ...now, ...Object.fromEntries(ours.map((key) => [key, before[key]])) };
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
