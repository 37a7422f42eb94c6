import { type Evidence, indexOf } from './evidence.ts';
import {
  type Check,
  expiryLags,
  logins,
  logouts,
  lostLogins,
  missing,
  percentile,
  refusedStarts,
  wrongFaces,
} from './verdict.ts';

const MOST_OFFENDERS = 8;

/** The figures of a run, as a table to read. */
export function figures(evidence: Evidence): string {
  const { faults, absences, deeds, lives, log, settledMs, webhookMs, phonesMs } = evidence;
  const index = indexOf(evidence);
  const starts = lives.flatMap(({ startedAt, readyAt }) =>
    readyAt === undefined ? [] : [readyAt - startedAt],
  );
  const refusals = countBy(
    deeds.flatMap(({ outcome }) => (outcome && 'reason' in outcome ? [outcome.reason] : [])),
  );
  const died = deeds.filter(({ outcome }) => outcome?.outcome === 'died').length;
  const fates = countBy(refusedStarts(evidence, index).map(({ fate }) => fate));
  const ended = countBy(log.flatMap((event) => (event.kind === 'end' ? [event.reason] : [])));
  const double = [...index.endsOf.values()].filter(
    (ends) => ends.filter(({ reason }) => reason === 'expired').length > 1,
  );
  const ends = logouts(evidence, index);
  const fatesOfEnds = countBy(ends.map(({ fate }) => fate));
  const { gross, net } = expiryLags(evidence);
  const rows: readonly (readonly [string, string])[] = [
    ['node kills', `${faults.nodeKills}   back after ${spread(starts)}`],
    ['Redis kills', `${faults.redisKills}   back after ${spread(absences)}`],
    ['connection cuts', `${faults.cuts}   answers held back ${faults.delays} times`],
    ['logins acknowledged', `${logins(evidence).length}`],
    ['  lost', `${lostLogins(evidence, index).length}`],
    ['logouts acknowledged', `${ends.length}`],
    ['  lost', `${fatesOfEnds.lost ?? 0}`],
    [
      '  without the store',
      `told to it later ${fatesOfEnds.late ?? 0}, their node killed before ${fatesOfEnds.forgotten ?? 0}`,
    ],
    ['orders refused', `${list(refusals)}`],
    [
      '  done all the same',
      `undone ${fates.undone ?? 0}, not undone ${fates.ghost ?? 0}, tried again ${fates.repeated ?? 0}, their node killed ${fates.orphan ?? 0}`,
    ],
    ['orders cut off', `${died}   (their node was killed before it answered)`],
    ['events', `${log.filter(({ seq }) => seq > evidence.firstSeq).length}   ends: ${list(ended)}`],
    ['  missing', `${missing(evidence).length}`],
    ['  delivered twice', `${evidence.duplicates}`],
    [
      'expiries',
      `${gross.length}   late by ${spread(gross)}; of that with Redis and a node there ${spread(net)}`,
    ],
    ['  double', `${double.length}`],
    ['phone updates', `${evidence.faceUpdates}   ${evidence.staleFaces} stale ones ignored`],
    ['  faces wrong', `${wrongFaces(evidence).length} of ${evidence.faces.size}`],
    ['all right after', `${seconds(settledMs)}   webhook ${seconds(webhookMs)}, phones ${seconds(phonesMs)}`],
  ];
  return rows.map(([name, text]) => `  ${name.padEnd(22)}${text}`).join('\n');
}

/** One line per check, and below those that failed what speaks against them. */
export function lines(checks: readonly Check[]): string {
  return checks
    .map(({ what, offenders }) => {
      const shown = offenders.slice(0, MOST_OFFENDERS).map((text) => `         ${text}`);
      const more = offenders.length > shown.length ? [`         … ${offenders.length} in all`] : [];
      return [`${offenders.length === 0 ? 'ok    ' : 'FAILED'} ${what}`, ...shown, ...more].join('\n');
    })
    .join('\n');
}

function seconds(ms: number | undefined): string {
  return ms === undefined ? 'never' : `${(ms / 1000).toFixed(1)} s`;
}

function spread(values: readonly number[]): string {
  if (values.length === 0) return '–';
  const [p50, p99] = [0.5, 0.99].map((share) => percentile(values, share));
  return `p50 ${p50}, p99 ${p99}, max ${Math.max(...values)} ms`;
}

function countBy(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

function list(counts: Record<string, number>): string {
  const entries = Object.entries(counts).toSorted(([, a], [, b]) => b - a);
  return entries.length === 0 ? '0' : entries.map(([name, count]) => `${name} ${count}`).join(', ');
}
