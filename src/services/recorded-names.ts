import { createHash } from 'node:crypto';
import type { User } from '../domain/directory.ts';
import type { Refusal } from '../domain/reasons.ts';
import type { Recording } from '../media/media.ts';
import { type Store, StoreUnavailable } from '../store/store.ts';
import type { LocalView } from './local-view.ts';
import type { Log } from './ports.ts';
import { whileStoreAnswers } from './while-store-answers.ts';

export interface RecordedNamesDependencies {
  readonly store: Pick<Store, 'keepRecording' | 'recording'>;
  readonly view: Pick<LocalView, 'directory' | 'lacks' | 'onChange'>;
  readonly log: Log;
}

/** Whose recording it is. */
export type Speaker = Pick<User, 'extension' | 'name'>;

/** Ten seconds of G.711. */
const MAX_BYTES = 80 * 1024;
/** Bytes before the audio that say whose it is. */
const MARK_BYTES = 16;

/**
 * People's names in their own voice, kept in the store by extension. Read anew each time: it is one look-up in a
 * conversation, and the newest recording is heard at once whichever node took it. Of who leaves the directory it is
 * removed. Should that have failed, whoever gets the extension next does not answer to their name all the same: it is
 * marked with whose it is, and nobody's of another name. Who is renamed records it anew.
 */
export class RecordedNames {
  readonly #deps: RecordedNamesDependencies;
  #unsubscribe: (() => void) | undefined;

  constructor(deps: RecordedNamesDependencies) {
    this.#deps = deps;
  }

  start(): void {
    this.#unsubscribe ??= this.#deps.view.onChange((event) => {
      if (event.kind === 'directory' && event.entries !== 'all') this.#forget(event.entries);
    });
  }

  stop(): void {
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
  }

  /** Undefined: there is none, or the store is away; either way the name can be spelled. */
  async of(extension: string): Promise<Recording | undefined> {
    const user = this.#deps.view.directory?.users.get(extension);
    if (!user) return undefined;
    try {
      return recordingOf(user, await this.#deps.store.recording(nameOf(extension)));
    } catch (error) {
      if (error instanceof StoreUnavailable) return undefined;
      throw error;
    }
  }

  /**
   * Takes the place of the one before. Refused with notRecorded when it is empty or too long, with unknownUser when the
   * speaker has left the directory, or storeUnavailable.
   */
  async keep(speaker: Speaker, { mulaw }: Recording): Promise<'done' | Refusal> {
    if (mulaw.length === 0 || mulaw.length > MAX_BYTES) return { refused: 'notRecorded' };
    const { extension } = speaker;
    if (this.#deps.view.lacks({ kind: 'user', id: extension })) return { refused: 'unknownUser' };
    return this.#write(extension, Buffer.concat([markOf(speaker), mulaw]));
  }

  /** Every node does so; once is enough, and one that cannot leaves it to the others. */
  #forget(entries: readonly string[]): void {
    const left = entries.flatMap((entry) => /^user:(.+)$/.exec(entry)?.[1] ?? []);
    for (const extension of left.filter((id) => this.#deps.view.lacks({ kind: 'user', id }))) {
      this.#write(extension, undefined).catch((error: unknown) =>
        this.#deps.log.warn({ extension, err: error }, 'a recorded name could not be removed'),
      );
    }
  }

  async #write(extension: string, marked: Uint8Array | undefined): Promise<'done' | Refusal> {
    return whileStoreAnswers<'done'>(async () => {
      await this.#deps.store.keepRecording(nameOf(extension), marked);
      this.#deps.log.info({ extension }, marked ? 'name recorded' : 'recorded name removed');
      return 'done';
    });
  }
}

function nameOf(extension: string): string {
  return `name:${extension}`;
}

function markOf({ extension, name }: Speaker): Buffer {
  return createHash('sha256').update(`${extension}\0${name}`, 'utf8').digest().subarray(0, MARK_BYTES);
}

function recordingOf(speaker: Speaker, marked: Uint8Array | undefined): Recording | undefined {
  if (!marked || marked.length <= MARK_BYTES) return undefined;
  const isTheirs = markOf(speaker).equals(marked.subarray(0, MARK_BYTES));
  return isTheirs ? { mulaw: new Uint8Array(marked.subarray(MARK_BYTES)) } : undefined;
}
