import { afterEach, describe, expect, it } from 'vitest';
import { RawDialog, type RawMessage, reply, sdp } from '../../support/raw-sip-peer.ts';
import {
  type App,
  type AppDialog,
  type AppRequest,
  type AppResponse,
  Bench,
  EMPTY,
  turns,
  until,
} from './support/bench.ts';

let bench: Bench;
afterEach(() => bench.close());

interface Answered {
  srf: App;
  dialogs: AppDialog[];
  ended: string[];
  acks: number;
}

/** An application that answers every INVITE with our SDP. */
async function answering(options: { headers?: Record<string, string> } = {}): Promise<Answered> {
  const seen: Answered = { srf: undefined as unknown as App, dialogs: [], ended: [], acks: 0 };
  seen.srf = await bench.app((srf) => {
    srf.invite(async (req, res) => {
      const dialog = await srf.createUAS(req, res, {
        localSdp: sdp('engine'),
        headers: options.headers ?? {},
      });
      dialog.on('destroy', (_bye: unknown, reason: string) => seen.ended.push(reason));
      dialog.on('ack', () => {
        seen.acks += 1;
      });
      seen.dialogs.push(dialog);
    });
  });
  return seen;
}

/** A call up to and including the ACK. */
async function call(dialog: RawDialog): Promise<{ invite: RawMessage; ok: RawMessage }> {
  const invite = dialog.send('INVITE', { body: sdp('alice') });
  const ok = await dialog.peer.next(200);
  dialog.learn(ok);
  dialog.send('ACK', { of: invite });
  return { invite, ok };
}

describe.each(['udp', 'tcp'] as const)('createUAS over %s', (protocol) => {
  it('answers with 100, a tag, a Contact and a Content-Type, and ends with the BYE of the caller', async () => {
    bench = await Bench.open();
    const app = await answering();
    const alice = await bench.peer(protocol);
    const dialog = new RawDialog(alice, bench.uri('bob', protocol));
    const { ok } = await call(dialog);
    expect(alice.count(100)).toBe(1);
    expect(ok.tag('To')).toMatch(/^[0-9a-f]{18}$/);
    const { host, port } = bench.address(protocol);
    expect(ok.contact).toBe(`sip:${host}:${port}${protocol === 'tcp' ? ';transport=tcp' : ''}`);
    expect(ok.header('Content-Type')).toBe('application/sdp');
    expect(ok.body).toBe(sdp('engine'));
    await until(() => app.dialogs.length === 1);
    dialog.send('BYE');
    const answer = await alice.next((one) => one.cseqMethod === 'BYE');
    expect(answer.status).toBe(200);
    await until(() => app.ended.length === 1);
    expect(app.ended).toEqual(['normal release']);
    expect(bench.tables().dialogs).toBe(0);
  });

  it('sends the BYE of the application to the caller, inside the dialog', async () => {
    bench = await Bench.open();
    const app = await answering();
    const alice = await bench.peer(protocol);
    const dialog = new RawDialog(alice, bench.uri('bob', protocol), { seq: 41 });
    await call(dialog);
    await until(() => app.dialogs.length === 1);
    const gone = app.dialogs[0]!.destroy({ headers: { 'X-Reason': 'bored' } });
    const bye = await alice.next('BYE');
    expect(bye.cseq).toBe(43);
    expect(bye.uri).toBe(`sip:alice@${alice.hostPort}${protocol === 'tcp' ? ';transport=tcp' : ''}`);
    expect(bye.tag('To')).toBe(dialog.localTag);
    expect(bye.tag('From')).toBe(dialog.remoteTag);
    expect(bye.header('X-Reason')).toBe('bored');
    expect(bye.header('Max-Forwards')).toBe('70');
    alice.send(reply(bye, 200));
    await gone;
    await until(() => bench.tables().dialogs === 0);
  });
});

