import { setTimeout as delay } from 'node:timers/promises';
import type { Lease, Place } from './lease.ts';

/** Saves how far a consumer got, while it goes on. */
export interface PlaceKeeper {
  /** The last entry taken. */
  readonly place: Place;
  took(place: Place): void;
}

/** Pause after a place that could not be saved, ms. */
const AGAIN_MS = 200;

/** One command at a time, each with the newest place; it tries for as long as the lease is held. */
export function createPlaceKeeper(lease: Pick<Lease, 'from' | 'signal' | 'save'>): PlaceKeeper {
  const { signal } = lease;
  let place = lease.from;
  let saved = lease.from;
  let saving = false;

  async function save(): Promise<void> {
    saving = true;
    while (saved !== place && !signal.aborted) {
      const next = place;
      try {
        await lease.save(next);
        saved = next;
      } catch {
        await delay(AGAIN_MS, undefined, { signal }).catch(() => undefined);
      }
    }
    saving = false;
  }

  return {
    get place() {
      return place;
    },
    took(next) {
      place = next;
      if (!saving) void save();
    },
  };
}
