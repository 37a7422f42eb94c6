import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { connect } from 'node:net';
import { afterEach } from 'vitest';
import { systemClock } from '../../../src/sip-engine/clock.ts';
import { SipMessage } from '../../../src/sip-engine/message/message.ts';
import type { Flow } from '../../../src/sip-engine/transport/flow.ts';
import type { SipAddress, TransportOptions } from '../../../src/sip-engine/transport/transport-layer.ts';
import { TransportLayer } from '../../../src/sip-engine/transport/transport-layer.ts';

interface Received {
  message: SipMessage;
  flow: Flow;
  size: number;
}

/** What to undo after the test, last first. */
export const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanUps.splice(0).reverse()) await clean();
});

/** A queue one can wait on. */
export class Inbox<T> {
  readonly #items: T[] = [];
  #waiting: ((item: T) => void) | undefined;

  readonly put = (item: T): void => {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting) waiting(item);
    else this.#items.push(item);
  };

  next(): Promise<T> {
    const item = this.#items.shift();
    return item === undefined ? new Promise((resolve) => (this.#waiting = resolve)) : Promise.resolve(item);
  }
}

/** A started transport layer on free loopback ports, with what it hands up. */
export async function layer(options: Partial<TransportOptions> = {}) {
  const listen = options.listen ?? [
    { protocol: 'udp' as const, host: '127.0.0.1', port: 0 },
    { protocol: 'tcp' as const, host: '127.0.0.1', port: 0 },
  ];
  const transport = new TransportLayer({ clock: systemClock, ...options, listen });
  const inbox = new Inbox<Received>();
  const closed = new Inbox<Flow>();
  transport.onMessage = (message, flow, size) => inbox.put({ message, flow, size });
  transport.onFlowClosed = closed.put;
  await transport.start();
  cleanUps.push(() => transport.stop());
  const [udp, tcp] = transport.addresses() as [SipAddress, SipAddress];
  return { transport, inbox, closed, udp, tcp };
}

/** A sane OPTIONS, with these headers set to something else. */
export function request(...changes: [name: string, value: string][]): SipMessage {
  const message = SipMessage.request('OPTIONS', 'sip:bob@h')
    .add('Via', 'SIP/2.0/UDP h;branch=z9hG4bK1')
    .add('From', '<sip:a@h>;tag=1')
    .add('To', '<sip:bob@h>')
    .add('Call-ID', 'c@h')
    .add('CSeq', '1 OPTIONS');
  for (const [name, value] of changes) message.set(name, value);
  return message;
}

export async function udpPeer() {
  const socket = createSocket('udp4');
  const inbox = new Inbox<string>();
  socket.on('message', (data) => inbox.put(data.toString('latin1')));
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  cleanUps.push(() => socket.close());
  const send = (text: string, to: SipAddress) =>
    socket.send(Buffer.from(text, 'latin1'), to.localPort, to.localHost);
  return { send, inbox, port: socket.address().port };
}

/** What arrives on a socket, and when it closes. */
export function wrap(socket: Socket) {
  const inbox = new Inbox<string>();
  socket.setEncoding('latin1');
  socket.on('data', (chunk: string) => inbox.put(chunk));
  socket.on('error', () => {});
  cleanUps.push(() => socket.destroy());
  return { socket, inbox, closed: new Promise<void>((resolve) => socket.on('close', () => resolve())) };
}

export async function tcpPeer(to: SipAddress) {
  const socket = connect(to.localPort, to.localHost);
  const peer = wrap(socket);
  await once(socket, 'connect');
  return peer;
}
