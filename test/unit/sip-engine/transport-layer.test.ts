import { once } from 'node:events';
import { connect, createServer, Socket } from 'node:net';
import { describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../../src/sip-engine/clock.ts';
import { SipMessage } from '../../../src/sip-engine/message/message.ts';
import type { Flow } from '../../../src/sip-engine/transport/flow.ts';
import type { SipAddress } from '../../../src/sip-engine/transport/transport-layer.ts';
import { TransportLayer } from '../../../src/sip-engine/transport/transport-layer.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { cleanUps, Inbox, layer, request, tcpPeer, udpPeer, wrap } from './transport-bench.ts';

describe('UDP', () => {
  it('hands up a sane request with its source in the Via, and answers over the same socket', async () => {
    const { inbox, udp } = await layer();
    const peer = await udpPeer();
    const text = request().toString();
    peer.send(text, udp);
    const { message, flow, size } = await inbox.next();
    expect(message.get('Via')).toBe(`SIP/2.0/UDP h;branch=z9hG4bK1;received=127.0.0.1;rport=${peer.port}`);
    expect(flow).toMatchObject({
      protocol: 'udp',
      reliable: false,
      localAddress: '127.0.0.1',
      localPort: udp.port,
      remotePort: peer.port,
      closed: false,
    });
    expect(size).toBe(text.length);
    flow.send('octets \u00ff\u0000');
    expect(await peer.inbox.next()).toBe('octets \u00ff\u0000');
  });

  it('answers malformed requests, drops the rest and ignores keep-alives', async () => {
    const { transport, inbox, udp } = await layer();
    const peer = await udpPeer();
    peer.send('\r\n\r\n', udp);
    peer.send('\u0000\u0001\u0000\u0000!\u0012\u00a4Bxxxxxxxxxxxx', udp);
    peer.send(request(['Via', 'nowhere']).toString(), udp);
    peer.send(SipMessage.response(request(['CSeq', 'x']), 200).toString(), udp);
    peer.send(request(['CSeq', '1 INVITE']).toString(), udp);
    const answer = await peer.inbox.next();
    expect(answer).toMatch(/^SIP\/2.0 400 Bad Request \(CSeq\)\r\n/);
    expect(answer).toMatch(/\r\nTo: <sip:bob@h>;tag=[0-9a-f]{16}\r\n/);
    expect(answer).toContain(`rport=${peer.port}\r\n`);
    peer.send(request().toString(), udp);
    await inbox.next();
    expect(transport.stats()).toMatchObject({ received: 1, keepAlives: 1, junk: 1, dropped: 2, rejected: 1 });
  });

  it('survives a handler that throws, and tells it', async () => {
    const errors = new Inbox<Error>();
    const { transport, inbox, udp } = await layer({ onError: errors.put });
    const peer = await udpPeer();
    const deliver = transport.onMessage;
    transport.onMessage = () => {
      throw new Error('a bug');
    };
    peer.send(request().toString(), udp);
    expect((await errors.next()).message).toBe('a bug');
    transport.onMessage = deliver;
    peer.send(request().toString(), udp);
    await inbox.next();
    expect(transport.stats().handlerErrors).toBe(1);
  });

  it('sends to a peer from its listening port', async () => {
    const { transport, udp } = await layer();
    const peer = await udpPeer();
    const flow = transport.flowTo({ protocol: 'udp', host: '127.0.0.1', port: peer.port });
    flow?.send(request().toString());
    expect(await peer.inbox.next()).toMatch(/^OPTIONS/);
    expect(transport.addressFor(flow as Flow)).toEqual(udp);
    await transport.stop();
    expect(flow?.closed).toBe(true);
    await expect(new Promise((resolve) => flow?.send('x', resolve))).resolves.toMatchObject({
      code: 'FLOW_CLOSED',
    });
  });
});

describe('TCP', () => {
  it('carries several messages each way on one connection, however cut', async () => {
    const { transport, inbox, closed, tcp } = await layer();
    const peer = await tcpPeer(tcp);
    const text = request().toString();
    peer.socket.write(`${text}${text.slice(0, 30)}`);
    const first = await inbox.next();
    peer.socket.write(text.slice(30));
    const second = await inbox.next();
    expect(second.flow).toBe(first.flow);
    expect(first.flow).toMatchObject({
      protocol: 'tcp',
      reliable: true,
      localPort: tcp.port,
      remotePort: peer.socket.localPort,
    });
    first.flow.send('hello');
    expect(await peer.inbox.next()).toBe('hello');
    expect(transport.stats().connections).toBe(1);
    peer.socket.destroy();
    expect(await closed.next()).toBe(first.flow);
    const port = first.flow.remotePort;
    expect(transport.flowTo({ protocol: 'tcp', host: '127.0.0.1', port })).not.toBe(first.flow);
    await closed.next();
    expect(first.flow).toMatchObject({ closed: true, closeError: { code: 'FLOW_CLOSED' } });
    expect(transport.stats().connections).toBe(0);
  });

  it('answers CRLFCRLF with CRLF (RFC 5626 3.5.1)', async () => {
    const { tcp } = await layer();
    const peer = await tcpPeer(tcp);
    peer.socket.write('\r\n\r\n');
    expect(await peer.inbox.next()).toBe('\r\n');
  });

  it.each([
    ['-999', 400],
    ['x', 400],
    ['70000', 413],
  ])('answers Content-Length %s with %i and closes', async (length, status) => {
    const { tcp } = await layer();
    const peer = await tcpPeer(tcp);
    peer.socket.write(request().toString().replace('Content-Length: 0', `Content-Length: ${length}`));
    expect(await peer.inbox.next()).toMatch(new RegExp(`^SIP/2.0 ${status} `));
    await peer.closed;
  });

  it('closes on what is no SIP', async () => {
    const { tcp } = await layer();
    const peer = await tcpPeer(tcp);
    peer.socket.write('GET / HTTP/1.1\r\n\r\n');
    await peer.closed;
  });

  it('uses the connection a peer opened, and dials where there is none', async () => {
    const { transport, inbox, tcp } = await layer();
    const peer = await tcpPeer(tcp);
    peer.socket.write(request().toString());
    const { flow } = await inbox.next();
    const port = peer.socket.localPort ?? 0;
    expect(transport.flowTo({ protocol: 'tcp', host: '127.0.0.1', port })).toBe(flow);

    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    cleanUps.push(() => server.close());
    const target = {
      protocol: 'tcp' as const,
      host: '127.0.0.1',
      port: (server.address() as { port: number }).port,
    };
    const dialled = transport.flowTo(target);
    dialled?.send(request().toString());
    expect(transport.flowTo(target)).toBe(dialled);
    const [socket] = (await once(server, 'connection')) as [Socket];
    const far = wrap(socket);
    expect(await far.inbox.next()).toMatch(/^OPTIONS/);
    socket.write(SipMessage.response(request(), 200).toString());
    expect((await inbox.next()).flow).toBe(dialled);
    expect(transport.addressFor(dialled as Flow)).toEqual(tcp);
  });

  it('reports a refused connection to the sender, later than the send', async () => {
    const { transport, closed } = await layer();
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    await new Promise((resolve) => server.close(resolve));
    const flow = transport.flowTo({ protocol: 'tcp', host: '127.0.0.1', port });
    const failed = new Promise((resolve) => flow?.send('x', resolve));
    await expect(failed).resolves.toMatchObject({ code: 'FLOW_FAILED' });
    expect((await closed.next()).closeError).toMatchObject({ code: 'FLOW_FAILED' });
  });

  it('answers over a new connection if the one of the request is gone (RFC 3261 18.2.2)', async () => {
    const { transport, inbox, closed, tcp } = await layer();
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    cleanUps.push(() => server.close());
    const { port } = server.address() as { port: number };
    const peer = await tcpPeer(tcp);
    peer.socket.write(request(['Via', `SIP/2.0/TCP h:${port};branch=z9hG4bK2`]).toString());
    const { message, flow } = await inbox.next();
    expect(transport.responseFlow(flow, message.topVia)).toBe(flow);
    peer.socket.destroy();
    await closed.next();
    transport.responseFlow(flow, message.topVia)?.send('answer');
    const [socket] = (await once(server, 'connection')) as [Socket];
    expect(await wrap(socket).inbox.next()).toBe('answer');
  });

  it('refuses more connections than allowed, in all and from one address', async () => {
    for (const limits of [{ maxConnections: 1 }, { maxConnectionsPerAddress: 1 }]) {
      const { transport, inbox, tcp } = await layer({ limits });
      const first = await tcpPeer(tcp);
      first.socket.write(request().toString());
      await inbox.next();
      await (await tcpPeer(tcp)).closed;
      expect(transport.stats()).toMatchObject({ connections: 1, refused: 1, displaced: 0 });
      expect(transport.flowTo({ protocol: 'tcp', host: '127.0.0.1', port: 9 })).toBeUndefined();
    }
  });

  it.each([
    ['never says anything', '', { firstMessageMs: 5_000 }],
    ['sends half a message', request().toString().slice(0, -3), { halfMessageMs: 5_000 }],
    ['falls silent', request().toString(), { idleMs: 5_000 }],
  ])('closes a connection that %s', async (_what, text, limits) => {
    const clock = new FakeClock();
    const { transport, inbox, tcp } = await layer({ clock, limits });
    const witness = await tcpPeer(tcp);
    const peer = await tcpPeer(tcp);
    peer.socket.write(text);
    witness.socket.write(request().toString());
    await inbox.next();
    // The witness was written later, so the other's text has arrived too once a ping of its own came back.
    witness.socket.write('\r\n\r\n');
    await witness.inbox.next();
    clock.advance(4_000);
    expect(transport.stats().connections).toBe(2);
    witness.socket.write('\r\n\r\n');
    await witness.inbox.next();
    clock.advance(1_000);
    await peer.closed;
    expect(witness.socket.destroyed).toBe(false);
  });

  it('closes a connection that drips a message octet by octet', async () => {
    const clock = new FakeClock();
    const { transport, inbox, tcp } = await layer({ clock, limits: { halfMessageMs: 5_000 } });
    const peer = await tcpPeer(tcp);
    const witness = await tcpPeer(tcp);
    peer.socket.write(`${request().toString()}OPTIONS`);
    await inbox.next();
    for (let second = 0; second < 5; second++) {
      expect(transport.stats().connections).toBe(2);
      peer.socket.write('x');
      witness.socket.write('\r\n\r\n');
      await witness.inbox.next();
      clock.advance(1_000);
    }
    await peer.closed;
  });

  it.each([
    ['a while', { connectMs: 3_000 }, {}],
    ['as long as this one may take', {}, { connectMs: 3_000 }],
  ])('gives up dialling after %s', async (_when, limits, target) => {
    const clock = new FakeClock();
    const { transport, closed } = await layer({ clock, limits });
    const flow = transport.flowTo({ protocol: 'tcp', host: '127.0.0.1', port: 1, ...target });
    const destroy = vi.spyOn(Socket.prototype, 'destroy');
    clock.advance(2_999);
    expect(destroy).not.toHaveBeenCalled();
    clock.advance(1);
    expect(destroy).toHaveBeenCalled();
    destroy.mockRestore();
    expect(await closed.next()).toBe(flow);
    expect(clock.pending).toBe(0);
  });
});

describe('addresses', () => {
  it('tells the external host and the port the kernel chose', async () => {
    const { udp } = await layer({
      listen: [{ protocol: 'udp', host: '127.0.0.1', port: 0, externalHost: '203.0.113.5' }],
    });
    expect(udp).toMatchObject({
      protocol: 'udp',
      host: '203.0.113.5',
      localHost: '127.0.0.1',
      localPort: udp.port,
    });
    expect(udp.port).toBeGreaterThan(0);
  });

  it('tells a real address for a wildcard', async () => {
    const { transport } = await layer({ listen: [{ protocol: 'udp', host: '0.0.0.0', port: 0 }] });
    const flow = transport.flowTo({ protocol: 'udp', host: '127.0.0.1', port: 5 });
    expect(transport.addressFor(flow as Flow)).toMatchObject({ host: '127.0.0.1', localHost: '0.0.0.0' });
    expect(transport.flowTo({ protocol: 'udp', host: '::1', port: 5 })).toBeUndefined();
    expect(transport.flowTo({ protocol: 'tcp', host: '127.0.0.1', port: 5 })).toBeUndefined();
  });

  it('works over IPv6', async () => {
    const { transport, inbox } = await layer({
      listen: [
        { protocol: 'udp', host: '::1', port: 0 },
        { protocol: 'tcp', host: '::1', port: 0 },
      ],
    });
    for (const { protocol, localPort: port } of transport.addresses()) {
      transport.flowTo({ protocol, host: '::1', port })?.send(request().toString());
      const { message, flow } = await inbox.next();
      expect(message.topVia?.params.get('received')).toBe('::1');
      expect(flow.remoteAddress).toBe('::1');
    }
  });

  it('rejects start if an address is taken, and leaves nothing open', async () => {
    const { udp } = await layer();
    const second = new TransportLayer({
      clock: systemClock,
      listen: [
        { protocol: 'tcp', host: '127.0.0.1', port: 0 },
        { protocol: 'udp', host: '127.0.0.1', port: udp.port },
      ],
    });
    await expect(second.start()).rejects.toMatchObject({ code: 'EADDRINUSE' });
    const [tcp] = second.addresses() as [SipAddress];
    const socket = connect(tcp.localPort, '127.0.0.1');
    const [error] = (await once(socket, 'error')) as [{ code: string }];
    expect(error.code).toBe('ECONNREFUSED');
  });
});
