import { describe, expect, it } from 'vitest';
import { answer, FakeFlow, peerRequest, transactionBench } from '../../support/transaction-bench.ts';

/** Times, in milliseconds after now, at which something is sent on `flow` during `ms` milliseconds. */
function sendTimes(bench: ReturnType<typeof transactionBench>, flow: FakeFlow, ms: number): number[] {
  const times: number[] = [];
  const start = bench.clock.now();
  for (let t = 100; t <= ms; t += 100) {
    bench.clock.advance(100);
    for (const _ of flow.take()) times.push(bench.clock.now() - start);
  }
  return times;
}

function incoming(method: string, protocol: 'udp' | 'tcp' = 'udp') {
  const bench = transactionBench();
  const flow = new FakeFlow(protocol);
  const request = peerRequest(method);
  const again = () => bench.transport.deliver(request, flow);
  again();
  const transaction = bench.last();
  let terminated = 0;
  transaction.onTerminated = () => terminated++;
  const ack = (toTag = 'ours') => bench.transport.deliver(peerRequest('ACK', { toTag }), flow);
  return { ...bench, bench, flow, request, transaction, again, ack, terminations: () => terminated };
}

describe('INVITE server transaction (RFC 3261 17.2.1, RFC 6026)', () => {
  it('sends 100 at once, without a To tag, and repeats the last provisional response', () => {
    const { flow, again, take, transaction, layer } = incoming('INVITE');
    expect(flow.sent[0]?.to?.tag).toBeUndefined();
    expect(flow.take()).toEqual(['100 INVITE']);
    again();
    expect(flow.take()).toEqual(['100 INVITE']);
    transaction.respond(answer(transaction, 180));
    transaction.respond(answer(transaction, 100));
    again();
    expect(flow.take()).toEqual(['180 INVITE', '180 INVITE']);
    expect(take()).toEqual(['INVITE']);
    expect(transaction.lastStatus).toBe(180);
    expect(layer.stats()).toMatchObject({ server: 1, retransmissions: 2 });
  });

  it('timer G: repeats a failure after 0.5 s, doubling to 4 s; timer H ends it after 32 s', () => {
    const { bench, flow, transaction, terminations, layer } = incoming('INVITE');
    transaction.respond(answer(transaction, 486));
    expect(flow.take()).toEqual(['100 INVITE', '486 INVITE']);
    const times = sendTimes(bench, flow, 31_900);
    expect(times.slice(0, 6)).toEqual([500, 1_500, 3_500, 7_500, 11_500, 15_500]);
    expect(times).toHaveLength(10);
    expect(terminations()).toBe(0);
    bench.clock.advance(100);
    expect([terminations(), layer.stats().server, bench.clock.pending]).toEqual([1, 0, 0]);
  });

  it('answers a repeated INVITE with its failure at once', () => {
    const { flow, transaction, again } = incoming('INVITE');
    transaction.respond(answer(transaction, 486));
    flow.take();
    again();
    expect(flow.take()).toEqual(['486 INVITE']);
  });

  it('timer I: after the ACK absorbs everything for 5 s', () => {
    const { clock, flow, transaction, ack, again, take, terminations } = incoming('INVITE');
    transaction.respond(answer(transaction, 486));
    take();
    flow.take();
    ack();
    ack();
    again();
    clock.advance(4_999);
    expect([flow.take(), take(), terminations()]).toEqual([[], [], 0]);
    clock.advance(1);
    expect([terminations(), clock.pending]).toEqual([1, 0]);
  });

  it('over TCP repeats nothing (G) and ends with the ACK (I = 0)', () => {
    const { clock, flow, transaction, ack, terminations } = incoming('INVITE', 'tcp');
    transaction.respond(answer(transaction, 486));
    flow.take();
    clock.advance(31_999);
    expect(flow.take()).toEqual([]);
    ack();
    expect([terminations(), clock.pending]).toEqual([1, 0]);
  });

  it.each(['udp', 'tcp'] as const)(
    'timer L over %s: after a 2xx absorbs INVITEs and passes ACKs up for 32 s',
    (protocol) => {
      const { clock, flow, transaction, ack, again, take, terminations } = incoming('INVITE', protocol);
      transaction.respond(answer(transaction, 200));
      take();
      flow.take();
      again();
      expect(flow.take()).toEqual([]);
      ack();
      ack();
      expect(take()).toEqual(['ACK 1', 'ACK 1']);
      clock.advance(31_999);
      expect([flow.take(), terminations()]).toEqual([[], 0]);
      clock.advance(1);
      expect([terminations(), clock.pending]).toEqual([1, 0]);
    },
  );

  it('lets the user repeat its 2xx, and nothing else after a final response', () => {
    const { flow, transaction } = incoming('INVITE');
    transaction.respond(answer(transaction, 200));
    transaction.resend();
    transaction.respond(answer(transaction, 200));
    transaction.respond(answer(transaction, 486));
    transaction.respond(answer(transaction, 180));
    expect(flow.take()).toEqual(['100 INVITE', '200 INVITE', '200 INVITE', '200 INVITE']);
    const refused = incoming('INVITE');
    refused.transaction.respond(answer(refused.transaction, 486));
    refused.transaction.respond(answer(refused.transaction, 200));
    refused.transaction.resend();
    expect(refused.flow.take()).toEqual(['100 INVITE', '486 INVITE']);
  });

  it('passes an ACK with a branch of its own up', () => {
    const { transport, flow, take } = incoming('INVITE');
    take();
    transport.deliver(peerRequest('ACK', { branch: 'z9hG4bKother', toTag: 'ours' }), flow);
    expect(take()).toEqual(['ACK 1']);
  });

  it('answers 480 itself if the user stays silent, 64 s at first and 11 min while it rings', () => {
    const silent = incoming('INVITE');
    silent.clock.advance(63_999);
    expect(silent.flow.take()).toEqual(['100 INVITE']);
    silent.clock.advance(1);
    expect(silent.flow.sent[0]?.to?.tag).toMatch(/^[0-9a-f]{16}$/);
    expect(silent.flow.take()).toEqual(['480 INVITE']);
    const ringing = incoming('INVITE');
    ringing.clock.advance(60_000);
    ringing.transaction.respond(answer(ringing.transaction, 180));
    ringing.clock.advance(659_999);
    expect(ringing.flow.take()).toEqual(['100 INVITE', '180 INVITE']);
    ringing.clock.advance(1);
    expect(ringing.flow.take()).toEqual(['480 INVITE']);
    ringing.clock.advance(32_000);
    expect(ringing.clock.pending).toBe(0);
  });

  it('answers over another connection if that of the request is gone', () => {
    const { transport, flow, transaction } = incoming('INVITE', 'tcp');
    flow.closed = true;
    const other = new FakeFlow('tcp');
    transport.fallback = other;
    transaction.respond(answer(transaction, 200));
    expect(other.take()).toEqual(['200 INVITE']);
  });
});

