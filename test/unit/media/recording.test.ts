import { describe, expect, it } from 'vitest';
import type { CodecName } from '../../../src/media/codec/codecs.ts';
import { highpass } from '../../../src/media/recording/highpass.ts';
import { Reorder } from '../../../src/media/recording/reorder.ts';
import { findSpeech, UNKNOWN } from '../../../src/media/recording/speech.ts';
import { Timeline } from '../../../src/media/recording/timeline.ts';
import {
  inARow,
  keyTone,
  likeness,
  louder,
  mixed,
  noise,
  peak,
  rms,
  silence,
  tones,
  voiceOf,
} from '../../support/sound.ts';
import { type Heard, packetsOf, record } from './recording-bench.ts';

/** Somebody who speaks up: a little louder than the prompts. */
const VOICE = louder(voiceOf('extension'), 3);
/** Without its first and last moments, which fade. */
const WORDS = VOICE.slice(400, -600);
/** Somebody who thinks before and after. */
const SAID = inARow(silence(600), VOICE, silence(1000));
const MS = 8;

function samplesOf(heard: readonly Heard[], options: Parameters<typeof record>[1] = {}): Int16Array {
  const { samples } = record(heard, { stopAt: 4000, ...options });
  if (samples === undefined) throw new Error('nothing was recorded');
  return samples;
}

describe('the order of packets', () => {
  const pushed = (seqs: readonly number[]): number[] => {
    const reorder = new Reorder<number>();
    return [...seqs.flatMap((seq) => reorder.push(seq, seq)), ...reorder.flush()];
  };

  it.each<[string, number[], number[]]>([
    ['in order, across the wrap', [65_534, 65_535, 0, 1], [65_534, 65_535, 0, 1]],
    ['two swapped', [5, 7, 6, 8], [5, 6, 7, 8]],
    ['one three late', [5, 7, 8, 9, 6, 10], [5, 6, 7, 8, 9, 10]],
    ['one too late', [5, 7, 8, 9, 10, 6, 11], [5, 7, 8, 9, 10, 11]],
    ['repeated at once, while it waits, and later', [5, 5, 7, 7, 6, 6, 5], [5, 6, 7]],
    ['a burst lost', [5, 25, 26, 27, 28, 29], [5, 25, 26, 27, 28, 29]],
    ['started afresh', [60_000, 60_002, 7, 8], [60_000, 60_002, 7, 8]],
    ['started afresh, backwards', [30_000, 30_002, 7, 8], [30_000, 30_002, 7, 8]],
  ])('%s', (_, seqs, wanted) => {
    expect(pushed(seqs)).toEqual(wanted);
  });

  it('holds three at most, whatever comes', () => {
    const reorder = new Reorder<number>();
    let out = 0;
    for (let n = 0; n < 5000; n++) {
      out += reorder.push(Math.imul(n, 40_503) & 0xffff, n).length;
      out += reorder.push((2 * n) & 0xffff, n).length;
    }
    expect(reorder.flush().length).toBeLessThanOrEqual(3);
    expect(out).toBeGreaterThan(0);
  });
});

