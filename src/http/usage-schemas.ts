import { z } from 'zod';
import { daysBetween } from '../services/usage/period.ts';
import { MAX_DAYS, type UsageReport } from '../services/usage/usage.ts';
import type { Facts } from './present.ts';
import { time } from './schemas.ts';

/** What the API takes and gives about how much desks are used. */

const day = (description: string) => z.iso.date().describe(`${description} Such as 2026-11-03.`);

export const usageQuery = z
  .strictObject({
    from: day('First day.'),
    to: day(`Last day, at most ${MAX_DAYS} days with the first.`),
    site: z.exactOptional(z.string().min(1).max(64).describe('Of this site only.')),
  })
  .superRefine(({ from, to }, context) => {
    const days = daysBetween(from, to);
    const problem = (message: string) => context.addIssue({ code: 'custom', path: ['to'], message });
    if (days < 1) problem('expected no day before from');
    if (days > MAX_DAYS) problem(`expected at most ${MAX_DAYS} days`);
  });

const average = z.number().nullable().describe('Desks in use on average; null: that time is yet to come.');
const peak = z.int().describe('Most desks in use at once.');
const logIns = z.int();
const desks = z.int().describe('Phones one can log in at, as it is now.');

export const usage = z
  .object({
    from: z.iso.date(),
    to: z.iso.date(),
    timeZone: z.string().describe('Of the site, or where most of the phones stand: days and hours are its.'),
    recordedFrom: time.nullable().describe('The change log goes back no further; null: all of it is in.'),
    desks,
    average,
    peak,
    logIns,
    stays: z
      .object({
        count: z.int().describe('Those that have ended in this time.'),
        averageMinutes: z.number().nullable(),
        medianMinutes: z.number().nullable(),
      })
      .describe('How long people stayed.'),
    hours: z
      .array(z.object({ hour: z.int().describe('0–23.'), average, peak }))
      .describe('By what clocks show, over all days.'),
    days: z.array(z.object({ date: z.iso.date(), logIns, peak })),
    sites: z.array(z.object({ site: z.string(), desks, average, peak, logIns })),
    busiest: z
      .array(
        z.object({
          host: z.object({ id: z.string(), nickname: z.string().nullable() }),
          hours: z.number().describe('In use.'),
          logIns,
        }),
      )
      .describe('The ten that were in use the longest.'),
  })
  .meta({ id: 'Usage', description: 'How much desks are used.' });

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

export function presentUsage(report: UsageReport, { directory }: Facts): z.output<typeof usage> {
  const { period, recordedFrom, hours, days, sites, busiest, stays } = report;
  const date = (index: number): string => period.days[index] ?? '';
  return {
    ...{ from: date(0), to: date(period.days.length - 1), timeZone: period.timeZone },
    recordedFrom: recordedFrom === undefined ? null : new Date(recordedFrom).toISOString(),
    ...{ desks: report.desks, average: rounded(report.average), peak: report.peak, logIns: report.logIns },
    stays: {
      count: stays.count,
      averageMinutes: rounded(stays.average, MINUTE_MS),
      medianMinutes: rounded(stays.median, MINUTE_MS),
    },
    hours: hours.map((each, hour) => ({ hour, average: rounded(each.average), peak: each.peak })),
    days: days.map((each, index) => ({ date: date(index), ...each })),
    sites: sites.map((each) => ({ ...each, average: rounded(each.average) })),
    busiest: busiest.map(({ host, ms, logIns: count }) => ({
      host: { id: host, nickname: directory.hosts.get(host)?.nickname ?? null },
      hours: rounded(ms, HOUR_MS) ?? 0,
      logIns: count,
    })),
  };
}

/** To a hundredth. */
function rounded(value: number | undefined, unit = 1): number | null {
  return value === undefined ? null : Math.round((value / unit) * 100) / 100;
}
