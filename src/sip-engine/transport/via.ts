import { topLevelComma } from '../message/address.ts';
import type { SipMessage } from '../message/message.ts';
import { withoutScope } from './networks.ts';

const OWN_PARAMS = /[ \t]*;[ \t]*(?:rport|received)[ \t]*(?:=[ \t]*[^;,"\s]*[ \t]*)?(?=;|$)/gi;
const MENTIONED = /rport|received/i;

/**
 * Writes where a request really came from into its top Via (RFC 3261 18.2.1, RFC 3581), asked for or not, and removes what the
 * sender claimed there.
 */
export function stampSource(request: SipMessage, address: string, port: number): void {
  const value = request.get('Via');
  if (value === undefined) return;
  const comma = topLevelComma(value);
  const first = comma < 0 ? value : value.slice(0, comma);
  const rest = comma < 0 ? '' : value.slice(comma);
  const kept = MENTIONED.test(first) ? first.replace(OWN_PARAMS, '') : first;
  request.setFirst('Via', `${kept};received=${withoutScope(address)};rport=${port}${rest}`);
}
