import type { Company, Host, User } from './directory.ts';
import type { EmergencyRecord, EmergencyStage } from './emergency-record.ts';
import type { OrderFacts } from './order.ts';
import type { Refusal } from './reasons.ts';

/** An association: a guest at a host, from `startedAt` to `expiresAt`. Times are ms since 1970 by the store's clock. */
export interface Association {
  readonly host: string;
  /** Extension of the guest. */
  readonly guest: string;
  readonly site: string;
  /** Log position of its start; the fence that keeps a late end from hitting a newer association. */
  readonly generation: number;
  readonly startedAt: number;
  readonly expiresAt: number | 'never';
  /** Without a call for this long, in ms, it ends. */
  readonly idleLimitMs: number | 'never';
  /** What guest and host were called when it began: both ids are given out again. Absent: nobody has noted it. */
  readonly names?: { readonly guest: string; readonly host: string } | undefined;
}

export type EndReason = 'moved' | 'takenOver' | 'expired' | 'loggedOut' | 'released';

/** What administrators should know and no association shows. */
export type Notice =
  | 'lockedOut'
  | 'guessing'
  | 'unlocked'
  | 'passcodeSet'
  | 'signedIn'
  | 'passwordSet'
  | 'sessionsEnded'
  | 'signInFailed'
  | 'codesOn'
  | 'codesOff'
  | 'locationUnverified'
  | 'locationVerified';

/** One entry of the change log. `seq` has no gaps; `start` of a move follows the `end` of the old association at once. */
export type ChangeEvent =
  | {
      readonly kind: 'start';
      readonly seq: number;
      readonly at: number;
      readonly actor: string;
      readonly reason: 'logIn' | 'move';
      readonly association: Association;
      readonly previousHost: string | undefined;
    }
  | {
      readonly kind: 'end';
      readonly seq: number;
      readonly at: number;
      readonly actor: string;
      readonly reason: EndReason;
      readonly association: Association;
    }
  | {
      /** The deadline has moved: by a call when there is an idle limit, or because the guest asked to stay. */
      readonly kind: 'extend';
      readonly seq: number;
      readonly at: number;
      readonly actor: string;
      readonly reason: 'call' | 'stay';
      /** As it is from now on. */
      readonly association: Association;
    }
  | {
      readonly kind: 'directory';
      readonly seq: number;
      readonly at: number;
      readonly actor: string;
      /** Names of the entries put or removed, such as `user:1001`; `all` when there were too many to name. */
      readonly entries: readonly string[] | 'all';
    }
  | {
      readonly kind: 'emergency';
      readonly seq: number;
      readonly at: number;
      readonly actor: string;
      readonly stage: EmergencyStage;
      readonly record: EmergencyRecord;
    }
  | {
      /** An order of phones. */
      readonly kind: 'order';
      readonly seq: number;
      readonly at: number;
      readonly actor: string;
      readonly change: 'created' | 'changed';
      readonly order: string;
      readonly facts: OrderFacts;
    }
  | {
      readonly kind: 'notice';
      readonly seq: number;
      readonly at: number;
      readonly actor: string;
      readonly notice: Notice;
      /** Of a known user. What somebody typed may be a passcode. */
      readonly extension: string | undefined;
      readonly host: string | undefined;
    };

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

export interface AssociationFacts {
  readonly company: Company;
  readonly host: Host;
  /** Who wants to sit there; the passcode has been checked already. */
  readonly user: User;
  /** Owner of a user host. */
  readonly owner?: User | undefined;
  /** `atHost`: by who stands before it (`*90`, voice portal, Guest In); `remotely`: by an administrator, or in settings. */
  readonly how: 'atHost' | 'remotely';
  /** Association at the host as far as this node knows; the store's atomic step has the final word. */
  readonly current?: Association | undefined;
  /** Association of the user as far as this node knows. */
  readonly elsewhere?: Association | undefined;
  /** ms until the site's daily log-out, when it has one. */
  readonly untilDailyLogOutMs?: number | undefined;
}

/** What to ask of the store when the answer is yes. */
export interface AssociationPlan {
  readonly host: string;
  readonly guest: string;
  readonly site: string;
  readonly limitMs: number | 'never';
  readonly idleLimitMs: number | 'never';
  readonly occupied: Company['occupiedDeskPolicy'];
  readonly secondDesk: Company['secondDeskPolicy'];
}

