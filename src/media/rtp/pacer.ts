/**
 * One clock for all calls. 20 ms is cut into slots, so that sends do not come in one burst; deadlines are absolute, so
 * nothing drifts whatever the timer does. A late tick catches up at most three frames; after a longer stall the clock
 * starts again from now and the lost frames are never sent.
 */

export interface Paced {
  tick(): void;
}

export interface PacerOptions {
  /** Steady milliseconds. */
  readonly now: () => number;
  readonly setTimer: (run: () => void, ms: number) => void;
  /** Told how many steps were given up. */
  readonly onLost: (steps: number) => void;
  /** A call's tick threw: must not stop the clock for the others. */
  readonly onError: (error: unknown) => void;
  readonly slots?: number;
}

const FRAME_MS = 20;
const MOST_CATCH_UP = 3;

export class Pacer {
  private readonly options: PacerOptions;
  private readonly slots: Set<Paced>[];
  private readonly step: number;
  private origin = 0;
  private done = 0;
  private armed = false;

  constructor(options: PacerOptions) {
    this.options = options;
    this.slots = Array.from({ length: options.slots ?? 4 }, () => new Set<Paced>());
    this.step = FRAME_MS / this.slots.length;
  }

  /** Ticks `paced` every 20 ms from now on, in the emptiest slot. */
  add(paced: Paced): void {
    const slot = this.slots.reduce((least, one) => (one.size < least.size ? one : least));
    slot.add(paced);
    if (this.armed) return;
    this.origin = this.options.now();
    this.done = 0;
    this.arm();
  }

  remove(paced: Paced): void {
    for (const slot of this.slots) slot.delete(paced);
  }

  private arm(): void {
    this.armed = true;
    const wait = this.origin + (this.done + 1) * this.step - this.options.now();
    this.options.setTimer(this.run, wait > 1 ? Math.floor(wait) : 1);
  }

  private readonly run = (): void => {
    for (let due = this.dueSteps(); due > 0; due--) {
      this.done++;
      this.tickSlot(this.slots[this.done % this.slots.length] as Set<Paced>);
    }
    this.armed = this.slots.some((slot) => slot.size > 0);
    if (this.armed) this.arm();
  };

  /** Half a millisecond early counts as due: timers have whole milliseconds. */
  private dueSteps(): number {
    const due = Math.floor((this.options.now() - this.origin + 0.5) / this.step) - this.done;
    const most = this.slots.length * MOST_CATCH_UP;
    if (due <= most) return due;
    this.origin += (due - most) * this.step;
    this.options.onLost(due - most);
    return most;
  }

  private tickSlot(slot: Set<Paced>): void {
    for (const paced of slot) {
      try {
        paced.tick();
      } catch (error) {
        this.options.onError(error);
      }
    }
  }
}
