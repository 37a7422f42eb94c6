import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';

/** One bound UDP socket per call, on even ports, round robin over the range. */
export class PortPool {
  private readonly address: string;
  private readonly ports: readonly number[];
  private readonly used = new Set<number>();
  private next = 0;

  constructor(address: string, range: { from: number; to: number }) {
    this.address = address;
    const first = range.from + (range.from % 2);
    const count = Math.max(0, Math.floor((range.to - first) / 2) + 1);
    this.ports = Array.from({ length: count }, (_, i) => first + 2 * i);
  }

  /** A bound socket, or undefined when every port is taken. Rejects when the address cannot be bound at all. */
  async take(): Promise<Socket | undefined> {
    for (let tries = 0; tries < this.ports.length; tries++) {
      const port = this.ports[this.next++ % this.ports.length] as number;
      if (this.used.has(port)) continue;
      this.used.add(port);
      try {
        return await bindSocket(this.address, port);
      } catch (error) {
        this.used.delete(port);
        if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
      }
    }
    return undefined;
  }

  /** Closes a socket of `take` and gives its port back. */
  release(socket: Socket): Promise<void> {
    const { port } = socket.address();
    return new Promise((resolve) => {
      socket.close(() => {
        this.used.delete(port);
        resolve();
      });
    });
  }
}

/** Binds UDP; addresses are always literal, so the resolver Node asks once per packet just hands them back. */
export function bindSocket(address: string, port: number): Promise<Socket> {
  const family = isIPv6(address) ? 6 : 4;
  const socket = createSocket({
    type: family === 6 ? 'udp6' : 'udp4',
    lookup: (host, _options, done) => done(null, host, family),
  });
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(port, address, () => {
      socket.off('error', reject);
      resolve(socket);
    });
  });
}
