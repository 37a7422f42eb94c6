import type { Association, ChangeEvent } from '../../src/domain/association.ts';
import type { Life } from './fleet.ts';
import type { Deed } from './load.ts';
import type { Faults } from './nemesis.ts';
import type { Outage } from './pulse.ts';

/** All that was seen of one run, at a moment when everything had come to rest or had had its time. */
export interface Evidence {
  readonly seconds: number;
  readonly plan: Readonly<Faults>;
  readonly faults: Readonly<Faults>;
  readonly outages: readonly Outage[];
  /** ms each kill kept Redis away. */
  readonly absences: readonly number[];
  readonly deeds: readonly Deed[];
  readonly lives: readonly Life[];
  readonly crashes: readonly string[];
  /** What nodes logged as an error: something is broken. */
  readonly errors: readonly string[];
  /** The change log up to `seq`. */
  readonly log: readonly ChangeEvent[];
  /** When Redis wrote each entry, by the entry's own id; ms since 1970. */
  readonly stamps: ReadonlyMap<number, number>;
  /** Who sits where in Redis at log position `seq`. */
  readonly state: readonly Association[];
  readonly seq: number;
  /** Log position before the first deed. */
  readonly firstSeq: number;
  /** Parts of Redis' state that do not agree with each other. */
  readonly disagreements: readonly string[];
  /** Positions in the history that people read. */
  readonly history: readonly number[];
  readonly deliveries: ReadonlyMap<number, number>;
  readonly duplicates: number;
  readonly offences: readonly string[];
  readonly deadLetters: number;
  /** What each phone shows. */
  readonly faces: ReadonlyMap<string, string | undefined>;
  readonly faceUpdates: number;
  readonly staleFaces: number;
  /** Associations at hosts that a node sees otherwise than Redis; a node that does not answer sees nothing. */
  readonly wrongViews: readonly string[];
  /** ms from the end of load and faults until everything was right; undefined: it never was. */
  readonly settledMs: number | undefined;
  /** The same until the webhook had every event, and until all faces were right, for the first time. */
  readonly webhookMs: number | undefined;
  readonly phonesMs: number | undefined;
}

/** Entries of the log that one deed led to, and how each association ended. */
export interface Index {
  readonly startsBy: ReadonlyMap<string, readonly Started[]>;
  readonly endsBy: ReadonlyMap<string, readonly Ending[]>;
  /** All ends of an association; more than one is an offence. */
  readonly endsOf: ReadonlyMap<number, readonly Ending[]>;
  readonly actors: ReadonlySet<string>;
}
export type Started = Extract<ChangeEvent, { kind: 'start' }>;
export type Ending = Extract<ChangeEvent, { kind: 'end' }>;

export function indexOf({ log, deeds }: Pick<Evidence, 'log' | 'deeds'>): Index {
  const starts = log.filter((event) => event.kind === 'start');
  const ends = log.filter((event) => event.kind === 'end');
  return {
    startsBy: groupBy(starts, ({ actor }) => actor),
    endsBy: groupBy(
      ends.filter(({ reason }) => reason === 'loggedOut' || reason === 'released'),
      ({ actor }) => actor,
    ),
    endsOf: groupBy(ends, ({ association }) => association.generation),
    actors: new Set(deeds.map(({ order }) => order.actor)),
  };
}

function groupBy<T, K>(list: readonly T[], keyOf: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of list) {
    const group = groups.get(keyOf(item));
    if (group) group.push(item);
    else groups.set(keyOf(item), [item]);
  }
  return groups;
}
