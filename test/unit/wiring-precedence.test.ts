import { expect, test } from 'vitest';
import type { LocalView } from '../../src/services/local-view.ts';
import type { PhoneNetworks } from '../../src/services/phone-networks.ts';
import type { SipMessage } from '../../src/sip-engine/engine.ts';
import { createPrecedence } from '../../src/wiring/precedence.ts';
import { directory, emergency, site, UK, viewOf } from './domain/example.ts';
import { PBX, SOS } from './sip/world.ts';

/** What the engine lets go before a flood, and past full tables. */

const acme = directory({});
const leeds = { ...site('leeds'), outsideLinePrefix: '9', emergencyNumbers: ['5555'] };
(acme.sites as Map<string, typeof leeds>).set('leeds', leeds);

const view = Object.assign(viewOf({ directory: acme, emergencies: [emergency('d1')] }), {
  directoryVersion: 1,
});
const networks = {
  includes: (address: string) => address.startsWith('192.0.2.'),
  hasPhoneAt: ({ address, port }: { address: string; port: number }) =>
    address === '192.0.2.10' && port === 5060,
};
const precedence = createPrecedence({
  view: view as unknown as LocalView,
  numberPlan: UK,
  networks: networks as unknown as PhoneNetworks,
  trunks: [PBX, SOS],
});

const DESK = '192.0.2.10:5060';
const NEAR = '192.0.2.99:5060';
const FAR = '203.0.113.200:5060';
const PBX_ADDRESS = '198.51.100.1:5060';
const PSAP = '203.0.113.9:5060';

test.each([
  ['INVITE', 'sip:999@x', DESK, 'proven'],
  ['INVITE', 'sip:999@x', NEAR, 'claimed'],
  ['INVITE', 'sip:999@x', FAR, 'none'],
  ['INVITE', 'sip:999@x', PBX_ADDRESS, 'proven'],
  ['INVITE', 'sip:9999@x', NEAR, 'claimed'],
  ['INVITE', 'sip:5555@x', NEAR, 'claimed'],
  ['INVITE', 'sip:95555@x', NEAR, 'claimed'],
  ['INVITE', 'tel:112', NEAR, 'claimed'],
  ['INVITE', 'urn:service:sos.fire', NEAR, 'claimed'],
  ['CANCEL', 'sip:999@x', NEAR, 'claimed'],
  ['INVITE', 'sip:1001@x', DESK, 'none'],
  ['INVITE', 'sip:99999@x', NEAR, 'none'],
  ['REGISTER', 'sip:999@x', DESK, 'none'],
  ['INVITE', 'sip:+442079460100@x', PBX_ADDRESS, 'proven'],
  ['INVITE', 'sip:+442079460100@x', FAR, 'none'],
  ['INVITE', 'sip:+442079460109@x', PBX_ADDRESS, 'none'],
  ['', '', PSAP, 'proven'],
  ['BYE', 'sip:x', PSAP, 'proven'],
  ['', '', FAR, 'none'],
])('%s %s from %s: %s', (method, uri, source, urgency) => {
  const [address = '', port] = source.split(':');
  expect(precedence.urgencyOf({ method, uri, isNew: true, address, port: Number(port) })).toBe(urgency);
});

test.each([
  ['sip:999@x', '192.0.2.99', true],
  ['sip:999@x', '203.0.113.200', false],
  // Ours, on its way out.
  ['sip:999@x', undefined, true],
  ['sip:1001@x', '192.0.2.10', false],
])('an INVITE for %s from %s passes full tables: %s', (uri, received, passes) => {
  const params = new Map(received === undefined ? [] : [['received', received]]);
  const request = { method: 'INVITE', uri, to: undefined, topVia: { params } } as unknown as SipMessage;
  expect(precedence.isExempt(request)).toBe(passes);
});

test('a change of the directory counts at once', () => {
  const look = { method: 'INVITE', uri: 'sip:7777@x', isNew: true, address: '192.0.2.10', port: 5060 };
  expect(precedence.urgencyOf(look)).toBe('none');
  (acme.sites as Map<string, typeof leeds>).set('leeds', { ...leeds, emergencyNumbers: ['7777'] });
  view.directoryVersion += 1;
  expect(precedence.urgencyOf(look)).toBe('proven');
});
