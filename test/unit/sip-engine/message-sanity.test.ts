import { describe, expect, it } from 'vitest';
import { parseMessage } from '../../../src/sip-engine/message/parse.ts';
import { checkSanity, DEFAULT_SANITY_LIMITS } from '../../../src/sip-engine/message/sanity.ts';

const REQUEST = [
  'OPTIONS sip:bob@h SIP/2.0',
  'Via: SIP/2.0/UDP h;branch=z9hG4bK1',
  'Max-Forwards: 70',
  'From: <sip:a@h>;tag=1',
  'To: <sip:bob@h>',
  'Call-ID: c@h',
  'CSeq: 1 OPTIONS',
  'Contact: <sip:a@h>',
  'Content-Length: 0',
];
const RESPONSE = ['SIP/2.0 200 OK', ...REQUEST.slice(1)];

/** `lines` after `changes`: `+line` is added, `-Name` removed, `Name: value` replaced; anything else is a new start line. */
function change(lines: readonly string[], changes: readonly string[]): string[] {
  const result = [...lines];
  const find = (name: string | undefined) => result.findIndex((line) => line.startsWith(`${name}:`));
  for (const item of changes) {
    if (item.startsWith('+')) result.push(item.slice(1));
    else if (item.startsWith('-')) result.splice(find(item.slice(1)), 1);
    else if (/^[A-Z][A-Za-z-]*: /.test(item)) result[find(item.split(':')[0])] = item;
    else result[0] = item;
  }
  return result;
}

/** 'accept', 'drop', or the status of the rejection. */
function judge(lines: readonly string[], ...changes: string[]) {
  const message = parseMessage(`${change(lines, changes).join('\r\n')}\r\n\r\n`, 'datagram');
  if (message === undefined) throw new Error('not parsed');
  const verdict = checkSanity(message);
  return verdict.action === 'reject' ? verdict.status : verdict.action;
}

describe('requests (RFC 3261 8.2, 16.3)', () => {
  it.each([
    ['accept', []],
    ['accept', ['-Max-Forwards']],
    ['accept', ['Contact: *']],
    ['accept', ['OPTIONS tel:+44 SIP/2.0']],
    ['accept', ['OPTIONS urn:service:sos.police SIP/2.0']],
    ['accept', ['To: <isbn:123>']],
    [505, ['OPTIONS sip:bob@h SIP/3.0']],
    [505, ['OPTIONS sip:bob@h SIP/7.0', 'Via: SIP/7.0/UDP h']],
    ['drop', ['-Via']],
    ['drop', ['Via: nonsense']],
    [400, ['Via: SIP/2.0/UDP h;;']],
    [400, ['OPTIONS  sip:bob@h SIP/2.0']],
    [400, ['+no colon']],
    [400, ['Content-Length: -5']],
    [400, ['Content-Length: 5']],
    [400, ['+From: <sip:x@h>']],
    [400, ['+To: <sip:x@h>']],
    [400, ['+Call-ID: d']],
    [400, ['+CSeq: 2 OPTIONS']],
    [400, ['+Max-Forwards: 1']],
    [400, ['+l: 0']],
    [400, ['-CSeq']],
    [400, ['CSeq: 4294967296 OPTIONS']],
    [400, ['CSeq: 1 INVITE']],
    [400, ['-Call-ID']],
    [400, ['-From']],
    [400, ['-To']],
    [400, ['To: "open <sip:bob@h>']],
    [400, ['From: <sip:a@h>;tag=1 more']],
    [400, ['Max-Forwards: 256']],
    [400, ['Max-Forwards: -1']],
    [400, ['Contact: sip:a@h?x=y']],
    [400, ['Contact: <sip:a@h>, *']],
    [400, ['+Via: SIP/2.0/UDP h2, rubbish']],
    [400, ['OPTIONS sip:bob@h:x SIP/2.0']],
    [400, ['OPTIONS sip:bob@h?a=b SIP/2.0']],
    [416, ['OPTIONS http://h/ SIP/2.0']],
    [416, ['OPTIONS urn:isbn:1 SIP/2.0']],
    [513, [`+X-Big: ${'x'.repeat(DEFAULT_SANITY_LIMITS.headBytes)}`]],
    [400, [`Contact: <sip:${'x'.repeat(DEFAULT_SANITY_LIMITS.contactBytes)}@h>`]],
    [400, [`To: <sip:${'x'.repeat(DEFAULT_SANITY_LIMITS.headerBytes)}@h>`]],
  ] as const)('%s for %j', (expected, changes) => {
    expect(judge(REQUEST, ...changes)).toBe(expected);
  });

  it('lets the first check decide', () => {
    expect(judge(REQUEST, '-Via', 'OPTIONS sip:bob@h SIP/3.0')).toBe('drop');
    expect(judge(REQUEST, '-To', 'OPTIONS http://h SIP/3.0')).toBe(505);
    expect(judge(REQUEST, '-To', 'OPTIONS http://h SIP/2.0')).toBe(400);
  });

  it('never answers an ACK', () => {
    expect(judge(REQUEST, 'ACK sip:bob@h SIP/2.0')).toBe('drop');
    expect(judge(REQUEST, 'ACK sip:bob@h SIP/2.0', 'CSeq: 1 ACK')).toBe('accept');
  });
});

describe('responses (RFC 3261 18.1.2)', () => {
  it.each([
    ['accept', []],
    ['accept', ['SIP/2.0 100 ']],
    ['accept', ['SIP/2.0 699 x']],
    ['drop', ['SIP/2.0 700 x']],
    ['drop', ['SIP/2.0 099 x']],
    ['drop', ['SIP/2.0 4294967301 x']],
    ['drop', ['SIP/3.0 200 OK']],
    ['drop', ['-Via']],
    ['drop', ['-CSeq']],
    ['drop', ['CSeq: 9292394834772304023312 OPTIONS']],
    ['drop', ['-Call-ID']],
    ['drop', ['From: nobody']],
    ['drop', ['To: "x <sip:a@h>']],
    ['drop', ['+To: <sip:x@h>']],
  ] as const)('%s for %j', (expected, changes) => {
    expect(judge(RESPONSE, ...changes)).toBe(expected);
  });
});