describe('non-INVITE server transaction (RFC 3261 17.2.2, RFC 4320)', () => {
  it('is silent until answered, then answers each repetition; timer J ends it after 32 s', () => {
    const { clock, flow, transaction, again, take, terminations } = incoming('OPTIONS');
    again();
    expect(flow.take()).toEqual([]);
    clock.advance(10_000);
    transaction.respond(answer(transaction, 200));
    transaction.respond(answer(transaction, 500));
    again();
    expect(flow.take()).toEqual(['200 OPTIONS', '200 OPTIONS']);
    clock.advance(31_999);
    again();
    expect([flow.take(), take(), terminations()]).toEqual([['200 OPTIONS'], ['OPTIONS'], 0]);
    clock.advance(1);
    expect([terminations(), clock.pending, transaction.terminated]).toEqual([1, 0, true]);
    again();
    expect(take()).toEqual(['OPTIONS']);
  });

  it('over TCP ends with its answer (J = 0)', () => {
    const { clock, flow, transaction, terminations } = incoming('OPTIONS', 'tcp');
    transaction.respond(answer(transaction, 200));
    expect([flow.take(), terminations(), clock.pending]).toEqual([['200 OPTIONS'], 1, 0]);
  });

  it('puts neither 1xx nor 408 on the wire, and no answer that comes too late', () => {
    const { clock, flow, transaction, again } = incoming('OPTIONS');
    transaction.respond(answer(transaction, 100));
    transaction.respond(answer(transaction, 182));
    transaction.respond(answer(transaction, 408));
    again();
    clock.advance(32_000);
    expect([flow.take(), transaction.lastStatus, clock.pending]).toEqual([[], 408, 0]);
    const late = incoming('OPTIONS');
    late.clock.advance(32_000);
    expect(late.terminations()).toBe(1);
    late.transaction.respond(answer(late.transaction, 200));
    expect(late.flow.take()).toEqual([]);
  });
});
