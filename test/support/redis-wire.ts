import { createConnection, createServer, type Socket } from 'node:net';

/** A wire in front of a Redis that can keep out everybody but Hotdesk: a partition with the clients on the wrong side. */
export interface RedisWire {
  readonly port: number;
  /** Sentinels and replicas get nothing through any more, and nothing from it. */
  cut(): void;
  heal(): void;
  close(): void;
}

/** Lays a wire to a port of loopback. Hotdesk is known by the name it gives its connections. */
export async function layWire(port: number, to: number): Promise<RedisWire> {
  const pairs = new Set<{ near: Socket; far: Socket; ours: boolean }>();
  let isCut = false;

  const server = createServer((near) => {
    const far = createConnection({ port: to, host: '127.0.0.1' });
    const pair = { near, far, ours: false };
    pairs.add(pair);
    for (const end of [near, far]) {
      end.on('error', () => undefined);
      end.on('close', () => {
        near.destroy();
        far.destroy();
        pairs.delete(pair);
      });
    }
    near.once('data', (first: Buffer) => {
      pair.ours = first.includes('hotdesk-');
      far.write(first);
      near.pipe(far).pipe(near);
      if (isCut) hold(pair);
    });
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));

  /** Sockets stay open and say nothing. */
  function hold({ near, far, ours }: { near: Socket; far: Socket; ours: boolean }): void {
    if (ours) return;
    near.unpipe(far).pause();
    far.unpipe(near).pause();
  }

  function drop(): void {
    for (const { near, far } of pairs) {
      near.destroy();
      far.destroy();
    }
  }

  return {
    port,
    cut() {
      isCut = true;
      for (const pair of pairs) hold(pair);
    },
    heal() {
      isCut = false;
      drop();
    },
    close() {
      server.close();
      drop();
    },
  };
}
