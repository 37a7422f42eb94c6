import { describe, expect, it } from 'vitest';
import { SipMessage } from '../../../src/sip-engine/message/message.ts';
import { FakeFlow, peerAnswer, transactionBench } from '../../support/transaction-bench.ts';

function ownRequest(method: string): SipMessage {
  return SipMessage.request(method, 'sip:bob@192.0.2.99')
    .add('Route', '<sip:proxy;lr>')
    .add('From', '<sip:a@192.0.2.1>;tag=ours')
    .add('To', '<sip:bob@192.0.2.99>')
    .add('Call-ID', 'call@us')
    .add('CSeq', `7 ${method}`);
}

function outgoing(method: string, protocol: 'udp' | 'tcp' = 'udp', failure?: Error) {
  const bench = transactionBench();
  const flow = new FakeFlow(protocol);
  flow.failure = failure;
  const heard: string[] = [];
  const transaction = bench.layer.request(ownRequest(method), flow, {
    onResponse: (response) => void heard.push(String(response.status)),
    onTimeout: () => void heard.push('timeout'),
    onTransportError: (error) => void heard.push(error.message),
  });
  const reply = (status: number, tag?: string) =>
    bench.transport.deliver(peerAnswer(transaction.request, status, tag), flow);
  const sendTimes = (ms: number) => {
    const times: number[] = [];
    for (let t = 100; t <= ms; t += 100) {
      bench.clock.advance(100);
      for (const _ of flow.take()) times.push(t);
    }
    return times;
  };
  return { ...bench, flow, transaction, reply, sendTimes, heard: () => heard.splice(0) };
}

describe('every request', () => {
  it('gets the address it is sent from, rport and a branch of its own as top Via', () => {
    const { flow, transaction, layer } = outgoing('OPTIONS');
    expect(flow.sent[0]?.getAll('Via')).toEqual(['SIP/2.0/UDP 192.0.2.1:5060;rport;branch=z9hG4bKr1']);
    const second = layer.request(ownRequest('OPTIONS'), flow, {
      onResponse() {},
      onTimeout() {},
      onTransportError() {},
    });
    expect(second.request.topVia?.branch).not.toBe(transaction.request.topVia?.branch);
    expect(second.id).not.toBe(transaction.id);
  });
});

describe('INVITE client transaction (RFC 3261 17.1.1, RFC 6026)', () => {
  it('timers A and B: repeats after 0.5 s, doubling, and times out after 32 s', () => {
    const { clock, flow, sendTimes, heard, transaction } = outgoing('INVITE');
    expect(flow.take()).toEqual(['INVITE']);
    expect(sendTimes(31_900)).toEqual([500, 1_500, 3_500, 7_500, 15_500, 31_500]);
    expect(heard()).toEqual([]);
    clock.advance(100);
    expect([heard(), transaction.terminated, clock.pending]).toEqual([['timeout'], true, 0]);
  });

  it('over TCP sends once and still times out (B)', () => {
    const { clock, flow, heard } = outgoing('INVITE', 'tcp');
    clock.advance(31_999);
    expect([flow.take(), heard()]).toEqual([['INVITE'], []]);
    clock.advance(1);
    expect([heard(), clock.pending]).toEqual([['timeout'], 0]);
  });

  it('a provisional response stops A and B', () => {
    const { clock, flow, reply, sendTimes, heard } = outgoing('INVITE');
    clock.advance(400);
    reply(100);
    reply(180);
    flow.take();
    expect([sendTimes(60_000), heard()]).toEqual([[], ['100', '180']]);
  });

  it('acknowledges a failure under the branch of the INVITE, each time it comes; timer D absorbs it for 32 s', () => {
    const { clock, flow, reply, heard, transaction } = outgoing('INVITE');
    reply(486);
    const ack = flow.sent.at(-1);
    expect(ack?.toString()).toBe(
      [
        'ACK sip:bob@192.0.2.99 SIP/2.0',
        `Via: ${transaction.request.get('Via')}`,
        'Route: <sip:proxy;lr>',
        'Max-Forwards: 70',
        'From: <sip:a@192.0.2.1>;tag=ours',
        'To: <sip:bob@192.0.2.99>;tag=theirs',
        'Call-ID: call@us',
        'CSeq: 7 ACK',
        'Content-Length: 0',
        '',
        '',
      ].join('\r\n'),
    );
    flow.take();
    reply(486);
    reply(180);
    reply(200);
    expect([flow.take(), heard()]).toEqual([['ACK'], ['486']]);
    clock.advance(31_999);
    reply(486);
    expect(flow.take()).toEqual(['ACK']);
    clock.advance(1);
    expect([transaction.terminated, clock.pending]).toEqual([true, 0]);
    reply(486);
    expect([flow.take(), heard()]).toEqual([[], []]);
  });

  it('over TCP ends with the failure (D = 0)', () => {
    const { clock, flow, reply, transaction } = outgoing('INVITE', 'tcp');
    reply(486);
    expect([flow.take(), transaction.terminated, clock.pending]).toEqual([['INVITE', 'ACK'], true, 0]);
  });

  it.each(['udp', 'tcp'] as const)(
    'timer M over %s: passes every 2xx up for 32 s, then as stray',
    (protocol) => {
      const { clock, flow, reply, heard, take } = outgoing('INVITE', protocol);
      reply(200);
      reply(200);
      reply(200, 'fork');
      reply(180);
      reply(486);
      clock.advance(31_999);
      reply(200);
      expect([flow.take(), heard(), take()]).toEqual([['INVITE'], ['200', '200', '200', '200'], []]);
      clock.advance(1);
      expect(clock.pending).toBe(0);
      reply(200, 'late');
      reply(180);
      expect([heard(), take()]).toEqual([[], ['stray 200']]);
    },
  );

  it('cancels after 11 min of ringing', () => {
    const { clock, flow, reply, heard } = outgoing('INVITE');
    reply(180);
    flow.take();
    clock.advance(659_999);
    expect(flow.take()).toEqual([]);
    clock.advance(1);
    expect(flow.take()).toEqual(['CANCEL']);
    clock.advance(32_000);
    expect([heard(), clock.pending]).toEqual([['180', 'timeout'], 0]);
  });
});

