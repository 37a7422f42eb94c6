import { withoutPrefix } from './dialled.ts';
import type { Directory, Site, User } from './directory.ts';
import type { NumberPlan } from './view.ts';

/** What a number means to somebody at a site. */
export interface LookedUp {
  /** The number without the outside-line prefix, when it was dialled. */
  readonly outside: string | undefined;
  /** Whose extension or direct number it is. */
  readonly user: User | undefined;
}

/** A number as dialled at a site (normaliseDialled): an extension wins over a public number. */
export function lookUp(
  number: string,
  site: Site | undefined,
  { directory, plan }: { readonly directory: Directory; readonly plan: NumberPlan },
): LookedUp {
  const outside = withoutPrefix(number, site?.outsideLinePrefix ?? '');
  const candidates = [plan.toE164(number), outside === undefined ? undefined : plan.toE164(outside)];
  return { outside, user: findUser(number, candidates, directory) };
}

/** By extension, else by the first of these numbers, E.164, that is somebody's. */
export function findUser(
  extension: string,
  numbers: readonly (string | undefined)[],
  { users, index }: Directory,
): User | undefined {
  const byNumber = numbers.map((number) => (number === undefined ? undefined : index.userByNumber(number)));
  return users.get(extension) ?? byNumber.find((user) => user !== undefined);
}
