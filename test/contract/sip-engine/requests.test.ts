import { afterEach, describe, expect, it } from 'vitest';
import { RawDialog, type RawMessage, reply, sdp } from '../../support/raw-sip-peer.ts';
import { type AppMessage, type AppRequest, Bench, EMPTY, hangUp, until } from './support/bench.ts';

let bench: Bench;
afterEach(() => bench.close());

describe.each(['udp', 'tcp'] as const)('a request outside dialogs over %s', (protocol) => {
  it('reaches the handler of its method and gets its answer', async () => {
    bench = await Bench.open();
    let seen: AppRequest | undefined;
    await bench.app((srf) => {
      srf.register((req, res) => {
        seen = req;
        res.send(200, { headers: { Contact: req.get('Contact'), Expires: '60' } });
      });
      srf.options((_req, res) => res.send(200, { headers: { Allow: 'INVITE' } }));
    });
    const alice = await bench.peer(protocol);
    const { host, port } = bench.address(protocol);
    new RawDialog(alice, `sip:${host}:${port}`).send('REGISTER', { headers: [['Expires', '60']] });
    const ok = await alice.next(200);
    expect(ok.header('Expires')).toBe('60');
    expect(ok.tag('To')).not.toBe('');
    expect(seen?.source_address).toBe('127.0.0.1');
    expect(seen?.source_port).toBe(alice.port);
    expect(seen?.protocol).toBe(protocol);
    expect(seen?.receivedOn).toBe(`${host}:${port}`);
    new RawDialog(alice, `sip:${host}:${port}`).send('OPTIONS');
    expect((await alice.next(200)).header('Allow')).toBe('INVITE');
  });

  it('keeps UTF-8 in headers and bodies, both ways, cut by octets', async () => {
    bench = await Bench.open();
    const text = 'Grüße, 世界 🎉\r\n\r\nund mehr';
    const octets = Buffer.from(text).toString('latin1');
    const seen: string[] = [];
    await bench.app((srf) => {
      srf.message((req, res) => {
        seen.push(req.body, req.get('Subject'));
        res.send(200, { headers: { 'Content-Type': 'text/plain', 'X-Name': 'Zoë 🎈' }, body: text });
      });
    });
    const alice = await bench.peer(protocol);
    new RawDialog(alice, bench.uri('x', protocol)).send('MESSAGE', {
      headers: [
        ['Content-Type', 'text/plain;charset=utf-8'],
        ['Subject', Buffer.from('Übung 🎈').toString('latin1')],
      ],
      body: octets,
    });
    const ok = await alice.next(200);
    expect(seen).toEqual([text, 'Übung 🎈']);
    expect(ok.body).toBe(octets);
    expect(Number(ok.header('Content-Length'))).toBe(Buffer.byteLength(text));
    expect(ok.header('X-Name')).toBe(Buffer.from('Zoë 🎈').toString('latin1'));
  });
});

describe('what an application is handed', () => {
  it('has no octet behind its body, and full header names', async () => {
    bench = await Bench.open();
    const bodies: string[] = [];
    let event = '';
    await bench.app((srf) => {
      srf.publish((req, res) => {
        bodies.push(req.body);
        event = req.get('Event');
        res.send(200);
      });
    });
    const alice = await bench.peer();
    const dialog = new RawDialog(alice, bench.uri('x'));
    const text = dialog.request('PUBLISH', {
      headers: [
        ['o', 'presence'],
        ['c', 'text/plain'],
      ],
      body: 'hello',
    });
    alice.send(`${text}this is no part of it`);
    await alice.next(200);
    expect(bodies).toEqual(['hello']);
    expect(event).toBe('presence');
  });

  it('survives a binary body', async () => {
    bench = await Bench.open();
    let length = 0;
    await bench.app((srf) => {
      srf.message((req, res) => {
        length = Number(req.get('Content-Length'));
        res.send(200);
      });
    });
    const alice = await bench.peer();
    const octets = Buffer.from(Array.from({ length: 256 }, (_, i) => i)).toString('latin1');
    new RawDialog(alice, bench.uri('x')).send('MESSAGE', {
      headers: [['Content-Type', 'application/octet-stream']],
      body: octets,
    });
    await alice.next(200);
    expect(length).toBe(256);
  });

  it('cannot be given a second From by an escaped header name', async () => {
    bench = await Bench.open();
    let from = '';
    await bench.app((srf) => {
      srf.message((req, res) => {
        from = req.get('From');
        res.send(200);
      });
    });
    const alice = await bench.peer();
    const dialog = new RawDialog(alice, bench.uri('x'));
    dialog.send('MESSAGE', { headers: [['%46rom', '<sip:boss@example.com>']] });
    await alice.next(200);
    expect(from).toBe(`<sip:alice@${alice.hostPort}>;tag=${dialog.localTag}`);
  });
});

