import { randomBytes } from 'node:crypto';
import { AppServer } from './app-protocol/app-server.ts';
import { type AppLimits, defaultAppLimits } from './app-protocol/connection.ts';
import { type Clock, systemClock } from './clock.ts';
import { type DialogLimits, defaultDialogLimits, type Log, type LogLevel } from './dialog/core.ts';
import type { Lookup } from './dialog/name-cache.ts';
import { hostPort } from './dialog/next-hop.ts';
import { UserAgent } from './dialog/user-agent.ts';
import type { SipMessage } from './message/message.ts';
import { TransactionLayer, type TransactionLimits } from './transaction/transaction-layer.ts';
import {
  type FirstLook,
  type ListenAddress,
  type SipAddress,
  TransportLayer,
  type TransportLimits,
  type Urgency,
} from './transport/transport-layer.ts';

export type { Clock } from './clock.ts';
export type { SipMessage } from './message/message.ts';
export type { FirstLook, ListenAddress, SipAddress, Urgency } from './transport/transport-layer.ts';

/** Every size and time the engine keeps to; times in milliseconds. */
export type EngineLimits = AppLimits &
  DialogLimits &
  Omit<TransactionLimits, 'inviteSilenceMs' | 'inviteRingingMs'> &
  TransportLimits;

export interface EngineOptions {
  listen: ListenAddress[];
  /** What applications must know to be obeyed. */
  secret: string;
  /** Loopback port for applications; 0 (default) lets the kernel choose. */
  appPort?: number;
  /** `v<major>.<minor>.<patch>…` as applications read it. */
  version?: string;
  limits?: Partial<EngineLimits>;
  clock?: Clock;
  /** True for requests that pass full tables: emergency calls. Asked only when a table is full. */
  isExempt?: (request: SipMessage) => boolean;
  /** What must not wait behind a flood: emergency calls. Decided at once, from the first look. */
  urgencyOf?: (look: FirstLook) => Urgency;
  onLog?: (level: LogLevel, message: string, data?: object) => void;
  /** How long an application may leave a request unanswered (an INVITE twice as long). At most 31 s. */
  silentAfterMs?: number;
  /** Host names of next hops; the operating system's resolver by default. */
  lookup?: Lookup;
}

export interface Engine {
  /** Binds the SIP sockets, then the application port. Rejects when an address cannot be bound. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** The application port, known after `start`. */
  readonly appPort: number;
  /** Listening SIP addresses, known after `start`. */
  addresses(): SipAddress[];
  /** Size of every table now, and counters since the start. */
  stats(): Record<string, number>;
}

const DEFAULT_VERSION = 'v0.9.11-embedded';
/** A non-INVITE transaction is over after 32 s: an answer must come before (RFC 4320). */
const LATEST_ANSWER_MS = 31_000;

/** Builds an engine; nothing is bound before `start`. */
export function createEngine(options: EngineOptions): Engine {
  const clock = options.clock ?? systemClock;
  const log: Log = options.onLog ?? (() => {});
  const mayPass = judgeOf(options, log);
  // A flood of emergency calls must not fill what is kept free for those of others.
  const isExempt = (request: SipMessage): boolean => !transport.isLate(request) && mayPass(request);
  const limits = dialogLimits(options);
  const transport = new TransportLayer({
    listen: options.listen,
    clock,
    limits: options.limits ?? {},
    ...(options.urgencyOf ? { urgencyOf: options.urgencyOf } : {}),
    onError: (error) => log('error', 'SIP message handling failed', { error }),
  });
  const transactions = new TransactionLayer({
    transport,
    clock,
    random: () => randomBytes(12).toString('hex'),
    limits: { ...options.limits, ...secondLine(limits) },
    isExempt,
    // One beyond the share of its source takes the place of what is refused already.
    mayDisplace: mayPass,
  });
  const apps = new AppServer({
    clock,
    secret: options.secret,
    port: options.appPort ?? 0,
    version: options.version ?? DEFAULT_VERSION,
    hostports: () => hostports(transport.addresses()),
    limits: pick(options.limits, defaultAppLimits),
    log,
  });
  const agent = new UserAgent({
    clock,
    transport,
    transactions,
    apps,
    limits,
    log,
    isExempt,
    ...lookupOf(options),
  });
  apps.handler = agent;
  return {
    start: () => startAll(transport, apps),
    stop: async () => {
      await apps.stop();
      agent.stop();
      transactions.stop();
      await transport.stop();
    },
    get appPort() {
      return apps.port;
    },
    addresses: () => transport.addresses(),
    stats: () => ({ ...transport.stats(), ...transactions.stats(), ...agent.stats(), ...apps.stats() }),
  };
}

async function startAll(transport: TransportLayer, apps: AppServer): Promise<void> {
  await transport.start();
  try {
    await apps.start();
  } catch (error) {
    await transport.stop();
    throw error;
  }
}

/** What decides who passes full tables is others' code: where it fails nobody does, and the request has its answer. */
function judgeOf({ isExempt = () => false }: EngineOptions, log: Log): (request: SipMessage) => boolean {
  return (request) => {
    try {
      return isExempt(request);
    } catch (error) {
      log('error', 'who may pass a full table could not be decided', { error });
      return false;
    }
  };
}

function lookupOf(options: EngineOptions): { lookup?: Lookup } {
  return options.lookup ? { lookup: options.lookup } : {};
}

function dialogLimits(options: EngineOptions): DialogLimits {
  const limits = { ...defaultDialogLimits, ...pick(options.limits, defaultDialogLimits) };
  if (options.silentAfterMs === undefined) return limits;
  const silentMs = Math.min(options.silentAfterMs, LATEST_ANSWER_MS);
  return { ...limits, silentMs, silentInviteMs: 2 * silentMs };
}

/** The transaction layer's own deadlines, behind those of the dialogs. */
function secondLine({ silentInviteMs, ringingMs }: DialogLimits): Partial<TransactionLimits> {
  return { inviteSilenceMs: silentInviteMs + 1_000, inviteRingingMs: ringingMs + 1_000 };
}

/** The limits of one layer out of all. */
function pick<T extends object>(all: Partial<EngineLimits> | undefined, layer: T): Partial<T> {
  const own = Object.entries(all ?? {}).filter(([name, value]) => name in layer && value !== undefined);
  return Object.fromEntries(own) as Partial<T>;
}

function hostports(addresses: SipAddress[]): { announced: string; local: string } {
  return {
    announced: addresses.map((one) => `${one.protocol}/${hostPort(one)}`).join(','),
    local: addresses
      .map((one) => `${one.protocol}/${hostPort({ host: one.localHost, port: one.localPort })}`)
      .join(','),
  };
}
