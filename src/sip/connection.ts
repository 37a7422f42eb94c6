import type { Log } from './ports.ts';
import { createSrf, type Srf, type Subscriber } from './srf.ts';

export interface SipServerAddress {
  readonly host: string;
  readonly port: number;
  readonly secret: string;
}

/** The application's connection to its SIP server, embedded or not: kept up, and known to be up or not. */
export class SipConnection {
  readonly srf: Srf & Subscriber = createSrf();
  readonly #log: Log;
  #hostPorts: string[] = [];
  #connected = false;
  #down = false;
  #stopped = false;

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
  connect({ host, port, secret }: SipServerAddress): Promise<void> {
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
      this.srf.connect({ host, port, secret });
    });
  }

  disconnect(): void {
    this.#stopped = true;
    // drachtio-srf throws when there is no connection to end.
    if (this.#connected) this.srf.disconnect();
    this.#connected = false;
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
