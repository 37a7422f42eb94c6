import { describe, expect, test } from 'vitest';
import type { EmergencyRecord } from '../../../src/domain/emergency-record.ts';
import { noticeOf, oneLine, type ToldStage } from '../../../src/services/emergency-notices/content.ts';
import { emergency, site } from '../domain/example.ts';

/** What people read. */

const AT = Date.UTC(2031, 6, 6, 13, 5, 9);
const ADDRESS = {
  customerName: 'Acme',
  houseNumber: '10',
  street: 'Example Street',
  city: 'London',
  postcode: 'EC1A 1AA',
  country: 'GB',
  floor: 'Ground',
  room: '2.14',
};
const RECORD = emergency('cp1', {
  id: '0b6f1f3e-0000-4000-8000-000000000001',
  nickname: 'Reception desk',
  callbackNumber: '+442079460111',
  address: ADDRESS,
  guest: { extension: '1001', name: 'Amelia Clarke' },
  at: AT,
});

function notice(stage: ToldStage, differs: Partial<EmergencyRecord> = {}, zone = 'Europe/London') {
  const facts = { stage, at: AT + 60_000, site: site('london', { name: 'London office', timeZone: zone }) };
  return noticeOf({ ...RECORD, ...differs }, { ...facts, company: 'Acme Ltd' });
}

test('the subject says it in one line', () => {
  const where = 'Reception desk, Ground floor, room 2.14, 10 Example Street, London';
  expect(notice('placed').subject).toBe(`EMERGENCY CALL 999 from ${where}`);
  expect(notice('failed').subject).toBe(`EMERGENCY CALL 999 FAILED from ${where}`);
  expect(notice('calledBack').subject).toBe(`EMERGENCY CALL BACK to ${where}`);
});

test('the mail has every fact, in the zone of the site', () => {
  const { subject, body } = notice('placed');
  expect(body.split('\n')).toEqual([
    subject,
    '',
    'Somebody has called emergency services from this phone.',
    '',
    'Phone:       Reception desk (cp1)',
    'Where:       Ground floor, room 2.14',
    'Address:     Acme, 10 Example Street, London, EC1A 1AA, GB',
    'Site:        London office',
    'Company:     Acme Ltd',
    'Call back:   +442079460111',
    'Person:      Amelia Clarke, extension 1001',
    'Dialled:     999',
    'Time:        Sunday 6 July 2031, 14:05:09 (Europe/London, UTC+01:00)',
    'Reference:   0b6f1f3e-0000-4000-8000-000000000001',
    '',
  ]);
});

test('the text for a phone is one line with the same facts', () => {
  const { text, subject } = notice('placed');
  expect(text).not.toMatch(/[\r\n]/);
  expect(
    text.startsWith(`${subject}. Call back +442079460111. Amelia Clarke, extension 1001. Sunday 6`),
  ).toBe(true);
  expect(text).toContain('Acme, 10 Example Street, London, EC1A 1AA, GB');
});

test('a call that no trunk took says so, everywhere', () => {
  const { body, text, subject } = notice('failed');
  expect(subject).toContain('FAILED');
  for (const words of [body, text]) expect(words).toContain('NO TRUNK TOOK THE CALL');
});

test('a call back says when', () => {
  expect(notice('calledBack').body).toContain('Called back: Sunday 6 July 2031, 14:06:09');
  expect(notice('placed').body).not.toContain('Called back:');
});

test('an address nobody has confirmed since the phone moved is marked', () => {
  for (const words of [
    notice('placed', { addressUnverified: true }).body,
    notice('placed', { addressUnverified: true }).text,
  ])
    expect(words).toContain('ADDRESS NOT VERIFIED');
  expect(notice('placed').body).not.toContain('NOT VERIFIED');
});

test('nobody there, a phone without a name, a phone nobody knows', () => {
  expect(notice('placed', { guest: undefined }).body).toContain('Person:      Nobody is logged in there');
  expect(notice('placed', { nickname: undefined }).subject).toMatch(/^EMERGENCY CALL 999 from cp1, Ground/);
  const unknown = { host: undefined, nickname: undefined, address: undefined, callbackNumber: undefined };
  const { subject, body } = noticeOf(
    { ...RECORD, ...unknown, site: undefined },
    { stage: 'placed', at: AT, site: undefined, company: undefined },
  );
  expect(subject).toBe('EMERGENCY CALL 999 from an unknown phone');
  expect(body).toContain('Phone:       unknown to Hotdesk');
  expect(body).toContain('Call back:   no number known');
  expect(body).toContain('13:05:09 (UTC)');
});

test.each([
  ['Ground', 'Ground floor'],
  ['3', 'floor 3'],
  ['3rd floor', '3rd floor'],
  ['Level 2', 'Level 2'],
  ['B1', 'floor B1'],
  ['Mezzanine', 'Mezzanine'],
])('the floor %s reads %s', (floor, words) => {
  const { subject } = notice('placed', { address: { ...ADDRESS, floor, room: undefined } });
  expect(subject).toBe(`EMERGENCY CALL 999 from Reception desk, ${words}, 10 Example Street, London`);
});

test.each(['No/Where', ''])('a time zone %j that nobody knows: UTC', (zone) => {
  expect(notice('placed', {}, zone).body).toContain('13:05:09 (UTC)');
});

describe('what somebody typed', () => {
  const NASTY = 'Desk\r\nBcc: thief@example.org\r\n\r\n<b>\u2028x\u0000\u202e\u0085y\ud800';

  test('never breaks a line, whichever field it is in', () => {
    const address = Object.fromEntries(
      Object.keys(ADDRESS).map((key) => [key, NASTY]),
    ) as unknown as typeof ADDRESS;
    const differs = {
      ...{ number: NASTY, host: NASTY, nickname: NASTY, callbackNumber: NASTY, id: NASTY, address },
      guest: { extension: NASTY, name: NASTY },
    };
    for (const stage of ['placed', 'failed', 'calledBack'] as const) {
      const { subject, text, body } = noticeOf(
        { ...RECORD, ...differs },
        { stage, at: AT, site: site('x', { name: NASTY, timeZone: NASTY }), company: NASTY },
      );
      for (const line of [subject, text])
        expect(line).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Surrogate}]/u);
      expect(body).not.toMatch(/^Bcc:/m);
      expect(body.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Surrogate}]/u);
    }
  });

  test('is cut, by characters and by octets', () => {
    const long = '🚒'.repeat(5_000);
    const { subject, text, body } = notice('placed', {
      nickname: long,
      guest: { extension: '1', name: long },
    });
    expect([...subject].length).toBeLessThanOrEqual(240);
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(900);
    expect(text).not.toMatch(/\p{Surrogate}/u);
    expect(text).not.toContain('\ufffd');
    expect(body.length).toBeLessThan(5_000);
    expect(oneLine('  a \t b  ')).toBe('a b');
  });
});
