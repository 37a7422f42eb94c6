import { type Document, isNode, isScalar, parseDocument, stringify, visit } from 'yaml';
import type { Account, ApiToken } from '../domain/account.ts';
import { normaliseAddress } from '../domain/address.ts';
import type { Company, DigestSecrets, Directory, Host, Site, User, Webhook } from '../domain/directory.ts';
import { type DirectoryEntry, DirectoryTable } from '../domain/directory-table.ts';
import { sorting } from '../domain/sorting.ts';
import type { DirectoryEntries } from '../store/store.ts';
import { controlProblems } from './control-characters.ts';
import { directoryProblems } from './directory-rules.ts';
import {
  type DirectoryDocument,
  describeIssues,
  directorySchema,
  entryIds,
  entrySchemas,
  type HostDocument,
  type UserDocument,
} from './directory-schema.ts';
import { inSteps, turn } from './turns.ts';

/** Lines of broken YAML that are named: who mends the first often mends the rest. */
const MOST_ERRORS = 50;

export interface Problems {
  /** One sentence each, beginning with the path: `hosts.u1002.site: no such site "londn"`. */
  readonly problems: readonly string[];
}

export type ParsedDocument = { readonly document: DirectoryDocument } | Problems;

/** Reads a directory from YAML. Problems name paths and lines, never a passcode or password. */
export function parseYaml(text: string): ParsedDocument {
  const yaml = parseDocument(text, { prettyErrors: false, stringKeys: true, uniqueKeys: false });
  const told = (code: string, at: number): string => `line ${lineOf(text, at)}: no valid YAML (${code})`;
  const errors = yaml.errors.slice(0, MOST_ERRORS);
  if (errors.length > 0) return { problems: errors.map(({ code, pos }) => told(code, pos[0])) };
  try {
    const twice = duplicateKeys(yaml).slice(0, MOST_ERRORS);
    if (twice.length > 0) return { problems: twice.map((at) => told('DUPLICATE_KEY', at)) };
    return checkDocument(yaml.toJS());
  } catch {
    return { problems: ['document: uses aliases in a way that is not accepted'] };
  }
}

/** Where keys stand that their map has already. The parser's own look compares each key with each: minutes for many. */
function duplicateKeys(yaml: Document): number[] {
  const found: number[] = [];
  visit(yaml, {
    Map(_at, { items }) {
      const seen = new Set<unknown>();
      for (const { key } of items) {
        const name = isScalar(key) ? key.value : key;
        if (seen.has(name)) found.push((isNode(key) && key.range?.[0]) || 0);
        seen.add(name);
      }
    },
  });
  return found;
}

/** Checks a directory that was read already, and writes its addresses as they are kept. */
export function checkDocument(value: unknown): ParsedDocument {
  const parsed = directorySchema.safeParse(value);
  if (!parsed.success) return { problems: describeIssues(parsed.error) };
  const signs = Object.entries(parsed.data).flatMap(([part, entries]) => controlProblems(part, entries));
  const problems = [...directoryProblems(parsed.data), ...signs];
  return problems.length > 0 ? { problems } : { document: withAddresses(parsed.data) };
}

function withAddresses(document: DirectoryDocument): DirectoryDocument {
  const hosts = Object.entries(document.hosts).map(
    ([id, host]) => [id, { ...host, address: normaliseAddress(host.address) }] as const,
  );
  return { ...document, hosts: Object.fromEntries(hosts) };
}

/** An entry as files have it: its secrets may be clear. */
export type FileEntry =
  | Exclude<DirectoryEntry, { readonly kind: 'user' | 'host' }>
  | { readonly kind: 'user'; readonly value: UserDocument & Pick<User, 'extension'> }
  | { readonly kind: 'host'; readonly value: HostDocument & Pick<Host, 'id'> };

/** A directory as a file has it, entry by entry; the company comes first. */
export interface DirectoryFile {
  readonly entries: readonly FileEntry[];
  /** False: nothing is said of webhooks, and whatever there are stay. */
  readonly hasWebhooks: boolean;
}

