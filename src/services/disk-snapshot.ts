import { join } from 'node:path';
import type { ChangeEvent } from '../domain/association.ts';
import type { Binding } from '../domain/binding.ts';
import type { Directory } from '../domain/directory.ts';
import type { EmergencyRecord } from '../domain/emergency-record.ts';
import { CallbackPhones, type PhonesView, phonesForCallback } from './callback-phones.ts';
import type { PhoneNetworks } from './phone-networks.ts';
import type { Clock, Log, Timers } from './ports.ts';
import { readSnapshot, type SnapshotProblem, writeSnapshot } from './snapshot-file.ts';

const FILE = 'emergency.json';
/** After the last change, and after the first one that is not written yet. */
const CALM_MS = 1_000;
const LATEST_MS = 5_000;
/** A change nobody told of is found by this, and a write that failed is tried again. */
const LOOK_EVERY_MS = 30_000;

/** What the snapshot needs of the local view. */
export interface SnapshotView extends PhonesView {
  /** The store's directory, else what this disk had. */
  readonly emergencyDirectory: Directory | undefined;
  readonly directoryVersion: number;
  onEmergency(listener: (record: EmergencyRecord) => void): () => void;
  onChange(listener: (event: ChangeEvent) => void): () => void;
  onReconnect(listener: () => void): () => void;
  /** Called for each host whose phones have registered or signed off. */
  onBindingsChange(listener: (host: string) => void): () => void;
  /** What emergency calls go by while the store has given no directory. */
  useEmergencyDirectory(directory: Directory): void;
  /** Records of before the start: they count until the store says more. */
  keepEmergencies(records: readonly EmergencyRecord[]): void;
  /** Where the phones of before the start were: they count until the store says more. */
  rememberBindings(bindings: ReadonlyMap<string, readonly Binding[]>): void;
}

export interface DiskSnapshotDependencies {
  readonly view: SnapshotView;
  readonly networks: Pick<PhoneNetworks, 'seen' | 'restore'>;
  readonly clock: Clock & Timers;
  readonly log: Log;
  /** Data folder; it exists. */
  readonly folder: string;
  readonly company: string;
}

/**
 * What emergency calls need, kept on this node's own disk: a node that starts without its store still knows the site's
 * numbers, whose desk a phone is, where it stands, and which desk to ring, and how, when a PSAP calls back. No user, no
 * secret.
 */
export class DiskSnapshot {
  readonly #deps: DiskSnapshotDependencies;
  readonly #file: string;
  readonly #phones: CallbackPhones;
  readonly #unsubscribe: (() => void)[] = [];
  #timer: { cancel(): void } | undefined;
  #look: { cancel(): void } | undefined;
  /** When the first change came that is not on disk. */
  #dirtySince: number | undefined;
  #writing: Promise<void> | undefined;
  #writtenVersion = -1;
  #cannotWrite = false;
  #stopped = false;

  constructor(deps: DiskSnapshotDependencies) {
    this.#deps = deps;
    this.#file = join(deps.folder, FILE);
    this.#phones = new CallbackPhones(deps.view);
  }

  /** Reads what there is and gives it to the view. A file that cannot be used is reported and changes nothing. */
  async load(): Promise<void> {
    const { view, networks, log, company, clock } = this.#deps;
    const found = await readSnapshot(this.#file, company);
    if (typeof found === 'string') return this.#reportUnusable(found);
    const { directory, phones, leftOut } = found;
    if (leftOut > 0)
      log.warn({ file: this.#file, entries: leftOut }, 'some entries kept on disk are not valid');
    networks.restore(found.networks);
    if (directory) view.useEmergencyDirectory(directory);
    const now = clock.now();
    const records = found.records.filter(({ callbackUntil }) => callbackUntil > now);
    view.keepEmergencies(records);
    view.rememberBindings(phonesForCallback(phones, records));
  }

  /** From now on every change is written. */
  start(): void {
    const { view } = this.#deps;
    this.#unsubscribe.push(
      view.onChange(({ kind }) => {
        if (kind === 'directory') this.noteChange();
      }),
      view.onEmergency(() => this.noteChange()),
      view.onReconnect(() => this.noteChange()),
      view.onBindingsChange((host) => {
        if (this.#phones.hasMoved(host)) this.noteChange();
      }),
    );
    this.#lookAgain();
    this.noteChange();
  }

  /** Writes what is not written yet. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const unsubscribe of this.#unsubscribe.splice(0)) unsubscribe();
    this.#look?.cancel();
    this.#timer?.cancel();
    await this.#writing;
    if (this.#dirtySince !== undefined) await this.#write();
  }

  /** Something changed: it is on disk within a second of calm, five at most. Returns at once. */
  noteChange(): void {
    if (this.#stopped) return;
    const { clock } = this.#deps;
    const now = clock.now();
    this.#dirtySince ??= now;
    if (this.#writing !== undefined) return;
    this.#timer?.cancel();
    const wait = Math.max(0, Math.min(CALM_MS, this.#dirtySince + LATEST_MS - now));
    this.#timer = clock.setTimer(wait, () => void this.#write());
  }

  #lookAgain(): void {
    const { clock, view } = this.#deps;
    this.#look = clock.setTimer(LOOK_EVERY_MS, () => {
      const isOld = view.directoryVersion !== this.#writtenVersion || this.#phones.haveMoved();
      if (this.#cannotWrite || isOld) this.noteChange();
      if (!this.#stopped) this.#lookAgain();
    });
  }

  #write(): Promise<void> {
    this.#writing ??= this.#attempt().finally(() => {
      this.#writing = undefined;
      if (this.#dirtySince !== undefined) this.noteChange();
    });
    return this.#writing;
  }

  async #attempt(): Promise<void> {
    const { view, networks, company, log } = this.#deps;
    const { emergencyDirectory: directory, directoryVersion } = view;
    this.#dirtySince = undefined;
    const records = [...view.openEmergencies()];
    // Before anything is known there is nothing better than what the disk has.
    if (!directory && records.length === 0) return;
    try {
      const phones = this.#phones.take();
      await writeSnapshot(this.#file, { company, directory, records, phones, networks: networks.seen() });
      this.#writtenVersion = directoryVersion;
      if (this.#cannotWrite)
        log.info({ file: this.#file }, 'what emergency calls need is kept on disk again');
      this.#cannotWrite = false;
    } catch (error) {
      if (!this.#cannotWrite) log.error({ err: error, file: this.#file }, CANNOT_WRITE);
      this.#cannotWrite = true;
    }
  }

  #reportUnusable(problem: SnapshotProblem): void {
    if (problem === 'absent') return;
    this.#deps.log.warn({ file: this.#file, problem }, PROBLEM_WORDS[problem]);
  }
}

const CANNOT_WRITE =
  'what emergency calls need cannot be kept on disk: after a start without the store they would go out without address';

const PROBLEM_WORDS = {
  unreadable: 'what was kept on disk for emergency calls cannot be read and is not used',
  damaged: 'what was kept on disk for emergency calls is damaged and is not used',
  otherFormat: 'what was kept on disk for emergency calls is of another version and is not used',
  otherCompany: "what was kept on disk for emergency calls is another company's and is not used",
} as const satisfies Record<Exclude<SnapshotProblem, 'absent'>, string>;
