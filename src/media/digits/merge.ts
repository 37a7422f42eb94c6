import type { Digit, DigitSource } from '../media.ts';

/**
 * A phone may report one press by several paths at once. Each path delivers the whole sequence or a part of it, so a
 * path's n-th digit counts only if fewer than n were reported: the fastest leads, one that lost a digit is carried by
 * the others, nothing doubles, and nobody has to guess which path is the true one.
 */
export class DigitMerge {
  private readonly counts: Record<DigitSource, number> = { rtp: 0, info: 0, inband: 0 };
  private reported = 0;

  /** The digit to report, or undefined when another path was faster. */
  push(digit: Digit): Digit | undefined {
    const count = ++this.counts[digit.source];
    if (count <= this.reported) return undefined;
    this.reported = count;
    return digit;
  }
}