/** Large ones are taken apart where they are read. */
export function fileOf({ company, sites, users, hosts, webhooks }: DirectoryDocument): DirectoryFile {
  const entries: FileEntry[] = [
    { kind: 'company', value: company },
    ...each(sites, (id, value): FileEntry => ({ kind: 'site', value: { id, ...value } })),
    ...each(users, (extension, value): FileEntry => ({ kind: 'user', value: { extension, ...value } })),
    ...each(hosts, (id, value): FileEntry => ({ kind: 'host', value: { id, ...value } })),
    ...each(webhooks ?? {}, (id, value): FileEntry => ({ kind: 'webhook', value: { id, ...value } })),
  ];
  return { entries, hasWebhooks: webhooks !== undefined };
}

/** What may be kept instead of clear secrets. */
export interface Seal {
  readonly hash: (extension: string, passcode: string) => Promise<string>;
  readonly digest: (host: string, password: string) => DigestSecrets;
  /** What else is kept of a passcode, by whom it belongs to; see HotelingSeals.sealed. */
  readonly keep: (user: User, passcode: string) => string | undefined;
}

/** An entry as it may be kept. @throws TypeError where a secret is neither clear nor sealed. */
export async function sealedEntry(entry: FileEntry, seal: Seal): Promise<DirectoryEntry> {
  if (entry.kind === 'user') {
    const { passcode, ...user } = entry.value;
    if (passcode === undefined) return { kind: 'user', value: user };
    const hashed = { ...user, passcodeHash: await seal.hash(user.extension, passcode) };
    return { kind: 'user', value: { ...hashed, hotelingSecret: seal.keep(hashed, passcode) } };
  }
  if (entry.kind !== 'host') return entry;
  const { id, sipPassword, ...host } = entry.value;
  const digest = sipPassword === undefined ? host.digest : seal.digest(id, sipPassword);
  return { kind: 'host', value: sealedHost(id, { ...host, digest }) };
}

/** A directory of these entries. */
export function tableOf(entries: readonly DirectoryEntry[]): DirectoryTable {
  const table = new DirectoryTable();
  for (const entry of entries) table.put(entry);
  return table;
}

/** All entries of a directory. */
export function allEntries(directory: Directory): DirectoryEntry[] {
  const { company, sites, users, hosts, webhooks, accounts, tokens } = directory;
  return [
    { kind: 'company', value: company },
    ...[...sites.values()].map((value) => ({ kind: 'site', value }) as const),
    ...[...users.values()].map((value) => ({ kind: 'user', value }) as const),
    ...[...hosts.values()].map((value) => ({ kind: 'host', value }) as const),
    ...[...webhooks.values()].map((value) => ({ kind: 'webhook', value }) as const),
    ...[...accounts.values()].map((value) => ({ kind: 'account', value }) as const),
    ...[...tokens.values()].map((value) => ({ kind: 'token', value }) as const),
  ];
}

/** Name of an entry in the store: `user:1001`. */
export function entryName(entry: DirectoryEntry): string {
  return keyName(keyOf(entry));
}

/** The same, of its kind and id. */
export function keyName(key: EntryKey): string {
  return key.kind === 'company' ? 'company' : `${key.kind}:${key.id}`;
}

function keyOf(entry: DirectoryEntry): EntryKey {
  if (entry.kind === 'company') return { kind: 'company' };
  return { kind: entry.kind, id: entry.kind === 'user' ? entry.value.extension : entry.value.id };
}

/** Entries as the store takes them. */
export function toStored(entries: readonly DirectoryEntry[]): DirectoryEntries {
  return new Map(entries.map((entry) => [entryName(entry), entry.value]));
}

export type EntryKey =
  | { readonly kind: 'company' }
  | { readonly kind: Exclude<DirectoryEntry['kind'], 'company'>; readonly id: string };

/** Kind and id in an entry's name; undefined for a name that is none of ours. */
export function parseEntryName(name: string): EntryKey | undefined {
  if (name === 'company') return { kind: 'company' };
  const [, kind, id = ''] = /^(site|user|host|webhook|account|token):(.*)$/s.exec(name) ?? [];
  const known = kind as keyof typeof entryIds | undefined;
  return known && entryIds[known].safeParse(id).success ? { kind: known, id } : undefined;
}

