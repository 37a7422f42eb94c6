import { parseDocument, stringify } from 'yaml';
import type { DigestSecrets, Directory } from '../domain/directory.ts';
import type { DirectoryEntries } from '../store/store.ts';
import { directoryProblems } from './directory-rules.ts';
import { type DirectoryDocument, describeIssues, directorySchema } from './directory-schema.ts';

export interface Problems {
  /** One sentence each, beginning with the path: `hosts.u1002.site: no such site "londn"`. */
  readonly problems: readonly string[];
}

export type ParsedDocument = { readonly document: DirectoryDocument } | Problems;

/** Reads a directory from YAML. Problems name paths and lines, never a passcode or password. */
export function parseYaml(text: string, passcodeMinLength?: number): ParsedDocument {
  const yaml = parseDocument(text, { prettyErrors: false, stringKeys: true });
  if (yaml.errors.length > 0) {
    return {
      problems: yaml.errors.map(({ code, pos }) => `line ${lineOf(text, pos[0])}: no valid YAML (${code})`),
    };
  }
  try {
    return checkDocument(yaml.toJS(), passcodeMinLength);
  } catch {
    return { problems: ['document: uses aliases in a way that is not accepted'] };
  }
}

/** Checks a directory that was read already. */
export function checkDocument(value: unknown, passcodeMinLength?: number): ParsedDocument {
  const parsed = directorySchema.safeParse(value);
  if (!parsed.success) return { problems: describeIssues(parsed.error) };
  const problems = directoryProblems(parsed.data, passcodeMinLength);
  return problems.length > 0 ? { problems } : { document: parsed.data };
}

/** Replaces clear secrets by what may be kept. */
export async function sealDocument(
  document: DirectoryDocument,
  seal: {
    readonly hash: (extension: string, passcode: string) => Promise<string>;
    readonly digest: (host: string, password: string) => DigestSecrets;
  },
): Promise<DirectoryDocument> {
  const users = Object.entries(document.users).map(async ([extension, { passcode, ...user }]) => {
    const passcodeHash = passcode === undefined ? user.passcodeHash : await seal.hash(extension, passcode);
    return [extension, { ...user, passcodeHash }] as const;
  });
  const hosts = Object.entries(document.hosts).map(([id, { sipPassword, ...host }]) => {
    const digest = sipPassword === undefined ? host.digest : seal.digest(id, sipPassword);
    return [id, { ...host, digest }] as const;
  });
  return {
    ...document,
    users: Object.fromEntries(await Promise.all(users)),
    hosts: Object.fromEntries(hosts),
  };
}

/** A sealed document as a directory. @throws TypeError where a secret is not sealed. */
export function toDirectory({ company, sites, users, hosts }: DirectoryDocument): Directory {
  return {
    company,
    sites: mapEntries(sites, (id, site) => ({ id, ...site })),
    users: mapEntries(users, (extension, { passcode: _, passcodeHash, ...user }) => ({
      extension,
      ...user,
      passcodeHash: sealed(passcodeHash),
    })),
    hosts: mapEntries(hosts, (id, { sipPassword: _, digest, ...host }) => ({
      id,
      ...host,
      digest: sealed(digest),
    })),
  };
}

/** A directory as store entries. */
export function toEntries({ company, sites, users, hosts }: Directory): DirectoryEntries {
  return new Map<string, unknown>([
    ['company', company],
    ...[...sites].map(([id, site]) => [`site:${id}`, site] as const),
    ...[...users].map(([extension, user]) => [`user:${extension}`, user] as const),
    ...[...hosts].map(([id, host]) => [`host:${id}`, host] as const),
  ]);
}

/** Store entries as a directory; checked like a file, since other hands may have written them. */
export function parseEntries(entries: DirectoryEntries): { readonly directory: Directory } | Problems {
  const checked = checkDocument({
    company: entries.get('company'),
    sites: entriesOf(entries, 'site:', 'id'),
    users: entriesOf(entries, 'user:', 'extension'),
    hosts: entriesOf(entries, 'host:', 'id'),
  });
  if ('problems' in checked) return checked;
  const { users, hosts } = checked.document;
  const clear = [
    ...Object.keys(users)
      .filter((key) => users[key]?.passcode !== undefined)
      .map((key) => `users.${key}.passcode`),
    ...Object.keys(hosts)
      .filter((key) => hosts[key]?.sipPassword !== undefined)
      .map((key) => `hosts.${key}.sipPassword`),
  ];
  if (clear.length > 0) return { problems: clear.map((path) => `${path}: must not be stored in clear`) };
  return { directory: toDirectory(checked.document) };
}

/** The directory as YAML that can be imported again: hashes and digests, never a clear secret. */
export function toYaml({ company, sites, users, hosts }: Directory): string {
  const document = {
    company,
    sites: Object.fromEntries([...sites].map(([key, { id: _, ...site }]) => [key, site])),
    users: Object.fromEntries([...users].map(([key, { extension: _, ...user }]) => [key, user])),
    hosts: Object.fromEntries([...hosts].map(([key, { id: _, ...host }]) => [key, host])),
  };
  return stringify(document, { lineWidth: 0 });
}

function mapEntries<T, R>(
  record: Readonly<Record<string, T>>,
  make: (key: string, value: T) => R,
): Map<string, R> {
  return new Map(Object.entries(record).map(([key, value]) => [key, make(key, value)]));
}

function sealed<T>(secret: T | undefined): T {
  if (secret === undefined) throw new TypeError('a secret of the directory is not sealed');
  return secret;
}

/** The entries with this prefix as one object, without the id that their key repeats. */
function entriesOf(entries: DirectoryEntries, prefix: string, idName: string): Record<string, unknown> {
  const found = [...entries].filter(([key]) => key.startsWith(prefix));
  return Object.fromEntries(
    found.map(([key, value]) => [key.slice(prefix.length), withoutKey(value, idName)]),
  );
}

function withoutKey(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).filter(([key]) => key !== name));
}

function lineOf(text: string, position: number): number {
  return text.slice(0, position).split('\n').length;
}
