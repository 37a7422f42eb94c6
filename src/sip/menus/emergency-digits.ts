import { decideRoute, type Route } from '../../domain/route.ts';
import type { SipDependencies } from '../ports.ts';

/** The emergency call that digits typed at a menu mean at this phone; undefined when they mean none. */
export function emergencyByDigits(
  { view, numberPlan, domain }: Pick<SipDependencies, 'view' | 'numberPlan' | 'domain'>,
  host: string,
  digits: string,
): Extract<Route, { kind: 'emergency' }> | undefined {
  if (digits === '') return undefined;
  const requestUri = `sip:${digits}@${domain}`;
  const route = decideRoute({ requestUri, caller: { kind: 'host', host } }, view, numberPlan);
  return route.kind === 'emergency' ? route : undefined;
}