describe('the timeline', () => {
  const ones = (count = 160): Int16Array => new Int16Array(count).fill(1);
  const firstAt = (line: Timeline): number => line.samples.indexOf(1);
  const count = (line: Timeline): number => line.samples.reduce((sum, x) => sum + x, 0);

  it('begins when the first packet came, and goes on by its timestamps, not by arrival', () => {
    const line = new Timeline(1000);
    line.write(ones(), { ssrc: 1, ts: 0xffff_ffb0, at: 120 });
    line.write(ones(), { ssrc: 1, ts: 0xffff_ffb0 + 160 - 2 ** 32, at: 190 });
    expect([firstAt(line), count(line), line.samples.lastIndexOf(1)]).toEqual([800, 320, 1119]);
  });

  it('leaves a gap where nothing came, and knows it', () => {
    const line = new Timeline(1000);
    line.write(ones(), { ssrc: 1, ts: 0, at: 20 });
    line.write(ones(), { ssrc: 1, ts: 480, at: 80 });
    expect([0, 1, 2, 3, 4, 99].map((frame) => line.hasFrame(frame))).toEqual([
      true,
      false,
      false,
      true,
      false,
      false,
    ]);
  });

  it('a frame of which little came is not there', () => {
    const line = new Timeline(100);
    line.write(ones(70), { ssrc: 1, ts: 0, at: 70 / 8 });
    line.write(ones(100), { ssrc: 1, ts: 160, at: 40 });
    expect([0, 1].map((frame) => line.hasFrame(frame))).toEqual([false, true]);
  });

  it('another source, and a clock that jumps, go on where time is', () => {
    const line = new Timeline(1000);
    line.write(ones(), { ssrc: 1, ts: 0, at: 20 });
    line.write(ones(), { ssrc: 2, ts: 5_000_000, at: 60 });
    line.write(ones(), { ssrc: 2, ts: 77, at: 100 });
    expect([0, 1, 2, 3, 4].map((frame) => line.hasFrame(frame))).toEqual([true, false, true, false, true]);
  });

  it('what is before it or after it is cut off; it never grows', () => {
    const line = new Timeline(100);
    line.write(ones(), { ssrc: 1, ts: 1000, at: 90 });
    line.write(ones(), { ssrc: 1, ts: 1000 - 560 - 80, at: 90 });
    line.write(ones(8000), { ssrc: 1, ts: 1160, at: 100 });
    expect(line.samples.length).toBe(800);
    expect([line.samples[0], line.samples[79], line.samples[80], line.samples[799]]).toEqual([1, 1, 0, 1]);
  });
});

describe('speech', () => {
  const levels = (...parts: readonly [count: number, level: number][]): number[] =>
    parts.flatMap(([frames, level]) => Array.from({ length: frames }, (_, i) => level + (i % 3) - 1));

  it.each<[string, number[], [number, number] | undefined]>([
    ['out of noise', levels([30, -60], [20, -20], [30, -60]), [30, 50]],
    ['its soft beginning and end', levels([30, -60], [4, -52], [20, -20], [6, -52], [30, -60]), [30, 60]],
    ['two words', levels([30, -60], [10, -20], [40, -60], [10, -22], [30, -60]), [30, 90]],
    ['not the knock before it', levels([20, -60], [2, -6], [20, -60], [20, -20], [20, -60]), [42, 62]],
    ['nor a short thump', levels([20, -60], [4, -6], [20, -60], [20, -20], [20, -60]), [44, 64]],
    ['less than 300 ms', levels([50, -60], [14, -20], [50, -60]), undefined],
    ['300 ms', levels([50, -60], [15, -20], [50, -60]), [50, 65]],
    ['nothing but noise', levels([200, -30]), undefined],
    ['nothing but zeros', levels([200, -98]), undefined],
    ['too little to tell', levels([10, -20]), undefined],
    ['whispered into a dead line', levels([50, -90], [30, -60], [50, -90]), undefined],
  ])('%s', (_, given, wanted) => {
    expect(findSpeech(given)).toEqual(wanted && { from: wanted[0], to: wanted[1] });
  });

  it('what is unknown is neither noise nor speech', () => {
    const unknown = Array.from({ length: 40 }, () => UNKNOWN);
    expect(findSpeech([...unknown, ...levels([60, -40]), ...unknown])).toBeUndefined();
    const gap = [...levels([20, -60], [10, -20]), ...unknown.slice(0, 5), ...levels([10, -20], [20, -60])];
    expect(findSpeech(gap)).toEqual({ from: 20, to: 45 });
  });
});

