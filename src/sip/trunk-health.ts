import type { Clock, Log, Timer, Trunk, TrunkHealth } from './ports.ts';
import type { Srf } from './srf.ts';
import { withoutUser } from './uri.ts';

/** ms without an answer after which a trunk has failed a probe. */
const PATIENCE = 5_000;

/** Failures in a row before a trunk counts as down: one packet may get lost. */
const FAILURES = 2;

/** Made up by the server when nothing came, or said by what stands before a trunk that is gone. */
const NO_LIFE = new Set([408, 503]);

interface Known {
  readonly trunk: Trunk;
  failures: number;
}

export interface TrunkProbesOptions {
  readonly srf: Pick<Srf, 'request'>;
  readonly trunks: readonly Trunk[];
  readonly clock: Clock;
  readonly log: Log;
  /** Domain we call ourselves by. */
  readonly domain: string;
  /** ms between two probes of a trunk; 0: none is asked, all count as up. */
  readonly everyMs: number;
}

/**
 * Asks every trunk now and then whether it lives (OPTIONS, RFC 3261 11). Any answer at all is life. Calls only read
 * what is known, and what is known only changes the order in which trunks are tried.
 */
export class TrunkProbes implements TrunkHealth {
  readonly #options: TrunkProbesOptions;
  readonly #known: ReadonlyMap<string, Known>;
  readonly #waiting = new Set<Timer>();
  #stopped = true;

  constructor(options: TrunkProbesOptions) {
    this.#options = options;
    this.#known = new Map(options.trunks.map((trunk) => [trunk.name, { trunk, failures: 0 }]));
  }

  /** The first probe goes out after one interval. */
  start(): void {
    this.#stopped = false;
    if (this.#options.everyMs > 0 && this.#known.size > 0)
      this.#later(this.#options.everyMs, () => this.#round());
  }

  /** No probe goes out and nothing changes any more. */
  stop(): void {
    this.#stopped = true;
    for (const timer of this.#waiting) timer.cancel();
    this.#waiting.clear();
  }

  isDown(trunk: string): boolean {
    return (this.#known.get(trunk)?.failures ?? 0) >= FAILURES;
  }

  #round(): void {
    this.#later(this.#options.everyMs, () => this.#round());
    for (const known of this.#known.values()) this.#probe(known);
  }

  #probe(known: Known): void {
    const { everyMs, log } = this.#options;
    let open = true;
    const settle = (): boolean => {
      const first = open && !this.#stopped;
      open = false;
      patience.cancel();
      return first;
    };
    const patience = this.#later(Math.min(PATIENCE, everyMs), () => settle() && this.#failed(known));
    try {
      this.#ask(known.trunk, (status) => {
        // Not sent at all: that says nothing about the trunk.
        if (status === undefined) return void settle();
        if (!NO_LIFE.has(status)) this.#answered(known);
        else if (open) this.#failed(known);
        settle();
      });
    } catch (error) {
      // No connection to the SIP server.
      settle();
      log.debug({ err: error, trunk: known.trunk.name }, 'trunk not probed');
    }
  }

  /** `done` gets the status of the answer, which may come late or never, or nothing when the request was not sent. */
  #ask(trunk: Trunk, done: (status: number | undefined) => void): void {
    const { srf, domain } = this.#options;
    const uri = withoutUser(trunk.uri);
    const headers = {
      From: `<sip:hotdesk@${domain}>`,
      To: `<${uri}>`,
      Contact: '<sip:hotdesk@localhost>',
      Accept: 'application/sdp',
    };
    srf.request(uri, { method: 'OPTIONS', headers }, (error, request) => {
      if (error) return done(undefined);
      request.on('response', ({ status }) => status >= 200 && done(status));
    });
  }

  #answered(known: Known): void {
    if (this.#stopped) return;
    if (this.isDown(known.trunk.name)) this.#options.log.info({ trunk: known.trunk.name }, 'trunk is back');
    known.failures = 0;
  }

  #failed(known: Known): void {
    if (this.#stopped) return;
    known.failures = Math.min(known.failures + 1, FAILURES + 1);
    if (known.failures === FAILURES)
      this.#options.log.warn({ trunk: known.trunk.name }, 'trunk gives no sign of life: it is tried last');
  }

  #later(ms: number, run: () => unknown): Timer {
    const { clock } = this.#options;
    const timer = clock.setTimer(ms, () => {
      this.#waiting.delete(timer);
      run();
    });
    this.#waiting.add(timer);
    return {
      cancel: () => {
        this.#waiting.delete(timer);
        timer.cancel();
      },
    };
  }
}
