import type { User } from '../../domain/directory.ts';
import { folded } from '../../domain/listing.ts';
import type { NumberPlan } from '../../domain/view.ts';

/** What a file may say of a person. */
export const COLUMNS = [
  'extension',
  'name',
  'site',
  'numbers',
  'callerId',
  'email',
  'plan',
  'hotDeskLicence',
  'host',
  'guest',
] as const;
export type Column = (typeof COLUMNS)[number];

/** How a file may say it; the last three are parts of others. */
type Source = Column | 'firstName' | 'lastName' | 'addOns';

/** What headings are taken for, whatever their capitals, blanks and signs. */
const HEADINGS: Readonly<Record<Source, readonly string[]>> = {
  extension: ['extension', 'ext', 'extn', 'extensionnumber', 'internalnumber'],
  name: ['name', 'fullname', 'displayname', 'username', 'person'],
  firstName: ['firstname', 'givenname', 'forename'],
  lastName: ['lastname', 'surname', 'familyname'],
  site: ['site', 'siteid', 'sitename', 'location', 'office', 'branch'],
  numbers: [
    ...['numbers', 'number', 'directnumbers', 'directnumber', 'directdial', 'ddi', 'did', 'phone'],
    ...['phonenumber', 'phonenumbers', 'telephone', 'telephonenumber'],
  ],
  callerId: ['callerid', 'cli', 'callernumber', 'outboundnumber', 'outboundcallerid'],
  email: ['email', 'mail', 'emailaddress'],
  plan: ['plan', 'userplan', 'package'],
  hotDeskLicence: ['hotdesklicence', 'hotdesklicense', 'licence', 'license', 'hotdesk', 'hotdesking'],
  addOns: ['addons', 'addon'],
  host: ['host', 'hotdeskinghost', 'hotdeskhost', 'hostaddon'],
  guest: ['guest', 'hotdeskingguest', 'hotdeskguest', 'guestaddon'],
};

const BY_HEADING: ReadonlyMap<string, Source> = new Map(
  Object.entries(HEADINGS).flatMap(([source, names]) => names.map((name) => [name, source as Source])),
);

/** Where what stands in a file; undefined: in a column of its own that means nothing here. */
export function sourcesOf(headings: readonly string[]): readonly (Source | undefined)[] {
  return headings.map((heading) => BY_HEADING.get(folded(heading).replace(/[^a-z]/g, '')));
}

/** The column people see for where something came from. */
export function columnOf(source: Source | undefined): Column | undefined {
  if (source === 'firstName' || source === 'lastName') return 'name';
  return source === 'addOns' ? 'guest' : source;
}

export interface CellProblem {
  readonly column: Column;
  readonly message: string;
}

/** What a row wants of a person; what is not there stays, or is as usual. `null`: nothing. */
export interface Wish {
  readonly extension: string;
  readonly name?: string;
  /** As it is written: id or name. */
  readonly site?: string;
  readonly numbers?: readonly string[];
  readonly callerId?: string;
  readonly email?: string | null;
  readonly plan?: User['plan'];
  readonly hotDeskLicence?: boolean;
  readonly host?: boolean;
  readonly guest?: boolean;
}

export interface ReadWish {
  readonly wish: Wish;
  readonly problems: readonly CellProblem[];
}

type Cells = ReadonlyMap<Source, string>;

