import { createHash, type Hash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import type { Binding } from '../domain/binding.ts';
import type { Directory } from '../domain/directory.ts';
import { DirectoryTable } from '../domain/directory-table.ts';
import type { EmergencyRecord } from '../domain/emergency-record.ts';
import type { KeptPhones } from './callback-phones.ts';
import { parseEntry } from './directory-document.ts';

/**
 * What emergency calls go by, as one file: JSON, one entry a line, so that it is written and read in small pieces, and a
 * SHA-256 over all lines before the last.
 */

/** Another number: written by another version of this program, and not read. */
const FORMAT = 1;
/** Characters written at a time, and lines read before others get a turn: a fraction of a millisecond of work. */
const PIECE = 32_768;
const LINES_PER_TURN = 50;
/** A file longer than this is none of ours. */
const LONGEST_BYTES = 2 ** 31;

/** A network phones have registered from, such as 192.0.2.0/24, and when one last did, ms since 1970. */
export type SeenNetwork = readonly [network: string, seenAt: number];

export interface SnapshotContent {
  readonly company: string;
  readonly directory: Directory | undefined;
  readonly records: Iterable<EmergencyRecord>;
  /** Of the hosts that may be called back. */
  readonly phones: Iterable<KeptPhones>;
  readonly networks: Iterable<SeenNetwork>;
}

export interface ReadSnapshot {
  readonly directory: Directory | undefined;
  readonly records: readonly EmergencyRecord[];
  readonly phones: readonly KeptPhones[];
  readonly networks: readonly SeenNetwork[];
  /** Entries that are not valid any more and were left out. */
  readonly leftOut: number;
}

/** Why a file is not used. */
export type SnapshotProblem = 'absent' | 'unreadable' | 'damaged' | 'otherFormat' | 'otherCompany';

const header = z.object({ format: z.number(), company: z.string() });
const network = z.tuple([z.string().regex(/^[0-9a-f.:]+\/\d{1,3}$/), z.number()]);
const binding = z
  .object({
    contact: z.string().max(2_000),
    expiresAt: z.number(),
    q: z.number().min(0).max(1),
    flow: z.object({
      protocol: z.enum(['udp', 'tcp', 'tls', 'ws', 'wss']),
      address: z.string().regex(/^[0-9A-Za-z.:%]{2,64}$/),
      port: z.int().min(1).max(65_535),
    }),
    path: z.array(z.string().max(2_000)).max(20),
  })
  .transform((read): Binding => ({ ...read, callId: '', cseq: 0, userAgent: '' }));
const phones = z.tuple([z.string().max(64), z.array(binding).max(20)]);
const record = z.looseObject({
  id: z.string(),
  number: z.string(),
  addressUnverified: z.boolean(),
  at: z.number(),
  callbackUntil: z.number(),
});

/**
 * Writes the file so that after a crash at any moment there is the old one or the new one, whole. The event loop is
 * never held for longer than a small piece takes. @throws Error of the file system
 */
export async function writeSnapshot(path: string, content: SnapshotContent): Promise<void> {
  const beside = `${path}.new`;
  const handle = await open(beside, 'w', 0o600);
  try {
    await writeLines(handle, linesOf(content));
    await handle.sync();
  } catch (error) {
    await handle.close();
    await rm(beside, { force: true });
    throw error;
  }
  await handle.close();
  await rename(beside, path);
  await syncFolder(dirname(path));
}

async function writeLines(handle: FileHandle, lines: Iterable<string>): Promise<void> {
  const hash = createHash('sha256');
  let piece = '';
  const flush = async (): Promise<void> => {
    hash.update(piece);
    await handle.writeFile(piece);
    piece = '';
  };
  for (const line of lines) {
    piece += `${line}\n`;
    if (piece.length >= PIECE) await flush();
  }
  await flush();
  await handle.writeFile(`],"sha256":"${hash.digest('hex')}"}\n`);
}

/** All lines but the last. The directory may change meanwhile: each entry is as it was at some moment of the writing. */
function* linesOf({ company, directory, records, phones, networks }: SnapshotContent): Iterable<string> {
  yield `${JSON.stringify({ format: FORMAT, company }).slice(0, -1)},"entries":[`;
  for (const site of directory?.sites.values() ?? []) yield line(`site:${site.id}`, site);
  for (const { digest: _, ...host } of directory?.hosts.values() ?? []) yield line(`host:${host.id}`, host);
  for (const open of records) yield line('record', open);
  for (const kept of phones) yield line('phones', kept);
  for (const seen of networks) yield line('network', seen);
  if (directory) yield line('company', directory.company);
  // Without a comma, as the end of the list.
  yield '["end"]';
}

function line(name: string, value: unknown): string {
  return `${JSON.stringify([name, value])},`;
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Reads a file of this company; a problem is a value, never an exception. */
export async function readSnapshot(path: string, company: string): Promise<ReadSnapshot | SnapshotProblem> {
  const lines = new Reading(company);
  try {
    const stream = createReadStream(path, { encoding: 'utf8', end: LONGEST_BYTES });
    // Else a file that cannot be opened is nobody's error but the process's.
    const failed = new Promise<never>((_resolve, reject) => stream.once('error', reject));
    failed.catch(() => undefined);
    await Promise.race([readLines(createInterface({ input: stream }), lines), failed]);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'absent' : 'unreadable';
  }
  return lines.result();
}

async function readLines(lines: AsyncIterable<string>, reading: Reading): Promise<void> {
  let count = 0;
  for await (const line of lines) {
    reading.take(line);
    count += 1;
    if (count % LINES_PER_TURN === 0) await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Takes line after line; nothing of it is good before the last has proved the others. */
class Reading {
  readonly #company: string;
  readonly #hash: Hash = createHash('sha256');
  readonly #table = new DirectoryTable();
  readonly #records: EmergencyRecord[] = [];
  readonly #phones: KeptPhones[] = [];
  readonly #networks: SeenNetwork[] = [];
  readonly #noDigest = unknownDigest();
  #leftOut = 0;
  #isFirst = true;
  #problem: SnapshotProblem | undefined;
  #isProved = false;

  constructor(company: string) {
    this.#company = company;
  }

  take(line: string): void {
    const proof = /^\],"sha256":"([0-9a-f]{64})"\}$/.exec(line);
    if (proof) {
      this.#isProved = !this.#isProved && proof[1] === this.#hash.digest('hex');
      return;
    }
    if (this.#isProved || this.#problem !== undefined) return;
    this.#hash.update(`${line}\n`);
    if (this.#isFirst) this.#readHeader(line);
    else this.#readEntry(line);
    this.#isFirst = false;
  }

  result(): ReadSnapshot | SnapshotProblem {
    if (this.#problem !== undefined) return this.#problem;
    if (!this.#isProved) return 'damaged';
    const directory = this.#table.isComplete ? this.#table : undefined;
    const found = { records: this.#records, phones: this.#phones, networks: this.#networks };
    return { directory, ...found, leftOut: this.#leftOut };
  }

  #readHeader(line: string): void {
    const found = header.safeParse(parsed(`${line.replace(/,"entries":\[$/, '')}}`));
    if (!found.success) this.#problem = 'damaged';
    else if (found.data.format !== FORMAT) this.#problem = 'otherFormat';
    else if (found.data.company !== this.#company) this.#problem = 'otherCompany';
  }

  #readEntry(line: string): void {
    const entry = parsed(line.replace(/,$/, ''));
    if (!Array.isArray(entry) || typeof entry[0] !== 'string') return this.#damaged();
    const [name, value] = entry as [string, unknown];
    if (name === 'end') return;
    const isGood = this.#take(name, value);
    if (!isGood) this.#leftOut += 1;
  }

  #take(name: string, value: unknown): boolean {
    switch (name) {
      case 'record':
        return this.#add(record, value, this.#records);
      case 'phones':
        return this.#add(phones, value, this.#phones);
      case 'network':
        return this.#add(network, value, this.#networks);
      default:
        return this.#put(name, value);
    }
  }

  #add<T>(schema: z.ZodType, value: unknown, to: T[]): boolean {
    const found = schema.safeParse(value);
    if (found.success) to.push(found.data as T);
    return found.success;
  }

  #put(name: string, value: unknown): boolean {
    const isHost = name.startsWith('host:') && typeof value === 'object';
    const entry = parseEntry(name, isHost ? { ...value, digest: this.#noDigest } : value);
    if ('problems' in entry) return false;
    this.#table.put(entry);
    return true;
  }

  #damaged(): void {
    this.#problem ??= 'damaged';
  }
}

/** The file has no secrets; a phone known from it alone proves nothing, whatever it answers. */
function unknownDigest(): { readonly md5: string; readonly sha256: string } {
  return { md5: randomBytes(16).toString('hex'), sha256: randomBytes(32).toString('hex') };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
