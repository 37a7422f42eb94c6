import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sdpOf } from '../../../src/sip/body.ts';
import { FakeRequest } from '../../support/fake-sip.ts';

const SDP = 'v=0\r\ns=-\r\nm=audio 4000 RTP/AVP 8\r\n';

function read(body: string, type?: string): string {
  return sdpOf(
    new FakeRequest({ body, headers: type === undefined ? {} : { 'Content-Type': type } }).asRequest,
  );
}

/** What a phone that knows where it stands sends with an emergency call (RFC 6442). */
function multipart(boundary: string, parts: readonly string[]): string {
  return `${parts.map((part) => `--${boundary}\r\n${part}\r\n`).join('')}--${boundary}--\r\n`;
}

const place = 'Content-Type: application/pidf+xml\r\nContent-ID: <a@b>\r\n\r\n<presence>v=0</presence>';

describe('the session description of a message', () => {
  test('is its body', () => {
    expect(read(SDP, 'application/sdp')).toBe(SDP);
    expect(read(SDP)).toBe(SDP);
    expect(read('')).toBe('');
    expect(read('Signal=1', 'application/dtmf-relay')).toBe('');
  });

  test.each([
    ['multipart/mixed;boundary="hd1"', 'hd1'],
    ['multipart/mixed; boundary=hd1; charset=x', 'hd1'],
    ['Multipart/Related;type="application/sdp";boundary=a+b', 'a+b'],
  ])('is taken out of %s', (type, boundary) => {
    const sdp = `content-type: application/sdp\r\n\r\n${SDP}`;
    expect(read(multipart(boundary, [sdp, place]), type)).toBe(SDP);
    expect(read(multipart(boundary, [place, sdp]), type)).toBe(SDP);
    expect(read(`preamble\r\n${multipart(boundary, [place, sdp.trimEnd()])}`, type)).toBe(SDP);
  });

  test('is none where no part has it', () => {
    expect(read(multipart('x', [place]), 'multipart/mixed;boundary=x')).toBe('');
    expect(read('x', 'multipart/mixed')).toBe('');
  });

  test('nothing throws', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (body, type) => {
        expect(typeof read(body, type)).toBe('string');
        read(body, `multipart/mixed;boundary=${type}`);
      }),
    );
  });
});
