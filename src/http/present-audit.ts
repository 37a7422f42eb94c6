import { stringify } from 'csv-stringify/sync';
import type { z } from 'zod';
import type { ChangeEvent } from '../domain/association.ts';
import type { Directory } from '../domain/directory.ts';
import type { Stay } from '../services/audit.ts';
import { messageOf } from '../services/webhooks/message.ts';
import type { auditEntry, stay } from './audit-schemas.ts';

type AuditEntry = z.output<typeof auditEntry>;

/** Names as they are now; undefined while nobody knows any. */
type Names = Pick<Directory, 'hosts' | 'users'> | undefined;
/** Names as they were, as far as the log has kept them: an id may be somebody else's by now. */
type Kept = { readonly guest?: string | undefined; readonly host?: string | undefined } | undefined;

function hostNamed(id: string, names: Names, kept?: Kept): NonNullable<AuditEntry['host']> {
  return { id, nickname: kept?.host ?? names?.hosts.get(id)?.nickname ?? null };
}

function guestNamed(extension: string, names: Names, kept?: Kept): NonNullable<AuditEntry['guest']> {
  return { extension, name: kept?.guest ?? names?.users.get(extension)?.name ?? null };
}

function keptIn(event: ChangeEvent): Kept {
  if ('association' in event) return event.association.names;
  return event.kind === 'emergency'
    ? { guest: event.record.guest?.name, host: event.record.nickname }
    : undefined;
}

const NOTHING = {
  reason: null,
  host: null,
  guest: null,
  site: null,
  generation: null,
  startedAt: null,
  expiresAt: null,
  previousHost: null,
  entries: null,
};

/** A change as the audit tells it. */
export function presentChange(event: ChangeEvent, names: Names): AuditEntry {
  const { seq, at, type, data } = messageOf(event, '');
  const entry = { ...NOTHING, seq, at, kind: type as AuditEntry['kind'], actor: event.actor };
  const kept = keptIn(event);
  const about = {
    host: 'host' in data && data.host !== null ? hostNamed(data.host, names, kept) : null,
    guest: 'guest' in data && data.guest !== null ? guestNamed(data.guest, names, kept) : null,
  };
  if ('orderKind' in data)
    return { ...entry, reason: data.state, entries: [`order:${data.order}`], site: only(data.sites) };
  if ('notice' in data) return { ...entry, ...about, reason: data.notice };
  if ('entries' in data) return { ...entry, entries: data.entries };
  if ('stage' in data) return { ...entry, ...about, reason: data.stage, site: data.site };
  if (!('generation' in data)) return entry;
  const { reason, site, generation, startedAt, expiresAt } = data;
  const from = 'previousHost' in data ? data.previousHost : null;
  const previousHost = from === null ? null : hostNamed(from, names);
  return { ...entry, ...about, reason, site, generation, startedAt, expiresAt, previousHost };
}

/** What is about several sites names none. */
function only(sites: readonly string[]): string | null {
  return sites.length === 1 ? (sites[0] ?? null) : null;
}

/** A stay as the API tells it. */
export function presentStay(
  { association, endedAt, reason, movedFrom }: Stay,
  names: Names,
): z.output<typeof stay> {
  const { host, guest, site, generation, startedAt, names: kept } = association;
  return {
    host: hostNamed(host, names, kept),
    guest: guestNamed(guest, names, kept),
    site,
    generation,
    startedAt: new Date(startedAt).toISOString(),
    endedAt: endedAt === undefined ? null : new Date(endedAt).toISOString(),
    reason: reason ?? null,
    movedFrom: movedFrom === undefined ? null : hostNamed(movedFrom, names),
  };
}

const COLUMNS = [
  'seq',
  'at',
  'kind',
  'reason',
  'actor',
  'host',
  'hostNickname',
  'guest',
  'guestName',
  'site',
  'generation',
  'startedAt',
  'expiresAt',
  'previousHost',
  'entries',
];

/** Line breaks are quoted (RFC 4180), and what a spreadsheet would run as a formula becomes text. */
const CSV = { record_delimiter: 'windows', escape_formulas: true, quoted_match: /[\r\n]/ } as const;

const STAY_COLUMNS = [
  ...['host', 'hostNickname', 'guest', 'guestName', 'site', 'generation'],
  ...['startedAt', 'endedAt', 'reason', 'movedFrom'],
];

export function stayCsvHeader(): string {
  return stringify([STAY_COLUMNS], CSV);
}

/** Stays as lines of CSV, times in UTC; what does not apply is empty. */
export function stayCsvOf(stays: readonly Stay[], names: Names): string {
  const rows = stays.map((each) => {
    const { host, guest, site, generation, startedAt, endedAt, reason, movedFrom } = presentStay(each, names);
    const who = [host.id, host.nickname, guest.extension, guest.name, site, generation];
    return [...who, startedAt, endedAt, reason, movedFrom?.id];
  });
  return stringify(rows, CSV);
}

/** The first line of the export. */
export function csvHeader(): string {
  return stringify([COLUMNS], CSV);
}

/** Changes as lines of CSV, times in UTC; what does not apply is empty. */
export function csvOf(events: readonly ChangeEvent[], names: Names): string {
  const rows = events.map((event) => {
    const { host, guest, previousHost, entries, ...entry } = presentChange(event, names);
    return [
      entry.seq,
      entry.at,
      entry.kind,
      entry.reason,
      entry.actor,
      host?.id,
      host?.nickname,
      guest?.extension,
      guest?.name,
      entry.site,
      entry.generation,
      entry.startedAt,
      entry.expiresAt,
      previousHost?.id,
      entries?.join(' '),
    ];
  });
  return stringify(rows, CSV);
}
