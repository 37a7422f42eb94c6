import type { FaceOutcome, FaceState, PhonePort } from '../services/ports.ts';
import type { Target } from './calls/fork.ts';
import { phoneTargets } from './calls/targets.ts';
import type { SipDependencies } from './ports.ts';
import type { Headers } from './srf.ts';

/** NOTIFYs under way at once; the others wait their turn. */
const MAX_IN_FLIGHT = 50;
/** ms a phone has to answer: five transmissions over UDP (RFC 3261 17.1.2). */
const PATIENCE = 8_000;

export interface CheckSyncOptions {
  readonly deps: Pick<SipDependencies, 'srf' | 'view' | 'clock' | 'log' | 'domain'>;
  /** What goes on at a phone; menus count. */
  stateOf(host: string): 'free' | 'busy' | 'emergency';
  readonly maxInFlight?: number;
}

/**
 * Has phones read their configuration again, by a NOTIFY `check-sync` without a dialog, sent down the flow they
 * registered over. Without `;reboot=…`, which is no Polycom word: a VVX with alwaysReboot=0 then restarts nothing
 * unless a parameter demands it (phones.md 4.1, 4.4). It says nothing about who sits there, so it can never be out
 * of date.
 */
export class CheckSync implements PhonePort {
  readonly #options: CheckSyncOptions;
  readonly #waiting: (() => void)[] = [];
  #inFlight = 0;

  constructor(options: CheckSyncOptions) {
    this.#options = options;
  }

  isFree(host: string): boolean {
    return this.#options.stateOf(host) === 'free';
  }

  async update(id: string, _state: FaceState): Promise<FaceOutcome> {
    const { view, domain } = this.#options.deps;
    const host = view.directory?.hosts.get(id);
    if (!host) return 'nobody';
    const identity = { name: '', number: id };
    const targets = phoneTargets([host], view, { identity, domain, called: id });
    const outcomes = await Promise.all(targets.map((target) => this.#inTurn(id, target)));
    if (outcomes.length === 0) return 'nobody';
    return outcomes.includes('told') ? 'told' : outcomes.includes('failed') ? 'failed' : 'refused';
  }

  async #inTurn(host: string, target: Target): Promise<FaceOutcome> {
    const room = this.#options.maxInFlight ?? MAX_IN_FLIGHT;
    if (this.#inFlight >= room) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#inFlight++;
    try {
      return await this.#notify(host, target);
    } finally {
      // The place goes to who waits longest, or is free.
      const next = this.#waiting.shift();
      if (next) next();
      else this.#inFlight--;
    }
  }

  #notify(host: string, target: Target): Promise<FaceOutcome> {
    const { srf, clock, log } = this.#options.deps;
    return new Promise((resolve) => {
      const settle = (outcome: FaceOutcome, data: object): void => {
        patience.cancel();
        log.debug({ host, ...data }, `check-sync: ${outcome}`);
        resolve(outcome);
      };
      const patience = clock.setTimer(PATIENCE, () => settle('failed', { status: 408 }));
      const options = { method: 'NOTIFY', headers: headersFor(target), ...proxyOf(target) };
      try {
        srf.request(target.uri, options, (error, request) => {
          if (error) return settle('failed', { err: error });
          request.on('response', ({ status }) => {
            if (status >= 200) settle(outcomeOf(status), { status });
          });
        });
      } catch (error) {
        // drachtio-srf throws while it has no server.
        settle('failed', { err: error });
      }
    });
  }
}

function headersFor({ headers }: Target): Headers {
  const { From = '', To = '' } = headers;
  return {
    From,
    To,
    Contact: '<sip:hotdesk@localhost>',
    Event: 'check-sync',
    'Subscription-State': 'active',
  };
}

function proxyOf({ proxy }: Target): { proxy?: string } {
  return proxy === undefined ? {} : { proxy };
}

/** A challenge is not answered: no phone gets a digest of ours to crack. */
function outcomeOf(status: number): FaceOutcome {
  if (status < 300) return 'told';
  return status === 408 || status === 480 || status >= 500 ? 'failed' : 'refused';
}
