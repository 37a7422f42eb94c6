import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  challengeDocument,
  guestDocument,
  HOTELING_TYPE,
  readSetHoteling,
  type SetHoteling,
} from '../../../../src/sip/events/hoteling-documents.ts';
import { readXml } from '../../../../src/sip/events/tiny-xml.ts';

/** The documents of `x-broadworks-hoteling`: what phones send, and what is no such thing. */

const NS = 'xmlns="http://schema.broadsoft.com/hoteling"';
const HEAD = '<?xml version="1.0" encoding="ISO-8859-1"?>';
const ANSWER = { kind: 'answer', guestAddress: '1001', nonce: '4f2c9a', response: 'aa98' } as const;

function read(body: string, contentType: string = HOTELING_TYPE): SetHoteling | undefined {
  return readSetHoteling({ contentType, body });
}

/** The elements of a SetHoteling. */
function set(content: string, head = HEAD): string {
  return `${head}\r\n<SetHoteling ${NS}>\r\n  ${content}\r\n</SetHoteling>\r\n`;
}

function proof(content: string): string {
  return `<guestAddress>1001</guestAddress><authenticationData>${content}</authenticationData>`;
}

describe('understood', () => {
  test.each<[string, string, SetHoteling]>([
    ['a Cisco phone', set('<guestAddress>1001</guestAddress>'), { kind: 'guestIn', guestAddress: '1001' }],
    ['Guest Out', set('<guestAddress/>'), { kind: 'guestOut' }],
    ['Guest Out in words', set('<guestAddress> </guestAddress>'), { kind: 'guestOut' }],
    [
      'no declaration, blanks',
      `\r\n${set('<guestAddress\n>\n1001 </guestAddress >', '')}`,
      { kind: 'guestIn', guestAddress: '1001' },
    ],
    [
      'a byte order mark and single quotes',
      `\uFEFF${set('<guestAddress/>', "<?xml version='1.0' encoding='utf-8' standalone='yes'?>")}`,
      { kind: 'guestOut' },
    ],
    [
      'a prefix',
      '<h:SetHoteling xmlns:h="http://schema.broadsoft.com/hoteling"><h:guestAddress>+442079460001</h:guestAddress></h:SetHoteling>',
      { kind: 'guestIn', guestAddress: '+442079460001' },
    ],
    [
      'what we do not know',
      set('<guestAddress xml="1">1001</guestAddress><else><guestAddress>2</guestAddress></else>'),
      { kind: 'guestIn', guestAddress: '1001' },
    ],
    [
      'an answer',
      set(proof('<nonce>4f2c9a</nonce><algorithm>MD5</algorithm><response>aa98</response>')),
      ANSWER,
    ],
    ['without algorithm', set(proof('<response>aa98</response><nonce>4f2c9a</nonce>')), ANSWER],
  ])('%s', (_what, body, expected) => expect(read(body)).toEqual(expected));

  test('with parameters of the type, in any case', () => {
    expect(read(set('<guestAddress/>'), 'Application/X-Broadworks-Hoteling+XML;charset=utf-8')).toBeDefined();
  });
});

