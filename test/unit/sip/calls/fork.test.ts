import { beforeEach, describe, expect, test } from 'vitest';
import { type ForkResult, fork, type Target } from '../../../../src/sip/calls/fork.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { FakeSrf, type FakeUac, settled } from '../../../support/fake-sip.ts';
import { ANSWER, OFFER } from '../world.ts';

let srf: FakeSrf;
let clock: FakeClock;
let provisionals: { status: number; only: boolean }[];
let caller: AbortController;

beforeEach(() => {
  srf = new FakeSrf();
  clock = new FakeClock();
  provisionals = [];
  caller = new AbortController();
});

function target(name: string, differs: Partial<Target> = {}): Target {
  return {
    uri: `sip:${name}@phones.test`,
    headers: { From: 'x' },
    party: { kind: 'host', host: name },
    ...differs,
  };
}

/** Starts ringing; `result` is undefined until it is decided. */
function ring(
  targets: Target[],
  offer = OFFER,
  undeterred = false,
): { result: ForkResult | undefined; uacs: FakeUac[] } {
  const state: { result: ForkResult | undefined; uacs: FakeUac[] } = { result: undefined, uacs: srf.uacs };
  const onProvisional = (response: { status: number }, only: boolean): void =>
    void provisionals.push({ status: response.status, only });
  void fork(srf.asSrf, clock, { targets, offer, undeterred, signal: caller.signal, onProvisional }).then(
    (result) => {
      state.result = result;
    },
  );
  return state;
}

const ELSEWHERE = 'SIP;cause=200;text="Call completed elsewhere"';

describe('what goes beside the offer', () => {
  const part = { type: 'application/pidf+xml', id: 'd1@acme.test', content: '<presence/>' };
  const enclosed = { part, headers: { Geolocation: '<cid:d1@acme.test>' } };

  test('is sent with it, and the headers that speak of it', () => {
    ring([target('a', { enclosed })]);
    const { headers, localSdp, body = '', noAck } = srf.uac.options;
    expect(headers).toEqual({
      From: 'x',
      Geolocation: '<cid:d1@acme.test>',
      'Content-Type': 'multipart/mixed;boundary=hotdesk-1',
    });
    expect([localSdp, noAck]).toEqual([OFFER, undefined]);
    expect(body).toContain(`Content-Type: application/sdp\r\n\r\n${OFFER}`);
    expect(body).toContain('<presence/>');
  });

  test('is sent alone where there is no offer', () => {
    ring([target('a', { enclosed })], '');
    const { localSdp, body = '', noAck } = srf.uac.options;
    expect([localSdp, noAck]).toEqual([undefined, true]);
    expect(body).toContain('<presence/>');
    expect(body).not.toContain('application/sdp');
  });

  test('stays behind where both together are too much for one message: the offer goes out', () => {
    const large = { ...enclosed, part: { ...part, content: 'x'.repeat(8_000) } };
    ring([target('a', { enclosed: large })]);
    expect(srf.uac.options).toEqual({ headers: { From: 'x' }, localSdp: OFFER });
  });
});

describe('one that joins later', () => {
  const later = () => [target('b', { joinsAfterMs: 20_000 }), target('c', { joinsAfterMs: 40_000 })];
  const rung = () => srf.uacs.map(({ uri }) => uri.slice(4, 5)).join('');

  test('rings beside those before, who go on ringing', async () => {
    ring([target('a'), ...later()]);
    expect(rung()).toBe('a');
    clock.advance(20_000);
    expect(rung()).toBe('ab');
    clock.advance(20_000);
    expect([rung(), srf.uac.cancels]).toEqual(['abc', []]);
  });

  test('rings as soon as nobody else does, and it is over when nobody is left', async () => {
    const state = ring([target('a'), ...later()]);
    for (const [index, all] of ['ab', 'abc', 'abc'].entries()) {
      srf.uacs[index]!.reject(486);
      await settled();
      expect(rung()).toBe(all);
    }
    expect(state.result).toEqual({ outcome: 'failed', status: 486, reason: expect.anything() });
    clock.advance(40_000);
    expect(rung()).toBe('abc');
  });

  test('rings at once where nobody is before it', () => {
    ring(later());
    expect(rung()).toBe('b');
  });

  test.each<[string, () => void]>([
    ['somebody has answered', () => srf.uac.answer(ANSWER)],
    ['the caller has given up', () => caller.abort()],
    ['somebody has declined for all', () => srf.uac.reject(603)],
  ])('never rings when %s', async (_, happens) => {
    const state = ring([target('a'), ...later()]);
    happens();
    await settled();
    expect(state.result).toBeDefined();
    clock.advance(40_000);
    expect(rung()).toBe('a');
  });
});

