import { normaliseDialled, withoutPrefix } from '../domain/dialled.ts';
import type { AddOn, Site, User } from '../domain/directory.ts';
import { isEmergencyCall } from '../domain/emergency.ts';
import type { NumberPlan } from '../domain/view.ts';

/** Where a person's calls and messages go, and how many may hold what: rules for files and edits alike. */

type Person = Pick<User, 'forwarding' | 'numbers'>;

/**
 * What is wrong with where a person's calls are sent: to themselves they would go round, and nobody else's call is to
 * become a call for help.
 */
export function forwardingProblems(
  person: Person & { readonly extension: string },
  { site, plan, path }: ForwardingFacts,
): string[] {
  return Object.entries(person.forwarding ?? {}).flatMap(([when, to]) => {
    if (to === undefined) return [];
    const at = `${path}.forwarding.${when}`;
    if (plan && isEmergencyCall(to, { plan, site }) !== undefined) return [`${at}: is an emergency number`];
    return isOwnNumber(to, person, { site, plan }) ? [`${at}: is their own number`] : [];
  });
}

interface ForwardingFacts {
  /** Where they dial from; undefined: no such site. */
  readonly site: Site | undefined;
  readonly plan: NumberPlan | undefined;
  /** Of the person, such as `users.1001`. */
  readonly path: string;
}

function isOwnNumber(
  to: string,
  { extension, numbers }: Person & { readonly extension: string },
  { site, plan }: Pick<ForwardingFacts, 'site' | 'plan'>,
): boolean {
  const dialled = normaliseDialled(to);
  const outside = withoutPrefix(dialled, site?.outsideLinePrefix ?? '');
  const readings = [dialled, outside].flatMap((digits) =>
    digits === undefined ? [] : [digits, plan?.toE164(digits)],
  );
  return readings.some(
    (number) => number !== undefined && (number === extension || numbers.includes(number)),
  );
}

/** The name of a person's mailbox on the trunk's voicemail. */
export function mailboxOf(extension: string, { mailbox }: Pick<User, 'mailbox'>): string {
  return mailbox ?? extension;
}

/** How many people hold each kind of licence: rules A7 and B1. */
export interface HeldLicences {
  readonly hotDesk: number;
  readonly host: number;
  readonly guest: number;
}

/** Counts who holds what; as long as there are people. */
export function heldLicences(
  people: Iterable<{ readonly hotDeskLicence: boolean; readonly addOns: readonly AddOn[] }>,
): HeldLicences {
  const held = { hotDesk: 0, host: 0, guest: 0 };
  for (const { hotDeskLicence, addOns } of people) {
    if (hotDeskLicence) held.hotDesk += 1;
    if (addOns.includes('host')) held.host += 1;
    if (addOns.includes('guest')) held.guest += 1;
  }
  return held;
}
