import type { IncomingHttpHeaders } from 'node:http';
import { familyOf } from './networks.ts';

/** A request that wants to become a WebSocket. */
export interface Upgrade {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly headers: IncomingHttpHeaders;
}

/** Which web pages may connect: `origins` as configured, or those of the `ownHosts`. */
export interface OriginRules {
  readonly origins?: readonly string[] | undefined;
  readonly ownHosts: readonly string[];
}

/** An HTTP answer that is no upgrade. */
export interface Refusal {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
}

/** The subprotocol of RFC 7118 4. */
export const SIP = 'sip';
/** To whoever speaks plain HTTP (RFC 9110 15.5.22). */
export const UPGRADE_REQUIRED: Refusal = {
  status: 426,
  headers: { Upgrade: 'websocket', 'Sec-WebSocket-Protocol': SIP },
};

/** Why a connection cannot become a WebSocket for SIP; undefined if it may. What remains is for RFC 6455 to say. */
export function refusalFor({ method, url, headers }: Upgrade, rules: OriginRules): Refusal | undefined {
  if (headers.upgrade?.toLowerCase() !== 'websocket') return UPGRADE_REQUIRED;
  if (method !== 'GET') return { status: 405, headers: { Allow: 'GET' } };
  if (url !== '/') return { status: 404, headers: {} };
  if (!isWelcome(headers.origin, rules)) return { status: 403, headers: {} };
  const offered = headers['sec-websocket-protocol']?.split(',').map((name) => name.trim()) ?? [];
  return offered.includes(SIP) ? undefined : { status: 400, headers: { 'Sec-WebSocket-Protocol': SIP } };
}

/**
 * A page from anywhere must not make calls by the browser of somebody who may (RFC 6455 10.2). By its own name alone no page
 * is ours, or an attacker's name that leads to our address would do.
 */
function isWelcome(origin: string | undefined, { origins, ownHosts }: OriginRules): boolean {
  if (origin === undefined) return true;
  if (origins !== undefined) return origins.some((one) => one === '*' || sameText(one, origin));
  if (!URL.canParse(origin)) return false;
  const { protocol, hostname } = new URL(origin);
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  return /^https?:$/.test(protocol) && ownHosts.some((own) => sameText(own, host));
}

/** Names under which a page of this very machine may show itself, for one who connected to `address`. */
export function ownHostsAt(address: string, externalHost: string | undefined): string[] {
  const loopback = familyOf(address) === 'ipv4' ? address.startsWith('127.') : address === '::1';
  return [
    address,
    ...(externalHost === undefined ? [] : [externalHost]),
    ...(loopback ? ['localhost', '127.0.0.1', '::1'] : []),
  ];
}

function sameText(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}
