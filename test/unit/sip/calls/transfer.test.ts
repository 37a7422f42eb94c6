import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import type { CallContext } from '../../../../src/sip/calls/connect.ts';
import type { Leg, Party } from '../../../../src/sip/calls/leg.ts';
import { handleRefer, parseReferTo } from '../../../../src/sip/calls/transfer.ts';
import { FakeDialog, type FakeResponse, settled } from '../../../support/fake-sip.ts';
import { ANSWER, OFFER, REALM, World } from '../world.ts';

describe('Refer-To', () => {
  test.each([
    ['<sip:1002@h>', { uri: 'sip:1002@h' }],
    ['"A" <sip:1002@h;user=phone?x=y>;method=INVITE', { uri: 'sip:1002@h;user=phone' }],
    ['sip:1002@h;x=y', { uri: 'sip:1002@h' }],
    ['tel:+44', { uri: 'tel:+44' }],
    [
      '<sip:1002@h?A=b&Replaces=c%40h%3Bto-tag%3Dt%3Bfrom-tag%3Df>',
      { uri: 'sip:1002@h', replaces: { callId: 'c@h', tags: { to: 't', from: 'f' } } },
    ],
    ['<sip:1002@h?Replaces=%>', { uri: 'sip:1002@h', replaces: { callId: '', tags: { to: '', from: '' } } }],
    ['mailto:a@b', undefined],
    ['', undefined],
  ])('%s', (text, expected) => expect(parseReferTo(text)).toEqual(expected));

  test('nothing throws', () => {
    const parts = fc.constantFrom('<', '>', 'sip:', '?', 'Replaces=', '&', '%', '%3B', ';', 'to-tag=', 'a');
    fc.assert(fc.property(fc.array(parts), (text) => void parseReferTo(text.join(''))));
  });
});

const phone: Party = { kind: 'host', host: 'd1' };
const pbx: Party = { kind: 'trunk', trunk: 'pbx' };
const THIRD = 'v=0\r\no=third\r\nc=IN IP4 192.0.2.30\r\nm=audio 6000 RTP/AVP 8\r\n';

let world: World;
let context: CallContext;

beforeEach(() => {
  world = new World();
  context = world.context();
  context.table.onRefer = (leg, request, response) => handleRefer(context, leg, { request, response });
});

interface Call {
  readonly own: FakeDialog;
  readonly far: FakeDialog;
  readonly leg: Leg;
}

/** A call of phone d1; `far` is whoever it talks to. */
function call(
  farSdp: string,
  { emergency = false, party = phone }: { emergency?: boolean; party?: Party } = {},
): Call {
  const own = new FakeDialog('uas', { local: farSdp, remote: OFFER });
  const far = new FakeDialog('uac', { local: OFFER, remote: farSdp });
  const leg = context.table.add(own.asDialog, { party, emergency });
  context.table.connect(leg, context.table.add(far.asDialog, { party: pbx, emergency }), {});
  return { own, far, leg };
}

async function refer(own: FakeDialog, target: string): Promise<FakeResponse> {
  const response = own.receive('REFER', { headers: { 'Refer-To': target } });
  await settled();
  return response;
}

function replaces({ own }: Call): string {
  const { callId, localTag, remoteTag } = own.sip;
  return `<sip:x@h?Replaces=${encodeURIComponent(`${callId};to-tag=${localTag};from-tag=${remoteTag}`)}>`;
}

/** What the phone was told of its transfer. */
function progress(own: FakeDialog): (string | undefined)[] {
  for (const notify of own.sent('NOTIFY')) {
    expect(notify.headers).toMatchObject({ Event: 'refer', 'Content-Type': 'message/sipfrag;version=2.0' });
  }
  return own.sent('NOTIFY').map(({ body }) => body?.trim());
}

