import { beforeEach, describe, expect, test } from 'vitest';
import type { Leg, Party } from '../../../../src/sip/calls/leg.ts';
import { CallTable } from '../../../../src/sip/calls/table.ts';
import { FakeDialog, settled } from '../../../support/fake-sip.ts';
import { ANSWER, OFFER, TapeLog } from '../world.ts';

const phone: Party = { kind: 'host', host: 'd1' };
const pbx: Party = { kind: 'trunk', trunk: 'pbx' };
const HOLD = `${OFFER}a=sendonly\r\n`;
const SDP_TYPE = { 'Content-Type': 'application/sdp' };

let log: TapeLog;
let table: CallTable;
let near: FakeDialog;
let far: FakeDialog;
let a: Leg;
let b: Leg;

beforeEach(() => {
  log = new TapeLog();
  table = new CallTable(log, () => 0);
  near = new FakeDialog('uas', { local: ANSWER, remote: OFFER });
  far = new FakeDialog('uac', { local: OFFER, remote: ANSWER });
  a = table.add(near.asDialog, { party: phone, emergency: false });
  b = table.add(far.asDialog, { party: pbx, emergency: false });
  table.connect(a, b, {});
});

describe('the end of a call', () => {
  test('BYE of one side ends the other with its Reason, and the books are closed', () => {
    near.bye('Q.850;cause=16');
    expect(far.byes).toEqual([{ Reason: 'Q.850;cause=16' }]);
    expect([table.legs, table.size]).toEqual([0, 0]);
    expect(log.lines.map(({ text }) => text)).toEqual(['call answered', 'call ended']);
  });

  test('without a Reason ours stands in', () => {
    far.bye();
    expect(near.byes).toEqual([{ Reason: 'SIP;cause=200;text="Far end hung up"' }]);
  });

  test('both at once: no BYE for a BYE', () => {
    near.bye();
    far.bye();
    expect(near.byes).toEqual([]);
    expect(far.byes).toHaveLength(1);
  });

  test.each(['near', 'far'])(
    'a BYE of the %s side that came before anybody listened ends the other',
    (side) => {
      const dialogs = { near: new FakeDialog('uas'), far: new FakeDialog('uac') };
      dialogs[side as 'near' | 'far'].bye();
      const [one, two] = [dialogs.near, dialogs.far].map((dialog) =>
        table.add(dialog.asDialog, { party: phone, emergency: false }),
      ) as [Leg, Leg];
      table.connect(one, two, {});
      const other = side === 'near' ? dialogs.far : dialogs.near;
      expect(other.byes).toHaveLength(1);
      expect(table.legs).toBe(2);
    },
  );

  test('stop hangs up everything but answered emergency calls', () => {
    const sos = new FakeDialog('uas');
    table.add(sos.asDialog, { party: phone, emergency: true });
    table.hangUpAll();
    expect([near.byes.length, far.byes.length, sos.byes.length]).toEqual([1, 1, 0]);
    table.dropAll();
    expect(sos.byes).toHaveLength(1);
    expect(table.size).toBe(0);
  });

  test('two calls with one Call-ID are two calls', () => {
    for (const type of ['uas', 'uac'] as const) {
      const twin = new FakeDialog(type, {}, near.sip.callId);
      table.add(twin.asDialog, { party: phone, emergency: false });
    }
    expect(table.legs).toBe(4);
    near.bye();
    expect(table.legs).toBe(2);
  });
});

