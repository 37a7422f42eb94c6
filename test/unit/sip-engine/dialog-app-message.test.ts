import { describe, expect, it } from 'vitest';
import { appHeader, parseAppMessage, wireName } from '../../../src/sip-engine/dialog/app-message.ts';

describe('messages of applications', () => {
  it('are read as drachtio-srf writes them', () => {
    const text =
      'INVITE sip:bob@x SIP/2.0\r\nfrom: sip:a@localhost\r\nContent-Length: 3\r\nX-a: b\r\n\r\nv=0\r\nrest\r\n\r\nmore';
    const message = parseAppMessage(text)!;
    expect(message).toMatchObject({ method: 'INVITE', uri: 'sip:bob@x', status: 0 });
    expect(message.body).toBe('v=0\r\nrest\r\n\r\nmore');
    expect(appHeader(message, 'From')).toBe('sip:a@localhost');
    expect(message.headers.at(-1)).toEqual(['X-a', 'b']);
  });

  it('may have no headers, no body and no empty line', () => {
    expect(parseAppMessage('SIP/2.0 180')).toMatchObject({ status: 180, reason: '', headers: [], body: '' });
    expect(parseAppMessage('SIP/2.0 486 Busy Here\r\n')).toMatchObject({ status: 486, reason: 'Busy Here' });
  });

  it.each([
    '',
    'hello',
    'INVITE sip:x',
    'INVITE  sip:x SIP/2.0',
    'SIP/2.0 99 x',
    'SIP/2.0 700 x',
    'IN:VITE sip:x SIP/2.0',
  ])('that are not SIP are refused: %s', (text) => expect(parseAppMessage(text)).toBeUndefined());

  it('cannot smuggle a header in a value or a bad name', () => {
    const message = parseAppMessage(
      'BYE sip:x SIP/2.0\r\nX-A: one\nRoute: <sip:evil>\r\nbad name: x\r\n: x\r\nX-B: a\rb\0c\r\n\r\n',
    )!;
    expect(message.headers).toEqual([
      ['X-A', 'one Route: <sip:evil>'],
      ['X-B', 'a b c'],
    ]);
  });

  it.each([
    ['call-id', 'Call-ID'],
    ['cseq', 'CSeq'],
    ['www-authenticate', 'WWW-Authenticate'],
    ['p-asserted-identity', 'P-Asserted-Identity'],
    ['foo-bar', 'Foo-Bar'],
    ['x-custom-thing', 'x-custom-thing'],
    ['X-Custom', 'X-Custom'],
    ['P-Charge-Info', 'P-Charge-Info'],
  ])('have their header %s written %s', (name, wire) => expect(wireName(name)).toBe(wire));
});
