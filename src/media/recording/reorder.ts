import { seqDelta } from '../rtp/serial.ts';

/** Packets that wait for one before them: 60 ms of audio, as most phones cut it. */
const MOST_HELD = 3;
/** Further ahead or behind than this (2 s) is a sender that started afresh. */
const RESTART = 100;

/** Puts packets of one source in the order of their sequence numbers; late and repeated ones are dropped. */
export class Reorder<T> {
  private readonly held = new Map<number, T>();
  private next: number | undefined;

  /** The packets that are next now, in order. */
  push(seq: number, packet: T): T[] {
    const ahead = this.next === undefined ? 0 : seqDelta(seq, this.next);
    const restarted = Math.abs(ahead) > RESTART;
    if (ahead < 0 && !restarted) return [];
    const before = restarted ? this.flush() : [];
    this.next ??= seq;
    if (!this.held.has(seq)) this.held.set(seq, packet);
    return [...before, ...this.release()];
  }

  /** All that is held, in order; whatever comes next begins anew. */
  flush(): T[] {
    const rest: T[] = [];
    while (this.held.size > 0) {
      this.next = this.lowest();
      rest.push(...this.run());
    }
    this.next = undefined;
    return rest;
  }

  private release(): T[] {
    const ready = this.run();
    if (this.held.size <= MOST_HELD) return ready;
    this.next = this.lowest();
    return [...ready, ...this.run()];
  }

  /** Takes out what follows without a gap. */
  private run(): T[] {
    const run: T[] = [];
    for (let seq = this.next as number; this.held.has(seq); seq = (seq + 1) & 0xffff) {
      run.push(this.held.get(seq) as T);
      this.held.delete(seq);
      this.next = (seq + 1) & 0xffff;
    }
    return run;
  }

  private lowest(): number {
    const from = this.next as number;
    return [...this.held.keys()].reduce((a, b) => (seqDelta(a, from) < seqDelta(b, from) ? a : b));
  }
}
