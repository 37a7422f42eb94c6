import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { makeClip, SILENCE } from '../../../src/media/codec/codecs.ts';
import { ALAW_TO_LINEAR, encodeAlaw, encodeUlaw, ULAW_TO_LINEAR } from '../../../src/media/codec/g711.ts';
import { encodeG722, NarrowG722Decoder, NarrowG722Encoder } from '../../../src/media/codec/g722.ts';
import { LONGEST_RECORDING, recordedClip } from '../../../src/media/codec/recorded-clip.ts';
import { double, halve } from '../../../src/media/codec/resample.ts';
import { voiceOf } from '../../support/sound.ts';

const EVERY_SAMPLE = Array.from({ length: 65_536 }, (_, i) => i - 32_768);

/** The textbook way to write u-law: count down from the top bit. */
function textbookUlaw(sample: number): number {
  const sign = sample < 0 ? 0x80 : 0;
  const biased = Math.min(Math.abs(sample), 32_635) + 132;
  let exponent = 7;
  for (let mask = 0x4000; exponent > 0 && (biased & mask) === 0; mask >>= 1) exponent--;
  return ~(sign | (exponent << 4) | ((biased >> (exponent + 3)) & 15)) & 0xff;
}

/** Sun's reference for A-law: 13 bits, a table of segment ends. */
function referenceAlaw(sample: number): number {
  const value = sample >> 3;
  const mask = value >= 0 ? 0xd5 : 0x55;
  const magnitude = value >= 0 ? value : -value - 1;
  const segment = [0x1f, 0x3f, 0x7f, 0xff, 0x1ff, 0x3ff, 0x7ff, 0xfff].findIndex((end) => magnitude <= end);
  return ((segment << 4) | ((segment < 2 ? magnitude >> 1 : magnitude >> segment) & 15)) ^ mask;
}

function sine(hz: number, rate: number, count = rate): Int16Array {
  return Int16Array.from({ length: count }, (_, n) => 10_000 * Math.sin((2 * Math.PI * hz * n) / rate));
}

function rms(samples: Int16Array): number {
  const middle = samples.slice(200, -200);
  return Math.sqrt(middle.reduce((sum, x) => sum + x * x, 0) / middle.length);
}

describe('G.711', () => {
  it('u-law is the textbook for every sample', () => {
    expect(EVERY_SAMPLE.filter((s) => encodeUlaw(s) !== textbookUlaw(s))).toEqual([]);
  });

  it('A-law is the reference for every sample', () => {
    expect(EVERY_SAMPLE.filter((s) => encodeAlaw(s) !== referenceAlaw(s))).toEqual([]);
  });

  it('what is decoded encodes to itself', () => {
    for (let code = 0; code < 256; code++) {
      expect(encodeAlaw(ALAW_TO_LINEAR[code] as number)).toBe(code);
      // u-law has two zeros
      if (code !== 0x7f) expect(encodeUlaw(ULAW_TO_LINEAR[code] as number)).toBe(code);
    }
  });
});

describe('G.722', () => {
  /** Loud noise, a sweep and full-scale square wave: every branch of the encoder is taken. */
  const hard = Int16Array.from({ length: 32_000 }, (_, n) => {
    const noise = ((Math.imul(n + 1, 2654435761) >>> 16) & 0xffff) - 32_768;
    const sweep = 20_000 * Math.sin((n * n) / 40_000);
    return n < 10_000 ? noise : n < 20_000 ? sweep : n % 36 < 18 ? 32_767 : -32_768;
  });

  it('is bit-exact: the same bytes as libspandsp 0.0.6 makes of this signal', () => {
    const digest = createHash('sha256').update(encodeG722(hard)).digest('hex');
    expect(digest).toBe('04dfa6c55373e2ff466eaed8bafb546206e36d69092503fda78b82cacfbae59c');
  });

  it('the lower band alone too, both ways: as libspandsp does at 8 kHz', () => {
    const sha = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex');
    const coded = new NarrowG722Encoder().encode(hard);
    const decoded = new NarrowG722Decoder().decode(coded);
    expect([sha(coded), sha(new Uint8Array(decoded.buffer))]).toEqual([
      '982685a51478e80c4515de8cca599a58fe41256c0543d32258b5166db8620a9c',
      'f2f83c640f5df39e04949ca2547c6c06744b23d08a88f6605417483060476314',
    ]);
  });

  it('the lower band of the whole coder is the sound at 8 kHz, as loud', () => {
    const decoded = new NarrowG722Decoder().decode(encodeG722(sine(1000, 16_000)));
    expect(rms(decoded) / rms(sine(1000, 8000))).toBeCloseTo(1, 1);
  });

  it('in pieces is the same as in one', () => {
    const [encoder, decoder] = [new NarrowG722Encoder(), new NarrowG722Decoder()];
    const pieces = Array.from({ length: 200 }, (_, i) => encoder.encode(hard.slice(i * 160, i * 160 + 160)));
    const coded = new NarrowG722Encoder().encode(hard);
    expect(Buffer.concat(pieces).equals(coded)).toBe(true);
    const decoded = pieces.flatMap((piece) => [...decoder.decode(piece)]);
    expect(decoded).toEqual([...new NarrowG722Decoder().decode(coded)]);
  });

  it('is half a byte per sample', () => {
    expect(encodeG722(new Int16Array(320)).length).toBe(160);
  });
});

