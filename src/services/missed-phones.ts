import type { View } from '../domain/view.ts';
import type { Timers } from './ports.ts';

const EVERY = 5_000;
const MAX_HOSTS = 10_000;

export interface MissedPhonesDependencies {
  readonly view: Pick<View, 'bindingsOf'>;
  readonly timers: Timers;
  /** Called when a phone has registered since it was missed. */
  again(host: string, seq: number): void;
}

interface Missed {
  readonly seq: number;
  /** How it could be reached when it was missed. */
  readonly reached: string;
}

/** Phones that were away when they were to be told something, until they register again. */
export class MissedPhones {
  readonly #deps: MissedPhonesDependencies;
  readonly #hosts = new Map<string, Missed>();
  #timer: { cancel(): void } | undefined;

  constructor(deps: MissedPhonesDependencies) {
    this.#deps = deps;
  }

  get size(): number {
    return this.#hosts.size;
  }

  /** What distinguishes the registrations a host has at this moment from later ones. */
  reachNow(host: string): string {
    const bindings = this.#deps.view.bindingsOf(host);
    return bindings.map(({ contact, callId, cseq }) => `${contact} ${callId} ${cseq}`).join('\n');
  }

  /** With too many, the one missed first is forgotten. */
  add(host: string, missed: Missed): void {
    const [first] = this.#hosts.keys();
    if (this.#hosts.size >= MAX_HOSTS && first !== undefined) this.#hosts.delete(first);
    this.#hosts.set(host, missed);
    this.#watch();
  }

  delete(host: string): void {
    this.#hosts.delete(host);
  }

  clear(): void {
    this.#hosts.clear();
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #watch(): void {
    this.#timer ??= this.#deps.timers.setTimer(EVERY, () => {
      this.#timer = undefined;
      this.#look();
      if (this.#hosts.size > 0) this.#watch();
    });
  }

  #look(): void {
    for (const [host, { seq, reached }] of [...this.#hosts]) {
      const now = this.reachNow(host);
      if (now === '' || now === reached) continue;
      this.#hosts.delete(host);
      this.#deps.again(host, seq);
    }
  }
}
