import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RawDialog, reply, sdp } from '../../support/raw-sip-peer.ts';
import { Bench, SECRET, turns, until } from './support/bench.ts';
import { frame, RawApp } from './support/raw-app.ts';

const TIME = /^\d\d:\d\d:\d\d\.\d{6}$/;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

let bench: Bench;
const apps: RawApp[] = [];

beforeEach(async () => {
  bench = await Bench.open();
});
afterEach(async () => {
  for (const app of apps.splice(0)) app.close();
  await bench.close();
});

async function stranger(): Promise<RawApp> {
  const app = await RawApp.open(bench.engine.appPort);
  apps.push(app);
  return app;
}

async function application(...verbs: string[]): Promise<RawApp> {
  const app = await stranger();
  await app.ask(`authenticate|${SECRET}|`);
  for (const verb of verbs) await app.ask(`route|${verb}`);
  return app;
}

describe('authenticate', () => {
  it('answers with the addresses and a version drachtio-srf can read', async () => {
    const app = await stranger();
    const { host, port } = bench.address('udp');
    const list = `udp/${host}:${port},tcp/${host}:${bench.address('tcp').port}`;
    const tokens = await app.ask(`authenticate|${SECRET}|tag1,tag2`);
    expect(tokens[0]).toMatch(UUID);
    expect(tokens.slice(1)).toEqual(['response', 'm1', 'OK', list, 'v0.9.11-embedded', list]);
  });

  it('refuses a wrong secret and closes', async () => {
    const app = await stranger();
    expect((await app.ask('authenticate|guess|')).slice(3)).toEqual(['NO', 'incorrect secret']);
    await until(() => app.closed);
  });

  it.each(['route|invite', 'ping', `sip||\r\nOPTIONS sip:127.0.0.1:9 SIP/2.0\r\n\r\n`, 'proxy|x'])(
    'obeys nothing before it: %s',
    async (command) => {
      const app = await stranger();
      expect((await app.ask(command)).slice(3)).toEqual(['NO', 'not authenticated']);
      await until(() => app.closed);
      expect(bench.engine.stats().appRoutes).toBe(0);
      expect(bench.engine.stats().sentRequests).toBe(0);
    },
  );

  it('has a deadline', async () => {
    const fake = await Bench.open({ fake: true });
    const app = await RawApp.open(fake.engine.appPort);
    await until(() => fake.engine.stats().apps === 1);
    await fake.pass(10_000, 2_000);
    await until(() => app.closed);
    await fake.close();
  });
});

