import { ADDRESS_WORDS, addressProblems } from '../domain/address.ts';
import type { CivicAddress } from '../domain/directory.ts';
import { isEmergencyCall, isEmergencyTest } from '../domain/emergency.ts';
import { PASSCODE_WORDS, passcodeProblems } from '../domain/passcode.ts';
import type { NumberPlan } from '../domain/view.ts';
import type { DirectoryDocument, HostDocument } from './directory-schema.ts';
import { createNumberPlan } from './number-plan.ts';

/** What a schema cannot see: references, duplicates, licences, numbers that clash. Empty when all is well. */
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

function companyProblems({ company, users }: DirectoryDocument): string[] {
  const { logIn, logOut } = company.featureAccessCodes;
  const overlap = logIn.startsWith(logOut) || logOut.startsWith(logIn);
  const licensed = Object.values(users).filter((user) => user.hotDeskLicence).length;
  const licences = `has ${company.hotDeskLicences}, but ${licensed} people hold a licence`;
  return [
    ...problem(!createNumberPlan(company.country), 'company.country', 'no such country'),
    ...problem(overlap, 'company.featureAccessCodes', 'one code must not begin with the other'),
    ...problem(licensed > company.hotDeskLicences, 'company.hotDeskLicences', licences),
  ];
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
  const places = Object.entries(sites).map(([id, site]) => ({ id, ...site }));
  const numbers = new Set(places.flatMap(({ emergencyTestNumbers }) => emergencyTestNumbers));
  if (!plan) return new Set();
  const callsForHelp = (number: string): boolean =>
    places.some((site) => isEmergencyCall(number, { plan, site }) !== undefined);
  return new Set([...numbers].filter(callsForHelp));
}

function userProblems({ company, users, sites }: DirectoryDocument): string[] {
  return Object.entries(users).flatMap(([extension, user]) => {
    const path = `users.${extension}`;
    const rules = { extension, length: company.passcodeLength };
    const weak = user.passcode === undefined ? [] : passcodeProblems(user.passcode, rules);
    const both = user.passcode !== undefined && user.passcodeHash !== undefined;
    return [
      ...problem(!Object.hasOwn(sites, user.site), `${path}.site`, `no such site ${quote(user.site)}`),
      ...problem(both, path, 'has both passcode and passcodeHash'),
      ...weak.map((reason) => `${path}.passcode: ${PASSCODE_WORDS[reason]}`),
    ];
  });
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
    return problem(host.owner !== undefined, path, 'a common area phone has no owner');
  }
  if (host.owner === undefined) return [`${path}: a phone of kind user needs an owner`];
  return problem(!Object.hasOwn(users, host.owner), path, `no such user ${quote(host.owner)}`);
}

function duplicateProblems({ users, hosts }: DirectoryDocument): string[] {
  const numbers = Object.entries(users).flatMap(([extension, user]) =>
    user.numbers.map((number) => ({ path: `users.${extension}.numbers`, value: number })),
  );
  const macs = Object.entries(hosts).flatMap(([id, { mac }]) =>
    mac === undefined ? [] : [{ path: `hosts.${id}.mac`, value: mac }],
  );
  return [...duplicates(numbers), ...duplicates(macs)];
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
  const places = Object.entries(sites).map(([id, site]) => ({ id, ...site }));
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
