import type { SipMessage } from '../../src/sip-engine/message/message.ts';
import { parseMessage } from '../../src/sip-engine/message/parse.ts';
import type { Flow } from '../../src/sip-engine/transport/flow.ts';
import type { SipAddress } from '../../src/sip-engine/transport/transport-layer.ts';

/** A flow that keeps what is sent. */
export class FakeFlow implements Flow {
  readonly protocol: 'udp' | 'tcp';
  readonly localAddress = '192.0.2.1';
  readonly localPort = 5060;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly sent: SipMessage[] = [];
  /** If set, every send fails with it. */
  failure: Error | undefined;
  closed = false;

  constructor(protocol: 'udp' | 'tcp' = 'udp', remoteAddress = '192.0.2.99', remotePort = 5060) {
    this.protocol = protocol;
    this.remoteAddress = remoteAddress;
    this.remotePort = remotePort;
  }

  get reliable(): boolean {
    return this.protocol === 'tcp';
  }

  send(text: string, onError?: (error: Error) => void): void {
    const { failure } = this;
    if (failure !== undefined) {
      queueMicrotask(() => onError?.(failure));
      return;
    }
    const message = parseMessage(text, 'stream');
    if (message === undefined) throw new Error(`not SIP: ${text}`);
    this.sent.push(message);
  }

  /** What was sent since the last call, as 'INVITE' or '200 INVITE'. */
  take(): string[] {
    return this.sent.splice(0).map((m) => (m.isRequest ? m.method : `${m.status} ${m.method}`));
  }
}

/** The part of the transport layer that the transaction layer uses. */
export class FakeTransport {
  onMessage: (message: SipMessage, flow: Flow, size: number) => void = () => {};
  onFlowClosed: (flow: Flow) => void = () => {};
  /** Where responses go whose own flow is closed. */
  fallback: Flow | undefined;

  addressFor(flow: Flow): SipAddress {
    const { protocol } = flow;
    return { protocol, host: '192.0.2.1', port: 5060, localHost: '192.0.2.1', localPort: 5060 };
  }

  responseFlow(flow: Flow): Flow | undefined {
    return flow.closed ? this.fallback : flow;
  }

  /** Lets a message arrive. */
  deliver(message: SipMessage | string, flow: Flow): void {
    const text = message.toString();
    const parsed = parseMessage(text, 'datagram');
    if (parsed === undefined) throw new Error(`not SIP: ${text}`);
    this.onMessage(parsed, flow, text.length);
  }
}