describe('re-INVITE', () => {
  test('hold is asked of the other side, and its answer goes back', async () => {
    const response = near.receive('INVITE', { body: HOLD });
    const [asked] = far.sent('INVITE');
    expect(asked).toMatchObject({ body: HOLD, headers: SDP_TYPE });
    expect(response.final).toBeUndefined();
    asked?.answer(200, { body: `${ANSWER}a=recvonly\r\n` });
    await settled();
    expect(response.final).toMatchObject({ status: 200, body: `${ANSWER}a=recvonly\r\n`, headers: SDP_TYPE });
    expect([a.remoteSdp, b.remoteSdp]).toEqual([HOLD, `${ANSWER}a=recvonly\r\n`]);
  });

  test('a refusal goes back, and what was agreed stays', async () => {
    const response = near.receive('INVITE', { body: HOLD });
    far.sent('INVITE')[0]?.answer(488);
    await settled();
    expect(response.final?.status).toBe(488);
    expect([a.remoteSdp, b.remoteSdp]).toEqual([OFFER, ANSWER]);
    near.receive('INVITE', { body: HOLD });
    expect(far.sent('INVITE')).toHaveLength(2);
  });

  test('a provisional answer is not the answer', async () => {
    const response = near.receive('INVITE', { body: HOLD });
    const [asked] = far.sent('INVITE');
    asked?.answer(183);
    await settled();
    expect(response.sent).toEqual([]);
    asked?.answer(200, { body: ANSWER });
    await settled();
    expect(response.final?.status).toBe(200);
  });

  test.each([
    [401, 502],
    [407, 502],
    [499, 400],
    [302, 480],
  ])('%i of the other side is passed on as %i', async (status, expected) => {
    const response = near.receive('INVITE', { body: HOLD });
    far.sent('INVITE')[0]?.answer(status);
    await settled();
    expect(response.final?.status).toBe(expected);
    expect(response.final?.headers['WWW-Authenticate']).toBeUndefined();
  });

  test('of both sides at once: 491 for the second', async () => {
    near.receive('INVITE', { body: HOLD });
    expect(far.receive('INVITE', { body: HOLD }).final?.status).toBe(491);
    expect(near.receive('INVITE', { body: HOLD }).final?.status).toBe(491);
    far.sent('INVITE')[0]?.answer(200, { body: ANSWER });
    await settled();
    expect(far.receive('INVITE', { body: HOLD }).final).toBeUndefined();
  });

  test('without an offer: the other side makes it, our ACK carries the answer', async () => {
    const response = near.receive('INVITE');
    const [asked] = far.sent('INVITE');
    expect(asked).toMatchObject({ noAck: true });
    expect(asked?.body).toBeUndefined();
    asked?.answer(200, { body: ANSWER });
    await settled();
    expect(response.final).toMatchObject({ status: 200, body: ANSWER });
    expect(asked?.acks).toEqual([]);
    near.ack(HOLD);
    expect(asked?.acks).toEqual([HOLD]);
    expect(a.remoteSdp).toBe(HOLD);
  });

  test('with nobody on the other side yet: ask again', async () => {
    const alone = new FakeDialog('uas');
    table.add(alone.asDialog, { party: phone, emergency: true });
    const response = alone.receive('INVITE', { body: OFFER });
    await settled();
    expect(response.final?.status).toBe(491);
  });

  test('read together with what brings the other side is asked of it', async () => {
    const [one, two] = [new FakeDialog('uas'), new FakeDialog('uac')];
    const leg = table.add(two.asDialog, { party: pbx, emergency: false });
    two.receive('INVITE', { body: HOLD });
    table.connect(table.add(one.asDialog, { party: phone, emergency: false }), leg, {});
    await settled();
    expect(one.sent('INVITE')).toMatchObject([{ body: HOLD }]);
  });
});

describe('UPDATE', () => {
  test('with a body is asked of the other side', async () => {
    const response = near.receive('UPDATE', { body: HOLD, headers: SDP_TYPE });
    far.sent('UPDATE')[0]?.answer(200, { body: ANSWER, headers: SDP_TYPE });
    await settled();
    expect(response.final).toMatchObject({ status: 200, body: ANSWER });
    expect(a.remoteSdp).toBe(HOLD);
  });

  test('refused leaves the session as it was', async () => {
    const response = near.receive('UPDATE', { body: HOLD, headers: SDP_TYPE });
    far.sent('UPDATE')[0]?.answer(488);
    await settled();
    expect(response.final?.status).toBe(488);
    expect(a.remoteSdp).toBe(OFFER);
  });

  test('without a body refreshes this leg alone', () => {
    expect(near.receive('UPDATE').final?.status).toBe(200);
    expect(far.asked).toEqual([]);
  });
});

describe('INFO', () => {
  const digit = { body: 'Signal=5\r\n', headers: { 'Content-Type': 'application/dtmf-relay' } };

  test('goes to the other side, and its answer comes back', async () => {
    const response = near.receive('INFO', digit);
    expect(far.sent('INFO')[0]).toMatchObject(digit);
    far.sent('INFO')[0]?.answer(200);
    await settled();
    expect(response.final?.status).toBe(200);
  });

  test.each([
    [415, 415],
    [469, 400],
    [401, 502],
  ])('%i comes back as %i', async (status, expected) => {
    const response = near.receive('INFO', digit);
    far.sent('INFO')[0]?.answer(status);
    await settled();
    expect(response.final?.status).toBe(expected);
  });

  test('that cannot be sent is 500: a 481 would end the call', async () => {
    const response = near.receive('INFO', digit);
    far.sent('INFO')[0]?.fail();
    await settled();
    expect(response.final?.status).toBe(500);
  });

  test('with nobody on the other side yet ends nothing', () => {
    const alone = new FakeDialog('uas');
    table.add(alone.asDialog, { party: phone, emergency: true });
    expect(alone.receive('INFO', digit).final?.status).toBe(200);
  });
});

test('Replaces finds a leg by Call-ID and tags, in either order', () => {
  const { callId, localTag, remoteTag } = near.sip;
  expect(table.find(callId, { to: localTag, from: remoteTag })).toBe(a);
  expect(table.find(callId, { to: remoteTag, from: localTag })).toBe(a);
  expect(table.find(callId, { to: 'x', from: localTag })).toBeUndefined();
  expect(table.find('other', { to: localTag, from: remoteTag })).toBeUndefined();
});