describe('without a handler', () => {
  it('the network gets 503, 405, 501 or 481', async () => {
    bench = await Bench.open();
    const alice = await bench.peer();
    const status = async (method: string, tag = ''): Promise<number> => {
      const dialog = new RawDialog(alice, bench.uri('x'));
      dialog.remoteTag = tag;
      dialog.send(method);
      const answer = await alice.next((one) => one.status >= 200 && one.header('Call-ID') === dialog.callId);
      expect(answer.tag('To')).not.toBe('');
      return answer.status;
    };
    for (const method of ['INVITE', 'OPTIONS', 'REGISTER', 'MESSAGE']) expect(await status(method)).toBe(503);
    expect(await status('TELEPORT')).toBe(501);
    for (const method of ['BYE', 'UPDATE', 'PRACK']) expect(await status(method)).toBe(481);
    for (const method of ['INVITE', 'INFO', 'NOTIFY', 'SUBSCRIBE', 'BYE'])
      expect(await status(method, 't')).toBe(481);
    const srf = await bench.app((one) => one.options((_req, res) => res.send(200)));
    expect(await status('OPTIONS')).toBe(200);
    expect(await status('INVITE')).toBe(405);
    expect(await status('TELEPORT')).toBe(501);
    hangUp(srf);
    await until(() => bench.engine.stats().apps === 0);
    expect(await status('OPTIONS')).toBe(503);
  });
});

describe('a request with a To tag of no dialog', () => {
  it('goes to an application as a new one, and nowhere for a call or without an application', async () => {
    bench = await Bench.open();
    const seen: string[] = [];
    await bench.app((srf) => {
      for (const method of [
        'message',
        'notify',
        'options',
        'refer',
        'subscribe',
        'invite',
        'update',
      ] as const)
        srf[method]((req, res) => {
          seen.push(`${req.method} ${req.stackDialogId}`);
          res.send(404);
        });
    });
    const alice = await bench.peer();
    const status = async (method: string): Promise<number> => {
      const dialog = new RawDialog(alice, bench.uri('x'));
      dialog.remoteTag = 'of-another-process';
      dialog.send(method, { headers: [['Event', 'x']] });
      return (await alice.next((one) => one.status >= 200 && one.header('Call-ID') === dialog.callId)).status;
    };
    const given = ['MESSAGE', 'NOTIFY', 'OPTIONS', 'REFER', 'SUBSCRIBE'];
    for (const method of given) expect([method, await status(method)]).toEqual([method, 404]);
    for (const method of ['INVITE', 'BYE', 'UPDATE', 'PRACK', 'INFO']) expect(await status(method)).toBe(481);
    expect(seen).toEqual(given.map((method) => `${method} `));
  });

  it('and a SUBSCRIBE that is answered 200 is in its old dialog again', async () => {
    bench = await Bench.open();
    const dialogIds: (string | undefined)[] = [];
    await bench.app((srf) =>
      srf.subscribe((req, res) => {
        dialogIds.push(req.stackDialogId);
        res.send(200, { headers: { Expires: '60' } });
      }),
    );
    const phone = await bench.peer();
    const dialog = new RawDialog(phone, bench.uri('x'), { seq: 40 });
    dialog.remoteTag = 'old';
    const subscribe = async (): Promise<RawMessage> => {
      const sent = dialog.send('SUBSCRIBE', { headers: [['Event', 'x']] });
      return phone.next((one) => one.cseqMethod === 'SUBSCRIBE' && one.cseq === sent.cseq);
    };
    expect((await subscribe()).tag('To')).toBe('old');
    expect((await subscribe()).tag('To')).toBe('old');
    expect(dialogIds).toEqual(['', `${dialog.callId};from-tag=${dialog.localTag}`]);
    dialog.remoteTag = 'guessed';
    expect((await subscribe()).status).toBe(481);
    expect(dialogIds).toHaveLength(2);
  });
});

