import type { EmergencyRecord } from '../../domain/emergency-record.ts';
import type { Notice, ToldStage } from './content.ts';

/** What came of one try with one recipient; `final`: it never will. */
export type Outcome =
  | { readonly told: true }
  | { readonly told: false; readonly problem: string; readonly final: boolean };

export interface Telling {
  readonly record: EmergencyRecord;
  readonly stage: ToldStage;
  readonly notice: Notice;
}

/** A way to tell people. */
export interface Channel {
  readonly name: 'email' | 'message';
  /** ms before each try after the first. */
  readonly waits: readonly number[];
  /** ms one try may take. */
  readonly patienceMs: number;
  /** Tries at once. */
  readonly atOnce: number;
  recipients(record: EmergencyRecord): readonly string[];
  /** Tells these. A recipient that is not in the answer was not reached. */
  tell(telling: Telling, to: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, Outcome>>;
}
