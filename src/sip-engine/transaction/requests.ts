import { SipMessage } from '../message/message.ts';

/** What ACK and CANCEL have in common: they go the way of their INVITE, under its top Via. */
function likeInvite(invite: SipMessage, method: 'ACK' | 'CANCEL', to: string): SipMessage {
  const request = SipMessage.request(method, invite.uri);
  request.add('Via', invite.get('Via') ?? '');
  for (const route of invite.getAll('Route')) request.add('Route', route);
  request.add('Max-Forwards', '70');
  request.add('From', invite.get('From') ?? '');
  request.add('To', to);
  request.add('Call-ID', invite.callId ?? '');
  return request.add('CSeq', `${invite.cseq?.seq ?? 0} ${method}`);
}

/** The ACK of the transaction layer for a response of 300 and above (RFC 3261 17.1.1.3). */
export function ackFor(invite: SipMessage, response: SipMessage): SipMessage {
  return likeInvite(invite, 'ACK', response.get('To') ?? '');
}

/** The CANCEL of a pending INVITE (RFC 3261 9.1) with further headers such as Reason. */
export function cancelFor(
  invite: SipMessage,
  extra: readonly (readonly [name: string, value: string])[],
): SipMessage {
  const cancel = likeInvite(invite, 'CANCEL', invite.get('To') ?? '');
  for (const [name, value] of extra) cancel.add(name, value);
  return cancel;
}
