import { replay } from '../contract/store/replay.ts';
import { type Ending, type Evidence, type Index, indexOf, type Started } from './evidence.ts';
import type { Deed } from './load.ts';
import type { Outage } from './pulse.ts';

/** One thing that must hold, and all that speaks against it. */
export interface Check {
  readonly what: string;
  readonly offenders: readonly string[];
}

/** What was undone in the background counts as undone if it was within this time; ms. */
const UNDONE_WITHIN = 5_000;
/** How late 99 of 100 associations may end, ms, not counting the time without Redis; R7 is stricter, in fairer weather. */
const LONGEST_LAG = 2_000;
/** A run in which next to nothing was logged in proves nothing. */
const LEAST_LOGINS_A_SECOND = 5;

export function judge(evidence: Evidence): Check[] {
  const index = indexOf(evidence);
  const check = (what: string, offenders: readonly string[]): Check => ({ what, offenders });
  return [
    check('faults as planned', missingFaults(evidence)),
    check('enough logins to prove something', tooQuiet(evidence)),
    check('no node ended by itself', evidence.crashes),
    check('no node reports that something is broken', evidence.errors),
    check('every order was answered while its node lived', silences(evidence)),
    check('no acknowledged login is lost', lostLogins(evidence, index)),
    check('no acknowledged logout is lost', lostLogouts(evidence, index)),
    check('no order was carried out twice', doubles(evidence, index)),
    check('nothing ended twice', endedTwice(index)),
    check('nothing expired early, and nothing without a limit', early(evidence, index)),
    check('nothing began or ended without a cause', causeless(evidence, index)),
    check('whoever was refused is not logged in', ghosts(evidence, index)),
    check('the log has no gap and gives the state', replayed(evidence)),
    check('Redis agrees with itself', evidence.disagreements),
    check('the history has every event once', history(evidence)),
    check('every event reached the webhook, in order', undelivered(evidence)),
    check('every phone shows the right face', wrongFaces(evidence)),
    check('every node sees what Redis has', evidence.wrongViews),
    check('expiries are at most two seconds late', lateExpiries(evidence)),
  ];
}

function missingFaults({ plan, faults }: Evidence): string[] {
  return (['nodeKills', 'redisKills', 'cuts', 'delays'] as const)
    .filter((what) => faults[what] < plan[what])
    .map((what) => `${what}: ${faults[what]} of ${plan[what]}`);
}

function tooQuiet(evidence: Evidence): string[] {
  const count = logins(evidence).length;
  return count >= evidence.seconds * LEAST_LOGINS_A_SECOND ? [] : [`only ${count} acknowledged logins`];
}

function silences({ deeds }: Evidence): string[] {
  return deeds
    .filter(({ outcome }) => outcome === undefined || outcome.outcome === 'silent')
    .map(describeDeed);
}

/** Deeds of which somebody was told that they are logged in. */
export function logins({ deeds }: Pick<Evidence, 'deeds'>): Deed[] {
  return deeds.filter(({ outcome }) => outcome?.outcome === 'loggedIn');
}

/** Not in the log as it was acknowledged, undone as if it had not been, or gone without an end. */
export function lostLogins({ deeds, log, state }: Evidence, { endsOf }: Index): string[] {
  const there = new Set(state.map(({ generation }) => generation));
  return logins({ deeds }).flatMap((deed) => {
    if (deed.outcome?.outcome !== 'loggedIn') return [];
    const { generation, host, guest } = deed.outcome.association;
    const event = log[generation - 1];
    const isLogged =
      event?.kind === 'start' &&
      event.association.host === host &&
      event.association.guest === guest &&
      event.actor === deed.order.actor;
    if (!isLogged) return [`not in the log: ${describeDeed(deed)}`];
    const [end] = endsOf.get(generation) ?? [];
    if (end && isTakenBack(end)) return [`taken back by ${end.actor} at ${end.seq}: ${describeDeed(deed)}`];
    return end || there.has(generation) ? [] : [`gone without an end: ${describeDeed(deed)}`];
  });
}

function lostLogouts(evidence: Evidence, index: Index): string[] {
  return logouts(evidence, index)
    .filter(({ fate }) => fate === 'lost')
    .map(({ deed }) => describeDeed(deed));
}

interface Logout {
  readonly fate: 'done' | 'late' | 'forgotten' | 'lost';
  readonly deed: Deed;
}

/**
 * What became of acknowledged logouts. `late`: the store was away, so that the person was gone on one node only until
 * the store was told; `forgotten`: that node was killed before.
 */
export function logouts({ deeds, log }: Evidence, { endsBy, endsOf }: Index): Logout[] {
  const endOfTime = log.at(-1)?.at ?? 0;
  return deeds.flatMap((deed): Logout[] => {
    if (deed.outcome?.outcome !== 'ended') return [];
    const { generation } = deed.outcome.association;
    const own = endsBy.get(deed.order.actor) ?? [];
    if (own.some(({ association }) => association.generation === generation)) return [{ fate: 'done', deed }];
    const [end] = endsOf.get(generation) ?? [];
    // Only a person's own logout may be promised without the store.
    if (deed.order.kind !== 'logOut') return [{ fate: 'lost', deed }];
    const fate = fateOf(deed, end?.at ?? endOfTime);
    return [{ fate: ({ undone: 'late', orphan: 'forgotten', ghost: 'lost' } as const)[fate], deed }];
  });
}

