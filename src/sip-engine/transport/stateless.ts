import { createHash } from 'node:crypto';
import { SipMessage } from '../message/message.ts';

/** The same tag for every repetition of a request, without remembering it (RFC 3261 8.2.7). */
function statelessTag(request: SipMessage): string {
  const hash = createHash('sha1');
  for (const name of ['Via', 'Call-ID', 'From', 'CSeq']) hash.update(`${request.get(name) ?? ''}\n`);
  return hash.digest('hex').slice(0, 16);
}

/** A response from outside any transaction, with a To tag if To can carry one. */
export function statelessResponse(request: SipMessage, status: number, reason?: string): SipMessage {
  const response = SipMessage.response(request, status, reason);
  const to = response.to;
  if (to !== undefined && to.tag === undefined)
    response.set('To', `${response.get('To')};tag=${statelessTag(request)}`);
  return response;
}
