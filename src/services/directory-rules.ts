import { ADDRESS_WORDS, addressProblems } from '../domain/address.ts';
import type { CivicAddress, Company, Site } from '../domain/directory.ts';
import { isEmergencyCall, isEmergencyTest } from '../domain/emergency.ts';
import { PASSCODE_WORDS, passcodeProblems } from '../domain/passcode.ts';
import type { NumberPlan } from '../domain/view.ts';
import type { DirectoryDocument, HostDocument, UserDocument } from './directory-schema.ts';
import { createNumberPlan } from './number-plan.ts';
import { forwardingProblems, type HeldLicences, heldLicences, mailboxOf } from './person-rules.ts';
import { portalKeyProblems, serviceNumberProblems } from './service-number-rules.ts';

/**
 * What a schema cannot see: references, duplicates, licences, numbers that clash. Empty when all is well. For whole
 * documents; what is edited is held to the same by edit-rules.
 */
export function directoryProblems(document: DirectoryDocument): string[] {
  return [
    ...companyProblems(document),
    ...siteProblems(document),
    ...userProblems(document),
    ...hostProblems(document),
    ...duplicateProblems(document),
    ...extensionProblems(document),
  ];
}

function companyProblems({ company, sites, users }: DirectoryDocument): string[] {
  const { logIn, logOut } = company.featureAccessCodes;
  const overlap = logIn.startsWith(logOut) || logOut.startsWith(logIn);
  const plan = createNumberPlan(company.country);
  const isExtension = (digits: string): boolean => Object.hasOwn(users, digits);
  return [
    ...problem(!plan, 'company.country', 'no such country'),
    ...problem(overlap, 'company.featureAccessCodes', 'one code must not begin with the other'),
    ...licenceProblems(company, heldLicences(Object.values(users))),
    ...portalKeyProblems(company.voicePortal),
    ...serviceNumberProblems({ company, sites: placesOf(sites), isExtension, plan }),
  ];
}

/** Licences people hold beyond those there are: rules A7 and B1. */
export function licenceProblems(
  { hotDeskLicences, addOnLicences }: Pick<Company, 'hotDeskLicences' | 'addOnLicences'>,
  held: HeldLicences,
): string[] {
  const [host, guest] = (['host', 'guest'] as const).map((kind) => {
    const words = `has ${addOnLicences[kind]}, but ${held[kind]} people hold the ${kind} add-on`;
    return problem(held[kind] > addOnLicences[kind], `company.addOnLicences.${kind}`, words);
  });
  const licences = `has ${hotDeskLicences}, but ${held.hotDesk} people hold a licence`;
  return [
    ...problem(held.hotDesk > hotDeskLicences, 'company.hotDeskLicences', licences),
    ...(host ?? []),
    ...(guest ?? []),
  ];
}

function placesOf(sites: DirectoryDocument['sites']): Site[] {
  return Object.entries(sites).map(([id, site]) => ({ id, ...site }));
}

function siteProblems(document: DirectoryDocument): string[] {
  const { sites, users, hosts } = document;
  const emergency = emergencyTests(document);
  return Object.entries(sites).flatMap(([id, site]) => {
    const path = `sites.${id}`;
    const clashing = site.emergencyTestNumbers.filter((number) => emergency.has(number));
    const strangers = site.emergencyContacts.phones.filter(
      (phone) => !Object.hasOwn(users, phone) && !Object.hasOwn(hosts, phone),
    );
    return [
      ...clashing.map((number) => `${path}.emergencyTestNumbers: ${number} is an emergency number`),
      ...strangers.map((name) => `${path}.emergencyContacts.phones: no such phone or user ${quote(name)}`),
    ];
  });
}

/** Test numbers that call for help somewhere: where a phone is not known, the numbers of every site count. */
function emergencyTests({ company, sites }: DirectoryDocument): ReadonlySet<string> {
  const plan = createNumberPlan(company.country);
  const places = placesOf(sites);
  const numbers = new Set(places.flatMap(({ emergencyTestNumbers }) => emergencyTestNumbers));
  if (!plan) return new Set();
  const callsForHelp = (number: string): boolean =>
    places.some((site) => isEmergencyCall(number, { plan, site }) !== undefined);
  return new Set([...numbers].filter(callsForHelp));
}

function userProblems({ company, users, sites }: DirectoryDocument): string[] {
  const plan = createNumberPlan(company.country);
  return Object.entries(users).flatMap(([extension, user]) => {
    const path = `users.${extension}`;
    const rules = { extension, length: company.passcodeLength };
    const weak = user.passcode === undefined ? [] : passcodeProblems(user.passcode, rules);
    const place = Object.hasOwn(sites, user.site) ? sites[user.site] : undefined;
    const site = place && { id: user.site, ...place };
    const person = { extension, ...user };
    return [
      ...problem(!site, `${path}.site`, `no such site ${quote(user.site)}`),
      ...secretProblems(path, user),
      ...forwardingProblems(person, { site, plan, path }),
      ...weak.map((reason) => `${path}.passcode: ${PASSCODE_WORDS[reason]}`),
    ];
  });
}

