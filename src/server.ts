import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Config } from './config.ts';
import { makeDataFolder } from './data-folder.ts';
import type { Logger } from './log.ts';
import type { MediaPort } from './media/media.ts';
import type { Accounts } from './services/accounts.ts';
import { LocalView } from './services/local-view.ts';
import type { Trunk } from './sip/ports.ts';
import { type Addresses, describe } from './summary.ts';
import { startDemo } from './wiring/demo.ts';
import { importFirstDirectory, refuseExposedDemo } from './wiring/directory.ts';
import { startEffects } from './wiring/effects.ts';
import { startEmergencyMemory } from './wiring/emergency.ts';
import { startHttp } from './wiring/http.ts';
import { startMedia } from './wiring/media.ts';
import { type Running, steadyClock } from './wiring/running.ts';
import { createServices, SET_UP_FILE } from './wiring/services.ts';
import { type SipParts, startSip } from './wiring/sip.ts';
import { followStore, startStore } from './wiring/store.ts';
import { createWebPhones } from './wiring/web-phones.ts';

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

/** Joins the parts of the house, each made in `wiring/`. */
export function createServer(options: ServerOptions): Server {
  return new House(options);
}

class House implements Server {
  readonly #config: Config;
  readonly #log: Logger;
  /** How to take down what is up, last first. */
  readonly #takeDown: (() => unknown)[] = [];
  #addresses: Addresses = { sip: [], http: { host: '', port: 0 } };
  #view: LocalView | undefined;
  #sip: SipParts | undefined;
  #media: MediaPort | undefined;
  #tokenFile: string | undefined;
  #accounts: Accounts | undefined;
  #webPhone = false;

  constructor({ config, logger }: ServerOptions) {
    this.#config = config;
    this.#log = logger;
  }

  addresses(): Addresses {
    return this.#addresses;
  }

  tables(): Record<string, number> {
    const engine = this.#sip?.engine?.stats() ?? {};
    const sizes = ENGINE_TABLES.map((name) => [name, engine[name] ?? 0]);
    // Subscriptions stay when no call is up.
    const dialogs = (engine.dialogs ?? 0) - (engine.subscriptions ?? 0);
    const { calls, legs } = this.#sip?.app.stats() ?? { calls: 0, legs: 0 };
    const { sessions, relays } = this.#media?.stats() ?? { sessions: 0, relays: 0 };
    return { ...Object.fromEntries(sizes), dialogs, calls, legs, media: sessions + relays };
  }

  summary(): string {
    return describe({
      addresses: this.#addresses,
      directory: this.#view?.directory,
      demo: this.#config.demo,
      domain: this.#config.sip.domain,
      tokenFile: this.#tokenFile,
      setUp: this.#setUp(),
      webPhone: this.#webPhone,
    });
  }

  /** The code itself on the terminal of a demonstration only, which never leaves this machine. */
  #setUp(): { readonly file: string; readonly code: string | undefined } | undefined {
    const code = this.#accounts?.setUpSecret;
    if (code === undefined) return undefined;
    const isShown = this.#config.demo && process.stdout.isTTY === true;
    return { file: join(this.#config.data, SET_UP_FILE), code: isShown ? code : undefined };
  }

  async start(): Promise<void> {
    try {
      await this.#start(this.#running());
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

  async #start(running: Running): Promise<void> {
    const { config } = running;
    await makeDataFolder(config.data);
    const view = new LocalView({ clock: running.clock, log: running.log });
    this.#view = view;
    const networks = await startEmergencyMemory(running, view);
    const store = await startStore(running);
    await followStore(running, { store, view });
    const services = await createServices(running, { store, view });
    const { hotDesk, directory, registrar } = services;
    this.#accounts = services.accounts;
    await importFirstDirectory(running, { directory, view });
    refuseExposedDemo(running, { directory, view });
    const media = await startMedia(running);
    this.#media = media;
    const trunks: Trunk[] = [...config.sip.trunks];
    if (config.demo) trunks.push(await startDemo(running, { view, media }));
    const { shared, guestKeys } = services;
    this.#sip = await startSip(running, {
      ...{ store, view, shared, networks, hotDesk, guestKeys, registrar, media, trunks },
    });
    const { connection, notices: emergencies } = this.#sip;
    this.#addresses = { ...this.#addresses, sip: connection.hostPorts.map(parseHostPort) };
    const effects = await startEffects(running, { store, view, ...services });
    const webPhones = createWebPhones(running, { view, sip: this.#addresses.sip });
    this.#webPhone = webPhones.url !== undefined;
    const http = await startHttp(running, {
      ...{ store, view, services, effects, connection, emergencies, media, webPhones },
    });
    this.#addresses = { ...this.#addresses, http: http.address };
    this.#tokenFile = http.tokenFile;
    // Whoever opens a list first need not wait for it, nor need a phone.
    services.lists
      .prepare()
      .catch((error: unknown) => running.log.error({ err: error }, 'the lists could not be put in order'));
  }

  #running(): Running {
    const log = this.#log;
    const onStop = (takeDown: () => unknown): void => void this.#takeDown.push(takeDown);
    return {
      ...{ config: this.#config, log, clock: steadyClock, node: nodeName(), onStop },
      async up(part) {
        onStop(() => part.stop());
        await part.start();
        return part;
      },
      problem: (text, detail) => log.warn(detail instanceof Error ? { err: detail } : (detail ?? {}), text),
    };
  }
}

/** Names this node among others: two containers may share a host name and a process id. */
function nodeName(): string {
  return `${hostname()}-${process.pid}-${randomBytes(3).toString('hex')}`;
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
