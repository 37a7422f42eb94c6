import type { RingOutcome, StayQuestion, WarnedPhones } from '../../services/expiry-warnings.ts';
import { offerToStay } from '../menus/stay.ts';
import { reasonHeader } from '../reasons.ts';
import type { CallContext } from './connect.ts';
import { emergencyFromMenu } from './emergency.ts';
import { ringPhone, sendText } from './notice.ts';
import type { PhoneState } from './phones-in-use.ts';

export interface WarningCallsOptions {
  readonly context: CallContext;
  /** Whether somebody talks to a menu at this phone. */
  inMenu(host: string): boolean;
}

/**
 * Our own calls to phones, to warn of a log-out. They are no calls of the guest: they do not stand in the call table,
 * and give way as soon as somebody begins a call at the phone.
 */
export class WarningCalls implements WarnedPhones {
  readonly #context: CallContext;
  readonly #inMenu: (host: string) => boolean;
  readonly #under = new Set<AbortController>();
  #emergencies = 0;

  constructor({ context, inMenu }: WarningCallsOptions) {
    this.#context = context;
    this.#inMenu = inMenu;
  }

  /** Calls ringing or answered. */
  get size(): number {
    return this.#under.size;
  }

  /** Calls that have become emergency calls, until somebody has answered them. */
  get pendingEmergencies(): number {
    return this.#emergencies;
  }

  stateOf(host: string): PhoneState {
    const state = this.#context.table.phones.stateOf(host);
    return state === 'free' && this.#inMenu(host) ? 'busy' : state;
  }

  async ring(host: string, question: StayQuestion): Promise<RingOutcome> {
    if (this.stateOf(host) !== 'free' || question.signal.aborted) return 'interrupted';
    const { deps, table } = this.#context;
    const ended = new AbortController();
    const callOff = (): void => ended.abort(reasonHeader(487, 'No longer needed'));
    let forHelp = false;
    const giveWay = table.phones.onUse((used) => {
      if (used !== host) return;
      forHelp ||= this.stateOf(host) === 'emergency';
      callOff();
    });
    question.signal.addEventListener('abort', callOff, { once: true });
    this.#under.add(ended);
    try {
      const outcome = await this.#ring(host, question, ended.signal);
      return forHelp ? 'emergency' : outcome;
    } catch (error) {
      deps.log.error({ err: error, host }, 'warning call failed');
      ended.abort(reasonHeader(500, 'Something went wrong'));
      return 'unanswered';
    } finally {
      this.#under.delete(ended);
      question.signal.removeEventListener('abort', callOff);
      giveWay();
    }
  }

  message(host: string, text: string): void {
    const { deps } = this.#context;
    const found = deps.view.directory?.hosts.get(host);
    if (found) void sendText(deps, found, text);
  }

  /** Ends all of them, but not what has become an emergency call. */
  endAll(reason: string): void {
    for (const ended of this.#under) ended.abort(reason);
  }

  /** Who listens to us cannot be called. */
  async #talk<T>(host: string, talk: () => Promise<T>): Promise<T> {
    const { lines } = this.#context.table;
    const line = lines.begin(
      { kind: 'host', host },
      { direction: 'recipient', state: 'confirmed', remote: undefined },
    );
    try {
      return await talk();
    } finally {
      line.end();
    }
  }

  async #ring(id: string, question: StayQuestion, signal: AbortSignal): Promise<RingOutcome> {
    const { deps } = this.#context;
    const host = deps.view.directory?.hosts.get(id);
    if (!host) return 'unanswered';
    const result = await ringPhone(deps, host, { ringMs: question.ringMs, signal });
    if (result.outcome !== 'answered') return result.outcome;
    const { conversation } = result;
    const emergency = await this.#talk(id, () => offerToStay(deps, conversation, { host: id, question }));
    if (!emergency) return signal.aborted ? 'interrupted' : 'answered';
    this.#emergencies++;
    try {
      await emergencyFromMenu(this.#context, conversation, emergency);
    } finally {
      this.#emergencies--;
    }
    return 'answered';
  }
}