describe('createUAS on a bad day', () => {
  it('repeats a lost 200 until the ACK, and the application sees one ACK', async () => {
    bench = await Bench.open({ fake: true });
    const app = await answering();
    const alice = await bench.peer();
    let lost = 2;
    alice.dropIncoming = (one) => one.status === 200 && lost-- > 0;
    const dialog = new RawDialog(alice, bench.uri('bob'));
    const invite = dialog.send('INVITE', { body: sdp('alice') });
    await until(() => app.dialogs.length === 1);
    await bench.pass(1_500);
    const ok = await alice.next(200);
    dialog.learn(ok);
    dialog.send('ACK', { of: invite });
    dialog.send('ACK', { of: invite });
    await until(() => app.acks === 1);
    await turns();
    const before = alice.count(200);
    await bench.pass(10_000);
    expect(alice.count(200)).toBe(before);
    expect(app.acks).toBe(1);
    expect(app.ended).toEqual([]);
  });

  it('ends a call whose ACK never comes with a BYE, and says so', async () => {
    bench = await Bench.open({ fake: true });
    const app = await answering();
    const alice = await bench.peer();
    const dialog = new RawDialog(alice, bench.uri('bob'));
    dialog.send('INVITE', { body: sdp('alice') });
    await alice.next(200);
    await until(() => bench.tables().dialogs === 1);
    await bench.pass(33_000);
    const bye = await alice.next('BYE');
    expect(bye.header('Reason')).toBe('SIP;cause=200;text="ACK timeout"');
    await until(() => app.ended.length === 1);
    expect(app.ended).toEqual(['ACK timeout']);
    // The BYE is never answered, either.
    await bench.pass(64_000);
    expect(bench.tables()).toEqual(EMPTY);
    // 200 at 0, 0.5, 1.5, 3.5, 7.5, 11.5 … 31.5 s.
    expect(alice.count(200)).toBe(11);
  });

  it('keeps a BYE of the application back until the ACK has come (RFC 3261 15)', async () => {
    bench = await Bench.open();
    const app = await answering();
    const alice = await bench.peer();
    const dialog = new RawDialog(alice, bench.uri('bob'));
    const invite = dialog.send('INVITE', { body: sdp('alice') });
    dialog.learn(await alice.next(200));
    await until(() => app.dialogs.length === 1);
    app.dialogs[0]!.destroy();
    await turns(20);
    expect(alice.count('BYE')).toBe(0);
    dialog.send('ACK', { of: invite });
    alice.send(reply(await alice.next('BYE'), 200));
    await until(() => bench.tables().dialogs === 0);
  });

  it('answers 480 for an application that stays silent, and refuses its late answer', async () => {
    bench = await Bench.open({ fake: true, silentAfterMs: 5_000 });
    const late: unknown[] = [];
    let answer: (() => void) | undefined;
    let cancelled = 0;
    await bench.app((srf) => {
      srf.invite((req, res) => {
        req.on('cancel', () => {
          cancelled += 1;
        });
        answer = () => res.send(200, { body: sdp('late') }, (error: unknown) => late.push(error));
      });
      srf.message(() => undefined);
    });
    const alice = await bench.peer();
    new RawDialog(alice, bench.uri('bob')).send('INVITE', { body: sdp('alice') });
    new RawDialog(alice, bench.uri('bob')).send('MESSAGE');
    await until(() => bench.tables().serverRequests === 2);
    await bench.pass(5_000);
    expect((await alice.next(480)).cseqMethod).toBe('MESSAGE');
    await bench.pass(5_000);
    expect((await alice.next(480)).cseqMethod).toBe('INVITE');
    answer?.();
    await until(() => late.length === 1);
    expect(String(late[0])).toContain('unknown transaction');
    expect(cancelled).toBe(1);
    await bench.pass(64_000);
    expect(bench.tables()).toEqual(EMPTY);
  });
});

