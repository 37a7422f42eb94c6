import { normaliseDialled, withoutPrefix } from './dialled.ts';
import type { Site } from './directory.ts';
import type { NumberPlan } from './view.ts';

export { normaliseDialled } from './dialled.ts';

/** RFC 5031: `urn:service:sos` and its sub-services such as `sos.fire`. */
const SERVICE_URN = /^<?urn:service:sos(?:\.[a-z0-9-]+)*(?:[;>?].*)?$/i;

/** General emergency numbers, in the order in which a country's first one is looked for. */
const GENERAL_NUMBERS = ['999', '911', '000', '111', '112', '110', '119'] as const;

export interface EmergencyRules {
  readonly plan: NumberPlan;
  /** Where the phone stands; unknown phones have only the country's numbers. */
  readonly site?: Site | undefined;
}

/**
 * The emergency number to dial when this Request-URI asks for one, else undefined. Exact match only, with and
 * without the outside-line prefix, so that extensions such as 9999 or 1120 stay extensions. Total for any input.
 */
export function isEmergencyCall(requestUri: string, rules: EmergencyRules): string | undefined {
  if (SERVICE_URN.test(requestUri.trim())) return firstEmergencyNumber(rules);
  const dialled = normaliseDialled(requestUri);
  if (isEmergencyNumber(dialled, rules)) return dialled;
  const outside = withoutPrefix(dialled, rules.site?.outsideLinePrefix ?? '');
  return outside !== undefined && isEmergencyNumber(outside, rules) ? outside : undefined;
}

/**
 * Whether this Request-URI is a number of the site that reads an emergency address aloud, with or without the
 * outside-line prefix. Asked after `isEmergencyCall`: what is an emergency number is never a test.
 */
export function isEmergencyTest(
  requestUri: string,
  site: Pick<Site, 'emergencyTestNumbers' | 'outsideLinePrefix'> | undefined,
): boolean {
  if (!site || site.emergencyTestNumbers.length === 0) return false;
  const dialled = normaliseDialled(requestUri);
  const outside = withoutPrefix(dialled, site.outsideLinePrefix);
  const { emergencyTestNumbers: numbers } = site;
  return numbers.includes(dialled) || (outside !== undefined && numbers.includes(outside));
}

/** Digits only: number libraries skip other characters, and `9x9x9` is not 999. */
function isEmergencyNumber(digits: string, { plan, site }: EmergencyRules): boolean {
  if (!/^\d{2,8}$/.test(digits)) return false;
  return plan.isEmergency(digits) || (site?.emergencyNumbers.includes(digits) ?? false);
}

/** What a service URN becomes on a trunk that wants digits: GB 999, US 911; 112 where nothing is known. */
function firstEmergencyNumber({ plan, site }: EmergencyRules): string {
  return GENERAL_NUMBERS.find((number) => plan.isEmergency(number)) ?? site?.emergencyNumbers[0] ?? '112';
}
