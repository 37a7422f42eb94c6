import { afterEach, describe, expect, it } from 'vitest';
import { RawDialog, type RawMessage, type RawSipPeer, reply, sdp } from '../../support/raw-sip-peer.ts';
import {
  type App,
  type AppDialog,
  type AppMessage,
  type AppRequest,
  Bench,
  EMPTY,
  turns,
  until,
} from './support/bench.ts';

let bench: Bench;
afterEach(() => bench.close());

function uriOf(peer: RawSipPeer): string {
  return `sip:bob@${peer.hostPort}${peer.protocol === 'tcp' ? ';transport=tcp' : ''}`;
}

interface Calling {
  done: Promise<AppDialog | { status: number }>;
  sent: () => AppRequest;
  provisional: AppMessage[];
}

/** A call of the application; `done` is its dialog, or its failure. */
function calling(srf: App, uri: string, options: object = {}): Calling {
  let request: AppRequest | undefined;
  const provisional: AppMessage[] = [];
  const done = srf
    .createUAC(
      uri,
      { localSdp: sdp('engine'), ...options },
      {
        cbRequest: (_error, sent) => {
          request = sent;
        },
        cbProvisional: (response) => provisional.push(response),
      },
    )
    .catch((error) => error);
  return { done, sent: () => request!, provisional };
}

describe.each(['udp', 'tcp'] as const)('createUAC over %s', (protocol) => {
  it('rings, is answered, talks, and is hung up by the other side', async () => {
    bench = await Bench.open();
    const srf = await bench.app();
    const bob = await bench.peer(protocol, false);
    const call = calling(srf, uriOf(bob));
    const invite = await bob.next('INVITE');
    bob.send(reply(invite, 100));
    bob.send(reply(invite, 180, { tag: 'b' }));
    await until(() => call.provisional.length === 1);
    expect(call.provisional[0]!.status).toBe(180);
    bob.send(reply(invite, 200, { tag: 'b', contact: uriOf(bob), body: sdp('bob') }));
    const ack = await bob.next('ACK');
    expect(ack.cseq).toBe(invite.cseq);
    expect(ack.uri).toBe(uriOf(bob));
    expect(ack.tag('To')).toBe('b');
    expect(ack.header('Via')).not.toBe(invite.header('Via'));
    const dialog = (await call.done) as AppDialog;
    expect(dialog.remote.sdp).toBe(sdp('bob'));
    const ended: string[] = [];
    dialog.on('destroy', () => ended.push('destroy'));
    const info = dialog.request({ method: 'INFO', headers: { 'Content-Type': 'a/b' }, body: 'x' });
    const got = await bob.next('INFO');
    expect(got.cseq).toBe(invite.cseq + 1);
    bob.send(reply(got, 200));
    expect((await info).status).toBe(200);
    bob.send(byeFrom(bob, invite, 'b'));
    expect((await bob.next((one) => one.cseqMethod === 'BYE')).status).toBe(200);
    await until(() => ended.length === 1);
    expect(bench.tables().dialogs).toBe(0);
  });
});

/** BYE of the called side. */
function byeFrom(bob: RawSipPeer, invite: RawMessage, tag: string): string {
  return [
    `BYE ${invite.contact} SIP/2.0`,
    `Via: SIP/2.0/${bob.protocol.toUpperCase()} ${bob.hostPort};branch=z9hG4bKbye${tag}${invite.cseq}`,
    'Max-Forwards: 70',
    `From: ${invite.header('To')};tag=${tag}`,
    `To: ${invite.header('From')}`,
    `Call-ID: ${invite.header('Call-ID')}`,
    'CSeq: 1 BYE',
    'Content-Length: 0',
    '',
    '',
  ].join('\r\n');
}

