import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  displayNameOf,
  encodeUser,
  hostOf,
  nameAddr,
  userOf,
  withoutUser,
  withUser,
} from '../../../src/sip/uri.ts';

const anything = fc.string({ unit: 'binary' });
/** Text that looks like headers. */
const headerLike = fc
  .array(
    fc.constantFrom(
      'sip:',
      'sips:',
      'tel:',
      '<',
      '>',
      '@',
      '"',
      '\\',
      '%',
      '%4',
      '%41',
      ';',
      ':',
      ' ',
      'a',
      '😀',
      '\ud800',
    ),
  )
  .map((parts) => parts.join(''));

describe('userOf', () => {
  test.each([
    ['sip:1001@host', '1001'],
    ['<sip:1001@host>;tag=x', '1001'],
    ['"A. Person" <sips:1001@host:5061;transport=tls>', '1001'],
    ['"sip:fake@x" <sip:real@y>', 'real'],
    ['"quote \\" <sip:fake@x>" <sip:real@y>', 'real'],
    ['Plain Name <sip:%2A90@h;user=phone>', '*90'],
    ['sip:+44123;npdi=yes@host', '+44123'],
    ['sip:alice:password@host', 'alice'],
    ['<tel:+442079460101;phone-context=x>', '+442079460101'],
    ['"A" <sip:1@h>, <tel:+2>', '1'],
    ['sip:host', ''],
    ['mailto:a@b', ''],
    ['sip:%ff@host', ''],
    ['', ''],
  ])('%s: %s', (text, user) => expect(userOf(text)).toBe(user));
});

describe('displayNameOf', () => {
  test.each([
    ['"A. \\"B\\" C" <sip:a@b>', 'A. "B" C'],
    ['Plain Name <sip:a@b>', 'Plain Name'],
    ['<sip:a@b>', ''],
    ['sip:a@b', ''],
  ])('%s: %s', (text, name) => expect(displayNameOf(text)).toBe(name));
});

test('hostOf', () => {
  expect(hostOf('sip:Trunk.Example:5060;transport=udp')).toBe('trunk.example');
  expect(hostOf('<sip:a@[2001:db8::1]:5060>')).toBe('[2001:db8::1]');
});

test('nameAddr cannot be broken out of', () => {
  expect(nameAddr('A "B" \\ C\r\nEvil: 1', 'sip:a@b')).toBe('"A \\"B\\" \\\\ C  Evil: 1" <sip:a@b>');
  expect(nameAddr('', 'sip:a@b')).toBe('<sip:a@b>');
});

test('withUser replaces the user, literally, and keeps the rest', () => {
  expect(withUser('sip:trunk:5060;transport=tcp', '999')).toBe('sip:999@trunk:5060;transport=tcp');
  expect(withUser('sip:old@trunk', "a$&b$1$'")).toBe("sip:a$&b$1$'@trunk");
});

describe('for any input', () => {
  test('nothing throws', () => {
    for (const texts of [anything, headerLike]) {
      fc.assert(
        fc.property(texts, (text) => {
          userOf(text);
          hostOf(text);
          displayNameOf(text);
          withUser('sip:host', text);
          nameAddr(text, `sip:${encodeUser(text)}@host`);
        }),
      );
    }
  });

  test('an encoded user comes back as it was, and fits into a header', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (user) => {
        const encoded = encodeUser(user);
        expect(encoded).toMatch(/^[!-~]*$/);
        expect(encoded).not.toMatch(/[<>@"\s]/);
        if (!/[;:]/.test(user)) expect(userOf(`<sip:${encoded}@host>`)).toBe(user);
      }),
    );
  });

  test('a name-addr is one line, and its name comes back', () => {
    fc.assert(
      fc.property(anything, (name) => {
        const made = nameAddr(name, 'sip:a@b');
        expect(made).not.toMatch(/[\r\n]/);
        const clean = name.replace(/[\u0000-\u001f\u007f]/g, ' ').trim();
        expect(displayNameOf(made)).toBe(clean);
        expect(userOf(made)).toBe('a');
      }),
    );
  });

  test('length costs little', () => {
    const started = performance.now();
    for (const part of ['sip:', 'a', ' ', '"', '\\', '<', '"\\'])
      for (const read of [userOf, displayNameOf]) read(`x${part.repeat(60_000)}`);
    expect(performance.now() - started).toBeLessThan(500);
  });
});

test.each([
  ['sip:pbx@192.0.2.1:5060;transport=tcp', 'sip:192.0.2.1:5060;transport=tcp'],
  ['sips:sos.test', 'sips:sos.test'],
  ['SIP:a:b@[2001:db8::1]', 'SIP:[2001:db8::1]'],
])('%s without its user part', (uri, expected) => {
  expect(withoutUser(uri)).toBe(expected);
});