/** A new passcode leaves what was sealed of the old one behind, and without an opt-in nothing is kept sealed. */
function secretProblems(path: string, user: UserDocument): string[] {
  const { passcode, passcodeHash, hotelingKeys, hotelingSecret } = user;
  const hasSecret = hotelingSecret !== undefined;
  if (passcode === undefined)
    return problem(hasSecret && !hotelingKeys, path, 'has hotelingSecret without hotelingKeys');
  return [
    ...problem(passcodeHash !== undefined, path, 'has both passcode and passcodeHash'),
    ...problem(hasSecret, path, 'has both passcode and hotelingSecret'),
  ];
}

function hostProblems(document: DirectoryDocument): string[] {
  return Object.entries(document.hosts).flatMap(([id, host]) => {
    const path = `hosts.${id}`;
    const knowsSite = Object.hasOwn(document.sites, host.site);
    return [
      ...problem(!knowsSite, `${path}.site`, `no such site ${quote(host.site)}`),
      ...problem(!exactlyOne(host.sipPassword, host.digest), path, 'needs either sipPassword or digest'),
      ...ownerProblems(`${path}.owner`, host, document),
      ...addressWords(`${path}.address`, host.address),
    ];
  });
}

/** What is wrong with an address, a sentence each: `hosts.d1.address.postcode: must be a UK postcode such as …`. */
export function addressWords(path: string, address: CivicAddress): string[] {
  return addressProblems(address).map(({ field, reason }) => `${path}.${field}: ${ADDRESS_WORDS[reason]}`);
}

function ownerProblems(path: string, host: HostDocument, { users }: DirectoryDocument): string[] {
  if (host.kind === 'commonArea') {
    return [
      ...problem(host.owner !== undefined, path, 'a common area phone has no owner'),
      ...reservationProblems(path, host, users),
    ];
  }
  if (host.reservedFor !== undefined) return [`${path}: only a phone without an owner is reserved`];
  if (host.owner === undefined) return [`${path}: a phone of kind user needs an owner`];
  return problem(!Object.hasOwn(users, host.owner), path, `no such user ${quote(host.owner)}`);
}

function reservationProblems(
  path: string,
  { reservedFor, enabled }: HostDocument,
  users: DirectoryDocument['users'],
): string[] {
  if (reservedFor === undefined) return [];
  return [
    ...problem(!Object.hasOwn(users, reservedFor), path, `no such user ${quote(reservedFor)}`),
    ...problem(enabled, path, 'an unassigned phone is not enabled'),
  ];
}

function duplicateProblems({ users, hosts }: DirectoryDocument): string[] {
  const numbers = Object.entries(users).flatMap(([extension, user]) =>
    user.numbers.map((number) => ({ path: `users.${extension}.numbers`, value: number })),
  );
  const macs = Object.entries(hosts).flatMap(([id, { mac }]) =>
    mac === undefined ? [] : [{ path: `hosts.${id}.mac`, value: mac }],
  );
  return [...duplicates(numbers), ...duplicates(macs), ...mailboxProblems(users)];
}

/** One lamp for two people would tell each of the other's messages. */
function mailboxProblems(users: DirectoryDocument['users']): string[] {
  const named = Object.entries(users).filter(([, { mailbox }]) => mailbox !== undefined);
  const holders = new Map<string, string>();
  return named.flatMap(([extension, user]) => {
    const name = mailboxOf(extension, user);
    const plain = name !== extension && Object.hasOwn(users, name) && users[name]?.mailbox === undefined;
    const holder = plain ? name : holders.get(name);
    if (holder === undefined) holders.set(name, extension);
    const words = `${name} is the mailbox of ${holder} already`;
    return problem(holder !== undefined, `users.${extension}.mailbox`, words);
  });
}

function duplicates(entries: readonly { readonly path: string; readonly value: string }[]): string[] {
  const first = new Map<string, string>();
  return entries.flatMap(({ path, value }) => {
    const before = first.get(value);
    if (before === undefined) first.set(value, path);
    return before === undefined ? [] : [`${path}: ${value} stands at ${before} already`];
  });
}

/** An extension nobody could ring, because dialling it calls for help, or reads an address aloud. */
function extensionProblems({ company, sites, users }: DirectoryDocument): string[] {
  const plan: NumberPlan | undefined = createNumberPlan(company.country);
  if (!plan) return [];
  const places = placesOf(sites);
  return Object.keys(users).flatMap((extension) => {
    const place = places.find((site) => isEmergencyCall(extension, { plan, site }) !== undefined);
    const everywhere = isEmergencyCall(extension, { plan }) !== undefined;
    const where = place ? ` at site ${quote(place.id)}` : '';
    const tested = places.find((site) => isEmergencyTest(extension, site));
    const test = `dialling it reads the emergency address aloud at site ${quote(tested?.id ?? '')}`;
    return [
      ...problem(everywhere || !!place, `users.${extension}`, `dialling it is an emergency call${where}`),
      ...problem(!!tested, `users.${extension}`, test),
    ];
  });
}

function problem(isProblem: boolean, path: string, words: string): string[] {
  return isProblem ? [`${path}: ${words}`] : [];
}

function exactlyOne(a: unknown, b: unknown): boolean {
  return (a === undefined) !== (b === undefined);
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 64));
}