describe('a request of an application', () => {
  it('goes where the proxy option says, with the request-URI untouched', async () => {
    bench = await Bench.open();
    const srf = await bench.app();
    const sbc = await bench.peer();
    const answers: AppMessage[] = [];
    srf.request(
      'sip:bob@somewhere.invalid;user=phone',
      { method: 'OPTIONS', proxy: `sip:${sbc.hostPort};lr` },
      (_error, sent) => sent.on('response', (res: AppMessage) => answers.push(res)),
    );
    const got = await sbc.next('OPTIONS');
    expect(got.uri).toBe('sip:bob@somewhere.invalid;user=phone');
    expect(got.header('To')).toBe('<sip:bob@somewhere.invalid;user=phone>');
    expect(got.header('From')).toMatch(/^<sip:127\.0\.0\.1:\d+>;tag=\w+$/);
    expect(got.headers('Route')).toEqual([]);
    sbc.send(reply(got, 200, { headers: [['Accept', 'application/sdp']] }));
    await until(() => answers.length === 1);
    expect(answers[0]!.get('Accept')).toBe('application/sdp');
    expect(bench.tables().clientRequests).toBe(0);
  });

  it('answers a digest challenge with the same Call-ID and tag and the next CSeq', async () => {
    bench = await Bench.open();
    const srf = await bench.app();
    const bob = await bench.peer();
    const auth = { username: 'u', password: 'p' };
    const calling = srf.createUAC(`sip:bob@${bob.hostPort}`, { localSdp: sdp('a'), auth });
    const first = await bob.next('INVITE');
    bob.send(
      reply(first, 401, { headers: [['WWW-Authenticate', 'Digest realm="r", nonce="n", algorithm=MD5']] }),
    );
    expect((await bob.next('ACK')).cseq).toBe(first.cseq);
    const second = await bob.next('INVITE');
    expect(second.header('Call-ID')).toBe(first.header('Call-ID'));
    expect(second.header('From')).toBe(first.header('From'));
    expect(second.cseq).toBe(first.cseq + 1);
    expect(second.header('Authorization')).toContain('username="u"');
    bob.send(reply(second, 200, { contact: `sip:bob@${bob.hostPort}`, body: sdp('b') }));
    expect((await bob.next('ACK')).cseq).toBe(second.cseq);
    expect((await calling).remote.sdp).toBe(sdp('b'));
  });

  it('fails with 408 when nobody answers, with 503 when nobody can be reached', async () => {
    bench = await Bench.open({ fake: true, lookup: (_host, done) => done(undefined) });
    const srf = await bench.app();
    const silent = await bench.peer();
    const fail = (uri: string): Promise<number> =>
      srf.createUAC(uri, { localSdp: sdp('a') }).then(
        () => 200,
        (error: { status: number }) => error.status,
      );
    const unanswered = fail(`sip:bob@${silent.hostPort}`);
    const nowhere = fail('sip:bob@no.such.name.invalid');
    const refused = fail('sip:bob@127.0.0.1:1;transport=tcp');
    expect(await nowhere).toBe(503);
    expect(await refused).toBe(503);
    await silent.next('INVITE');
    await bench.pass(32_500);
    expect(await unanswered).toBe(408);
    expect(silent.count('INVITE')).toBe(7);
    await bench.pass(64_000);
    expect(bench.tables()).toEqual(EMPTY);
    expect(bench.engine.stats().names).toBe(0);
  });

  it('looks a host name up once, and sends to what it found', async () => {
    const asked: string[] = [];
    bench = await Bench.open({
      lookup: (host, done) => {
        asked.push(host);
        setTimeout(() => done('127.0.0.1'), 5);
      },
    });
    const srf = await bench.app();
    const bob = await bench.peer();
    for (let i = 0; i < 3; i++) {
      srf.request(`sip:bob@pbx.example:${bob.port}`, { method: 'OPTIONS' }, () => undefined);
    }
    for (let i = 0; i < 3; i++)
      expect((await bob.next('OPTIONS')).uri).toBe(`sip:bob@pbx.example:${bob.port}`);
    expect(asked).toEqual(['pbx.example']);
  });

  it('goes by TCP when it is large, and by UDP after all when the peer has no TCP', async () => {
    bench = await Bench.open();
    const srf = await bench.app();
    const body = 'x'.repeat(1_400);
    const send = (uri: string): void => {
      srf.request(
        uri,
        { method: 'MESSAGE', headers: { 'Content-Type': 'text/plain' }, body },
        () => undefined,
      );
    };
    const both = await bench.peer('tcp', false);
    send(`sip:bob@${both.hostPort}`);
    expect((await both.next('MESSAGE')).header('Via')).toMatch(/^SIP\/2\.0\/TCP /);
    const udpOnly = await bench.peer('udp');
    send(`sip:bob@${udpOnly.hostPort}`);
    const late = await udpOnly.next('MESSAGE');
    expect(late.header('Via')).toMatch(/^SIP\/2\.0\/UDP /);
    expect(late.body).toBe(body);
  });
});