/** A node undoes a login of which nobody was told. */
function isTakenBack({ reason, actor }: Ending): boolean {
  return reason === 'released' && actor.startsWith('node:');
}

/**
 * An order is repeated when its answer got lost. Done twice, it logs somebody out twice, or is refused because it has
 * been done before. (A login may well begin anew, when the time before was undone.)
 */
function doubles({ deeds }: Evidence, { startsBy, endsBy, endsOf }: Index): string[] {
  const isLive = ({ seq }: Started, at: number): boolean => (endsOf.get(seq)?.[0]?.at ?? at) >= at;
  return deeds
    .filter(({ order, outcome, answeredAt = 0 }) => {
      const reason = outcome && 'reason' in outcome ? outcome.reason : undefined;
      const ends = endsBy.get(order.actor)?.length ?? 0;
      if (ends > 1 || (ends > 0 && (reason === 'nobodyHere' || reason === 'notYours'))) return true;
      // Not by somebody else's doing.
      return (
        reason === 'alreadyHere' &&
        (startsBy.get(order.actor) ?? []).some((start) => isLive(start, answeredAt))
      );
    })
    .map(describeDeed);
}

function endedTwice({ endsOf }: Index): string[] {
  return [...endsOf.values()].filter(({ length }) => length > 1).flatMap((ends) => ends.map(describeEvent));
}

/** By the time Redis itself gave the entry, which no script can make up. */
function early({ stamps }: Evidence, { endsOf }: Index): string[] {
  return expiries({ endsOf })
    .filter(
      ({ seq, association: { expiresAt } }) => expiresAt === 'never' || (stamps.get(seq) ?? 0) < expiresAt,
    )
    .map(describeEvent);
}

function expiries({ endsOf }: Pick<Index, 'endsOf'>): Ending[] {
  return [...endsOf.values()].flat().filter(({ reason }) => reason === 'expired');
}

function causeless({ log, firstSeq, deeds }: Evidence, { actors }: Index): string[] {
  const isOurs = (actor: string): boolean => actors.has(actor);
  const promised = new Set(deeds.flatMap(({ outcome }) => generationEnded(outcome)));
  const isNode = (actor: string): boolean => /^(node:|ttl$)/.test(actor);
  return log
    .filter((event) => {
      if (event.seq <= firstSeq || event.kind === 'notice') return false;
      if (event.kind === 'start') return !isOurs(event.actor);
      if (event.kind !== 'end') return true;
      if (event.reason === 'expired') return !isNode(event.actor);
      return !isOurs(event.actor) && !isTakenBack(event) && !promised.has(event.association.generation);
    })
    .map((event) => JSON.stringify(event));
}

function generationEnded(outcome: Deed['outcome']): number[] {
  return outcome?.outcome === 'ended' ? [outcome.association.generation] : [];
}

/** Refused, and yet logged in for long. Only the node that refused knows; if it was killed, nobody can undo it. */
function ghosts(evidence: Evidence, index: Index): string[] {
  return refusedStarts(evidence, index)
    .filter(({ fate }) => fate === 'ghost')
    .map(({ start, deed }) => `${describeEvent(start)}: ${describeDeed(deed)}`);
}

interface Refused {
  readonly fate: 'undone' | 'ghost' | 'orphan' | 'repeated';
  readonly start: Started;
  readonly deed: Deed;
}

/**
 * What became of logins that were carried out although they were refused. `repeated`: somebody ordered the same once
 * more meanwhile, and was told that it is so: then it must stay.
 */
export function refusedStarts(evidence: Evidence, { startsBy, endsOf }: Index): Refused[] {
  const endOfTime = evidence.log.at(-1)?.at ?? 0;
  return evidence.deeds.flatMap((deed): Refused[] => {
    const start = startsBy.get(deed.order.actor)?.at(-1);
    if (deed.outcome?.outcome !== 'refused' || start === undefined) return [];
    const fate = fateOf(deed, endsOf.get(start.seq)?.[0]?.at ?? endOfTime);
    if (fate !== 'ghost') return [{ fate, start, deed }];
    return [{ fate: isRepeated(deed, evidence) ? 'repeated' : 'ghost', start, deed }];
  });
}

function isRepeated({ order, sentAt, answeredAt = 0 }: Deed, { deeds }: Evidence): boolean {
  return deeds.some(
    (other) =>
      other.order.actor !== order.actor &&
      other.order.host === order.host &&
      'guest' in other.order &&
      'guest' in order &&
      other.order.guest === order.guest &&
      other.sentAt <= answeredAt + UNDONE_WITHIN &&
      (other.answeredAt ?? 0) >= sentAt,
  );
}

