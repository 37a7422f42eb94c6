import type { User } from '../domain/directory.ts';
import { usesOfGuestService } from '../domain/in-use.ts';
import { isRefusal, type Refusal } from '../domain/reasons.ts';
import type { View } from '../domain/view.ts';
import type { DirectoryRefusal } from './directory-service.ts';
import type { EditOptions, EditsWhileFree } from './edits-while-free.ts';
import type { Ended, HotDesk, LoggedIn } from './hot-desk.ts';
import type { Log } from './ports.ts';

/** A guest's own settings; undefined clears the limit, and what is not there stays. */
export interface GuestChange {
  readonly enabled?: boolean;
  /** 1–999 h. */
  readonly associationLimitHours?: number | undefined;
}

export interface GuestsDependencies {
  readonly view: View;
  readonly hotDesk: Pick<HotDesk, 'associate' | 'leave'>;
  readonly edits: Pick<EditsWhileFree, 'change'>;
  readonly log: Log;
}

interface Journey {
  readonly extension: string;
  /** `guest` for themselves, else `admin:<name>`. */
  readonly actor: string;
}

/** A guest's settings, and what a guest does without going to the phone (rule B3). */
export class Guests {
  readonly #deps: GuestsDependencies;

  constructor(deps: GuestsDependencies) {
    this.#deps = deps;
  }

  /** Begins an association from afar: limitTooLong, besides what a login is refused with. */
  connect({ host, ...journey }: Journey & { readonly host: string }): Promise<LoggedIn | Refusal> {
    return this.#deps.hotDesk.associate({ host, ...journey });
  }

  /** Ends the person's association, wherever it is. Refused with unknownUser, nobodyHere or storeUnavailable. */
  disconnect(journey: Journey): Promise<Ended | Refusal> {
    return this.#deps.hotDesk.leave(journey);
  }

  /**
   * Changes the guest service of somebody who has the add-on. Refused with associationRunning while they sit at a user
   * host, with notLicensed, unknownUser, invalidDirectory, storeUnavailable or stateUnknown.
   */
  async change(
    extension: string,
    change: GuestChange,
    { actor, ifTag }: Omit<EditOptions, 'release'>,
  ): Promise<User | DirectoryRefusal> {
    const { edits, log } = this.#deps;
    const changed = await edits.change(
      {
        ...{ kind: 'user', id: extension },
        change: (before) => (before.addOns.includes('guest') ? applied(before, change) : NOT_LICENSED),
        uses: (before, after) => usesOfGuestService(before, after, this.#deps.view),
      },
      { actor, ifTag },
    );
    if (!isRefusal(changed)) log.info({ extension, changed: Object.keys(change), actor }, 'guest changed');
    return changed;
  }
}

const NOT_LICENSED: Refusal = { refused: 'notLicensed', detail: 'no guest add-on' };

/** The user itself where nothing is new. */
function applied(user: User, change: GuestChange): User {
  const { enabled = user.guestEnabled } = change;
  const limit = 'associationLimitHours' in change ? change.associationLimitHours : user.associationLimitHours;
  const isSame = enabled === user.guestEnabled && limit === user.associationLimitHours;
  return isSame ? user : { ...user, guestEnabled: enabled, associationLimitHours: limit };
}
