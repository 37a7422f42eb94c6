import type { AddOn, Company, Directory, User } from '../domain/directory.ts';
import { holds, LICENCES, type Licence, usesOfPerson } from '../domain/in-use.ts';
import { isRefusal, type Refusal } from '../domain/reasons.ts';
import type { View } from '../domain/view.ts';
import type { DirectoryRefusal } from './directory-service.ts';
import type { EditOptions, EditsWhileFree } from './edits-while-free.ts';
import type { Log } from './ports.ts';

/** What a person is to hold from now on; what is not there stays. */
export interface Assignment {
  /** All of them. */
  readonly addOns?: readonly AddOn[];
  readonly hotDeskLicence?: boolean;
  /** Changed in the same step. */
  readonly details?: PersonDetails;
}

/** What else an administrator changes of a person; undefined clears what may be absent. */
export interface PersonDetails {
  readonly name?: string;
  readonly site?: string;
  readonly numbers?: readonly string[];
  readonly callerId?: string;
  readonly email?: string | undefined;
  readonly plan?: User['plan'];
}

export interface AddOnsDependencies {
  readonly view: View;
  readonly edits: Pick<EditsWhileFree, 'change'>;
  readonly log: Log;
}

const COUNTED: Readonly<Record<Licence, { readonly words: string; count(company: Company): number }>> = {
  hotDesk: { words: 'hot-desk licences', count: ({ hotDeskLicences }) => hotDeskLicences },
  host: { words: 'host add-ons', count: ({ addOnLicences }) => addOnLicences.host },
  guest: { words: 'guest add-ons', count: ({ addOnLicences }) => addOnLicences.guest },
};

/** Gives people the hot-desk licence and add-ons, and takes them away (rules A7, B1). */
export class AddOns {
  readonly #deps: AddOnsDependencies;

  constructor(deps: AddOnsDependencies) {
    this.#deps = deps;
  }

  /**
   * Beyond what the company has: refused with licencesUsedUp, also when two administrators give the last one at the same
   * moment. What is in use is not taken away: associationRunning, or, with `release`, whoever uses it is released first.
   * Refused with unknownUser, storeUnavailable or stateUnknown besides.
   */
  async assign(
    extension: string,
    assignment: Assignment,
    options: EditOptions,
  ): Promise<User | DirectoryRefusal> {
    const { edits, log } = this.#deps;
    const changed = await edits.change(
      {
        ...{ kind: 'user', id: extension },
        change: (before, directory) => assigned(before, assignment, directory),
        uses: (before, after) => usesOfPerson(before, after, this.#deps.view),
      },
      options,
    );
    if (isRefusal(changed)) return changed;
    const { addOns, hotDeskLicence } = changed;
    log.info({ extension, addOns, hotDeskLicence, actor: options.actor }, 'licences assigned');
    return changed;
  }
}

/** The user itself where nothing is new. */
function assigned(user: User, assignment: Assignment, directory: Directory): User | Refusal {
  const hotDeskLicence = assignment.hotDeskLicence ?? user.hotDeskLicence;
  const wanted = new Set(assignment.addOns ?? user.addOns);
  const addOns = (['host', 'guest'] as const).filter((addOn) => wanted.has(addOn));
  const after = { ...user, ...assignment.details, hotDeskLicence, addOns };
  const gained = LICENCES.filter((licence) => !holds(user, licence) && holds(after, licence));
  const lost = LICENCES.some((licence) => holds(user, licence) && !holds(after, licence));
  const refusals = gained.flatMap((licence) => usedUp(licence, directory) ?? []);
  const isSame = gained.length === 0 && !lost && Object.keys(assignment.details ?? {}).length === 0;
  return refusals[0] ?? (isSame ? user : after);
}

function usedUp(licence: Licence, { company, users }: Directory): Refusal | undefined {
  const { words, count } = COUNTED[licence];
  let held = 0;
  for (const user of users.values()) if (holds(user, licence)) held++;
  const total = count(company);
  return held < total
    ? undefined
    : { refused: 'licencesUsedUp', detail: `${held} of ${total} ${words} are assigned` };
}
