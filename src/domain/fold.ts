import type { Association, ChangeEvent } from './association.ts';

/** Who sits where, both ways round, at one position of the change log. Changed in place by `applyChange`. */
export interface AssociationState {
  seq: number;
  readonly byHost: Map<string, Association>;
  readonly byGuest: Map<string, Association>;
}

/** A state to apply changes to, from what was true at log position `seq`. */
export function stateAt(seq: number, associations: Iterable<Association>): AssociationState {
  const all = [...associations];
  return {
    seq,
    byHost: new Map(all.map((association) => [association.host, association])),
    byGuest: new Map(all.map((association) => [association.guest, association])),
  };
}

/**
 * Applies the next change in place. `old`: the state holds it already; `gap`: changes are missing and the state
 * must be loaded anew. An end takes away only the association it names, by generation.
 */
export function applyChange(state: AssociationState, event: ChangeEvent): 'applied' | 'old' | 'gap' {
  if (event.seq <= state.seq) return 'old';
  if (event.seq !== state.seq + 1) return 'gap';
  state.seq = event.seq;
  if (event.kind === 'start' || event.kind === 'extend') {
    state.byHost.set(event.association.host, event.association);
    state.byGuest.set(event.association.guest, event.association);
  }
  if (event.kind === 'end') removeEnded(state, event.association);
  return 'applied';
}

function removeEnded(state: AssociationState, { host, guest, generation }: Association): void {
  if (state.byHost.get(host)?.generation === generation) state.byHost.delete(host);
  if (state.byGuest.get(guest)?.generation === generation) state.byGuest.delete(guest);
}

/** Whether an association is past its deadline at `now` (store clock, ms since 1970). */
export function isOverdue(association: Association, now: number): boolean {
  return association.expiresAt !== 'never' && association.expiresAt <= now;
}
