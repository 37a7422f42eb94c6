import { addressToKeep } from '../domain/address.ts';
import type { Association, Notice } from '../domain/association.ts';
import type { Company, Directory, Host, User } from '../domain/directory.ts';
import type { DirectoryEntry } from '../domain/directory-table.ts';
import { runningAt } from '../domain/in-use.ts';
import { isRefusal, type Refusal } from '../domain/reasons.ts';
import type { View } from '../domain/view.ts';
import type { DirectoryWrite, DirectoryWritten, OrderWrite, Store } from '../store/store.ts';
import { type CompanyChange, changedCompany } from './company-change.ts';
import { digestSecrets, hasDemoPassword } from './digest-secrets.ts';
import { differenceOf, type SealedFile, sealFile, usesInTurns } from './directory-difference.ts';
import { type DirectoryFile, type EntryKey, keyName, toStored, toYaml } from './directory-document.ts';
import { readDirectoryYaml } from './directory-reader.ts';
import { asKept, problemsInTurns, problemsOf } from './entry-checks.ts';
import { isOtherTag } from './entry-tag.ts';
import { accountsOfLeavers, formerlyAt } from './former-rights.ts';
import type { HotelingSeals } from './hoteling-seals.ts';
import type { Passcodes } from './passcodes.ts';
import type { Clock, Log } from './ports.ts';
import { whileStoreAnswers } from './while-store-answers.ts';
import { WriteQueue } from './write-queue.ts';

export interface DirectoryDependencies {
  readonly store: Pick<Store, 'writeDirectory'>;
  readonly view: View & {
    readonly directoryVersion: number;
    /** Resolves when the view has this version of the directory, false after a while without it; absent: a second. */
    whenDirectory(version: number, patienceMs?: number): Promise<boolean>;
  };
  readonly passcodes: Pick<Passcodes, 'hash'>;
  /** Absent: no passcode is kept for Guest In keys. */
  readonly seals?: Pick<HotelingSeals, 'sealed'> | undefined;
  readonly clock: Clock;
  readonly log: Log;
  /** Company whose state the store keeps. */
  readonly company: string;
  /** Realm of digest authentication: SIP passwords are hashed for it. */
  readonly realm: string;
  /** Logs people out for an import that wants it; absent: it is refused while they are there. */
  readonly release?: (associations: readonly Association[], actor: string) => Promise<Refusal | undefined>;
}

export interface ImportWish {
  readonly actor: string;
  readonly ifEmpty?: boolean | undefined;
  /** Who sits by rules that the file changes is released first; otherwise the import is refused. */
  readonly release?: boolean | undefined;
}

export interface ImportSummary {
  /** False: `ifEmpty` was asked for and there was a directory already. */
  readonly written: boolean;
  readonly company: string;
  readonly sites: number;
  readonly users: number;
  readonly hosts: number;
}

/** A refusal that says everything that is wrong, one sentence with a path each. */
export type DirectoryRefusal = Refusal & { readonly problems?: readonly string[] };

/** What is to change; empty: nothing. */
export interface DirectoryEdit {
  readonly put?: readonly DirectoryEntry[];
  readonly remove?: readonly EntryKey[];
  readonly notice?: DirectoryWrite['notice'];
  /** Written in the same step; refused with changedMeanwhile or tooManyOrders besides. */
  readonly order?: OrderWrite | undefined;
  /** Called with the version of the directory that has it first, and the order as it was written. */
  readonly whenWritten?: (version: number, order: DirectoryWritten['order']) => void;
}

/** Entries one command to the store may carry. */
const CHUNK = 2000;
/** How often an edit is made anew because somebody else was first. */
const TRIES = 5;
/** So many changes are not told one by one: every node loads the directory anew, which takes seconds when it is large. */
const MANY = 500;
const LONG_PATIENCE_MS = 30_000;
const BUSY: Refusal = { refused: 'storeUnavailable', detail: 'others change the directory all the time' };

/** Administration of the directory: as one YAML file, and entry by entry. */
export class DirectoryService {
  readonly #deps: DirectoryDependencies;
  /** Side by side the writes of one node would only make each other start anew. */
  readonly #writes: WriteQueue;

  constructor(deps: DirectoryDependencies) {
    this.#deps = deps;
    this.#writes = new WriteQueue(deps.clock);
  }

