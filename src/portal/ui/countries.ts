import type { Option } from './fields.tsx';

/** Countries of ISO 3166-1 alpha-2 with civic addresses of their own, and Kosovo. */
const CODES =
  'AD AE AF AG AI AL AM AO AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BW BY BZ CA CC CD CF ' +
  'CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF ' +
  'GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN ' +
  'KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ ' +
  'NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG ' +
  'SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG US UY UZ VA VC VE ' +
  'VG VI VN VU WF WS XK YE YT ZA ZM ZW';

const names = new Intl.DisplayNames('en-GB', { type: 'region' });

/** What people call the country with this code. */
export function countryName(code: string): string {
  return /^[A-Z]{2}$/.test(code) ? (names.of(code) ?? code) : code;
}

let all: readonly Option[] | undefined;

/** Every country, by name. */
export function countryOptions(): readonly Option[] {
  all ??= CODES.split(' ')
    .map((value) => ({ value, text: countryName(value) }))
    .toSorted((a, b) => a.text.localeCompare(b.text));
  return all;
}

/** Countries whose addresses have a state or province, and what it is called there. */
const REGIONS: Readonly<Record<string, 'state' | 'province'>> = {
  AU: 'state',
  CA: 'province',
  US: 'state',
};

export interface AddressShape {
  readonly region: 'state' | 'province' | undefined;
  readonly code: 'postcode' | 'zip' | 'postalCode' | 'eircode';
  readonly codeIsOptional: boolean;
}

/** What an address of this country has, in its own words. The server knows the rules. */
export function shapeOf(country: string): AddressShape {
  const codes: Readonly<Record<string, AddressShape['code']>> = {
    CA: 'postalCode',
    IE: 'eircode',
    US: 'zip',
  };
  return {
    region: REGIONS[country],
    code: codes[country] ?? 'postcode',
    codeIsOptional: country === 'IE',
  };
}
