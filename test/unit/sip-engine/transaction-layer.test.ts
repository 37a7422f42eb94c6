import { describe, expect, it } from 'vitest';
import { SipMessage } from '../../../src/sip-engine/message/message.ts';
import { serverKey } from '../../../src/sip-engine/transaction/keys.ts';
import type { TransactionOptions } from '../../../src/sip-engine/transaction/transaction-layer.ts';
import type { RequestShape } from '../../support/transaction-bench.ts';
import {
  answer,
  FakeFlow,
  peerAnswer,
  peerRequest,
  transactionBench,
} from '../../support/transaction-bench.ts';

const IGNORE = { onResponse() {}, onTimeout() {}, onTransportError() {} };

describe('which requests are the same (RFC 3261 17.2.3)', () => {
  const key = (method: string, shape: RequestShape = {}, of = method) =>
    serverKey(peerRequest(method, shape), of);

  it('needs branch, sent-by, method, Call-ID and CSeq to agree', () => {
    expect(key('OPTIONS')).toBe(key('OPTIONS', { sentBy: '192.0.2.99:5060' }));
    const others: RequestShape[] = [
      { branch: 'z9hG4bKx' },
      { sentBy: '192.0.2.98' },
      { sentBy: '192.0.2.99:5061' },
      { callId: 'other' },
      { seq: 2 },
    ];
    for (const other of others) expect(key('OPTIONS', other)).not.toBe(key('OPTIONS'));
    expect(key('BYE')).not.toBe(key('OPTIONS'));
  });

  it.each([
    ['the bare cookie', 'z9hG4bK'],
    ['an old one', 'abc'],
    ['none', undefined],
  ])('uses tags and Request-URI where the branch is %s', (_what, branch) => {
    expect(key('OPTIONS', { branch })).toBe(key('OPTIONS', { branch }));
    expect(key('OPTIONS', { branch, fromTag: 'x' })).not.toBe(key('OPTIONS', { branch }));
    expect(key('OPTIONS', { branch, toTag: 'x' })).not.toBe(key('OPTIONS', { branch }));
    expect(key('ACK', { branch, toTag: 'ours' }, 'INVITE')).toBe(key('INVITE', { branch }));
    expect(key('CANCEL', { branch }, 'INVITE')).toBe(key('INVITE', { branch }));
  });

  it('treats RFC 4475 cparam02 as new though it has the branch of cparam01', () => {
    const { transport, take } = transactionBench();
    const flow = new FakeFlow();
    transport.deliver(peerRequest('REGISTER', { callId: 'cparam01' }), flow);
    transport.deliver(peerRequest('REGISTER', { callId: 'cparam02' }), flow);
    expect(take()).toEqual(['REGISTER', 'REGISTER']);
  });

  it('absorbs the ACK of an RFC 2543 caller', () => {
    const { transport, take, last } = transactionBench();
    const flow = new FakeFlow();
    transport.deliver(peerRequest('INVITE', { branch: undefined }), flow);
    last().respond(answer(last(), 486));
    transport.deliver(peerRequest('ACK', { branch: undefined, toTag: 'ours' }), flow);
    expect(take()).toEqual(['INVITE']);
  });
});

