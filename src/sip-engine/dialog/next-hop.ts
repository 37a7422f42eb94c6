import { isIP } from 'node:net';
import { parseNameAddr, parseUri, type SipMessage, type Uri } from '../message/message.ts';
import type { Flow, Protocol } from '../transport/flow.ts';
import type { SipAddress } from '../transport/transport-layer.ts';
import type { Core } from './core.ts';
import type { Dialog } from './dialog.ts';

/** Where a request goes next: an open flow, or an address still to be looked up. */
export type Hop =
  | { flow: Flow }
  | { protocol: Protocol; host: string; port: number; named: boolean; connectMs?: number };

export type HopOrRefusal = Hop | { refusal: string };

const DEFAULT_PORT = 5060;
/** RFC 3261 18.1.1: larger requests go by a congestion-controlled transport unless one was named. */
const LARGE = 1_300;
/** For a connection nobody asked for: a firewall that swallows it must not hold up a call that can go by UDP. */
const LARGE_CONNECT_MS = 2_000;

/**
 * Next hop of a new request: the application's route, else the registered connection of the URI's user,
 * else the URI (DP §11, §17).
 */
export function hopForRequest(core: Core, uri: string, routeUrl: string): HopOrRefusal {
  const target = parseUri(routeUrl ? routeUri(routeUrl) : uri);
  if (!target || !/^sips?$/.test(target.scheme))
    return { refusal: `invalid request-uri: ${routeUrl || uri}` };
  const registered = routeUrl ? webSocketOf(core, uri, target) : core.flows.find(target);
  if (registered) return { flow: registered };
  const hop = hopForUri(core, target);
  if ('host' in hop && isOurs(core, hop)) return { refusal: 'can not send request to myself' };
  return hop;
}

/** A route may name the WebSocket a Contact was registered over; nobody else is behind it (RFC 7118 5). */
function webSocketOf(core: Core, uri: string, route: Uri): Flow | undefined {
  const contact = transportOf(route) === 'ws' ? parseUri(uri) : undefined;
  return contact && core.flows.findWebSocket(contact, { host: route.host, port: route.port ?? DEFAULT_PORT });
}

/** The transport a URI names. `wss` is a WebSocket whose TLS a proxy has taken off. */
function transportOf(uri: Uri): string | undefined {
  const named = uri.params.get('transport')?.toLowerCase();
  return named === 'wss' ? 'ws' : named;
}

/** drachtio-srf's `proxy` option is a SIP URI, perhaps in brackets, or `address[:port]`. */
function routeUri(route: string): string {
  const bare = route.includes('<') ? (parseNameAddr(route)?.uri ?? route) : route;
  return /^sips?:/i.test(bare) ? bare : `sip:${bare}`;
}

/** Address and transport a SIP URI names; refused when no listener speaks that transport. */
function hopForUri(core: Core, uri: Uri): HopOrRefusal {
  const named = transportOf(uri);
  const spoken = core.transport.addresses().map((address) => address.protocol);
  const other = spoken.find((one) => one !== 'ws');
  const protocol = spoken.find((one) => one === (named ?? 'udp')) ?? (named ? undefined : other);
  if (!protocol || uri.scheme === 'sips') return { refusal: 'requested protocol/transport not available' };
  const host = uri.params.get('maddr') || uri.host;
  return { protocol, host, port: uri.port ?? DEFAULT_PORT, named: named !== undefined };
}

/** Next hop inside a dialog (DP §9, §19). */
export function hopForDialog(core: Core, dialog: Dialog): HopOrRefusal {
  const target = parseUri(dialog.remote.target);
  const moved = target && core.flows.find(target);
  if (moved) return { flow: moved };
  if (dialog.flow.reliable && !dialog.flow.closed) return { flow: dialog.flow };
  const nat = dialog.remote.natAddress;
  if (nat && !dialog.flow.reliable) return { protocol: 'udp', ...nat, named: true };
  const route = dialog.remote.routes[0];
  const uri = route ? parseUri(parseNameAddr(route)?.uri ?? '') : target;
  if (!uri) return { refusal: 'Server error: unable to find route for dialog' };
  const hop = hopForUri(core, uri);
  // A Contact without a transport was learnt over the dialog's own.
  return 'host' in hop && !hop.named ? { ...hop, protocol: dialog.flow.protocol, named: true } : hop;
}

/**
 * Opens the flow of a hop; undefined when the name or the transport cannot be reached. May answer later. To a WebSocket that
 * is not there no way can be opened, and the host of its Contact is made up (RFC 7118 5).
 */
export function openFlow(core: Core, hop: Hop, done: (flow: Flow | undefined) => void): void {
  if ('flow' in hop) return done(hop.flow);
  if (hop.protocol === 'ws') return done(undefined);
  core.names.find(hop.host, (address) => {
    done(address ? core.transport.flowTo({ ...hop, host: address }) : undefined);
  });
}

/** Why a request found no flow: the one its device opened is gone (RFC 5626 5.3), or there is no way (DP §11). */
export function statusWithoutFlow(hop: Hop): number {
  return 'protocol' in hop && hop.protocol === 'ws' ? 430 : 503;
}

/** The same hop by TCP, where RFC 3261 18.1.1 asks for it; undefined where UDP is right. */
export function largeHop(core: Core, hop: Hop, message: SipMessage): Hop | undefined {
  if ('flow' in hop || hop.named || hop.protocol !== 'udp' || !isIP(hop.host)) return undefined;
  if (core.flows.speaksUdp(hop.host, hop.port) || !listens(core, 'tcp')) return undefined;
  return message.toString().length > LARGE
    ? { ...hop, protocol: 'tcp', connectMs: LARGE_CONNECT_MS }
    : undefined;
}

/** Contact value for messages of an own address: no user part, `;transport` unless UDP (DP §10). */
export function contactFor(address: SipAddress): string {
  const transport = address.protocol === 'udp' ? '' : `;transport=${address.protocol}`;
  return `<sip:${hostPort(address)}${transport}>`;
}

/** `host:port` as peers are told, with brackets around IPv6. */
export function hostPort(address: { host: string; port: number }): string {
  return `${isIP(address.host) === 6 ? `[${address.host}]` : address.host}:${address.port}`;
}

function listens(core: Core, protocol: Protocol): boolean {
  return core.transport.addresses().some((address) => address.protocol === protocol);
}

function isOurs(core: Core, hop: { protocol: Protocol; host: string; port: number }): boolean {
  return core.transport
    .addresses()
    .some(
      (own) =>
        own.protocol === hop.protocol &&
        ((own.host === hop.host && own.port === hop.port) ||
          (own.localHost === hop.host && own.localPort === hop.port)),
    );
}
