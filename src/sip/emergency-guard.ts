import type { EmergencyRoute } from '../domain/route.ts';
import type { View } from '../domain/view.ts';
import type { InboundInvite } from './calls/inbound.ts';
import { networkOf } from './digest-guesses.ts';
import type { Clock, Log, Trunk } from './ports.ts';
import { reasonHeader, warning } from './reasons.ts';
import { RecentMap } from './recent-map.ts';
import type { Headers, Request, Response } from './srf.ts';

/** Sources remembered at once; the one that called longest ago makes room. */
const MAX_SOURCES = 5_000;

/** ms between two log lines about one source: a flood must not become one of the log. */
const LOG_EVERY = 10_000;

/** Where phones are; answers at once, from memory. */
export interface PhoneSources {
  /** Whether emergency calls are taken from this address. */
  includes(address: string): boolean;
}

export interface EmergencyGuardDependencies {
  readonly view: Pick<View, 'bindingsOf'>;
  readonly phoneSources: PhoneSources;
  /** Emergency calls one address may have up at once, unless it is a registered desk's. */
  readonly emergencyCallsPerSource: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly domain: string;
}

export type EmergencyVerdict = 'go' | 'elsewhere' | 'tooMany';

/**
 * Keeps strangers and floods from the emergency trunks. A registered desk is never asked anything, and where this itself
 * should fail the call goes out.
 */
export class EmergencyGuard {
  readonly #deps: EmergencyGuardDependencies;
  /** Emergency calls by source address, of addresses without a registered desk. */
  readonly #sources = new RecentMap<Set<InboundInvite>>(MAX_SOURCES);
  /** Until when nothing is logged about a source. */
  readonly #quiet = new RecentMap<number>(MAX_SOURCES);
  #failed = false;

  constructor(deps: EmergencyGuardDependencies) {
    this.#deps = deps;
  }

  /** Decides at once, from memory. `trunk`: the one whose address it comes from. */
  decide(request: Request, route: EmergencyRoute, trunk: Trunk | undefined): EmergencyVerdict {
    try {
      return this.#decide(request, route, trunk);
    } catch (error) {
      this.#report(error);
      return 'go';
    }
  }

  /** Counts a call until it is over. */
  count(invite: InboundInvite): void {
    const source = networkOf(invite.request.source_address);
    const calls = this.#sources.get(source) ?? new Set();
    for (const call of calls) if (call.isOver) calls.delete(call);
    this.#sources.set(source, calls.add(invite));
  }

  /** Answers a call that does not go out. No Retry-After: the phone may well have a better reason to call next. */
  refuse(verdict: Exclude<EmergencyVerdict, 'go'>, request: Request, response: Response): void {
    const { status, text } = REFUSALS[verdict];
    const headers: Headers = {
      Warning: warning(this.#deps.domain, text),
      Reason: reasonHeader(status, text),
    };
    response.send(status, { headers });
    this.#logRefusal(request.source_address, verdict);
  }

  #logRefusal(address: string, verdict: EmergencyVerdict): void {
    const { clock, log } = this.#deps;
    const source = networkOf(address);
    if ((this.#quiet.get(source) ?? 0) > clock.now()) return;
    this.#quiet.set(source, clock.now() + LOG_EVERY);
    log.warn({ source, verdict }, 'EMERGENCY CALL REFUSED');
  }

  #decide(
    { source_address: source }: Request,
    { host }: EmergencyRoute,
    trunk: Trunk | undefined,
  ): EmergencyVerdict {
    if (trunk || (host && this.#isRegistered(host.id, source))) return 'go';
    if (!this.#deps.phoneSources.includes(source)) return 'elsewhere';
    const calls = this.#sources.get(networkOf(source));
    if (!calls || calls.size < this.#deps.emergencyCallsPerSource) return 'go';
    for (const call of calls) if (call.isOver) calls.delete(call);
    return calls.size < this.#deps.emergencyCallsPerSource ? 'go' : 'tooMany';
  }

  #isRegistered(host: string, source: string): boolean {
    return this.#deps.view.bindingsOf(host).some(({ flow }) => flow.address === source);
  }

  #report(error: unknown): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#deps.log.error(
      { err: error },
      'where an emergency call comes from could not be judged: it goes out',
    );
  }
}

const REFUSALS = {
  elsewhere: { status: 403, text: 'Emergency calls are taken from phones here only' },
  tooMany: { status: 503, text: 'Too many emergency calls from one place' },
} as const satisfies Record<Exclude<EmergencyVerdict, 'go'>, { status: number; text: string }>;
