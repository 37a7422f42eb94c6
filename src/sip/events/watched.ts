import type { SharedState } from '../../services/shared-state.ts';

const PREFIX = 'sub:';

export interface WatchedOptions {
  readonly shared: SharedState;
  /** Event package; lower case. */
  readonly event: string;
  readonly node: string;
  /** Extension that a resource means; undefined: nobody's. */
  extensionOf(resource: string): string | undefined;
  /** Somebody begins to watch an extension, or goes on with it on another node. */
  begun(extension: string): void;
}

/** Names of live subscriptions to one resource, by who serves them. */
interface Names {
  readonly own: Set<string>;
  readonly elsewhere: Set<string>;
}

/** Whom phones watch with one event package, on whichever node; kept as subscriptions come and go. */
export class Watched {
  readonly #options: WatchedOptions;
  /** Subscription → what it was when last looked at. */
  readonly #entries = new Map<string, { readonly resource: string; readonly isOwn: boolean }>();
  readonly #names = new Map<string, Names>();
  readonly #extensions = new Map<string, string>();
  readonly #resources = new Map<string, Set<string>>();
  #stopListening: (() => void) | undefined;

  constructor(options: WatchedOptions) {
    this.#options = options;
  }

  start(): void {
    const { shared } = this.#options;
    this.#stopListening ??= shared.onChange((name) => name.startsWith(PREFIX) && this.#changed(name));
    for (const [name] of shared.entries(PREFIX)) this.#changed(name);
  }

  stop(): void {
    this.#stopListening?.();
    this.#stopListening = undefined;
    for (const all of [this.#entries, this.#names, this.#extensions, this.#resources]) all.clear();
  }

  /** How much is kept. */
  get size(): number {
    return this.#entries.size + this.#names.size + this.#extensions.size + this.#resources.size;
  }

  get isEmpty(): boolean {
    return this.#entries.size === 0;
  }

  /** Extensions that were watched when last looked at. */
  extensions(): string[] {
    return [...this.#resources.keys()];
  }

  /** What an extension is watched as: itself, or numbers of it. */
  resourcesOf(extension: string): string[] {
    const resources = this.#resources.get(extension) ?? [];
    return [...resources].filter(
      (resource) => this.#isLive(resource, 'own') || this.#isLive(resource, 'elsewhere'),
    );
  }

  /** Whether a phone whose subscription another node serves watches an extension. */
  isElsewhere(extension: string): boolean {
    return [...(this.#resources.get(extension) ?? [])].some((resource) =>
      this.#isLive(resource, 'elsewhere'),
    );
  }

  /** The directory has changed: numbers may be somebody else's now. */
  resolveAnew(): void {
    this.#resources.clear();
    this.#extensions.clear();
    for (const resource of this.#names.keys()) this.#resolve(resource);
  }

  /** Those that were nobody's when they were first looked at, such as before there was a directory. */
  resolveMissing(): void {
    for (const resource of this.#names.keys()) {
      if (this.#extensions.has(resource)) continue;
      const extension = this.#resolve(resource);
      if (extension !== undefined) this.#options.begun(extension);
    }
  }

  /** Forgets what has lapsed: of that nobody was told. */
  sweep(): void {
    for (const name of this.#entries.keys())
      if (this.#options.shared.get(name) === undefined) this.#remove(name);
  }

  #changed(name: string): void {
    const { shared, event, node } = this.#options;
    const value = shared.get(name);
    const now = value === undefined ? undefined : entryIn(value, { event, node });
    const before = this.#entries.get(name);
    if (now?.resource === before?.resource && now?.isOwn === before?.isOwn) return;
    this.#remove(name);
    if (!now) return;
    this.#entries.set(name, now);
    this.#namesOf(now.resource)[now.isOwn ? 'own' : 'elsewhere'].add(name);
    const extension = this.#resolve(now.resource);
    if (extension !== undefined) this.#options.begun(extension);
  }

  #namesOf(resource: string): Names {
    const names = this.#names.get(resource) ?? { own: new Set(), elsewhere: new Set() };
    this.#names.set(resource, names);
    return names;
  }

  #resolve(resource: string): string | undefined {
    const known = this.#extensions.get(resource);
    if (known !== undefined) return known;
    const extension = this.#options.extensionOf(resource);
    if (extension === undefined) return undefined;
    this.#extensions.set(resource, extension);
    this.#resources.set(extension, (this.#resources.get(extension) ?? new Set()).add(resource));
    return extension;
  }

  #isLive(resource: string, where: keyof Names): boolean {
    for (const name of this.#names.get(resource)?.[where] ?? []) {
      if (this.#options.shared.get(name) !== undefined) return true;
      this.#remove(name);
    }
    return false;
  }

  #remove(name: string): void {
    const entry = this.#entries.get(name);
    if (!entry) return;
    const { resource, isOwn } = entry;
    this.#entries.delete(name);
    const names = this.#names.get(resource);
    names?.[isOwn ? 'own' : 'elsewhere'].delete(name);
    if (!names || names.own.size + names.elsewhere.size > 0) return;
    this.#names.delete(resource);
    this.#forget(resource);
  }

  #forget(resource: string): void {
    const extension = this.#extensions.get(resource);
    this.#extensions.delete(resource);
    if (extension === undefined) return;
    const resources = this.#resources.get(extension);
    resources?.delete(resource);
    if (resources?.size === 0) this.#resources.delete(extension);
  }
}

/** Read without the care of parseRecord: it is looked at each time a NOTIFY of any package is counted. */
function entryIn(
  value: unknown,
  { event, node }: { readonly event: string; readonly node: string },
): { resource: string; isOwn: boolean } | undefined {
  const fields = value as { event?: unknown; resource?: unknown; node?: unknown } | null;
  if (fields?.event !== event || typeof fields.resource !== 'string') return undefined;
  return { resource: fields.resource, isOwn: fields.node === node };
}
