import { type Account, canonicalEmail } from '../domain/account.ts';
import type { Company, Directory, Host, Site, User } from '../domain/directory.ts';
import type { DirectoryEntry } from '../domain/directory-table.ts';
import { isEmergencyAnywhere, isEmergencyCall, isEmergencyTest } from '../domain/emergency.ts';
import { heldBy } from '../domain/holder.ts';
import type { NumberPlan } from '../domain/view.ts';
import { licenceProblems } from './directory-rules.ts';
import { createNumberPlan } from './number-plan.ts';
import { forwardingProblems, heldLicences, mailboxOf } from './person-rules.ts';
import { portalKeyProblems, serviceNumberProblems, serviceNumbers } from './service-number-rules.ts';

/** Entries looked at before others have their turn. */
const ENTRIES_AT_ONCE = 100;

/** See `editProblemSteps`; of few entries, at once. */
export function editProblems(put: readonly DirectoryEntry[], directory: Directory): string[] {
  const steps = editProblemSteps(put, directory);
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

/**
 * What an edit would break of the rules for whole documents (directory-rules), by the names of entries, such as
 * `user:1001.mailbox`. Only what an entry changes is looked at: what was wrong before is no reason to refuse an edit of
 * something else, and an edit in a large directory costs little. Entries are held against the directory as it is,
 * mailboxes also against each other.
 */
export function* editProblemSteps(
  put: readonly DirectoryEntry[],
  directory: Directory,
): Generator<void, string[]> {
  const facts: Facts = { directory, plan: createNumberPlan(directory.company.country) };
  const own: string[] = [];
  for (const [i, entry] of put.entries()) {
    if (i % ENTRIES_AT_ONCE === ENTRIES_AT_ONCE - 1) yield;
    own.push(...entryProblems(entry, facts));
  }
  return [
    ...own,
    ...mailboxProblems(put, directory),
    ...numberProblems(put, directory),
    ...macProblems(put, directory),
  ];
}

function entryProblems(entry: DirectoryEntry, facts: Facts): string[] {
  switch (entry.kind) {
    case 'company':
      return companyProblems(entry.value, facts);
    case 'site':
      return siteProblems(entry.value, facts);
    case 'user':
      return userProblems(entry.value, facts);
    case 'host':
      return hostProblems(entry.value, facts);
    case 'account':
      return accountProblems(entry.value, facts);
    case 'token':
      return (entry.value.sites ?? [])
        .filter((id) => !facts.directory.sites.has(id))
        .map((id) => `token:${entry.value.id}.sites: no such site "${id}"`);
    case 'webhook':
      return [];
  }
}

/** One account per e-mail address, and per subject of the identity provider; whose settings it shows, and where it may, is there when it is given. */
function accountProblems(account: Account, { directory }: Facts): string[] {
  const { accounts, users, sites, index } = directory;
  const path = `account:${account.id}`;
  const before = accounts.get(account.id);
  const holder = index.accountByEmail(account.email);
  const isTaken = holder !== undefined && holder.id !== account.id;
  const { subject } = account;
  const twin = subject === undefined ? undefined : index.accountBySubject(subject);
  const isPerson = (account.role === 'user') === (account.extension !== undefined);
  const { extension } = account;
  const isNobody = extension !== undefined && extension !== before?.extension && !users.has(extension);
  const old = new Set(before?.sites);
  const unknown = (account.sites ?? []).filter((id) => !sites.has(id) && !old.has(id));
  return [
    ...(isTaken ? [`${path}.email: has an account already`] : []),
    ...(twin && twin.id !== account.id ? [`${path}.subject: has an account already`] : []),
    ...(account.email === canonicalEmail(account.email) ? [] : [`${path}.email: must be in lower case`]),
    ...(isPerson ? [] : [`${path}.extension: is for the role user, which needs one`]),
    ...(isNobody ? [`${path}.extension: no such user`] : []),
    ...siteScopeProblems(account, path),
    ...unknown.map((id) => `${path}.sites: no such site "${id}"`),
  ];
}

/** Nobody has all sites because somebody forgot to name any. */
function siteScopeProblems({ role, sites }: Account, path: string): string[] {
  const needs = role === 'siteAdministrator';
  const may = needs || role === 'readOnly';
  if (needs && sites === undefined) return [`${path}.sites: a site administrator needs them`];
  return sites !== undefined && !may ? [`${path}.sites: are not for this role`] : [];
}

interface Facts {
  readonly directory: Directory;
  readonly plan: NumberPlan | undefined;
}

function companyProblems(company: Company, { directory, plan }: Facts): string[] {
  const { company: before, sites, users } = directory;
  const isExtension = (digits: string): boolean => users.has(digits);
  const renumbered = changed(company, before, ['voicePortal', 'voicemailNumber']);
  const numbers = renumbered
    ? serviceNumberProblems({ company, sites: [...sites.values()], isExtension, plan })
    : [];
  const fewer = changed(company, before, ['hotDeskLicences', 'addOnLicences']);
  return [
    ...(renumbered ? portalKeyProblems(company.voicePortal) : []),
    ...numbers,
    ...(fewer ? newLicenceProblems(company, directory) : []),
  ];
}

/** A count may be below what is held when it was before, and is not lowered. */
function newLicenceProblems(company: Company, { company: before, users }: Directory): string[] {
  const { host, guest } = company.addOnLicences;
  const lowered = {
    'company.hotDeskLicences': company.hotDeskLicences < before.hotDeskLicences,
    'company.addOnLicences.host': host < before.addOnLicences.host,
    'company.addOnLicences.guest': guest < before.addOnLicences.guest,
  };
  const all = licenceProblems(company, heldLicences(users.values()));
  return all.filter((text) => lowered[text.slice(0, text.indexOf(':')) as keyof typeof lowered]);
}

function siteProblems(site: Site, { directory, plan }: Facts): string[] {
  const { company, sites, users } = directory;
  const before = sites.get(site.id);
  const strangers = contactProblems(site, before, directory);
  if (before && !changed(site, before, ['emergencyNumbers', 'emergencyTestNumbers', 'outsideLinePrefix']))
    return strangers;
  const path = `site:${site.id}`;
  const rules = { company, sites: [site], isExtension: () => false, plan };
  const tests = site.emergencyTestNumbers.filter(
    (number) => plan && isEmergencyCall(number, { plan, site }) !== undefined,
  );
  const dialled = [...site.emergencyNumbers, ...site.emergencyTestNumbers];
  const extensions = [...dialled, ...dialled.map((number) => `${site.outsideLinePrefix}${number}`)];
  return [
    ...strangers,
    ...serviceNumberProblems(rules).map((words) => `${path}: ${words}`),
    ...tests.map((number) => `${path}.emergencyTestNumbers: ${number} is an emergency number`),
    ...[...new Set(extensions)]
      .filter((number) => users.has(number))
      .map((number) => `${path}: ${number} is an extension`),
  ];
}

/** Who is to be told of emergency calls must be there. */
function contactProblems(site: Site, before: Site | undefined, { hosts, users }: Directory): string[] {
  if (!changed(site, before, ['emergencyContacts'])) return [];
  return site.emergencyContacts.phones
    .filter((phone) => !users.has(phone) && !hosts.has(phone))
    .map(
      (phone) => `site:${site.id}.emergencyContacts.phones: no such phone or user ${JSON.stringify(phone)}`,
    );
}

function userProblems(user: User, { directory, plan }: Facts): string[] {
  const { users, sites } = directory;
  const before = users.get(user.extension);
  const path = `user:${user.extension}`;
  const redirected = changed(user, before, ['forwarding', 'numbers', 'site']);
  const site = sites.get(user.site);
  return [
    ...(before ? [] : extensionProblems(user.extension, { directory, plan })),
    ...(user.site === before?.site ? [] : noSuchSite(`${path}.site`, user.site, directory)),
    ...(redirected ? forwardingProblems(user, { site, plan, path }) : []),
  ];
}

/** A new extension that nobody could ring, because dialling it does something else. */
function extensionProblems(extension: string, { directory, plan }: Facts): string[] {
  const { company, sites } = directory;
  const path = `user:${extension}`;
  const taken = serviceNumbers(company).filter(({ number }) => number === extension);
  const help = plan && isEmergencyAnywhere(extension, { plan, directory }) !== undefined;
  const tested = [...sites.values()].find((site) => isEmergencyTest(extension, site));
  const aloud = `dialling it reads the emergency address aloud at site ${JSON.stringify(tested?.id)}`;
  return [
    ...taken.map((service) => `${path}: is taken by ${service.path}`),
    ...(help ? [`${path}: dialling it is an emergency call`] : []),
    ...(tested ? [`${path}: ${aloud}`] : []),
  ];
}

function hostProblems(host: Host, { directory }: Facts): string[] {
  const before = directory.hosts.get(host.id);
  const path = `host:${host.id}`;
  const { owner } = host;
  const owned = changed(host, before, ['owner', 'kind']);
  const stranger = owned && owner !== undefined && !directory.users.has(owner);
  return [
    ...(host.site === before?.site ? [] : noSuchSite(`${path}.site`, host.site, directory)),
    ...(owned && (owner !== undefined) !== (host.kind === 'user') ? [`${path}.owner: ${OWNER}`] : []),
    ...reservationProblems(host, before, directory),
    ...(stranger ? [`${path}.owner: no such user ${JSON.stringify(owner)}`] : []),
  ];
}

/** An unassigned phone is nobody's to sit at until it is converted (A7). */
function reservationProblems(host: Host, before: Host | undefined, { users }: Directory): string[] {
  const { reservedFor, kind, enabled } = host;
  if (reservedFor === undefined || !changed(host, before, ['reservedFor', 'kind', 'enabled'])) return [];
  const path = `host:${host.id}`;
  return [
    ...(users.has(reservedFor) ? [] : [`${path}.reservedFor: no such user ${JSON.stringify(reservedFor)}`]),
    ...(kind === 'user' ? [`${path}.reservedFor: only a phone without an owner is reserved`] : []),
    ...(enabled ? [`${path}.enabled: it is unassigned; convert it first`] : []),
  ];
}

/** Two people of one number would get each other's calls. */
function numberProblems(put: readonly DirectoryEntry[], { users, index }: Directory): string[] {
  const edited = new Map(
    put.flatMap((entry) => (entry.kind === 'user' ? [[entry.value.extension, entry.value]] : [])),
  );
  const holders = new Map<string, string>();
  return [...edited.values()].flatMap((user) =>
    user.numbers.flatMap((number) => {
      const before = index.userByNumber(number);
      const stays = before && before.extension !== user.extension && !edited.has(before.extension);
      const holder = holders.get(number) ?? (stays ? before.extension : undefined);
      holders.set(number, user.extension);
      const isNew = !users.get(user.extension)?.numbers.includes(number);
      return holder === undefined || !isNew
        ? []
        : [`user:${user.extension}.numbers: ${number} ${heldBy('number', holder)}`];
    }),
  );
}

/** Looks through the phones once, and only when a phone has another MAC now. */
function macProblems(put: readonly DirectoryEntry[], { hosts }: Directory): string[] {
  const phones = put.flatMap((entry) => (entry.kind === 'host' ? [entry.value] : []));
  const renamed = phones.filter(({ id, mac }) => mac !== undefined && mac !== hosts.get(id)?.mac);
  if (renamed.length === 0) return [];
  const wanted = new Map(renamed.map(({ id, mac }) => [mac, id]));
  const edited = new Set(phones.map(({ id }) => id));
  const others = [...hosts.values()].filter(({ id, mac }) => !edited.has(id) && wanted.has(mac));
  return others.map(({ id, mac }) => `host:${wanted.get(mac)}.mac: ${mac} ${heldBy('MAC', id)}`);
}

const OWNER = 'a phone of kind user needs an owner, any other has none';

function noSuchSite(path: string, site: string, { sites }: Directory): string[] {
  return sites.has(site) ? [] : [`${path}: no such site ${JSON.stringify(site.slice(0, 64))}`];
}

/** Looks through the people once, and only when somebody's mailbox has another name now. */
function mailboxProblems(put: readonly DirectoryEntry[], { users }: Directory): string[] {
  const people = put.flatMap((entry) => (entry.kind === 'user' ? [entry.value] : []));
  const renamed = people.filter((user) => {
    const before = users.get(user.extension);
    return !before || mailboxOf(user.extension, user) !== mailboxOf(user.extension, before);
  });
  if (renamed.length === 0) return [];
  const edited = new Map(people.map((user) => [user.extension, user]));
  const holders = new Map<string, string[]>(renamed.map((user) => [mailboxOf(user.extension, user), []]));
  for (const user of [...users.values(), ...people]) {
    if (user !== (edited.get(user.extension) ?? user)) continue;
    holders.get(mailboxOf(user.extension, user))?.push(user.extension);
  }
  return renamed.flatMap((user) => {
    const name = mailboxOf(user.extension, user);
    const other = holders.get(name)?.find((extension) => extension !== user.extension);
    return other === undefined ? [] : [`user:${user.extension}.mailbox: ${name} ${heldBy('mailbox', other)}`];
  });
}

/** Whether any of these differs; all differ from nothing. */
function changed<T extends object>(now: T, before: T | undefined, keys: readonly (keyof T)[]): boolean {
  return keys.some((key) => JSON.stringify(now[key]) !== JSON.stringify(before?.[key]));
}
