import type { Usage } from '../api/types.ts';

type Cell = string | number | null;

/** Quoted where it must be (RFC 4180); what a spreadsheet would run as a formula becomes text. */
function cell(value: Cell): string {
  const text = value === null ? '' : String(value);
  const safe = /^[=+\-@\t\r]/.test(text) && typeof value === 'string' ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** All numbers of the page, a line each: what it is about, of what, and how many. */
export function usageCsv(usage: Usage): string {
  const { hours, days, sites, busiest, stays, timeZone } = usage;
  const rows: Cell[][] = [
    ['part', 'name', 'average', 'peak', 'logins', 'desks', 'hours'],
    [
      'period',
      `${usage.from}/${usage.to} ${timeZone}`,
      usage.average,
      usage.peak,
      usage.logIns,
      usage.desks,
      null,
    ],
    ['stay-minutes', 'average', stays.averageMinutes, null, null, null, null],
    ['stay-minutes', 'median', stays.medianMinutes, null, null, null, null],
    ...hours.map(({ hour, average, peak }) => ['hour', hour, average, peak, null, null, null]),
    ...days.map(({ date, logIns, peak }) => ['day', date, null, peak, logIns, null, null]),
    ...sites.map(({ site, desks, average, peak, logIns }) => [
      'site',
      site,
      average,
      peak,
      logIns,
      desks,
      null,
    ]),
    ...busiest.map(({ host, hours: inUse, logIns }) => [
      ...['desk', host.nickname ?? host.id, null, null, logIns, null, inUse],
    ]),
  ];
  return rows.map((row) => `${row.map(cell).join(',')}\r\n`).join('');
}
