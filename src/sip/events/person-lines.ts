import type { ChangeEvent } from '../../domain/association.ts';
import type { User } from '../../domain/directory.ts';
import { hostsOf, personAt } from '../../domain/reach.ts';
import type { View } from '../../domain/view.ts';
import type { SharedState } from '../../services/shared-state.ts';
import type { Lines } from '../calls/lines.ts';
import type { Clock, Log, Timer } from '../ports.ts';
import { mostTelling, type ShownLine, sharedLines, shownLines } from './shown-line.ts';
import { Watched } from './watched.ts';

const PREFIX = 'line:';
/** ms that changes are gathered for: no call waits for who watches it. */
const GATHER_MS = 10;
/** ms a line is shown on other nodes after this one has died. */
const KEPT_MS = 60_000;
/** ms between two rounds: what is told is told anew, what has lapsed is found. */
const ROUND_MS = 20_000;

export interface PersonLinesDependencies {
  readonly lines: Pick<Lines, 'at' | 'hosts' | 'onChange'>;
  readonly view: View & { onChange(listener: (event: ChangeEvent) => void): () => void };
  readonly shared: SharedState;
  /** Name of this node, as in its subscriptions. */
  readonly node: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Extension that a resource means; undefined: nobody's. */
  extensionOf(resource: string): string | undefined;
}

/**
 * The lines of people, wherever they sit and whichever node carries their calls. Nodes tell each other of the lines of
 * those alone whom somebody watches from another node; on a single node nothing is written.
 */
export class PersonLines {
  readonly #deps: PersonLinesDependencies;
  readonly #watched: Watched;
  readonly #listeners = new Set<(resource: string) => void>();
  /** Hosts and people to look at when changes have been gathered. */
  readonly #hosts = new Set<string>();
  readonly #people = new Set<string>();
  /** Whose the lines of a host were when last looked at. */
  readonly #countedFor = new Map<string, string>();
  /** Host → what other nodes were told. */
  readonly #told = new Map<string, string>();
  /** Entries of other nodes → host. */
  readonly #elsewhere = new Map<string, string>();
  readonly #stops: (() => void)[] = [];
  #gathering: Timer | undefined;
  #round: Timer | undefined;