/** An entry as stored; checked like a file, since other hands may have written it. */
export function parseEntry(name: string, value: unknown): DirectoryEntry | Problems {
  const key = parseEntryName(name);
  if (!key) return { problems: [`${JSON.stringify(name.slice(0, 64))}: is no name of an entry`] };
  const idName = key.kind === 'user' ? 'extension' : 'id';
  const parsed = entrySchemas[key.kind].safeParse(key.kind === 'company' ? value : withoutKey(value, idName));
  if (!parsed.success) return { problems: describeIssues(parsed.error).map((text) => `${name}.${text}`) };
  try {
    return toEntry(key, parsed.data);
  } catch (error) {
    return { problems: [`${name}: ${(error as Error).message}`] };
  }
}

function toEntry(key: EntryKey, data: unknown): DirectoryEntry {
  switch (key.kind) {
    case 'company':
      return { kind: 'company', value: data as Company };
    case 'site':
      return { kind: 'site', value: { id: key.id, ...(data as Omit<Site, 'id'>) } };
    case 'user':
      return { kind: 'user', value: sealedUser(key.id, data as UserDocument) };
    case 'host':
      return { kind: 'host', value: sealedHost(key.id, data as HostDocument) };
    case 'webhook':
      return { kind: 'webhook', value: { id: key.id, ...(data as Omit<Webhook, 'id'>) } };
    case 'account':
      return { kind: 'account', value: { id: key.id, ...(data as Omit<Account, 'id'>) } };
    case 'token':
      return { kind: 'token', value: { id: key.id, ...(data as Omit<ApiToken, 'id'>) } };
  }
}

function sealedUser(extension: string, { passcode, ...user }: UserDocument): User {
  if (passcode !== undefined) throw new TypeError('a passcode must not be stored in clear');
  return { extension, ...user };
}

function sealedHost(id: string, { sipPassword, digest, ...host }: HostDocument): Host {
  if (sipPassword !== undefined || digest === undefined)
    throw new TypeError('a SIP password must be stored as its digest');
  return { id, ...host, digest };
}

/** Entries put into words before others have their turn. */
const WRITTEN_AT_ONCE = 25;

/**
 * The directory as YAML that can be imported again: hashes and digests, never a clear secret. Accounts and tokens are
 * left out: a file of phones and people gives nobody access to this server.
 */
export async function toYaml({ company, sites, users, hosts, webhooks }: Directory): Promise<string> {
  const sections: readonly Section[] = [
    { name: 'sites', idName: 'id', entries: sites },
    { name: 'users', idName: 'extension', entries: users },
    { name: 'hosts', idName: 'id', entries: hosts },
    { name: 'webhooks', idName: 'id', entries: webhooks },
  ];
  const parts = [yamlOf({ company })];
  for (const section of sections) for await (const part of sectionParts(section)) parts.push(part);
  return parts.join('');
}

interface Section {
  readonly name: string;
  /** What is the key of an entry in a file, and stands in the entry here. */
  readonly idName: string;
  readonly entries: ReadonlyMap<string, object>;
}

/** Numbers first, in their order; the same for the same entries, however the store gives them. */
function fileKey(id: string): string {
  return /^\d+$/.test(id) ? `0${id.padStart(64, '0')} ${id}` : `1${id}`;
}

/** A few milliseconds of work each, with a turn for others in between. */
async function* sectionParts({ name, idName, entries }: Section): AsyncGenerator<string> {
  const all = await inSteps(sorting([...entries], ([id]) => fileKey(id)));
  if (all.length === 0) yield yamlOf({ [name]: {} });
  for (let from = 0; from < all.length; from += WRITTEN_AT_ONCE) {
    const some = all.slice(from, from + WRITTEN_AT_ONCE);
    const values = some.map(({ of: [id, value] }) => [id, withoutKey(value, idName)] as const);
    const text = yamlOf({ [name]: Object.fromEntries(values) });
    // The name of the section stands before the first of them.
    yield from === 0 ? text : text.slice(`${name}:\n`.length);
    await turn();
  }
}

function yamlOf(value: object): string {
  return stringify(value, { lineWidth: 0, aliasDuplicateObjects: false });
}

function each<T, Entry>(
  record: Readonly<Record<string, T>>,
  make: (key: string, value: T) => Entry,
): Entry[] {
  return Object.entries(record).map(([key, value]) => make(key, value));
}

function withoutKey(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).filter(([key]) => key !== name));
}

function lineOf(text: string, position: number): number {
  return text.slice(0, position).split('\n').length;
}
