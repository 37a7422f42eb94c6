import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ALAW_TO_LINEAR, encodeAlaw, encodeUlaw, ULAW_TO_LINEAR } from '../../../src/media/codec/g711.ts';
import { halve } from '../../../src/media/codec/resample.ts';
import { ToneDetector } from '../../../src/media/digits/inband.ts';
import { digitOfInfo } from '../../../src/media/digits/info.ts';
import { DigitMerge } from '../../../src/media/digits/merge.ts';
import { promptIds } from '../../../src/media/prompt-ids.ts';
import { readWav, type Sound } from '../../../src/media/prompts/wav.ts';

const RELAY = 'application/dtmf-relay';
const PROMPTS = new URL('../../../config/prompts/en-GB/', import.meta.url).pathname;

describe('SIP INFO bodies', () => {
  it.each([
    [RELAY, 'Signal=5\r\nDuration=160\r\n', '5'],
    [RELAY, 'Signal=5', '5'],
    [RELAY, 'Duration=160\nSignal = #\n', '#'],
    [RELAY, 'X-Other: 1\r\nsignal=*\r\n', '*'],
    [RELAY, 'Signal=10\r\n', '*'],
    [RELAY, 'Signal=11\r\n', '#'],
    [RELAY, 'Signal=15\r\n', 'D'],
    [RELAY, 'Signal=a\r\n', 'A'],
    [RELAY, 'Signal= star \r\n', '*'],
    [RELAY, 'Signal=Pound\r\n', '#'],
    [RELAY, 'Signal=hash\r\n', '#'],
    ['Application/DTMF-Relay; charset=utf-8', 'Signal=7\r\n', '7'],
    ['application/vnd.nortelnetworks.digits', 'p=Digit-Collection\r\ny=Digits\r\nd=3\r\n', '3'],
    ['application/dtmf', '5', '5'],
    ['application/dtmf', ' #\r\n', '#'],
    ['application/dtmf', 'Signal=5\r\n', '5'],
  ])('%s %j is %s', (type, body, digit) => {
    expect(digitOfInfo(type, body)).toBe(digit);
  });

  it.each([
    [undefined, '5'],
    ['text/plain', '5'],
    [RELAY, '5'],
    [RELAY, 'Signal=\r\n'],
    [RELAY, 'Signal=16\r\n'],
    [RELAY, 'Signal=55\r\n'],
    [RELAY, 'Signal=toString\r\n'],
    [RELAY, ''],
    ['application/dtmf', '12345'],
    ['application/dtmf', `5${' '.repeat(2000)}`],
  ])('%s %j is refused', (type, body) => {
    expect(digitOfInfo(type, body)).toBeUndefined();
  });
});

describe('one press by several paths', () => {
  const merge = (text: string): string => {
    const merged = new DigitMerge();
    const source = { r: 'rtp', i: 'info', b: 'inband' } as const;
    return text
      .split(' ')
      .map((one) => merged.push({ digit: one[1] as string, source: source[one[0] as 'r'] })?.digit ?? '')
      .join('');
  };

  it.each([
    ['each path alone', 'r1 r0 r0 r1', '1001'],
    ['both, RTP first', 'r1 i1 r0 i0 r0 i0 r1 i1', '1001'],
    ['INFO first, then late', 'i1 r1 r0 r0 i0 r1 i0 i1', '1001'],
    ['RTP lost one: INFO carries on', 'r1 i1 i2 r3 i3 r4 i4', '1234'],
    ['three paths', 'b1 r1 i1 i2 b2 r2', '12'],
  ])('%s', (_, heard, expected) => {
    expect(merge(heard)).toBe(expected);
  });
});

describe('tones in the audio', () => {
  const ROWS = [697, 770, 852, 941];
  const COLUMNS = [1209, 1336, 1477, 1633];
  const KEYS = ['123A', '456B', '789C', '*0#D'];
  interface Tone {
    onMs?: number;
    offMs?: number;
    dbfs?: number;
    twist?: number;
    shift?: number;
    noise?: number;
  }

  function tones(keys: string, tone: Tone = {}): Int16Array {
    const { onMs = 60, offMs = 60, dbfs = -12, twist = 0, shift = 1, noise = 0 } = tone;
    const amplitude = 32767 * 10 ** (dbfs / 20);
    const high = amplitude * 10 ** (twist / 20);
    const out: number[] = [];
    for (const key of keys) {
      const row = KEYS.findIndex((line) => line.includes(key));
      const low = (ROWS[row] as number) * shift;
      const column = (COLUMNS[KEYS[row]?.indexOf(key) ?? 0] as number) * shift;
      for (let n = 0; n < onMs * 8; n++) {
        const wave = (hz: number): number => Math.sin((2 * Math.PI * hz * n) / 8000);
        out.push((amplitude * wave(low) + high * wave(column)) / 2);
      }
      for (let n = 0; n < offMs * 8; n++) out.push(0);
    }
    let seed = 1;
    return Int16Array.from(out, (value) => {
      seed = (Math.imul(seed, 1103515245) + 12345) | 0;
      return Math.max(-32768, Math.min(32767, value + noise * amplitude * (seed / 2 ** 31)));
    });
  }

  /** In packets that do not line up with the detector's frames. */
  function listen(samples: Int16Array, law: 'a' | 'u' = 'a'): string {
    const coded = Buffer.from(Array.from(samples, law === 'a' ? encodeAlaw : encodeUlaw));
    const table = law === 'a' ? ALAW_TO_LINEAR : ULAW_TO_LINEAR;
    const detector = new ToneDetector();
    const found: string[] = [];
    for (let at = 0; at < coded.length; at += 240)
      found.push(...detector.push(coded.subarray(at, at + 240), table));
    return found.join('');
  }

  const SIXTEEN = '123A456B789C*0#D';

  it.each<[string, Tone]>([
    ['50 ms on, 50 ms off', { onMs: 50, offMs: 50 }],
    ['100 ms', { onMs: 100, offMs: 100 }],
    ['quiet', { dbfs: -36 }],
    ['loud', { dbfs: -6 }],
    ['high tone louder by 4 dB', { twist: 4 }],
    ['high tone quieter by 8 dB', { twist: -8 }],
    ['1.5 % sharp', { shift: 1.015 }],
    ['1.5 % flat', { shift: 0.985 }],
    ['noise', { noise: 0.2 }],
  ])('16 keys, %s', (_, tone) => {
    expect(listen(tones(SIXTEEN, tone))).toBe(SIXTEEN);
    expect(listen(tones(SIXTEEN, tone), 'u')).toBe(SIXTEEN);
  });

  it('hears the same key twice as two, and a long one as one', () => {
    expect(listen(tones('1001'))).toBe('1001');
    expect(listen(tones('1', { onMs: 3000 }))).toBe('1');
  });

  it('hears one tone alone, silence and 25 ms clicks as nothing', () => {
    const whistle = Int16Array.from(
      { length: 8000 },
      (_, n) => 9000 * Math.sin((2 * Math.PI * 770 * n) / 8000),
    );
    expect(listen(whistle)).toBe('');
    expect(listen(new Int16Array(8000))).toBe('');
    expect(listen(tones('5', { onMs: 18 }))).toBe('');
  });

  it('hears no digit in speech: all our prompts', () => {
    for (const id of promptIds(PROMPTS)) {
      const sound = readWav(readFileSync(`${PROMPTS}${id}.wav`)) as Sound;
      expect(listen(halve(sound.samples)), id).toBe('');
    }
  });
});
