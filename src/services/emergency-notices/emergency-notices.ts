import type { ChangeEvent } from '../../domain/association.ts';
import type { EmergencyRecord, EmergencyStage } from '../../domain/emergency-record.ts';
import type { Refusal } from '../../domain/reasons.ts';
import type { View } from '../../domain/view.ts';
import type { Store } from '../../store/store.ts';
import type { Log, Timers } from '../ports.ts';
import { whileStoreAnswers } from '../while-store-answers.ts';
import type { Channel } from './channel.ts';
import { Claims } from './claims.ts';
import { isTold, noticeOf, type ToldStage } from './content.ts';
import { type Delivery, deliver } from './delivery.ts';
import { Lane } from './lane.ts';
import { pause } from './pause.ts';
import { Recollection } from './recollection.ts';
import { EmergencyTable, type KnownEmergency } from './table.ts';

export interface EmergencyNoticesDependencies {
  readonly store: Pick<Store, 'claimOnce' | 'history' | 'noteEmergency' | 'available'>;
  readonly view: Pick<View, 'directory' | 'emergencyDirectory'> & {
    /** The store's clock, ms since 1970. */
    now(): number;
    onChange(listener: (event: ChangeEvent) => void): () => void;
    onReconnect(listener: () => void): () => void;
    /** Records open on this node, from the store or its own disk. */
    openEmergencies(): readonly EmergencyRecord[];
    onEmergency(listener: (record: EmergencyRecord) => void): () => void;
  };
  readonly channels: readonly Channel[];
  readonly timers: Timers;
  readonly log: Log;
}

/** An emergency call for the API. Times in ms since 1970. */
export interface EmergencyOverview {
  readonly record: EmergencyRecord;
  /** A call back rings the desk. */
  readonly open: boolean;
  readonly stages: readonly { readonly stage: EmergencyStage; readonly at: number }[];
  /** Which administrator was the first to say that they have seen it: `admin:<name>`. */
  readonly acknowledged: { readonly by: string; readonly at: number } | undefined;
  /** As this node tells them; what another node does is known there. */
  readonly deliveries: readonly Delivery[];
}

const DAY_MS = 86_400_000;
/** ms that others leave to the node which has the call, and which may have to wait for the store itself. */
const AFTER_YOU_MS = 2_000;
/** ms after which another node looks whether who took it in hand has told people. */
const LOOK_AGAIN_MS = 60_000;
/** How often it looks while the store is away. */
const MOST_LOOKS = 5;
/** Of an open record without news nobody is told when the call is longer ago, in ms. */
const TOO_LATE_MS = 15 * 60_000;
/** ms that first tries have to end when the node stops. */
const LAST_WORDS_MS = 2_000;

/**
 * Tells people of emergency calls, at the same moment and never in the way: all of it happens after the call has gone
 * out, on timers of its own. One node tells each stage by each channel; without the store every node that knows does.
 * Who is to tell says when it is done; if nobody has said so after a minute, as after a crash, another node tells.
 */
export class EmergencyNotices {
  readonly #deps: EmergencyNoticesDependencies;
  readonly #claims: Claims;
  readonly #lanes: ReadonlyMap<Channel, Lane>;
  readonly #table = new EmergencyTable();
  readonly #recollection: Recollection;
  readonly #firstTries = new Set<Promise<void>>();
  #unsubscribe: (() => void)[] = [];
  #running = false;

  constructor(deps: EmergencyNoticesDependencies) {
    this.#deps = deps;
    this.#claims = new Claims(deps.store, deps.timers);
    this.#lanes = new Map(deps.channels.map((channel) => [channel, new Lane(channel.atOnce)]));
    this.#recollection = new Recollection(deps, this.#table);
  }