describe('an answer', () => {
  it('that comes again is ACKed again; one of another fork is ACKed and hung up', async () => {
    bench = await Bench.open();
    const srf = await bench.app();
    const bob = await bench.peer();
    const call = calling(srf, uriOf(bob));
    const invite = await bob.next('INVITE');
    const ok = reply(invite, 200, { tag: 'first', contact: uriOf(bob), body: sdp('bob') });
    bob.send(ok);
    const ack = await bob.next('ACK');
    bob.send(ok);
    expect((await bob.next('ACK')).text).toBe(ack.text);
    bob.send(reply(invite, 200, { tag: 'second', contact: `sip:other@${bob.hostPort}`, body: sdp('other') }));
    const other = await bob.next('ACK');
    expect([other.tag('To'), other.uri]).toEqual(['second', `sip:other@${bob.hostPort}`]);
    const bye = await bob.next('BYE');
    expect(bye.tag('To')).toBe('second');
    expect(await call.done).toHaveProperty('id');
    expect(bench.tables().dialogs).toBe(1);
  });

  it('the application never ACKs is ACKed and hung up by the engine', async () => {
    bench = await Bench.open({ fake: true });
    const srf = await bench.app();
    const bob = await bench.peer();
    srf.request(uriOf(bob), { method: 'INVITE', body: sdp('engine') }, () => undefined);
    const invite = await bob.next('INVITE');
    bob.send(reply(invite, 200, { contact: uriOf(bob), body: sdp('bob') }));
    await until(() => bench.tables().clientRequests === 0);
    await bench.pass(32_500);
    expect((await bob.next('ACK')).cseq).toBe(invite.cseq);
    expect((await bob.next('BYE')).header('Reason')).toContain('ACK timeout');
    await bench.pass(64_000);
    expect(bench.tables()).toEqual(EMPTY);
  });

  it('without an offer before it: the ACK carries the SDP', async () => {
    bench = await Bench.open();
    const srf = await bench.app();
    const bob = await bench.peer();
    const done = srf.createUAC(uriOf(bob), { noAck: true }) as unknown as Promise<{
      sdp: string;
      ack: (sdp: string) => Promise<AppDialog>;
    }>;
    const invite = await bob.next('INVITE');
    expect(invite.body).toBe('');
    bob.send(reply(invite, 200, { contact: uriOf(bob), body: sdp('bob') }));
    const { sdp: offer, ack } = await done;
    expect(offer).toBe(sdp('bob'));
    const made = ack(sdp('answer'));
    const got = await bob.next('ACK');
    expect(got.body).toBe(sdp('answer'));
    expect(got.header('Content-Type')).toBe('application/sdp');
    await made;
  });

  it("of 486 ends it; the application's own ACK is not sent", async () => {
    bench = await Bench.open({ fake: true });
    const srf = await bench.app();
    const bob = await bench.peer();
    const call = calling(srf, uriOf(bob));
    const invite = await bob.next('INVITE');
    bob.send(reply(invite, 486));
    expect(await call.done).toMatchObject({ status: 486 });
    expect((await bob.next('ACK')).header('Via')).toBe(invite.header('Via'));
    await turns();
    expect(bob.count('ACK')).toBe(1);
    expect(bench.tables().dialogs).toBe(0);
    await bench.pass(64_000);
    expect(bench.tables()).toEqual(EMPTY);
  });

  it('after a rejected re-INVITE leaves one ACK on the wire and the dialog alive', async () => {
    bench = await Bench.open();
    const srf = await bench.app();
    const bob = await bench.peer();
    const call = calling(srf, uriOf(bob));
    const invite = await bob.next('INVITE');
    bob.send(reply(invite, 200, { contact: uriOf(bob), body: sdp('bob') }));
    await bob.next('ACK');
    const dialog = (await call.done) as AppDialog;
    const refused = dialog.request({ method: 'INVITE', body: sdp('more') });
    const again = await bob.next('INVITE');
    bob.send(reply(again, 488));
    expect((await refused).status).toBe(488);
    await bob.next('ACK');
    await turns();
    expect(bob.count((one) => one.method === 'ACK' && one.cseq === again.cseq)).toBe(1);
    expect(bench.log.filter((one) => one.level === 'error')).toEqual([]);
    expect(bench.tables().dialogs).toBe(1);
  });
});

