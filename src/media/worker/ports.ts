import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';

/** Eight emergency calls of browsers take as many. */
const MOST_RESERVED = 16;

/** One bound UDP socket per call, on even ports, round robin over the range. */
export class PortPool {
  private readonly address: string;
  private readonly ports: readonly number[];
  /** Kept for calls that may not fail. */
  private readonly reserve: number;
  private readonly used = new Set<number>();
  private next = 0;

  /** `reserves`: whether urgent calls are to be expected; otherwise every port is for everybody. */
  constructor(address: string, range: { from: number; to: number; reserves?: boolean }) {
    this.address = address;
    const first = range.from + (range.from % 2);
    const count = Math.max(0, Math.floor((range.to - first) / 2) + 1);
    this.ports = Array.from({ length: count }, (_, i) => first + 2 * i);
    this.reserve = range.reserves ? Math.min(MOST_RESERVED, count >> 3) : 0;
  }

  /**
   * A bound socket, or undefined when every port is taken; the last few are for urgent calls. Rejects when the address cannot be
   * bound at all.
   */
  async take(urgent = false): Promise<Socket | undefined> {
    if (!urgent && this.used.size >= this.ports.length - this.reserve) return undefined;
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
    const fail = (error: Error): void => {
      socket.close();
      reject(error);
    };
    socket.once('error', fail);
    socket.bind(port, address, () => {
      socket.off('error', fail);
      resolve(socket);
    });
  });
}
