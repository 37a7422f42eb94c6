import { DateTime } from 'luxon';
import type { CivicAddress, Site } from '../../domain/directory.ts';
import type { EmergencyRecord, EmergencyStage } from '../../domain/emergency-record.ts';

/** Stages people are told of; that somebody answered, or has seen it, is in the log of changes. */
export type ToldStage = Exclude<EmergencyStage, 'answered' | 'acknowledged'>;

export function isTold(stage: EmergencyStage): stage is ToldStage {
  return stage !== 'answered' && stage !== 'acknowledged';
}

/** What people are told, without a line break where there may be none. */
export interface Notice {
  /** One line that says it all. */
  readonly subject: string;
  /** For a mail: a line for each fact. */
  readonly body: string;
  /** For the display of a phone: one line, at most 900 octets of UTF-8, so that it fits into a datagram. */
  readonly text: string;
}

export interface NoticeFacts {
  readonly stage: ToldStage;
  /** When the stage was reached, ms since 1970. */
  readonly at: number;
  /** The site of the desk, as far as it is known. */
  readonly site: Site | undefined;
  /** Name of the company, as far as it is known. */
  readonly company: string | undefined;
}

const MAX_FIELD = 120;
const MAX_SUBJECT = 240;
const MAX_TEXT_OCTETS = 900;

const HEADLINES = {
  placed: (number, where) => `EMERGENCY CALL ${number} from ${where}`,
  failed: (number, where) => `EMERGENCY CALL ${number} FAILED from ${where}`,
  calledBack: (_number, where) => `EMERGENCY CALL BACK to ${where}`,
} as const satisfies Record<ToldStage, (number: string, where: string) => string>;

const MEANING = {
  placed: 'Somebody has called emergency services from this phone.',
  failed:
    'NO TRUNK TOOK THE CALL. Emergency services have not been reached from this phone: call them from another.',
  calledBack: 'The number that emergency services were shown has been called, and this phone rings.',
} as const satisfies Record<ToldStage, string>;

const NOT_VERIFIED = 'ADDRESS NOT VERIFIED: the phone has moved to another network since it was confirmed';

/** Words for people about a stage of an emergency call. */
export function noticeOf(record: EmergencyRecord, facts: NoticeFacts): Notice {
  const number = oneLine(record.number);
  const subject = cut(HEADLINES[facts.stage](number, placeOf(record)), MAX_SUBJECT);
  return { subject, body: bodyOf(record, subject, facts), text: textOf(record, subject, facts) };
}

function bodyOf(record: EmergencyRecord, subject: string, facts: NoticeFacts): string {
  const { stage, at, site, company } = facts;
  const lines: [string, string | undefined][] = [
    ['Phone', phoneOf(record)],
    ['Where', record.address && positionOf(record.address)],
    ['Address', record.address && addressOf(record.address)],
    ['', record.addressUnverified ? `${NOT_VERIFIED}.` : undefined],
    ['Site', site?.name ?? record.site],
    ['Company', company],
    ['Call back', record.callbackNumber ?? 'no number known'],
    ['Person', personOf(record)],
    ['Dialled', record.number],
    ['Time', timeOf(record.at, site)],
    ['Called back', stage === 'calledBack' ? timeOf(at, site) : undefined],
    ['Reference', record.id],
  ];
  const facts_ = lines.flatMap(([name, value]) =>
    value === undefined || value === ''
      ? []
      : [`${name === '' ? '' : `${name}:`}`.padEnd(13) + oneLine(value, 400)],
  );
  return [subject, '', MEANING[stage], '', ...facts_, ''].join('\n');
}

function textOf(record: EmergencyRecord, subject: string, { stage, site }: NoticeFacts): string {
  const sentences = [
    subject,
    stage === 'placed' ? undefined : MEANING[stage].replace(/\.$/, ''),
    record.addressUnverified ? NOT_VERIFIED : undefined,
    record.callbackNumber === undefined ? undefined : `Call back ${oneLine(record.callbackNumber)}`,
    oneLine(personOf(record)),
    timeOf(record.at, site),
    record.address &&
      oneLine(`${positionOf(record.address)}, ${addressOf(record.address)}`.replace(/^, /, ''), 400),
  ];
  return cutOctets(`${sentences.filter(Boolean).join('. ')}.`, MAX_TEXT_OCTETS);
}

/** Nickname, floor, street and city: where to run. */
function placeOf(record: EmergencyRecord): string {
  const { nickname, host, address } = record;
  const desk = oneLine(nickname ?? '') || oneLine(host ?? '') || 'an unknown phone';
  if (!address) return desk;
  const { houseNumber, street, city } = address;
  const parts = [
    desk,
    positionOf(address),
    `${oneLine(houseNumber)} ${oneLine(street)}`.trim(),
    oneLine(city),
  ];
  return parts.filter(Boolean).join(', ');
}

/** Floor and room. */
function positionOf({ floor = '', room = '' }: CivicAddress): string {
  return [floorOf(oneLine(floor)), roomOf(oneLine(room))].filter(Boolean).join(', ');
}

function floorOf(floor: string): string {
  if (floor === '' || /floor|level|stor(e?y|ies)|basement|mezzanine|roof/i.test(floor)) return floor;
  return /^[\p{L} ]{3,}$/u.test(floor) ? `${floor} floor` : `floor ${floor}`;
}

function roomOf(room: string): string {
  return /^[A-Z]{0,2}[\d.-]+[A-Z]?$/i.test(room) ? `room ${room}` : room;
}

function addressOf(address: CivicAddress): string {
  const { customerName, houseNumber, street, city, state, postcode, country } = address;
  const street_ = `${houseNumber} ${street}`;
  return [customerName, street_, city, state ?? '', postcode, country]
    .map((part) => oneLine(part))
    .filter(Boolean)
    .join(', ');
}

function phoneOf({ nickname, host }: EmergencyRecord): string {
  if (host === undefined) return 'unknown to Hotdesk';
  return nickname === undefined ? host : `${nickname} (${host})`;
}

function personOf({ guest }: EmergencyRecord): string {
  return guest ? `${guest.name}, extension ${guest.extension}` : 'Nobody is logged in there';
}

/** In the zone of the site, which it names. */
function timeOf(ms: number, site: Site | undefined): string {
  const local = DateTime.fromMillis(ms, { zone: site?.timeZone ?? 'utc', locale: 'en-GB' });
  const time = local.isValid ? local : DateTime.fromMillis(ms, { zone: 'utc', locale: 'en-GB' });
  const zone = time.zoneName === 'UTC' ? 'UTC' : `${time.zoneName}, UTC${time.toFormat('ZZ')}`;
  return `${time.toFormat('cccc d MMMM yyyy, HH:mm:ss')} (${zone})`;
}

/**
 * What somebody typed, as one line of visible characters: no line break ends a header early, and nothing turns the
 * direction of writing round.
 */
export function oneLine(text: string, longest = MAX_FIELD): string {
  const visible = text
    .slice(0, 4 * longest)
    .replace(/\p{Surrogate}/gu, '\ufffd')
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ');
  return cut(visible.trim(), longest);
}

function cut(text: string, longest: number): string {
  const characters = [...text];
  return characters.length <= longest ? text : `${characters.slice(0, longest - 1).join('')}…`;
}

function cutOctets(text: string, longest: number): string {
  const octets = Buffer.from(text, 'utf8');
  if (octets.length <= longest) return text;
  // A character cut in two becomes U+FFFD.
  return `${octets
    .subarray(0, longest - 3)
    .toString('utf8')
    .replace(/\ufffd+$/, '')}…`;
}