describe('a server that will not send to a URN', () => {
  const urn = { uri: 'urn:service:sos', proxy: 'sip:trunk.test', headers: { To: '<urn:service:sos>' } };
  const plainly = { uri: 'sip:999@trunk.test', headers: { To: '<sip:999@trunk.test>' } };

  beforeEach(() => {
    srf.holdEcho = true;
  });

  test('sends to the number at once, and it counts as the same target', async () => {
    const call = ring([target('a', { ...urn, plainly, answerWithinMs: 4000 })]);
    srf.uac.fail('invalid request-uri: INVITE urn:service:sos SIP/2.0');
    await settled();
    expect(srf.uacs).toHaveLength(2);
    expect(srf.uac.uri).toBe(plainly.uri);
    expect(srf.uac.options).toEqual({ headers: plainly.headers, localSdp: OFFER });
    srf.uac.echo();
    srf.uac.ring();
    srf.uac.answer(ANSWER);
    await settled();
    expect(call.result).toMatchObject({ outcome: 'answered', target: { uri: urn.uri } });
    expect(clock.pending).toBe(0);
  });

  test('and fails when it will not send that either, or nobody wants it any more', async () => {
    const call = ring([target('a', { ...urn, plainly })]);
    srf.uac.fail();
    await settled();
    srf.uac.fail();
    await settled();
    expect(call.result).toMatchObject({ outcome: 'failed', status: 503 });
    const late = ring([target('b', { ...urn, plainly })]);
    caller.abort('gone');
    srf.uac.fail();
    await settled();
    expect([late.result?.outcome, srf.uacs.length]).toEqual(['aborted', 3]);
  });

  test('what the far side refuses is not asked again', async () => {
    const call = ring([target('a', { ...urn, plainly })]);
    srf.uac.echo();
    srf.uac.reject(404);
    await settled();
    expect([call.result, srf.uacs.length]).toEqual([expect.objectContaining({ status: 404 }), 1]);
  });
});

describe('the connection to the SIP server is gone', () => {
  test.each([
    ['the caller gives up', () => caller.abort('gone')],
    ['a trunk gives no sign of life', () => clock.advance(4000)],
  ])('and %s: there is nothing to cancel, and nothing is thrown', async (_what, happens) => {
    const call = ring([target('a', { answerWithinMs: 4000 })]);
    srf.uac.request.disconnected = true;
    happens();
    await settled();
    expect(call.result?.outcome).toMatch(/aborted|failed/);
  });

  test('before the request is known to be out: the same', async () => {
    srf.holdEcho = true;
    ring([target('a')]);
    caller.abort('gone');
    srf.uac.request.disconnected = true;
    expect(() => srf.uac.echo()).not.toThrow();
  });
});