describe('frames', () => {
  it('may be split anywhere and joined', async () => {
    const app = await stranger();
    const bytes = Buffer.concat([
      frame(`a|authenticate|${SECRET}|`),
      frame('b|ping'),
      frame('c|route|options'),
      frame('d|ping'),
    ]);
    for (const byte of bytes) {
      app.socket.write(Buffer.of(byte));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect((await app.response('d')).tokens.slice(3)).toEqual(['OK', 'pong']);
    expect(app.payloads.map((one) => one.split('|')[2])).toEqual(['a', 'b', 'c', 'd']);
  });

  it.each(['x#ping', '1x#ping', '#ping', '0#', '99999999#', '12345678901'])(
    'close the connection when the length is wrong: %s',
    async (bytes) => {
      const app = await application();
      app.socket.write(bytes);
      await until(() => app.closed);
    },
  );

  it('may be large', async () => {
    const app = await application();
    const peer = await bench.peer('tcp', false);
    const body = 'x'.repeat(900_000);
    const id = app.send(
      `sip||\r\nMESSAGE sip:bob@${peer.hostPort};transport=tcp SIP/2.0\r\ncontent-type: text/plain\r\n\r\n${body}`,
    );
    expect((await app.response(id)).sip.endsWith(body)).toBe(true);
    expect((await peer.next('MESSAGE')).body).toBe(body);
  });

  it('that stop half way end the connection', async () => {
    const fake = await Bench.open({ fake: true });
    const app = await RawApp.open(fake.engine.appPort);
    await app.ask(`authenticate|${SECRET}|`);
    app.socket.write('100#half');
    await turns();
    await fake.pass(10_000, 2_000);
    await until(() => app.closed);
    await fake.close();
  });
});

describe('commands', () => {
  it('of an unknown type are refused with NO, and the connection ends', async () => {
    const app = await application();
    expect((await app.ask('teleport|now')).slice(3)).toEqual(['NO', 'Unknown message type']);
    await until(() => app.closed);
  });

  it('with fewer than two tokens too', async () => {
    const app = await application();
    app.socket.write(frame('lonely'));
    expect((await app.response('lonely')).tokens.slice(3)).toEqual(['NO', 'Invalid message format']);
    await until(() => app.closed);
  });

  it('to proxy are refused, and the connection stays', async () => {
    const app = await application();
    expect((await app.ask('proxy|t|||||||sip:x@y')).slice(3)).toEqual([
      'NOK',
      'proxy is not supported by the embedded engine',
    ]);
    expect((await app.ask('ping')).slice(3)).toEqual(['OK', 'pong']);
  });
});

describe('routes', () => {
  it('are a set per connection, served round robin', async () => {
    const first = await application('options', 'options', 'options');
    const second = await application('options');
    const alice = await bench.peer();
    for (let i = 0; i < 6; i++) new RawDialog(alice, bench.uri('x')).send('OPTIONS');
    const got = (app: RawApp): number => app.payloads.filter((one) => one.includes('OPTIONS sip:')).length;
    await until(() => got(first) + got(second) === 6);
    expect([got(first), got(second)]).toEqual([3, 3]);
  });

  it('match lower case only, and remove_route removes only the verb named', async () => {
    const app = await application('OPTIONS', 'message', 'info');
    const alice = await bench.peer();
    await app.ask('remove_route|message');
    new RawDialog(alice, bench.uri('x')).send('OPTIONS');
    expect((await alice.next(405)).cseqMethod).toBe('OPTIONS');
    new RawDialog(alice, bench.uri('x')).send('MESSAGE');
    expect((await alice.next(405)).header('Allow')).toContain('INFO');
    new RawDialog(alice, bench.uri('x')).send('INFO');
    await app.find((one) => one.includes('INFO sip:'));
  });
});

describe('tokens', () => {
  it('of a new request, its answer, and the echo', async () => {
    const app = await application('register');
    const alice = await bench.peer();
    const { host, port } = bench.address('udp');
    const sent = new RawDialog(alice, `sip:${host}:${port}`).send('REGISTER');
    const { tokens, sip } = await app.find((one) => one.includes('REGISTER sip:'));
    expect(tokens).toHaveLength(13);
    expect(tokens[0]).toMatch(UUID);
    expect(tokens.slice(1, 7)).toEqual([
      'sip',
      'network',
      String(sent.text.length),
      'udp',
      '127.0.0.1',
      String(alice.port),
    ]);
    expect(tokens[7]).toMatch(TIME);
    expect(tokens[8]).toMatch(UUID);
    expect(tokens.slice(9)).toEqual(['', host, String(port), '']);
    expect(sip).toContain(`received=127.0.0.1`);
    const callId = sent.header('Call-ID');
    const answer = `Call-ID: forged\r\ncseq: 99 REGISTER\r\nfrom: <sip:forged@x>\r\nto: <sip:forged@x>\r\nVia: forged`;
    const id = app.send(
      `sip|${tokens[8]}|\r\nSIP/2.0 200 OK\r\n${answer}\r\nx-custom: abc\r\nfoo-bar: 1\r\n\r\n`,
    );
    const echo = await app.response(id);
    expect(echo.tokens.slice(3, 9)).toEqual([
      'OK',
      'application',
      String(echo.sip.length),
      'udp',
      '127.0.0.1',
      String(alice.port),
    ]);
    expect(echo.tokens[9]).toMatch(TIME);
    expect(echo.tokens.slice(10)).toEqual([tokens[8], '', '', 'Msg sent:', '']);
    const got = await alice.next(200);
    expect(got.text).toBe(echo.sip);
    expect(got.header('Call-ID')).toBe(callId);
    expect(got.text).not.toContain('forged');
    expect(got.text).toContain('\r\nx-custom: abc\r\nFoo-Bar: 1\r\n');
    const second = await app.response(app.send(`sip|${tokens[8]}|\r\nSIP/2.0 500 Late\r\n\r\n`));
    expect(second.tokens[3]).toBe('OK');
    expect(second.sip).toBe(echo.sip);
  });

  it('of a call answered by the application', async () => {
    const app = await application('invite');
    const alice = await bench.peer();
    const dialog = new RawDialog(alice, bench.uri('bob'));
    const dialogId = `${dialog.callId};from-tag=${dialog.localTag}`;
    const invite = dialog.send('INVITE', { body: sdp('alice') });
    const { tokens } = await app.find((one) => one.includes('INVITE sip:'));
    const txn = tokens[8];
    const id = app.send(`sip|${txn}|\r\nSIP/2.0 200 OK\r\ncseq: 1 INVITE\r\n\r\n${sdp('engine')}`);
    const echo = await app.response(id);
    expect(echo.tokens.slice(10)).toEqual([txn, dialogId, '', 'Msg sent:', '']);
    expect(echo.sip).toContain('Contact: <sip:127.0.0.1:');
    dialog.learn(await alice.next(200));
    dialog.send('ACK', { of: invite });
    const ack = await app.find((one) => one.includes('ACK sip:'));
    expect(ack.tokens).toHaveLength(11);
    expect(ack.tokens.slice(8)).toEqual([txn, dialogId, '']);
    const info = dialog.send('INFO');
    const inside = await app.find((one) => one.includes('INFO sip:'));
    expect(inside.tokens[8]).toMatch(UUID);
    expect(inside.tokens[8]).not.toBe(txn);
    expect(inside.tokens.slice(9)).toEqual([dialogId, '']);
    const infoEcho = await app.response(
      app.send(`sip|${inside.tokens[8]}|\r\nSIP/2.0 200 OK\r\ncseq: ${info.cseq} INFO\r\n\r\n`),
    );
    expect(infoEcho.tokens.slice(10)).toEqual([inside.tokens[8], dialogId, '', 'Msg sent:', '']);
    dialog.send('BYE');
    const bye = await app.find((one) => one.includes('BYE sip:'));
    expect(bye.tokens.slice(9)).toEqual([dialogId, '']);
    const byeEcho = await app.response(
      app.send(`sip|${bye.tokens[8]}|\r\nSIP/2.0 200 OK\r\ncseq: 3 BYE\r\n\r\n`),
    );
    // The dialog is over already.
    expect(byeEcho.tokens.slice(10)).toEqual([bye.tokens[8], '', '', 'Msg sent:', '']);
  });

  it('of a call the application makes, echo first', async () => {
    const app = await application();
    const bob = await bench.peer();
    const id = app.send(
      `sip||\r\nINVITE sip:bob@${bob.hostPort} SIP/2.0\r\nfrom: sip:alice@localhost\r\ncontact: sip:alice@localhost\r\n\r\n${sdp('a')}`,
    );
    const invite = await bob.next('INVITE');
    const own = `127.0.0.1:${bench.address('udp').port}`;
    expect(invite.header('From')).toMatch(new RegExp(`^<sip:alice@${own}>;tag=\\w+$`));
    expect(invite.header('Contact')).toBe(`<sip:alice@${own}>`);
    expect(invite.header('To')).toBe(`<sip:bob@${bob.hostPort}>`);
    expect(invite.header('Max-Forwards')).toBe('70');
    expect(invite.header('Content-Type')).toBe('application/sdp');
    expect(invite.header('Via')).toMatch(new RegExp(`^SIP/2.0/UDP ${own};rport;branch=z9hG4bK`));
    bob.send(reply(invite, 180, { tag: 'bob' }));
    const echo = await app.response(id);
    expect(echo.tokens).toHaveLength(13);
    expect(echo.tokens.slice(3, 9)).toEqual([
      'OK',
      'application',
      String(invite.text.length),
      'udp',
      '127.0.0.1',
      String(bench.address('udp').port),
    ]);
    expect(echo.tokens.slice(11)).toEqual(['Msg sent:', '']);
    expect(echo.sip).toBe(invite.text);
    const ringing = await app.find((one) => one.includes('SIP/2.0 180'));
    const dialogId = `${invite.header('Call-ID')};from-tag=${invite.tag('From')}`;
    expect(ringing.tokens.slice(8)).toEqual([echo.tokens[10], dialogId, '']);
    const order = app.payloads.map((one) => one.split('|')[1]);
    expect(order.indexOf('sip')).toBeGreaterThan(app.payloads.findIndex((one) => one.includes(`|${id}|OK`)));
    const refused = await app.ask(`sip||${dialogId}\r\nACK sip:x SIP/2.0\r\n\r\n`);
    expect(refused.slice(3)).toEqual([
      'NOK',
      'Server error: ACK for non-success final response is automatically generated by server',
    ]);
    expect((await app.ask('sip||no;from-tag=one\r\nBYE sip:placeholder SIP/2.0\r\n\r\n')).slice(3)).toEqual([
      'NOK',
      'Server error: unable to find dialog for dialog id provided',
    ]);
  });

  it.each([
    ['INVITE nowhere SIP/2.0', 'invalid request-uri: INVITE nowhere SIP/2.0'],
    ['INVITE sips:bob@127.0.0.1 SIP/2.0', 'requested protocol/transport not available'],
    ['INVITE sip:bob@127.0.0.1;transport=ws SIP/2.0', 'requested protocol/transport not available'],
    ['INVITE sip:bob@127.0.0.1', 'invalid request-uri: INVITE sip:bob@127.0.0.1'],
  ])('of a request that cannot be: %s', async (line, reason) => {
    const app = await application();
    expect((await app.ask(`sip||\r\n${line}\r\n\r\n`)).slice(3)).toEqual(['NOK', reason]);
  });

  it('of a request to the engine itself, one without Content-Type, an answer to nothing, a CANCEL of nothing', async () => {
    const app = await application();
    const self = await app.ask(`sip||\r\nOPTIONS ${bench.uri('x')} SIP/2.0\r\n\r\n`);
    expect(self.slice(3)).toEqual(['NOK', 'can not send request to myself']);
    const typeless = await app.ask('sip||\r\nMESSAGE sip:x@127.0.0.1:9 SIP/2.0\r\n\r\nhello');
    expect(typeless.slice(3)).toEqual(['NOK', 'missing content-type']);
    const nothing = await app.ask('sip|nobody|\r\nSIP/2.0 200 OK\r\n\r\n');
    expect(nothing.slice(3)).toEqual(['NOK', 'Response not sent due to unknown transaction']);
    const cancel = await app.ask('sip|nobody|\r\nCANCEL sip:x@y SIP/2.0\r\n\r\n');
    expect(cancel.slice(3)).toEqual(['NOK', 'unable to cancel unknown transaction id: nobody']);
  });
});

describe('call records', () => {
  it('tell attempt, start and stop to who routed them', async () => {
    const app = await application('invite', 'cdr:attempt', 'cdr:start', 'cdr:stop');
    const alice = await bench.peer();
    const dialog = new RawDialog(alice, bench.uri('bob'));
    const invite = dialog.send('INVITE', { body: sdp('alice') });
    const { tokens } = await app.find((one) => one.includes('|sip|') && one.includes('INVITE sip:'));
    app.send(`sip|${tokens[8]}|\r\nSIP/2.0 200 OK\r\ncseq: 1 INVITE\r\n\r\n${sdp('engine')}`);
    dialog.learn(await alice.next(200));
    dialog.send('ACK', { of: invite });
    dialog.send('BYE');
    await app.find((one) => one.includes('cdr:stop'));
    const records = app.payloads
      .filter((one) => one.includes('|cdr:'))
      .map((one) => one.split('\r\n')[0]!.split('|'));
    expect(records.map((one) => [one[1], one[2], ...one.slice(4)])).toEqual([
      ['cdr:attempt', 'network'],
      ['cdr:start', 'application', 'uas'],
      ['cdr:stop', 'network', 'normal-release'],
    ]);
    expect(records[0]![3]).toMatch(TIME);
  });
});

describe('a connection that does not read', () => {
  it('is closed when its queue is full, and the others go on', async () => {
    const small = await Bench.open({ limits: { maxQueueBytes: 3_000_000 } });
    const app = await RawApp.open(small.engine.appPort);
    await app.ask(`authenticate|${SECRET}|`);
    await app.ask('route|message');
    app.socket.pause();
    const alice = await small.peer('tcp');
    const body = 'x'.repeat(60_000);
    for (let i = 0; i < 200 && (small.engine.stats().apps ?? 0) > 0; i++) {
      new RawDialog(alice, small.uri('x', 'tcp')).send('MESSAGE', {
        headers: [['Content-Type', 'text/plain']],
        body,
      });
      await new Promise((resolve) => setImmediate(resolve));
    }
    await until(() => small.engine.stats().apps === 0);
    expect(small.log.some((one) => JSON.stringify(one).includes('does not read'))).toBe(true);
    app.close();
    await small.close();
  });
});
