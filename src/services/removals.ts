import type { Association } from '../domain/association.ts';
import type { Directory } from '../domain/directory.ts';
import type { DirectoryEntry } from '../domain/directory-table.ts';
import { runningAt } from '../domain/in-use.ts';
import { isRefusal, type Refusal } from '../domain/reasons.ts';
import type { View } from '../domain/view.ts';
import type { Store } from '../store/store.ts';
import type { DirectoryEdit, DirectoryRefusal, DirectoryService } from './directory-service.ts';
import { type EditOptions, SOMEBODY_ELSE } from './edits-while-free.ts';
import { isOtherTag } from './entry-tag.ts';
import type { Log, Random } from './ports.ts';
import { whileStoreAnswers } from './while-store-answers.ts';

export interface RemovalsDependencies {
  readonly store: Pick<Store, 'end'>;
  readonly directory: Pick<DirectoryService, 'editDirectory'>;
  readonly view: Pick<View, 'directory' | 'associationAt' | 'associationOf'>;
  readonly random: Random;
  readonly log: Log;
}

/** A person or a phone that is to go. */
export type Leaver = { readonly kind: 'user' | 'host'; readonly id: string };

/**
 * Removes people and phones that nothing needs any more. Whoever logs in while one goes is released right after it, by
 * every node (orphans.ts).
 */
export class Removals {
  readonly #deps: RemovalsDependencies;

  constructor(deps: RemovalsDependencies) {
    this.#deps = deps;
  }

  /**
   * Refused with associationRunning while somebody sits there (with `release` they are logged out first), with inUse
   * while others need it, changedMeanwhile, unknownUser, unknownHost, or what the directory refuses.
   */
  async remove(leaver: Leaver, options: EditOptions): Promise<'done' | DirectoryRefusal> {
    const { view, directory, log } = this.#deps;
    if (!view.directory) return { refused: 'stateUnknown' };
    const no = refusalOf(leaver, view.directory, options) ?? (await this.#clear(leaver, options));
    if (no) return no;
    const done = await directory.editDirectory(
      (now): DirectoryEdit | Refusal =>
        refusalOf(leaver, now, options) ?? { put: freedBy(leaver, now), remove: [leaver] },
      options.actor,
    );
    if (!isRefusal(done)) log.info({ ...leaver, actor: options.actor }, 'removed from the directory');
    return done;
  }

  async #clear(leaver: Leaver, options: EditOptions): Promise<Refusal | undefined> {
    const { release, actor, generation: meant } = options;
    const somebody = this.#use(leaver);
    if (!somebody) return undefined;
    if (!release) return runningAt(somebody);
    const { host, generation } = somebody;
    const opId = this.#deps.random.uuid();
    const command = { host, generation: meant ?? generation, reason: 'released', actor, opId } as const;
    const ended = await whileStoreAnswers(() => this.#deps.store.end(command));
    if (isRefusal(ended)) return ended;
    return ended.outcome === 'stale' && meant !== undefined ? SOMEBODY_ELSE : undefined;
  }

  #use({ kind, id }: Leaver): Association | undefined {
    const { view } = this.#deps;
    return kind === 'user' ? view.associationOf(id) : view.associationAt(id);
  }
}

function refusalOf({ kind, id }: Leaver, directory: Directory, { ifTag }: EditOptions): Refusal | undefined {
  const entry = kind === 'user' ? directory.users.get(id) : directory.hosts.get(id);
  if (!entry) return { refused: kind === 'user' ? 'unknownUser' : 'unknownHost' };
  if (isOtherTag(entry, ifTag)) return { refused: 'changedMeanwhile' };
  const [phone] = kind === 'user' ? directory.index.hostsOfOwner(id) : [];
  if (phone) return { refused: 'inUse', detail: `${phone.id} is their phone: unassign or remove it first` };
  const site = [...directory.sites.values()].find(({ emergencyContacts }) =>
    emergencyContacts.phones.includes(id),
  );
  return site && { refused: 'inUse', detail: `it is told of emergency calls at site ${site.id}` };
}

/** Phones that were kept for who goes are kept for nobody. */
function freedBy({ kind, id }: Leaver, { index }: Directory): DirectoryEntry[] {
  if (kind === 'host') return [];
  const reserved = index.hostsReservedFor(id);
  return reserved.map((host) => ({ kind: 'host', value: { ...host, reservedFor: undefined } }));
}