describe('several phones', () => {
  test('ring at once; the first answer wins, the others are cancelled with a Reason', async () => {
    const call = ring([target('a'), target('b'), target('c')]);
    const [a, b, c] = call.uacs as [FakeUac, FakeUac, FakeUac];
    a.ring();
    const dialog = b.answer(ANSWER);
    await settled();
    expect(call.result).toMatchObject({ outcome: 'answered', leg: dialog, target: { uri: b.uri } });
    expect([a.cancels, b.cancels, c.cancels]).toEqual([[ELSEWHERE], [], [ELSEWHERE]]);
    expect(provisionals).toEqual([{ status: 180, only: false }]);
    expect(clock.pending).toBe(0);
  });

  test('a 200 that crosses its CANCEL gets BYE with the same Reason', async () => {
    const call = ring([target('a'), target('b')]);
    const [a, b] = call.uacs as [FakeUac, FakeUac];
    const winner = a.answer(ANSWER);
    const loser = b.answer(ANSWER);
    await settled();
    expect(loser.byes).toEqual([{ Reason: ELSEWHERE }]);
    expect(winner.byes).toEqual([]);
  });

  test('all fail: the best answer, and only when all have failed', async () => {
    const call = ring([target('a'), target('b'), target('c')]);
    const [a, b, c] = call.uacs as [FakeUac, FakeUac, FakeUac];
    a.reject(408);
    b.reject(500);
    await settled();
    expect(call.result).toBeUndefined();
    c.reject(486, 'Busy Here');
    await settled();
    expect(call.result).toEqual({ outcome: 'failed', status: 486, reason: 'Busy Here' });
  });

  test.each([410, 430])(
    'a phone whose connection is gone (%i) says less than any other answer',
    async (lost) => {
      const call = ring([target('a'), target('b')]);
      const [a, b] = call.uacs as [FakeUac, FakeUac];
      a.reject(lost, 'Gone');
      b.reject(486, 'Busy Here');
      await settled();
      expect(call.result).toEqual({ outcome: 'failed', status: 486, reason: 'Busy Here' });
    },
  );

  test('a 410 of a phone is of its connection, one of a trunk of the number', async () => {
    const trunk = { party: { kind: 'trunk', trunk: 'main' } } as const;
    const calls = [target('a'), target('b', trunk)].map((one) => ring([one]));
    for (const uac of srf.uacs) uac.reject(410, 'Gone');
    await settled();
    expect(calls.map(({ result }) => result)).toMatchObject([{ status: 430 }, { status: 410 }]);
  });

  test('a 6xx is the answer of the person: the others are cancelled, and it is what the caller gets', async () => {
    const call = ring([target('a'), target('b')]);
    const [a, b] = call.uacs as [FakeUac, FakeUac];
    a.reject(603, 'Decline');
    await settled();
    expect(b.cancels).toEqual(['SIP;cause=603;text="Decline"']);
    b.reject(487);
    await settled();
    expect(call.result).toMatchObject({ outcome: 'failed', status: 603 });
  });
});

describe('one of several phones has said no', () => {
  const UNANSWERED = 'SIP;cause=408;text="No answer in time"';

  test('one that gives no sign of life is not waited for as long as SIP would', async () => {
    const call = ring([target('a'), target('b')]);
    const [a, b] = call.uacs as [FakeUac, FakeUac];
    a.reject(486, 'Busy Here');
    clock.advance(3999);
    await settled();
    expect(call.result).toBeUndefined();
    clock.advance(1);
    await settled();
    expect(call.result).toEqual({ outcome: 'failed', status: 486, reason: 'Busy Here' });
    expect(b.cancels).toEqual([UNANSWERED]);
    expect(clock.pending).toBe(0);
  });

  test('nor one that has been silent for that long', async () => {
    const call = ring([target('a'), target('b')]);
    const [a, b] = call.uacs as [FakeUac, FakeUac];
    a.ring();
    clock.advance(20_000);
    await settled();
    expect([call.result, b.cancels]).toEqual([undefined, []]);
    a.reject(480);
    await settled();
    clock.advance(0);
    await settled();
    expect(call.result).toMatchObject({ outcome: 'failed', status: 480 });
  });

  test('one that rings goes on, whether it began before or after', async () => {
    const call = ring([target('a'), target('b'), target('c')]);
    const [a, b, c] = call.uacs as [FakeUac, FakeUac, FakeUac];
    b.ring();
    a.reject(486);
    await settled();
    c.ring();
    clock.advance(60_000);
    await settled();
    expect([call.result, b.cancels, c.cancels]).toEqual([undefined, [], []]);
  });

  test.each([408, 430, 503])('%i says nothing of the sort', async (status) => {
    const call = ring([target('a'), target('b')]);
    call.uacs[0]!.reject(status);
    await settled();
    clock.advance(20_000);
    await settled();
    expect([call.result, call.uacs[1]!.cancels]).toEqual([undefined, []]);
  });

  test('a call back after an emergency call waits', async () => {
    const call = ring([target('a'), target('b')], OFFER, true);
    call.uacs[0]!.reject(486);
    await settled();
    clock.advance(20_000);
    await settled();
    expect([call.result, call.uacs[1]!.cancels]).toEqual([undefined, []]);
  });
});

