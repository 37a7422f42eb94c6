import type { Refusal } from '../domain/reasons.ts';
import type { Recording } from '../media/media.ts';
import { type Store, StoreUnavailable } from '../store/store.ts';
import type { LocalView } from './local-view.ts';
import type { Log } from './ports.ts';

export interface RecordedNamesDependencies {
  readonly store: Pick<Store, 'keepRecording' | 'recording'>;
  readonly view: Pick<LocalView, 'lacks' | 'onChange'>;
  readonly log: Log;
}

/** Ten seconds of G.711. */
const MAX_BYTES = 80 * 1024;

/**
 * People's names in their own voice, kept in the store by extension. Read anew each time: it is one look-up in a
 * conversation, and the newest recording is heard at once whichever node took it. Of who leaves the directory it is
 * removed, so that who gets the extension next does not answer to their name.
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
    try {
      const mulaw = await this.#deps.store.recording(nameOf(extension));
      return mulaw && mulaw.length > 0 ? { mulaw } : undefined;
    } catch (error) {
      if (error instanceof StoreUnavailable) return undefined;
      throw error;
    }
  }

  /** Takes the place of the one before. Refused with notRecorded when it is empty or too long, or storeUnavailable. */
  async keep(extension: string, { mulaw }: Recording): Promise<'done' | Refusal> {
    if (mulaw.length === 0 || mulaw.length > MAX_BYTES) return { refused: 'notRecorded' };
    return this.#write(extension, mulaw);
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

  async #write(extension: string, mulaw: Uint8Array | undefined): Promise<'done' | Refusal> {
    try {
      await this.#deps.store.keepRecording(nameOf(extension), mulaw);
    } catch (error) {
      if (error instanceof StoreUnavailable) return { refused: 'storeUnavailable' };
      throw error;
    }
    this.#deps.log.info({ extension }, mulaw ? 'name recorded' : 'recorded name removed');
    return 'done';
  }
}

function nameOf(extension: string): string {
  return `name:${extension}`;
}
