import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { contentId, type Place, pidfLo } from '../../../../src/sip/location/pidf-lo.ts';
import { problemsOf, textOf } from '../../../support/location-object.ts';

/** RFC 4119, 5139, 5491: the address of a desk as emergency services read it. */

const reception: Place = {
  host: 'cp0004f2000001',
  nickname: 'Reception',
  mac: '00:04:F2:00:00:01',
  address: {
    customerName: 'Acme & Sons <UK>',
    houseNumber: '10',
    street: 'Example Street',
    city: 'London',
    postcode: 'EC1A 1AA',
    country: 'GB',
    floor: '3',
    room: '3.14',
  },
  unverified: false,
  domain: 'hotdesk.example',
  at: 1_700_000_000_000,
};

const at = (...names: string[]): string => names.map((name) => `//*[local-name()='${name}']`).join('');

test('a desk in full, in the order of the schema', async () => {
  const document = pidfLo({ ...reception, address: { ...reception.address, state: 'Greater London' } });
  expect(await problemsOf([document])).toEqual(['']);
  const address = [...document.matchAll(/<ca:(\w+)>([^<]+)/g)].map(([, name, value]) => [name, value]);
  expect(address).toEqual([
    ['country', 'GB'],
    ['A1', 'Greater London'],
    ['A3', 'London'],
    ['RD', 'Example Street'],
    ['HNO', '10'],
    ['FLR', '3'],
    ['NAM', 'Acme &amp; Sons &lt;UK&gt;'],
    ['PC', 'EC1A 1AA'],
    ['ROOM', '3.14'],
    ['SEAT', 'Reception'],
  ]);
  expect(await textOf(document, '/*/@entity')).toBe('pres:cp0004f2000001@hotdesk.example');
  expect(await textOf(document, at('deviceID'))).toBe('mac:0004f2000001');
  expect(await textOf(document, at('timestamp'))).toBe('2023-11-14T22:13:20Z');
  expect(await textOf(document, at('method'))).toBe('Manual');
  expect(await textOf(document, at('retransmission-allowed'))).toBe('true');
  expect(await textOf(document, at('NAM'))).toBe('Acme & Sons <UK>');
});

test('an address nobody has confirmed since the phone was moved is sent all the same, and says so', async () => {
  const moved = pidfLo({ ...reception, unverified: true });
  expect(await problemsOf([moved])).toEqual(['']);
  expect(await textOf(moved, at('device', 'note'))).toMatch(/^Address not confirmed/);
  expect(await textOf(moved, at('ROOM'))).toBe('3.14');
  expect(await textOf(pidfLo(reception), `count(${at('note')})`)).toBe('0');
});

test('what is not known is left out', async () => {
  const { floor: _floor, room: _room, ...address } = reception.address;
  const { mac: _mac, ...bare } = reception;
  const document = pidfLo({ ...bare, nickname: '', address: { ...address, country: 'United Kingdom' } });
  expect(await problemsOf([document])).toEqual(['']);
  expect(document).not.toMatch(/<ca:(FLR|ROOM|SEAT|country)>/);
  expect(await textOf(document, at('deviceID'))).toBe('sip:cp0004f2000001@hotdesk.example');
});

test('letters of any script are read back as they were written', async () => {
  const names = {
    customerName: 'Łódź & Søn «GmbH»',
    street: 'O\'Connell "Mall" > 北京路',
    city: 'Кострома 🏙',
  };
  const document = pidfLo({ ...reception, address: { ...reception.address, ...names } });
  expect(await problemsOf([document])).toEqual(['']);
  expect(document).toMatch(/^[\x20-\x7e]*$/);
  for (const [element, name] of [
    ['NAM', names.customerName],
    ['RD', names.street],
    ['A3', names.city],
  ] as const) {
    expect(await textOf(document, at(element))).toBe(name);
  }
});

const HOSTILE = [
  ']]></ca:NAM><ca:PC>',
  '<!-- -->',
  '&amp;&#0;&lt;',
  '\u0000\u0001\u001b\u007f\u0085\u2028\r\n\t',
  '\ud800x\udfff',
  '\ufffe\uffff',
  '--hotdesk-1--\r\n',
  ' ',
  'x'.repeat(5000),
  '𝔘'.repeat(5000),
];

describe('anything', () => {
  const name = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom(...HOSTILE));
  const maybe = fc.option(name, { nil: undefined });
  const place: fc.Arbitrary<Place> = fc.record({
    ...{ host: name, nickname: name, mac: maybe, unverified: fc.boolean(), domain: name },
    at: fc.oneof(
      fc.double(),
      fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, -1, 8e15, 253_402_300_799_999),
    ),
    address: fc.record({
      ...{ customerName: name, houseNumber: name, street: name, city: name, state: maybe, postcode: name },
      ...{ country: name, floor: maybe, room: maybe },
    }),
  });

  test('is well-formed and valid, of one line, in ASCII and of modest size', async () => {
    const documents = fc.sample(place, 300).map(pidfLo);
    expect((await problemsOf(documents)).filter((problem) => problem !== '')).toEqual([]);
    for (const document of documents) {
      expect(document).toMatch(/^[\x20-\x7e]*$/);
      expect(document.length).toBeLessThan(6500);
    }
  });

  test('makes a Content-ID that a header may hold', () => {
    fc.assert(
      fc.property(place, (from) => {
        expect(contentId(from)).toMatch(/^[A-Za-z0-9._-]*\.(-?[\de.+-]+|NaN|-?Infinity)@[A-Za-z0-9._-]*$/);
      }),
    );
  });
});

test('the schemas notice what is wrong', async () => {
  const right = pidfLo({ ...reception, unverified: true });
  const wrong = [
    right.replace(/(<ca:HNO>.*<\/ca:HNO>)(<ca:FLR>.*<\/ca:FLR>)/, '$2$1'),
    right.replace('<ca:country>GB', '<ca:country>UK2'),
    right.replace('allowed>true', 'allowed>yes'),
    right.replace(/<gp:usage-rules>.*<\/gp:usage-rules>/, ''),
    right.replace(/<dm:deviceID>.*<\/dm:deviceID>/, ''),
    right.replace(/(<dm:note.*<\/dm:note>)(<dm:timestamp>.*<\/dm:timestamp>)/, '$2$1'),
    right.replace('id="desk-', 'id="1desk-'),
    right.replace('ca:SEAT', 'ca:DESK').replace('/ca:SEAT', '/ca:DESK'),
    right.replace(/ entity="[^"]*"/, ''),
    right.slice(0, -1),
  ];
  for (const document of wrong) expect(document).not.toBe(right);
  const problems = await problemsOf([...wrong, right]);
  expect(problems.map((problem) => problem !== '')).toEqual([...wrong.map(() => true), false]);
});
