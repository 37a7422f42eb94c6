import type { Message } from './srf.ts';

/**
 * The session description of a message; `''` when it has none. Takes it out of a multipart body (RFC 5621), as phones
 * send one with their location in emergency calls (RFC 6442).
 */
export function sdpOf(message: Pick<Message, 'body' | 'get'>): string {
  const body = message.body ?? '';
  if (body.startsWith('v=')) return body;
  const type = message.get('Content-Type') ?? '';
  const boundary = /^\s*multipart\/[^;]*;(?:.*;)?\s*boundary\s*=\s*(?:"([^"]+)"|([^\s;"]+))/is.exec(type);
  if (!boundary) return '';
  const parts = body.split(`--${boundary[1] ?? boundary[2]}`).slice(1);
  return parts.map(sdpOfPart).find((sdp) => sdp !== '') ?? '';
}

function sdpOfPart(part: string): string {
  const end = part.indexOf('\r\n\r\n');
  if (end < 0 || !/^content-type\s*:\s*application\/sdp\b/im.test(part.slice(0, end))) return '';
  // The last line end belongs to the delimiter.
  return `${part.slice(end + 4).replace(/(?:\r\n){1,2}$/, '')}\r\n`;
}

/** One part of a multipart body. */
export interface BodyPart {
  readonly type: string;
  /** Content-ID without its brackets (RFC 2392), by which a header of the message speaks of this part. */
  readonly id?: string | undefined;
  readonly content: string;
}

export interface Body {
  readonly type: string;
  readonly content: string;
}

/** A multipart/mixed body of these parts (RFC 2046 5.1), each to be read back as it was. */
export function multipart(parts: readonly BodyPart[]): Body {
  const boundary = boundaryFor(parts.map(({ content }) => content).join('\n'));
  const written = parts.map(
    (part) => `--${boundary}\r\n${partHeaders(part).join('\r\n')}\r\n\r\n${part.content}\r\n`,
  );
  return { type: `multipart/mixed;boundary=${boundary}`, content: `${written.join('')}--${boundary}--\r\n` };
}

/** What a header speaks of is no reason to refuse the message when it is not understood (RFC 5621 5, 7852 9). */
function partHeaders({ type, id }: BodyPart): string[] {
  const disposition = 'Content-Disposition: by-reference;handling=optional';
  return [`Content-Type: ${type}`, ...(id === undefined ? [] : [`Content-ID: <${id}>`, disposition])];
}

/** A boundary that none of the text holds: what a phone wrote must not end its part early. */
function boundaryFor(text: string): string {
  let number = 1;
  while (text.includes(`--hotdesk-${number}`)) number++;
  return `hotdesk-${number}`;
}
