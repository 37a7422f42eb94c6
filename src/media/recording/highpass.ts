/** Second-order Butterworth high-pass at 60 Hz for 8 kHz samples: against offset and hum, below every voice. */

const TURN = Math.tan((Math.PI * 60) / 8000);
const SCALE = 1 / (1 + Math.SQRT2 * TURN + TURN * TURN);
const A1 = 2 * (TURN * TURN - 1) * SCALE;
const A2 = (1 - Math.SQRT2 * TURN + TURN * TURN) * SCALE;

/** Filters in place, there and back again, so that nothing is shifted. */
export function highpass(samples: Int16Array): void {
  const [there, back] = [new Highpass(), new Highpass()];
  for (let i = 0; i < samples.length; i++) samples[i] = clamp16(there.next(samples[i] as number));
  for (let i = samples.length - 1; i >= 0; i--) samples[i] = clamp16(back.next(samples[i] as number));
}

function clamp16(value: number): number {
  return Math.max(-32768, Math.min(32767, Math.round(value)));
}

/** Fed with samples as they come. */
export class Highpass {
  private s1 = 0;
  private s2 = 0;

  next(sample: number): number {
    const x = sample * SCALE;
    const y = x + this.s1;
    this.s1 = -2 * x - A1 * y + this.s2;
    this.s2 = x - A2 * y;
    return y;
  }
}
