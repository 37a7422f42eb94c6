import type { Headers, Message, Request } from '../srf.ts';
import type { EventPackage } from './package.ts';

/** What a SUBSCRIBE asks for (RFC 6665 3.1, 4.1), as far as its headers tell. */
export interface Asked {
  /** Package and `id` of the Event header; both `''` when there is none. */
  readonly event: string;
  readonly eventId: string;
  /** Seconds; undefined: it names no time, or none that can be read (RFC 3261 20.10). */
  readonly expires: number | undefined;
  /** First Contact URI: where NOTIFYs go. */
  readonly target: string | undefined;
  readonly toTag: string;
}

/** One side of a dialog. */
export interface Party {
  readonly uri: string;
  readonly tag: string;
}

export function readSubscribe(request: Request): Asked {
  // Compact for drachtio-srf, which does not know `o`.
  const [event = '', ...params] = (request.get('Event') ?? request.get('o') ?? '').split(';');
  const id = params.map((param) => /^\s*id\s*=\s*(\S+)\s*$/i.exec(param)?.[1]).find(Boolean);
  const expires = request.get('Expires');
  return {
    event: event.trim().toLowerCase(),
    eventId: id ?? '',
    expires: expires !== undefined && /^\s*\d{1,10}\s*$/.test(expires) ? Number(expires) : undefined,
    target: contactUri(request.get('Contact') ?? ''),
    toTag: partyOf(request.get('To')).tag,
  };
}

/** URI and tag of a From or To; `''` for what it has not. */
export function partyOf(header: string | undefined): Party {
  const text = withoutName(header ?? '');
  const bracketed = /^\s*<([^<>]*)>(.*)$/s.exec(text);
  const [uri = '', rest = ''] = bracketed ? bracketed.slice(1) : splitAt(text.trim(), ';');
  return { uri, tag: /;\s*tag\s*=\s*([^;\s]+)/i.exec(rest)?.[1] ?? '' };
}

/** URI of the first Contact, if it is one NOTIFYs can be sent to. */
function contactUri(header: string): string | undefined {
  const text = withoutName(header);
  const uri = /^\s*<([^<>]*)>/.exec(text)?.[1] ?? splitAt(text.trim(), ';')[0]!.split(',', 1)[0]!;
  return /^sips?:[^\s|]+$/i.test(uri) ? uri : undefined;
}

/** Starts at `<`, where there is one; a quoted display name may hold anything and is skipped. */
function withoutName(text: string): string {
  const rest = text.replace(/^\s*"(?:[^"\\]|\\.)*"/s, '');
  const open = rest.indexOf('<');
  return open < 0 ? rest : rest.slice(open);
}

function splitAt(text: string, mark: string): [string, string] {
  const at = text.indexOf(mark);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at)];
}

/** Route set of the dialog: the Record-Route values as they came (RFC 3261 12.1.1). */
export function routesOf(request: Message): string[] {
  return (request.get('Record-Route') ?? '').match(/<[^<>]*>[^,]*/g)?.map((route) => route.trim()) ?? [];
}

/** Whether a request belongs to a dialog that the SIP server does not know (RFC 3261 12.2.2). */
export function isStray(request: Request): boolean {
  return !request.stackDialogId && partyOf(request.get('To')).tag !== '';
}

/** Seconds to grant, or the least that would be granted (RFC 6665 4.2.1.1). 0 is always granted: a look, or the end. */
export function grantedSeconds(
  { expires }: Asked,
  { expires: offered }: EventPackage,
): number | { readonly min: number } {
  const wanted = expires ?? offered.standard;
  if (wanted > 0 && wanted < offered.min) return { min: offered.min };
  return Math.min(wanted, offered.max);
}

/** Whether what the package sends may be sent; without Accept it may (RFC 6665 3.1.3). */
export function accepts(request: Message, contentType: string): boolean {
  const accept = request.get('Accept');
  if (accept === undefined) return true;
  const [kind] = contentType.split('/');
  const fits = new Set([contentType.toLowerCase(), `${kind}/*`, '*/*']);
  return accept.split(',').some((range) => fits.has(range.split(';', 1)[0]!.trim().toLowerCase()));
}

/** Value of Allow-Events (RFC 6665 8.2.2): `refer` is served inside calls. */
export function allowEvents(packages: readonly Pick<EventPackage, 'event'>[]): string {
  return [...packages.map(({ event }) => event), 'refer'].join(', ');
}

/** A refusal of a SUBSCRIBE. */
export interface Refused {
  readonly status: number;
  readonly reason?: string;
  readonly headers?: Headers;
}
