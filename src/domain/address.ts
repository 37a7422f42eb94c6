import type { CivicAddress, Host } from './directory.ts';

/** What a country's addresses look like, as far as emergency services can be sent to them. Shape only: no address book. */

/** Why an address will not do; each says one thing about one field. */
export type AddressReason =
  | 'missing'
  | 'unprintable'
  | 'notCountry'
  | 'notUkPostcode'
  | 'notUsState'
  | 'notZipCode'
  | 'notCanadianProvince'
  | 'notCanadianPostalCode'
  | 'notEircode'
  | 'notAustralianState'
  | 'notFourDigits'
  | 'notFiveDigits';

export interface AddressProblem {
  readonly field: keyof CivicAddress;
  readonly reason: AddressReason;
}

/** Each reason as an administrator reads it, after the name of the field. */
export const ADDRESS_WORDS = {
  missing: 'must not be empty',
  unprintable: 'must have no control characters',
  notCountry: 'must be a country by ISO 3166-1, such as GB',
  notUkPostcode: 'must be a UK postcode such as SW1A 1AA',
  notUsState: 'must be a state of the USA in two letters, such as NY',
  notZipCode: 'must be a ZIP code such as 10118 or 10118-0110',
  notCanadianProvince: 'must be a province of Canada in two letters, such as ON',
  notCanadianPostalCode: 'must be a Canadian postal code such as K1A 0B1',
  notEircode: 'must be an Eircode such as D02 X285, or empty',
  notAustralianState: 'must be a state of Australia, such as NSW',
  notFourDigits: 'must be four digits',
  notFiveDigits: 'must be five digits',
} as const satisfies Record<AddressReason, string>;

/** Why an address is refused, every reason; empty: it is fine. Judges what `normaliseAddress` makes of it. */
export function addressProblems(given: CivicAddress): AddressProblem[] {
  const address = normaliseAddress(given);
  const { state, postcode } = COUNTRIES.get(address.country) ?? ELSEWHERE;
  return [
    ...REQUIRED.filter((field) => !hasText(address[field])).map((field) => problem(field, 'missing')),
    ...problemOf('country', address.country, COUNTRY),
    ...problemOf('state', address.state ?? '', state),
    ...problemOf('postcode', address.postcode, postcode),
    ...FIELDS.filter((field) => UNPRINTABLE.test(address[field] ?? '')).map((field) =>
      problem(field, 'unprintable'),
    ),
  ];
}

/** The address as it is kept: no blanks around, state and postcode as the country writes them. */
export function normaliseAddress(address: CivicAddress): CivicAddress {
  const { room, floor, state, ...rest } = address;
  const country = rest.country.trim().toUpperCase();
  const rules = COUNTRIES.get(country) ?? ELSEWHERE;
  const stateWritten = rules.state ? trimmed(state)?.toUpperCase() : trimmed(state);
  return {
    customerName: rest.customerName.trim(),
    houseNumber: rest.houseNumber.trim(),
    street: rest.street.trim(),
    city: rest.city.trim(),
    ...present('state', stateWritten),
    postcode: rules.postcode.write(rest.postcode),
    country,
    ...present('floor', trimmed(floor)),
    ...present('room', trimmed(room)),
  };
}

/** The address as it is kept when it is fine; any other stays exactly as it was given. */
export function addressToKeep(address: CivicAddress): CivicAddress {
  return addressProblems(address).length > 0 ? address : normaliseAddress(address);
}

/**
 * Whether a host may only be written with an address that has no problem: a new one, one that gets another address,
 * becomes another kind of phone, or is switched on. What was stored otherwise stays as it is, and stays editable.
 */
export function needsGoodAddress(before: Host | undefined, after: Host): boolean {
  if (!before) return true;
  const isConverted = before.kind !== after.kind || before.owner !== after.owner;
  return isConverted || (after.enabled && !before.enabled) || !sameAddress(before.address, after.address);
}

/** Whether two addresses say the same, as they are kept. */
export function sameAddress(one: CivicAddress, other: CivicAddress): boolean {
  const [a, b] = [normaliseAddress(one), normaliseAddress(other)];
  return FIELDS.every((field) => a[field] === b[field]);
}

const FIELDS = [
  ...(['customerName', 'houseNumber', 'street', 'city'] as const),
  ...(['state', 'postcode', 'country', 'floor', 'room'] as const),
] as const satisfies readonly (keyof CivicAddress)[];
const REQUIRED = ['customerName', 'houseNumber', 'street', 'city'] as const;

/** What XML 1.0 cannot carry, and line breaks: an address is sent as XML and shown in one line. */
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\ufffe\uffff]|\p{Surrogate}/u;

/** One field of one country. */
interface FieldRule {
  readonly reason: AddressReason;
  /** May it be left out? */
  readonly optional?: true;
  /** As it is written. */
  write(text: string): string;
  /** Judges what is written. */
  fits(text: string): boolean;
}

interface CountryRules {
  /** Absent: the country's addresses need none. */
  readonly state?: FieldRule;
  readonly postcode: FieldRule;
}

