import { randomUUID } from 'node:crypto';
import { StoreUnavailable } from '../store.ts';
import type { Link } from './connection.ts';
import { decodeStrings, decodeWhole } from './decode.ts';
import type { Keys } from './keys.ts';

/** Where a consumer is in the change log: the last entry it took. */
export interface Place {
  readonly id: string;
  readonly seq: number;
}

export interface LeaseSource {
  readonly link: Link;
  readonly keys: Keys;
  /** `[a-z0-9:-]{1,80}` */
  readonly consumer: string;
  /** Unique; a lease that this asker could not give up does not keep it out. */
  readonly asker: string;
}

/** The right to run a consumer. It lapses unless held on to, and then another node takes it. */
export interface Lease {
  /** Where to go on. */
  readonly from: Place;
  /** `seq` of the entry last taken, when the log has lost that entry and more. */
  readonly lostAfter: number | undefined;
  /** Aborts when the lease is no longer ours, or may not be. */
  readonly signal: AbortSignal;
  /** Saves how far it got and prolongs. @throws StoreUnavailable, also when the lease is lost */
  save(place: Place): Promise<void>;
  /** Stops holding on; it lapses by itself. */
  abandon(): void;
  /** Saves how far it got, and lets the next node in at once. @throws StoreUnavailable */
  release(place: Place): Promise<void>;
}

const LEASE_MS = 5000;
const RENEW_MS = 1500;
const RENEW_AGAIN_MS = 300;
/** Given up this long before the store does. */
const MARGIN_MS = 250;

/** The lease of a consumer, or undefined while another node has it. @throws StoreUnavailable */
export async function takeLease(source: LeaseSource): Promise<Lease | undefined> {
  const { link, keys, consumer, asker } = source;
  // New each time: what an earlier turn sent late must not move this one's place.
  const token = `${asker}/${randomUUID()}`;
  const asked = performance.now();
  const reply = await link.run({
    script: 'takeLease',
    keys: [keys.lease(consumer), keys.cursors, keys.events, keys.seq],
    args: [token, LEASE_MS, consumer, `${asker}/`],
  });
  const [outcome, id, seq, seqBefore] = decodeStrings(reply) ?? [];
  if (outcome === 'held') return undefined;
  const from = { id: id ?? '', seq: decodeWhole(seq) };
  if (from.id === '' || from.seq === undefined)
    throw new StoreUnavailable('The store gave a place in the log that cannot be read');
  return holdLease(source, {
    ...{ token, asked, from: { id: from.id, seq: from.seq } },
    lostAfter: outcome === 'shrunk' ? decodeWhole(seqBefore) : undefined,
  });
}

interface Taken extends Pick<Lease, 'from' | 'lostAfter'> {
  readonly token: string;
  /** When it was asked for, by `performance.now()`: it lasts at least from then on. */
  readonly asked: number;
}

function holdLease({ link, keys, consumer }: LeaseSource, taken: Taken): Lease {
  const over = new AbortController();
  let lapse: NodeJS.Timeout | undefined;
  let renewal: NodeJS.Timeout | undefined;

  function stop(): void {
    clearTimeout(lapse);
    clearTimeout(renewal);
  }

  function lose(): void {
    stop();
    over.abort(new StoreUnavailable('The lease was lost'));
  }

  function prolonged(asked: number): void {
    clearTimeout(lapse);
    lapse = setTimeout(lose, Math.max(0, asked + LEASE_MS - MARGIN_MS - performance.now()));
  }

  async function tell(lengthMs: number, place?: Place): Promise<void> {
    const asked = performance.now();
    const reply = await link.run({
      script: 'holdLease',
      keys: [keys.lease(consumer), keys.cursors],
      args: [taken.token, lengthMs, consumer, place === undefined ? '' : `${place.id} ${place.seq}`],
    });
    if (over.signal.aborted) return;
    if (decodeStrings(reply)?.[0] !== 'kept') {
      lose();
      over.signal.throwIfAborted();
    }
    prolonged(asked);
  }

  function renewIn(ms: number): void {
    renewal = setTimeout(() => {
      const again = (next: number) => () => {
        if (!over.signal.aborted) renewIn(next);
      };
      void tell(LEASE_MS).then(again(RENEW_MS), again(RENEW_AGAIN_MS));
    }, ms);
  }

  prolonged(taken.asked);
  renewIn(RENEW_MS);
  return {
    from: taken.from,
    lostAfter: taken.lostAfter,
    signal: over.signal,
    save: (place) => tell(LEASE_MS, place),
    abandon: lose,
    async release(place) {
      lose();
      await tell(0, place);
    },
  };
}
