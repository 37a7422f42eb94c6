import { withoutPrefix } from '../../domain/dialled.ts';
import { decideRoute, type EmergencyRoute } from '../../domain/route.ts';
import type { SipDependencies } from '../ports.ts';
import type { EmergencyDigits } from './digit-queue.ts';

type Facts = Pick<SipDependencies, 'view' | 'numberPlan' | 'domain'>;

/** Longest national emergency number whose beginnings are known; others are listed with the site. */
const NATIONAL_DIGITS = 3;
const DIGITS = [...'0123456789'];

/** The emergency call that digits typed at a menu mean at this phone; undefined when they mean none. */
export function emergencyByDigits(
  { view, numberPlan, domain }: Facts,
  host: string,
  digits: string,
): EmergencyRoute | undefined {
  if (digits === '') return undefined;
  const requestUri = `sip:${digits}@${domain}`;
  const route = decideRoute({ requestUri, caller: { kind: 'host', host } }, view, numberPlan);
  return route.kind === 'emergency' ? route : undefined;
}

/** What digits typed one by one at this phone's menus mean, with and without the outside-line prefix. */
export function emergencyDigits(facts: Facts, host: string): EmergencyDigits {
  const known = new Map<string, boolean>();
  const begins = (digits: string): boolean => {
    const answer = known.get(digits) ?? beginsEmergency(facts, host, digits);
    known.set(digits, answer);
    return answer;
  };
  return {
    number: (digits) =>
      /^\d{2,}$/.test(digits) ? emergencyByDigits(facts, host, digits)?.number : undefined,
    begins: (digits) => /^\d+$/.test(digits) && begins(digits),
  };
}

function beginsEmergency({ view, numberPlan }: Facts, host: string, digits: string): boolean {
  const directory = view.emergencyDirectory;
  const site = directory?.sites.get(directory.hosts.get(host)?.site ?? '');
  const prefix = site?.outsideLinePrefix ?? '';
  if (prefix.startsWith(digits)) return true;
  const readings = [digits, withoutPrefix(digits, prefix)].filter((reading) => reading !== undefined);
  return readings.some(
    (reading) =>
      site?.emergencyNumbers.some((number) => number !== reading && number.startsWith(reading)) ||
      beginsNational(reading, (number) => numberPlan.isEmergency(number)),
  );
}

function beginsNational(digits: string, isEmergency: (number: string) => boolean): boolean {
  if (digits.length >= NATIONAL_DIGITS) return false;
  return DIGITS.some((digit) => isEmergency(digits + digit) || beginsNational(digits + digit, isEmergency));
}
