import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { SipMessage } from '../../../src/sip-engine/message/message.ts';
import type { ListenAddress } from '../../../src/sip-engine/transport/listener.ts';
import type { TransportOptions } from '../../../src/sip-engine/transport/transport-layer.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { WsPeer, type WsPeerOptions } from '../../support/ws-peer.ts';
import { cleanUps, layer, request, tcpPeer, wrap } from './transport-bench.ts';

const VIA: [string, string] = ['Via', 'SIP/2.0/WS df7jal23ls0d.invalid;branch=z9hG4bK56sdasks'];
/** The mask of these raw frames is zero: what goes out is what is written. */
const MASK = Buffer.alloc(4);

async function webLayer(options: Partial<TransportOptions> = {}, config: Partial<ListenAddress> = {}) {
  const listen = [{ protocol: 'ws' as const, host: '127.0.0.1', port: 0, ...config }];
  const { udp: ws, ...rest } = await layer({ ...options, listen });
  const to = { host: ws.localHost, port: ws.localPort };
  const open = async (peerOptions: WsPeerOptions = {}) => {
    const peer = await WsPeer.open(to, peerOptions);
    cleanUps.push(() => peer.cut());
    return peer;
  };
  return { ...rest, ws, to, open };
}

/** A frame as a client writes it (RFC 6455 5.2). */
function frame(first: number, payload: Buffer): Buffer {
  const { length } = payload;
  const size =
    length < 126 ? [0x80 | length] : length < 65_536 ? [0xfe, length >> 8, length & 255] : undefined;
  if (size) return Buffer.concat([Buffer.from([first, ...size]), MASK, payload]);
  const head = Buffer.from([first, 0xff, 0, 0, 0, 0, 0, 0, 0, 0]);
  head.writeUInt32BE(length, 6);
  return Buffer.concat([head, MASK, payload]);
}

/** A WebSocket whose frames are written by hand. */
async function rawPeer(to: { host: string; port: number }) {
  const peer = wrap(connect({ ...to, noDelay: true }));
  const lines = [
    'GET / HTTP/1.1',
    'Host: x',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
    'Sec-WebSocket-Protocol: sip',
  ];
  peer.socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  expect(await peer.inbox.next()).toMatch(/^HTTP\/1\.1 101 [\s\S]*\r\nSec-WebSocket-Protocol: sip\r\n/);
  return peer;
}

