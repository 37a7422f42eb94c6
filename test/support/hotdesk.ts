import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../../src/config.ts';
import { createLogger } from '../../src/log.ts';
import { createServer } from '../../src/server.ts';
import { PHONES, passwordOf } from './demo.ts';
import { LogTape } from './log-tape.ts';
import { Phone, type PhoneOptions } from './phone.ts';
import { startTcpRedis, type TcpRedis } from './tcp-redis.ts';
import { eventually, PATIENCE_MS, within } from './wait.ts';
import { openUdpWire, type UdpWire } from './wire.ts';

export const ADMIN_TOKEN = 'token-of-the-e2e-administrator';
/** The domain phones use; also the realm of their passwords. */
export const DOMAIN = 'hotdesk.example';

export interface HotdeskOptions {
  /** Settings laid over those below, group by group. */
  readonly settings?: Readonly<Record<string, object>>;
  /** As the demonstration: with its far end, and phones that anybody may be. */
  readonly demo?: boolean;
  /** Seconds without any response before the next trunk is tried. */
  readonly trunkTimeout?: number;
  /** Settings of single trunks, laid over those below. */
  readonly trunkSettings?: Readonly<Partial<Record<TrunkName, object>>>;
  /** Instead of a Redis of its own. */
  readonly redis?: TcpRedis;
  /** Instead of a new folder for data; the test removes it. With `redis.url` undefined the private Redis is in there. */
  readonly data?: string;
}

export interface ApiAnswer {
  readonly status: number;
  readonly type: string;
  // biome-ignore lint/suspicious/noExplicitAny: what a test asserts on is the test's business
  readonly body: any;
}

/** A whole Hotdesk on loopback with the demo's people, and everything that stands around it. */
export interface Hotdesk {
  /** `ws` where `sip.listen` has it. */
  readonly sip: { readonly udp: Endpoint; readonly tcp: Endpoint; readonly ws: Endpoint | undefined };
  readonly http: string;
  readonly redis: TcpRedis;
  /** Trunks as the configuration orders them: calls go to `main` first, emergency calls to `emergency`. */
  readonly trunks: { readonly main: Phone; readonly spare: Phone; readonly emergency: Phone };
  readonly log: LogTape;
  /** How full the server's tables are; all zero when nothing goes on. */
  tables(): Record<string, number>;
  /** A demo phone, plugged in and registered. */
  phone(host: string, options?: Partial<PhoneOptions>): Promise<Phone>;
  /** A demo phone that has not registered. */
  unregistered(host: string, options?: Partial<PhoneOptions>): Promise<Phone>;
  api(
    path: string,
    init?: { method?: string; json?: unknown; token?: string | undefined },
  ): Promise<ApiAnswer>;
  /** Puts a person at a phone as an administrator does, and waits until calls know. */
  seat(extension: string, host: string): Promise<void>;
  /** What the API tells of a person. */
  user(extension: string): Promise<{ name: string; callerId: string; numbers: string[] }>;
  /** Who sits at a phone by the API, `undefined` when nobody does. */
  guestAt(host: string): Promise<string | undefined>;
  /** Waits until this person, or nobody, sits there. */
  expectGuest(host: string, extension: string | undefined, withinMs?: number): Promise<void>;
  /** Between tests: phones sign off and are unplugged, nobody sits anywhere. */
  tidy(): Promise<void>;
  /** Stops the server alone; `stop` is still to come. */
  stopServer(): Promise<void>;
  stop(): Promise<void>;
}

interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** Trunks have loopback addresses of their own: what makes a trunk a trunk is where it calls from. */
const TRUNKS = { main: '127.0.0.2', spare: '127.0.0.3', emergency: '127.0.0.4' } as const;
type TrunkName = keyof typeof TRUNKS;
type PerTrunk<T> = Record<TrunkName, T>;

