import { createHash } from 'node:crypto';
import type { Binding } from '../../domain/binding.ts';

/**
 * All that is needed to go on with a subscription: each node keeps its own among the shared entries, so that another,
 * or the next process on this machine, can.
 */
export interface SubscriptionRecord {
  readonly event: string;
  /** `''`: none. */
  readonly eventId: string;
  readonly subscriber: string;
  readonly resource: string;
  readonly callId: string;
  /** From of our NOTIFYs and To: URI in brackets and tag. */
  readonly local: string;
  readonly remote: string;
  /** Contact value we are known by in the dialog. */
  readonly contact: string;
  readonly routes: readonly string[];
  /** Contact URI of the phone. */
  target: string;
  flow: Binding['flow'];
  /** ms since 1970 by the store's clock. */
  expiresAt: number;
  /** CSeq number of the last NOTIFY. */
  cseq: number;
  /** NOTIFYs so far. */
  version: number;
  /** Of the last state told, and the version it was told as. */
  digest: string;
  toldAs: number;
  /** When that was sent, or the dialog made; by the store's clock. */
  at: number;
  node: string;
}

const TEXTS = [
  ...['event', 'eventId', 'subscriber', 'resource', 'callId', 'local', 'remote', 'contact', 'target'],
  ...['digest', 'node'],
] as const;
const NUMBERS = ['expiresAt', 'cseq', 'version', 'toldAs', 'at'] as const;

/** Names the dialog; the same on every node. 32 hexadecimal digits. */
export function dialogKey(dialog: { callId: string; localTag: string; remoteTag: string }): string {
  const text = `${dialog.callId}\n${dialog.localTag}\n${dialog.remoteTag}`;
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}

export function entryName(id: string): string {
  return `sub:${id}`;
}

/** A shared entry read back: undefined when it is none of ours, such as one of another version. */
export function parseRecord(value: unknown): SubscriptionRecord | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const fields = value as Record<string, unknown>;
  const flow = fields.flow as Partial<Binding['flow']> | undefined;
  const isWhole =
    TEXTS.every((name) => typeof fields[name] === 'string') &&
    NUMBERS.every((name) => Number.isSafeInteger(fields[name])) &&
    Array.isArray(fields.routes) &&
    typeof flow?.protocol === 'string' &&
    typeof flow.address === 'string' &&
    Number.isSafeInteger(flow.port);
  return isWhole ? structuredClone(value as SubscriptionRecord) : undefined;
}

/** What a document is known by again. */
export function digestOf(
  document: { contentType: string; body: string; identity?: string } | undefined,
): string {
  if (!document) return '';
  const text = `${document.contentType}\n${document.identity ?? document.body}`;
  return createHash('sha256').update(text).digest('base64').slice(0, 22);
}