describe('messages', () => {
  it('hands up one message per frame, text or binary, and answers on the same connection', async () => {
    const { transport, inbox, ws, open } = await webLayer();
    const peer = await open();
    const text = request(VIA).toString();
    for (const binary of [false, true]) {
      peer.send(text, binary);
      const { message, flow, size } = await inbox.next();
      expect(message.get('Via')).toBe(`${VIA[1]};received=127.0.0.1;rport=${peer.port}`);
      expect(size).toBe(text.length);
      expect(flow).toMatchObject({
        protocol: 'ws',
        reliable: true,
        localAddress: '127.0.0.1',
        localPort: ws.port,
        remotePort: peer.port,
        closed: false,
      });
      expect(transport.responseFlow(flow, message.topVia)).toBe(flow);
      expect(transport.addressFor(flow)).toMatchObject({ protocol: 'ws', port: ws.port });
      flow.send(SipMessage.response(message, 200).toString());
      expect(await peer.next()).toMatchObject({
        binary: false,
        text: expect.stringMatching(/^SIP\/2.0 200/),
      });
    }
    expect(transport.stats()).toMatchObject({ received: 2, connections: 1 });
  });

  it('keeps every octet, and sends as binary what is no UTF-8', async () => {
    const { inbox, open } = await webLayer();
    const peer = await open();
    const binary = request(VIA);
    binary.body = '\u00ff\u0000\u00c3';
    const octets = binary.toString();
    peer.send(octets, true);
    const { message, flow } = await inbox.next();
    expect(message.body).toBe('\u00ff\u0000\u00c3');
    flow.send('\u00ff\u0000');
    expect(await peer.next()).toEqual({ text: '\u00ff\u0000', binary: true });
    flow.send('\u00c3\u00a9');
    expect(await peer.next()).toEqual({ text: '\u00c3\u00a9', binary: false });
  });

  it('takes a message without Content-Length, and one cut into fragments with a ping in between', async () => {
    const { inbox, to } = await webLayer();
    const peer = await rawPeer(to);
    const text = request(VIA)
      .toString()
      .replace(/Content-Length: 0\r\n/, '');
    expect(text).not.toContain('Content-Length');
    const octets = Buffer.from(`${text}v=0`, 'latin1');
    peer.socket.write(frame(0x01, octets.subarray(0, 20)));
    peer.socket.write(frame(0x89, Buffer.from('hi')));
    peer.socket.write(frame(0x80, octets.subarray(20)));
    expect((await inbox.next()).message.body).toBe('v=0');
    expect(await peer.inbox.next()).toBe('\u008a\u0002hi');
  });

  it('keeps the order of messages that arrive at once', async () => {
    const { inbox, open } = await webLayer();
    const peer = await open();
    for (let n = 1; n <= 50; n++) peer.send(request(VIA, ['CSeq', `${n} OPTIONS`]).toString());
    for (let n = 1; n <= 50; n++) expect((await inbox.next()).message.get('CSeq')).toBe(`${n} OPTIONS`);
  });

  it('answers a double CRLF with a single one, and the single one not at all (RFC 5626 3.5.1)', async () => {
    const { transport, open } = await webLayer();
    const peer = await open();
    peer.send('\r\n');
    peer.send('');
    peer.send('\r\n\r\n');
    expect((await peer.next()).text).toBe('\r\n');
    expect(peer.received).toHaveLength(1);
    expect(transport.stats()).toMatchObject({ keepAlives: 3, dropped: 0 });
  });

  it('refuses malformed requests as over TCP, and the connection goes on', async () => {
    const { transport, inbox, open } = await webLayer();
    const peer = await open();
    peer.send(request(VIA, ['CSeq', '1 INVITE']).toString());
    expect((await peer.next()).text).toMatch(/^SIP\/2.0 400 Bad Request \(CSeq\)\r\n/);
    peer.send(request(VIA).toString().replace('Content-Length: 0', 'Content-Length: 9'));
    expect((await peer.next()).text).toMatch(/^SIP\/2.0 400 Bad Request \(truncated\)\r\n/);
    peer.send(request(VIA).toString().replace('Content-Length: 0', 'Content-Length: -9'));
    expect((await peer.next()).text).toMatch(/^SIP\/2.0 400 /);
    peer.send(request(VIA).toString());
    await inbox.next();
    expect(transport.stats()).toMatchObject({ received: 1, rejected: 3 });
  });

  it('lets what is urgent pass', async () => {
    const { inbox, open } = await webLayer({
      urgencyOf: ({ uri }) => (uri === 'sip:112@h' ? 'proven' : 'none'),
    });
    const peer = await open();
    const plain = request(VIA).toString();
    for (let n = 0; n < 60; n++) peer.send(plain);
    peer.send(plain.replace('sip:bob@h', 'sip:112@h'));
    const order: string[] = [];
    for (let n = 0; n < 61; n++) order.push((await inbox.next()).message.uri);
    expect(order.indexOf('sip:112@h')).toBeGreaterThan(-1);
    expect(order.indexOf('sip:112@h')).toBeLessThan(60);
  });
});

describe('what breaks the rules', () => {
  it.each([
    ['what is no SIP', frame(0x81, Buffer.from('GET / HTTP/1.1')), 1007],
    ['text that is no UTF-8', frame(0x81, Buffer.from([0xc3, 0x28])), 1007],
    ['a reserved opcode', frame(0x83, Buffer.from('x')), 1002],
    ['a reserved bit', frame(0xc1, Buffer.from('x')), 1002],
    ['a continuation of nothing', frame(0x80, Buffer.from('x')), 1002],
    ['a ping in fragments', frame(0x09, Buffer.from('x')), 1002],
    ['a frame without mask', Buffer.from([0x81, 0x01, 0x78]), 1002],
    ['more than a message may have', frame(0x81, Buffer.alloc(2_001, 'x')), 1009],
    [
      'a frame that says it is huge',
      Buffer.from([0x81, 0xff, 0x7f, 255, 255, 255, 255, 255, 255, 255]),
      1009,
    ],
  ])('%s gets its close code', async (_what, octets, code) => {
    const { transport, to, closed } = await webLayer({ limits: { maxMessageBytes: 2_000 } });
    const peer = await rawPeer(to);
    peer.socket.write(octets);
    const close = Buffer.from(await peer.inbox.next(), 'latin1');
    expect(close[0]).toBe(0x88);
    expect(close.readUInt16BE(2)).toBe(code);
    expect(transport.stats()).toMatchObject({ dropped: 1, handlerErrors: 0 });
    // The peer agrees, and the connection ends.
    peer.socket.write(frame(0x88, Buffer.from([code >> 8, code & 255])));
    expect((await closed.next()).closed).toBe(true);
    expect(transport.stats().connections).toBe(0);
  });

  it('nothing is read after a close, and a peer that does not agree is cut off', async () => {
    const clock = new FakeClock();
    const { transport, inbox, to } = await webLayer({ clock });
    const peer = await rawPeer(to);
    const text = Buffer.from(request(VIA).toString(), 'latin1');
    peer.socket.write(frame(0x81, text));
    const { flow } = await inbox.next();
    peer.socket.write(Buffer.concat([frame(0x81, Buffer.from('junk')), frame(0x81, text)]));
    await peer.inbox.next();
    expect(flow).toMatchObject({ closed: true, closeError: { code: 'FLOW_CLOSED' } });
    expect(transport.stats().received).toBe(1);
    expect(transport.flowTo({ protocol: 'ws', host: '127.0.0.1', port: flow.remotePort })).toBeUndefined();
    await expect(new Promise((resolve) => flow.send('x', resolve))).resolves.toMatchObject({
      code: 'FLOW_CLOSED',
    });
    clock.advance(5_000);
    expect(peer.socket.destroyed).toBe(false);
    clock.advance(1_000);
    await peer.closed;
  });
});

