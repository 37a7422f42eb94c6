import type { z } from 'zod';
import type { Association } from '../domain/association.ts';
import type { CivicAddress, Company, Directory, Host, User } from '../domain/directory.ts';
import type { AdminView } from '../domain/view.ts';
import { kindOf } from '../services/lists/directory-lists.ts';
import type * as schemas from './schemas.ts';

function iso(time: number): string {
  return new Date(time).toISOString();
}

function spanOf(association: Association): { startedAt: string; expiresAt: string | null } {
  const { startedAt, expiresAt } = association;
  return { startedAt: iso(startedAt), expiresAt: expiresAt === 'never' ? null : iso(expiresAt) };
}

/** What a state is told from: the view, and its directory known to be loaded. */
export interface Facts {
  readonly view: AdminView;
  readonly directory: Directory;
}

function guestAt(association: Association | undefined, { directory }: Facts) {
  if (association === undefined) return null;
  const { guest, generation } = association;
  return {
    guest: { extension: guest, name: directory.users.get(guest)?.name ?? '' },
    generation,
    ...spanOf(association),
  };
}

function hostOf(association: Association | undefined, { directory }: Facts) {
  if (association === undefined) return null;
  const { host } = association;
  return { host: { id: host, nickname: directory.hosts.get(host)?.nickname ?? '' }, ...spanOf(association) };
}

function bindingsOf(host: string, { view }: Facts): z.output<typeof schemas.host>['bindings'] {
  return view
    .bindingsOf(host)
    .map(({ userAgent, flow, expiresAt }) => ({ userAgent, ...flow, expiresAt: iso(expiresAt) }));
}

/** A host as the API tells it, without its digest secrets. `association`: newer than the view, when just made. */
export function presentHost(
  host: Host,
  facts: Facts,
  association: Association | undefined = facts.view.associationAt(host.id),
): z.output<typeof schemas.host> {
  const {
    digest: _secret,
    owner,
    reservedFor,
    mac,
    associationLimitHours,
    callbackNumber,
    address,
    location,
    ...plain
  } = host;
  const bindings = bindingsOf(host.id, facts);
  const seenAt = facts.view.lastSeenAt(host.id);
  return {
    ...plain,
    kind: kindOf(host),
    owner: ownerOf(owner, facts),
    reservedFor: ownerOf(reservedFor, facts),
    mac: mac ?? null,
    associationLimitHours: associationLimitHours ?? null,
    callbackNumber: callbackNumber ?? null,
    address: presentAddress(address),
    location: location ?? null,
    registered: bindings.length > 0,
    lastSeenAt: seenAt === undefined ? null : new Date(seenAt).toISOString(),
    bindings,
    association: guestAt(association, facts),
  };
}

function ownerOf(owner: string | undefined, { directory }: Facts) {
  return owner === undefined ? null : { extension: owner, name: directory.users.get(owner)?.name ?? '' };
}

/** An address as the API tells it. */
export function presentAddress({ state, floor, room, ...address }: CivicAddress) {
  return { ...address, state: state ?? null, floor: floor ?? null, room: room ?? null };
}

/** The company as the API tells it. */
export function presentCompany(company: Company): z.output<typeof schemas.company> {
  const { idleLimitMinutes, voicePortal, voicemailNumber, ...plain } = company;
  return {
    ...plain,
    idleLimitMinutes: idleLimitMinutes ?? null,
    voicePortal: voicePortal ?? null,
    voicemailNumber: voicemailNumber ?? null,
  };
}

/**
 * A user as the API tells it: that there is a passcode, and a sealed one, but neither. `association`: newer than the
 * view, when just made.
 */
export function presentUser(
  user: User,
  facts: Facts,
  association: Association | undefined = facts.view.associationOf(user.extension),
): z.output<typeof schemas.user> {
  const { passcodeHash, hotelingSecret, email, numbers, addOns, ...rest } = user;
  const { associationLimitHours, mailbox, forwarding, ...plain } = rest;
  return {
    ...plain,
    hasPasscode: passcodeHash !== undefined,
    hotelingKeysReady: hotelingSecret !== undefined,
    associationLimitHours: associationLimitHours ?? null,
    email: email ?? null,
    mailbox: mailbox ?? null,
    forwarding: { always: forwarding?.always ?? null, unanswered: forwarding?.unanswered ?? null },
    numbers: [...numbers],
    addOns: [...addOns],
    association: hostOf(association, facts),
  };
}
