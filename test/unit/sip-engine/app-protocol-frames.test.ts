import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeFrame, FrameReader } from '../../../src/sip-engine/app-protocol/frames.ts';

function read(chunks: Buffer[], max = 1_000): { payloads: string[]; broken: string | undefined } {
  const reader = new FrameReader(max);
  const payloads: string[] = [];
  for (const chunk of chunks) {
    const batch = reader.feed(chunk);
    payloads.push(...batch.payloads);
    if (batch.broken) return { payloads, broken: batch.broken };
  }
  return { payloads, broken: undefined };
}

describe('frames', () => {
  it('come out as they went in, however they are cut', () => {
    const octets = fc
      .uint8Array({ minLength: 1, maxLength: 60 })
      .map((bytes) => Buffer.from(bytes).toString('latin1'));
    fc.assert(
      fc.property(fc.array(octets), fc.array(fc.nat({ max: 40 })), (payloads, cuts) => {
        const stream = Buffer.from(payloads.map(encodeFrame).join(''), 'latin1');
        const chunks: Buffer[] = [];
        let at = 0;
        for (const cut of cuts) {
          chunks.push(stream.subarray(at, at + cut));
          at += cut;
        }
        chunks.push(stream.subarray(at));
        expect(read(chunks)).toEqual({ payloads, broken: undefined });
      }),
    );
  });

  it('have a length in octets, not characters', () => {
    const payload = Buffer.from('ü#1').toString('latin1');
    expect(encodeFrame(payload)).toBe(`4#${payload}`);
    expect(read([Buffer.from('4#ü#1')]).payloads).toEqual([payload]);
  });

  it.each([
    ['1001#', 'frame is empty or too large'],
    ['0#', 'frame is empty or too large'],
    ['99999', 'length has too many digits'],
    ['#x', 'length is not a number'],
    ['1.5#x', 'length is not a number'],
    ['-1#x', 'length is not a number'],
  ])('with the length %s break the stream', (text, broken) => {
    expect(read([Buffer.from(text)])).toEqual({ payloads: [], broken });
  });

  it('before a broken one still count', () => {
    expect(read([Buffer.from('2#okx')])).toEqual({ payloads: ['ok'], broken: 'length is not a number' });
  });

  it('that are not complete are counted as buffered', () => {
    const reader = new FrameReader(1_000);
    reader.feed(Buffer.from('2#ok10#half'));
    expect(reader.buffered).toBe(7);
    reader.feed(Buffer.from('567890'));
    expect(reader.buffered).toBe(0);
  });
});
