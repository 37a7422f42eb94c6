import { randomBytes, randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Config, exposedAddresses } from './config.ts';
import { keptSecret, makeDataFolder } from './data-folder.ts';
import { isRefusal } from './domain/reasons.ts';
import { decideRoute } from './domain/route.ts';
import { createHttp } from './http/create-http.ts';
import type { Logger } from './log.ts';
import type { MediaPort } from './media/media.ts';
import { createCompanyPlan } from './services/company-plan.ts';
import { DirectoryService } from './services/directory-service.ts';
import { Expiry } from './services/expiry.ts';
import { HotDesk } from './services/hot-desk.ts';
import { LocalView } from './services/local-view.ts';
import { Passcodes } from './services/passcodes.ts';
import { Registrar } from './services/registrar.ts';
import { createSipApp, type SipApp } from './sip/app.ts';
import { SipConnection } from './sip/connection.ts';
import { startDemoTrunk } from './sip/demo-trunk.ts';
import type { Trunk } from './sip/ports.ts';
import { createEngine, type Engine } from './sip-engine/engine.ts';
import { createManagedRedis, RedisMissing } from './store/managed-redis.ts';
import { type Store, StoreUnavailable } from './store/store.ts';
import { type Addresses, describe } from './summary.ts';
import { demoPlaceOf, demoTrunkAt, mediaFrom, storeFrom } from './wiring.ts';

/** Calls at once; beyond them new ones get 503, emergency calls excepted. */
const MAX_CALLS = 4_000;

/** What the engine counts per call under way. */
const ENGINE_TABLES = [
  'server',
  'client',
  'merged',
  'dialogs',
  'serverRequests',
  'clientRequests',
  'appQueueBytes',
];

export interface ServerOptions {
  readonly config: Config;
  readonly logger: Logger;
}

export interface Server {
  /** Brings every part up in order; rejects with one clear sentence when one cannot. */
  start(): Promise<void>;
  /** Takes the parts down again, last first. */
  stop(): Promise<void>;
  addresses(): Addresses;
  /** How full every table is that grows with calls; all zero when nothing goes on. */
  tables(): Record<string, number>;
  /** A few friendly lines for who has just started it. */
  summary(): string;
}

/** Joins the parts of the house; the only place that knows all of them. */
export function createServer(options: ServerOptions): Server {
  return new House(options);
}

class House implements Server {
  readonly #config: Config;
  readonly #log: Logger;
  /** How to take down what is up, last first. */
  readonly #takeDown: (() => unknown)[] = [];
  readonly #clock = { now: () => Date.now(), setTimer };
  #addresses: Addresses = { sip: [], http: { host: '', port: 0 } };
  #view: LocalView | undefined;
  #engine: Engine | undefined;
  #app: SipApp | undefined;
  #media: MediaPort | undefined;
  #tokenFile: string | undefined;

  constructor({ config, logger }: ServerOptions) {
    this.#config = config;
    this.#log = logger;
  }

  addresses(): Addresses {
    return this.#addresses;
  }

  tables(): Record<string, number> {
    const engine = this.#engine?.stats() ?? {};
    const sizes = ENGINE_TABLES.map((name) => [name, engine[name] ?? 0]);
    const { calls, legs } = this.#app?.stats() ?? { calls: 0, legs: 0 };
    return { ...Object.fromEntries(sizes), calls, legs, media: this.#media?.stats().sessions ?? 0 };
  }

  summary(): string {
    return describe({
      addresses: this.#addresses,
      directory: this.#view?.directory,
      demo: this.#config.demo,
      domain: this.#config.sip.domain,
      tokenFile: this.#tokenFile,
    });
  }

  async start(): Promise<void> {
    try {
      await this.#start();
    } catch (error) {
      await this.stop();
      throw explained(error);
    }
  }

  async stop(): Promise<void> {
    for (const takeDown of this.#takeDown.splice(0).reverse()) {
      try {
        await takeDown();
      } catch (error) {
        this.#log.error({ err: error }, 'a part did not stop cleanly');
      }
    }
  }

  async #start(): Promise<void> {
    const config = this.#config;
    await makeDataFolder(config.data);
    const store = await this.#startStore();
    const view = await this.#startView(store);
    const { directory, hotDesk } = await this.#createServices(store, view);
    await this.#importFirstDirectory(directory, view);
    this.#refuseExposedDemo(view, directory);
    const media = await this.#up(mediaFrom(config.media, this.#problem));
    this.#media = media;
    const trunks: Trunk[] = [...config.sip.trunks];
    if (config.demo) trunks.push(await this.#startDemoTrunk(view, media));
    const sip = await this.#startSip({ view, hotDesk, media, trunks, store });
    await this.#startHttp({ store, view, hotDesk, directory, sip, media });
  }

  /** Starts a part and notes how to stop it. */
  async #up<T extends { start(): unknown; stop(): unknown }>(part: T): Promise<T> {
    this.#takeDown.push(() => part.stop());
    await part.start();
    return part;
  }

