import type { Company, Host, User } from './directory.ts';
import type { EmergencyRecord, EmergencyStage } from './emergency-record.ts';
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
}

export type EndReason = 'moved' | 'takenOver' | 'expired' | 'loggedOut' | 'released';

/** What administrators should know and no association shows. */
export type Notice =
  | 'lockedOut'
  | 'guessing'
  | 'unlocked'
  | 'passcodeSet'
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

/** Whether this person may associate with this host, and for how long (rules A4, A7, B1, B2, B5). */
export function decideAssociation(facts: AssociationFacts): AssociationPlan | Refusal {
  const { company, host, user } = facts;
  return (
    refusePerson(facts) ??
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
 * How long an association may last, in ms: the shortest of what the company allows at common area phones (A4), the
 * host (B2), the guest (B3) and the site's daily log-out.
 */
export function associationLimitMs(
  facts: Pick<AssociationFacts, 'company' | 'host' | 'user' | 'untilDailyLogOutMs'>,
): number | 'never' {
  const { company, host, user, untilDailyLogOutMs } = facts;
  const shared = host.kind === 'commonArea' ? company.associationLimit : 'never';
  const hours = [shared, host.associationLimitHours, user.associationLimitHours];
  const limits = hours.flatMap((limit) => (typeof limit === 'number' ? [limit * HOUR_MS] : []));
  const all = untilDailyLogOutMs === undefined ? limits : [...limits, untilDailyLogOutMs];
  return all.length === 0 ? 'never' : Math.min(...all);
}

function refusePerson({ host, user, owner }: AssociationFacts): Refusal | undefined {
  const licensed = host.kind === 'commonArea' ? user.hotDeskLicence : user.addOns.includes('guest');
  if (!licensed) return { refused: 'notLicensed' };
  if (!host.enabled) return { refused: 'hostDisabled' };
  if (host.kind === 'user' && owner && !owner.addOns.includes('host')) {
    return { refused: 'hostDisabled', detail: 'the owner has no host add-on' };
  }
  if (host.accessLevel === 'site' && host.site !== user.site) return { refused: 'notAllowedHere' };
  return host.owner === user.extension ? { refused: 'ownHost' } : undefined;
}

function refuseSeat({ company, user, current, elsewhere, host }: AssociationFacts): Refusal | undefined {
  if (current?.guest === user.extension) return { refused: 'alreadyHere' };
  if (current && company.occupiedDeskPolicy === 'deny') return { refused: 'occupied' };
  const moving = elsewhere !== undefined && elsewhere.host !== host.id;
  return moving && company.secondDeskPolicy === 'deny' ? { refused: 'guestElsewhere' } : undefined;
}
