import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Frame } from '../../../src/sip-engine/transport/framer.ts';
import { StreamFramer } from '../../../src/sip-engine/transport/framer.ts';

function message(body: string, length: string | number = body.length): string {
  return `MESSAGE sip:a SIP/2.0\r\nVia: SIP/2.0/TCP h\r\nContent-Length: ${length}\r\n\r\n${body}`;
}

function drain(framer: StreamFramer): Frame[] {
  const frames: Frame[] = [];
  for (let frame = framer.next(); frame !== undefined; frame = framer.next()) {
    frames.push(frame);
    if (frame.kind === 'broken') break;
  }
  return frames;
}

function read(chunks: string[], maxBytes = 65_535): { frames: Frame[]; framer: StreamFramer } {
  const framer = new StreamFramer(maxBytes);
  const frames: Frame[] = [];
  for (const chunk of chunks) {
    framer.push(chunk);
    frames.push(...drain(framer));
  }
  return { frames, framer };
}

const bodies = (frames: Frame[]) =>
  frames.map((frame) => (frame.kind === 'message' ? frame.message.body : frame.kind));

describe('stream framing (RFC 3261 18.3)', () => {
  it('finds the same messages however the stream is cut', () => {
    const stream = `\r\n${message('one\r\n\r\n')}\r\n\r\n${message('')}\r\n${message('\u00ff\u0000')}`;
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: stream.length })), (cuts) => {
        const places = [0, ...cuts.sort((a, b) => a - b), stream.length];
        const { frames, framer } = read(places.slice(1).map((end, i) => stream.slice(places[i], end)));
        expect(bodies(frames)).toEqual(['one\r\n\r\n', 'ping', '', '\u00ff\u0000']);
        expect(framer.midMessage).toBe(false);
      }),
    );
  });

  it('tells the size of each message', () => {
    const { frames } = read([message('abc') + message('')]);
    expect(frames).toMatchObject([{ size: message('abc').length }, { size: message('').length }]);
  });

  it('takes a missing Content-Length as 0', () => {
    expect(bodies(read(['OPTIONS sip:a SIP/2.0\r\nTo: x\r\n\r\n', message('b')]).frames)).toEqual(['', 'b']);
  });

  it('knows when it holds half a message', () => {
    const { framer } = read([message('abc').slice(0, -1)]);
    expect(framer.midMessage).toBe(true);
    framer.push('c');
    expect(drain(framer)).toHaveLength(1);
    expect(framer.midMessage).toBe(false);
    expect(read(['\r\n\r']).framer.midMessage).toBe(false);
    expect(read(['OPTIONS']).framer.midMessage).toBe(true);
  });

  it.each([
    ['negative', message('', -1), 400, true],
    ['not a number', message('', 'x'), 400, true],
    ['twice', message('').replace('Via', 'l: 0\r\nVia'), 400, true],
    ['too large', message('', 70_000), 413, true],
    ['no SIP', 'GET / HTTP/1.1\r\n\r\n', 400, false],
    ['an endless head', `OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/TCP h\r\nX: ${'x'.repeat(70_000)}`, 413, true],
  ])('a length that is %s breaks the stream', (_what, text, status, answerable) => {
    const { frames } = read([text]);
    expect(frames).toMatchObject([{ kind: 'broken', status }]);
    expect(frames[0]?.kind === 'broken' && frames[0].message !== undefined).toBe(answerable);
  });
});
