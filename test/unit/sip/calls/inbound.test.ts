import { beforeEach, describe, expect, test } from 'vitest';
import { InboundInvite } from '../../../../src/sip/calls/inbound.ts';
import type { Response } from '../../../../src/sip/srf.ts';
import { type FakeRequest, FakeResponse, FakeSrf, settled } from '../../../support/fake-sip.ts';
import { ANSWER, invite } from '../world.ts';

let srf: FakeSrf;
let request: FakeRequest;
let response: FakeResponse;
let inbound: InboundInvite;

function begin(headers: Record<string, string> = {}): void {
  srf = new FakeSrf();
  request = invite('1002', { headers });
  response = new FakeResponse();
  inbound = new InboundInvite(srf.asSrf, request.asRequest, response.asResponse);
}

beforeEach(() => begin());

function far(status: number, body = ''): Response {
  return { status, body } as unknown as Response;
}

function statuses(): number[] {
  return response.sent.map(({ status }) => status);
}

describe('provisional responses', () => {
  test('one 180 for all that ring without a session', async () => {
    for (const status of [180, 183, 181, 199]) inbound.relayProvisional(far(status), false);
    await settled();
    expect(statuses()).toEqual([180]);
  });

  test('have a Contact, as early dialogs must; the server gives reliable ones theirs', async () => {
    await inbound.provisional(180);
    expect(response.sent[0]?.headers).toEqual({ Contact: '<sip:hotdesk@localhost>' });
    begin({ Require: '100rel' });
    void inbound.provisional(180);
    expect(response.sent[0]?.headers).toEqual({ Require: '100rel' });
  });

  test.each([
    [183, 183],
    [180, 180],
    [199, 183],
    [184, 183],
  ])('%i with a session goes on as %i with it, where one side alone was asked', async (status, expected) => {
    inbound.relayProvisional(far(status, ANSWER), true);
    await settled();
    expect(response.sent[0]).toMatchObject({
      status: expected,
      body: ANSWER,
      headers: { 'Content-Type': 'application/sdp' },
    });
  });

  test('a session of one of several is not passed on', async () => {
    inbound.relayProvisional(far(183, ANSWER), false);
    await settled();
    expect(response.sent).toMatchObject([{ status: 180, body: undefined }]);
  });

  test('where the caller demands 100rel each waits for the PRACK of the one before, the 200 too', async () => {
    begin({ Require: 'timer, 100rel' });
    inbound.relayProvisional(far(180), true);
    inbound.relayProvisional(far(183, ANSWER), true);
    const answered = inbound.answer(ANSWER);
    await settled();
    expect(response.sent).toMatchObject([{ status: 180, headers: { Require: '100rel' } }]);
    response.prack();
    await settled();
    expect(statuses()).toEqual([180, 183]);
    response.prack();
    expect(await answered).toBe(srf.uas);
    expect(statuses()).toEqual([180, 183, 200]);
  });

  test('a caller who gives up while a PRACK is due is not waited for', async () => {
    begin({ Require: '100rel' });
    inbound.relayProvisional(far(180), true);
    const answered = inbound.answer(ANSWER);
    await settled();
    request.cancelled();
    expect(await answered).toBeUndefined();
    expect(statuses()).toEqual([180, 487]);
  });

  test('none after the final answer', async () => {
    inbound.refuse(486, 'Busy', 'h.test');
    inbound.relayProvisional(far(180), true);
    await settled();
    expect(statuses()).toEqual([486]);
  });
});

describe('CANCEL', () => {
  test('aborts with its Reason, and clears the table of drachtio-srf', () => {
    request.cancelled('SIP;cause=200;text="Call completed elsewhere"');
    expect(inbound.signal.reason).toBe('SIP;cause=200;text="Call completed elsewhere"');
    expect(statuses()).toEqual([487]);
  });

  test('nothing is answered or refused any more', async () => {
    request.cancelled();
    inbound.refuse(480, 'x', 'h.test');
    expect(await inbound.answer(ANSWER)).toBeUndefined();
    expect(statuses()).toEqual([487]);
    expect(inbound.signal.reason).toBe('SIP;cause=487;text="Caller hung up"');
  });

  test('that was faster than our 200: no dialog', async () => {
    srf.answerFails = true;
    expect(await inbound.answer(ANSWER)).toBeUndefined();
  });
});

describe('refusal', () => {
  test('has its reason in words twice, and no Retry-After: the phone may have to call 999 next', () => {
    inbound.refuse(503, 'Starting', 'h.test');
    expect(response.final).toMatchObject({
      status: 503,
      headers: { Warning: '399 h.test "Starting"', Reason: 'SIP;cause=503;text="Starting"' },
    });
    expect(response.final?.headers['Retry-After']).toBeUndefined();
  });

  test('a challenge of the far side is never the caller’s', () => {
    inbound.refuse(407, 'Proxy Authentication Required', 'h.test');
    expect(response.final?.status).toBe(502);
  });

  test('is sent once', () => {
    inbound.refuse(486, 'a', 'h');
    inbound.refuse(480, 'b', 'h');
    expect(statuses()).toEqual([486]);
  });
});

describe('abandon', () => {
  test('answers 503 and aborts', () => {
    inbound.abandon('SIP;cause=503;text="Server stops"');
    expect(statuses()).toEqual([503]);
    expect(inbound.signal.reason).toBe('SIP;cause=503;text="Server stops"');
  });

  test('of an answered call only aborts', async () => {
    await inbound.answer(ANSWER);
    inbound.abandon('x');
    expect(statuses()).toEqual([200]);
    expect(inbound.signal.aborted).toBe(true);
  });
});