describe('merged requests (RFC 3261 8.2.2.2)', () => {
  const copy = { branch: 'z9hG4bKother' };

  function twice(
    method: string,
    between: (bench: ReturnType<typeof transactionBench>) => void,
    shape = copy,
  ) {
    const bench = transactionBench();
    const flow = new FakeFlow();
    bench.transport.deliver(peerRequest(method), flow);
    between(bench);
    flow.take();
    bench.transport.deliver(peerRequest(method, shape), flow);
    return { ...bench, flow };
  }

  it('answers 482 while the first is served, and after it was accepted', () => {
    const pending = twice('INVITE', () => {});
    expect(pending.flow.sent[0]?.to?.tag).toMatch(/^[0-9a-f]{16}$/);
    expect([pending.flow.take(), pending.take()]).toEqual([['482 INVITE'], ['INVITE']]);
    const accepted = twice('INVITE', ({ last }) => last().respond(answer(last(), 200)));
    expect(accepted.flow.take()).toEqual(['482 INVITE']);
    expect(accepted.layer.stats()).toMatchObject({ merged: 1, mergedRequests: 1 });
  });

  it('serves a request again after a failure: it may come by another way', () => {
    const failed = twice('OPTIONS', ({ last }) => last().respond(answer(last(), 503)));
    expect(failed.take()).toEqual(['OPTIONS', 'OPTIONS']);
    failed.clock.advance(32_000);
    expect(failed.layer.stats()).toMatchObject({ merged: 0, server: 0 });
  });

  it.each([
    ['a To tag', { ...copy, toTag: 'ours' }],
    ['another From tag', { ...copy, fromTag: 'x' }],
    ['another CSeq', { ...copy, seq: 2 }],
    ['another Call-ID', { ...copy, callId: 'x' }],
  ])('does not mind %s', (_what, shape) => {
    expect(twice('OPTIONS', () => {}, shape).take()).toEqual(['OPTIONS', 'OPTIONS']);
  });
});

describe('CANCEL from a peer (RFC 3261 9.2)', () => {
  function ringing() {
    const bench = transactionBench();
    const flow = new FakeFlow();
    bench.transport.deliver(peerRequest('INVITE'), flow);
    bench.take();
    const cancel = () => bench.transport.deliver(peerRequest('CANCEL'), flow);
    return { ...bench, flow, cancel };
  }

  it('gets 200 at once, with the tag of the INVITE, and reaches the user once', () => {
    const { last, flow, take, cancel } = ringing();
    last().respond(answer(last(), 180));
    flow.take();
    cancel();
    expect(flow.sent[0]?.to?.tag).toBe('ours');
    cancel();
    expect(flow.take()).toEqual(['200 CANCEL', '200 CANCEL']);
    expect(take()).toEqual([`CANCEL of ${last().id}`]);
    last().respond(answer(last(), 487));
    expect(flow.take()).toEqual(['487 INVITE']);
  });

  it('gets 200 without effect after the final response, and 481 without an INVITE', () => {
    const { last, flow, take, cancel, transport } = ringing();
    last().respond(answer(last(), 200));
    flow.take();
    cancel();
    transport.deliver(peerRequest('CANCEL', { branch: 'z9hG4bKnobody' }), flow);
    expect([flow.take(), take()]).toEqual([['200 CANCEL', '481 CANCEL'], []]);
  });
});

describe('responses', () => {
  it('belong to the request with their branch, method and Call-ID', () => {
    const { layer, transport, take } = transactionBench();
    const flow = new FakeFlow();
    const heard: number[] = [];
    const request = peerRequest('INVITE').delete('Via');
    layer.request(request, flow, { ...IGNORE, onResponse: (response) => void heard.push(response.status) });
    transport.deliver(peerAnswer(request, 180).set('CSeq', '1 OPTIONS'), flow);
    transport.deliver(peerAnswer(request, 181).set('Call-ID', 'other'), flow);
    transport.deliver(
      peerAnswer(request, 182).set('Via', 'SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKx'),
      flow,
    );
    transport.deliver(peerAnswer(request, 183), flow);
    expect([heard, take(), layer.stats().strayResponses]).toEqual([[183], [], 3]);
  });

  it('are stray only as a 2xx to INVITE under one Via of ours', () => {
    const { transport, take } = transactionBench();
    const flow = new FakeFlow();
    const stray = (method: string, status: number, via: string) =>
      transport.deliver(peerAnswer(peerRequest(method).set('Via', via), status), flow);
    const ours = 'SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKold';
    stray('INVITE', 200, ours);
    stray('INVITE', 486, ours);
    stray('BYE', 200, ours);
    stray('INVITE', 200, 'SIP/2.0/UDP 192.0.2.198;branch=z9hG4bK1');
    stray('INVITE', 200, `${ours}, SIP/2.0/UDP 255.255.255.255`);
    expect(take()).toEqual(['stray 200']);
  });
});