describe('one phone with two flows (RFC 5626)', () => {
  const flows = target('one', { otherFlow: target('other') });

  test('is rung by one of them', async () => {
    const call = ring([flows]);
    srf.uac.ring();
    clock.advance(60_000);
    await settled();
    expect(srf.uacs).toHaveLength(1);
    expect(provisionals).toEqual([{ status: 180, only: true }]);
    srf.uac.reject(486);
    await settled();
    expect([call.result, srf.uacs.length]).toEqual([expect.objectContaining({ status: 486 }), 1]);
  });

  test.each([408, 410, 430, 503])('by the other when the first has failed (%i)', async (status) => {
    const call = ring([flows]);
    srf.uac.reject(status);
    await settled();
    expect([call.result, srf.uacs.length]).toEqual([undefined, 2]);
    srf.uac.answer(ANSWER);
    await settled();
    expect(call.result).toMatchObject({ outcome: 'answered', target: { uri: 'sip:other@phones.test' } });
  });

  test('by the other when nothing is heard by the first, which then may answer no more', async () => {
    const call = ring([flows]);
    clock.advance(4000);
    await settled();
    const [one, other] = call.uacs as [FakeUac, FakeUac];
    expect(one.cancels).toEqual(['SIP;cause=408;text="No answer in time"']);
    other.ring();
    const late = one.answer(ANSWER);
    await settled();
    expect(late.byes).toHaveLength(1);
    expect(call.result).toBeUndefined();
    expect(provisionals).toEqual([{ status: 180, only: true }]);
    other.reject(408);
    await settled();
    expect(call.result).toMatchObject({ outcome: 'failed', status: 408 });
    expect(clock.pending).toBe(0);
  });

  test('by none when nobody wants it any more', async () => {
    const call = ring([flows, target('b')]);
    const [one, b] = call.uacs as [FakeUac, FakeUac];
    b.reject(603);
    one.reject(408);
    await settled();
    expect([call.result, srf.uacs.length]).toEqual([expect.objectContaining({ status: 603 }), 2]);
    ring([flows]);
    caller.abort('gone');
    srf.uac.reject(503);
    await settled();
    expect(srf.uacs).toHaveLength(3);
  });

  test.each([
    [408, 1],
    [503, 1],
    [430, 2],
  ])('that has rung and then fails with %i is rung %i times', async (status, times) => {
    ring([flows]);
    srf.uac.ring();
    srf.uac.reject(status);
    await settled();
    expect(srf.uacs).toHaveLength(times);
  });

  test('by the other at once where the first cannot be sent to', async () => {
    ring([flows]);
    srf.uac.fail();
    await settled();
    expect(srf.uac.uri).toBe('sip:other@phones.test');
  });
});

