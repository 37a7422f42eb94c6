import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { promptIds } from '../../../src/media/prompt-ids.ts';
import { loadPrompts } from '../../../src/media/prompts/load.ts';
import { readWav } from '../../../src/media/prompts/wav.ts';
import { peak, rms } from '../../support/sound.ts';

const SHIPPED = new URL('../../../config/prompts/', import.meta.url).pathname;

/** Ids and what they say. */
function shippedTable(): [id: string, text: string][] {
  const lines = readFileSync(join(SHIPPED, 'en-GB.tsv'), 'utf8').trim().split('\n');
  return lines.map((line) => line.split('\t') as [string, string]);
}

/** dBFS of the frames of 20 ms in which somebody speaks: those within 25 dB of the loudest. */
function loudness(samples: Int16Array): number {
  const levels = Array.from({ length: Math.floor(samples.length / 320) }, (_, i) =>
    rms(samples.subarray(i * 320, (i + 1) * 320)),
  );
  const loudest = Math.max(...levels);
  const energies = levels.filter((level) => level > loudest - 25).map((level) => 10 ** (level / 10));
  return 10 * Math.log10(energies.reduce((sum, energy) => sum + energy, 0) / energies.length);
}

/** ms of silence at the beginning, to the nearest ten. */
function rest(samples: Int16Array): number {
  const first = samples.findIndex((x) => x !== 0);
  return Math.round(first / 160) * 10;
}

/** ms of silence after a prompt: sentences one after the other are not run together, words that are joined are. */
function restAfter(text: string): number {
  if (text.startsWith('(')) return 70;
  return text.endsWith('.') ? 200 : text.endsWith(',') ? 120 : 60;
}

interface Format {
  rate?: number;
  channels?: number;
  bits?: number;
  tag?: number;
  extra?: Buffer;
}

function wav(
  samples: readonly number[],
  { rate = 16_000, channels = 1, bits = 16, tag = 1, extra }: Format = {},
): Buffer {
  const format = Buffer.alloc(tag === 0xfffe ? 40 : 16);
  format.writeUInt16LE(tag, 0);
  format.writeUInt16LE(channels, 2);
  format.writeUInt32LE(rate, 4);
  format.writeUInt16LE(bits, 14);
  if (tag === 0xfffe) format.writeUInt16LE(1, 24);
  const data = Buffer.from(Int16Array.from(samples).buffer);
  const chunk = (name: string, body: Buffer): Buffer => {
    const size = Buffer.alloc(4);
    size.writeUInt32LE(body.length);
    return Buffer.concat([Buffer.from(name), size, body, Buffer.alloc(body.length & 1)]);
  };
  const chunks = [...(extra ? [chunk('LIST', extra)] : []), chunk('fmt ', format), chunk('data', data)];
  const body = Buffer.concat(chunks);
  const size = Buffer.alloc(4);
  size.writeUInt32LE(body.length + 4);
  return Buffer.concat([Buffer.from('RIFF'), size, Buffer.from('WAVE'), body]);
}

describe('reading WAV', () => {
  it.each<[string, Format]>([
    ['16 kHz', {}],
    ['8 kHz', { rate: 8000 }],
    ['the extensible form', { tag: 0xfffe }],
    ['another chunk of odd length first', { extra: Buffer.from('odd') }],
  ])('%s', (_, format) => {
    expect(readWav(wav([1, -2, 32_767, -32_768], format))).toEqual({
      rate: format.rate ?? 16_000,
      samples: Int16Array.from([1, -2, 32_767, -32_768]),
    });
  });

  it.each<[string, Buffer]>([
    ['44.1 kHz', wav([1, 2], { rate: 44_100 })],
    ['stereo', wav([1, 2], { channels: 2 })],
    ['8 bit', wav([1, 2], { bits: 8 })],
    ['u-law', wav([1, 2], { tag: 7 })],
    ['not a WAV', Buffer.from('ID3 something')],
    ['empty', Buffer.alloc(0)],
    ['no sound', wav([])],
    ['cut short', wav([1, 2]).subarray(0, 30)],
  ])('refuses %s, naming the cure', (_, file) => {
    expect(readWav(file)).toEqual({
      wrong: expect.stringContaining('sox in.wav -r 16000 -c 1 -b 16 out.wav'),
    });
  });
});