/** Whether this person may associate with this host, and for how long (rules A4, A7, B1–B3, B5). */
export function decideAssociation(facts: AssociationFacts): AssociationPlan | Refusal {
  const { company, host, user } = facts;
  return (
    refuseGuest(facts) ??
    refuseLimit(facts) ??
    refuseSeat(facts) ?? {
      host: host.id,
      guest: user.extension,
      site: host.site,
      limitMs: associationLimitMs(facts),
      idleLimitMs: company.idleLimitMinutes === undefined ? 'never' : company.idleLimitMinutes * MINUTE_MS,
      occupied: company.occupiedDeskPolicy,
      secondDesk: company.secondDeskPolicy,
    }
  );
}

/**
 * How long an association may last, in ms. At a common area phone it is the shorter of what the company (A4) and the
 * host allow; at a user host the host's limit for who stands before it (B5a) and the guest's own otherwise (B3). The
 * site's daily log-out cuts all of them short.
 */
export function associationLimitMs(
  facts: Pick<AssociationFacts, 'company' | 'host' | 'user' | 'how' | 'untilDailyLogOutMs'>,
): number | 'never' {
  const { company, host, user, how, untilDailyLogOutMs = Number.POSITIVE_INFINITY } = facts;
  const isGuests = host.kind === 'user' && how === 'remotely';
  const hours = isGuests ? user.associationLimitHours : hostLimitHours(host, company);
  const limit = Math.min((hours ?? Number.POSITIVE_INFINITY) * HOUR_MS, untilDailyLogOutMs);
  return limit === Number.POSITIVE_INFINITY ? 'never' : limit;
}

/** Hours a guest may stay at this host; undefined: as long as they like (rules A4, B2). */
export function hostLimitHours(
  { kind, associationLimitHours: own }: Pick<Host, 'kind' | 'associationLimitHours'>,
  { associationLimit }: Pick<Company, 'associationLimit'>,
): number | undefined {
  const shared = kind === 'user' || associationLimit === 'never' ? undefined : associationLimit;
  if (own === undefined || shared === undefined) return own ?? shared;
  return Math.min(own, shared);
}

/** Whether this person is a guest this host takes at all, whoever sits where and for however long (A7, B1–B3). */
export function refuseGuest({
  host,
  user,
  owner,
}: Pick<AssociationFacts, 'host' | 'user' | 'owner'>): Refusal | undefined {
  const unlicensed = refuseLicence(host.kind, user);
  if (unlicensed) return unlicensed;
  if (!host.enabled) return { refused: 'hostDisabled' };
  if (host.kind === 'user' && !owner?.addOns.includes('host')) {
    return { refused: 'hostDisabled', detail: 'the owner has no host add-on' };
  }
  if (host.accessLevel === 'site' && host.site !== user.site) return { refused: 'notAllowedHere' };
  return host.owner === user.extension ? { refused: 'ownHost' } : undefined;
}

/**
 * Whether an association began by rules that had changed by then: its guest is none for this host, or stays longer than
 * the host lets anybody.
 */
export function isAgainstRules(
  { startedAt, expiresAt }: Association,
  facts: Pick<AssociationFacts, 'host' | 'user' | 'owner'>,
): boolean {
  const { associationLimitHours: hours = Number.POSITIVE_INFINITY } = facts.host;
  const staysMs = expiresAt === 'never' ? Number.POSITIVE_INFINITY : expiresAt - startedAt;
  return refuseGuest(facts) !== undefined || staysMs > hours * HOUR_MS;
}

/** A common area phone asks for the hot-desk licence (A7); a user host for the guest add-on, switched on (B1, B3). */
export function refuseLicence(kind: Host['kind'], user: User): Refusal | undefined {
  if (kind === 'commonArea') return user.hotDeskLicence ? undefined : { refused: 'notLicensed' };
  if (!user.addOns.includes('guest')) return { refused: 'notLicensed' };
  return user.guestEnabled ? undefined : { refused: 'guestDisabled' };
}

/** From afar the guest's own limit counts: it must not outlast what the host enforces (B3). */
function refuseLimit({ host, user, how }: AssociationFacts): Refusal | undefined {
  const enforced = host.kind === 'user' && how === 'remotely' ? host.associationLimitHours : undefined;
  const own = user.associationLimitHours;
  if (enforced === undefined || (own !== undefined && own <= enforced)) return undefined;
  const has = own === undefined ? 'the guest has no limit' : `the limit of the guest is ${own} h`;
  return { refused: 'limitTooLong', detail: `the host allows ${enforced} h at most; ${has}` };
}

function refuseSeat({ company, user, current, elsewhere, host }: AssociationFacts): Refusal | undefined {
  if (current?.guest === user.extension) return { refused: 'alreadyHere' };
  if (current && company.occupiedDeskPolicy === 'deny') return { refused: 'occupied' };
  const moving = elsewhere !== undefined && elsewhere.host !== host.id;
  return moving && company.secondDeskPolicy === 'deny' ? { refused: 'guestElsewhere' } : undefined;
}