describe('CANCEL of the caller', () => {
  it('is answered by the engine: 200, then 487, then the application hears of it', async () => {
    bench = await Bench.open();
    let reason = '';
    await bench.app((srf) => {
      srf.invite((req, res) => {
        req.on('cancel', (cancel: AppRequest) => {
          reason = cancel.get('Reason');
        });
        res.send(180);
      });
    });
    const alice = await bench.peer();
    const dialog = new RawDialog(alice, bench.uri('bob'));
    const invite = dialog.send('INVITE', { body: sdp('alice') });
    await alice.next(180);
    dialog.send('CANCEL', { of: invite, headers: [['Reason', 'SIP;cause=200;text="elsewhere"']] });
    expect((await alice.next(200)).cseqMethod).toBe('CANCEL');
    const terminated = await alice.next(487);
    expect(terminated.cseqMethod).toBe('INVITE');
    await until(() => reason !== '');
    expect(reason).toBe('SIP;cause=200;text="elsewhere"');
    expect(bench.tables().dialogs).toBe(0);
  });

  it('works before the application has said anything', async () => {
    bench = await Bench.open();
    let cancelled = false;
    await bench.app((srf) => {
      srf.invite((req) => {
        req.on('cancel', () => {
          cancelled = true;
        });
      });
    });
    const alice = await bench.peer();
    const dialog = new RawDialog(alice, bench.uri('bob'));
    const invite = dialog.send('INVITE', { body: sdp('alice') });
    await alice.next(100);
    await until(() => bench.tables().serverRequests === 1);
    await turns();
    dialog.send('CANCEL', { of: invite });
    expect((await alice.next(487)).cseqMethod).toBe('INVITE');
    await until(() => cancelled);
  });

  it('treats a BYE for a ringing INVITE like one', async () => {
    bench = await Bench.open();
    let cancelled = false;
    await bench.app((srf) => {
      srf.invite((req, res) => {
        req.on('cancel', () => {
          cancelled = true;
        });
        res.send(180);
      });
    });
    const alice = await bench.peer();
    const dialog = new RawDialog(alice, bench.uri('bob'));
    dialog.send('INVITE', { body: sdp('alice') });
    dialog.remoteTag = (await alice.next(180)).tag('To');
    dialog.send('BYE');
    expect((await alice.next(487)).cseqMethod).toBe('INVITE');
    expect((await alice.next(200)).cseqMethod).toBe('BYE');
    await until(() => cancelled);
  });
});