describe('a recording', () => {
  it.each<[CodecName, number]>([
    ['PCMA', 0.97],
    ['PCMU', 0.97],
    ['G722', 0.95],
  ])('%s: what was said, without the silence round it, as loud as a prompt', (codec, least) => {
    const samples = samplesOf(packetsOf(louder(SAID, -10), { codec }));
    expect(likeness(samples, WORDS).value).toBeGreaterThan(least);
    expect(samples.length / MS).toBeGreaterThan(VOICE.length / MS);
    expect(samples.length / MS).toBeLessThan(VOICE.length / MS + 160);
    expect(rms(samples)).toBeGreaterThan(-25.5);
    expect(rms(samples)).toBeLessThan(-21.5);
    expect(peak(samples)).toBeLessThanOrEqual(-2.9);
  });

  it.each([10, 30, 40, 60])('packets of %i ms', (packetMs) => {
    const samples = samplesOf(packetsOf(SAID, { packetMs }));
    expect(likeness(samples, WORDS).value).toBeGreaterThan(0.95);
  });

  it('short, loud and soft voices come out alike; what is very soft is not blown up beyond 20 dB', () => {
    const level = (decibels: number): number => rms(samplesOf(packetsOf(louder(SAID, decibels))));
    expect(level(8)).toBeCloseTo(level(-10), 0);
    expect(level(-28)).toBeLessThan(rms(VOICE) - 28 + 20.5);
  });

  it.each<[string, Int16Array]>([
    ['a noisy room', mixed(SAID, noise(3000, -42))],
    ['a soft voice', mixed(louder(SAID, -22), noise(3000, -68))],
    ['mains hum', mixed(SAID, tones(3000, [50, 100, 150], -42))],
  ])('in %s the speech is found and cut out', (_, sound) => {
    const samples = samplesOf(packetsOf(sound));
    expect(likeness(samples, VOICE.slice(1200, -1600)).value).toBeGreaterThan(0.9);
    expect(Math.abs(samples.length - VOICE.length) / MS).toBeLessThan(200);
  });

  it.each<[string, Int16Array]>([
    ['silence', silence(3000)],
    ['noise', noise(3000, -30)],
    ['hum', tones(3000, [50, 100, 150, 250], -25)],
    ['a tone', tones(3000, [440], -15)],
    ['a key', inARow(silence(800), keyTone('5', 900), silence(500))],
    ['a cough', inARow(noise(1000, -60), noise(200, -15), noise(1500, -60))],
    ['two knocks', inARow(noise(1000, -60), noise(60, -8), noise(1000, -60), noise(40, -8), noise(800, -60))],
    ['nothing at all', silence(0)],
  ])('of %s there is none', (_, sound) => {
    expect(record(packetsOf(sound), { stopAt: 4000 }).samples).toBeUndefined();
  });

  it.each([0, 40, 300])('the key that ends it is not in it, %i ms after the last word', (pause) => {
    const tone = keyTone('#', 250);
    const samples = samplesOf(packetsOf(inARow(silence(400), VOICE, silence(pause), tone, silence(100))));
    expect(likeness(samples, tone.slice(0, 320)).value).toBeLessThan(0.5);
    expect(likeness(samples, VOICE.slice(400, -1000)).value).toBeGreaterThan(0.95);
  });

  it('nor the key that began it', () => {
    const samples = samplesOf(packetsOf(inARow(keyTone('1', 110), VOICE, silence(500))));
    expect(likeness(samples, keyTone('1', 40)).value).toBeLessThan(0.5);
  });

  it('has 100 ms of silence before the first word, even where it was said at once', () => {
    const at = (sound: Int16Array): number => likeness(samplesOf(packetsOf(sound)), WORDS).at;
    for (const pause of [0, 40, 800]) {
      const first = at(inARow(silence(pause), VOICE, silence(500)));
      expect(Math.abs(first - 800 - 160)).toBeLessThanOrEqual(160);
    }
  });

  it('has neither the line’s offset nor its hum', () => {
    const heard = samplesOf(packetsOf(mixed(SAID, silence(3000).fill(3000))));
    expect(Math.abs(heard.reduce((sum, x) => sum + x, 0) / heard.length)).toBeLessThan(20);
    const hum = samplesOf(packetsOf(mixed(SAID, tones(3000, [30], -24)))).slice(200, 800);
    expect(rms(hum)).toBeLessThan(-40);
  });

  it('a crack in a soft voice is not amplified beyond the limit', () => {
    const crack = inARow(silence(900), noise(4, -8));
    expect(peak(samplesOf(packetsOf(mixed(louder(SAID, -14), crack))))).toBeLessThanOrEqual(-2.9);
  });

  it('begins and ends without a click', () => {
    const samples = samplesOf(packetsOf(mixed(SAID, noise(3000, -45))));
    expect([samples[0], samples.at(-1)]).toEqual([0, 0]);
  });
});

