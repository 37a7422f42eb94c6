import { beforeEach, describe, expect, test } from 'vitest';
import {
  type CallContext,
  type ConnectResult,
  connect,
  type Round,
} from '../../../../src/sip/calls/connect.ts';
import { InboundInvite } from '../../../../src/sip/calls/inbound.ts';
import { type FakeDialog, type FakeRequest, FakeResponse, settled } from '../../../support/fake-sip.ts';
import { ANSWER, invite, OFFER, World } from '../world.ts';

let world: World;
let context: CallContext;
let request: FakeRequest;
let response: FakeResponse;
let inbound: InboundInvite;

beforeEach(() => {
  world = new World();
  context = world.context();
  receive();
});

function receive(body = OFFER): void {
  request = invite('1002', { body });
  response = new FakeResponse();
  inbound = new InboundInvite(world.srf.asSrf, request.asRequest, response.asResponse);
}

const round = (name: string, answerWithinMs?: number): Round => [
  { uri: `sip:${name}`, headers: {}, party: { kind: 'trunk', trunk: name }, answerWithinMs },
];

function start(rounds: readonly Round[], emergency = false): { result: ConnectResult | undefined } {
  const state: { result: ConnectResult | undefined } = { result: undefined };
  const caller = { kind: 'host', host: 'd1' } as const;
  void connect(context, inbound, { rounds, emergency, caller, record: {} }).then((result) => {
    state.result = result;
  });
  return state;
}

function tried(): string[] {
  return world.srf.uacs.map(({ uri }) => uri);
}

describe('a call', () => {
  test('is joined: the answer of one is the answer to the other', async () => {
    const call = start([round('a')]);
    world.srf.uac.ring();
    const far = world.srf.uac.answer(ANSWER);
    await settled();
    expect(call.result).toEqual({ outcome: 'connected' });
    expect(response.final).toMatchObject({ status: 200, body: ANSWER });
    expect(context.table.legs).toBe(2);
    world.srf.uas.bye();
    expect(far.byes).toHaveLength(1);
    expect([context.table.size, world.clock.pending]).toEqual([0, 0]);
  });

  test('whose caller gave up as the far end answered: the far end gets BYE', async () => {
    world.srf.answerFails = true;
    const call = start([round('a')]);
    const far = world.srf.uac.answer(ANSWER);
    await settled();
    expect(call.result).toEqual({ outcome: 'gone' });
    expect(far.byes).toEqual([{ Reason: 'SIP;cause=487;text="Caller hung up"' }]);
    expect(context.table.legs).toBe(0);
  });

  test('whose far end hung up before the caller was answered ends', async () => {
    request = invite('1002', { headers: { Require: '100rel' } });
    inbound = new InboundInvite(world.srf.asSrf, request.asRequest, response.asResponse);
    start([round('a')]);
    world.srf.uac.ring();
    const far = world.srf.uac.answer(ANSWER);
    await settled();
    expect(response.final).toBeUndefined();
    far.bye();
    response.prack();
    await settled();
    expect(world.srf.uas.byes).toHaveLength(1);
    expect(context.table.size).toBe(0);
  });

  test('whose far end re-INVITEs before the caller was answered: not accepted unasked', async () => {
    request = invite('1002', { headers: { Require: '100rel' } });
    inbound = new InboundInvite(world.srf.asSrf, request.asRequest, response.asResponse);
    start([round('a')]);
    world.srf.uac.ring();
    const far = world.srf.uac.answer(ANSWER);
    await settled();
    const asked = far.receive('INVITE', { body: OFFER });
    await settled();
    expect(asked.final?.status).toBe(491);
  });

  test('whose caller re-INVITEs in one breath with its ACK: the far end is asked', async () => {
    start([round('a')]);
    world.srf.onAnswered = (near) => near.receive('INVITE', { body: OFFER });
    const far = world.srf.uac.answer(ANSWER);
    await settled();
    await settled();
    expect(far.sent('INVITE')).toMatchObject([{ body: OFFER }]);
  });

  test('answered without a session description is none', async () => {
    const call = start([round('a')]);
    const far = world.srf.uac.answer('');
    await settled();
    expect(call.result).toMatchObject({ outcome: 'failed', status: 488 });
    expect(far.byes).toHaveLength(1);
  });

  test('nobody answers for three minutes: failed, so that the caller gets an answer', async () => {
    const call = start([round('a')]);
    world.srf.uac.ring();
    world.clock.advance(180_000);
    await settled();
    expect(call.result).toEqual({ outcome: 'failed', status: 480, reason: 'No answer' });
    expect(world.srf.uac.cancels).toEqual(['SIP;cause=480;text="No answer"']);
    expect(response.final).toBeUndefined();
  });

  test('the caller gives up: nothing is left', async () => {
    const call = start([round('a')]);
    request.cancelled();
    await settled();
    expect(call.result).toEqual({ outcome: 'gone' });
    expect(world.clock.pending).toBe(0);
  });
});