  async #startStore(): Promise<Store> {
    const { url } = this.#config.redis;
    const connection = url === undefined ? { path: await this.#startRedis() } : { url };
    return this.#up(storeFrom(this.#config, { connection, clock: this.#clock, onProblem: this.#problem }));
  }

  /** Without the program itself Hotdesk still does what needs no store: emergency calls go out. */
  async #startRedis(): Promise<string> {
    const redis = createManagedRedis({ folder: join(this.#config.data, 'redis'), onProblem: this.#problem });
    this.#takeDown.push(() => redis.stop());
    try {
      return (await redis.start()).path;
    } catch (error) {
      if (!(error instanceof RedisMissing)) throw error;
      this.#log.error({}, `${error.message}. Until then nobody can log in, and only emergency calls go out.`);
      return join(this.#config.data, 'redis', 'redis.sock');
    }
  }

  async #startView(store: Store): Promise<LocalView> {
    const view = new LocalView({ store, clock: this.#clock, log: this.#log });
    const following = new AbortController();
    this.#takeDown.push(() => following.abort());
    this.#view = view;
    await Promise.race([store.follow(view, following.signal), wait(2_000)]);
    await this.#up(new Expiry({ store, timers: this.#clock, log: this.#log }));
    return view;
  }

  async #createServices(
    store: Store,
    view: LocalView,
  ): Promise<{ directory: DirectoryService; hotDesk: HotDesk }> {
    const { data, pepper, company, sip } = this.#config;
    const pepperHex = pepper ?? (await keptSecret(data, 'pepper'));
    const passcodes = new Passcodes({ keyId: 'p1', pepper: Buffer.from(pepperHex, 'hex') });
    const log = this.#log;
    const random = { uuid: randomUUID };
    const directory = new DirectoryService({
      store,
      view,
      passcodes,
      realm: sip.domain,
      refresh: async () => view.onSnapshot(await store.snapshot()),
      company,
      random,
      log,
    });
    const hotDesk = new HotDesk({ store, view, passcodes, random, log });
    return { directory, hotDesk };
  }

  async #importFirstDirectory(directory: DirectoryService, view: LocalView): Promise<void> {
    const file = this.#config.directory;
    if (file === undefined || view.directory) return;
    const result = await directory.importYaml(await readFile(file, 'utf8'), {
      actor: 'start-up',
      ifEmpty: true,
    });
    if (isRefusal(result) && result.refused === 'storeUnavailable') {
      // Demo passwords on a public address are refused at start only: there nothing is imported later.
      const later = exposedAddresses(this.#config).length === 0;
      const when = later ? 'when it does' : 'at the next start';
      this.#log.warn({ file }, `the store does not answer: the directory is imported ${when}`);
      if (!later) return;
      const again = view.onReconnect(() => {
        again();
        this.#importFirstDirectory(directory, view).catch(this.#notImported);
      });
      return;
    }
    if (isRefusal(result)) throw new Error(`${file}: ${result.detail ?? 'the directory is not valid'}`);
    for (let tries = 0; !view.directory && tries < 100; tries++) await wait(20);
  }

  /** Passwords everybody can read in the demo's files are no passwords (issue: never on a public address). */
  #refuseExposedDemo(view: LocalView, directory: DirectoryService): void {
    const [exposed] = exposedAddresses(this.#config);
    if (!exposed || !view.directory || !directory.usesDemoCredentials(view.directory)) return;
    const where = `${exposed.path.join('.')}: ${exposed.host}`;
    throw new Error(
      `The directory still has the demo's passwords, which must not be served on a public address (${where})`,
    );
  }

  async #startSip(parts: {
    view: LocalView;
    hotDesk: HotDesk;
    media: MediaPort;
    trunks: readonly Trunk[];
    store: Store;
  }): Promise<{ connection: SipConnection; app: SipApp }> {
    const { sip } = this.#config;
    const { store, view, hotDesk, media, trunks } = parts;
    const connection = new SipConnection(this.#log);
    const registrar = new Registrar({ store, view, log: this.#log, limits: sip.registration });
    registrar.start();
    this.#takeDown.push(() => registrar.stop());
    const numberPlan = createCompanyPlan(view);
    const isEmergency = (requestUri: string): boolean =>
      decideRoute({ requestUri, caller: { kind: 'unknown' } }, view, numberPlan).kind === 'emergency';
    const server = sip.drachtio ?? (await this.#startEngine(sip.listen, isEmergency));
    const app = createSipApp({
      srf: connection.srf,
      view,
      numberPlan,
      hotDesk,
      registrar,
      media,
      clock: this.#clock,
      log: this.#log,
      domain: sip.domain,
      trunks,
      digests: sip.digests,
      nonceLifetime: sip.nonceLifetime,
      maxCalls: MAX_CALLS,
    });
    this.#app = app;
    app.start();
    this.#takeDown.push(() => connection.disconnect());
    this.#takeDown.push(() => app.stop());
    await connection.connect(server);
    this.#addresses = { ...this.#addresses, sip: connection.hostPorts.map(parseHostPort) };
    return { connection, app };
  }

  /** The embedded engine: as far as the application can tell, a drachtio-server on loopback. */
  async #startEngine(
    listen: Config['sip']['listen'],
    isEmergency: (requestUri: string) => boolean,
  ): Promise<{ host: string; port: number; secret: string }> {
    const secret = randomBytes(24).toString('hex');
    this.#engine = createEngine({
      listen,
      secret,
      // Full tables turn calls away; an emergency call never is.
      isExempt: ({ method, uri }) => method === 'INVITE' && isEmergency(uri),
      onLog: (level, message, data) => this.#log[level](data ?? {}, message),
    });
    await this.#up(this.#engine);
    return { host: '127.0.0.1', port: this.#engine.appPort, secret };
  }

  /** A SIP engine and an application of their own, so that calls to the demonstration's far end are real ones. */
  async #startDemoTrunk(view: LocalView, media: MediaPort): Promise<Trunk> {
    const secret = randomBytes(24).toString('hex');
    const listen = [{ protocol: 'udp' as const, ...this.#config.demoTrunk }];
    const engine = await this.#up(createEngine({ listen, secret }));
    const connection = new SipConnection(this.#log);
    const placeOf = (number: string): string | undefined => demoPlaceOf(view, number);
    startDemoTrunk({ srf: connection.srf, media, clock: this.#clock, log: this.#log, placeOf });
    this.#takeDown.push(() => connection.disconnect());
    await connection.connect({ host: '127.0.0.1', port: engine.appPort, secret });
    return demoTrunkAt(engine.addresses()[0]!);
  }

  async #startHttp(parts: {
    store: Store;
    view: LocalView;
    hotDesk: HotDesk;
    directory: DirectoryService;
    sip: { connection: SipConnection };
    media: MediaPort;
  }): Promise<void> {
    const { store, view, hotDesk, directory, sip, media } = parts;
    const { host, port } = this.#config.http;
    const http = createHttp({
      host,
      port,
      adminToken: await this.#adminToken(),
      log: this.#log,
      now: () => performance.now(),
      services: {
        view,
        hotDesk,
        directory,
        unlock: (extension, actor) => this.#unlock(store, extension, actor),
        readiness: () => ({
          store: store.available && view.directory !== undefined,
          sip: sip.connection.connected,
          media: media.available,
        }),
      },
    });
    this.#takeDown.push(() => http.stop());
    this.#addresses = { ...this.#addresses, http: await http.start() };
  }

  async #adminToken(): Promise<string> {
    const { adminToken } = this.#config.http;
    if (adminToken !== undefined) return adminToken;
    this.#tokenFile = join(this.#config.data, 'admin-token');
    return keptSecret(this.#config.data, 'admin-token');
  }

  async #unlock(store: Store, extension: string, actor: string): Promise<unknown> {
    try {
      await store.clearGuesses(extension);
    } catch (error) {
      if (error instanceof StoreUnavailable) return { refused: 'storeUnavailable' };
      throw error;
    }
    this.#log.info({ extension, actor }, 'unlocked');
    return {};
  }

  readonly #notImported = (error: unknown): void => {
    this.#log.error({ err: error }, 'the directory could not be imported');
  };

  readonly #problem = (text: string, detail?: object): void => {
    this.#log.warn(detail instanceof Error ? { err: detail } : (detail ?? {}), text);
  };
}

/** An address in use is the operator's to mend: it is named with its setting. */
function explained(error: unknown): unknown {
  const { code, address, port, syscall } = error as NodeJS.ErrnoException & {
    address?: string;
    port?: number;
  };
  if (code !== 'EADDRINUSE') return error;
  const settings = syscall === 'bind' ? 'sip.listen or demoTrunk' : 'sip.listen or http.port';
  return new Error(`${address}:${port} is in use by another program (${settings})`);
}

function parseHostPort(text: string): Addresses['sip'][number] {
  const [, protocol = 'udp', host = '', port = '0'] = /^(\w+)\/(.*):(\d+)$/.exec(text) ?? [];
  return { protocol, host, port: Number(port) };
}

function setTimer(ms: number, run: () => void): { cancel(): void } {
  const timer = setTimeout(run, ms);
  return { cancel: () => clearTimeout(timer) };
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