describe('blind transfer', () => {
  test('the far end is offered to the new one, re-INVITEd to it, and the phone let go', async () => {
    const { own, far } = call(`${ANSWER}a=sendonly\r\n`);
    expect((await refer(own, `<sip:1002@${REALM}>`)).final?.status).toBe(202);
    expect(world.srf.uacs.map(({ uri }) => uri)).toEqual(['sip:u1002@192.0.2.21', 'sip:u1002@192.0.2.22']);
    expect(world.srf.uac.options.localSdp).toBe(`${ANSWER}a=sendrecv\r\n`);
    expect(world.srf.uac.header('From')).toContain('sip:1001@');
    const third = world.srf.uac.answer(THIRD);
    await settled();
    expect(far.sent('INVITE')[0]?.body).toBe(THIRD);
    far.sent('INVITE')[0]?.answer(200, { body: ANSWER });
    await settled();
    expect(progress(own)).toEqual(['SIP/2.0 100 Trying', 'SIP/2.0 200 OK']);
    expect(own.byes).toHaveLength(1);
    expect(far.byes).toEqual([]);
    far.bye();
    expect(third.byes).toHaveLength(1);
    expect(context.table.size).toBe(0);
  });

  test('nobody answers: the phone is told and keeps its call', async () => {
    const { own, far, leg } = call(ANSWER);
    await refer(own, `<sip:1002@${REALM}>`);
    for (const uac of world.srf.uacs) uac.reject(486);
    await settled();
    expect(progress(own).at(-1)).toBe('SIP/2.0 486 Transfer failed');
    expect([own.byes, far.byes]).toEqual([[], []]);
    expect(leg.transferring).toBe(false);
    expect((await refer(own, `<sip:1002@${REALM}>`)).final?.status).toBe(202);
  });

  test('the phone hangs up early: the transfer goes on', async () => {
    const { own, far } = call(ANSWER);
    await refer(own, `<sip:1002@${REALM}>`);
    own.bye();
    expect(far.byes).toEqual([]);
    const third = world.srf.uac.answer(THIRD);
    await settled();
    far.sent('INVITE')[0]?.answer(200, { body: ANSWER });
    await settled();
    expect(far.byes).toEqual([]);
    third.bye();
    expect(far.byes).toHaveLength(1);
  });

  test('the phone hangs up early and nobody answers: the far end is let go', async () => {
    const { own, far } = call(ANSWER);
    await refer(own, `<sip:1002@${REALM}>`);
    own.bye();
    for (const uac of world.srf.uacs) uac.reject(480);
    await settled();
    expect(far.byes).toEqual([{ Reason: 'SIP;cause=480;text="Transfer failed"' }]);
    expect(context.table.size).toBe(0);
  });

  test('the far end hangs up meanwhile: the new one is cancelled', async () => {
    const { own, far } = call(ANSWER);
    await refer(own, `<sip:1002@${REALM}>`);
    far.bye();
    await settled();
    expect(world.srf.uacs.map(({ cancels }) => cancels.length)).toEqual([1, 1]);
    expect(own.byes).toHaveLength(1);
    expect(context.table.size).toBe(0);
  });

  test('the media cannot be joined: the new one is let go, the call stays', async () => {
    const { own, far } = call(ANSWER);
    await refer(own, `<sip:1002@${REALM}>`);
    const third = world.srf.uac.answer(THIRD);
    await settled();
    far.sent('INVITE')[0]?.answer(488);
    await settled();
    expect(third.byes).toHaveLength(1);
    expect(progress(own).at(-1)).toBe('SIP/2.0 488 Transfer failed');
    expect(own.byes).toEqual([]);
  });

  test('glare: asked once more, later', async () => {
    const { own, far } = call(ANSWER);
    await refer(own, `<sip:1002@${REALM}>`);
    world.srf.uac.answer(THIRD);
    await settled();
    far.sent('INVITE')[0]?.answer(491);
    await settled();
    world.clock.advance(2000);
    expect(far.sent('INVITE')).toHaveLength(1);
    world.clock.advance(2000);
    await settled();
    far.sent('INVITE')[1]?.answer(200, { body: ANSWER });
    await settled();
    expect(progress(own).at(-1)).toBe('SIP/2.0 200 OK');
  });

  test('nobody answers for three minutes: it is given up', async () => {
    const { own } = call(ANSWER);
    await refer(own, `<sip:1002@${REALM}>`);
    world.clock.advance(180_000);
    await settled();
    expect(world.srf.uac.cancels).toEqual(['SIP;cause=480;text="No answer"']);
    expect(progress(own).at(-1)).toBe('SIP/2.0 480 Transfer failed');
  });
});

