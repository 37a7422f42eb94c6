import type { Directory } from '../domain/directory.ts';
import type { EmergencyRecord, EmergencyStage } from '../domain/emergency-record.ts';
import type { EmergencyRoute } from '../domain/route.ts';
import type { Store } from '../store/store.ts';
import { EmergencyOutbox } from './emergency-outbox.ts';
import type { Log, Random, Timers } from './ports.ts';

export interface EmergencyDeskDependencies {
  readonly store: Pick<Store, 'noteEmergency'>;
  readonly view: {
    /** The store's clock, ms since 1970. */
    now(): number;
    readonly emergencyDirectory: Directory | undefined;
    keepEmergencies(records: Iterable<EmergencyRecord>): void;
  };
  readonly timers: Timers;
  readonly random: Random;
  readonly log: Log;
  /** Name of this node, for the log of changes. */
  readonly node: string;
}

export type StageListener = (record: EmergencyRecord, stage: EmergencyStage) => void;

/** Where the site is not known. */
const CALLBACK_MINUTES = 60;

/**
 * Opens a record for each emergency call: on this node at once, in the store as soon as it can. Nothing here is in the
 * way of the call: what is not in memory happens after the call has gone its way, and what fails is logged.
 */
export class EmergencyDesk {
  readonly #deps: EmergencyDeskDependencies;
  readonly #outbox: EmergencyOutbox;
  readonly #listeners = new Set<StageListener>();

  constructor(deps: EmergencyDeskDependencies) {
    this.#deps = deps;
    this.#outbox = new EmergencyOutbox({ ...deps, now: () => deps.view.now(), actor: `node:${deps.node}` });
  }

  start(): void {
    this.#outbox.start();
  }

  stop(): void {
    this.#outbox.stop();
  }

  /** Called a moment after each stage of a call on this node, also one that the store has not heard of. */
  onStage(listener: StageListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** An emergency call goes out: a call back finds the desk from now on. Returns at once, never throws. */
  placed(route: EmergencyRoute): EmergencyRecord {
    const record = this.#open(route);
    this.stage(record, 'placed');
    return record;
  }

  /** How it went on. Returns at once, never throws. */
  stage(record: EmergencyRecord, stage: EmergencyStage): void {
    if (record.id === '') return;
    try {
      this.#outbox.add(record, stage);
      this.#deps.timers.setTimer(0, () => this.#tell(record, stage));
    } catch (error) {
      this.#deps.log.error({ err: error, stage }, 'the course of an emergency call was not noted');
    }
  }

  #open(route: EmergencyRoute): EmergencyRecord {
    const { view, random, log } = this.#deps;
    try {
      const site = route.host && view.emergencyDirectory?.sites.get(route.host.site);
      const minutes = site?.callbackMinutes ?? CALLBACK_MINUTES;
      const record = recordOf(route, { id: random.uuid(), at: view.now(), minutes });
      view.keepEmergencies([record]);
      return record;
    } catch (error) {
      log.error({ err: error }, 'an emergency call goes out without a record');
      return recordOf(route, { id: '', at: 0, minutes: 0 });
    }
  }

  #tell(record: EmergencyRecord, stage: EmergencyStage): void {
    for (const listener of this.#listeners) {
      try {
        listener(record, stage);
      } catch (error) {
        this.#deps.log.error({ err: error, stage }, 'a listener failed on an emergency call');
      }
    }
  }
}

function recordOf(
  { number, host, callbackNumber, address, guest }: EmergencyRoute,
  { id, at, minutes }: { readonly id: string; readonly at: number; readonly minutes: number },
): EmergencyRecord {
  return {
    id,
    number,
    host: host?.id,
    nickname: host?.nickname,
    site: host?.site,
    callbackNumber,
    address,
    addressUnverified: host?.location?.verified === false,
    guest: guest && { extension: guest.extension, name: guest.name },
    at,
    callbackUntil: at + minutes * 60_000,
  };
}
