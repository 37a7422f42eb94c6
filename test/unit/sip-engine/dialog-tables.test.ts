import { describe, expect, it } from 'vitest';
import { withoutTag } from '../../../src/sip-engine/dialog/dialog.ts';
import { NameCache } from '../../../src/sip-engine/dialog/name-cache.ts';
import { RegisteredFlows } from '../../../src/sip-engine/dialog/registered-flows.ts';
import { parseUri } from '../../../src/sip-engine/message/message.ts';
import type { Flow } from '../../../src/sip-engine/transport/flow.ts';
import { FakeClock } from '../../support/fake-clock.ts';

function flow(protocol: 'udp' | 'tcp', remotePort = 1): Flow & { closed: boolean } {
  const addresses = { localAddress: '127.0.0.1', localPort: 5060, remoteAddress: '192.0.2.1', remotePort };
  return { protocol, ...addresses, reliable: protocol === 'tcp', closed: false, send: () => undefined };
}

describe('names of next hops', () => {
  it('are asked for once, kept 30 s, and 5 s when not found', () => {
    const clock = new FakeClock();
    const pending: ((address: string | undefined) => void)[] = [];
    const names = new NameCache(clock, 10, (_host, done) => pending.push(done));
    const found: unknown[] = [];
    const ask = (host: string): void => names.find(host, (address) => found.push(address));
    ask('PBX.example');
    ask('pbx.example');
    expect([pending.length, found]).toEqual([1, []]);
    pending[0]!('192.0.2.1');
    ask('pbx.example');
    expect(found).toEqual(['192.0.2.1', '192.0.2.1', '192.0.2.1']);
    clock.advance(30_000);
    ask('pbx.example');
    expect(pending).toHaveLength(2);
    pending[1]!('192.0.2.2');
    expect(found.at(-1)).toBe('192.0.2.2');
    ask('no.example');
    pending[2]!(undefined);
    clock.advance(4_999);
    expect(names.size).toBe(2);
    clock.advance(1);
    expect(names.size).toBe(1);
    names.stop();
    expect([names.size, clock.pending]).toEqual([0, 0]);
  });

  it('that are not found any more, or not in a second, are as they were for a day', () => {
    const clock = new FakeClock();
    const pending: ((address: string | undefined) => void)[] = [];
    const names = new NameCache(clock, 10, (_host, done) => pending.push(done));
    const found: unknown[] = [];
    const ask = (): void => names.find('sos.example', (address) => found.push(address));
    ask();
    pending[0]!('192.0.2.1');
    clock.advance(30_000);
    ask();
    pending[1]!(undefined);
    expect(found).toEqual(['192.0.2.1', '192.0.2.1']);
    clock.advance(5_000);
    ask();
    clock.advance(999);
    expect(found).toHaveLength(2);
    clock.advance(1);
    expect(found.at(-1)).toBe('192.0.2.1');
    // The answer that was too late counts from now on.
    pending[2]!('192.0.2.2');
    ask();
    expect([found.at(-1), pending.length]).toEqual(['192.0.2.2', 3]);
    clock.advance(30_000 + 24 * 3_600_000);
    expect([names.size, clock.pending]).toEqual([0, 0]);
  });

  it('do not wait for ever', () => {
    const clock = new FakeClock();
    let late: ((address: string | undefined) => void) | undefined;
    const names = new NameCache(clock, 10, (_host, done) => {
      late = done;
    });
    const found: unknown[] = [];
    names.find('slow.example', (address) => found.push(address));
    clock.advance(5_000);
    expect(found).toEqual([undefined]);
    clock.advance(5_000);
    expect(names.size).toBe(0);
    late!('192.0.2.1');
    expect([found, names.size, clock.pending]).toEqual([[undefined], 0, 0]);
  });

  it('are bounded; addresses need no room', () => {
    const names = new NameCache(new FakeClock(), 1, () => undefined);
    const found: unknown[] = [];
    names.find('a.example', () => undefined);
    names.find('b.example', (address) => found.push(address));
    names.find('::1', (address) => found.push(address));
    expect(found).toEqual([undefined, '::1']);
  });

  it('of old make room for others', () => {
    const clock = new FakeClock();
    const names = new NameCache(clock, 1, (host, done) =>
      done(host === 'a.example' ? '192.0.2.1' : '192.0.2.2'),
    );
    const found: unknown[] = [];
    for (const name of ['a.example', 'b.example']) names.find(name, (address) => found.push(address));
    clock.advance(30_000);
    names.find('b.example', (address) => found.push(address));
    expect([found, names.size]).toEqual([['192.0.2.1', undefined, '192.0.2.2'], 1]);
  });
});

describe('registered flows', () => {
  const contact = parseUri('sip:desk@10.0.0.7:5062')!;

  it('are found by user, host and port until their time is over', () => {
    const clock = new FakeClock();
    const flows = new RegisteredFlows(clock, 10);
    const tcp = flow('tcp');
    flows.remember(contact, tcp, 60);
    expect(flows.find(parseUri('sip:desk@10.0.0.7:5062;transport=tcp')!)).toBe(tcp);
    expect(flows.find(parseUri('sip:desk@10.0.0.7')!)).toBeUndefined();
    expect(flows.find(parseUri('sip:other@10.0.0.7:5062')!)).toBeUndefined();
    clock.advance(60_000);
    expect(flows.size).toBe(0);
  });

  it('are forgotten with 0, when the connection closes, and never past the limit', () => {
    const clock = new FakeClock();
    const flows = new RegisteredFlows(clock, 1);
    const tcp = flow('tcp');
    flows.remember(contact, tcp, 60);
    flows.remember(contact, tcp, 0);
    expect(flows.size).toBe(0);
    flows.remember(contact, tcp, 60);
    flows.remember(parseUri('sip:b@h')!, tcp, 60);
    expect(flows.size).toBe(1);
    flows.closed(tcp);
    expect([flows.size, clock.pending]).toEqual([0, 0]);
    flows.remember(contact, tcp, 60);
    tcp.closed = true;
    expect(flows.find(contact)).toBeUndefined();
  });

  it('survive a registration for ever', () => {
    const clock = new FakeClock();
    const flows = new RegisteredFlows(clock, 1);
    flows.remember(contact, flow('tcp'), 4_294_967_295);
    clock.advance(900_000_000);
    expect(flows.size).toBe(1);
  });

  it('of UDP only tell that the device speaks UDP', () => {
    const flows = new RegisteredFlows(new FakeClock(), 10);
    flows.remember(contact, flow('udp', 5099), 60);
    expect(flows.find(contact)).toBeUndefined();
    expect([flows.speaksUdp('192.0.2.1', 5099), flows.speaksUdp('192.0.2.1', 5098)]).toEqual([true, false]);
  });
});

describe('a party without its tag', () => {
  it.each([
    ['<sip:a@h>;tag=x', '<sip:a@h>'],
    ['<sip:a@h;tag=uri>;x=1;tag=x;y', '<sip:a@h;tag=uri>;x=1;y'],
    ['sip:a@h;tag=x', 'sip:a@h'],
    ['"tag=no" <sip:a@h>', '"tag=no" <sip:a@h>'],
  ])('%s is %s', (value, expected) => expect(withoutTag(value)).toBe(expected));
});
