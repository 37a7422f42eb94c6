import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  formatHost,
  parseNameAddr,
  parseUri,
  parseVia,
  SipMessage,
  splitList,
  unquote,
} from '../../../src/sip-engine/message/message.ts';
import { parseMessage } from '../../../src/sip-engine/message/parse.ts';

function wire(...lines: string[]): string {
  return lines.join('\r\n');
}

function datagram(...lines: string[]): SipMessage {
  const message = parseMessage(wire(...lines), 'datagram');
  if (message === undefined) throw new Error('not parsed');
  return message;
}

/** Text as octets, the way the engine sees it. */
function octets(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

describe('start line', () => {
  it('reads a request and a response', () => {
    const request = datagram('INVITE sip:a@b.example SIP/2.0', 'CSeq: 1 INVITE', '', '');
    expect([request.isRequest, request.method, request.uri, request.defect]).toEqual([
      true,
      'INVITE',
      'sip:a@b.example',
      undefined,
    ]);
    const response = datagram('SIP/2.0 486 Busy Here', 'CSeq: 1 INVITE', '', '');
    expect([response.isRequest, response.method, response.status, response.reason]).toEqual([
      false,
      'INVITE',
      486,
      'Busy Here',
    ]);
  });

  it.each([
    'OPTIONS  sip:a@b SIP/2.0',
    'OPTIONS sip:a@b SIP/2.0 ',
    'OPTIONS sip:a b SIP/2.0',
    'OPTIONS <sip:a@b> SIP/2.0',
    ' OPTIONS sip:a@b SIP/2.0',
  ])('keeps the nearly right line %j and marks it', (line) => {
    const message = datagram(line, 'CSeq: 1 OPTIONS', '', '');
    expect([message.defect, message.method]).toEqual(['start-line', 'OPTIONS']);
  });

  it('skips leading line ends and refuses what is no SIP', () => {
    expect(parseMessage('\r\n\r\nOPTIONS sip:a SIP/2.0\r\n\r\n', 'datagram')?.method).toBe('OPTIONS');
    for (const junk of [
      '',
      '\r\n\r\n',
      'hello',
      'GET / HTTP/1.1\r\n\r\n',
      '\u0000\u0001\u0000\u0000!\u0012\u00a4B',
    ]) {
      expect(parseMessage(junk, 'datagram')).toBeUndefined();
    }
  });
});

describe('headers', () => {
  it.each([
    ['a', 'Accept-Contact'],
    ['b', 'Referred-By'],
    ['c', 'Content-Type'],
    ['d', 'Request-Disposition'],
    ['e', 'Content-Encoding'],
    ['f', 'From'],
    ['i', 'Call-ID'],
    ['j', 'Reject-Contact'],
    ['k', 'Supported'],
    ['m', 'Contact'],
    ['n', 'Identity-Info'],
    ['o', 'Event'],
    ['r', 'Refer-To'],
    ['s', 'Subject'],
    ['t', 'To'],
    ['u', 'Allow-Events'],
    ['v', 'Via'],
    ['x', 'Session-Expires'],
  ])('expands %s to %s in every spelling', (short, full) => {
    for (const name of [short, short.toUpperCase(), full.toLowerCase(), full.toUpperCase()]) {
      const message = datagram('OPTIONS sip:a SIP/2.0', `${name} : value`, '', '');
      expect([message.get(full), message.get(short), message.toString()]).toEqual([
        'value',
        'value',
        `OPTIONS sip:a SIP/2.0\r\n${full}: value\r\nContent-Length: 0\r\n\r\n`,
      ]);
    }
  });

  it('keeps the spelling and order of unknown names and finds them in any', () => {
    const message = datagram('OPTIONS sip:a SIP/2.0', 'x-Foo: 1', 'To: t', 'X-FOO: 2', '', '');
    expect(message.getAll('X-Foo')).toEqual(['1', '2']);
    expect([...message.headers]).toEqual([
      ['x-Foo', '1'],
      ['To', 't'],
      ['X-FOO', '2'],
    ]);
  });

  it('unfolds lines to one space', () => {
    const message = datagram('OPTIONS sip:a SIP/2.0', 'Subject:', ' one', '\ttwo  ', '   three', '', '');
    expect(message.get('s')).toBe('one two three');
  });

  it('keeps every octet of a value, also one that looks like a space in latin1', () => {
    const name = octets('"Zoë à" <sip:z@h>');
    const message = datagram('OPTIONS sip:a SIP/2.0', `To: ${octets('à')}`, `From: ${name}`, '', '');
    expect(message.get('To')).toBe(octets('à'));
    expect(message.from?.display).toBe(octets('Zoë à'));
  });

  it.each([
    ['a line without colon', 'no colon here'],
    ['a bare LF inside', 'Subject: a\nX-Smuggled: b'],
    ['a bare CR inside', 'Subject: a\rX-Smuggled: b'],
    ['a name that is no token', 'Sub ject: a'],
  ])('marks %s', (_what, line) => {
    const message = datagram('OPTIONS sip:a SIP/2.0', line, '', '');
    expect(message.defect).toBe('header');
    expect(message.toString()).not.toMatch(/[^\r]\n|\r[^\n]/);
  });

  it('marks a header block without end', () => {
    expect(datagram('OPTIONS sip:a SIP/2.0', 'To: x').defect).toBe('unterminated');
    expect(datagram('OPTIONS sip:a SIP/2.0', 'To: x', '').defect).toBe('unterminated');
  });

  it('sets, adds, puts first and deletes', () => {
    const message = SipMessage.request('INVITE', 'sip:a')
      .add('Via', 'one')
      .add('Route', 'r')
      .add('v', 'two')
      .prepend('Via', 'zero');
    expect(message.getAll('via')).toEqual(['zero', 'one', 'two']);
    expect(message.set('VIA', 'only').getAll('Via')).toEqual(['only']);
    expect([...message.headers]).toEqual([
      ['Via', 'only'],
      ['Route', 'r'],
    ]);
    expect(message.delete('v').has('Via')).toBe(false);
  });

  it('forgets parsed values when their header changes', () => {
    const message = datagram('OPTIONS sip:a SIP/2.0', 'To: <sip:a@b>', 'Via: SIP/2.0/UDP h;branch=1', '', '');
    expect([message.to?.tag, message.topVia?.branch]).toEqual([undefined, '1']);
    message.set('To', '<sip:a@b>;tag=x').prepend('Via', 'SIP/2.0/UDP h;branch=2');
    expect([message.to?.tag, message.topVia?.branch]).toEqual(['x', '2']);
  });

  it('lets no value end its own header', () => {
    const message = SipMessage.request('INVITE', 'sip:a')
      .add('Subject', 'x\r\nRoute: <sip:evil>')
      .set('To', 'a\nb: c');
    expect([...(parseMessage(message.toString(), 'datagram')?.headers ?? [])]).toEqual([
      ['Subject', 'x Route: <sip:evil>'],
      ['To', 'a b: c'],
      ['Content-Length', '0'],
    ]);
  });
});

describe('body', () => {
  it('is cut at Content-Length in a datagram; what follows is ignored', () => {
    const message = datagram('MESSAGE sip:a SIP/2.0', 'l: 4', '', 'fourINVITE sip:b SIP/2.0');
    expect([message.body, message.defect]).toEqual(['four', undefined]);
  });

  it('is the rest of a datagram without Content-Length, and nothing in a stream', () => {
    const text = wire('MESSAGE sip:a SIP/2.0', 'To: x', '', 'the rest');
    expect(parseMessage(text, 'datagram')?.body).toBe('the rest');
    expect(parseMessage(text, 'stream')?.body).toBe('');
  });

  it('passes any octet and counts octets', () => {
    const all = String.fromCharCode(...Array.from({ length: 256 }, (_, i) => i));
    const message = datagram('MESSAGE sip:a SIP/2.0', 'Content-Length: 256', '', `${all}trailing`);
    expect(message.body).toBe(all);
    message.body = octets('é€');
    expect(message.toString()).toContain('Content-Length: 5\r\n');
  });

  it.each([
    ['-1', 'content-length'],
    ['ten', 'content-length'],
    ['1e3', 'content-length'],
    ['99999999999999999999', 'content-length'],
    ['5', 'truncated'],
  ])('marks Content-Length %s with 4 octets there', (length, defect) => {
    expect(datagram('MESSAGE sip:a SIP/2.0', `l: ${length}`, '', 'four').defect).toBe(defect);
  });
});

describe('parsed headers', () => {
  it.each([
    ['sip:h', { scheme: 'sip', user: undefined, host: 'h', port: undefined, headers: '' }],
    ['SIPS:alice@h.example:5061', { scheme: 'sips', user: 'alice', host: 'h.example', port: 5061 }],
    ['sip:%2A90@h;user=phone', { user: '%2A90', host: 'h' }],
    ['sip:u;p=1?x/y@h', { user: 'u;p=1?x/y', host: 'h' }],
    ['sip:u:secret@h', { user: 'u', host: 'h' }],
    ['sip:u@[2001:db8::1]:5070', { host: '2001:db8::1', port: 5070 }],
    ['sip:u@h?Route=%3Csip:x%3E', { host: 'h', headers: 'Route=%3Csip:x%3E' }],
    ['tel:+441134960000;phone-context=x', { scheme: 'tel', user: '+441134960000', host: '' }],
    ['urn:service:sos', { scheme: 'urn' }],
  ])('parses the URI %s', (text, expected) => {
    expect(parseUri(text)).toMatchObject(expected);
  });

  it.each([
    '',
    'sip',
    'sip:',
    'sip:@h',
    'sip:u@',
    'sip:u@h:99999',
    'sip:u@h h',
    'sip:u@h>',
    'tel:',
    ':x',
    '1x:y',
  ])('refuses the URI %j', (text) => expect(parseUri(text)).toBeUndefined());

  it('takes the first of equal URI parameters and lower-cases names', () => {
    expect([...(parseUri('sip:h;LR;x=1;X=2')?.params ?? [])]).toEqual([
      ['lr', ''],
      ['x', '1'],
    ]);
  });

  it.each([
    ['<sip:a@b>', '', 'sip:a@b', undefined],
    ['sip:a@b;tag=1', '', 'sip:a@b', '1'],
    ['<sip:a@b;tag=no>;tag=yes', '', 'sip:a@b;tag=no', 'yes'],
    ['"A \\"B\\" <c>, d" <sip:a@b> ; tag = 1 ; x="y;z"', 'A "B" <c>, d', 'sip:a@b', '1'],
    ['Alice Smith<sip:a@b>', 'Alice Smith', 'sip:a@b', undefined],
    ['"x"<sip:a@b>', 'x', 'sip:a@b', undefined],
    ['sip:a@b;x="<y>"', '', 'sip:a@b', undefined],
  ])('parses %s', (text, display, uri, tag) => {
    expect(parseNameAddr(text)).toMatchObject({ display, uri, tag });
  });

  it.each([
    '"open <sip:a@b>',
    '<sip:a@b',
    '<sip:a@b> text',
    '<sip:a@b>;',
    '<sip:a@b>;;x',
    '<sip:a@b>;tag=a b',
    'Bell, A <sip:a@b>',
    'sip:evil@x <sip:a@b>',
    'sip:a@b?Route=x',
    '< sip:a@b >',
    '"x" sip:a@b',
    '"x" y <sip:a@b>',
    '',
  ])('refuses %j', (text) => expect(parseNameAddr(text)).toBeUndefined());

  it('parses Via with white space, IPv6 and parameters', () => {
    expect(parseVia('SIP / 2.0 / udp  [2001:db8::9]:5080 ; branch = z9hG4bKx;rport')).toMatchObject({
      protocol: 'UDP',
      host: '2001:db8::9',
      port: 5080,
      branch: 'z9hG4bKx',
    });
    for (const bad of [
      'SIP/2.0/UDP',
      'SIP/2.0 h',
      'SIP/2.0/UDP h;;',
      'SIP/2.0/UDP h x',
      'SIP/2.0/UDP h:70000',
      '',
    ]) {
      expect(parseVia(bad)).toBeUndefined();
    }
  });

  it('takes the first element of the first Via', () => {
    const message = datagram(
      'OPTIONS sip:a SIP/2.0',
      'v: SIP/2.0/UDP one;branch="a,b" , SIP/2.0/UDP two',
      '',
      '',
    );
    expect(message.topVia).toMatchObject({ host: 'one', branch: '"a,b"' });
  });

  it('splits lists at top-level commas only', () => {
    expect(splitList('"a,b" <sip:x,y>, c ;d="e,f",')).toEqual(['"a,b" <sip:x,y>', 'c ;d="e,f"', '']);
  });

  it('reads contacts of several lines, and the wildcard', () => {
    const message = datagram(
      'REGISTER sip:a SIP/2.0',
      'm: <sip:1@h>, <sip:2@h>;q=0.5',
      'Contact: sip:3@h',
      '',
      '',
    );
    expect((message.contacts() as { uri: string }[]).map((contact) => contact.uri)).toEqual([
      'sip:1@h',
      'sip:2@h',
      'sip:3@h',
    ]);
    expect(datagram('REGISTER sip:a SIP/2.0', 'm: *', '', '').contacts()).toBe('*');
  });

  it.each([
    ['0009 INVITE', 9],
    ['4294967295 X', 4294967295],
    ['4294967296 X', undefined],
    ['-1 X', undefined],
    ['1', undefined],
  ])('reads CSeq %s', (value, seq) => {
    expect(datagram('OPTIONS sip:a SIP/2.0', `CSeq: ${value}`, '', '').cseq?.seq).toBe(seq);
  });

  it('has helpers for quotes and IPv6', () => {
    expect([unquote('"a\\"b"'), unquote('a'), formatHost('::1'), formatHost('h')]).toEqual([
      'a"b',
      'a',
      '[::1]',
      'h',
    ]);
  });
});

describe('a response to a request', () => {
  it('has all Vias, From, To, Call-ID and CSeq, and Timestamp in a 100', () => {
    const lines = [
      'Via: v1',
      'From: f',
      'v: v2, v3',
      'To: t',
      'i: c',
      'CSeq: 1 INVITE',
      'Timestamp: 5',
      'Route: r',
    ];
    const request = datagram('INVITE sip:a SIP/2.0', ...lines, '', '');
    const copied = [
      'Via: v1',
      'Via: v2, v3',
      'From: f',
      'To: t',
      'Call-ID: c',
      'CSeq: 1 INVITE',
      'Timestamp: 5',
    ];
    expect(SipMessage.response(request, 100).toString()).toBe(
      wire('SIP/2.0 100 Trying', ...copied, 'Content-Length: 0', '', ''),
    );
    expect(SipMessage.response(request, 480, 'Nobody here').toString()).toMatch(
      /^SIP\/2.0 480 Nobody here\r\nVia/,
    );
  });
});

describe('round trip', () => {
  const value = fc.string({
    unit: fc.integer({ min: 0x21, max: 0xff }).map((c) => String.fromCharCode(c)),
    minLength: 1,
  });
  const body = fc.string({ unit: fc.integer({ min: 0, max: 0xff }).map((c) => String.fromCharCode(c)) });

  it('what is written is read back', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom('To', 'X-A', 'Via', 'x-b'), value)),
        body,
        (headers, text) => {
          const message = SipMessage.request('MESSAGE', 'sip:a');
          for (const [name, v] of headers) message.add(name, v);
          message.body = text;
          const read = parseMessage(message.toString(), 'datagram');
          expect(read?.defect).toBeUndefined();
          expect([...(read?.headers ?? [])].slice(0, -1)).toEqual(headers);
          expect(read?.body).toBe(text);
        },
      ),
    );
  });
});
