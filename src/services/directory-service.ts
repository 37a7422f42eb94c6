import {
  ASSOCIATION_LIMITS,
  type AssociationLimit,
  type Company,
  type Directory,
} from '../domain/directory.ts';
import type { Refusal } from '../domain/reasons.ts';
import type { View } from '../domain/view.ts';
import { type Snapshot, type Store, StoreUnavailable } from '../store/store.ts';
import { digestSecrets } from './digest-secrets.ts';
import {
  parseEntries,
  parseYaml,
  sealDocument,
  toDirectory,
  toEntries,
  toYaml,
} from './directory-document.ts';
import type { DirectoryDocument } from './directory-schema.ts';
import type { Passcodes } from './passcodes.ts';
import type { Log, Random } from './ports.ts';

export interface DirectoryDependencies {
  readonly store: Pick<Store, 'snapshot' | 'writeDirectory' | 'end'>;
  readonly view: View;
  readonly passcodes: Pick<Passcodes, 'hash'>;
  readonly random: Random;
  readonly log: Log;
  /** Company whose state the store keeps. */
  readonly company: string;
  /** Realm of digest authentication: SIP passwords are hashed for it. */
  readonly realm: string;
  readonly passcodeMinLength?: number | undefined;
  /** Reads the store into this node's view: who has changed something reads it back, ahead of the change stream. */
  readonly refresh?: (() => Promise<void>) | undefined;
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

/** Administration of the directory: as one YAML file, and setting by setting. */
export class DirectoryService {
  readonly #deps: DirectoryDependencies;

  constructor(deps: DirectoryDependencies) {
    this.#deps = deps;
  }

  /**
   * Replaces the directory by this YAML, all of it or nothing; clear passcodes and SIP passwords are hashed on the way.
   * People and hosts that are gone afterwards lose their association. Refused with invalidDirectory or storeUnavailable.
   */
  importYaml(
    text: string,
    options: { readonly actor: string; readonly ifEmpty?: boolean },
  ): Promise<ImportSummary | DirectoryRefusal> {
    return whileStoreAnswers(async () => {
      const parsed = parseYaml(text, this.#deps.passcodeMinLength);
      if ('problems' in parsed) return invalid(parsed.problems);
      const { document } = parsed;
      if (document.company.id !== this.#deps.company) {
        return invalid([`company.id: this server keeps the company "${this.#deps.company}"`]);
      }
      const before = await this.#deps.store.snapshot();
      if (options.ifEmpty && before.directory.has('company')) return summarise(document, false);
      return this.#replace(document, before, options);
    });
  }

  /** The directory as YAML, with hashes instead of passcodes and passwords. Refused with stateUnknown. */
  exportYaml(): string | Refusal {
    const { directory } = this.#deps.view;
    return directory ? toYaml(directory) : { refused: 'stateUnknown' };
  }

  /** The limit of common area phones (rule A4), for associations from now on. */
  setAssociationLimit(limit: AssociationLimit, actor: string): Promise<Company | DirectoryRefusal> {
    return whileStoreAnswers(async () => {
      if (limit !== 'never' && !ASSOCIATION_LIMITS.includes(limit)) {
        return invalid([
          `company.associationLimit: must be one of ${ASSOCIATION_LIMITS.join(', ')} or never`,
        ]);
      }
      const parsed = parseEntries((await this.#deps.store.snapshot()).directory);
      if ('problems' in parsed) return invalid(parsed.problems);
      const company: Company = { ...parsed.directory.company, associationLimit: limit };
      await this.#deps.store.writeDirectory({ put: new Map([['company', company]]), remove: [], actor });
      await this.#refresh();
      this.#deps.log.info({ limit, actor }, 'association limit set');
      return company;
    });
  }

  /** Whether any host still has the password of the demo data; such a server must not face the public. */
  usesDemoCredentials(directory: Directory | undefined = this.#deps.view.directory): boolean {
    return [...(directory?.hosts.values() ?? [])].some(
      ({ id, digest }) => digest.md5 === digestSecrets(id, this.#deps.realm, `demo-${id}`).md5,
    );
  }

  async #replace(
    document: DirectoryDocument,
    before: Snapshot,
    { actor, ifEmpty = false }: { readonly actor: string; readonly ifEmpty?: boolean },
  ): Promise<ImportSummary> {
    const { passcodes, realm, store, log } = this.#deps;
    const sealed = await sealDocument(document, {
      hash: (extension, passcode) => passcodes.hash(document.company.id, extension, passcode),
      digest: (host, password) => digestSecrets(host, realm, password),
    });
    const directory = toDirectory(sealed);
    const put = toEntries(directory);
    const remove = [...before.directory.keys()].filter((key) => !put.has(key));
    const written = await store.writeDirectory({ put, remove, ifEmpty, actor });
    if (written) await this.#releaseOrphans(directory, before, actor);
    await this.#refresh();
    const summary = summarise(document, written);
    log.info({ ...summary, actor }, 'directory imported');
    return summary;
  }

  /** What is written is written, whether it can be read back now or a moment later. */
  async #refresh(): Promise<void> {
    await this.#deps.refresh?.().catch(() => undefined);
  }

  /** Nobody stays logged in who no longer exists, or at a phone that does not. */
  async #releaseOrphans(directory: Directory, before: Snapshot, actor: string): Promise<void> {
    for (const { host, guest, generation } of before.associations) {
      if (directory.hosts.has(host) && directory.users.has(guest)) continue;
      const opId = this.#deps.random.uuid();
      await this.#deps.store.end({ host, generation, reason: 'released', actor, opId });
    }
  }
}

function summarise({ company, sites, users, hosts }: DirectoryDocument, written: boolean): ImportSummary {
  const count = (record: object): number => Object.keys(record).length;
  return { written, company: company.id, sites: count(sites), users: count(users), hosts: count(hosts) };
}

function invalid(problems: readonly string[]): DirectoryRefusal {
  return { refused: 'invalidDirectory', detail: problems[0] ?? 'not valid', problems };
}

async function whileStoreAnswers<T>(
  work: () => Promise<T | DirectoryRefusal>,
): Promise<T | DirectoryRefusal> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof StoreUnavailable) return { refused: 'storeUnavailable' };
    throw error;
  }
}
