/** Digits heard as tones, for phones that offer no telephone-event: Goertzel over frames of 20 ms at 8 kHz. */

const FRAME = 160;
const RATE_HZ = 8000;
const ROWS = [697, 770, 852, 941];
const COLUMNS = [1209, 1336, 1477, 1633];
const KEYS = ['123A', '456B', '789C', '*0#D'];

/** Mean square of the quietest frame looked at: about -43 dBm0. */
const GATE = 200 ** 2;
/** A pure pair of tones gives energy × 80; speech does not come near this share of it. */
const PAIR_SHARE = 0.55 * 80;
const ABOVE_OTHERS = 10 ** 0.6; // 6 dB
const TWIST_MIN = 10 ** -1; // high over low, -10 dB
const TWIST_MAX = 10 ** 0.8; // +8 dB

const coefficient = (hz: number): number => 2 * Math.cos((2 * Math.PI * hz) / RATE_HZ);
const ROW_COEFFICIENTS = ROWS.map(coefficient);
const COLUMN_COEFFICIENTS = COLUMNS.map(coefficient);

/** Fed with samples as they arrive; reports a key once it sounded for two frames, again after two without it. */
export class ToneDetector {
  private readonly frame = new Float64Array(FRAME);
  private filled = 0;
  private last: string | undefined;
  private pressed: string | undefined;
  private quiet = 0;

  /** Digits completed by these 8-bit samples; `toLinear` is the table of their codec. */
  push(payload: Buffer, toLinear: Int16Array): string[] {
    const digits: string[] = [];
    for (const code of payload) {
      this.frame[this.filled++] = toLinear[code] as number;
      if (this.filled < FRAME) continue;
      this.filled = 0;
      const digit = this.step(keyIn(this.frame));
      if (digit !== undefined) digits.push(digit);
    }
    return digits;
  }

  private step(key: string | undefined): string | undefined {
    const agreed = key !== undefined && key === this.last;
    this.last = key;
    if (key === this.pressed && key !== undefined) this.quiet = 0;
    else if (++this.quiet >= 2) this.pressed = undefined;
    if (!agreed || key === this.pressed) return undefined;
    this.pressed = key;
    this.quiet = 0;
    return key;
  }
}

/** The key whose two tones make up this frame: 160 samples at 8 kHz. */
export function keyIn(frame: Float64Array): string | undefined {
  let energy = 0;
  for (const sample of frame) energy += sample * sample;
  if (energy < GATE * FRAME) return undefined;
  const rows = ROW_COEFFICIENTS.map((c) => power(frame, c));
  const columns = COLUMN_COEFFICIENTS.map((c) => power(frame, c));
  const row = strongest(rows);
  const column = strongest(columns);
  if (row === undefined || column === undefined) return undefined;
  const low = rows[row] as number;
  const high = columns[column] as number;
  if (high < low * TWIST_MIN || high > low * TWIST_MAX || low + high < PAIR_SHARE * energy) return undefined;
  return KEYS[row]?.[column];
}

/** Goertzel: the squared amplitude of one frequency in the frame. */
function power(frame: Float64Array, c: number): number {
  let s1 = 0;
  let s2 = 0;
  for (const sample of frame) {
    const s0 = sample + c * s1 - s2;
    s2 = s1;
    s1 = s0;
  }
  return s1 * s1 + s2 * s2 - c * s1 * s2;
}

/** Index of the power at least 6 dB above all others of its group. */
function strongest(powers: readonly number[]): number | undefined {
  const best = powers.indexOf(Math.max(...powers));
  const rest = Math.max(...powers.filter((_, i) => i !== best));
  return (powers[best] as number) >= rest * ABOVE_OTHERS ? best : undefined;
}
