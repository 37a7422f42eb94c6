import type { Log } from '../ports.ts';
import type { Party } from './leg.ts';

/** `emergency`: in an emergency call, answered or not yet; `busy`: in any other call, dialling or ringing. */
export type PhoneState = 'free' | 'busy' | 'emergency';

/** Ends what was begun, once. */
export type EndUse = () => void;

interface Uses {
  calls: number;
  emergencies: number;
  ringing: number;
}

/** What goes on at our phones as far as this node carries it; kept by the call table. No larger than its calls. */
export class PhonesInUse {
  readonly #phones = new Map<string, Uses>();
  readonly #listeners = new Set<(host: string) => void>();
  readonly #log: Log;

  constructor(log: Log) {
    this.#log = log;
  }

  /** Called when somebody begins or ends a call at a phone; that it rings is not their doing. */
  onUse(listener: (host: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  stateOf(host: string): PhoneState {
    const uses = this.#phones.get(host);
    if (!uses) return 'free';
    return uses.emergencies > 0 ? 'emergency' : 'busy';
  }

  /** Phones somebody calls from or talks at. */
  inUse(): string[] {
    return [...this.#phones].flatMap(([host, { calls, emergencies }]) =>
      calls + emergencies > 0 ? [host] : [],
    );
  }

  /** A call is dialled or goes on. */
  use(party: Party, emergency: boolean): EndUse {
    return this.#count(party, emergency ? 'emergencies' : 'calls');
  }

  /** A phone rings. */
  ring(party: Party): EndUse {
    return this.#count(party, 'ringing');
  }

  #count(party: Party, what: keyof Uses): EndUse {
    // An emergency call may come from a phone nobody knows.
    if (party.kind !== 'host' || party.host === '') return () => undefined;
    const { host } = party;
    const uses = this.#phones.get(host) ?? { calls: 0, emergencies: 0, ringing: 0 };
    this.#phones.set(host, uses);
    uses[what]++;
    if (what !== 'ringing') this.#tell(host);
    let over = false;
    return () => {
      if (over) return;
      over = true;
      uses[what]--;
      if (uses.calls + uses.emergencies + uses.ringing === 0) this.#phones.delete(host);
      if (what !== 'ringing') this.#tell(host);
    };
  }

  /** Calls go on whatever a listener does. */
  #tell(host: string): void {
    for (const listener of this.#listeners) {
      try {
        listener(host);
      } catch (error) {
        this.#log.error({ err: error, host }, 'a listener failed on a call');
      }
    }
  }
}
