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