  start(): void {
    if (this.#running) return;
    this.#running = true;
    const { view } = this.#deps;
    this.#unsubscribe = [
      view.onChange((event) => {
        if (event.kind !== 'emergency') return;
        const { record, stage, at, actor } = event;
        this.#hear({ record, stage, at, by: actor }, AFTER_YOU_MS);
      }),
      view.onEmergency((record) => this.#hearOfOpen(record)),
      view.onReconnect(() => this.#recollection.forget()),
    ];
    for (const record of view.openEmergencies()) this.#hearOfOpen(record);
  }

  /** Lets first tries end, for two seconds; what is still pending then is not told by this node. */
  async stop(): Promise<void> {
    this.#running = false;
    for (const unsubscribe of this.#unsubscribe.splice(0)) unsubscribe();
    const enough = new AbortController();
    const late = pause(this.#deps.timers, LAST_WORDS_MS, enough.signal);
    await Promise.race([Promise.all(this.#firstTries), late]);
    enough.abort();
    this.#table.forgetAll();
  }

  /**
   * Tells people of a stage reached on this node, with the store or without; the same stage of the same record again
   * changes nothing. Returns at once, never throws.
   */
  tell(record: EmergencyRecord, stage: EmergencyStage): void {
    try {
      this.#hear({ record, stage, at: this.#deps.view.now(), by: '' }, 0);
    } catch (error) {
      this.#deps.log.error({ err: error }, 'people are not told of an emergency call');
    }
  }

  /** Open calls and those of the last 24 hours, newest first. `complete`: the store was asked as well. */
  async list(): Promise<{ readonly emergencies: readonly EmergencyOverview[]; readonly complete: boolean }> {
    const { view } = this.#deps;
    const now = view.now();
    const complete = await this.#recollection.refresh(now - DAY_MS);
    const emergencies = this.#table.since(now - DAY_MS, now).map((known) => overviewOf(known, now));
    return { emergencies, complete };
  }

  /**
   * An administrator has seen a call that is listed. The first who says so stays; once the store has it, it is so on every
   * node and after a restart.
   */
  async acknowledge(id: string, actor: string): Promise<EmergencyOverview | Refusal> {
    const { store, view } = this.#deps;
    const since = view.now() - DAY_MS;
    const isComplete = this.#table.get(id) !== undefined || (await this.#recollection.refresh(since));
    const known = this.#table.get(id);
    if (!known) return { refused: isComplete ? 'unknownEmergency' : 'storeUnavailable' };
    if (!known.stages.has('acknowledged')) {
      const noted = await whileStoreAnswers(() => store.noteEmergency(known.record, 'acknowledged', actor));
      if (noted) return noted;
      // Another may have been first, on another node: the log knows.
      this.#recollection.forget();
      await this.#recollection.refresh(since);
      this.#table.note(known.record, 'acknowledged', view.now());
      this.#table.acknowledge(id, actor);
    }
    return overviewOf(known, view.now());
  }

  /** Not a moment of the call's: everything begins with a timer. */
  #hear(news: News, waitMs: number): void {
    if (!this.#running) return;
    this.#deps.timers.setTimer(0, () => this.#atLeisure(() => this.#take(news, waitMs)));
  }

  #take({ record, stage, at, by }: News, waitMs: number): void {
    if (!this.#running) return;
    const emergency = this.#table.note(record, stage, at);
    if (stage === 'acknowledged') this.#table.acknowledge(record.id, by);
    if (!isTold(stage) || emergency.handled.has(stage)) return;
    emergency.handled.add(stage);
    const first = this.#safely(this.#begin(emergency, { stage, waitMs }), record).then(
      () => void this.#firstTries.delete(first),
    );
    this.#firstTries.add(first);
  }

  /** From a snapshot: whoever was to tell may have gone with the node that had the call. */
  #hearOfOpen(record: EmergencyRecord): void {
    if (!this.#running) return;
    this.#deps.timers.setTimer(0, () => this.#atLeisure(() => this.#takeOpen(record)));
  }

  #takeOpen(record: EmergencyRecord): void {
    if (!this.#running) return;
    this.#table.recall(record, 'placed', record.at);
    if (this.#deps.view.now() - record.at > TOO_LATE_MS) return;
    const emergency = this.#table.note(record, 'placed', record.at);
    const { signal } = emergency.forgotten;
    const look = async (): Promise<void> => {
      await pause(this.#deps.timers, LOOK_AGAIN_MS, signal);
      if (signal.aborted || emergency.handled.has('placed')) return;
      emergency.handled.add('placed');
      await Promise.all(this.#unitsOf(emergency, 'placed').map((unit) => this.#tellIfNobodyHas(unit)));
    };
    void this.#safely(look(), record);
  }

  async #begin(
    emergency: KnownEmergency,
    { stage, waitMs }: { readonly stage: ToldStage; readonly waitMs: number },
  ): Promise<void> {
    if (waitMs > 0) await pause(this.#deps.timers, waitMs, emergency.forgotten.signal);
    if (emergency.forgotten.signal.aborted) return;
    await Promise.all(this.#unitsOf(emergency, stage).map((unit) => this.#tellInTurn(unit)));
  }

  #unitsOf(emergency: KnownEmergency, stage: ToldStage): Unit[] {
    const units: Unit[] = [];
    for (const channel of this.#deps.channels) {
      // One channel that is broken takes no other with it.
      this.#atLeisure(() => {
        const to = channel.recipients(emergency.record);
        if (to.length > 0) units.push({ emergency, stage, channel, to });
      });
    }
    return units;
  }

  /** Resolves after the first try. */
  async #tellInTurn(unit: Unit): Promise<void> {
    const { signal } = unit.emergency.forgotten;
    const name = claimOf('told', unit);
    const claim = await this.#claims.claim(name, signal);
    if (signal.aborted) return;
    if (claim === 'theirs') {
      const later = pause(this.#deps.timers, LOOK_AGAIN_MS, signal).then(() => this.#tellIfNobodyHas(unit));
      void this.#safely(later, unit.emergency.record);
      return;
    }
    if (claim === 'away') void this.#claims.insist(name, signal);
    await this.#tell(unit);
  }

  async #tellIfNobodyHas(unit: Unit): Promise<void> {
    const { signal } = unit.emergency.forgotten;
    for (let looks = 0; looks < MOST_LOOKS && !signal.aborted; looks++) {
      const claim = await this.#claims.claim(claimOf('done', unit), signal);
      if (claim === 'ours' && !signal.aborted) return this.#tell(unit);
      if (claim === 'theirs') return;
      await pause(this.#deps.timers, LOOK_AGAIN_MS, signal);
    }
  }

  /** Resolves after the first try; the others follow. */
  #tell(unit: Unit): Promise<void> {
    const { emergency, stage, channel, to } = unit;
    const { signal } = emergency.forgotten;
    const deliveries = to.map(
      (address): Delivery => ({
        ...{ stage, channel: channel.name, to: address },
        ...{ state: 'pending', tries: 0, problem: undefined },
      }),
    );
    emergency.deliveries.push(...deliveries);
    const telling = { record: emergency.record, stage, notice: this.#noticeOf(emergency, stage) };
    const { timers, log } = this.#deps;
    const lane = this.#lanes.get(channel) ?? new Lane(channel.atOnce);
    return new Promise((resolve) => {
      void deliver(channel, telling, { deliveries, timers, log, lane, signal, onFirstTry: resolve }).then(
        () => {
          void this.#claims.insist(claimOf('done', unit), signal);
        },
      );
    });
  }

  #noticeOf({ record, stages }: KnownEmergency, stage: ToldStage) {
    const { view } = this.#deps;
    const directory = view.directory ?? view.emergencyDirectory;
    const site = record.site === undefined ? undefined : directory?.sites.get(record.site);
    const at = stages.get(stage) ?? record.at;
    return noticeOf(record, { stage, at, site, company: directory?.company.name });
  }

  /** Never rejects: what nobody waits for would end the process. */
  #safely(work: Promise<void>, { id }: EmergencyRecord): Promise<void> {
    return work.catch((error: unknown) => {
      this.#deps.log.error({ err: error, emergency: id }, 'people are not told of an emergency call');
    });
  }

  /** A timer has nobody above it to catch what is thrown. */
  #atLeisure(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#deps.log.error({ err: error }, 'people are not told of an emergency call');
    }
  }
}

const ORDER: readonly EmergencyStage[] = ['placed', 'answered', 'failed', 'calledBack', 'acknowledged'];

function overviewOf(known: KnownEmergency, now: number): EmergencyOverview {
  const { record, stages, deliveries, acknowledgedBy: by = '' } = known;
  const at = stages.get('acknowledged');
  return {
    record,
    open: record.callbackUntil > now,
    stages: inOrder(stages),
    acknowledged: at === undefined ? undefined : { by, at },
    deliveries: [...deliveries],
  };
}

function inOrder(stages: ReadonlyMap<EmergencyStage, number>): EmergencyOverview['stages'] {
  return ORDER.flatMap((stage) => {
    const at = stages.get(stage);
    return at === undefined ? [] : [{ stage, at }];
  });
}

interface News {
  readonly record: EmergencyRecord;
  readonly stage: EmergencyStage;
  readonly at: number;
  /** Who did it, as the log of changes names them. */
  readonly by: string;
}

/** One stage of one call by one channel. */
interface Unit {
  readonly emergency: KnownEmergency;
  readonly stage: ToldStage;
  readonly channel: Channel;
  readonly to: readonly string[];
}

function claimOf(what: 'told' | 'done', { emergency, stage, channel }: Unit): string {
  return `${what}:${channel.name}:${emergency.record.id.slice(0, 64)}:${stage}`;
}