describe('not understood', () => {
  const ok = '<guestAddress>1001</guestAddress>';
  test.each([
    ['nothing', ''],
    ['text', 'guest in'],
    ['no namespace', `<SetHoteling>${ok}</SetHoteling>`],
    ['another namespace', `<SetHoteling xmlns="urn:x">${ok}</SetHoteling>`],
    ['another namespace within', set('<guestAddress xmlns="urn:x">1</guestAddress>')],
    [
      'another namespace around',
      `<SetHoteling xmlns="urn:x" xmlns:h="http://schema.broadsoft.com/hoteling"><h:guestAddress>1</h:guestAddress></SetHoteling>`,
    ],
    ['an unknown prefix', set('<h:guestAddress>1</h:guestAddress>')],
    ['another root', `<HotelingEvent ${NS}>${ok}</HotelingEvent>`],
    ['no guest address', set('')],
    ['two of them', set(ok + ok)],
    ['an element inside', set('<guestAddress><b>1</b></guestAddress>')],
    ['a DTD', set(ok, '<!DOCTYPE SetHoteling [<!ENTITY x "1001">]>')],
    ['an entity', set('<guestAddress>&#49;001</guestAddress>')],
    ['an entity in an attribute', set('<guestAddress a="&lt;">1</guestAddress>')],
    ['CDATA', set('<guestAddress><![CDATA[1001]]></guestAddress>')],
    ['the end of CDATA', set('<guestAddress>1]]></guestAddress>')],
    ['a comment', set(`<!-- x -->${ok}`)],
    ['an instruction', set(`<?x y?>${ok}`)],
    ['another encoding', set(ok, '<?xml version="1.0" encoding="UTF-16"?>')],
    ['an end too few', `<SetHoteling ${NS}>${ok}`],
    ['an end too many', `${set(ok)}</SetHoteling>`],
    ['something behind', `${set(ok)}x`],
    ['a second root', set(ok) + set(ok, '')],
    ['crossed ends', set('<a><b></a></b>')],
    ['an attribute twice', set('<guestAddress a="1" a="2">1</guestAddress>')],
    ['an attribute without quotes', set('<guestAddress a=1>1</guestAddress>')],
    ['a control character', set('<guestAddress>1\u0000</guestAddress>')],
    ['what is not ASCII', set('<guestAddress>\uFFFD1</guestAddress>')],
    ['a long address', set(`<guestAddress>${'1'.repeat(129)}</guestAddress>`)],
    ['more than 4 KiB', set(`<guestAddress>1</guestAddress>${' '.repeat(4096)}`)],
    ['too many elements', set(ok + '<a/>'.repeat(64))],
    ['too deep', set(`${'<a>'.repeat(8)}${'</a>'.repeat(8)}${ok}`)],
    ['an answer without response', set(proof('<nonce>1</nonce>'))],
    ['an answer without nonce', set(proof('<response>1</response>'))],
    ['another algorithm', set(proof('<nonce>1</nonce><algorithm>SHA</algorithm><response>1</response>'))],
    ['an answer twice', set(`${proof('<nonce>1</nonce><response>1</response>')}<authenticationData/>`)],
    ['a control character in what we do not know', set(`${ok}<else>\u0000</else>`)],
    [
      'an answer of nobody, whole',
      set('<guestAddress/><authenticationData><nonce>1</nonce><response>1</response></authenticationData>'),
    ],
    ['an answer of nobody', set('<guestAddress/><authenticationData/>')],
  ])('%s', (_what, body) => expect(read(body)).toBeUndefined());

  test('another type of body', () => {
    expect(read(set(ok), 'application/xml')).toBeUndefined();
    expect(read(set(ok), '')).toBeUndefined();
  });
});

describe('whatever comes', () => {
  const valid = set(proof('<nonce>4f2c9a</nonce><algorithm>MD5</algorithm><response>aa98</response>'));
  const pieces = fc.constantFrom(
    '<',
    '>',
    '/',
    '"',
    "'",
    '&',
    ' ',
    '=',
    '<a>',
    '</a>',
    '<![CDATA[',
    ']]>',
    'xmlns:',
  );

  test('a document with a piece changed is read or refused, and never means something else', () => {
    const at = fc.nat(valid.length);
    fc.assert(
      fc.property(at, fc.nat(12), pieces, (from, length, piece) => {
        const wish = read(valid.slice(0, from) + piece + valid.slice(from + length));
        if (wish) expect(wish.kind).toBe('answer');
      }),
      { numRuns: 500 },
    );
  });

  test('soup is read or refused, in time', () => {
    const soup = fc.array(fc.oneof(pieces, fc.string({ maxLength: 8 })), { maxLength: 400 });
    fc.assert(
      fc.property(soup, (parts) => void readXml(`<a ${parts.join('')}`)),
      { numRuns: 300 },
    );
    const start = performance.now();
    for (const piece of [' ', 'a ', 'a=""', '<', '<a ', "a='' "])
      readXml(`<a${piece.repeat(4000 / piece.length)}`);
    expect(performance.now() - start).toBeLessThan(1000);
  });
});

test('what we write can be read, whatever the phone typed', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1, maxLength: 64 }), (typed) => {
      const { body } = challengeDocument(typed, 'abc');
      expect(body.match(/</g)).toHaveLength(11);
    }),
  );
  const { body, contentType, identity } = guestDocument({ extension: '1001', seconds: 43_200 }, 'x');
  expect([contentType, identity]).toEqual([HOTELING_TYPE, 'x']);
  expect(body).toBe(
    `<?xml version="1.0" encoding="UTF-8"?>\n<HotelingEvent ${NS}><guestAddress>1001</guestAddress><expires>43200</expires></HotelingEvent>`,
  );
  expect(guestDocument(undefined, 'x').body).toContain(
    `<HotelingEvent ${NS}><guestAddress/></HotelingEvent>`,
  );
  expect(readXml(body)?.children.map(({ text }) => text)).toEqual(['1001', '43200']);
});
