import type { Store } from '../../store/store.ts';
import type { Log } from '../ports.ts';
import type { EmergencyTable } from './table.ts';

const PAGE = 1_000;
const MOST_PAGES = 20;

export interface RecollectionDependencies {
  readonly store: Pick<Store, 'history'>;
  readonly log: Log;
}

/**
 * Emergency calls from the store's log, for what this node has not heard itself: before its start, and while it was out
 * of touch. The log is read once for each such time.
 */
export class Recollection {
  readonly #deps: RecollectionDependencies;
  readonly #table: EmergencyTable;
  #reading: Promise<boolean> | undefined;

  constructor(deps: RecollectionDependencies, table: EmergencyTable) {
    this.#deps = deps;
    this.#table = table;
  }

  /** Something may have been missed: the log is to be read again. */
  forget(): void {
    this.#reading = undefined;
  }

  /** Whether everything since `from` (ms since 1970) is in the table; false while the store is away. */
  async refresh(from: number): Promise<boolean> {
    const reading = this.#reading ?? this.#read(from);
    this.#reading = reading;
    const isComplete = await reading;
    if (!isComplete && this.#reading === reading) this.#reading = undefined;
    return isComplete;
  }

  async #read(from: number): Promise<boolean> {
    try {
      let after: string | undefined;
      for (let pages = 0; pages < MOST_PAGES; pages++) {
        const page = await this.#deps.store.history({ kinds: ['emergency'], from, limit: PAGE, after });
        for (const event of page.events) {
          if (event.kind !== 'emergency') continue;
          this.#table.recall(event.record, event.stage, event.at);
          if (event.stage === 'acknowledged') this.#table.acknowledge(event.record.id, event.actor);
        }
        after = page.next;
        if (after === undefined) return true;
      }
      return false;
    } catch (error) {
      this.#deps.log.warn({ err: error }, 'earlier emergency calls cannot be read');
      return false;
    }
  }
}
