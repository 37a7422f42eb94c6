import { useState } from 'preact/hooks';
import { ApiError, get } from '../api/client.ts';
import type { Host } from '../api/types.ts';

/** Who is to be logged out by a change is somebody, not whoever is there by then (rules A7, B2). */

type Stay = Host['association'];

/** Of a request: log out this one, and do nothing when somebody else is there. */
export function releasing(stay: Stay): object {
  return stay ? { release: true, generation: stay.generation } : {};
}

/**
 * The phone as it is now, when a change was refused because somebody is there who was not asked about; undefined: it was
 * refused for something else. `stay`: who was to be logged out; null: nobody.
 */
export async function somebodyElse(
  error: unknown,
  { id, stay }: { readonly id: string; readonly stay: Stay },
): Promise<Host | undefined> {
  const reason = error instanceof ApiError ? error.problem.reason : undefined;
  if (reason !== 'associationRunning' && !(reason === 'changedMeanwhile' && stay)) return undefined;
  const now = await get<Host>(`/hosts/${encodeURIComponent(id)}`);
  return now.association?.generation === stay?.generation ? undefined : now;
}

/** A tick that somebody is logged out holds for who stood beside it when it was set. */
export function useRelease({ association }: Host) {
  const [ticked, setTicked] = useState<number>();
  const isTicked = association !== null && association.generation === ticked;
  return {
    guest: association?.guest.name,
    isTicked,
    stay: isTicked ? association : null,
    tick: (isOn: boolean): void => setTicked(isOn ? association?.generation : undefined),
  };
}
