import type { EmergencyRecord, EmergencyStage } from '../../domain/emergency-record.ts';
import type { ToldStage } from './content.ts';
import type { Delivery } from './delivery.ts';

/** An emergency call as this node knows it. Times in ms since 1970. */
export interface KnownEmergency {
  readonly record: EmergencyRecord;
  /** When each stage was reached. */
  readonly stages: Map<EmergencyStage, number>;
  /** Which administrator has acknowledged it. */
  acknowledgedBy: string | undefined;
  /** Who is told of it by this node. */
  readonly deliveries: Delivery[];
  /** Stages this node has taken in hand, or left to another. */
  readonly handled: Set<ToldStage>;
  /** Ends what is under way about it. */
  readonly forgotten: AbortController;
}

const MOST = 1_000;

/** The newest thousand emergency calls. */
export class EmergencyTable {
  readonly #known = new Map<string, KnownEmergency>();
  readonly #most: number;

  constructor(most = MOST) {
    this.#most = most;
  }

  get size(): number {
    return this.#known.size;
  }

  /** Notes a stage; the one learnt of first makes room, and what is under way about it ends. */
  note(record: EmergencyRecord, stage: EmergencyStage, at: number): KnownEmergency {
    const known = this.#known.get(record.id) ?? this.#add(record);
    if (!known.stages.has(stage)) known.stages.set(stage, at);
    return known;
  }

  get(id: string): KnownEmergency | undefined {
    return this.#known.get(id);
  }

  /** Notes who has acknowledged a call that is known here; the first stays. */
  acknowledge(id: string, by: string): void {
    const known = this.#known.get(id);
    if (known) known.acknowledgedBy ??= by;
  }

  /** As `note`, for what is only remembered: it takes nobody's room. */
  recall(record: EmergencyRecord, stage: EmergencyStage, at: number): void {
    if (this.#known.has(record.id) || this.#known.size < this.#most) this.note(record, stage, at);
  }

  /** Calls placed since then (ms since 1970), or still open, newest first. */
  since(from: number, now: number): KnownEmergency[] {
    const all = [...this.#known.values()];
    return all
      .filter(({ record }) => record.at >= from || record.callbackUntil > now)
      .sort((a, b) => b.record.at - a.record.at);
  }

  /** Ends all that is under way. */
  forgetAll(): void {
    for (const { forgotten } of this.#known.values()) forgotten.abort();
    this.#known.clear();
  }

  #add(record: EmergencyRecord): KnownEmergency {
    const [first] = this.#known.values();
    if (first && this.#known.size >= this.#most) {
      this.#known.delete(first.record.id);
      first.forgotten.abort();
    }
    const known = {
      record,
      stages: new Map<EmergencyStage, number>(),
      acknowledgedBy: undefined,
      deliveries: [],
      handled: new Set<ToldStage>(),
      forgotten: new AbortController(),
    };
    this.#known.set(record.id, known);
    return known;
  }
}
