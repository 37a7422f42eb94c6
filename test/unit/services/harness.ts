import { createHash } from 'node:crypto';
import type { BindingSet } from '../../../src/domain/binding.ts';
import { LocalView } from '../../../src/services/local-view.ts';
import type { Log } from '../../../src/services/ports.ts';
import { FakeStore } from '../../support/fake-store.ts';

export const PEPPER = createHash('sha256').update('pepper of the tests').digest();

/** A log that keeps what it is told. */
export class TestLog implements Log {
  readonly lines: { readonly level: string; readonly data: object; readonly text: string }[] = [];

  info(data: object, text: string): void {
    this.lines.push({ level: 'info', data, text });
  }
  warn(data: object, text: string): void {
    this.lines.push({ level: 'warn', data, text });
  }
  error(data: object, text: string): void {
    this.lines.push({ level: 'error', data, text });
  }
  level(level: string): string[] {
    return this.lines.filter((line) => line.level === level).map(({ text }) => text);
  }
}

/** Store, view and time for one test; the node's clock may differ from the store's. */
export class Harness {
  now = 1_700_000_000_000;
  storeOffset = 0;
  readonly log = new TestLog();
  readonly store = new FakeStore(() => this.now + this.storeOffset);
  readonly clock = {
    now: () => this.now,
    setTimer: (ms: number, run: () => void) => this.#setTimer(ms, run),
  };
  readonly view = new LocalView({ clock: this.clock, log: this.log });
  readonly #timers: { readonly at: number; readonly run: () => void; cancelled: boolean }[] = [];
  readonly #following = new AbortController();
  #uuid = 0;
  readonly random = { uuid: () => `op-${++this.#uuid}` };

  /** Lets time pass and runs the timers that come due. */
  pass(ms: number): void {
    this.now += ms;
    const due = this.#timers.filter(({ at }) => at <= this.now);
    for (const timer of due) {
      this.#timers.splice(this.#timers.indexOf(timer), 1);
      if (!timer.cancelled) timer.run();
    }
  }

  #setTimer(ms: number, run: () => void): { cancel(): void } {
    const timer = { at: this.now + ms, run, cancelled: false };
    this.#timers.push(timer);
    return {
      cancel: () => {
        timer.cancelled = true;
      },
    };
  }

  async follow(): Promise<void> {
    await this.store.follow(this.view, this.#following.signal);
  }

  /** As when the connection breaks: nothing arrives any more. */
  disconnect(): void {
    this.store.down = true;
    this.#following.abort();
  }

  /** Connects again: the store gives a snapshot anew. */
  async reconnect(): Promise<void> {
    this.store.down = false;
    await this.store.follow(this.view, new AbortController().signal);
  }

  seat(host: string, guest: string, limitMs: number | 'never' = 'never') {
    return this.store.associate({
      host,
      guest,
      limitMs,
      idleLimitMs: 'never',
      site: 'london',
      occupied: 'takeover',
      secondDesk: 'move',
      actor: 'test',
      opId: this.random.uuid(),
    });
  }
}

export function noBindings(version = 0): BindingSet {
  return { version, bindings: [] };
}

/** Lets promises that are due run. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}