describe('the network', () => {
  const whole = samplesOf(packetsOf(SAID));
  const shuffled = (heard: readonly Heard[], delay: (i: number) => number): Heard[] =>
    heard.map((one, i) => ({ ...one, at: one.at + delay(i) }));

  it('reordering and repeats change nothing', () => {
    const heard = shuffled(packetsOf(SAID), (i) => (i % 7 === 3 ? 45 : 0));
    const doubled = [...heard, ...heard.map((one) => ({ ...one, at: one.at + 20 }))];
    expect(samplesOf(heard)).toEqual(whole);
    expect(samplesOf(doubled)).toEqual(whole);
  });

  it('so they do for G.722, which knows what came before', () => {
    const heard = packetsOf(SAID, { codec: 'G722' });
    expect(samplesOf(shuffled(heard, (i) => (i % 5 === 3 ? 45 : 0)))).toEqual(samplesOf(heard));
  });

  it('what is lost is silence of the same length', () => {
    const samples = samplesOf(packetsOf(SAID).filter((_, i) => i % 12 !== 5));
    expect(likeness(samples, WORDS).value).toBeGreaterThan(0.85);
    expect(Math.abs(samples.length - whole.length)).toBeLessThanOrEqual(320);
  });

  it('a phone that sends nothing while nobody speaks', () => {
    const one = packetsOf(VOICE, { from: 620 });
    const pauseMs = 700;
    const after = Math.ceil(VOICE.length / 160) + pauseMs / 20;
    const two = packetsOf(VOICE, {
      from: 600 + after * 20,
      seq: 65_530 + one.length,
      ts: (0xffff_f000 + after * 160) >>> 0,
    });
    const samples = samplesOf([...one, ...two], { stopAt: 6000 });
    const voice = WORDS;
    const [first, second] = [likeness(samples, voice), likeness(samples.slice(VOICE.length), voice)];
    expect([first.value, second.value].every((value) => value > 0.95)).toBe(true);
    const apart = VOICE.length + second.at - first.at;
    expect(Math.abs(apart - after * 160)).toBeLessThanOrEqual(8);
  });

  it('a network that stands still for half a second, then delivers everything', () => {
    const late = (one: Heard): number => (one.at > 800 && one.at < 1300 ? 1300 - one.at : 0);
    expect(samplesOf(packetsOf(SAID).map((one) => ({ ...one, at: one.at + late(one) })))).toEqual(whole);
  });

  it('a phone whose packets come ever later', () => {
    const heard = packetsOf(SAID).map((one) => ({ ...one, at: one.at * 1.25 }));
    expect(likeness(samplesOf(heard), WORDS).value).toBeGreaterThan(0.95);
    const { endedAt } = record(heard, { silenceMs: 500 });
    expect(endedAt).toBeGreaterThan(1000);
  });

  it('comfort noise and keys keep their place in the order and are not heard', () => {
    const heard = packetsOf(SAID).map((one, i) => (i % 20 === 7 ? { ...one, codec: undefined } : one));
    expect(likeness(samplesOf(heard), WORDS).value).toBeGreaterThan(0.85);
    const loud = packetsOf(noise(2000, -10)).map((one) => ({ ...one, codec: undefined }));
    expect(record(loud).samples).toBeUndefined();
  });

  it('a new source in mid-word goes on', () => {
    const heard = packetsOf(SAID);
    const other = packetsOf(SAID, { ssrc: 99, seq: 65_500, ts: 4242 });
    const samples = samplesOf([...heard.slice(0, 50), ...other.slice(50)]);
    expect(likeness(samples, WORDS).value).toBeGreaterThan(0.95);
  });

  it('another codec in mid-word goes on', () => {
    const [one, two] = [SAID.slice(0, 8000), SAID.slice(8000)];
    const heard = packetsOf(one);
    const place = { from: 1020, seq: 65_530 + 50, ts: (0xffff_f000 + 8000) >>> 0 };
    const samples = samplesOf([...heard, ...packetsOf(two, { codec: 'G722', ...place })]);
    const split = 8000 - 600 * MS;
    const parts = [VOICE.slice(400, split), VOICE.slice(split, -600)].map((part) => likeness(samples, part));
    expect(parts.every(({ value }) => value > 0.9)).toBe(true);
    expect(Math.abs((parts[1]?.at ?? 0) - (parts[0]?.at ?? 0) - (split - 400))).toBeLessThan(10);
  });

  it('rubbish does no harm', () => {
    const heard = packetsOf(SAID);
    const odd = heard.map((one, i) => ({
      ...one,
      packet: {
        ...one.packet,
        ssrc: i % 3,
        seq: Math.imul(i, 40_503) & 0xffff,
        ts: Math.imul(i, 2_654_435_761) >>> 0,
        payload: Buffer.alloc((i * 997) % 3000, i),
      },
    }));
    expect(() => record([...odd])).not.toThrow();
    expect(() => record(odd.map((one) => ({ ...one, codec: 'G722' as const })))).not.toThrow();
  });
});