describe('a registered device', () => {
  it('is called down the connection it registered on, and 410 is said when that is gone', async () => {
    bench = await Bench.open();
    const srf = await bench.app((one) => {
      one.register((req, res) => res.send(200, { headers: { Contact: `${req.get('Contact')};expires=60` } }));
    });
    const phone = await bench.peer('tcp');
    const contact = 'sip:desk@phone.invalid;transport=tcp';
    new RawDialog(phone, bench.uri('x', 'tcp')).send('REGISTER', { contact });
    await phone.next(200);
    await until(() => bench.engine.stats().registeredFlows === 1);
    const call = srf
      .createUAC('sip:desk@phone.invalid', { localSdp: sdp('a') })
      .catch((error) => error.status);
    const invite = await phone.next('INVITE');
    expect(invite.uri).toBe('sip:desk@phone.invalid');
    phone.send(reply(invite, 180));
    phone.cut();
    expect(await call).toBe(410);
    expect(bench.engine.stats().registeredFlows).toBe(0);
  });

  it('is forgotten with Expires 0 and when its time is over', async () => {
    bench = await Bench.open({ fake: true });
    await bench.app((one) => {
      one.register((req, res) => res.send(200, { headers: { Expires: req.get('Expires') } }));
    });
    const phone = await bench.peer('tcp');
    const register = async (seconds: string): Promise<void> => {
      new RawDialog(phone, bench.uri('x', 'tcp')).send('REGISTER', { headers: [['Expires', seconds]] });
      await phone.next(200);
    };
    await register('60');
    expect(bench.engine.stats().registeredFlows).toBe(1);
    await register('0');
    expect(bench.engine.stats().registeredFlows).toBe(0);
    await register('60');
    await bench.pass(61_000, 10_000);
    expect(bench.engine.stats().registeredFlows).toBe(0);
  });
});
