import type { Company, Site } from '../domain/directory.ts';
import { isEmergencyCall, isEmergencyTest } from '../domain/emergency.ts';
import type { NumberPlan } from '../domain/view.ts';
import type { VoicePortal } from '../domain/voice-portal.ts';

/** What the numbers of voice portal and voicemail are checked against. */
export interface ServiceNumberFacts {
  readonly company: Pick<Company, 'voicePortal' | 'voicemailNumber'>;
  readonly sites: readonly Site[];
  readonly isExtension: (digits: string) => boolean;
  /** Undefined: the country is not known, which is a problem of its own. */
  readonly plan: NumberPlan | undefined;
}

/**
 * What is wrong with the numbers of voice portal and voicemail: they are dialled as they are, so they must be nobody's
 * extension, call for no help, read no address aloud, differ, and not begin as a call to the outside does.
 */
export function serviceNumberProblems({ company, sites, isExtension, plan }: ServiceNumberFacts): string[] {
  const services = serviceNumbers(company);
  const [portal, voicemail] = [company.voicePortal?.number, company.voicemailNumber];
  const same = portal !== undefined && portal === voicemail;
  return [
    ...(same ? [`company.voicemailNumber: ${portal} is the number of the voice portal already`] : []),
    ...services.flatMap(({ path, number }) =>
      clashes(number, { sites, isExtension, plan }).map((words) => `${path}: ${words}`),
    ),
  ];
}

/** The numbers of voice portal and voicemail, as far as there are any, with the setting each is from. */
export function serviceNumbers(
  company: ServiceNumberFacts['company'],
): { readonly path: string; readonly number: string }[] {
  const all = [
    { path: 'company.voicePortal.number', number: company.voicePortal?.number },
    { path: 'company.voicemailNumber', number: company.voicemailNumber },
  ];
  return all.flatMap(({ path, number }) => (number === undefined ? [] : [{ path, number }]));
}

function clashes(
  number: string,
  { sites, isExtension, plan }: Omit<ServiceNumberFacts, 'company'>,
): string[] {
  const national = plan !== undefined && isEmergencyCall(number, { plan }) !== undefined;
  return [
    ...(isExtension(number) ? [`${number} is an extension`] : []),
    ...(national ? [`dialling ${number} is an emergency call`] : []),
    ...sites.flatMap((site) => clashesAt(number, site, national ? undefined : plan)),
  ];
}

function clashesAt(number: string, site: Site, plan: NumberPlan | undefined): string[] {
  const where = `at site ${JSON.stringify(site.id)}`;
  const { outsideLinePrefix: prefix } = site;
  if (plan && isEmergencyCall(number, { plan, site }) !== undefined)
    return [`dialling ${number} is an emergency call ${where}`];
  if (isEmergencyTest(number, site)) return [`dialling ${number} reads the emergency address aloud ${where}`];
  const outside = prefix !== '' && number.startsWith(prefix);
  return outside ? [`${number} begins with ${prefix}, which gets an outside line ${where}`] : [];
}

/** Keys of the voice portal that stand for two things in one menu. */
export function portalKeyProblems(portal: VoicePortal | undefined): string[] {
  return Object.entries(portal?.keys ?? {}).flatMap(([menu, keys]: [string, object]) => {
    const first = new Map<string, string>();
    return Object.entries<string>({ ...keys }).flatMap(([entry, key]) => {
      const other = first.get(key);
      if (other === undefined) first.set(key, entry);
      const path = `company.voicePortal.keys.${menu}.${entry}`;
      return other === undefined ? [] : [`${path}: ${key} is also the key of ${other}`];
    });
  });
}