/** What a node still owes after its answer it does within a while, unless it is killed. */
function fateOf({ answeredAt = 0, life }: Deed, doneAt: number): 'undone' | 'ghost' | 'orphan' {
  const last = answeredAt + UNDONE_WITHIN;
  if (doneAt <= last) return 'undone';
  return (life.endedAt ?? Number.POSITIVE_INFINITY) < last ? 'orphan' : 'ghost';
}

function replayed({ log, state }: Evidence): string[] {
  try {
    const replayedState = replay(log).at(-1) ?? new Map();
    const [there, here] = [[...replayedState.values()], state].map((all) => all.map(place).toSorted());
    return there?.join() === here?.join() ? [] : [`the log gives ${there}, Redis has ${here}`];
  } catch (error) {
    return [(error as Error).message.split('\n').slice(0, 3).join(' ')];
  }
}

function place({ host, guest, generation }: { host: string; guest: string; generation: number }): string {
  return `${host}=${guest}@${generation}`;
}

function history({ history, log }: Evidence): string[] {
  const found = new Map<number, number>();
  for (const seq of history) found.set(seq, (found.get(seq) ?? 0) + 1);
  return log
    .filter(({ seq }) => found.get(seq) !== 1)
    .map(({ seq }) => `${seq}: ${found.get(seq) ?? 0} times`);
}

/** Positions that never reached the webhook. */
export function missing({ log, firstSeq, deliveries }: Evidence): number[] {
  return log.map(({ seq }) => seq).filter((seq) => seq > firstSeq && !deliveries.has(seq));
}

function undelivered(evidence: Evidence): string[] {
  const letters = evidence.deadLetters > 0 ? [`${evidence.deadLetters} dead letters`] : [];
  return [...missing(evidence).map((seq) => `missing: ${seq}`), ...evidence.offences, ...letters];
}

export function wrongFaces({ faces, state, log }: Evidence): string[] {
  const guests = new Map(state.map(({ host, guest }) => [host, guest]));
  return [...faces]
    .filter(([host, guest]) => guests.get(host) !== guest)
    .map(([host, guest]) => {
      const last = log.findLast((event) => 'association' in event && event.association.host === host);
      const changed = last ? describeEvent(last as Started | Ending) : 'never changed';
      return `${host} shows ${guest ?? 'nobody'} instead of ${guests.get(host) ?? 'nobody'}; last: ${changed}`;
    });
}

/** How late associations ended, in ms; `net`: without the time in which there was no Redis, or no node. */
export function expiryLags(evidence: Evidence): { gross: number[]; net: number[] } {
  const away = union([...evidence.outages, ...nodeless(evidence)]);
  const ended = evidence.log.flatMap((event) =>
    event.kind === 'end' && event.reason === 'expired' && event.association.expiresAt !== 'never'
      ? [{ at: event.at, due: event.association.expiresAt }]
      : [],
  );
  const overlap = (due: number, at: number): number =>
    away.reduce((sum, { from, to }) => sum + Math.max(0, Math.min(at, to) - Math.max(due, from)), 0);
  return {
    gross: ended.map(({ at, due }) => at - due),
    net: ended.map(({ at, due }) => at - due - overlap(due, at)),
  };
}

/** When no node was at work. */
function nodeless({ lives }: Evidence): Outage[] {
  const now = Date.now();
  const atWork = lives.flatMap(({ readyAt, endedAt }) =>
    readyAt === undefined ? [] : [{ from: readyAt, to: endedAt ?? now }],
  );
  return union(atWork).flatMap(({ to: from }, i, all) => {
    const next = all[i + 1];
    return next ? [{ from, to: next.from }] : [];
  });
}

/** The same times, in order and without overlap. */
function union(times: readonly Outage[]): Outage[] {
  const all: Outage[] = [];
  for (const { from, to } of times.toSorted((a, b) => a.from - b.from)) {
    const last = all.at(-1);
    if (last && from <= last.to) all[all.length - 1] = { from: last.from, to: Math.max(last.to, to) };
    else all.push({ from, to });
  }
  return all;
}

function lateExpiries(evidence: Evidence): string[] {
  const p99 = percentile(expiryLags(evidence).net, 0.99);
  return p99 === undefined || p99 <= LONGEST_LAG ? [] : [`p99 ${p99} ms`];
}

export function percentile(values: readonly number[], share: number): number | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

function describeDeed({ order, outcome, life, sentAt, answeredAt }: Deed): string {
  const who = 'guest' in order ? `${order.guest} at ${order.host}` : order.host;
  const what = outcome && 'reason' in outcome ? `${outcome.outcome} ${outcome.reason}` : outcome?.outcome;
  const times = `${iso(sentAt)} +${(answeredAt ?? sentAt) - sentAt} ms`;
  const end = life.endedAt === undefined ? 'lives' : `killed ${iso(life.endedAt)}`;
  return `${order.actor} ${order.kind} ${who}: ${what} (${life.node}, ${times}, node ${end})`;
}

function describeEvent(event: Started | Ending): string {
  const { host, guest, generation } = event.association;
  return `${event.seq} ${event.kind} ${event.reason} by ${event.actor} ${host}=${guest}@${generation} ${iso(event.at)}`;
}

function iso(at: number): string {
  return new Date(at).toISOString().slice(11, 23);
}
