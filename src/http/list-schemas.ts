import { z } from 'zod';
import { HOST_SORTS, SITE_SORTS, USER_SORTS } from '../services/lists/rows.ts';

/** What the API takes to show part of a list. */

function sortOf<const T extends readonly [string, ...string[]]>(sorts: T) {
  type Word = T[number] | `-${T[number]}`;
  const words = sorts.flatMap((sort) => [sort, `-${sort}`]) as unknown as readonly [Word, ...Word[]];
  const first: Word = words[0];
  return z
    .literal([...words])
    .default(() => first as never)
    .describe('With a minus: the other way round.');
}

const name = (description: string) => z.exactOptional(z.string().min(1).max(64).describe(description));
const yesNo = z.exactOptional(z.enum(['true', 'false']));

const page = {
  q: z
    .exactOptional(z.string().min(1).max(100))
    .describe('Words, or how words begin: in names, extensions, e-mail addresses, numbers.'),
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.exactOptional(
    z.string().min(1).max(1_000).describe('`next` of the page before; with the same sort.'),
  ),
};

export const hostQuery = z.strictObject({
  ...page,
  site: name('Site id.'),
  sort: sortOf(HOST_SORTS),
  kind: z.exactOptional(z.enum(['commonArea', 'user', 'unassigned'])),
  status: z.exactOptional(z.enum(['free', 'inUse'])).describe('Whether somebody is logged in there.'),
  owner: name('Extension: phones of this person.'),
  registered: yesNo,
  verified: yesNo.describe('false: phones that have moved since anybody confirmed their address.'),
});

export const userQuery = z.strictObject({
  ...page,
  site: name('Site id.'),
  sort: sortOf(USER_SORTS),
  addOn: z.exactOptional(z.enum(['host', 'guest'])),
  loggedIn: yesNo,
});

export const siteQuery = z.strictObject({ ...page, sort: sortOf(SITE_SORTS) });

/** `-name` in parts. */
export function orderOf<Sort extends string>(sort: Sort | `-${Sort}`): { sort: Sort; descending: boolean } {
  const descending = sort.startsWith('-');
  return { sort: (descending ? sort.slice(1) : sort) as Sort, descending };
}

/** A word of a query as a boolean. */
export function truth(word: 'true' | 'false' | undefined): boolean | undefined {
  return word === undefined ? undefined : word === 'true';
}
