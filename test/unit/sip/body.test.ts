import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { multipart as compose, sdpOf } from '../../../src/sip/body.ts';
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

describe('a body of several parts', () => {
  const PLACE = { type: 'application/pidf+xml', id: 'd1.5@acme.test', content: '<presence/>' };

  test('is written as RFC 2046 has it; what a header speaks of has an id and is optional', () => {
    expect(compose([{ type: 'application/sdp', content: SDP }, PLACE])).toEqual({
      type: 'multipart/mixed;boundary=hotdesk-1',
      content: [
        ...['--hotdesk-1', 'Content-Type: application/sdp', '', SDP],
        ...['--hotdesk-1', 'Content-Type: application/pidf+xml', 'Content-ID: <d1.5@acme.test>'],
        ...['Content-Disposition: by-reference;handling=optional', '', '<presence/>', '--hotdesk-1--', ''],
      ].join('\r\n'),
    });
  });

  test('may lack a session description', () => {
    const { type, content } = compose([PLACE]);
    expect(read(content, type)).toBe('');
    expect(content).toContain('<presence/>');
  });

  test('is read back whatever the parts hold, the boundary included', () => {
    const part = fc
      .array(fc.oneof(fc.string(), fc.constantFrom('--hotdesk-1', '--hotdesk-1--', '--hotdesk-2', '\r\n')))
      .map((words) => words.join(''));
    fc.assert(
      fc.property(part, part, (a, b) => {
        const sdp = `v=0\r\n${a}\r\n`.replace(/(\r\n)+$/, '\r\n');
        const { type, content } = compose([
          { type: 'application/sdp', content: sdp },
          { ...PLACE, content: b },
        ]);
        expect(read(content, type)).toBe(sdp);
      }),
    );
  });
});
