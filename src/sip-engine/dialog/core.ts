import { randomBytes, randomUUID } from 'node:crypto';
import type { Clock, Timer } from '../clock.ts';
import type { SipMessage } from '../message/message.ts';
import type { TransactionLayer } from '../transaction/transaction-layer.ts';
import type { TransportLayer } from '../transport/transport-layer.ts';
import type { AppRouter } from './app.ts';
import type { ClientRequest } from './client-request.ts';
import type { DialogTable } from './dialog-table.ts';
import type { NameCache } from './name-cache.ts';
import type { RegisteredFlows } from './registered-flows.ts';
import type { ServerRequests } from './server-request.ts';

/** RFC 3261 T1, T2 and 64*T1, in milliseconds. */
export const T1 = 500;
export const T2 = 4_000;
export const T64 = 32_000;

/** Sizes and times the dialog layer keeps to. Times in milliseconds. */
export interface DialogLimits {
  /** Of calls. */
  maxDialogs: number;
  /** Dialogs SUBSCRIBE made: they take no room from calls. */
  maxSubscriptions: number;
  maxRegisteredFlows: number;
  maxNames: number;
  /** A non-INVITE request the application does not answer. */
  silentMs: number;
  /** An INVITE the application does not answer at all. */
  silentInviteMs: number;
  /** An INVITE without a final answer, counted from its last 1xx. */
  ringingMs: number;
  /** A confirmed INVITE dialog. */
  callMs: number;
  /** How long the calls of a lost application wait for another one to take them. */
  orphanGraceMs: number;
}

export const defaultDialogLimits: DialogLimits = {
  maxDialogs: 20_000,
  maxSubscriptions: 60_000,
  maxRegisteredFlows: 50_000,
  maxNames: 1_000,
  // Two seconds before the peer's Timer F: a later answer would help nobody.
  silentMs: 30_000,
  silentInviteMs: 60_000,
  ringingMs: 600_000,
  callMs: 24 * 3_600_000,
  orphanGraceMs: 2_000,
};

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export type Log = (level: LogLevel, message: string, data?: object) => void;

/** Counts since the start; tables are measured, not counted. */
export interface Counters {
  deliveredRequests: number;
  sentRequests: number;
  sentResponses: number;
  refusedFull: number;
  appSilent: number;
  engineByes: number;
  madeUpResponses: number;
}

/** What every part of the dialog layer shares. Functions take it as their first argument. */
export interface Core {
  readonly clock: Clock;
  readonly transport: TransportLayer;
  readonly transactions: TransactionLayer;
  readonly apps: AppRouter;
  readonly limits: DialogLimits;
  readonly log: Log;
  readonly counters: Counters;
  readonly isExempt: (request: SipMessage) => boolean;
  readonly dialogs: DialogTable;
  readonly serverRequests: ServerRequests;
  /** Requests sent for applications and not yet finished, by transaction id. */
  readonly clientRequests: Map<string, ClientRequest>;
  readonly flows: RegisteredFlows;
  readonly names: NameCache;
  /** Running until the calls of a lost application are ended. */
  readonly graces: Set<Timer>;
}

export function newCounters(): Counters {
  return {
    deliveredRequests: 0,
    sentRequests: 0,
    sentResponses: 0,
    refusedFull: 0,
    appSilent: 0,
    engineByes: 0,
    madeUpResponses: 0,
  };
}

/** A fresh From or To tag: 72 random bits (RFC 3261 19.3 asks for 32). */
export function newTag(): string {
  return randomBytes(9).toString('hex');
}

/** A fresh transaction or message id. */
export function newId(): string {
  return randomUUID();
}

/** Whether there may be another dialog of this kind. */
export function hasRoom({ dialogs, limits }: Core, method: string): boolean {
  const { size, subscriptions } = dialogs;
  if (method === 'SUBSCRIBE') return subscriptions < limits.maxSubscriptions;
  return size - subscriptions < limits.maxDialogs;
}
