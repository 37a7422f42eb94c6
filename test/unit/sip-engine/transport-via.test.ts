import { describe, expect, it } from 'vitest';
import { SipMessage } from '../../../src/sip-engine/message/message.ts';
import type { LocalNetwork } from '../../../src/sip-engine/transport/networks.ts';
import { fitness, localNetworks, ownAddressFor } from '../../../src/sip-engine/transport/networks.ts';
import { stampSource } from '../../../src/sip-engine/transport/via.ts';

function stamped(via: string, address = '192.0.2.7'): string | undefined {
  const request = SipMessage.request('OPTIONS', 'sip:a').add('Via', via).add('Via', 'second');
  stampSource(request, address, 5099);
  expect(request.getAll('Via')[1]).toBe('second');
  return request.get('Via');
}

describe('received and rport (RFC 3261 18.2.1, RFC 3581)', () => {
  it.each([
    ['SIP/2.0/UDP h;branch=b', 'SIP/2.0/UDP h;branch=b;received=192.0.2.7;rport=5099'],
    ['SIP/2.0/UDP h;rport;branch=b', 'SIP/2.0/UDP h;branch=b;received=192.0.2.7;rport=5099'],
    ['SIP/2.0/UDP h ; received = 6.6.6.6;RPORT=1', 'SIP/2.0/UDP h;received=192.0.2.7;rport=5099'],
    [
      'SIP/2.0/UDP h, SIP/2.0/UDP i;rport',
      'SIP/2.0/UDP h;received=192.0.2.7;rport=5099, SIP/2.0/UDP i;rport',
    ],
    ['SIP/2.0/UDP h;x="a,b"', 'SIP/2.0/UDP h;x="a,b";received=192.0.2.7;rport=5099'],
    ['SIP/2.0/UDP h;rportx=1', 'SIP/2.0/UDP h;rportx=1;received=192.0.2.7;rport=5099'],
  ])('%s', (via, expected) => expect(stamped(via)).toBe(expected));

  it('leaves the interface out of a link-local address', () => {
    expect(stamped('SIP/2.0/UDP h', 'fe80::1%eth0')).toBe('SIP/2.0/UDP h;received=fe80::1;rport=5099');
  });
});

describe('choice of the own address', () => {
  const network = (address: string, prefix: string, internal = false): LocalNetwork => ({
    address,
    internal,
    contains: (other) => other.startsWith(prefix),
  });
  const networks = [
    network('127.0.0.1', '127.', true),
    network('10.0.0.5', '10.0.0.'),
    network('2001:db8::5', '2001:'),
  ];

  it.each([
    ['10.0.0.9', '10.0.0.5'],
    ['127.0.0.2', '127.0.0.1'],
    ['198.51.100.1', '10.0.0.5'],
    ['2001:db8::9', '2001:db8::5'],
  ])('towards %s it is %s', (remote, own) => expect(ownAddressFor(remote, networks)).toBe(own));

  it('prefers the socket in the network of the peer, then a wildcard, and never the other family', () => {
    const order = ['10.0.0.5', '0.0.0.0', '192.0.2.1', '127.0.0.1', '::'].map((l) =>
      fitness(l, '10.0.0.9', networks),
    );
    expect(order).toEqual([...order].sort((a, b) => b - a));
    expect(order.at(-1)).toBe(0);
    expect(new Set(order).size).toBe(5);
  });

  it('sees the networks of this machine', () => {
    const loopback = localNetworks().find((candidate) => candidate.address === '127.0.0.1');
    expect([
      loopback?.contains('127.9.9.9'),
      loopback?.contains('128.0.0.1'),
      loopback?.contains('::1'),
    ]).toEqual([true, false, false]);
  });
});
