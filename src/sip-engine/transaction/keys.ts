import type { SipMessage } from '../message/message.ts';

const COOKIE = 'z9hG4bK';

/** A branch by the rules of RFC 3261, unique by `random`. */
export function newBranch(random: () => string): string {
  return COOKIE + random();
}

/** A branch with the cookie and nothing else (RFC 4475 3.2.1) is as good as none. */
function isUsable(branch: string | undefined): branch is string {
  return branch?.startsWith(COOKIE) === true && branch.length > COOKIE.length;
}

/**
 * Finds a request's server transaction. ACK and CANCEL look for that of their INVITE, so the `method` is given. Branch and
 * sent-by alone are not enough: phones and test tools reuse branches, so Call-ID and CSeq number are part of the key. Without
 * a usable branch RFC 3261 17.2.3's rule for RFC 2543 holds; the To tag then counts only where ACK and INVITE do not differ.
 */
export function serverKey(request: SipMessage, method: string): string {
  const via = request.topVia;
  const common = `${method} ${request.callId} ${request.cseq?.seq} ${via?.host.toLowerCase()}:${via?.port ?? 5060}`;
  if (isUsable(via?.branch)) return `${common} ${via.branch}`;
  const toTag = method === 'INVITE' ? '' : (request.to?.tag ?? '');
  return `${common} 2543 ${via?.branch ?? ''} ${request.from?.tag ?? ''} ${toTag} ${request.uri}`;
}

/** Equal for copies of one request that came by several ways (RFC 3261 8.2.2.2); undefined inside a dialog. */
export function mergeKey(request: SipMessage): string | undefined {
  if (request.to?.tag !== undefined) return undefined;
  return `${request.method} ${request.callId} ${request.cseq?.seq} ${request.from?.tag ?? ''}`;
}

/** Finds a response's client transaction (RFC 3261 17.1.3). */
export function clientKey(branch: string, method: string): string {
  return `${method} ${branch}`;
}