describe('sendAck', () => {
  it('adds a Via with a branch of its own and keeps no state', () => {
    const { layer } = transactionBench();
    const flow = new FakeFlow();
    layer.sendAck(SipMessage.request('ACK', 'sip:b').add('CSeq', '1 ACK'), flow);
    layer.sendAck(SipMessage.request('ACK', 'sip:b').add('CSeq', '1 ACK'), flow);
    expect(new Set(flow.sent.map((ack) => ack.topVia?.branch)).size).toBe(2);
    expect(layer.stats().client).toBe(0);
  });
});

describe('full tables', () => {
  const limits = { maxServer: 2, maxClient: 1, retryAfter: 7 };
  const isExempt = (request: SipMessage) => request.callId === 'emergency';

  function full(options: Partial<TransactionOptions> = {}) {
    const bench = transactionBench({ limits, isExempt, ...options });
    const flow = new FakeFlow();
    let n = 0;
    const arrive = (method: string, shape: RequestShape = {}) => {
      n++;
      bench.transport.deliver(
        peerRequest(method, { branch: `z9hG4bK${n}`, callId: `c${n}`, ...shape }),
        flow,
      );
      return flow.take();
    };
    arrive('OPTIONS');
    arrive('INVITE');
    bench.take();
    return { ...bench, flow, arrive };
  }

  it('answer 503 with Retry-After and keep nothing', () => {
    const { transport, flow, layer, take } = full();
    transport.deliver(peerRequest('OPTIONS', { callId: 'new' }), flow);
    expect([flow.sent[0]?.get('Retry-After'), flow.take(), take()]).toEqual(['7', ['503 OPTIONS'], []]);
    expect(layer.stats()).toMatchObject({ server: 2, shed: 1 });
  });

  it('let emergency calls, BYE and CANCEL in, up to twice the size', () => {
    const { arrive, take, layer } = full();
    expect(arrive('INVITE', { callId: 'emergency' })).toEqual(['100 INVITE']);
    expect(arrive('BYE', { toTag: 'ours' })).toEqual([]);
    expect(take()).toEqual(['INVITE', 'BYE']);
    expect(arrive('CANCEL')).toEqual(['503 CANCEL']);
    expect(layer.stats()).toMatchObject({ server: 4, shed: 1 });
  });

  it('make room by forgetting the oldest answered request first', () => {
    const { arrive, take, servers, layer, flow } = full();
    const [options] = servers;
    options?.respond(answer(options, 200));
    expect(flow.take()).toEqual(['200 OPTIONS']);
    expect([arrive('OPTIONS'), take(), options?.terminated]).toEqual([[], ['OPTIONS'], true]);
    expect(layer.stats()).toMatchObject({ server: 2, shed: 0 });
  });

  it('keep the places of emergency calls, BYE and CANCEL for their like', () => {
    const { arrive, take, servers, layer } = full();
    for (const callId of ['c1', 'c2', 'c3']) {
      arrive('BYE', { callId, toTag: 'ours' });
      const bye = servers.at(-1);
      bye?.respond(answer(bye, 200));
      expect(arrive('INVITE')).toEqual(['200 BYE', '503 INVITE']);
    }
    take();
    expect(arrive('INVITE', { callId: 'emergency' })).toEqual(['100 INVITE']);
    expect(layer.stats()).toMatchObject({ server: 3, shed: 3 });
  });

  describe('and an emergency call beyond the share of its source', () => {
    const mayDisplace = (request: SipMessage) => request.callId === 'late';

    it('takes the place of the oldest refused one, which nobody has acknowledged', () => {
      const { arrive, take, servers, layer } = full({ mayDisplace });
      const [, invite] = servers;
      invite?.respond(answer(invite, 401));
      expect(arrive('INVITE')).toEqual(['401 INVITE', '503 INVITE']);
      expect(arrive('INVITE', { callId: 'late' })).toEqual(['100 INVITE']);
      expect([take(), invite?.terminated]).toEqual([['INVITE'], true]);
      expect(layer.stats()).toMatchObject({ server: 2, shed: 1 });
    });

    it('is not told to wait where there is none', () => {
      const { transport, flow } = full({ mayDisplace });
      transport.deliver(peerRequest('INVITE', { callId: 'late' }), flow);
      expect(flow.sent[0]?.get('Retry-After')).toBeUndefined();
      expect(flow.take()).toEqual(['503 INVITE']);
    });
  });

  it('are full again when forgotten requests have been replaced', () => {
    const { arrive, servers, clock } = full();
    const [options, invite] = servers;
    options?.respond(answer(options, 200));
    invite?.respond(answer(invite, 200));
    clock.advance(32_000);
    arrive('OPTIONS');
    arrive('OPTIONS');
    expect(arrive('OPTIONS')).toEqual(['503 OPTIONS']);
  });

  it('refuse own requests as a transport error, except BYE and emergency calls', async () => {
    const { layer, flow } = full();
    const heard: string[] = [];
    const send = (method: string, callId: string) =>
      layer.request(peerRequest(method, { callId }), flow, {
        ...IGNORE,
        onTransportError: (error) => void heard.push(`${method} ${error.message}`),
      });
    expect(send('INVITE', 'first').terminated).toBe(false);
    expect(send('BYE', 'first').terminated).toBe(false);
    expect(send('INVITE', 'emergency').terminated).toBe(true);
    expect(send('OPTIONS', 'first').terminated).toBe(true);
    expect(heard).toEqual([]);
    await Promise.resolve();
    expect(heard).toEqual(['INVITE too many client transactions', 'OPTIONS too many client transactions']);
  });
});

