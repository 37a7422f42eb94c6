import { normaliseDialled, withoutPrefix } from './dialled.ts';
import type { Directory, Site } from './directory.ts';
import type { DirectoryIndex } from './directory-index.ts';
import type { NumberPlan } from './view.ts';

export { normaliseDialled } from './dialled.ts';

/** RFC 5031: `urn:service:sos` and its sub-services such as `sos.fire`. */
const SERVICE_URN = /^<?urn:service:sos(?:\.[a-z0-9-]+)*(?:[;>?].*)?$/i;

const MOST_DIGITS = 8;
const EMERGENCY_DIGITS = /^\d{2,8}$/;

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
 * The same for a phone whose site is not known: what is an emergency number at any site. Costs the same whatever the
 * number of sites, so that a flood of strangers' calls cannot make it dear.
 */
export function isEmergencyAnywhere(
  requestUri: string,
  { plan, directory }: { readonly plan: NumberPlan; readonly directory: Pick<Directory, 'sites' | 'index'> },
): string | undefined {
  const national = isEmergencyCall(requestUri, { plan });
  if (national !== undefined) return national;
  const readings = siteReadings(normaliseDialled(requestUri), plan, directory.index);
  if (readings.length < 2) return readings[0];
  // Sites read it differently, one as a number and one as prefix and number: the first decides.
  for (const site of directory.sites.values()) {
    const number = isEmergencyCall(requestUri, { plan, site });
    if (number !== undefined) return number;
  }
  return undefined;
}

/** What the sites may take these digits for: a number of their own, or a number behind their outside-line prefix. */
function siteReadings(dialled: string, plan: NumberPlan, index: DirectoryIndex): string[] {
  const found = EMERGENCY_DIGITS.test(dialled) && index.isSiteEmergency(dialled) ? [dialled] : [];
  for (let length = Math.max(1, dialled.length - MOST_DIGITS); length < dialled.length; length++) {
    const prefix = dialled.slice(0, length);
    if (!index.isOutsideLine(prefix)) continue;
    const number = dialled.slice(length);
    if (!EMERGENCY_DIGITS.test(number)) continue;
    if (plan.isEmergency(number) || index.isSiteEmergency(number, prefix)) found.push(number);
  }
  return found;
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
  if (!EMERGENCY_DIGITS.test(digits)) return false;
  return plan.isEmergency(digits) || (site?.emergencyNumbers.includes(digits) ?? false);
}

/** What a service URN becomes on a trunk that wants digits: GB 999, US 911; 112 where nothing is known. */
function firstEmergencyNumber({ plan, site }: EmergencyRules): string {
  return GENERAL_NUMBERS.find((number) => plan.isEmergency(number)) ?? site?.emergencyNumbers[0] ?? '112';
}