describe('CANCEL of the application', () => {
  it('waits for a 1xx, and its 200 stays below', async () => {
    bench = await Bench.open();
    const srf = await bench.app();
    const bob = await bench.peer();
    const call = calling(srf, uriOf(bob));
    const invite = await bob.next('INVITE');
    await until(() => call.sent() !== undefined);
    call.sent().cancel({ headers: { Reason: 'SIP;cause=200', From: '<sip:forged@x>' } });
    await turns();
    expect(bob.count('CANCEL')).toBe(0);
    bob.send(reply(invite, 180));
    const cancel = await bob.next('CANCEL');
    expect(cancel.header('Via')).toBe(invite.header('Via'));
    expect(cancel.cseq).toBe(invite.cseq);
    expect(cancel.header('Reason')).toBe('SIP;cause=200');
    expect(cancel.header('From')).toBe(invite.header('From'));
    bob.send(reply(cancel, 200));
    bob.send(reply(invite, 487));
    expect(await call.done).toMatchObject({ status: 487 });
  });

  it('before anything was heard: the INVITE is not sent again, so that nobody rings who is reached late', async () => {
    bench = await Bench.open({ fake: true });
    const srf = await bench.app();
    const bob = await bench.peer();
    const call = calling(srf, uriOf(bob));
    await bob.next('INVITE');
    await until(() => call.sent() !== undefined);
    await bench.pass(500);
    await bob.next('INVITE');
    call.sent().cancel();
    await turns();
    await bench.pass(31_500);
    expect(await call.done).toMatchObject({ status: 408 });
    expect([bob.count('INVITE'), bob.count('CANCEL')]).toEqual([2, 0]);
    expect(bench.tables()).toEqual(EMPTY);
  });

  it('that crosses the 200 ends in ACK and BYE, and the application is told', async () => {
    bench = await Bench.open({ fake: true });
    const srf = await bench.app();
    const bob = await bench.peer();
    const call = calling(srf, uriOf(bob));
    const invite = await bob.next('INVITE');
    bob.send(reply(invite, 180));
    await until(() => call.provisional.length === 1);
    call.sent().cancel();
    const cancel = await bob.next('CANCEL');
    bob.send(reply(cancel, 200));
    bob.send(reply(invite, 200, { contact: uriOf(bob), body: sdp('bob') }));
    const ack = await bob.next('ACK');
    expect(ack.cseq).toBe(invite.cseq);
    const bye = await bob.next('BYE');
    expect(bye.header('Reason')).toContain('ACK-BYE due to cancel race condition');
    bob.send(reply(bye, 200));
    await bench.pass(64_000);
    expect(bench.tables()).toEqual(EMPTY);
  });

  it('that nobody answers still ends', async () => {
    bench = await Bench.open({ fake: true });
    const srf = await bench.app();
    const bob = await bench.peer();
    const call = calling(srf, uriOf(bob));
    const invite = await bob.next('INVITE');
    bob.send(reply(invite, 180));
    await until(() => call.provisional.length === 1);
    call.sent().cancel();
    await bob.next('CANCEL');
    await bench.pass(33_000);
    expect(await call.done).toMatchObject({ status: 408 });
    await bench.pass(64_000);
    expect(bench.tables()).toEqual(EMPTY);
  });
});

