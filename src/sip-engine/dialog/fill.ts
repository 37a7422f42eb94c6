/** Headers the engine supplies or owns (DP §18). */

import { parseNameAddr, parseUri, SipMessage } from '../message/message.ts';
import type { SipAddress } from '../transport/transport-layer.ts';
import { type AppMessage, appHeader } from './app-message.ts';
import { newId, newTag } from './core.ts';
import { type Dialog, withoutTag, withTag } from './dialog.ts';
import { contactFor, hostPort } from './next-hop.ts';

/** Never taken from an application. */
const OWNED = new Set(['Via', 'Route', 'Record-Route', 'RSeq', 'Content-Length']);
/** Of a response, always those of its request; of an in-dialog request, those of the dialog. */
const DIALOG_OWNED = new Set([...OWNED, 'From', 'To', 'Call-ID', 'CSeq']);
/** What a CANCEL takes from its INVITE (RFC 3261 9.1) or must not carry (DP §13). */
const CANCEL_OWNED = new Set([
  ...DIALOG_OWNED,
  'Contact',
  'P-Asserted-Identity',
  'Max-Forwards',
  'Content-Type',
]);
const LOCALHOST_HEADERS = new Set(['From', 'To', 'Contact', 'P-Asserted-Identity']);
const TARGET_REFRESH = new Set(['INVITE', 'SUBSCRIBE', 'REFER', 'UPDATE']);

export type Filled = { message: SipMessage } | { refusal: string };

/** A complete out-of-dialog request, but for its Via. */
export function fillRequest(app: AppMessage, own: SipAddress): Filled {
  const refusal = contentRefusal(app);
  if (refusal) return { refusal };
  const from = ownValue(app, 'From', own) ?? contactFor(own);
  const party = parseNameAddr(from);
  if (!party) return { refusal: `invalid from value provided by client: ${from}` };
  const seq = Number.parseInt(appHeader(app, 'CSeq') ?? '', 10) || clockSeq();
  const message = SipMessage.request(app.method, app.uri)
    .add('Max-Forwards', appHeader(app, 'Max-Forwards') ?? '70')
    .add('From', withTag(from, party, newTag()))
    .add('To', ownValue(app, 'To', own) ?? `<${app.uri}>`)
    .add('Call-ID', appHeader(app, 'Call-ID') ?? newId())
    .add('CSeq', `${seq} ${app.method}`);
  const taken = new Set([...DIALOG_OWNED, 'Max-Forwards']);
  addContent(message, app, { own, taken, contact: contactFor(own) });
  return { message };
}

/** A complete request inside `dialog`, but for its Via. `seq` is its CSeq number. */
export function fillInDialog(
  dialog: Dialog,
  app: AppMessage,
  options: { seq: number; own: SipAddress },
): Filled {
  const refusal = contentRefusal(app);
  if (refusal) return { refusal: `Server error: ${refusal}` };
  const { uri, routes } = requestTarget(dialog);
  const message = SipMessage.request(app.method, uri);
  for (const route of routes) message.add('Route', route);
  message
    .add('Max-Forwards', appHeader(app, 'Max-Forwards') ?? '70')
    .add('From', dialog.localParty)
    .add('To', dialog.remote.tag ? `${dialog.remoteParty};tag=${dialog.remote.tag}` : dialog.remoteParty)
    .add('Call-ID', dialog.callId)
    .add('CSeq', `${options.seq} ${app.method}`);
  const taken = new Set([...DIALOG_OWNED, 'Max-Forwards']);
  addContent(message, app, { own: options.own, taken, contact: dialog.localContact });
  return { message };
}

