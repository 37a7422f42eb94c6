import type { Log } from './ports.ts';
import { createSrf, type Srf, type Subscriber } from './srf.ts';

export interface SipServerAddress {
  readonly host: string;
  readonly port: number;
  readonly secret: string;
  /** Octets of the longest message it takes; absent: any. */
  readonly longest?: number;
}

/** The application's connection to its SIP server, embedded or not: kept up, and known to be up or not. */
export class SipConnection {
  readonly srf: Srf & Subscriber = createSrf();
  readonly #log: Log;
  #hostPorts: string[] = [];
  #connected = false;
  #down = false;
  #stopped = false;
  #toldTooLong = false;

  constructor(log: Log) {
    this.#log = log;
  }

  get connected(): boolean {
    return this.#connected;
  }

  /** What the server listens on: `udp/127.0.0.1:5060`, … */
  get hostPorts(): readonly string[] {
    return this.#hostPorts;
  }

  /** Resolves when connected for the first time; later losses are repaired by drachtio-srf itself. */
  connect({ host, port, secret, longest }: SipServerAddress): Promise<void> {
    return new Promise((resolve, reject) => {
      this.srf.on('connect', (error, hostPorts) => {
        if (error) return reject(new Error('The SIP server refuses our secret (sip.drachtio.secret)'));
        this.#connected = true;
        this.#down = false;
        this.#hostPorts = String(hostPorts ?? '')
          .split(',')
          .filter(Boolean);
        this.#log.debug(
          { server: `${host}:${port}`, listens: this.#hostPorts },
          'connected to the SIP server',
        );
        resolve();
      });
      this.srf.on('error', (error) => this.#failed(error));
      this.srf.on('close', () => this.#failed(undefined));
      this.srf.connect({ host, port, secret, longest, onTooLong: (octets) => this.#tooLong(octets) });
    });
  }

  disconnect(): void {
    this.#stopped = true;
    // drachtio-srf throws when there is no connection to end.
    if (this.#connected) this.srf.disconnect();
    this.#connected = false;
  }

  /** Said once: who sends such a message can send many. */
  #tooLong(octets: number): void {
    if (!this.#toldTooLong) this.#log.warn({ octets }, 'a message is too long for the SIP server: not sent');
    this.#toldTooLong = true;
  }

  /** Said once per outage; drachtio-srf tries again by itself. */
  #failed(error: unknown): void {
    const first = this.#connected || !this.#down;
    this.#connected = false;
    this.#down = true;
    if (first && !this.#stopped)
      this.#log.error({ err: error }, 'no connection to the SIP server, trying again');
  }
}
