import { once } from 'node:events';
import Srf from 'drachtio-srf';
import {
  createEngine,
  type Engine,
  type EngineOptions,
  type SipAddress,
} from '../../../../src/sip-engine/engine.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { type RawPeerOptions, RawSipPeer } from '../../../support/raw-sip-peer.ts';

/** What these tests use of drachtio-srf, whose own types leave out half of it. */
export interface AppMessage {
  get(name: string): string;
  has(name: string): boolean;
  body: string;
  status: number;
  msg: { body: string };
}
export interface AppRequest extends AppMessage {
  method: string;
  uri: string;
  source_address: string;
  source_port: number;
  receivedOn: string;
  protocol: string;
  stackTxnId: string;
  stackDialogId: string;
  on(event: string, handler: (...args: never[]) => void): void;
  cancel(options?: object, done?: (error: unknown) => void): void;
  proxy(options: object): Promise<unknown>;
}
export interface AppResponse {
  send(status: number, options?: object, done?: (error: unknown, sent?: AppMessage) => void): void;
}
export interface AppDialog {
  id: string;
  remote: { sdp: string };
  on(event: string, handler: (...args: never[]) => void): void;
  destroy(options?: object): Promise<unknown>;
  modify(sdp: string): Promise<string>;
  request(options: object): Promise<AppMessage>;
}
export type AppHandler = (req: AppRequest, res: AppResponse) => unknown;
type Methods = Record<
  | 'invite'
  | 'register'
  | 'options'
  | 'message'
  | 'info'
  | 'notify'
  | 'subscribe'
  | 'publish'
  | 'refer'
  | 'update'
  | 'prack',
  (handler: AppHandler) => void
>;
export interface App extends Methods {
  connect(options: object): void;
  disconnect(): void;
  on(event: string, handler: (...args: never[]) => void): void;
  createUAS(req: AppRequest, res: AppResponse, options: object): Promise<AppDialog>;
  createUAC(uri: string, options: object, progress?: Progress): Promise<AppDialog>;
  createB2BUA(
    req: AppRequest,
    res: AppResponse,
    uri: string,
    options?: object,
  ): Promise<{ uas: AppDialog; uac: AppDialog }>;
  request(uri: string, options: object, done?: (error: unknown, sent: AppRequest) => void): void;
}
export interface Progress {
  cbRequest?: (error: unknown, sent: AppRequest) => void;
  cbProvisional?: (response: AppMessage) => void;
}

export const SECRET = 'a secret of this test';

/** An engine on free loopback ports, an unmodified drachtio-srf connected to it, and raw peers around. */
export class Bench {
  readonly engine: Engine;
  readonly clock: FakeClock | undefined;
  readonly log: { level: string; message: string; data?: object }[] = [];
  readonly #srfs: App[] = [];
  readonly #peers: RawSipPeer[] = [];

  constructor(options: Partial<EngineOptions>, clock: FakeClock | undefined) {
    this.clock = clock;
    this.engine = createEngine({
      listen: [
        { protocol: 'udp', host: '127.0.0.1', port: 0 },
        { protocol: 'tcp', host: '127.0.0.1', port: 0 },
      ],
      secret: SECRET,
      onLog: (level, message, data) => this.log.push({ level, message, ...(data ? { data } : {}) }),
      ...(clock ? { clock } : {}),
      ...options,
    });
  }

  /** With `fake` the clock only moves when told; sockets stay real. */
  static async open(options: Partial<EngineOptions> & { fake?: boolean } = {}): Promise<Bench> {
    const { fake, ...engine } = options;
    const bench = new Bench(engine, fake ? new FakeClock() : undefined);
    await bench.engine.start();
    return bench;
  }

  /** Another application. Its handlers must be set before `ready` of it resolves: pass them as `prepare`. */
  async app(prepare: (srf: App) => void = () => undefined): Promise<App> {
    const srf = new Srf() as unknown as App;
    this.#srfs.push(srf);
    prepare(srf);
    srf.on('error', () => undefined);
    srf.connect({ host: '127.0.0.1', port: this.engine.appPort, secret: SECRET });
    const [error] = await once(srf as unknown as NodeJS.EventEmitter, 'connect');
    if (error) throw error;
    // Routes are sent right behind the authentication: a turn of the loop each way and they are known.
    await turns();
    return srf;
  }

  address(protocol: 'udp' | 'tcp' | 'ws'): SipAddress {
    const found = this.engine.addresses().find((one) => one.protocol === protocol);
    if (!found) throw new Error(`no ${protocol} address`);
    return found;
  }

  /** URI of a user at the engine. */
  uri(user: string, protocol: 'udp' | 'tcp' | 'ws' = 'udp'): string {
    const { host, port } = this.address(protocol);
    return `sip:${user}@${host}:${port}${protocol === 'udp' ? '' : `;transport=${protocol}`}`;
  }

  /** A far end that sends to the engine. TCP: `dial` false makes it listen instead. */
  async peer(protocol: 'udp' | 'tcp' | 'ws' = 'udp', dial = true): Promise<RawSipPeer> {
    const { host, port } = this.address(protocol);
    const options: RawPeerOptions = {
      protocol,
      ...(dial || protocol === 'udp' ? { to: { host, port } } : {}),
    };
    const peer = await RawSipPeer.open(options);
    this.#peers.push(peer);
    return peer;
  }

  /** Moves the fake clock in steps, with real turns of the event loop in between. */
  async pass(ms: number, step = 500): Promise<void> {
    for (let left = ms; left > 0; left -= step) {
      this.clock?.advance(Math.min(step, left));
      await turns();
    }
  }

  /** Sizes of the tables that calls use. */
  tables(): Record<string, number> {
    const { server, client, merged, dialogs, serverRequests, clientRequests, appQueueBytes } =
      this.engine.stats();
    return {
      server: server!,
      client: client!,
      merged: merged!,
      dialogs: dialogs!,
      serverRequests: serverRequests!,
      clientRequests: clientRequests!,
      appQueueBytes: appQueueBytes!,
    };
  }

  /** Ends all applications and waits until the engine has noticed. */
  async hangUpAll(): Promise<void> {
    for (const srf of this.#srfs.splice(0)) hangUp(srf);
    await until(() => this.engine.stats().apps === 0);
  }

  async close(): Promise<void> {
    for (const srf of this.#srfs) hangUp(srf);
    await Promise.all(this.#peers.map((peer) => peer.close()));
    await this.engine.stop();
  }
}

/** All tables as they must be when nothing goes on. */
export const EMPTY = {
  server: 0,
  client: 0,
  merged: 0,
  dialogs: 0,
  serverRequests: 0,
  clientRequests: 0,
  appQueueBytes: 0,
};

/** Ends an application's connection for good. */
export function hangUp(srf: App): void {
  try {
    srf.disconnect();
  } catch {
    // It was not connected any more.
  }
}

/** Lets sockets on loopback do what they have to do. */
export async function turns(count = 6): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setTimeout(resolve, 1));
}

/** Waits until `check` is true, or fails after `ms`. */
export async function until(check: () => boolean, ms = 3_000): Promise<void> {
  const end = Date.now() + ms;
  while (!check()) {
    if (Date.now() > end) throw new Error(`not true within ${ms} ms: ${check}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