describe('the handshake', () => {
  it.each<[string, WsPeerOptions, number]>([
    ['without the subprotocol', { protocols: [] }, 400],
    ['with another subprotocol', { protocols: ['chat'] }, 400],
    ['at another path', { path: '/phone' }, 404],
    ['from a page of anywhere', { origin: 'https://evil.example' }, 403],
  ])('%s is refused, and the connection ends', async (_what, options, status) => {
    const { open, closed } = await webLayer();
    await expect(open(options)).rejects.toThrow(`Unexpected server response: ${status}`);
    await closed.next();
  });

  it('takes pages of its own host, and with a list those alone', async () => {
    const own = await webLayer();
    await own.open({ origin: 'http://127.0.0.1:8080' });
    await own.open({ origin: 'http://localhost:8080' });
    const listed = await webLayer({}, { origins: ['https://phones.example'] });
    const peer = await listed.open({ origin: 'https://phones.example', protocols: ['chat', 'sip'] });
    expect(peer.socket.protocol).toBe('sip');
    await expect(listed.open({ origin: 'http://127.0.0.1:8080' })).rejects.toThrow('403');
  });

  it('answers plain HTTP with 426', async () => {
    const { to, closed } = await webLayer();
    const answer = await fetch(`http://${to.host}:${to.port}/`);
    expect(answer.status).toBe(426);
    expect(answer.headers.get('upgrade')).toBe('websocket');
    await closed.next();
  });

  it.each([
    ['no HTTP', 'INVITE sip:bob@h SIP/2.0\r\n\r\n'],
    ['a head without end', `GET / HTTP/1.1\r\nX: ${'x'.repeat(20_000)}`],
    ['CONNECT', 'CONNECT h:1 HTTP/1.1\r\nHost: h\r\n\r\n'],
    [
      'a version of nobody',
      'GET / HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Protocol: sip\r\nSec-WebSocket-Version: 99\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
    ],
  ])('%s ends the connection', async (_what, text) => {
    const { ws, closed } = await webLayer();
    const peer = await tcpPeer(ws);
    peer.socket.write(text);
    await peer.closed;
    await closed.next();
  });

  it('must come in time', async () => {
    const clock = new FakeClock();
    const { ws, transport } = await webLayer({ clock, limits: { handshakeMs: 3_000 } });
    const mute = await tcpPeer(ws);
    const slow = await tcpPeer(ws);
    slow.socket.write('GET / HTTP/1.1\r\nHost: h\r\n');
    while (transport.stats().connections < 2) await new Promise((resolve) => setImmediate(resolve));
    clock.advance(2_000);
    expect(transport.stats().connections).toBe(2);
    clock.advance(1_000);
    await Promise.all([mute.closed, slow.closed]);
  });
});

