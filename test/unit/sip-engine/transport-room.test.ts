import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { FakeClock } from '../../support/fake-clock.ts';
import { layer, request, tcpPeer, wrap } from './transport-bench.ts';

/** Who has to leave a full connection table, so that nobody keeps an emergency call out with idle connections. */

describe.each([{ maxConnections: 2 }, { maxConnectionsPerAddress: 2 }])('a table full by %o', (limits) => {
  async function full() {
    const clock = new FakeClock();
    const built = await layer({ clock, limits });
    const speaker = async () => {
      const peer = await tcpPeer(built.tcp);
      peer.socket.write(request().toString());
      const { flow } = await built.inbox.next();
      return { ...peer, flow };
    };
    return { ...built, clock, speaker };
  }

  it('closes the connection idle for longest in favour of a new one', async () => {
    const { transport, closed, clock, speaker } = await full();
    const first = await speaker();
    const second = await speaker();
    clock.advance(1_000);
    first.socket.write('\r\n\r\n');
    await first.inbox.next();
    clock.advance(5_001);
    const third = await speaker();
    expect(await closed.next()).toBe(second.flow);
    await second.closed;
    clock.advance(1_000);
    third.flow.send('x');
    first.flow.send('x');
    clock.advance(5_001);
    third.flow.send('x');
    await speaker();
    expect(await closed.next()).toBe(first.flow);
    expect(transport.stats()).toMatchObject({ connections: 2, refused: 0, displaced: 2 });
    expect(third.flow.closed).toBe(false);
  });

  it('closes one that never carried a message before any that did', async () => {
    const { transport, clock, tcp, speaker } = await full();
    const speaking = await speaker();
    clock.advance(1_000);
    const mute = await tcpPeer(tcp);
    mute.socket.write('\r\n\r\n');
    await mute.inbox.next();
    clock.advance(5_001);
    await speaker();
    await mute.closed;
    expect(transport.stats()).toMatchObject({ connections: 2, displaced: 1 });
    expect(speaking.flow.closed).toBe(false);
  });

  it('refuses a new one while none was idle for more than 5 s', async () => {
    const { transport, clock, tcp, speaker } = await full();
    await speaker();
    await speaker();
    clock.advance(5_000);
    await (await tcpPeer(tcp)).closed;
    expect(transport.stats()).toMatchObject({ connections: 2, refused: 1, displaced: 0 });
  });

  it('makes room for a connection of its own, and its bound holds at once', async () => {
    const { transport, closed, clock, speaker } = await full();
    const first = await speaker();
    await speaker();
    clock.advance(5_001);
    const target = { protocol: 'tcp' as const, host: '127.0.0.1', port: first.flow.localPort };
    const dialled = transport.flowTo(target);
    expect(dialled).toBeDefined();
    expect(transport.stats()).toMatchObject({ connections: 2, displaced: 1 });
    expect(await closed.next()).toBe(first.flow);
    expect(first.flow).toMatchObject({ closed: true, closeError: { code: 'FLOW_CLOSED' } });
    await expect(new Promise((resolve) => first.flow.send('x', resolve))).resolves.toMatchObject({
      code: 'FLOW_CLOSED',
    });
    expect(transport.flowTo(target)).toBe(dialled);
  });
});

it('makes room for an address among its own connections, not among those of others', async () => {
  const clock = new FakeClock();
  const { transport, inbox, closed, tcp } = await layer({ clock, limits: { maxConnectionsPerAddress: 1 } });
  const from = async (localAddress: string) => {
    const peer = wrap(connect({ host: tcp.localHost, port: tcp.localPort, localAddress }));
    peer.socket.write(request().toString());
    return (await inbox.next()).flow;
  };
  const honest = await from('127.0.0.2');
  clock.advance(1_000);
  const greedy = await from('127.0.0.3');
  clock.advance(5_001);
  await from('127.0.0.3');
  expect(await closed.next()).toBe(greedy);
  expect(honest.closed).toBe(false);
  expect(transport.stats()).toMatchObject({ connections: 2, displaced: 1 });
});
