import { expect, test } from 'vitest';
import { protocolOf } from '../../../src/sip/flow.ts';

/** Over what a request came: `ws` as the embedded engine tells it, `tcp` or `tls` as drachtio-server does. */

test.each([
  ['ws', 'SIP/2.0/WS 8a.invalid;branch=z9hG4bK1', 'ws'],
  ['tcp', 'SIP/2.0/WS 8a.invalid;branch=z9hG4bK1', 'ws'],
  ['tls', 'SIP / 2.0 / wss 8a.invalid;branch=z9hG4bK1', 'wss'],
  ['tcp', 'SIP/2.0/TCP 192.0.2.1;branch=z9hG4bK1, SIP/2.0/WS 8a.invalid;branch=z9hG4bK2', 'tcp'],
  ['tcp', 'SIP/2.0/WSS 8a.invalid;branch=z9hG4bK1', 'tcp'],
  ['udp', 'SIP/2.0/WS 8a.invalid;branch=z9hG4bK1', 'udp'],
  ['', 'SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1', 'udp'],
  ['tls', undefined, 'tls'],
])('%s by the server, %s by its sender: %s', (protocol, via, expected) => {
  expect(protocolOf({ protocol, get: () => via })).toBe(expected);
});