describe('in the long run', () => {
  it('all tables are empty 64 s after the last message, whatever was left unanswered', () => {
    const { transport, layer, clock, servers } = transactionBench();
    for (const protocol of ['udp', 'tcp'] as const) {
      const flow = new FakeFlow(protocol);
      for (let i = 0; i < 200; i++) {
        const method = ['INVITE', 'OPTIONS', 'BYE'][i % 3] ?? '';
        transport.deliver(
          peerRequest(method, { branch: `z9hG4bK${protocol}${i}`, callId: `${protocol}${i}` }),
          flow,
        );
        const transaction = servers.at(-1);
        if (i % 4 === 1) transaction?.respond(answer(transaction, 200));
        if (i % 4 === 2) transaction?.respond(answer(transaction, 404));
        const own = layer.request(peerRequest(method).delete('Via'), flow, IGNORE);
        if (i % 5 === 1) transport.deliver(peerAnswer(own.request, 200), flow);
        if (i % 5 === 2) transport.deliver(peerAnswer(own.request, 500), flow);
      }
    }
    clock.advance(63_999);
    // Only INVITEs nobody answered are left; they get their 480 now and are gone when its ACK does not come.
    expect(layer.stats().client).toBe(0);
    clock.advance(32_001);
    expect(layer.stats()).toMatchObject({ server: 0, client: 0, merged: 0 });
    expect(clock.pending).toBe(0);
  });

  it('stop() leaves no timer and says nothing', () => {
    const { transport, layer, clock, last, take } = transactionBench();
    const flow = new FakeFlow();
    transport.deliver(peerRequest('INVITE'), flow);
    last().onTerminated = () => take().push('never');
    layer.request(peerRequest('OPTIONS').delete('Via'), flow, IGNORE);
    layer.stop();
    expect([clock.pending, layer.stats().server, layer.stats().client]).toEqual([0, 0, 0]);
  });
});