  /**
   * Replaces the directory by this YAML; clear passcodes and SIP passwords are hashed on the way. All of it or
   * nothing, but for changes of more than 2000 entries: when the store goes away in their midst, the refusal says so,
   * and the same import again completes it. What it would change must not be in use, as for single edits (B1–B3); who
   * is removed may be, and is released. Refused with invalidDirectory, associationRunning, storeUnavailable or overloaded.
   */
  importYaml(text: string, options: ImportWish): Promise<ImportSummary | DirectoryRefusal> {
    return whileStoreAnswers(async () => {
      const parsed = await readDirectoryYaml(text);
      if (isRefusal(parsed)) return parsed;
      if ('problems' in parsed) return invalid(parsed.problems);
      if (
        !parsed.entries.some((entry) => entry.kind === 'company' && entry.value.id === this.#deps.company)
      ) {
        return invalid([`company.id: this server keeps the company "${this.#deps.company}"`]);
      }
      if (options.ifEmpty && this.#deps.view.directory) return this.#summary(parsed, false);
      return this.#replace(parsed, options);
    });
  }

  /** The directory as YAML, with hashes instead of passcodes and passwords. Refused with stateUnknown. */
  async exportYaml(): Promise<string | Refusal> {
    const { directory } = this.#deps.view;
    return directory ? toYaml(directory) : { refused: 'stateUnknown' };
  }

  /**
   * Changes entries. `edit` is given the directory as it is and says what to change; when somebody else has written
   * meanwhile it is asked again. A host that is new, moves to another address, becomes another kind of phone or is
   * switched on must have an address emergency services can go to (domain/address), and what an entry changes must not
   * clash with others (edit-rules). Refused with invalidDirectory, storeUnavailable, stateUnknown, overloaded or
   * whatever `edit` refuses.
   */
  editDirectory(
    edit: (directory: Directory) => DirectoryEdit | Refusal,
    actor: string,
  ): Promise<'done' | DirectoryRefusal> {
    return this.#writes.run(() => whileStoreAnswers(() => this.#edit(edit, actor)));
  }

  /** Whether entries would be taken as they are: the refusal, should they not. Changes nothing. */
  check(entries: readonly DirectoryEntry[]): DirectoryRefusal | undefined {
    const { directory } = this.#deps.view;
    if (!directory) return { refused: 'stateUnknown' };
    const problems = problemsOf(entries.map(asKept), directory);
    return problems.length > 0 ? invalid(problems) : undefined;
  }

  /** Changes one user. Refused with unknownUser besides. */
  async updateUser(
    extension: string,
    change: (user: User) => User,
    {
      actor,
      notice,
      ifTag,
    }: { readonly actor: string; readonly notice?: Notice; readonly ifTag?: string | undefined },
  ): Promise<User | DirectoryRefusal> {
    let changed: User | undefined;
    const result = await this.editDirectory((directory) => {
      const user = directory.users.get(extension);
      if (!user) return { refused: 'unknownUser' };
      if (isOtherTag(user, ifTag)) return { refused: 'changedMeanwhile' };
      changed = change(user);
      return { put: [{ kind: 'user', value: changed }], ...(notice && { notice: { notice, extension } }) };
    }, actor);
    return result === 'done' && changed ? changed : (result as DirectoryRefusal);
  }

  /** Changes one host. Refused with unknownHost besides. Undefined: nothing is to change, and nothing is written. */
  async updateHost(
    id: string,
    change: (host: Host) => { readonly host: Host; readonly notice?: Notice | undefined } | undefined,
    actor: string,
  ): Promise<Host | DirectoryRefusal> {
    let changed: Host | undefined;
    const result = await this.editDirectory((directory): DirectoryEdit | Refusal => {
      const before = directory.hosts.get(id);
      if (!before) return { refused: 'unknownHost' };
      const { host, notice } = change(before) ?? { host: before };
      changed = { ...host, address: addressToKeep(host.address) };
      if (host === before) return {};
      return { put: [{ kind: 'host', value: host }], ...(notice && { notice: { notice, host: id } }) };
    }, actor);
    return result === 'done' && changed ? changed : (result as DirectoryRefusal);
  }

  /**
   * Changes settings of the company, such as the limit of common area phones (A4), for associations from now on, or
   * the number of the voice portal.
   */
  async updateCompany(
    change: CompanyChange,
    actor: string,
    ifTag?: string,
  ): Promise<Company | DirectoryRefusal> {
    let company: Company | undefined;
    const result = await this.editDirectory((directory) => {
      if (isOtherTag(directory.company, ifTag)) return { refused: 'changedMeanwhile' };
      company = changedCompany(directory.company, change);
      return { put: [{ kind: 'company', value: company }] };
    }, actor);
    if (result !== 'done' || !company) return result as DirectoryRefusal;
    this.#deps.log.info({ change, actor }, 'company settings changed');
    return company;
  }

  /** Whether any host still has the password of the demo data; such a server must not face the public. */
  usesDemoCredentials(directory: Directory | undefined = this.#deps.view.directory): boolean {
    return [...(directory?.hosts.values() ?? [])].some((host) => hasDemoPassword(host, this.#deps.realm));
  }

  async #edit(
    edit: (directory: Directory) => DirectoryEdit | Refusal,
    actor: string,
  ): Promise<'done' | DirectoryRefusal> {
    for (let attempt = 0; attempt < TRIES; attempt++) {
      const { directory, directoryVersion } = this.#deps.view;
      if (!directory) return { refused: 'stateUnknown' };
      const change = edit(directory);
      if (isRefusal(change)) return change;
      const put = (change.put ?? []).map(asKept);
      const problems = await problemsInTurns(put, directory);
      if (problems.length > 0) return invalid(problems);
      if (put.length === 0 && !change.remove?.length && !change.notice && !change.order) return 'done';
      const written = await this.#write({ ...change, put }, { actor, ifVersion: directoryVersion });
      if (written.outcome === 'orderChanged') return { refused: 'changedMeanwhile' };
      if (written.outcome === 'ordersFull') return { refused: 'tooManyOrders' };
      if (written.outcome !== 'written') continue;
      change.whenWritten?.(written.version, written.order);
      return 'done';
    }
    return BUSY;
  }

  async #replace(file: DirectoryFile, options: ImportWish): Promise<ImportSummary | DirectoryRefusal> {
    const { passcodes, seals, realm, view, company } = this.#deps;
    if (view.knowledge === 'unknown') return { refused: 'storeUnavailable' };
    const sealed = await sealFile(file, {
      hash: (extension, passcode) => passcodes.hash(company, extension, passcode),
      digest: (host, password) => digestSecrets(host, realm, password),
      keep: (user, passcode) => seals?.sealed(user, passcode),
    });
    return this.#writes.run(() => this.#writeAll(sealed, options));
  }

  async #writeAll(
    file: SealedFile,
    { actor, ifEmpty = false, release = false }: ImportWish,
  ): Promise<ImportSummary | DirectoryRefusal> {
    const { view, log } = this.#deps;
    for (let attempt = 0; attempt < TRIES; attempt++) {
      const condition = ifEmpty ? { ifEmpty } : { ifVersion: view.directoryVersion };
      const edit = await differenceOf(view.directory, file);
      const no = await this.#free(edit.put, { actor, release });
      if (no) return no;
      const { outcome } = await this.#write(edit, { actor, ...condition });
      if (outcome === 'conflict') continue;
      const summary = this.#summary(file, outcome === 'written');
      log.info({ ...summary, actor }, 'directory imported');
      return summary;
    }
    return BUSY;
  }

  /** Nobody sits by rules that these entries change, or a refusal. */
  async #free(
    put: readonly DirectoryEntry[],
    { actor, release }: { readonly actor: string; readonly release: boolean },
  ): Promise<Refusal | undefined> {
    const { view, release: releaseAll } = this.#deps;
    const uses = await usesInTurns(put, view);
    const [somebody] = uses;
    if (!somebody) return undefined;
    return release && releaseAll ? releaseAll(uses, actor) : runningAt(somebody);
  }