describe('a reliable 1xx from the called side', () => {
  it('is PRACKed once however often it comes', async () => {
    bench = await Bench.open();
    const srf = await bench.app();
    const bob = await bench.peer();
    const call = calling(srf, uriOf(bob), { headers: { Supported: '100rel' } });
    const invite = await bob.next('INVITE');
    const early = reply(invite, 183, {
      tag: 'b',
      contact: uriOf(bob),
      headers: [
        ['Require', '100rel'],
        ['RSeq', '77'],
      ],
      body: sdp('early'),
    });
    bob.send(early);
    const prack = await bob.next('PRACK');
    expect(prack.header('RAck')).toBe(`77 ${invite.cseq} INVITE`);
    expect(prack.cseq).toBe(invite.cseq + 1);
    expect([prack.uri, prack.tag('To')]).toEqual([uriOf(bob), 'b']);
    bob.send(early);
    bob.send(reply(prack, 200));
    bob.send(reply(invite, 200, { tag: 'b', contact: uriOf(bob), body: sdp('bob') }));
    await bob.next('ACK');
    await call.done;
    expect(bob.count('PRACK')).toBe(1);
    expect(call.provisional).toHaveLength(1);
  });
});

describe('a TCP connection that stood before', () => {
  /** A peer that has refused a call over a connection to it. */
  async function known(): Promise<{ srf: App; bob: RawSipPeer }> {
    const srf = await bench.app();
    const bob = await bench.peer('tcp', false);
    const first = calling(srf, uriOf(bob));
    bob.send(reply(await bob.next('INVITE'), 486, { tag: 'b' }));
    expect(await first.done).toMatchObject({ status: 486 });
    return { srf, bob };
  }

  it('and that the peer has forgotten: the call is sent once more over another', async () => {
    bench = await Bench.open();
    const { srf, bob } = await known();
    let forgotten = 0;
    bob.dropIncoming = ({ method }) => {
      if (method !== 'INVITE' || forgotten++ > 0) return false;
      bob.cut();
      return true;
    };
    const call = calling(srf, uriOf(bob));
    const invite = await bob.next('INVITE');
    bob.send(reply(invite, 200, { tag: 'c', contact: uriOf(bob), body: sdp('bob') }));
    await bob.next('ACK');
    expect(await call.done).toHaveProperty('id');
    expect(forgotten).toBe(2);
  });

  it('and that the peer forgets each time: the call fails', async () => {
    bench = await Bench.open();
    const { srf, bob } = await known();
    bob.dropIncoming = () => {
      bob.cut();
      return true;
    };
    expect(await calling(srf, uriOf(bob)).done).toMatchObject({ status: 503 });
  });

  it('and over which nothing comes any more: closed when the call is given up, so that the next takes another', async () => {
    bench = await Bench.open({ fake: true });
    const { srf, bob } = await known();
    const call = calling(srf, uriOf(bob));
    await bob.next('INVITE');
    bench.clock?.advance(32_000);
    expect(await call.done).toMatchObject({ status: 408 });
    await until(() => bench.engine.stats().connections === 0);
    const next = calling(srf, uriOf(bob));
    bob.send(reply(await bob.next('INVITE'), 486, { tag: 'd' }));
    expect(await next.done).toMatchObject({ status: 486 });
  });
});

