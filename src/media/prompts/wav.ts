/** A strict WAV reader: 16-bit PCM, mono, 8 or 16 kHz. */

export interface Sound {
  readonly rate: 8000 | 16000;
  readonly samples: Int16Array;
}

/** What is wrong with a file, in words for an operator, the cure included. */
export interface WrongWav {
  readonly wrong: string;
}

const CURE = 'convert it: sox in.wav -r 16000 -c 1 -b 16 out.wav';
const PCM = 1;
const EXTENSIBLE = 0xfffe;

/** Reads a whole WAV file. Chunks may come in any order and unknown ones are skipped. */
export function readWav(file: Buffer): Sound | WrongWav {
  if (file.toString('latin1', 0, 4) !== 'RIFF' || file.toString('latin1', 8, 12) !== 'WAVE') {
    return { wrong: `is not a WAV file; ${CURE}` };
  }
  const chunks = chunksOf(file);
  const format = chunks.get('fmt ');
  const data = chunks.get('data');
  if (format === undefined || format.length < 16 || data === undefined || data.length < 2) {
    return { wrong: `is cut short: it has no sound in it; ${CURE}` };
  }
  const rate = format.readUInt32LE(4);
  if (!isPcm(format) || (rate !== 8000 && rate !== 16000)) {
    return { wrong: `is ${describe(format)}, wanted is 16-bit PCM, mono, 16000 or 8000 Hz; ${CURE}` };
  }
  return { rate, samples: samplesOf(data) };
}

function chunksOf(file: Buffer): Map<string, Buffer> {
  const chunks = new Map<string, Buffer>();
  for (let at = 12; at + 8 <= file.length; ) {
    const size = file.readUInt32LE(at + 4);
    const name = file.toString('latin1', at, at + 4);
    if (!chunks.has(name)) chunks.set(name, file.subarray(at + 8, at + 8 + size));
    at += 8 + size + (size & 1); // chunks begin on even offsets
  }
  return chunks;
}

function isPcm(format: Buffer): boolean {
  const tag = format.readUInt16LE(0);
  const kind = tag === EXTENSIBLE && format.length >= 26 ? format.readUInt16LE(24) : tag;
  return kind === PCM && format.readUInt16LE(2) === 1 && format.readUInt16LE(14) === 16;
}

function describe(format: Buffer): string {
  const kind = [PCM, EXTENSIBLE].includes(format.readUInt16LE(0)) ? '' : ' in another coding than PCM';
  const channels = format.readUInt16LE(2);
  return `${format.readUInt16LE(14)}-bit, ${channels} channel(s), ${format.readUInt32LE(4)} Hz${kind}`;
}

function samplesOf(data: Buffer): Int16Array {
  const samples = new Int16Array(data.length >> 1);
  for (let i = 0; i < samples.length; i++) samples[i] = data.readInt16LE(2 * i);
  return samples;
}