describe('the end', () => {
  const talk = inARow(silence(500), VOICE, silence(9000));

  it('comes with silence, once something was said', () => {
    const { endedAt, samples } = record(packetsOf(talk), { silenceMs: 1500 });
    const silentAt = 500 + VOICE.length / MS + 1500;
    expect(endedAt).toBeGreaterThan(silentAt - 150);
    expect(endedAt).toBeLessThan(silentAt + 350);
    expect(samples).toBeDefined();
  });

  it('and when the phone stops sending instead', () => {
    const heard = packetsOf(inARow(silence(500), VOICE, silence(200)));
    expect(record(heard, { silenceMs: 1500 }).endedAt).toBeLessThan(500 + VOICE.length / MS + 1850);
  });

  it('not in the pause between two words, not before anything was said, not for a cough', () => {
    const pause = inARow(silence(500), VOICE, silence(1000), VOICE, silence(4000));
    const ended = record(packetsOf(pause), { silenceMs: 1500 }).endedAt;
    expect(ended).toBeGreaterThan(3000 + (2 * VOICE.length) / MS - 100);
    expect(record(packetsOf(silence(6000)), { silenceMs: 500, maxMs: 5000 }).endedAt).toBe(5000);
    const cough = inARow(silence(500), noise(160, -15), silence(6000));
    expect(record(packetsOf(cough), { silenceMs: 500, maxMs: 5000 }).endedAt).toBe(5000);
  });

  it('comes with the time, never later than ten seconds', () => {
    const long = inARow(...Array.from({ length: 20 }, () => VOICE));
    const short = record(packetsOf(long), { maxMs: 2000 });
    expect(short.endedAt).toBe(2000);
    expect(short.samples?.length).toBeLessThanOrEqual(16_000);
    const most = record(packetsOf(long), { maxMs: 3_600_000, stopAt: 20_000 });
    expect(most.endedAt).toBe(10_000);
    expect(most.samples?.length).toBeLessThanOrEqual(80_000);
  });

  it('comes without a packet ever heard', () => {
    expect(record([], { maxMs: 1000 })).toEqual({ endedAt: 1000, samples: undefined });
  });
});

describe('the high-pass', () => {
  it('takes away offset and hum, and leaves speech', () => {
    const passed = (samples: Int16Array): number => {
      highpass(samples);
      return rms(samples.slice(1600, -1600));
    };
    expect(passed(silence(1000).fill(8000))).toBeLessThan(-80);
    expect(passed(tones(1000, [50], -20))).toBeLessThan(-28);
    expect(passed(tones(1000, [300], -20))).toBeCloseTo(-20, 0);
    expect(passed(tones(1000, [3000], -20))).toBeCloseTo(-20, 1);
  });

  it('does not overflow', () => {
    const square = silence(500).map((_, i) => (i % 80 < 40 ? 32_767 : -32_768));
    highpass(square);
    expect(peak(square)).toBeLessThanOrEqual(0);
  });
});