describe('createB2BUA', () => {
  async function bridge(): Promise<{ alice: RawSipPeer; bob: RawSipPeer; results: unknown[] }> {
    const alice = await bench.peer('udp');
    const bob = await bench.peer('tcp', false);
    const results: unknown[] = [];
    await bench.app((srf) => {
      srf.invite((req, res) => {
        srf
          .createB2BUA(req, res, uriOf(bob), { localSdpB: req.body, proxyRequestHeaders: ['X-Tag'] })
          .then(({ uas, uac }) => {
            results.push('up');
            uas.on('destroy', () => uac.destroy());
            uac.on('destroy', () => uas.destroy());
          })
          .catch((error) => results.push(error.status ?? error));
      });
    });
    return { alice, bob, results };
  }

  it('joins UDP and TCP, and a BYE on one side ends the other', async () => {
    bench = await Bench.open();
    const { alice, bob, results } = await bridge();
    const dialog = new RawDialog(alice, bench.uri('service'));
    const invite = dialog.send('INVITE', { body: sdp('alice'), headers: [['X-Tag', 'abc']] });
    const leg = await bob.next('INVITE');
    expect([leg.header('X-Tag'), leg.body]).toEqual(['abc', sdp('alice')]);
    bob.send(reply(leg, 180, { tag: 'b' }));
    await alice.next(180);
    bob.send(reply(leg, 200, { tag: 'b', contact: uriOf(bob), body: sdp('bob') }));
    const ok = await alice.next(200);
    expect(ok.body).toBe(sdp('bob'));
    dialog.learn(ok);
    dialog.send('ACK', { of: invite });
    await bob.next('ACK');
    await until(() => results.length === 1);
    expect(results).toEqual(['up']);
    bob.send(byeFrom(bob, leg, 'b'));
    const bye = await alice.next('BYE');
    alice.send(reply(bye, 200));
    expect((await bob.next((one) => one.cseqMethod === 'BYE' && one.status > 0)).status).toBe(200);
    await until(() => bench.tables().dialogs === 0);
  });

  it('passes a refusal of the called side on', async () => {
    bench = await Bench.open();
    const { alice, bob, results } = await bridge();
    new RawDialog(alice, bench.uri('service')).send('INVITE', { body: sdp('alice') });
    bob.send(reply(await bob.next('INVITE'), 486));
    expect((await alice.next(486)).cseqMethod).toBe('INVITE');
    await bob.next('ACK');
    await until(() => results.length === 1);
    expect(results).toEqual([486]);
    expect(bench.tables().dialogs).toBe(0);
  });

  it('cancels the called side when the caller gives up', async () => {
    bench = await Bench.open();
    const { alice, bob, results } = await bridge();
    const dialog = new RawDialog(alice, bench.uri('service'));
    const invite = dialog.send('INVITE', { body: sdp('alice') });
    const leg = await bob.next('INVITE');
    bob.send(reply(leg, 180, { tag: 'b' }));
    await alice.next(180);
    dialog.send('CANCEL', { of: invite, headers: [['Reason', 'SIP;cause=200;text="picked up"']] });
    expect((await alice.next(487)).cseqMethod).toBe('INVITE');
    const cancel = await bob.next('CANCEL');
    expect(cancel.header('Reason')).toBe('SIP;cause=200;text="picked up"');
    bob.send(reply(cancel, 200));
    bob.send(reply(leg, 487, { tag: 'b' }));
    await bob.next('ACK');
    await until(() => results.length === 1);
    expect(bench.tables().dialogs).toBe(0);
  });
});

describe('an application that dies', () => {
  it('leaves nothing behind: 503, CANCEL and BYE go out for it', async () => {
    bench = await Bench.open({ fake: true });
    const srf = await bench.app((one) => {
      one.invite(async (req, res) => {
        if (req.uri.includes('answer')) await one.createUAS(req, res, { localSdp: sdp('engine') });
      });
    });
    const alice = await bench.peer();
    const bob = await bench.peer();
    const up = new RawDialog(alice, bench.uri('answer'));
    const invite = up.send('INVITE', { body: sdp('alice') });
    up.learn(await alice.next(200));
    up.send('ACK', { of: invite });
    new RawDialog(alice, bench.uri('ignore')).send('INVITE', { body: sdp('alice') });
    const call = calling(srf, uriOf(bob));
    const ringing = await bob.next('INVITE');
    bob.send(reply(ringing, 180));
    await until(() => call.provisional.length === 1 && bench.tables().serverRequests === 2);
    srf.disconnect();
    expect((await alice.next(503)).cseqMethod).toBe('INVITE');
    await bob.next('CANCEL');
    up.send('INFO');
    expect((await alice.next(481)).cseqMethod).toBe('INFO');
    await bench.pass(2_500);
    expect((await alice.next('BYE')).header('Reason')).toContain('application is gone');
    await bench.pass(64_000);
    await bench.pass(33_000);
    expect(bench.tables()).toEqual(EMPTY);
  });
});