describe('CANCEL of an own INVITE (RFC 3261 9.1)', () => {
  it('goes under the branch of the INVITE as its own transaction; its 200 is not shown', () => {
    const { clock, flow, layer, transaction, transport, reply, heard } = outgoing('INVITE');
    reply(180);
    flow.take();
    const cancel = layer.cancel(transaction, [['Reason', 'SIP;cause=200']]);
    expect(flow.sent[0]?.toString()).toBe(cancel?.toString());
    expect(cancel?.getAll('Via')).toEqual(transaction.request.getAll('Via'));
    expect([
      cancel?.uri,
      cancel?.get('CSeq'),
      cancel?.get('To'),
      cancel?.get('Reason'),
      cancel?.get('Route'),
    ]).toEqual(['sip:bob@192.0.2.99', '7 CANCEL', '<sip:bob@192.0.2.99>', 'SIP;cause=200', '<sip:proxy;lr>']);
    clock.advance(500);
    expect(flow.take()).toEqual(['CANCEL', 'CANCEL']);
    transport.deliver(peerAnswer(cancel as SipMessage, 200), flow);
    reply(487);
    expect([flow.take(), heard()]).toEqual([['ACK'], ['180', '487']]);
    clock.advance(32_000);
    expect(clock.pending).toBe(0);
  });

  it('gives up the INVITE 32 s later if nothing final comes', () => {
    const { clock, layer, transaction, reply, heard } = outgoing('INVITE');
    reply(180);
    clock.advance(50_000);
    layer.cancel(transaction, []);
    reply(180);
    clock.advance(31_999);
    expect(heard()).toEqual(['180', '180']);
    clock.advance(1);
    expect([heard(), clock.pending]).toEqual([['timeout'], 0]);
  });

  it('does nothing twice, after a final response, or for another method', () => {
    const first = outgoing('INVITE');
    expect(first.layer.cancel(first.transaction, [])).toBeDefined();
    expect(first.layer.cancel(first.transaction, [])).toBeUndefined();
    const answered = outgoing('INVITE');
    answered.reply(200);
    expect(answered.layer.cancel(answered.transaction, [])).toBeUndefined();
    const options = outgoing('OPTIONS');
    expect(options.layer.cancel(options.transaction, [])).toBeUndefined();
  });
});

describe('non-INVITE client transaction (RFC 3261 17.1.2)', () => {
  it('timers E and F: repeats after 0.5 s, doubling to 4 s, and times out after 32 s', () => {
    const { clock, flow, sendTimes, heard } = outgoing('OPTIONS');
    expect(flow.take()).toEqual(['OPTIONS']);
    expect(sendTimes(31_900)).toEqual([
      500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500,
    ]);
    clock.advance(100);
    expect([heard(), clock.pending]).toEqual([['timeout'], 0]);
  });

  it('after a provisional response repeats every 4 s (E = T2) and still times out', () => {
    const { clock, flow, reply, sendTimes, heard } = outgoing('OPTIONS');
    clock.advance(100);
    reply(100);
    flow.take();
    expect(sendTimes(12_500)).toEqual([400, 4_400, 8_400, 12_400]);
    clock.advance(20_000);
    expect([heard(), clock.pending]).toEqual([['100', 'timeout'], 0]);
  });

  it('timer K: shows the final response once and absorbs it for 4 s', () => {
    const { clock, flow, reply, heard, transaction } = outgoing('OPTIONS');
    reply(200);
    reply(200);
    flow.take();
    clock.advance(4_999);
    expect([flow.take(), heard(), transaction.terminated]).toEqual([[], ['200'], false]);
    clock.advance(1);
    expect([transaction.terminated, clock.pending]).toEqual([true, 0]);
  });

  it('over TCP sends once and ends with the response (K = 0)', () => {
    const { clock, flow, reply, transaction } = outgoing('OPTIONS', 'tcp');
    clock.advance(20_000);
    expect(flow.take()).toEqual(['OPTIONS']);
    reply(404);
    expect([transaction.terminated, clock.pending]).toEqual([true, 0]);
  });
});

describe('a way that fails', () => {
  it.each(['INVITE', 'OPTIONS'])(
    'is told to the user of an %s, after request() has returned',
    async (method) => {
      const { clock, heard, layer } = outgoing(method, 'udp', new Error('no way'));
      expect(heard()).toEqual([]);
      await Promise.resolve();
      expect([heard(), layer.stats().client, clock.pending]).toEqual([['no way'], 0, 0]);
    },
  );

  it('is told when a connection closes under a pending request, not after its answer', () => {
    const pending = outgoing('INVITE', 'tcp');
    pending.reply(180);
    pending.transport.onFlowClosed(pending.flow);
    expect([pending.heard(), pending.clock.pending]).toEqual([['180', 'the connection closed'], 0]);
    const answered = outgoing('INVITE', 'tcp');
    answered.reply(200);
    answered.transport.onFlowClosed(answered.flow);
    expect(answered.heard()).toEqual(['200']);
  });
});
