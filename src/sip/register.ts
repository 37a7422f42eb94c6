import type { RegisteredContact, RegisterRequest, RequestedContact } from '../domain/registration.ts';
import { allowEvents } from './events/subscribe-request.ts';
import { flowOf } from './flow.ts';
import type { Identifier } from './identify.ts';
import type { SipDependencies } from './ports.ts';
import type { Headers, Request, Response } from './srf.ts';
import { userOf } from './uri.ts';

/** REGISTER (RFC 3261 10.3): the phone proves itself as the AOR it registers, then the registrar decides. */
export async function handleRegister(
  deps: SipDependencies,
  identifier: Identifier,
  exchange: { request: Request; response: Response },
): Promise<void> {
  const { request, response } = exchange;
  const host = identifier.authenticate(request, response);
  if (host === undefined) return;
  if (userOf(request.get('To') ?? '') !== host) {
    response.send(403, 'Not your address', {});
    return;
  }
  const parsed = parseRegistration(request);
  if (!parsed) {
    response.send(400, 'Contact not understood', {});
    return;
  }
  const answer = await deps.registrar.register(host, parsed);
  if ('status' in answer) {
    const headers: Headers = answer.status === 423 ? { 'Min-Expires': String(answer.minExpires) } : {};
    response.send(answer.status, answer.reason, { headers });
    return;
  }
  const contacts = answer.contacts.map(contactValue).join(', ');
  const headers = { ...okHeaders(request, contacts), Date: new Date(deps.clock.now()).toUTCString() };
  response.send(200, { headers: { ...headers, 'Allow-Events': allowEvents(deps.events.packages) } });
}

/** A binding as the 200 lists it (RFC 3261 10.3 step 8, RFC 5626 6). */
function contactValue({ uri, expires, q, instance, regId }: RegisteredContact): string {
  const quality = q === 1 ? '' : `;q=${q}`;
  const outbound = instance === undefined ? '' : `;+sip.instance="${instance}"`;
  return `<${uri}>;expires=${expires}${quality}${outbound}${regId === undefined ? '' : `;reg-id=${regId}`}`;
}

function okHeaders(request: Request, contacts: string): Headers {
  const path = request.get('Path');
  return {
    ...(contacts === '' ? {} : { Contact: contacts }),
    ...(path === undefined ? {} : { Path: path, Supported: 'path' }),
  };
}

/** What the registrar needs of a REGISTER; undefined when a Contact does not parse. */
export function parseRegistration(request: Request): RegisterRequest | undefined {
  const header = request.get('Contact');
  const contacts =
    header === undefined ? [] : header.trim() === '*' ? '*' : splitContacts(header).map(parseContact);
  if (contacts !== '*' && contacts.some((contact) => contact === undefined)) return undefined;
  const expires = request.get('Expires');
  return {
    contacts: contacts as '*' | RequestedContact[],
    expires: wholeNumber(expires),
    callId: request.get('Call-ID') ?? '',
    cseq: Number.parseInt(request.get('CSeq') ?? '0', 10),
    flow: flowOf(request),
    path: splitContacts(request.get('Path') ?? '').filter((hop) => hop !== ''),
    userAgent: request.get('User-Agent') ?? '',
  };
}

function parseContact(text: string): RequestedContact | undefined {
  const bracketed = /<([^<>]*)>\s*(.*)$/s.exec(text);
  const [uri, params] = bracketed
    ? [bracketed[1]!, bracketed[2]!]
    : splitAt(text.trim(), text.trim().indexOf(';'));
  if (!/^[a-z][a-z0-9+.-]*:/i.test(uri)) return undefined;
  const param = (name: string): string | undefined =>
    new RegExp(`;\\s*${name}\\s*=\\s*(?:"([^"]*)"|([^;\\s]+))`, 'i')
      .exec(params)
      ?.slice(1)
      .find((v) => v !== undefined);
  const expires = param('expires');
  const q = param('q');
  return {
    uri,
    expires: wholeNumber(expires),
    q: q === undefined ? undefined : Number(q),
    instance: param('\\+sip\\.instance'),
    regId: wholeNumber(param('reg-id')),
  };
}

/** Delta-seconds and the like; a malformed value counts as absent (RFC 3261 20.10). */
function wholeNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^\s*\d{1,10}\s*$/.test(text) ? Number(text) : undefined;
}

function splitAt(text: string, index: number): [string, string] {
  return index < 0 ? [text, ''] : [text.slice(0, index), text.slice(index)];
}

/** Commas outside quotes and angle brackets separate values (RFC 3261 7.3.1). */
function splitContacts(header: string): string[] {
  const parts = header.match(/(?:"(?:[^"\\]|\\.)*"|<[^<>]*>|[^,"<])+/g) ?? [];
  return parts.map((part) => part.trim());
}