/** A complete response to `request`. `contact` is added unless the application gave one or it is undefined. */
export function fillResponse(
  app: AppMessage,
  request: SipMessage,
  options: { localTag: string; own: SipAddress; contact: string | undefined },
): SipMessage {
  const message = SipMessage.response(request, app.status, app.reason || undefined);
  if (app.status > 100) {
    message.set('To', withTag(request.get('To') ?? '', request.to, options.localTag));
  }
  if (options.contact && !appHeader(app, 'Contact')) message.add('Contact', options.contact);
  addHeaders(message, app, { own: options.own, taken: DIALOG_OWNED });
  message.body = app.body;
  guessContentType(message);
  return message;
}

/** The headers of an application's CANCEL that go out: Reason and the like (DP §13). */
export function cancelHeaders(app: AppMessage): [string, string][] {
  return app.headers.filter(([name]) => !CANCEL_OWNED.has(name));
}

/** To tag an application wrote into its response; undefined when it left that to us. */
export function chosenTag(app: AppMessage): string | undefined {
  const tag = parseNameAddr(appHeader(app, 'To') ?? '')?.tag;
  return tag && /^[A-Za-z0-9.!%*_+`'~-]+$/.test(tag) ? tag : undefined;
}

/** Request-URI and Route headers of a dialog's requests (RFC 3261 12.2.1.1, strict routers included). */
export function requestTarget(dialog: Dialog): { uri: string; routes: string[] } {
  const { routes, target } = dialog.remote;
  const first = parseNameAddr(routes[0] ?? '');
  if (!first || parseUri(first.uri)?.params.has('lr')) return { uri: target, routes };
  return { uri: first.uri, routes: [...routes.slice(1), `<${target}>`] };
}

/**
 * Replaces `localhost` in the URI of an identity header by the own address (DP §18). An addr-spec gets brackets,
 * so that parameters added later are the header's.
 */
export function substituteLocalhost(value: string, own: SipAddress): string {
  const replaced = value.replace(
    /(sips?:(?:[^@\s<>"]*@)?)localhost(:\d+)?(?![\w.@-])/gi,
    `$1${hostPort(own)}`,
  );
  return replaced === value ? value : bracketed(replaced);
}

function bracketed(value: string): string {
  if (value.includes('<')) return value;
  const [uri, ...params] = value.split(';');
  return [`<${uri}>`, ...params].join(';');
}

function ownValue(app: AppMessage, name: string, own: SipAddress): string | undefined {
  const value = appHeader(app, name);
  return value === undefined ? undefined : bracketed(substituteLocalhost(value, own));
}

interface ContentOptions {
  own: SipAddress;
  taken: ReadonlySet<string>;
  contact: string;
}

function addContent(message: SipMessage, app: AppMessage, options: ContentOptions): void {
  if (TARGET_REFRESH.has(app.method) && !appHeader(app, 'Contact')) message.add('Contact', options.contact);
  addHeaders(message, app, options);
  message.body = app.body;
  guessContentType(message);
}

function addHeaders(message: SipMessage, app: AppMessage, options: Omit<ContentOptions, 'contact'>): void {
  for (const [name, value] of app.headers) {
    if (options.taken.has(name)) continue;
    message.add(name, LOCALHOST_HEADERS.has(name) ? substituteLocalhost(value, options.own) : value);
  }
}

function guessContentType(message: SipMessage): void {
  if (message.body.startsWith('v=0') && !message.has('Content-Type')) {
    message.add('Content-Type', 'application/sdp');
  }
}

function contentRefusal(app: AppMessage): string | undefined {
  const typed = app.body === '' || app.body.startsWith('v=0') || appHeader(app, 'Content-Type');
  return typed ? undefined : 'missing content-type';
}

/** A first CSeq number that grows with time and stays far below 2^31. */
function clockSeq(): number {
  return (Math.floor(Date.now() / 100) % 0x3fffffff) + 1;
}

/** From and To of a dialog's own requests, from the message that made it: `local` ours, `remote` theirs. */
export function parties(
  local: string,
  remote: string,
  localTag: string,
): { localParty: string; remoteParty: string } {
  return { localParty: `${withoutTag(local)};tag=${localTag}`, remoteParty: withoutTag(remote) };
}