describe('limits', () => {
  it('counts connections in all and by address, handshake or not', async () => {
    for (const limits of [{ maxConnections: 1 }, { maxConnectionsPerAddress: 1 }]) {
      const { transport, ws, inbox, open } = await webLayer({ limits });
      const peer = await open();
      peer.send(request(VIA).toString());
      await inbox.next();
      await (await tcpPeer(ws)).closed;
      expect(transport.stats()).toMatchObject({ connections: 1, refused: 1 });
    }
  });

  it('makes room by closing one that only pings, before one that speaks', async () => {
    const clock = new FakeClock();
    const { transport, inbox, open } = await webLayer({ clock, limits: { maxConnections: 2 } });
    const speaker = await open();
    speaker.send(request(VIA).toString());
    await inbox.next();
    const pinger = await open();
    clock.advance(5_001);
    pinger.socket.ping();
    await once(pinger.socket, 'pong');
    await open();
    expect(await pinger.closed).toBe(1006);
    expect(transport.stats()).toMatchObject({ connections: 2, displaced: 1 });
  });

  it('closes a connection that never says anything, and one that falls silent although it pongs', async () => {
    const clock = new FakeClock();
    const { transport, inbox, open } = await webLayer({
      clock,
      limits: { firstMessageMs: 5_000, idleMs: 20_000, pingMs: 60_000 },
    });
    const mute = await open();
    const peer = await open();
    peer.send(request(VIA).toString());
    await inbox.next();
    clock.advance(5_000);
    expect(await mute.closed).toBe(1006);
    peer.socket.ping();
    await once(peer.socket, 'pong');
    clock.advance(14_000);
    expect(transport.stats().connections).toBe(1);
    clock.advance(1_000);
    expect(await peer.closed).toBe(1006);
  });

  it('pings a quiet peer, and gives it up when nothing comes back', async () => {
    const clock = new FakeClock();
    const { transport, inbox, closed, to, open } = await webLayer({
      clock,
      limits: { pingMs: 30_000, pongMs: 10_000 },
    });
    const alive = await open();
    alive.send(request(VIA).toString());
    await inbox.next();
    const dead = await rawPeer(to);
    dead.socket.write(frame(0x81, Buffer.from(request(VIA).toString(), 'latin1')));
    const { flow } = await inbox.next();
    clock.advance(1_000);
    clock.advance(30_000);
    await once(alive.socket, 'ping');
    expect(await dead.inbox.next()).toBe('\u0089\u0000');
    // A pong is on its way to the engine before this comes back.
    alive.socket.ping();
    await once(alive.socket, 'pong');
    clock.advance(9_000);
    expect(flow.closed).toBe(false);
    clock.advance(1_000);
    expect(await closed.next()).toBe(flow);
    await dead.closed;
    clock.advance(5_000);
    expect(transport.stats().connections).toBe(1);
  });

  it('closes a connection that drips a message', async () => {
    const clock = new FakeClock();
    const { to, inbox, open } = await webLayer({
      clock,
      limits: { halfMessageMs: 5_000, firstMessageMs: 99_000 },
    });
    const peer = await rawPeer(to);
    const whole = frame(0x81, Buffer.from(request(VIA).toString(), 'latin1'));
    peer.socket.write(whole);
    const { flow } = await inbox.next();
    const witness = await open();
    for (let second = 0; second < 6; second++) {
      expect(flow.closed).toBe(false);
      peer.socket.write(whole.subarray(second, second + 1));
      // Written later: when its pong is back, the octet has arrived too.
      witness.socket.ping();
      await once(witness.socket, 'pong');
      clock.advance(1_000);
    }
    expect(flow.closed).toBe(true);
    await peer.closed;
  });

  it('closes a connection whose peer does not read', async () => {
    const { inbox, closed, open } = await webLayer({ limits: { maxUnsentBytes: 100_000 } });
    const peer = await open();
    peer.send(request(VIA).toString());
    const { flow } = await inbox.next();
    peer.socket.pause();
    const large = 'x'.repeat(60_000);
    for (let n = 0; n < 500 && !flow.closed; n++) flow.send(large);
    expect(await closed.next()).toBe(flow);
  });
});

describe('the end', () => {
  it('is told upwards, and there is no way back to the peer', async () => {
    const { transport, inbox, closed, open } = await webLayer();
    const peer = await open();
    peer.send(request(VIA).toString());
    const { message, flow } = await inbox.next();
    const target = { protocol: 'ws' as const, host: '127.0.0.1', port: flow.remotePort };
    expect(transport.flowTo(target)).toBe(flow);
    peer.cut();
    expect(await closed.next()).toBe(flow);
    expect(transport.flowTo(target)).toBeUndefined();
    expect(transport.responseFlow(flow, message.topVia)).toBeUndefined();
    expect(transport.stats().connections).toBe(0);
  });

  it('of the engine is told with 1001', async () => {
    const { transport, inbox, open } = await webLayer();
    const peer = await open();
    peer.send(request(VIA).toString());
    await inbox.next();
    await transport.stop();
    expect(await peer.closed).toBe(1001);
  });

  it('works over IPv6', async () => {
    const { inbox, open } = await webLayer({}, { host: '::1' });
    const peer = await open({ origin: 'http://[::1]:8080' });
    peer.send(request(VIA).toString());
    expect((await inbox.next()).message.topVia?.params.get('received')).toBe('::1');
  });
});
