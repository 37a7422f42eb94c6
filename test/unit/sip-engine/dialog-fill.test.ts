import { describe, expect, it } from 'vitest';
import { parseAppMessage } from '../../../src/sip-engine/dialog/app-message.ts';
import {
  cancelHeaders,
  chosenTag,
  fillRequest,
  fillResponse,
  substituteLocalhost,
} from '../../../src/sip-engine/dialog/fill.ts';
import { parseMessage } from '../../../src/sip-engine/message/parse.ts';
import type { SipAddress } from '../../../src/sip-engine/transport/transport-layer.ts';

const own: SipAddress = {
  protocol: 'udp',
  host: '192.0.2.5',
  port: 5070,
  localHost: '192.0.2.5',
  localPort: 5070,
};
const app = (text: string) => parseAppMessage(text.replaceAll('\n', '\r\n'))!;

function filled(text: string, address = own) {
  const result = fillRequest(app(text), address);
  if ('refusal' in result) throw new Error(result.refusal);
  return result.message;
}

describe('localhost', () => {
  it.each([
    ['sip:alice@localhost', '<sip:alice@192.0.2.5:5070>'],
    ['sip:alice@localhost;tag=1', '<sip:alice@192.0.2.5:5070>;tag=1'],
    ['<sip:alice@localhost:5999;transport=tcp>;x=1', '<sip:alice@192.0.2.5:5070;transport=tcp>;x=1'],
    ['"A" <sips:localhost>', '"A" <sips:192.0.2.5:5070>'],
    ['<sip:alice@localhost.example>', '<sip:alice@localhost.example>'],
    ['<sip:localhost@example.com>', '<sip:localhost@example.com>'],
  ])('%s becomes %s', (value, expected) => expect(substituteLocalhost(value, own)).toBe(expected));

  it('is replaced by an IPv6 address with brackets', () => {
    expect(substituteLocalhost('<sip:a@localhost>', { ...own, host: '2001:db8::1' })).toBe(
      '<sip:a@[2001:db8::1]:5070>',
    );
  });
});

describe('a request', () => {
  it('gets all it needs', () => {
    const message = filled('INVITE sip:bob@h;transport=tcp SIP/2.0\n\nv=0\n');
    expect(message.get('To')).toBe('<sip:bob@h;transport=tcp>');
    expect(message.get('From')).toMatch(/^<sip:192\.0\.2\.5:5070>;tag=\w+$/);
    expect(message.get('Contact')).toBe('<sip:192.0.2.5:5070>');
    expect(message.get('Max-Forwards')).toBe('70');
    expect(message.get('Content-Type')).toBe('application/sdp');
    expect(message.cseq?.seq).toBeLessThan(2 ** 31);
    expect(message.callId).toMatch(/^\S{20,}$/);
  });

  it('keeps what the application owns and loses what it does not', () => {
    const message = filled(
      [
        'OPTIONS sip:bob@h SIP/2.0',
        'From: "A" <sip:a@h>;tag=mine',
        'Call-ID: own',
        'CSeq: 17 OPTIONS',
        'Via: SIP/2.0/UDP evil',
        'Route: <sip:evil>',
        'Record-Route: <sip:evil>',
        'RSeq: 1',
        'Content-Length: 99',
        'Max-Forwards: 12',
        'X-A: 1',
        'X-A: 2',
      ].join('\n'),
    );
    expect(message.get('From')).toBe('"A" <sip:a@h>;tag=mine');
    expect([message.callId, message.get('CSeq'), message.get('Max-Forwards')]).toEqual([
      'own',
      '17 OPTIONS',
      '12',
    ]);
    expect(message.getAll('X-A')).toEqual(['1', '2']);
    expect(message.toString()).not.toContain('evil');
    expect(message.has('RSeq')).toBe(false);
    expect(message.has('Contact')).toBe(false);
  });

  it('with a body needs a Content-Type, and a From that can be read', () => {
    expect(fillRequest(app('INFO sip:h SIP/2.0\n\nhello'), own)).toEqual({ refusal: 'missing content-type' });
    expect(fillRequest(app('INFO sip:h SIP/2.0\nFrom: "x <sip:a@h>\n\n'), own)).toHaveProperty('refusal');
  });
});

describe('a response', () => {
  const request = parseMessage(
    [
      'INVITE sip:bob@h SIP/2.0',
      'Via: SIP/2.0/UDP a;branch=z9hG4bK1',
      'Via: SIP/2.0/UDP b;branch=z9hG4bK2',
      'From: <sip:a@h>;tag=f',
      'To: <sip:bob@h>',
      'Call-ID: c',
      'CSeq: 3 INVITE',
      '',
      '',
    ].join('\r\n'),
    'datagram',
  )!;
  const options = { localTag: 'ours', own, contact: '<sip:us>' };

  it('takes its identity from the request, whatever the application says', () => {
    const response = fillResponse(
      app(
        'SIP/2.0 200 Fine\nCall-ID: x\nFrom: <sip:x@x>\nTo: <sip:x@x>;tag=x\nCSeq: 9 X\nVia: x\nServer: s\n\nv=0\n',
      ),
      request,
      options,
    );
    expect(response.getAll('Via')).toEqual(request.getAll('Via'));
    expect([response.get('From'), response.get('To')]).toEqual(['<sip:a@h>;tag=f', '<sip:bob@h>;tag=ours']);
    expect([response.callId, response.get('CSeq'), response.reason]).toEqual(['c', '3 INVITE', 'Fine']);
    expect([response.get('Server'), response.get('Contact')]).toEqual(['s', '<sip:us>']);
    expect(response.get('Content-Type')).toBe('application/sdp');
  });

  it('has the usual reason when none was given, no tag on 100, and the own Contact only once', () => {
    const trying = fillResponse(app('SIP/2.0 100'), request, { ...options, contact: undefined });
    expect([trying.reason, trying.get('To')]).toEqual(['Trying', '<sip:bob@h>']);
    const own200 = fillResponse(app('SIP/2.0 200\nContact: <sip:me@localhost>'), request, options);
    expect(own200.getAll('Contact')).toEqual(['<sip:me@192.0.2.5:5070>']);
  });

  it('may have its tag chosen by the application', () => {
    expect(chosenTag(app('SIP/2.0 200 OK\nTo: <sip:x@y>;tag=abc'))).toBe('abc');
    expect(chosenTag(app('SIP/2.0 200 OK\nTo: <sip:x@y>;tag="a b"'))).toBeUndefined();
    expect(chosenTag(app('SIP/2.0 200 OK'))).toBeUndefined();
  });
});

describe('a CANCEL', () => {
  it('carries Reason and the like, nothing of the INVITE', () => {
    const message = app(
      'CANCEL sip:x SIP/2.0\nReason: SIP;cause=200\nFrom: <sip:x>\nContact: <sip:x>\nX-A: 1\n\n',
    );
    expect(cancelHeaders(message)).toEqual([
      ['Reason', 'SIP;cause=200'],
      ['X-A', '1'],
    ]);
  });
});
