import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';

/** An application that speaks the protocol by hand: frames as text, no rules. */
export class RawApp {
  readonly socket: Socket;
  /** Payloads received, in order. */
  readonly payloads: string[] = [];
  closed = false;
  #pending = Buffer.alloc(0);
  #serial = 0;

  constructor(socket: Socket) {
    this.socket = socket;
  }

  static async open(port: number): Promise<RawApp> {
    const socket = createConnection({ host: '127.0.0.1', port });
    await once(socket, 'connect');
    const app = new RawApp(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      app.closed = true;
    });
    socket.on('data', (data) => app.#feed(data));
    return app;
  }

  /** Sends one command and returns its id. */
  send(command: string): string {
    const id = this.id();
    this.socket.write(frame(`${id}|${command}`));
    return id;
  }

  id(): string {
    this.#serial += 1;
    return `m${this.#serial}`;
  }

  /** Tokens of the `response` to command `id`, and the SIP text that follows them. */
  async response(id: string): Promise<{ tokens: string[]; sip: string }> {
    return this.find((payload) => payload.split('|')[1] === 'response' && payload.split('|')[2] === id);
  }

  async find(match: (payload: string) => boolean, ms = 3_000): Promise<{ tokens: string[]; sip: string }> {
    const end = Date.now() + ms;
    for (;;) {
      const payload = this.payloads.find(match);
      if (payload !== undefined) return split(payload);
      if (Date.now() > end) throw new Error(`not received; got:\n${this.payloads.join('\n--\n')}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  async ask(command: string): Promise<string[]> {
    return (await this.response(this.send(command))).tokens;
  }

  close(): void {
    this.socket.destroy();
  }

  #feed(data: Buffer): void {
    this.#pending = Buffer.concat([this.#pending, data]);
    for (;;) {
      const hash = this.#pending.indexOf('#');
      const length = Number(this.#pending.toString('latin1', 0, Math.max(hash, 0)));
      if (hash < 0 || this.#pending.length < hash + 1 + length) return;
      this.payloads.push(this.#pending.toString('utf8', hash + 1, hash + 1 + length));
      this.#pending = this.#pending.subarray(hash + 1 + length);
    }
  }
}

export function frame(payload: string): Buffer {
  return Buffer.from(`${Buffer.byteLength(payload)}#${payload}`);
}

function split(payload: string): { tokens: string[]; sip: string } {
  const end = payload.indexOf('\r\n');
  const line = end < 0 ? payload : payload.slice(0, end);
  return { tokens: line.split('|'), sip: end < 0 ? '' : payload.slice(end + 2) };
}
