import type { AddOn, Directory, User } from '../domain/directory.ts';
import { isRefusal, type Refusal } from '../domain/reasons.ts';
import type { DirectoryRefusal, DirectoryService } from './directory-service.ts';
import type { EditOptions } from './edits-while-free.ts';
import { heldLicences } from './person-rules.ts';
import type { Log } from './ports.ts';
import type { Removals } from './removals.ts';

/** A person who is to be known. */
export interface NewPerson {
  readonly extension: string;
  readonly name: string;
  readonly site: string;
  /** E.164. */
  readonly numbers: readonly string[];
  readonly callerId: string;
  readonly email?: string | undefined;
  readonly plan: User['plan'];
  readonly hotDeskLicence: boolean;
  readonly addOns: readonly AddOn[];
}

export interface PeopleDependencies {
  readonly directory: Pick<DirectoryService, 'editDirectory'>;
  readonly removals: Pick<Removals, 'remove'>;
  readonly log: Log;
}

/** People who come and go. */
export class People {
  readonly #deps: PeopleDependencies;

  constructor(deps: PeopleDependencies) {
    this.#deps = deps;
  }

  /**
   * A new person, who cannot log in before they have a PIN. Refused with alreadyExists, licencesUsedUp (A7, B1),
   * invalidDirectory, storeUnavailable, stateUnknown or overloaded.
   */
  async add(person: NewPerson, actor: string): Promise<User | DirectoryRefusal> {
    const user = userOf(person);
    const { extension } = user;
    const done = await this.#deps.directory.editDirectory((directory) => {
      if (directory.users.has(extension)) return { refused: 'alreadyExists', detail: extension };
      return usedUp([user], directory) ?? { put: [{ kind: 'user', value: user }] };
    }, actor);
    if (isRefusal(done)) return done;
    this.#deps.log.info({ extension, actor }, 'person added');
    return user;
  }

  /** See Removals. */
  remove(extension: string, options: EditOptions): Promise<'done' | DirectoryRefusal> {
    return this.#deps.removals.remove({ kind: 'user', id: extension }, options);
  }
}

/** A person as the directory keeps them. */
export function userOf(person: NewPerson): User {
  const services = { guestEnabled: true, passcodeOneTime: false, hotelingKeys: false };
  return {
    ...person,
    addOns: (['host', 'guest'] as const).filter((addOn) => person.addOns.includes(addOn)),
    ...services,
  };
}

/** Licences these people would have beyond those there are (A7, B1). */
export function usedUp(people: readonly User[], { company, users }: Directory): Refusal | undefined {
  const wanted = heldLicences(people);
  if (wanted.hotDesk + wanted.host + wanted.guest === 0) return undefined;
  const before = heldLicences(users.values());
  const replaced = heldLicences(people.flatMap(({ extension }) => users.get(extension) ?? []));
  const totals = { hotDesk: company.hotDeskLicences, ...company.addOnLicences };
  for (const kind of ['hotDesk', 'host', 'guest'] as const) {
    const gained = wanted[kind] - replaced[kind];
    const [held, total] = [before[kind], totals[kind]];
    if (gained > 0 && held + gained > total)
      return { refused: 'licencesUsedUp', detail: `${held} of ${total} ${WORDS[kind]} are assigned` };
  }
  return undefined;
}

const WORDS = { hotDesk: 'hot-desk licences', host: 'host add-ons', guest: 'guest add-ons' } as const;
