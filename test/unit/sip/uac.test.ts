import { beforeEach, describe, expect, test } from 'vitest';
import type { Request, Srf, UacOptions, UnacknowledgedLeg } from '../../../src/sip/srf.ts';
import { sendInvite } from '../../../src/sip/uac.ts';
import { FakeDialog, FakeRequest, FakeResponse, settled } from '../../support/fake-sip.ts';
import { ANSWER, OFFER } from './world.ts';

/** INVITEs with a URN or with more than an offer: what drachtio-srf's createUAC does, for what it cannot send. */

type Sent = Parameters<Srf['request']>;

let sent: Sent[];
let request: FakeRequest;
let acks: (string | undefined)[];
let dialog: FakeDialog;
let provisional: number[];
let echoed: unknown[];
let dialogs: { make(): never | ReturnType<typeof asDialog> };

const asDialog = (made: FakeDialog) => made.asDialog;

beforeEach(() => {
  sent = [];
  acks = [];
  provisional = [];
  echoed = [];
  request = new FakeRequest();
  dialog = new FakeDialog('uac', { remote: ANSWER });
  dialogs = { make: () => asDialog(dialog) };
});

function start(options: Partial<UacOptions> = {}): { outcome: unknown } {
  const state: { outcome: unknown } = { outcome: undefined };
  const srf = {
    request: (...args: Sent) => {
      sent.push(args);
      args[2](null, request as unknown as Request);
    },
  };
  const callbacks = {
    cbRequest: (error: unknown) => void echoed.push(error),
    cbProvisional: ({ status }: { status: number }) => void provisional.push(status),
  };
  const invite = { srf, dialogs, uri: 'urn:service:sos', options: { headers: {}, ...options }, callbacks };
  sendInvite(invite).then(
    (leg) => {
      state.outcome = leg;
    },
    (error: unknown) => {
      state.outcome = { rejected: error };
    },
  );
  return state;
}

async function respond(status: number, parts: { body?: string; headers?: Record<string, string> } = {}) {
  const message = new FakeRequest({ body: parts.body ?? '', headers: parts.headers ?? {} });
  const ack = (options?: { body: string }) => void acks.push(options?.body);
  request.emit('response', Object.assign(message, { status, reason: 'Because' }), ack);
  await settled();
}

test('goes to the URN, down the way that was named, with the whole body', () => {
  const auth = { username: 'u', password: 'p' };
  start({ localSdp: OFFER, body: '--b', proxy: 'sip:sos.test', auth, headers: { To: '<urn:service:sos>' } });
  const [uri, options] = sent[0] as Sent;
  expect(uri).toBe('urn:service:sos');
  expect(options).toEqual({
    ...{ method: 'INVITE', headers: { To: '<urn:service:sos>' }, body: '--b', proxy: 'sip:sos.test', auth },
  });
  expect(echoed).toEqual([null]);
});

test('without anything beside it the body is the offer', () => {
  start({ localSdp: OFFER });
  expect(sent[0]?.[1]).toEqual({ method: 'INVITE', headers: {}, body: OFFER });
});

test('answered: acknowledged, and the dialog knows the offer as its session, not the whole body', async () => {
  const call = start({ localSdp: OFFER, body: '--b' });
  await respond(180);
  await respond(200, { body: ANSWER });
  expect([provisional, acks, call.outcome]).toEqual([[180], [undefined], dialog]);
  expect(dialog.local.sdp).toBe(OFFER);
});

test('a reliable 1xx gets its PRACK, another none', async () => {
  start({ localSdp: OFFER });
  await respond(183, { headers: { RSeq: '1' } });
  await respond(180);
  expect(acks).toHaveLength(1);
});

test.each([302, 404, 486, 503, 603])('%i is a refusal, which the server acknowledges', async (status) => {
  const call = start({ localSdp: OFFER });
  await respond(status);
  expect(call.outcome).toEqual({ rejected: { status, reason: 'Because' } });
  expect(acks).toEqual([]);
});

test('that could not be sent is rejected, and said to be', async () => {
  const callbacks = {
    cbRequest: (error: unknown) => void echoed.push(error),
    cbProvisional: () => undefined,
  };
  const error = new Error('Error creating leg');
  const srf = { request: (...args: Sent) => args[2](error, undefined as unknown as Request) };
  const invite = { srf, dialogs, uri: 'urn:service:sos', options: { headers: {} }, callbacks };
  await expect(sendInvite(invite)).rejects.toBe(error);
  expect(echoed).toEqual([error]);
});

test('with no connection to the server it is rejected, not thrown', async () => {
  const srf = {
    request: () => {
      throw new Error('assert(typeSocket(socket))');
    },
  };
  const callbacks = { cbRequest: () => undefined, cbProvisional: () => undefined };
  const invite = { srf, dialogs, uri: 'urn:service:sos', options: { headers: {} }, callbacks };
  await expect(sendInvite(invite)).rejects.toThrow('assert');
});

test('an answer that makes no dialog (no Contact) is a failure', async () => {
  dialogs = {
    make: () => {
      throw new Error("header 'contact' not available");
    },
  };
  const call = start({ localSdp: OFFER });
  await respond(200, { body: ANSWER });
  expect(call.outcome).toMatchObject({ rejected: { message: expect.stringContaining('contact') } });
});

test('an UPDATE before the answer is answered with what we offered', () => {
  start({ localSdp: OFFER, body: '--b' });
  const response = new FakeResponse();
  request.emit('update', new FakeRequest({ method: 'UPDATE' }), response);
  expect(response.sent).toMatchObject([{ status: 200, body: OFFER }]);
});

describe('without an offer', () => {
  const late = async (): Promise<UnacknowledgedLeg> => {
    const call = start({ body: '--b', noAck: true });
    await respond(200, { body: ANSWER });
    return call.outcome as UnacknowledgedLeg;
  };

  test('the answer makes one, and nothing is acknowledged until ours is there', async () => {
    const leg = await late();
    expect([leg.sdp, acks]).toEqual([ANSWER, []]);
    expect(await leg.ack(OFFER)).toBe(dialog);
    expect([acks, dialog.local.sdp]).toEqual([[OFFER], OFFER]);
  });

  test('a leg nobody wants any more is acknowledged and ended', async () => {
    const leg = await late();
    await leg.destroy();
    expect([acks, dialog.byes]).toEqual([[ANSWER], [{}]]);
  });

  test('what goes wrong in acknowledging is a rejection', async () => {
    const leg = await late();
    dialogs.make = () => {
      throw new Error('no');
    };
    await expect(leg.ack(OFFER)).rejects.toThrow('no');
  });

  test('an answer without a session is acknowledged, and for others to judge', async () => {
    const call = start({ body: '--b', noAck: true });
    await respond(200);
    expect([acks, call.outcome]).toEqual([[undefined], dialog]);
  });
});