describe('a late offer', () => {
  beforeEach(() => receive(''));

  test("the far end's offer goes out in our 200, the caller's answer in our ACK", async () => {
    const call = start([round('a')]);
    world.srf.uac.answer(ANSWER);
    await settled();
    expect(response.final?.body).toBe(ANSWER);
    expect(world.srf.uac.late).toEqual([]);
    world.srf.uas.ack(OFFER);
    await settled();
    expect(world.srf.uac.late).toEqual([OFFER]);
    expect(call.result).toEqual({ outcome: 'connected' });
    world.srf.uas.bye();
    expect(world.srf.uac.late).toEqual([OFFER]);
    expect(world.srf.uac.dialog.byes).toHaveLength(1);
  });

  test.each(['bye', 'ack'] as const)('that gets no answer (%s) ends both', async (how) => {
    const call = start([round('a')]);
    world.srf.uac.answer(ANSWER);
    await settled();
    world.srf.uas[how]();
    await settled();
    expect(world.srf.uac.late).toEqual(['destroy']);
    expect(call.result).toEqual({ outcome: 'gone' });
    expect(context.table.legs).toBe(0);
  });
});

describe('an announcement before the answer', () => {
  const elsewhere = ANSWER.replace(/^m=audio \d+/m, 'm=audio 7000');

  /** The first trunk announces something and fails, the second answers. */
  async function answeredAfter(announcement: string): Promise<FakeDialog> {
    start([round('a'), round('b')], true);
    world.srf.uac.ring(183, announcement);
    await settled();
    world.srf.uac.reject(503);
    await settled();
    const far = world.srf.uac.answer(ANSWER);
    await settled();
    return far;
  }

  test('of another trunk binds the caller to it: they are asked to talk to who has answered', async () => {
    const far = await answeredAfter(elsewhere);
    const near = world.srf.uas;
    expect(near.sent('INVITE')).toEqual([]);
    near.ack();
    await settled();
    expect(near.sent('INVITE').map(({ body }) => body)).toEqual([ANSWER]);
    near.sent('INVITE')[0]?.answer(200, { body: elsewhere });
    await settled();
    expect(far.sent('INVITE').map(({ body }) => body)).toEqual([elsewhere]);
    expect(context.table.legs).toBe(2);
  });

  test('that refuses to is left alone: the call stays up', async () => {
    const far = await answeredAfter(elsewhere);
    const near = world.srf.uas;
    near.ack();
    await settled();
    near.sent('INVITE')[0]?.answer(488);
    await settled();
    expect([near.byes, far.byes, far.sent('INVITE')]).toEqual([[], [], []]);
  });

  test('from where the answer comes is no reason to ask anybody', async () => {
    await answeredAfter(ANSWER);
    world.srf.uas.ack();
    await settled();
    expect(world.srf.uas.sent('INVITE')).toEqual([]);
  });
});

describe('several trunks', () => {
  test.each([408, 500, 503, 401, 407])('%i leads to the next', async (status) => {
    start([round('a'), round('b')]);
    world.srf.uac.reject(status);
    await settled();
    expect(tried()).toEqual(['sip:a', 'sip:b']);
  });

  test.each([404, 486, 603])('%i is the answer', async (status) => {
    const call = start([round('a'), round('b')]);
    world.srf.uac.reject(status);
    await settled();
    expect(tried()).toEqual(['sip:a']);
    expect(call.result).toMatchObject({ outcome: 'failed', status });
  });

  test.each([404, 486, 603, 302, 503])('%i is no answer to an emergency call', async (status) => {
    start([round('a'), round('b')], true);
    world.srf.uac.reject(status);
    await settled();
    expect(tried()).toEqual(['sip:a', 'sip:b']);
  });

  test('a silent one leads to the next; the last is waited for', async () => {
    const call = start([round('a', 4000), round('b', 4000)], true);
    world.clock.advance(4000);
    await settled();
    expect(tried()).toEqual(['sip:a', 'sip:b']);
    world.clock.advance(30_000);
    await settled();
    expect(call.result).toBeUndefined();
    world.srf.uac.reject(408);
    await settled();
    expect(call.result).toMatchObject({ outcome: 'failed', status: 408 });
  });

  test('an emergency call rings for as long as it takes', async () => {
    const call = start([round('a')], true);
    world.srf.uac.ring();
    world.clock.advance(3_600_000);
    await settled();
    expect(call.result).toBeUndefined();
  });

  test('the caller gives up between two: nothing more is tried', async () => {
    const call = start([round('a'), round('b')], true);
    world.srf.uac.reject(503);
    request.cancelled();
    await settled();
    expect(tried()).toEqual(['sip:a']);
    expect(call.result).toEqual({ outcome: 'gone' });
  });
});
