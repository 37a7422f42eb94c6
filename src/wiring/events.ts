import { randomBytes } from 'node:crypto';
import type { GuestKeys } from '../services/guest-keys.ts';
import type { LocalView } from '../services/local-view.ts';
import type { SharedState } from '../services/shared-state.ts';
import { Hoteling } from '../sip/events/hoteling.ts';
import type { EventDependencies } from '../sip/events/notifier.ts';
import type { EventPackage } from '../sip/events/package.ts';
import type { Store } from '../store/store.ts';
import type { Running } from './running.ts';

interface Needs {
  readonly store: Store;
  readonly view: LocalView;
  readonly shared: SharedState;
}

/** A node's name as shared entries have it. */
export function nodeNameOf({ node }: Pick<Running, 'node'>): string {
  return node.replace(/[^A-Za-z0-9._-]/g, '-').slice(-80);
}

/** What the notifier of this node works with. */
export function eventDependencies(
  running: Pick<Running, 'node'>,
  { store, view, shared }: Needs,
  packages: readonly EventPackage[],
): EventDependencies {
  return {
    ...{ packages, shared, node: nodeNameOf(running) },
    claimOnce: (name, ttlMs) => store.claimOnce(name, ttlMs),
    storeNow: () => view.now(),
    onDirectoryChange: (listener) => view.onChange(({ kind }) => kind === 'directory' && listener()),
  };
}

/** Guest In and Guest Out keys. */
export function createHoteling(
  { clock, log }: Pick<Running, 'clock' | 'log'>,
  { view, guestKeys: keys }: { readonly view: LocalView; readonly guestKeys: GuestKeys },
): Hoteling {
  return new Hoteling({ keys, view, clock, log, drawNonce: () => randomBytes(16).toString('hex') });
}