describe('refused', () => {
  test.each(['*90', '*91', '999', '112'])('a transfer to %s', async (target) => {
    expect((await refer(call(ANSWER).own, `<sip:${target}@${REALM}>`)).final?.status).toBe(603);
    expect(world.srf.uacs).toEqual([]);
  });

  test('by a trunk', async () => {
    const { own } = call(ANSWER, { party: pbx });
    expect((await refer(own, `<sip:1002@${REALM}>`)).final?.status).toBe(603);
  });

  test('of an emergency call, blind or as the consultation', async () => {
    const sos = call(ANSWER, { emergency: true });
    expect((await refer(sos.own, `<sip:1002@${REALM}>`)).final?.status).toBe(603);
    const normal = call(ANSWER);
    expect((await refer(normal.own, replaces(sos))).final?.status).toBe(603);
    expect((await refer(sos.own, replaces(normal))).final?.status).toBe(603);
  });

  test('a second one while the first is under way', async () => {
    const { own } = call(ANSWER);
    await refer(own, `<sip:1002@${REALM}>`);
    expect((await refer(own, `<sip:1002@${REALM}>`)).final?.status).toBe(603);
  });

  test('a call of another phone, or itself, as the consultation', async () => {
    const mine = call(ANSWER);
    const theirs = call(THIRD, { party: { kind: 'host', host: 'u1002' } });
    expect((await refer(mine.own, replaces(theirs))).final?.status).toBe(481);
    expect((await refer(mine.own, replaces(mine))).final?.status).toBe(481);
    expect((await refer(mine.own, '<sip:x@h?Replaces=nobody>')).final?.status).toBe(481);
    expect((await refer(mine.own, 'nonsense')).final?.status).toBe(400);
  });
});

describe('attended transfer', () => {
  test('the two far ends are joined, and the phone has no call left', async () => {
    const [first, second] = [call(ANSWER), call(THIRD)];
    expect((await refer(first.own, replaces(second))).final?.status).toBe(202);
    expect(second.far.sent('INVITE')[0]?.body).toBe(ANSWER);
    second.far.sent('INVITE')[0]?.answer(200, { body: THIRD });
    await settled();
    expect(first.far.sent('INVITE')[0]?.body).toBe(THIRD);
    first.far.sent('INVITE')[0]?.answer(200, { body: ANSWER });
    await settled();
    expect(progress(first.own)).toEqual(['SIP/2.0 100 Trying', 'SIP/2.0 200 OK']);
    expect([first.own.byes.length, second.own.byes.length]).toEqual([1, 1]);
    expect(context.table.legs).toBe(2);
    second.far.bye();
    expect(first.far.byes).toHaveLength(1);
    expect(context.table.legs).toBe(0);
  });

  test('refused by one far end: both calls stay, and the other hears the phone again', async () => {
    const [first, second] = [call(ANSWER), call(THIRD)];
    await refer(first.own, replaces(second));
    second.far.sent('INVITE')[0]?.answer(200, { body: THIRD });
    await settled();
    first.far.sent('INVITE')[0]?.answer(488);
    await settled();
    expect(second.far.sent('INVITE')[1]?.body).toBe(OFFER);
    second.far.sent('INVITE')[1]?.answer(200, { body: THIRD });
    await settled();
    expect(progress(first.own).at(-1)).toBe('SIP/2.0 488 Transfer failed');
    expect(context.table.legs).toBe(4);
  });

  test('the phone hangs up both early: they are joined all the same', async () => {
    const [first, second] = [call(ANSWER), call(THIRD)];
    await refer(first.own, replaces(second));
    first.own.bye();
    second.own.bye();
    expect([first.far.byes, second.far.byes]).toEqual([[], []]);
    second.far.sent('INVITE')[0]?.answer(200, { body: THIRD });
    await settled();
    first.far.sent('INVITE')[0]?.answer(200, { body: ANSWER });
    await settled();
    first.far.bye();
    expect(second.far.byes).toHaveLength(1);
    expect(context.table.legs).toBe(0);
  });

  test('the phone hangs up both early and it fails: nobody is left hanging', async () => {
    const [first, second] = [call(ANSWER), call(THIRD)];
    await refer(first.own, replaces(second));
    first.own.bye();
    second.own.bye();
    second.far.sent('INVITE')[0]?.answer(488);
    await settled();
    expect([first.far.byes.length, second.far.byes.length]).toEqual([1, 1]);
    expect(context.table.legs).toBe(0);
  });
});