/**
 * A9 9AA, A99 9AA, AA9 9AA, AA99 9AA, A9A 9AA, AA9A 9AA and GIR 0AA, with the letters each place may have (BS 7666,
 * annex C).
 */
const UK_POSTCODE =
  /^(?:GIR 0AA|(?:[A-PR-UWYZ]\d{1,2}|[A-PR-UWYZ][A-HK-Y]\d{1,2}|[A-PR-UWYZ]\d[A-HJKPSTUW]|[A-PR-UWYZ][A-HK-Y]\d[ABEHMNPRVWXY]) \d[ABD-HJLNP-UW-Z]{2})$/;
/** No D, F, I, O, Q or U anywhere, and neither W nor Z in front. */
const CANADIAN_POSTAL_CODE = /^[ABCEGHJ-NPRSTVXY]\d[ABCEGHJ-NPRSTV-Z] \d[ABCEGHJ-NPRSTV-Z]\d$/;
const EIRCODE = /^(?:D6W|[AC-FHKNPRTV-Y]\d{2}) [AC-FHKNPRTV-Y\d]{4}$/;

/** USPS Publication 28, appendix B: states, the capital, territories, forces abroad. */
const US_STATES = words(
  'AL AK AZ AR CA CO CT DE FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY NC ND OH OK OR PA RI',
  'SC SD TN TX UT VT VA WA WV WI WY DC AS FM GU MH MP PR PW VI AA AE AP',
);
const CANADIAN_PROVINCES = words('AB BC MB NB NL NS NT NU ON PE QC SK YT');
const AUSTRALIAN_STATES = words('ACT NSW NT QLD SA TAS VIC WA');

/** ISO 3166-1 alpha-2, and Kosovo. `UK` is not among them. */
const ISO_3166 = words(
  'AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA',
  'CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA',
  'GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP',
  'KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS',
  'MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS',
  'RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW',
  'TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW',
);
const COUNTRY = oneOf('notCountry', ISO_3166);

const POSTCODE_UK = rule('notUkPostcode', UK_POSTCODE, split(3));
const UNITED_KINGDOM: CountryRules = { postcode: POSTCODE_UK };
const ELSEWHERE: CountryRules = { postcode: rule('missing', /[\p{L}\p{N}]/u, (text) => text.trim()) };

const COUNTRIES: ReadonlyMap<string, CountryRules> = new Map([
  // Guernsey, the Isle of Man and Jersey have codes of the same form.
  ...(['GB', 'GG', 'IM', 'JE'] as const).map((country) => [country, UNITED_KINGDOM] as const),
  [
    'US',
    { state: oneOf('notUsState', US_STATES), postcode: rule('notZipCode', /^\d{5}(?:-\d{4})?$/, closed) },
  ],
  [
    'CA',
    {
      state: oneOf('notCanadianProvince', CANADIAN_PROVINCES),
      postcode: rule('notCanadianPostalCode', CANADIAN_POSTAL_CODE, split(3)),
    },
  ],
  ['IE', { postcode: { ...rule('notEircode', EIRCODE, split(4)), optional: true } }],
  [
    'AU',
    {
      state: oneOf('notAustralianState', AUSTRALIAN_STATES),
      postcode: rule('notFourDigits', /^\d{4}$/, closed),
    },
  ],
  ['DE', { postcode: rule('notFiveDigits', /^\d{5}$/, closed) }],
  ['FR', { postcode: rule('notFiveDigits', /^\d{5}$/, closed) }],
]);

function rule(reason: AddressReason, shape: RegExp, write: (text: string) => string): FieldRule {
  return { reason, write, fits: (text) => shape.test(text) };
}

function oneOf(reason: AddressReason, known: ReadonlySet<string>): FieldRule {
  return { reason, write: closed, fits: (text) => known.has(text) };
}

function problemOf(
  field: 'country' | 'state' | 'postcode',
  text: string,
  shape: FieldRule | undefined,
): AddressProblem[] {
  if (!shape || (shape.optional && text === '') || shape.fits(text)) return [];
  return [problem(field, hasText(text) ? shape.reason : 'missing')];
}

function problem(field: keyof CivicAddress, reason: AddressReason): AddressProblem {
  return { field, reason };
}

/** Something to read: a dash or a full stop is what people type to get past a field. */
function hasText(text: string): boolean {
  return /[\p{L}\p{N}]/u.test(text);
}

/** Upper case, without blanks. */
function closed(text: string): string {
  return text.replace(/\s+/gu, '').toUpperCase();
}

/** Upper case with one blank before the last `count` characters, whatever was typed. */
function split(count: number): (text: string) => string {
  return (text) => {
    const together = closed(text);
    const at = Math.max(together.length - count, 0);
    return `${together.slice(0, at)} ${together.slice(at)}`.trim();
  };
}

function words(...lines: readonly string[]): ReadonlySet<string> {
  return new Set(lines.flatMap((line) => line.split(' ')));
}

function trimmed(text: string | undefined): string | undefined {
  const short = text?.trim();
  return short === '' ? undefined : short;
}

function present<K extends string>(key: K, value: string | undefined): { [key in K]?: string } {
  return value === undefined ? {} : ({ [key]: value } as { [key in K]: string });
}