/** Starts everything; `stop` ends it again. With DRACHTIO_HOST set, SIP goes through that server. */
export async function startHotdesk(options: HotdeskOptions = {}): Promise<Hotdesk> {
  const data = options.data ?? (await mkdtemp(join(tmpdir(), 'hotdesk-e2e-')));
  const redis = options.redis ?? (await startTcpRedis());
  const wires = await openTrunkWires();
  const log = new LogTape();
  const config = makeConfig({ options, data, redisUrl: redis.url, wires });
  const logger = createLogger(config.log, log.stream);
  const server = createServer({ config, logger });

  await within(40_000, 'the start of Hotdesk', server.start());
  const addresses = server.addresses();
  const sip = {
    udp: addressOf(addresses.sip, 'udp'),
    tcp: addressOf(addresses.sip, 'tcp'),
    ws: addresses.sip.find(({ protocol }) => protocol === 'ws'),
  };
  const http = `http://${addresses.http.host}:${addresses.http.port}`;
  const trunks = await plugInTrunks(wires, sip.udp);
  const stop = async (phones: readonly Phone[]): Promise<void> => {
    await Promise.all(phones.map((phone) => phone.unplug()));
    await redis.thaw();
    await server.stop();
    if (!options.redis) await redis.stop();
    if (!options.data) await rm(data, { recursive: true, force: true });
  };
  const control = { tables: () => server.tables(), stopServer: () => server.stop() };
  return new RunningHotdesk({ sip, http, redis, trunks, log, ...control }, stop);
}

function makeConfig(parts: {
  options: HotdeskOptions;
  data: string;
  redisUrl: string;
  wires: PerTrunk<UdpWire>;
}): Parameters<typeof createServer>[0]['config'] {
  const { options, data, redisUrl, wires } = parts;
  const worker = Number(process.env.VITEST_POOL_ID ?? '0') % 20;
  const drachtio = process.env.DRACHTIO_HOST;
  const trunks = (Object.keys(TRUNKS) as TrunkName[]).map((name) => ({
    name,
    uri: `sip:${TRUNKS[name]}:${wires[name].local.port};transport=udp`,
    addresses: [TRUNKS[name]],
    emergency: name === 'emergency',
    responseTimeout: options.trunkTimeout ?? 2,
    ...options.trunkSettings?.[name],
  }));
  const listen = (['udp', 'tcp'] as const).map((protocol) => ({ protocol, host: '127.0.0.1', port: 0 }));
  const base: Record<string, unknown> = {
    company: 'demo',
    data,
    directory: 'config/demo.yaml',
    sip: { domain: DOMAIN, listen, trunks, trunkProbe: 0, ...options.settings?.sip },
    media: { ports: { from: 36_000 + worker * 500, to: 36_499 + worker * 500 }, ...options.settings?.media },
    http: { port: 0, adminToken: ADMIN_TOKEN, ...options.settings?.http },
    redis: { url: redisUrl, ...options.settings?.redis },
    phones: { updateSpacing: 0, ...options.settings?.phones },
    webhooks: { allowInsecure: true, allowedNetworks: ['127.0.0.0/8'], ...options.settings?.webhooks },
    ...(options.demo ? { demo: true, demoTrunk: { port: 0 } } : {}),
    ...(options.settings?.webPhone ? { webPhone: options.settings.webPhone } : {}),
    ...(options.settings?.smtp ? { smtp: options.settings.smtp } : {}),
    log: { level: 'trace', pretty: 'never' },
  };
  // Only what chooses the SIP server comes from outside: a test must not use the developer's Redis.
  const env = drachtio ? pick(process.env, ['DRACHTIO_HOST', 'DRACHTIO_PORT', 'DRACHTIO_SECRET']) : {};
  const loaded = loadConfig(env, JSON.stringify(base));
  if ('problems' in loaded) throw new Error(loaded.problems.join('\n'));
  return loaded.config;
}

function pick(env: NodeJS.ProcessEnv, names: readonly string[]): Record<string, string | undefined> {
  return Object.fromEntries(names.map((name) => [name, env[name]]));
}

async function openTrunkWires(): Promise<PerTrunk<UdpWire>> {
  const [main, spare, emergency] = await Promise.all([
    openUdpWire(TRUNKS.main),
    openUdpWire(TRUNKS.spare),
    openUdpWire(TRUNKS.emergency),
  ]);
  return { main, spare, emergency };
}

async function plugInTrunks(wires: PerTrunk<UdpWire>, server: Endpoint): Promise<PerTrunk<Phone>> {
  const plugIn = (name: TrunkName): Promise<Phone> => {
    wires[name].aim(server);
    return Phone.onWire(wires[name], { server, domain: DOMAIN, user: name, password: '', anyUser: true });
  };
  return { main: await plugIn('main'), spare: await plugIn('spare'), emergency: await plugIn('emergency') };
}

