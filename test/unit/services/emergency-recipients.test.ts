import { describe, expect, test } from 'vitest';
import { tableOf } from '../../../src/services/directory-document.ts';
import { emailsOf, hostsBehind, phonesOf } from '../../../src/services/emergency-notices/recipients.ts';
import { company, emergency, host, site, user, viewOf } from '../domain/example.ts';

/** Who is told. */

const contacts = (emails: string[], phones: string[] = []) => ({ emergencyContacts: { emails, phones } });
const directory = tableOf([
  { kind: 'company', value: company() },
  {
    kind: 'site',
    value: site('london', contacts(['desk@example.com', 'Guard@example.com'], ['d2', '1001'])),
  },
  { kind: 'site', value: site('leeds', contacts(['leeds@example.com'], ['d3'])) },
  { kind: 'user', value: user('1001') },
  { kind: 'user', value: user('1002') },
  { kind: 'host', value: host('d1') },
  { kind: 'host', value: host('d2') },
  { kind: 'host', value: host('u1001', { kind: 'user', owner: '1001' }) },
]);

describe('e-mail', () => {
  test('to the company’s list and the site’s contacts, each once', () => {
    const wide = ['guard@example.com', 'security@example.com'];
    expect(emailsOf(emergency('d1'), directory, wide)).toEqual([
      'Guard@example.com',
      'security@example.com',
      'desk@example.com',
    ]);
  });

  test('from a site nobody knows: to the contacts of all', () => {
    expect(emailsOf(emergency('x', { site: undefined }), directory, [])).toHaveLength(3);
    expect(phonesOf(emergency('x', { site: undefined }), directory)).toEqual(['d2', '1001', 'd3']);
  });

  test('from a site that is gone, or without any directory: to the company’s list', () => {
    expect(emailsOf(emergency('d1', { site: 'gone' }), directory, ['a@b.c'])).toEqual(['a@b.c']);
    expect(emailsOf(emergency('d1'), undefined, ['a@b.c'])).toEqual(['a@b.c']);
    expect(phonesOf(emergency('d1'), undefined)).toEqual([]);
  });

  test.each(['', 'nobody', 'a@b, c@d', 'a@b\r\nRCPT TO:<c@d>', '<a@b>', '"a b"@c', 'a@b@c', 'a @b'])(
    'never to %j',
    (address) => {
      expect(emailsOf(emergency('d1', { site: 'gone' }), directory, [address])).toEqual([]);
    },
  );
});

describe('the phones behind a contact', () => {
  const at = (seats: Record<string, string>) => viewOf({ directory, seats });

  test('are a host by its id', () => {
    expect(hostsBehind('d2', emergency('d1'), at({}))).toEqual(['d2']);
  });

  test('are where a person sits, and their own', () => {
    expect(hostsBehind('1001', emergency('d1'), at({}))).toEqual(['u1001']);
    expect(hostsBehind('1001', emergency('d1'), at({ d2: '1001' }))).toEqual(['d2', 'u1001']);
  });

  test('are not their own one while another person sits there', () => {
    expect(hostsBehind('1001', emergency('d1'), at({ u1001: '1002' }))).toEqual([]);
  });

  test('are not the phone the call came from', () => {
    expect(hostsBehind('d2', emergency('d2'), at({}))).toEqual([]);
    expect(hostsBehind('1001', emergency('d2'), at({ d2: '1001' }))).toEqual(['u1001']);
  });

  test('are known from the disk, too', () => {
    expect(hostsBehind('d2', emergency('d1'), viewOf({ onDisk: directory }))).toEqual(['d2']);
    expect(hostsBehind('d2', emergency('d1'), viewOf({}))).toEqual([]);
  });
});
