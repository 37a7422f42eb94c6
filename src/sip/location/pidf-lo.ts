import type { CivicAddress } from '../../domain/directory.ts';
import { xmlText } from './xml.ts';

export const PIDF_TYPE = 'application/pidf+xml';

/** What is known of where a call comes from. */
export interface Place {
  readonly host: string;
  /** The desk as people know it; becomes SEAT, which RFC 5139 has for desks. */
  readonly nickname: string;
  /** Twelve hexadecimal digits, with or without separators. */
  readonly mac?: string | undefined;
  readonly address: CivicAddress;
  /** The phone has moved to another network since anybody confirmed the address. */
  readonly unverified: boolean;
  /** Right side of the identities in the document. */
  readonly domain: string;
  /** When this was known, ms since 1970. */
  readonly at: number;
}

/** Said to whoever takes the call; RFC 4479 has notes for people and RFC 4119 no method for such a place. */
const UNVERIFIED = 'Address not confirmed: the phone was moved to another network after this was entered';

const NAMESPACES = [
  'xmlns="urn:ietf:params:xml:ns:pidf"',
  'xmlns:dm="urn:ietf:params:xml:ns:pidf:data-model"',
  'xmlns:gp="urn:ietf:params:xml:ns:pidf:geopriv10"',
  'xmlns:gbp="urn:ietf:params:xml:ns:pidf:geopriv10:basicPolicy"',
  'xmlns:ca="urn:ietf:params:xml:ns:pidf:geopriv10:civicAddr"',
].join(' ');

/**
 * A location object (RFC 4119, 5139, 5491) for a desk: its civic address as somebody entered it (`Manual`), which may
 * be passed on to whoever is sent there. Well-formed and schema-valid for any input; pure ASCII in one line and a few
 * thousand characters at most, since it shares a message with a session description.
 */
export function pidfLo(place: Place): string {
  const id = safe(place.host);
  const rules = '<gbp:retransmission-allowed>true</gbp:retransmission-allowed>';
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<presence ${NAMESPACES} entity="pres:${id}@${safe(place.domain)}"><dm:device id="desk-${id}">`,
    `<gp:geopriv><gp:location-info>${civicAddress(place)}</gp:location-info>`,
    `<gp:usage-rules>${rules}</gp:usage-rules><gp:method>Manual</gp:method></gp:geopriv>`,
    `<dm:deviceID>${deviceId(place)}</dm:deviceID>`,
    place.unverified ? `<dm:note xml:lang="en">${UNVERIFIED}</dm:note>` : '',
    `<dm:timestamp>${timestamp(place.at)}</dm:timestamp></dm:device></presence>`,
  ].join('');
}

/** A Content-ID without its brackets (RFC 2392): one of its own for each call. */
export function contentId({ host, at, domain }: Pick<Place, 'host' | 'at' | 'domain'>): string {
  return `${safe(host)}.${Math.trunc(at)}@${safe(domain)}`;
}

/** The elements in the order the schema of RFC 5139 demands; what is not known is left out. */
function civicAddress({ address, nickname }: Place): string {
  const country = address.country.toUpperCase();
  const elements: readonly (readonly [name: string, value: string | undefined])[] = [
    ['country', /^[A-Z]{2}$/.test(country) ? country : undefined],
    ['A1', address.state],
    ['A3', address.city],
    ['RD', address.street],
    ['HNO', address.houseNumber],
    ['FLR', address.floor],
    ['NAM', address.customerName],
    ['PC', address.postcode],
    ['ROOM', address.room],
    ['SEAT', nickname],
  ];
  const known = elements.map(([name, value]) => [name, xmlText(value ?? '')] as const);
  const filled = known.filter(([, text]) => text !== '');
  return `<ca:civicAddress>${filled.map(([name, text]) => `<ca:${name}>${text}</ca:${name}>`).join('')}</ca:civicAddress>`;
}

/** As RFC 5491 names devices by MAC; a phone without one goes by its identity. */
function deviceId({ mac = '', host, domain }: Place): string {
  const digits = mac.replace(/[^0-9a-f]/gi, '').toLowerCase();
  return digits.length === 12 ? `mac:${digits}` : `sip:${safe(host)}@${safe(domain)}`;
}

/** End of the year 9999, ms since 1970. */
const LAST_MOMENT = 253_402_300_799_999;

/** RFC 3339 with seconds; a clock that is beyond dates says the first of all days. */
function timestamp(at: number): string {
  const known = at >= 0 && at <= LAST_MOMENT ? at : 0;
  return new Date(known).toISOString().replace(/\.\d+Z$/, 'Z');
}

/** What may stand in XML ids, URIs and Content-IDs alike. */
function safe(name: string): string {
  return name.slice(0, 128).replace(/[^A-Za-z0-9.-]/g, '_');
}