  constructor(deps: PersonLinesDependencies) {
    const { shared, node, extensionOf } = deps;
    this.#deps = deps;
    this.#watched = new Watched({
      ...{ shared, node, extensionOf, event: 'dialog' },
      begun: (extension) => this.#begun(extension),
    });
  }

  start(): void {
    const { lines, view, shared } = this.#deps;
    this.#stops.push(
      lines.onChange((host) => this.#lineChanged(host)),
      view.onChange((event) => this.#viewChanged(event)),
      shared.onChange((name) => name.startsWith(PREFIX) && this.#entryChanged(name)),
    );
    for (const [name] of [...shared.entries(PREFIX)]) {
      // What a process before this one left behind under the same name.
      if (this.#isOwn(name)) shared.put(name, undefined, KEPT_MS);
      else this.#entryChanged(name);
    }
    this.#watched.start();
    this.#round = this.#deps.clock.setTimer(ROUND_MS, () => this.#goRound());
  }

  /** Other nodes are told that nothing goes on here any more. */
  stop(): void {
    for (const stop of this.#stops.splice(0)) stop();
    this.#gathering?.cancel();
    this.#gathering = undefined;
    this.#round?.cancel();
    for (const host of this.#told.keys()) this.#deps.shared.put(this.#nameOf(host), undefined, KEPT_MS);
    this.#watched.stop();
    for (const all of [this.#hosts, this.#people, this.#countedFor, this.#told, this.#elsewhere]) all.clear();
  }

  /** Called with what somebody watches and may have changed; not at once. */
  onChange(listener: (resource: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Lines where a person sits, and at phones of their own that ring for them; ten at most. */
  of(user: User): ShownLine[] {
    const { view } = this.#deps;
    const { directory } = view;
    if (!directory) return [];
    return mostTelling(hostsOf(user, directory, view).flatMap(({ id }) => this.#at(id)));
  }

  /** How much is kept. */
  get size(): number {
    const own = [this.#hosts, this.#people, this.#countedFor, this.#told, this.#elsewhere];
    return own.reduce((sum, { size }) => sum + size, this.#watched.size);
  }

  #at(host: string): ShownLine[] {
    const { lines, shared, node } = this.#deps;
    const all = shownLines(lines.at(host), node);
    for (const [name, value] of shared.entries(`${PREFIX}${host}:`))
      if (!this.#isOwn(name)) all.push(...sharedLines(value));
    return all;
  }

  #nameOf(host: string): string {
    return `${PREFIX}${host}:${this.#deps.node}`;
  }

  #isOwn(name: string): boolean {
    return name.endsWith(`:${this.#deps.node}`);
  }

  /** In the midst of a call: no more than a note. */
  #lineChanged(host: string): void {
    if (this.#watched.isEmpty && this.#told.size === 0) return;
    this.#hosts.add(host);
    this.#gather();
  }

  #viewChanged(event: ChangeEvent): void {
    if (this.#watched.isEmpty) return;
    if (event.kind === 'start' || event.kind === 'end') {
      const { host, guest } = event.association;
      this.#hosts.add(host);
      this.#people.add(guest);
    } else if (event.kind === 'directory') this.#directoryChanged(event.entries);
    else return;
    this.#gather();
  }

  #directoryChanged(entries: readonly string[] | 'all'): void {
    const { lines } = this.#deps;
    const parts = entries === 'all' ? undefined : entries.map((entry) => /^(user|host):(.+)$/s.exec(entry));
    if (!parts?.every((part) => part !== null)) {
      this.#watched.resolveAnew();
      for (const extension of this.#watched.extensions()) this.#people.add(extension);
      for (const host of [...lines.hosts(), ...this.#countedFor.keys()]) this.#hosts.add(host);
      return;
    }
    if (parts.some(([, kind]) => kind === 'user')) this.#watched.resolveAnew();
    for (const [, kind, id = ''] of parts) (kind === 'user' ? this.#people : this.#hosts).add(id);
  }

  /** Somebody watches: other nodes may have to be told from now on. */
  #begun(extension: string): void {
    const { view } = this.#deps;
    const user = view.directory?.users.get(extension);
    if (!view.directory || !user) return;
    for (const { id } of hostsOf(user, view.directory, view)) this.#hosts.add(id);
    this.#gather();
  }

  #entryChanged(name: string): void {
    if (this.#isOwn(name)) return;
    const host = /^line:([^:]+):/.exec(name)?.[1];
    if (host === undefined) return;
    if (this.#deps.shared.get(name) === undefined) this.#elsewhere.delete(name);
    else this.#elsewhere.set(name, host);
    this.#lineChanged(host);
  }

  #gather(): void {
    this.#gathering ??= this.#deps.clock.setTimer(GATHER_MS, () => {
      this.#gathering = undefined;
      this.#edge(() => this.#look());
    });
  }

  #look(): void {
    const hosts = [...this.#hosts];
    this.#hosts.clear();
    for (const host of hosts) this.#lookAt(host);
    const people = [...this.#people];
    this.#people.clear();
    for (const extension of people)
      for (const resource of this.#watched.resourcesOf(extension))
        for (const listener of this.#listeners) listener(resource);
  }

  #lookAt(id: string): void {
    const before = this.#countedFor.get(id);
    const now = this.#personAt(id);
    for (const extension of [before, now]) if (extension !== undefined) this.#people.add(extension);
    const [line] = this.#at(id);
    if (line && now !== undefined && !this.#watched.isEmpty) this.#countedFor.set(id, now);
    else this.#countedFor.delete(id);
    this.#tell(id);
  }

  #personAt(id: string): string | undefined {
    const { view } = this.#deps;
    const host = view.directory?.hosts.get(id);
    return host && view.directory && personAt(host, view.directory, view)?.extension;
  }

  /** Other nodes, if somebody there wants to know. */
  #tell(host: string): void {
    const { lines, shared, node } = this.#deps;
    const person = this.#personAt(host);
    const isWanted = person !== undefined && this.#watched.isElsewhere(person);
    const own = isWanted ? shownLines(lines.at(host), node) : [];
    const text = own.length === 0 ? undefined : JSON.stringify(own);
    if (this.#told.get(host) === text) return;
    if (text === undefined) this.#told.delete(host);
    else this.#told.set(host, text);
    shared.put(this.#nameOf(host), text && { lines: own }, KEPT_MS);
  }

  #goRound(): void {
    this.#round = this.#deps.clock.setTimer(ROUND_MS, () => this.#goRound());
    this.#edge(() => {
      const { shared } = this.#deps;
      this.#watched.sweep();
      this.#watched.resolveMissing();
      for (const [name, host] of this.#elsewhere)
        if (shared.get(name) === undefined) this.#lapsed(name, host);
      for (const [host, text] of [...this.#told]) {
        this.#tell(host);
        if (this.#told.get(host) === text)
          shared.put(this.#nameOf(host), { lines: JSON.parse(text) }, KEPT_MS);
      }
      if (this.#watched.isEmpty) this.#countedFor.clear();
    });
  }

  #lapsed(name: string, host: string): void {
    this.#elsewhere.delete(name);
    this.#lineChanged(host);
  }

  /** Whatever goes wrong here, calls go on. */
  #edge(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#deps.log.error({ err: error }, 'lines could not be told to who watches them');
    }
  }
}
