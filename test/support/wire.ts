import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { createConnection, type Socket as TcpSocket } from 'node:net';
import { SipText } from './sip-text.ts';

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

export interface TracedMessage {
  readonly direction: 'in' | 'out';
  /** ms since 1970. */
  readonly at: number;
  readonly message: SipText;
}

/** One phone's way to its server: a socket, everything that passed over it, and a switch to hear nothing. */
export interface Wire {
  readonly protocol: 'udp' | 'tcp';
  readonly local: Endpoint;
  readonly trace: TracedMessage[];
  /** Messages for which this is true vanish unread: a peer that is plugged in but silent. */
  deaf: (message: SipText) => boolean;
  onMessage: ((text: string) => void) | undefined;
  /** Changes what is about to be sent: for phones that write differently. */
  onSend: (text: string) => string;
  send(text: string): void;
  close(): Promise<void>;
}

/** A UDP wire; `aim` says where it leads, which may be known later than its own address. */
export interface UdpWire extends Wire {
  aim(server: Endpoint): void;
}

/** Opens a wire from loopback to `server`. */
export async function openWire(protocol: 'udp' | 'tcp', server: Endpoint): Promise<Wire> {
  if (protocol === 'tcp') return openTcp(server);
  const wire = await openUdpWire('127.0.0.1');
  wire.aim(server);
  return wire;
}

/** A UDP wire at this address, leading nowhere yet. */
export async function openUdpWire(address: string): Promise<UdpWire> {
  const socket = createSocket({ type: 'udp4', lookup: (host, _options, done) => done(null, host, 4) });
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(0, address, resolve);
  });
  const wire = new LoopbackUdpWire(socket);
  // A port that closed answers with ICMP; to a phone that is silence.
  socket.on('error', () => undefined);
  socket.on('message', (data) => wire.take(data.toString('utf8')));
  return wire;
}

async function openTcp(server: Endpoint): Promise<Wire> {
  const socket = createConnection({ host: server.host, port: server.port, localAddress: '127.0.0.1' });
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.once('connect', resolve);
  });
  const wire = new TcpWire(socket);
  socket.on('error', () => undefined);
  socket.on('data', (data) => wire.feed(data));
  return wire;
}

abstract class BaseWire implements Wire {
  readonly trace: TracedMessage[] = [];
  deaf: (message: SipText) => boolean = () => false;
  onMessage: ((text: string) => void) | undefined;
  onSend: (text: string) => string = (text) => text;
  abstract readonly protocol: 'udp' | 'tcp';
  abstract readonly local: Endpoint;
  abstract send(text: string): void;
  abstract close(): Promise<void>;

  protected note(direction: 'in' | 'out', text: string): SipText {
    const message = new SipText(text);
    this.trace.push({ direction, at: Date.now(), message });
    return message;
  }

  take(text: string): void {
    if (text.trim() === '') return;
    const message = this.note('in', text);
    if (!this.deaf(message)) this.onMessage?.(text);
  }
}

class LoopbackUdpWire extends BaseWire implements UdpWire {
  readonly protocol = 'udp';
  readonly local: Endpoint;
  readonly #socket: UdpSocket;
  #server: Endpoint | undefined;

  constructor(socket: UdpSocket) {
    super();
    this.#socket = socket;
    const { address, port } = socket.address();
    this.local = { host: address, port };
  }

  aim(server: Endpoint): void {
    this.#server = server;
  }

  send(text: string): void {
    if (!this.#server) return;
    this.note('out', text);
    this.#socket.send(text, this.#server.port, this.#server.host);
  }

  close(): Promise<void> {
    // sip.js may still have a timer that sends: let it send to nobody.
    this.#server = undefined;
    return new Promise((resolve) => this.#socket.close(() => resolve()));
  }
}

class TcpWire extends BaseWire {
  readonly protocol = 'tcp';
  readonly local: Endpoint;
  readonly #socket: TcpSocket;
  #pending = Buffer.alloc(0);

  constructor(socket: TcpSocket) {
    super();
    this.#socket = socket;
    this.local = { host: '127.0.0.1', port: socket.localPort ?? 0 };
  }

  send(text: string): void {
    this.note('out', text);
    this.#socket.write(text);
  }

  /** Cuts the stream into messages by Content-Length (RFC 3261 18.3). */
  feed(data: Buffer): void {
    this.#pending = Buffer.concat([this.#pending, data]);
    for (;;) {
      const head = this.#pending.indexOf('\r\n\r\n');
      if (head < 0) return;
      const length = /^(?:content-length|l)\s*:\s*(\d+)/im.exec(this.#pending.toString('latin1', 0, head));
      const end = head + 4 + Number(length?.[1] ?? 0);
      if (this.#pending.length < end) return;
      const text = this.#pending.toString('utf8', 0, end).replace(/^(\r\n)+/, '');
      this.#pending = this.#pending.subarray(end);
      this.take(text);
    }
  }

  close(): Promise<void> {
    this.#socket.destroy();
    return Promise.resolve();
  }
}
