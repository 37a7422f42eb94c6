import type { ChangeEvent } from '../domain/association.ts';
import type { Directory, Host, User } from '../domain/directory.ts';
import { isMailboxState, type MailboxState } from '../domain/message-summary.ts';
import { personAt } from '../domain/reach.ts';
import type { View } from '../domain/view.ts';
import { mailboxOf } from './person-rules.ts';
import type { SharedState } from './shared-state.ts';

/** ms a state is kept that nobody has told anew; a mailbox without news for longer is rare and has an owner to ask. */
const KEPT = 30 * 24 * 3_600_000;
/** ms after which an unchanged state is kept for as long again. */
const RENEWED = 24 * 3_600_000;
const PREFIX = 'mwi:';

export interface MailboxesDependencies {
  readonly view: View & {
    readonly directoryVersion: number;
    associations(): Iterable<{ readonly guest: string }>;
    onChange(listener: (event: ChangeEvent) => void): () => void;
  };
  readonly shared: SharedState;
  readonly clock: { now(): number };
}

/** What is in people's mailboxes, as far as the PBX has told any node; and whom it concerns. */
export class Mailboxes {
  readonly #deps: MailboxesDependencies;
  /** Mailbox → extensions, for one version of the directory. */
  #owners = new Map<string, string[]>();
  #ownersOf: Directory | undefined;
  #ownersVersion = -1;
  /** When this node last told of an unchanged state; only of mailboxes that somebody has. */
  readonly #renewed = new Map<string, number>();

  constructor(deps: MailboxesDependencies) {
    this.#deps = deps;
  }

  /** What is known of a mailbox; undefined: nothing. */
  stateOf(mailbox: string): MailboxState | undefined {
    const value = this.#deps.shared.get(nameOf(mailbox));
    return isMailboxState(value) ? value : undefined;
  }

  /** Extensions of who has this mailbox. */
  ownersOf(mailbox: string): readonly string[] {
    this.#refresh();
    return this.#owners.get(mailbox) ?? [];
  }

  /** The mailbox a PBX means by this word: a mailbox, an extension or a direct number; undefined: nobody's. */
  named(word: string): string | undefined {
    const { directory } = this.#deps.view;
    if (!directory || word === '') return undefined;
    if (this.ownersOf(word).length > 0) return word;
    const user = directory.users.get(word) ?? directory.index.userByNumber(word);
    return user && mailboxOf(user.extension, user);
  }

  /** The PBX says so. False: nobody has that mailbox. */
  learn(mailbox: string, state: MailboxState): boolean {
    const { shared, clock } = this.#deps;
    if (this.ownersOf(mailbox).length === 0) return false;
    const before = this.stateOf(mailbox);
    const isNews = before === undefined || !isSame(before, state);
    const renewedAt = this.#renewed.get(mailbox) ?? Number.NEGATIVE_INFINITY;
    if (!isNews && clock.now() - renewedAt < RENEWED) return true;
    this.#renewed.set(mailbox, clock.now());
    shared.put(nameOf(mailbox), state, KEPT);
    return true;
  }

  /** Mailboxes of people who sit somewhere or have a phone of their own; who sits somewhere comes first. */
  *inUse(): Iterable<string> {
    const { view } = this.#deps;
    const { directory } = view;
    if (!directory) return;
    const seen = new Set<string>();
    for (const user of peopleWithPhones(directory, view.associations())) {
      const mailbox = mailboxOf(user.extension, user);
      if (seen.has(mailbox)) continue;
      seen.add(mailbox);
      yield mailbox;
    }
  }

  /**
   * Called with each host and extension whose lamp may have changed: somebody came or went, a mailbox changed, or the
   * directory did.
   */
  onLamp(listener: (resource: string) => void): () => void {
    const { view, shared } = this.#deps;
    const stops = [
      view.onChange((event) => this.#concerned(event, listener)),
      shared.onChange((name) => {
        if (!name.startsWith(PREFIX)) return;
        for (const extension of this.ownersOf(mailboxIn(name))) this.#person(extension, listener);
      }),
    ];
    return () => {
      for (const stop of stops) stop();
    };
  }

  /** Who is at a host now, and what waits for them. */
  personAt(id: string): User | undefined {
    const { view } = this.#deps;
    const host = view.directory?.hosts.get(id);
    return host && view.directory && personAt(host, view.directory, view);
  }

  #concerned(event: ChangeEvent, listener: (resource: string) => void): void {
    const { directory } = this.#deps.view;
    if (event.kind === 'start' || event.kind === 'end') {
      const { host, guest } = event.association;
      const owner = directory?.hosts.get(host)?.owner;
      for (const resource of [host, guest, owner]) if (resource !== undefined) listener(resource);
    }
    if (event.kind !== 'directory' || !directory) return;
    if (event.entries === 'all') {
      for (const id of directory.hosts.keys()) listener(id);
      for (const extension of directory.users.keys()) listener(extension);
      return;
    }
    for (const entry of event.entries) {
      const [, kind, id = ''] = /^(user|host):(.+)$/s.exec(entry) ?? [];
      if (kind === 'host') listener(id);
      if (kind === 'user') this.#person(id, listener);
    }
  }

  #person(extension: string, listener: (resource: string) => void): void {
    const { view } = this.#deps;
    const user = view.directory?.users.get(extension);
    listener(extension);
    if (!user || !view.directory) return;
    for (const host of lampsOf(user, view.directory, view)) listener(host.id);
  }

  #refresh(): void {
    const { directory, directoryVersion } = this.#deps.view;
    if (directory === this.#ownersOf && directoryVersion === this.#ownersVersion) return;
    this.#ownersOf = directory;
    this.#ownersVersion = directoryVersion;
    this.#owners = new Map();
    for (const user of directory?.users.values() ?? []) {
      const mailbox = mailboxOf(user.extension, user);
      const owners = this.#owners.get(mailbox) ?? [];
      owners.push(user.extension);
      this.#owners.set(mailbox, owners);
    }
    for (const mailbox of this.#renewed.keys()) if (!this.#owners.has(mailbox)) this.#renewed.delete(mailbox);
  }
}

function* peopleWithPhones(
  directory: Directory,
  associations: Iterable<{ readonly guest: string }>,
): Iterable<User> {
  for (const { guest } of associations) {
    const user = directory.users.get(guest);
    if (user) yield user;
  }
  for (const { owner } of directory.hosts.values()) {
    const user = owner === undefined ? undefined : directory.users.get(owner);
    if (user) yield user;
  }
}

/** Hosts that show a person's messages: where they sit, and their own without a guest. */
function lampsOf({ extension }: User, { hosts, index }: Directory, view: View): Host[] {
  const association = view.associationOf(extension);
  const seat = association && hosts.get(association.host);
  const own = index.hostsOfOwner(extension).filter(({ id }) => view.associationAt(id) === undefined);
  return seat ? [seat, ...own] : own;
}

/** Shared names have no `+`, and mailboxes no `@`. */
function nameOf(mailbox: string): string {
  return `${PREFIX}${mailbox.replaceAll('+', '@')}`;
}

function mailboxIn(name: string): string {
  return name.slice(PREFIX.length).replaceAll('@', '+');
}

function isSame(one: MailboxState, other: MailboxState): boolean {
  const keys = Object.keys(one) as (keyof MailboxState)[];
  return keys.every((key) => one[key] === other[key]);
}