function addressOf(
  all: readonly { readonly protocol: string; readonly host: string; readonly port: number }[],
  protocol: string,
): Endpoint {
  const found = all.find((address) => address.protocol === protocol);
  if (!found) throw new Error(`the server does not listen on ${protocol}`);
  return { host: found.host, port: found.port };
}

class RunningHotdesk implements Hotdesk {
  readonly sip: Hotdesk['sip'];
  readonly http: string;
  readonly redis: TcpRedis;
  readonly trunks: PerTrunk<Phone>;
  readonly log: LogTape;
  readonly tables: Hotdesk['tables'];
  readonly stopServer: Hotdesk['stopServer'];
  readonly #stop: (phones: readonly Phone[]) => Promise<void>;
  #phones: Phone[] = [];
  readonly #digestResponses = new Set<string>();

  constructor(
    parts: Pick<Hotdesk, 'sip' | 'http' | 'redis' | 'trunks' | 'log' | 'tables' | 'stopServer'>,
    stop: (phones: readonly Phone[]) => Promise<void>,
  ) {
    this.sip = parts.sip;
    this.http = parts.http;
    this.redis = parts.redis;
    this.trunks = parts.trunks;
    this.log = parts.log;
    this.tables = parts.tables;
    this.stopServer = parts.stopServer;
    this.#stop = stop;
  }

  async phone(host: string, options: Partial<PhoneOptions> = {}): Promise<Phone> {
    const phone = await this.unregistered(host, options);
    const answer = await phone.register();
    if (answer.status !== 200) throw new Error(`${host} could not register: ${answer.startLine}`);
    return phone;
  }

  async unregistered(host: string, options: Partial<PhoneOptions> = {}): Promise<Phone> {
    const server = this.sip[options.protocol ?? 'udp'];
    const password = passwordOf(host);
    const phone = await Phone.plugIn({ server, domain: DOMAIN, user: host, password, ...options });
    this.#phones.push(phone);
    return phone;
  }

  async api(
    path: string,
    init: { method?: string; json?: unknown; token?: string | undefined } = {},
  ): Promise<ApiAnswer> {
    const token = 'token' in init ? init.token : ADMIN_TOKEN;
    const response = await fetch(`${this.http}${path}`, {
      method: init.method ?? 'GET',
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(init.json === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(init.json === undefined ? {} : { body: JSON.stringify(init.json) }),
    });
    const type = response.headers.get('content-type') ?? '';
    const text = await response.text();
    return { status: response.status, type, body: /json/.test(type) ? JSON.parse(text) : text };
  }

  async seat(extension: string, host: string): Promise<void> {
    const path = `/api/v1/hosts/${host}/association`;
    const answer = await this.api(path, { method: 'PUT', json: { guest: extension } });
    if (answer.status >= 300)
      throw new Error(`${extension} could not be seated: ${JSON.stringify(answer.body)}`);
    await this.expectGuest(host, extension);
  }

  async user(extension: string): Promise<{ name: string; callerId: string; numbers: string[] }> {
    return (await this.api(`/api/v1/users/${extension}`)).body;
  }

  async guestAt(host: string): Promise<string | undefined> {
    const { body } = await this.api(`/api/v1/hosts/${host}`);
    return body.association?.guest.extension;
  }

  async expectGuest(host: string, extension: string | undefined, withinMs = PATIENCE_MS): Promise<void> {
    const what = extension === undefined ? `nobody at ${host}` : `${extension} at ${host}`;
    await eventually(what, async () => (await this.guestAt(host)) === extension, withinMs);
  }

  async tidy(): Promise<void> {
    const phones = this.#phones;
    this.#phones = [];
    for (const phone of phones) {
      for (const response of phone.digestResponses()) this.#digestResponses.add(response);
      if (phone.registered) await phone.unregister().catch(() => undefined);
      await phone.unplug();
    }
    for (const host of Object.values(PHONES)) await this.#release(host);
    for (const trunk of Object.values(this.trunks)) trunk.forget();
  }

  async #release(host: string): Promise<void> {
    if ((await this.guestAt(host)) === undefined) return;
    await this.api(`/api/v1/hosts/${host}/association`, { method: 'DELETE' });
    await this.expectGuest(host, undefined);
  }

  async stop(): Promise<void> {
    await this.log.keep(this.#digestResponses);
    await this.#stop([...this.#phones, ...Object.values(this.trunks)]);
  }
}