/** A row by its headings. Empty cells say nothing; `-` in numbers and e-mail says that there are none. */
export function wishOf(
  cells: readonly string[],
  {
    sources,
    plan,
  }: { readonly sources: readonly (Source | undefined)[]; readonly plan: NumberPlan | undefined },
): ReadWish {
  const given: Cells = new Map(
    sources.flatMap((source, i): [Source, string][] => {
      // Spreadsheets keep what begins with + from being a formula by an apostrophe.
      const text = (cells[i] ?? '').replace(/^'/, '').trim();
      return source && text !== '' ? [[source, text]] : [];
    }),
  );
  const problems: CellProblem[] = [];
  const wish = { ...textsOf(given, plan), ...choicesOf(given, problems) };
  const surplus = cells.slice(sources.length).some((cell) => cell !== '');
  if (surplus)
    problems.push({ column: 'extension', message: 'the row has more cells than there are headings' });
  for (const [source, text] of given) {
    const column = columnOf(source);
    if (column && text.includes('\uFFFD')) problems.push({ column, message: LOST });
  }
  if (partsOf(given.get('numbers') ?? '').length > MOST_NUMBERS)
    problems.push({ column: 'numbers', message: TOO_MANY });
  return { wish, problems };
}

/** As many as a person may have by the API. */
const MOST_NUMBERS = 50;
const TOO_MANY = `has more than ${MOST_NUMBERS} numbers`;
const LOST = 'has characters that were lost: save the file as UTF-8';

function textsOf(given: Cells, plan: NumberPlan | undefined): Wish {
  const name = given.get('name') ?? [given.get('firstName'), given.get('lastName')].filter(Boolean).join(' ');
  const [site, email] = [given.get('site'), given.get('email')];
  const [numbers, callerId] = [given.get('numbers'), given.get('callerId')];
  return {
    extension: (given.get('extension') ?? '').replace(/\s/g, ''),
    ...(name !== '' && { name }),
    ...(site !== undefined && { site }),
    ...(email !== undefined && { email: email === '-' ? null : email }),
    ...(numbers !== undefined && { numbers: numbers === '-' ? [] : numbersOf(numbers, plan) }),
    ...(callerId !== undefined && { callerId: numberOf(callerId, plan) }),
  };
}

function choicesOf(given: Cells, problems: CellProblem[]): Partial<Wish> {
  const [plan, addOns] = [given.get('plan')?.toLowerCase(), given.get('addOns')];
  const chosen: { -readonly [K in keyof Wish]?: Wish[K] } = {};
  if (plan === 'connect' || plan === 'collaborate') chosen.plan = plan;
  else if (plan !== undefined) problems.push({ column: 'plan', message: 'must be Connect or Collaborate' });
  if (addOns !== undefined) Object.assign(chosen, addOnsOf(addOns, problems));
  for (const column of ['hotDeskLicence', 'host', 'guest'] as const) {
    const text = given.get(column);
    const answer = text === undefined ? undefined : yesOrNo(text);
    if (answer !== undefined) chosen[column] = answer;
    else if (text !== undefined) problems.push({ column, message: 'must be yes or no' });
  }
  return chosen;
}

function addOnsOf(text: string, problems: CellProblem[]): Pick<Wish, 'host' | 'guest'> {
  const words = new Set(
    text === '-'
      ? []
      : text
          .toLowerCase()
          .split(/[^a-z]+/)
          .filter(Boolean),
  );
  const known = [...words].every((word) => /^(host|guest|and|hot|desking|none)$/.test(word));
  if (!known) problems.push({ column: 'guest', message: 'add-ons must be host, guest, both or none' });
  return known ? { host: words.has('host'), guest: words.has('guest') } : {};
}

const YES = new Set(['yes', 'y', 'true', '1', 'x', 'on']);
const NO = new Set(['no', 'n', 'false', '0', '-', 'off', 'none']);

function yesOrNo(text: string): boolean | undefined {
  const word = text.toLowerCase();
  return YES.has(word) ? true : NO.has(word) ? false : undefined;
}

function numbersOf(text: string, plan: NumberPlan | undefined): string[] {
  const parts = partsOf(text)
    .slice(0, MOST_NUMBERS)
    .map((part) => numberOf(part, plan));
  return [...new Set(parts.filter((part) => part !== ''))];
}

function partsOf(text: string): string[] {
  return text.split(/[;,|/\n]+/).filter((part) => part.trim() !== '');
}

/** As numbers are kept, where it is one: `020 7946 0101` and `+44 (0)20 7946 0101` are +442079460101 in Britain. */
function numberOf(text: string, plan: NumberPlan | undefined): string {
  const digits = text
    .replace(/\(0\)/, '')
    .replace(/[\s().\-\u2010-\u2015']/g, '')
    .replace(/^00(?=[1-9])/, '+');
  return digits.startsWith('+') ? digits : (plan?.toE164(digits) ?? digits);
}

/** A person's value in a column, as people read it. */
export function shownIn(user: User, column: Column): string {
  switch (column) {
    case 'numbers':
      return user.numbers.join(', ');
    case 'hotDeskLicence':
      return user.hotDeskLicence ? 'yes' : 'no';
    case 'host':
    case 'guest':
      return user.addOns.includes(column) ? 'yes' : 'no';
    default:
      return user[column] ?? '';
  }
}