describe('requests inside a dialog', () => {
  it('arrive in order or not at all, and never by another dialog', async () => {
    bench = await Bench.open();
    const app = await answering();
    const alice = await bench.peer();
    const dialog = new RawDialog(alice, bench.uri('bob'));
    await call(dialog);
    await until(() => app.dialogs.length === 1);
    const infos: string[] = [];
    app.dialogs[0]!.on('info', (req: AppRequest, res: AppResponse) => {
      infos.push(req.body);
      res.send(200, { headers: { 'X-Ok': '1' } });
    });
    dialog.send('INFO', { headers: [['Content-Type', 'text/plain']], body: 'one' });
    expect((await alice.next((one) => one.cseqMethod === 'INFO')).header('X-Ok')).toBe('1');
    dialog.seq -= 1;
    dialog.send('INFO', { headers: [['Content-Type', 'text/plain']], body: 'two' });
    expect((await alice.next((one) => one.cseqMethod === 'INFO')).status).toBe(500);
    expect(infos).toEqual(['one']);
    const forged = dialog.request('INFO', { headers: [['Content-Type', 'text/plain']], body: 'forged' });
    alice.send(forged.replace(`;tag=${dialog.localTag}`, ';tag=somebody-else'));
    expect((await alice.next((one) => one.cseqMethod === 'INFO')).status).toBe(481);
    dialog.remoteTag = 'another';
    dialog.send('INFO', { headers: [['Content-Type', 'text/plain']], body: 'three' });
    expect((await alice.next((one) => one.cseqMethod === 'INFO')).status).toBe(481);
    expect(infos).toEqual(['one']);
  });

  it('carry a re-INVITE of the caller, whose ACK and new Contact count', async () => {
    bench = await Bench.open();
    const app = await answering();
    const alice = await bench.peer();
    const elsewhere = await bench.peer();
    const dialog = new RawDialog(alice, bench.uri('bob'));
    await call(dialog);
    await until(() => app.dialogs.length === 1);
    let offer = '';
    app.dialogs[0]!.on('modify', (req: AppRequest, res: AppResponse) => {
      offer = req.body;
      res.send(200, { body: sdp('changed') });
    });
    const again = dialog.send('INVITE', { body: sdp('alice2'), contact: `sip:moved@${elsewhere.hostPort}` });
    const ok = await alice.next(200);
    expect(ok.body).toBe(sdp('changed'));
    expect(offer).toBe(sdp('alice2'));
    dialog.send('ACK', { of: again });
    await until(() => app.acks === 1);
    app.dialogs[0]!.destroy();
    // The Contact is not where the packets come from, so the BYE goes to their source (DP 19) under the new URI.
    expect((await alice.next('BYE')).uri).toBe(`sip:moved@${elsewhere.hostPort}`);
  });

  it('refuse a second re-INVITE before the first is answered, with Retry-After', async () => {
    bench = await Bench.open();
    const app = await answering();
    const alice = await bench.peer();
    const dialog = new RawDialog(alice, bench.uri('bob'));
    await call(dialog);
    await until(() => app.dialogs.length === 1);
    app.dialogs[0]!.on('modify', () => undefined);
    dialog.send('INVITE', { body: sdp('alice2') });
    await until(() => bench.tables().serverRequests === 2);
    dialog.send('INVITE', { body: sdp('alice3') });
    const refused = await alice.next(500);
    expect(Number(refused.header('Retry-After'))).toBeLessThan(10);
  });

  it('carry a re-INVITE of the application with its ACK', async () => {
    bench = await Bench.open();
    const app = await answering();
    const alice = await bench.peer();
    const dialog = new RawDialog(alice, bench.uri('bob'));
    await call(dialog);
    await until(() => app.dialogs.length === 1);
    const changed = app.dialogs[0]!.modify(sdp('engine2'));
    const again = await alice.next('INVITE');
    expect(again.body).toBe(sdp('engine2'));
    expect(again.tag('To')).toBe(dialog.localTag);
    alice.send(reply(again, 200, { body: sdp('alice2'), contact: `sip:alice@${alice.hostPort}` }));
    const ack = await alice.next((one) => one.method === 'ACK');
    expect(ack.cseq).toBe(again.cseq);
    expect(await changed).toBe(sdp('alice2'));
  });

  it('follow the route set of a Record-Route, strict routers included', async () => {
    bench = await Bench.open();
    const app = await answering();
    const alice = await bench.peer();
    const dialog = new RawDialog(alice, bench.uri('bob'));
    const strict = `<sip:${alice.hostPort}>`;
    const invite = dialog.send('INVITE', {
      body: sdp('alice'),
      contact: 'sip:alice@192.0.2.9:7000',
      headers: [
        ['Record-Route', strict],
        ['Record-Route', '<sip:192.0.2.1;lr>'],
      ],
    });
    const ok = await alice.next(200);
    expect(ok.headers('Record-Route')).toEqual([strict, '<sip:192.0.2.1;lr>']);
    dialog.learn(ok);
    dialog.send('ACK', { of: invite });
    await until(() => app.dialogs.length === 1);
    app.dialogs[0]!.destroy();
    const bye = await alice.next('BYE');
    expect(bye.uri).toBe(`sip:${alice.hostPort}`);
    expect(bye.headers('Route')).toEqual(['<sip:192.0.2.1;lr>', '<sip:alice@192.0.2.9:7000>']);
  });
});

