import { expect, test } from 'vitest';
import { VOICE_PORTAL_KEYS } from '../../src/domain/voice-portal.ts';
import { describe as summarise } from '../../src/summary.ts';
import { company, directory, host, user } from './domain/example.ts';

const facts = {
  addresses: {
    sip: [
      { protocol: 'udp', host: '127.0.0.1', port: 5060 },
      { protocol: 'tcp', host: '127.0.0.1', port: 5060 },
    ],
    http: { host: '127.0.0.1', port: 8080 },
  },
  directory: undefined,
  demo: true,
  domain: 'hotdesk.example',
  tokenFile: 'data/admin-token',
};

test('says where everything is', () => {
  const text = summarise(facts);
  expect(text).toContain('127.0.0.1:5060/udp  127.0.0.1:5060/tcp   domain hotdesk.example');
  expect(text).toContain('http://127.0.0.1:8080/api/v1   token in data/admin-token');
  expect(text).toContain('has no directory yet');
});

test('names phones, people and codes of the demo, in order', () => {
  const text = summarise({
    ...facts,
    directory: directory({
      users: [user('1002', { name: 'Bob', hotDeskLicence: false }), user('1001', { name: 'Ann' })],
      hosts: [host('cp2', { nickname: 'Window' }), host('cp1', { nickname: 'Door' })],
    }),
  });
  expect(text.indexOf('cp1')).toBeLessThan(text.indexOf('cp2'));
  expect(text).toMatch(/cp1 +Door \(.*\), SIP password demo-cp1/);
  expect(text).toMatch(/1001 +Ann\n *1002 +Bob, no hot desk licence/);
  expect(text).toContain('*90 to log in, *91 to log out');
});

test('names voice portal and voicemail where there are any', () => {
  const told = (differs: object) =>
    summarise({ ...facts, directory: directory({ company: company(differs) }) });
  const voicePortal = { number: '8000', keys: VOICE_PORTAL_KEYS };
  expect(told({ voicePortal, voicemailNumber: '8001' })).toContain('8000 voice portal, 8001 voicemail\n');
  expect(told({ voicePortal })).toContain(' 8000 voice portal\n');
  expect(told({})).not.toContain('voice');
});

test('keeps passwords to the demo', () => {
  const text = summarise({ ...facts, demo: false, directory: directory({ hosts: [host('cp1')] }) });
  expect(text).not.toContain('password');
});

test('names the phone in the browser where there is one', () => {
  expect(summarise({ ...facts, webPhone: true })).toContain('http://127.0.0.1:8080/phone');
  expect(summarise(facts)).not.toContain('/phone ');
});

test('leads to the portal; while it has no administrator, to where the first is made', () => {
  expect(summarise(facts)).toContain('  Portal   http://127.0.0.1:8080\n');
  const file = 'data/first-administrator';
  const told = summarise({ ...facts, setUp: { file, code: undefined } });
  expect(told).toContain(`http://127.0.0.1:8080/setup   code for the first administrator in ${file}\n`);
  expect(summarise({ ...facts, setUp: { file, code: 'abc' } })).toContain(
    'http://127.0.0.1:8080/setup#abc\n',
  );
});