  /** Writes in portions the store takes in one step each; the first alone may be refused. */
  async #write(
    edit: DirectoryEdit,
    conditions: { readonly actor: string; readonly ifEmpty?: boolean; readonly ifVersion?: number },
  ): Promise<DirectoryWritten> {
    const { store, view } = this.#deps;
    const { actor } = conditions;
    const { remove = [], notice, order } = edit;
    // In the first portion, which is written only while they are as they are here: one who is removed meanwhile stays so.
    const put = [...formerlyAt(edit, view.directory), ...(edit.put ?? [])];
    const gone = [...remove, ...accountsOfLeavers(remove, view.directory)];
    const [first, ...rest] = portionsOf(put, gone);
    let written = await store.writeDirectory({
      ...conditions,
      ...asStored(first),
      ...(notice && { notice }),
      ...(order && { order }),
    });
    if (written.outcome === 'conflict') await view.whenDirectory(written.version);
    if (written.outcome !== 'written') return written;
    for (const portion of rest) written = await store.writeDirectory({ actor, ...asStored(portion) });
    // Who has changed something reads it back at once.
    const isLong = put.length + gone.length > MANY;
    await view.whenDirectory(written.version, isLong ? LONG_PATIENCE_MS : undefined);
    return written;
  }

  #summary(
    { entries }: { readonly entries: readonly Pick<DirectoryEntry, 'kind'>[] },
    written: boolean,
  ): ImportSummary {
    const counts = { company: 0, site: 0, user: 0, host: 0, webhook: 0, account: 0, token: 0 };
    for (const { kind } of entries) counts[kind]++;
    const { site: sites, user: users, host: hosts } = counts;
    return { written, company: this.#deps.company, sites, users, hosts };
  }
}

interface Portion {
  readonly put: readonly DirectoryEntry[];
  readonly remove: readonly EntryKey[];
}

/** At least one, in the order given: the company comes first, and who goes goes last. */
function portionsOf(put: readonly DirectoryEntry[], remove: readonly EntryKey[]): [Portion, ...Portion[]] {
  const [first = [], ...others] = chunks(put);
  const [leaving = [], ...leavers] = chunks(remove);
  const last = others.length - 1;
  return [
    { put: first, remove: others.length === 0 ? leaving : [] },
    ...others.map((some, i) => ({ put: some, remove: i === last ? leaving : [] })),
    ...leavers.map((some) => ({ put: [], remove: some })),
  ];
}

function chunks<T>(all: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(all.length / CHUNK) }, (_, i) =>
    all.slice(i * CHUNK, (i + 1) * CHUNK),
  );
}

function asStored({ put, remove }: Portion): Pick<DirectoryWrite, 'put' | 'remove'> {
  return { put: toStored(put), remove: remove.map(keyName) };
}

function invalid(problems: readonly string[]): DirectoryRefusal {
  return { refused: 'invalidDirectory', detail: problems[0] ?? 'not valid', problems };
}