describe('reliable provisional responses', () => {
  async function ringingReliably(): Promise<{ prack: string[]; results: unknown[]; answer: () => void }> {
    const seen = { prack: [] as string[], results: [] as unknown[], answer: (): void => undefined };
    await bench.app((srf) => {
      srf.prack((req, res) => {
        seen.prack.push(req.get('RAck'));
        res.send(200);
      });
      srf.invite((_req, res) => {
        const headers = { Require: '100rel', contact: 'sip:rel@localhost' };
        res.send(183, { headers, body: sdp('early') }, (error: unknown) => seen.results.push(error));
        seen.answer = () => res.send(200, { body: sdp('final') });
      });
    });
    return seen;
  }

  it('are numbered, repeated until PRACK, and hold a 200 back', async () => {
    bench = await Bench.open({ fake: true });
    const app = await ringingReliably();
    const alice = await bench.peer();
    const dialog = new RawDialog(alice, bench.uri('bob'));
    const invite = dialog.send('INVITE', { body: sdp('alice'), headers: [['Supported', '100rel']] });
    const early = await alice.next(183);
    const rseq = early.header('RSeq');
    expect(Number(rseq)).toBeGreaterThan(0);
    expect(early.contact).toBe(`sip:rel@127.0.0.1:${bench.address('udp').port}`);
    await bench.pass(500);
    expect((await alice.next(183)).header('RSeq')).toBe(rseq);
    app.answer();
    await turns();
    expect(alice.count(200)).toBe(0);
    dialog.learn(early);
    dialog.send('PRACK', { headers: [['RAck', `${rseq} ${invite.cseq} INVITE`]] });
    const answers = [await alice.next(200), await alice.next(200)].map((one) => one.cseqMethod);
    expect(answers.sort()).toEqual(['INVITE', 'PRACK']);
    const before = alice.count(183);
    await bench.pass(5_000);
    expect(alice.count(183)).toBe(before);
    dialog.send('PRACK', { headers: [['RAck', `${rseq} ${invite.cseq} INVITE`]] });
    expect((await alice.next(481)).cseqMethod).toBe('PRACK');
  });

  it('are refused to the application when the caller cannot do them', async () => {
    bench = await Bench.open();
    const app = await ringingReliably();
    const alice = await bench.peer();
    new RawDialog(alice, bench.uri('bob')).send('INVITE', { body: sdp('alice') });
    await until(() => app.results.length === 1);
    expect(String(app.results[0])).toContain('Remote endpoint does not support 100rel');
    expect(alice.count(183)).toBe(0);
  });

  it('end the call when no PRACK ever comes', async () => {
    bench = await Bench.open({ fake: true });
    await ringingReliably();
    const alice = await bench.peer();
    new RawDialog(alice, bench.uri('bob')).send('INVITE', {
      body: sdp('a'),
      headers: [['Supported', '100rel']],
    });
    await alice.next(183);
    await bench.pass(33_000);
    expect((await alice.next(504)).cseqMethod).toBe('INVITE');
    await bench.pass(64_000);
    expect(bench.tables()).toEqual(EMPTY);
  });
});

describe('UPDATE before the answer', () => {
  it('reaches the application under its INVITE, one at a time', async () => {
    bench = await Bench.open();
    let answer: (() => void) | undefined;
    await bench.app((srf) => {
      srf.invite((req, res) => {
        req.on('update', (_update: AppRequest, updateRes: AppResponse) => {
          answer = () => updateRes.send(200, { body: sdp('updated') });
        });
        res.send(180);
      });
    });
    const alice = await bench.peer();
    const dialog = new RawDialog(alice, bench.uri('bob'));
    dialog.send('INVITE', { body: sdp('alice') });
    dialog.remoteTag = (await alice.next(180)).tag('To');
    dialog.send('UPDATE', { body: sdp('alice2') });
    await until(() => answer !== undefined);
    dialog.send('UPDATE', { body: sdp('alice3') });
    expect((await alice.next(500)).cseqMethod).toBe('UPDATE');
    answer?.();
    const ok = await alice.next(200);
    expect(ok.cseqMethod).toBe('UPDATE');
    expect(ok.body).toBe(sdp('updated'));
  });
});