describe('between 16 and 8 kHz', () => {
  it('keeps a tone below the cut, drops one above', () => {
    expect(rms(halve(sine(1000, 16_000))) / rms(sine(1000, 8000))).toBeCloseTo(1, 1);
    expect(rms(halve(sine(5500, 16_000)))).toBeLessThan(40);
  });

  it('doubles without an image', () => {
    const wide = double(sine(1000, 8000));
    expect(wide.length).toBe(16_000);
    expect(rms(wide) / rms(sine(1000, 16_000))).toBeCloseTo(1, 1);
    const wanted = sine(1000, 16_000);
    const error = wide.map((x, i) => x - (wanted[i] as number));
    expect(rms(error)).toBeLessThan(60);
  });
});

describe('a clip', () => {
  it.each([8000, 16_000] as const)('from %i Hz: whole frames, the same number in every codec', (rate) => {
    const clip = makeClip(sine(440, rate, rate / 50 + 1), rate);
    expect(clip.frames).toBe(2);
    for (const data of Object.values(clip.data)) expect(data.length).toBe(320);
  });

  it('is padded with silence, not with zero bytes', () => {
    const clip = makeClip(new Int16Array(1), 16_000);
    expect(clip.data.PCMA).toEqual(SILENCE.PCMA);
    expect(clip.data.PCMU).toEqual(SILENCE.PCMU);
    expect(clip.data.G722).toEqual(SILENCE.G722);
  });
});

describe('G.722 clips one after the other, and silence', () => {
  const prompts = ['phone-free', 'letter-a', 'letter-f', 'digit-6', 'hours', 'goodbye'];
  const clips = prompts.map((id) => makeClip(voiceOf(id), 8000).data.G722);
  const lead = Array.from({ length: 10 }, () => SILENCE.G722);

  it('each sounds after another as it does alone', () => {
    const together = new NarrowG722Decoder().decode(Buffer.concat([...lead, ...clips]));
    let at = 1600;
    for (const [index, clip] of clips.entries()) {
      const alone = new NarrowG722Decoder().decode(Buffer.concat([...lead, clip])).slice(1600);
      const error = alone.map((x, i) => x - (together[at + i] as number));
      expect(20 * Math.log10(rms(error) / rms(alone)), prompts[index]).toBeLessThan(-25);
      at += clip.length;
    }
  });

  it('silence is silent from the first frame on, and after a word that was cut off', () => {
    const decoder = new NarrowG722Decoder();
    const silence = (): number => {
      const heard = lead.flatMap((frame) => [...decoder.decode(frame)]).slice(400);
      return Math.max(...heard) - Math.min(...heard);
    };
    expect(silence()).toBe(0);
    for (const clip of clips) {
      decoder.decode(clip.subarray(0, 1500));
      expect(silence()).toBeLessThanOrEqual(2);
    }
  });
});

describe('a recording as a clip', () => {
  const narrow = sine(700, 8000, 8050);
  const mulaw = Uint8Array.from(narrow, encodeUlaw);
  const heard = Int16Array.from(mulaw, (code) => ULAW_TO_LINEAR[code] as number);

  it('G.711: whole frames, padded with silence', () => {
    const clip = recordedClip(mulaw);
    expect(clip.frames).toBe(51);
    expect(clip.data.PCMU.subarray(0, 8050).equals(mulaw)).toBe(true);
    expect(clip.data.PCMU.subarray(8050).equals(SILENCE.PCMU.subarray(0, 110))).toBe(true);
    expect([...clip.data.PCMA]).toEqual(
      [...clip.data.PCMU].map((x) => encodeAlaw(ULAW_TO_LINEAR[x] as number)),
    );
  });

  it('G.722 is coded as it is played', () => {
    const clip = recordedClip(mulaw);
    for (let frame = 0; frame < clip.frames; frame++) {
      clip.prepare?.('G722', frame);
      clip.prepare?.('G722', frame);
    }
    const coded = new NarrowG722Encoder().encode(heard);
    expect(clip.data.G722.subarray(0, 8050).equals(coded)).toBe(true);
  });

  it('from the middle on too, when a call changes its codec', () => {
    const clip = recordedClip(mulaw);
    clip.prepare?.('PCMA', 29);
    expect(clip.data.G722.subarray(0, 160).equals(SILENCE.G722)).toBe(true);
    for (let frame = 30; frame < 50; frame++) clip.prepare?.('G722', frame);
    const decoder = new NarrowG722Decoder();
    const decoded = decoder.decode(clip.data.G722);
    const error = decoded.slice(5000, 7800).map((x, i) => x - (heard[5000 + i] as number));
    expect(rms(error)).toBeLessThan(500);
  });

  it('nothing is nothing, and ten seconds are enough', () => {
    expect(recordedClip(new Uint8Array(0)).frames).toBe(0);
    expect(recordedClip(new Uint8Array(1_000_000)).data.PCMU.length).toBe(LONGEST_RECORDING);
  });
});
