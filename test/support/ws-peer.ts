import { once } from 'node:events';
import { type ClientOptions, type RawData, WebSocket } from 'ws';

export interface WsPeerOptions extends ClientOptions {
  readonly protocols?: readonly string[];
  readonly path?: string;
}

interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** What came as one message of a WebSocket; latin1. */
export interface WsText {
  readonly text: string;
  readonly binary: boolean;
}

/** One end of SIP over WebSocket: sends what it is told and keeps what it gets. */
export class WsPeer {
  readonly socket: WebSocket;
  readonly received: WsText[] = [];
  /** The close code, once it is closed. */
  readonly closed: Promise<number>;
  #waiting: (() => void)[] = [];
  #read = 0;

  constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('error', () => undefined);
    socket.on('message', (data: RawData, binary: boolean) => {
      this.received.push({ text: (data as Buffer).toString('latin1'), binary });
      for (const wake of this.#waiting.splice(0)) wake();
    });
    this.closed = new Promise((resolve) => socket.on('close', (code) => resolve(code)));
  }

  /** Opens a WebSocket for `sip`; rejects with `Unexpected server response: …` when that is refused. */
  static async open({ host, port }: Endpoint, options: WsPeerOptions = {}): Promise<WsPeer> {
    const { protocols = ['sip'], path = '/', ...rest } = options;
    const name = host.includes(':') ? `[${host}]` : host;
    const socket = new WebSocket(`ws://${name}:${port}${path}`, [...protocols], rest);
    const peer = new WsPeer(socket);
    await once(socket, 'open');
    return peer;
  }

  /** Sends one message, as text unless told otherwise. */
  send(text: string, binary = false): void {
    this.socket.send(Buffer.from(text, 'latin1'), { binary });
  }

  /** The next message that nobody has asked for yet. */
  async next(): Promise<WsText> {
    while (this.received.length <= this.#read)
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return this.received[this.#read++] as WsText;
  }

  /** The port of this end. */
  get port(): number {
    return (this.socket as unknown as { _socket: { localPort: number } })._socket.localPort;
  }

  /** Gone without a word of WebSocket. */
  cut(): void {
    this.socket.terminate();
  }
}
