import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type Server, type Socket } from 'node:net';
import type { Clock } from '../clock.ts';
import type { App, AppCommand, AppRouter, CdrEvent, Outcome } from '../dialog/app.ts';
import { parseAppMessage } from '../dialog/app-message.ts';
import type { Log } from '../dialog/core.ts';
import { type Command, cdrFrame, echoResponse, parseCommand, responseTo } from './commands.ts';
import { AppConnection, type AppLimits, defaultAppLimits } from './connection.ts';
import { Routes } from './routes.ts';

/** What the server asks of the layer below. */
export interface AppHandler {
  command(command: AppCommand): void;
  appClosed(app: App): void;
}

export interface AppServerOptions {
  clock: Clock;
  secret: string;
  /** 0 lets the kernel choose. */
  port: number;
  /** `v<major>.<minor>.<patch>…`: drachtio-srf reads it. */
  version: string;
  /** Announced SIP addresses, and the bound ones (DP §3). */
  hostports: () => { announced: string; local: string };
  limits?: Partial<AppLimits>;
  log: Log;
}

const LOOPBACK = '127.0.0.1';

/** The application protocol's listener, on loopback only (DP §1 to §5). */
export class AppServer implements AppRouter {
  /** Set before `start`. */
  handler: AppHandler | undefined;
  readonly #options: AppServerOptions;
  readonly #limits: AppLimits;
  readonly #secret: Buffer;
  readonly #connections = new Set<AppConnection>();
  readonly #routes = new Routes<AppConnection>();
  #server: Server | undefined;

  constructor(options: AppServerOptions) {
    this.#options = options;
    this.#limits = { ...defaultAppLimits, ...options.limits };
    this.#secret = digest(Buffer.from(options.secret, 'utf8').toString('latin1'));
  }

  /** The port applications connect to; 0 before `start`. */
  get port(): number {
    const address = this.#server?.address();
    return address && typeof address === 'object' ? address.port : 0;
  }

  async start(): Promise<void> {
    const server = createServer((socket) => this.#accept(socket));
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.#options.port, LOOPBACK, resolve);
    });
  }

  async stop(): Promise<void> {
    const server = this.#server;
    if (!server) return;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const connection of [...this.#connections]) connection.close('the engine stops');
    await closed;
  }

  get connected(): boolean {
    for (const connection of this.#connections) if (connection.authenticated) return true;
    return false;
  }

  pick(method: string): App | undefined {
    return this.#routes.next(method.toLowerCase());
  }

  routedMethods(): string[] {
    return this.#routes
      .verbs()
      .filter((verb) => !verb.startsWith('cdr:'))
      .map((verb) => verb.toUpperCase());
  }

  cdr(event: CdrEvent): void {
    this.#routes.next(`cdr:${event.type}`)?.post(cdrFrame(event));
  }

  /** Sizes now. */
  stats(): Record<string, number> {
    let appQueueBytes = 0;
    for (const connection of this.#connections) appQueueBytes += connection.queuedBytes;
    return { apps: this.#connections.size, appRoutes: this.#routes.verbs().length, appQueueBytes };
  }

  #accept(socket: Socket): void {
    if (this.#connections.size >= this.#limits.maxConnections) {
      this.#options.log('warn', 'too many application connections');
      socket.destroy();
      return;
    }
    const connection = new AppConnection(socket, {
      limits: this.#limits,
      clock: this.#options.clock,
      events: {
        payload: (from, payload) => this.#onPayload(from, payload),
        closed: (from, reason) => this.#onClosed(from, reason),
      },
    });
    this.#connections.add(connection);
    connection.start();
  }

  #onClosed(connection: AppConnection, reason: string): void {
    this.#connections.delete(connection);
    this.#routes.removeAll(connection);
    this.#options.log('info', 'application connection closed', { reason });
    if (connection.authenticated) this.handler?.appClosed(connection);
  }

  /** The edge: whatever a command does, the other applications and all calls go on. */
  #onPayload(connection: AppConnection, payload: string): void {
    const command = parseCommand(payload);
    if (!command) return this.#refuse(connection, payload.split('|', 1)[0] ?? '', 'Invalid message format');
    try {
      this.#obey(connection, command);
    } catch (error) {
      this.#options.log('error', 'a command of an application failed', { type: command.type, error });
      connection.post(responseTo(command.id, ['NOK', 'Unknown server error']));
    }
  }

  #obey(connection: AppConnection, command: Command): void {
    const { id, type, args } = command;
    if (type === 'authenticate') return this.#authenticate(connection, command);
    if (!connection.authenticated) return this.#refuse(connection, id, 'not authenticated');
    if (type === 'sip') return this.#sip(connection, command);
    if (type === 'route') return this.#route(connection, id, args[0] ?? '');
    if (type === 'remove_route') return this.#removeRoute(connection, id, args[0] ?? '');
    if (type === 'ping') return connection.post(responseTo(id, ['OK', 'pong']));
    if (type === 'proxy') {
      return connection.post(responseTo(id, ['NOK', 'proxy is not supported by the embedded engine']));
    }
    this.#refuse(connection, id, 'Unknown message type');
  }

  /** `NO` and the end of the connection (DP §8). */
  #refuse(connection: AppConnection, id: string, reason: string): void {
    connection.post(responseTo(id, ['NO', reason]));
    connection.finish(reason);
  }

  #authenticate(connection: AppConnection, { id, args }: Command): void {
    // Digests have one length, so the comparison tells nothing about the secret's.
    if (!timingSafeEqual(digest(args[0] ?? ''), this.#secret)) {
      return this.#refuse(connection, id, 'incorrect secret');
    }
    connection.accept();
    const { announced, local } = this.#options.hostports();
    connection.post(responseTo(id, ['OK', announced, this.#options.version, local]));
  }

  #route(connection: AppConnection, id: string, verb: string): void {
    if (!connection.routes.has(verb) && connection.routes.size >= this.#limits.maxRoutes) {
      return connection.post(responseTo(id, ['NOK', 'too many routes']));
    }
    connection.routes.add(verb);
    this.#routes.add(verb, connection);
    connection.post(responseTo(id, ['OK']));
  }

  #removeRoute(connection: AppConnection, id: string, verb: string): void {
    connection.routes.delete(verb);
    this.#routes.remove(verb, connection);
    connection.post(responseTo(id, ['OK']));
  }

  #sip(connection: AppConnection, { id, args, sip }: Command): void {
    const message = parseAppMessage(sip);
    if (!message) {
      const line = sip.split('\r\n', 1)[0] ?? '';
      return connection.post(responseTo(id, ['NOK', `invalid request-uri: ${line}`]));
    }
    this.handler?.command({
      app: connection,
      transactionId: args[0] ?? '',
      dialogId: args[1] ?? '',
      routeUrl: args[2] ?? '',
      message,
      answer: (outcome) => connection.post(outcomeResponse(id, outcome)),
    });
  }
}

function outcomeResponse(id: string, outcome: Outcome): string {
  return outcome.ok ? echoResponse(id, outcome.echo) : responseTo(id, ['NOK', outcome.reason]);
}

function digest(secret: string): Buffer {
  return createHash('sha256').update(secret, 'latin1').digest();
}
