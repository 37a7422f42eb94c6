import { describe, expect, test } from 'vitest';
import { type Loaded, loadConfig } from '../../src/config.ts';

/** How a trunk wants emergency calls, as the configuration says it. */

function load(emergencyCalls: unknown, sip: object = {}): Loaded {
  const trunk = { name: 'sos', uri: 'sip:192.0.2.1;transport=tcp', emergency: true, emergencyCalls };
  return loadConfig({}, JSON.stringify({ sip: { trunks: [trunk], ...sip } }));
}

function wishes(emergencyCalls: unknown): unknown {
  const loaded = load(emergencyCalls);
  if ('problems' in loaded) throw new Error(loaded.problems.join('\n'));
  return loaded.config.sip.trunks[0]?.emergencyCalls;
}

function problems(emergencyCalls: unknown): readonly string[] {
  const loaded = load(emergencyCalls);
  return 'problems' in loaded ? loaded.problems : [];
}

test('nothing is said: the number as dialled, and nothing beside it', () => {
  expect(wishes({})).toEqual({ dial: 'number', pidfLo: false, headers: {} });
  expect(wishes(undefined)).toBeUndefined();
});

test('everything is said', () => {
  const all = {
    ...{ dial: 'urn', pidfLo: true, resourcePriority: 'esnet.1' },
    headers: { 'X-Customer': 'A "1"; b=<c>', 'P-Charging-Vector': 'icid-value=1' },
  };
  expect(wishes(all)).toEqual(all);
});

describe('headers', () => {
  const NAMES = 'expected names of A-Z, a-z, 0-9 and -, and none that makes the call itself';

  test.each([
    ...['Via', 'From', 'to', 'CONTACT', 'Call-ID', 'CSeq', 'Route', 'Record-Route', 'Max-Forwards'],
    ...['Content-Type', 'content-length', 'Content-ID', 'Geolocation', 'Geolocation-Routing', 'Supported'],
    ...['Require', 'Priority', 'Resource-Priority', 'Privacy', 'P-Asserted-Identity', 'Replaces', 'Identity'],
    ...[
      'f',
      'T',
      'm',
      'i',
      'v',
      'c',
      'l',
      'k',
      'x',
      '',
      'X Y',
      'X:Y',
      'X\r\nFrom',
      'Ünicode',
      'X'.repeat(65),
    ],
  ])('%j may not be set', (name) => {
    expect(problems({ headers: { [name]: 'x' } }).join()).toContain(NAMES);
  });

  test.each(['x\r\nVia: y', 'x\ny', '\u0000', 'ä', '', '   ', 'x'.repeat(201)])('not with %j', (value) => {
    expect(problems({ headers: { 'X-A': value } })).toEqual([
      'sip.trunks.0.emergencyCalls.headers.X-A: expected printable ASCII, at most 200 characters',
    ]);
  });

  test('ten at most, and each a text', () => {
    const many = Object.fromEntries(Array.from({ length: 11 }, (_, index) => [`X-${index}`, 'x']));
    expect(problems({ headers: many })).toEqual([
      'sip.trunks.0.emergencyCalls.headers: expected at most 10 headers',
    ]);
    expect(problems({ headers: { 'X-A': 1 } })).toHaveLength(1);
    expect(problems({ headers: ['X-A: 1'] })).toHaveLength(1);
  });
});

test.each([
  [{ dial: '999' }, 'sip.trunks.0.emergencyCalls.dial: expected one of number, urn'],
  [{ pidfLo: 'yes' }, 'sip.trunks.0.emergencyCalls.pidfLo: expected true or false'],
  [{ pidflo: true }, 'sip.trunks.0.emergencyCalls.pidflo: unknown setting'],
  [
    { resourcePriority: 'esnet.1\r\nX: y' },
    'sip.trunks.0.emergencyCalls.resourcePriority: expected a namespace and a value such as esnet.1',
  ],
  [
    { resourcePriority: 'esnet' },
    'sip.trunks.0.emergencyCalls.resourcePriority: expected a namespace and a value such as esnet.1',
  ],
  [true, 'sip.trunks.0.emergencyCalls: expected a group of settings'],
])('%j: %s', (value, problem) => {
  expect(problems(value)).toEqual([problem]);
});

test('trunks are asked every 30 s, or as often as is said, or not at all', () => {
  const every = (sip: object): number => {
    const loaded = load({}, sip);
    if ('problems' in loaded) throw new Error(loaded.problems.join('\n'));
    return loaded.config.sip.trunkProbe;
  };
  expect([every({}), every({ trunkProbe: 5 }), every({ trunkProbe: 0 })]).toEqual([30, 5, 0]);
  expect('problems' in load({}, { trunkProbe: -1 })).toBe(true);
});

describe('voicemail', () => {
  const loadVoicemail = (voicemail: unknown): Loaded =>
    loadConfig({}, JSON.stringify({ sip: { trunks: [{ name: 'pbx', uri: 'sip:192.0.2.1', voicemail }] } }));

  test('what is not said', () => {
    const loaded = loadVoicemail({});
    expect('config' in loaded && loaded.config.sip.trunks[0]?.voicemail).toEqual({
      ...{ identify: 'diversion', ownMessages: 'identify', subscribe: false },
    });
  });

  test.each([
    [{ number: '*98' }, 'sip.trunks.0.voicemail.number'],
    [{ identify: 'guess' }, 'sip.trunks.0.voicemail.identify'],
    [{ ownMessages: 'diversion' }, 'sip.trunks.0.voicemail.ownMessages'],
    [{ subscribe: 'yes' }, 'sip.trunks.0.voicemail.subscribe'],
    [{ mailbox: '1001' }, 'sip.trunks.0.voicemail.mailbox'],
  ])('%j is refused', (voicemail, path) => {
    const loaded = loadVoicemail(voicemail);
    expect('problems' in loaded && loaded.problems[0]).toMatch(new RegExp(`^${path}: `));
  });
});

describe('a trunk the embedded engine has no way to', () => {
  const udp = { protocol: 'udp', host: '127.0.0.1', port: 5060 };
  const tcp = { ...udp, protocol: 'tcp' };
  const ws = { ...udp, protocol: 'ws' };
  const said = (uri: string, listen: readonly object[], sip: object = {}): unknown => {
    const loaded = loadConfig(
      {},
      JSON.stringify({ sip: { trunks: [{ name: 'sos', uri }], listen, ...sip } }),
    );
    return 'problems' in loaded ? loaded.problems : 'fine';
  };

  test.each([
    ['sip:192.0.2.1;transport=tls', [udp, tcp]],
    ['sips:192.0.2.1', [udp, tcp]],
    ['sip:192.0.2.1;transport=ws', [udp, ws]],
    ['sip:192.0.2.1;transport=tcp', [udp]],
    ['sip:192.0.2.1', [ws]],
  ])('%s is refused, for it would fail at the first call', (uri, listen) => {
    const problem = 'sip.trunks.0.uri: expected transport udp or tcp, and the same in sip.listen';
    expect(said(uri, listen)).toEqual([problem]);
    expect(said(uri, listen, { drachtio: { host: '127.0.0.1' } })).toBe('fine');
  });

  test.each([
    ['sip:192.0.2.1', [udp]],
    ['sip:192.0.2.1', [tcp]],
    ['SIP:192.0.2.1;Transport=TCP;lr', [udp, tcp]],
  ])('%s is none', (uri, listen) => expect(said(uri, listen)).toBe('fine'));
});