describe('one target', () => {
  test('is told of as the only one, and its proxy, credentials and offer are used', async () => {
    const auth = { username: 'u', password: 'p' };
    ring([target('a', { proxy: 'sip:192.0.2.9:5060;transport=tcp', auth })]);
    srf.uac.ring(183);
    await settled();
    expect(provisionals).toEqual([{ status: 183, only: true }]);
    expect(srf.uac.options).toMatchObject({
      proxy: 'sip:192.0.2.9:5060;transport=tcp',
      auth,
      localSdp: OFFER,
    });
    expect(srf.uac.options.noAck).toBeUndefined();
  });

  test('that cannot be sent to counts as 503', async () => {
    const call = ring([target('a')]);
    srf.uac.fail();
    await settled();
    expect(call.result).toMatchObject({ outcome: 'failed', status: 503 });
  });

  test('without an offer its 200 makes one, which nobody has acknowledged yet', async () => {
    const call = ring([target('a')], '');
    expect(srf.uac.options).toMatchObject({ noAck: true });
    srf.uac.answer(ANSWER);
    await settled();
    expect(call.result).toMatchObject({ outcome: 'answered', leg: { sdp: ANSWER } });
  });

  test('nobody to ring: 480', async () => {
    const call = ring([]);
    await settled();
    expect(call.result).toMatchObject({ outcome: 'failed', status: 480 });
  });
});

describe('a trunk that gives no sign of life', () => {
  const silent = target('t', { answerWithinMs: 4000 });

  test('is cancelled after its time, and counts as 408', async () => {
    const call = ring([silent]);
    clock.advance(3999);
    await settled();
    expect(call.result).toBeUndefined();
    clock.advance(1);
    await settled();
    expect(call.result).toMatchObject({ outcome: 'failed', status: 408 });
    expect(srf.uac.cancels).toEqual(['SIP;cause=408;text="No answer in time"']);
  });

  test('is waited for once it rings', async () => {
    const call = ring([silent]);
    srf.uac.ring(180);
    clock.advance(60_000);
    await settled();
    expect(call.result).toBeUndefined();
    expect(srf.uac.cancels).toEqual([]);
  });

  test('a late 200 of it gets BYE', async () => {
    ring([silent]);
    clock.advance(4000);
    const late = srf.uac.answer(ANSWER);
    await settled();
    expect(late.byes).toEqual([{ Reason: 'SIP;cause=408;text="No answer in time"' }]);
  });
});

describe('the caller gives up', () => {
  const reason = 'SIP;cause=487;text="Caller hung up"';

  test('while it rings: CANCEL with the reason, to each once', async () => {
    const call = ring([target('a'), target('b')]);
    caller.abort(reason);
    await settled();
    expect(call.result).toEqual({ outcome: 'aborted' });
    expect(call.uacs.map(({ cancels }) => cancels)).toEqual([[reason], [reason]]);
  });

  test('before the INVITE is on the wire: CANCEL as soon as it is', async () => {
    srf.holdEcho = true;
    const call = ring([target('a')]);
    caller.abort(reason);
    await settled();
    expect(call.result).toEqual({ outcome: 'aborted' });
    expect(srf.uac.cancels).toEqual([]);
    srf.uac.echo();
    expect(srf.uac.cancels).toEqual([reason]);
  });

  test('and the 200 was faster: BYE with the reason', async () => {
    ring([target('a')]);
    caller.abort(reason);
    const dialog = srf.uac.answer(ANSWER);
    await settled();
    expect(dialog.byes).toEqual([{ Reason: reason }]);
  });

  test('and the unacknowledged 200 was faster: ACK and BYE', async () => {
    ring([target('a')], '');
    caller.abort(reason);
    srf.uac.answer(ANSWER);
    await settled();
    expect(srf.uac.late).toEqual(['destroy']);
  });

  test('before the start: nothing is sent', async () => {
    caller.abort(reason);
    const call = ring([target('a')]);
    await settled();
    expect(call.result).toEqual({ outcome: 'aborted' });
    expect(srf.uacs).toEqual([]);
  });

  test('after the answer: nothing more happens', async () => {
    ring([target('a')]);
    const dialog = srf.uac.answer(ANSWER);
    await settled();
    caller.abort(reason);
    expect([srf.uac.cancels, dialog.byes]).toEqual([[], []]);
  });
});