describe('loading prompts', () => {
  let overlay: string;
  let problems: { text: string; data: Record<string, unknown> }[];
  const problem = (text: string, data?: object): void => {
    problems.push({ text, data: { ...data } });
  };

  beforeEach(() => {
    overlay = mkdtempSync(join(tmpdir(), 'prompts-'));
    mkdirSync(join(overlay, 'en-GB'));
    problems = [];
  });
  afterEach(() => rmSync(overlay, { recursive: true }));

  const lay = (name: string, file: Buffer): void => writeFileSync(join(overlay, 'en-GB', name), file);
  const load = (language = 'en-GB') => loadPrompts({ shipped: SHIPPED, overlay, language }, problem);

  it('shipped: every line of the table has its file, all of them readable', () => {
    const ids = shippedTable()
      .map(([id]) => id)
      .sort();
    expect(promptIds(join(SHIPPED, 'en-GB'))).toEqual(ids);
    const clips = loadPrompts({ shipped: SHIPPED, language: 'en-GB' }, problem);
    expect([...clips.keys()]).toEqual(ids);
    expect(problems).toEqual([]);
  });

  it('shipped: 16 kHz, all equally loud, no peak above -2 dBFS, no offset, silence at both ends', () => {
    for (const [id, text] of shippedTable()) {
      const sound = readWav(readFileSync(join(SHIPPED, 'en-GB', `${id}.wav`)));
      if ('wrong' in sound) throw new Error(id);
      const { rate, samples } = sound;
      if (id === 'pause') {
        expect([rate, samples.length, samples.every((x) => x === 0)]).toEqual([16_000, 4_800, true]);
        continue;
      }
      expect(rate, id).toBe(16_000);
      expect(peak(samples), id).toBeLessThanOrEqual(-1.98);
      expect(loudness(samples), id).toBeGreaterThan(-23.2);
      expect(loudness(samples), id).toBeLessThan(-20.8);
      expect(Math.abs(samples.reduce((sum, x) => sum + x, 0) / samples.length), id).toBeLessThan(3);
      expect([rest(samples), rest(samples.toReversed())], id).toEqual([30, restAfter(text)]);
    }
  });

  it('lays the operator’s file over the shipped one', () => {
    lay('goodbye.wav', wav(Array.from({ length: 640 }, () => 5000)));
    const clips = load();
    expect(clips.get('goodbye')?.frames).toBe(2);
    expect(clips.get('not-logged-in')?.frames).toBeGreaterThan(40);
    expect(problems).toEqual([]);
  });

  it('takes an 8 kHz file', () => {
    lay(
      'goodbye.wav',
      wav(
        Array.from({ length: 640 }, () => 5000),
        { rate: 8000 },
      ),
    );
    expect(load().get('goodbye')?.frames).toBe(4);
  });

  it('falls back for one wrong file and says which and why', () => {
    lay('goodbye.wav', wav([1, 2], { rate: 44_100 }));
    const frames = loadPrompts({ shipped: SHIPPED, language: 'en-GB' }, problem).get('goodbye')?.frames;
    expect(load().get('goodbye')?.frames).toBe(frames);
    expect(problems).toHaveLength(1);
    expect(problems[0]?.text).toMatch(/goodbye\.wav is 16-bit, 1 channel\(s\), 44100 Hz, wanted .*sox/);
  });

  it('falls back for a file that is far too long', () => {
    lay('goodbye.wav', Buffer.alloc(4_100_000));
    expect(load().get('goodbye')?.frames).toBeLessThan(100);
    expect(problems[0]?.text).toContain('longer than two minutes');
  });

  it('tells of file names nobody plays', () => {
    lay('godbye.wav', wav([1, 2]));
    load();
    expect(problems[0]).toMatchObject({ data: { prompts: ['godbye'] } });
  });

  it('tells of an overlay without this language, and uses the shipped prompts', () => {
    rmSync(join(overlay, 'en-GB'), { recursive: true });
    expect(load().has('goodbye')).toBe(true);
    expect(problems[0]?.text).toContain('no folder for this language');
  });

  it('another language: its own files, English for the rest, and says so', () => {
    mkdirSync(join(overlay, 'cy-GB'));
    writeFileSync(join(overlay, 'cy-GB', 'goodbye.wav'), wav(Array.from({ length: 320 }, () => 5000)));
    const clips = load('cy-GB');
    expect(clips.get('goodbye')?.frames).toBe(1);
    expect(clips.has('not-logged-in')).toBe(true);
    expect(problems[0]?.text).toBe('some prompts are missing in cy-GB and are said in English');
  });

  it('throws when there is nothing to load', () => {
    expect(() => loadPrompts({ shipped: overlay, language: 'en-GB' }, problem)).toThrow(
      'no prompt could be read',
    );
    expect(() => loadPrompts({ shipped: '/nowhere', language: 'en-GB' }, problem)).toThrow(
      'no folder /nowhere/en-GB',
    );
  });
});
