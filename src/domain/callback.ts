import { normaliseDialled } from './dialled.ts';
import type { Directory } from './directory.ts';
import type { EmergencyRecord } from './emergency-record.ts';
import type { Call } from './route.ts';
import type { NumberPlan, View } from './view.ts';

/** Somebody calls back after an emergency call: the place rings, not the person, whatever else is true. */
export interface CallbackRoute {
  readonly kind: 'callback';
  /** The number called, E.164. */
  readonly number: string;
  /** Host ids. The first ring at once; the next join them when nobody there answers; no host stands here twice. */
  readonly rounds: readonly (readonly string[])[];
  /** ms after which the next round joins, unless all of those before have failed. */
  readonly roundMs: number;
  /** The open record it matches, the latest; undefined: it comes from an emergency trunk, and that is enough. */
  readonly record: EmergencyRecord | undefined;
}

/** Desks one call back rings at most: a site's number may stand for hundreds. */
const MOST_DESKS = 30;
const OTHERS_AFTER_SECONDS = 20;

/**
 * Where a call back goes. An emergency trunk is believed in any case; any other trunk when the number is that of an
 * open record. What the call says of itself (RFC 7090) counts for nothing: anybody can write it.
 */
export function decideCallback(call: Call, view: View, plan: NumberPlan): CallbackRoute | undefined {
  const { caller } = call;
  if (caller.kind !== 'trunk') return undefined;
  const numbers = numbersOf(call.requestUri, plan);
  const open = openRecordsOf(numbers, view);
  if (open) return routeOf(open.number, open.records, view);
  const { emergencyDirectory: directory } = view;
  const index = caller.emergency ? directory?.index : undefined;
  const number = numbers.find((each) => (index?.hostsByCallback(each).length ?? 0) > 0);
  return number === undefined ? undefined : routeOf(number, [], view);
}

/** Whether an emergency call was made lately that this number would call back. */
export function isOpenCallback(requestUri: string, view: View, plan: NumberPlan): boolean {
  return openRecordsOf(numbersOf(requestUri, plan), view) !== undefined;
}

function openRecordsOf(
  numbers: readonly string[],
  view: View,
): { readonly number: string; readonly records: readonly EmergencyRecord[] } | undefined {
  for (const number of numbers) {
    const records = view.emergencyRecords(number).filter(({ host }) => host !== undefined);
    if (records.length > 0) return { number, records };
  }
  return undefined;
}

/** What may be meant, E.164: trunks write national numbers, and full ones with and without the plus. */
function numbersOf(requestUri: string, plan: NumberPlan): string[] {
  const dialled = normaliseDialled(requestUri);
  if (!/^\+?\d{3,15}$/.test(dialled)) return [];
  const full = dialled.startsWith('+') ? dialled : `+${dialled}`;
  const found = [plan.toE164(dialled), plan.toE164(full), full];
  return [...new Set(found.filter((number) => number !== undefined))];
}

/** The desk of the latest call, then the others that have called, then those that share the number. */
function routeOf(number: string, records: readonly EmergencyRecord[], view: View): CallbackRoute {
  const [record] = records;
  const directory = view.emergencyDirectory;
  const [latest = [], ...callers] = records.map(({ host = '' }) => [host]);
  const others = othersAfter(record, directory);
  const sharing = others === 'never' ? [] : sharingDesks(number, record, view);
  const rounds = distinct([latest, callers.flat(), sharing]);
  const seconds = others === 'never' ? OTHERS_AFTER_SECONDS : others;
  const together = seconds === 0 ? [rounds.flat()] : rounds;
  return { kind: 'callback', number, rounds: together, roundMs: seconds * 1000, record };
}

function othersAfter(
  record: EmergencyRecord | undefined,
  directory: Directory | undefined,
): number | 'never' {
  const site = record?.site === undefined ? undefined : directory?.sites.get(record.site);
  return site?.callbackOthersAfter ?? OTHERS_AFTER_SECONDS;
}

/** Desks that can ring, those of the site first. */
function sharingDesks(number: string, record: EmergencyRecord | undefined, view: View): string[] {
  const hosts = view.emergencyDirectory?.index.hostsByCallback(number) ?? [];
  const near = hosts.filter(({ site }) => site === record?.site);
  const far = hosts.filter(({ site }) => site !== record?.site);
  const found = [...near, ...far].map(({ id }) => id).filter((id) => view.bindingsOf(id).length > 0);
  return found.slice(0, MOST_DESKS);
}

/** Each host once, where it comes first; rounds without any are left out. */
function distinct(rounds: readonly (readonly string[])[]): string[][] {
  const seen = new Set<string>();
  const fresh = (id: string): boolean =>
    seen.size < MOST_DESKS && !seen.has(id) && seen.add(id) !== undefined;
  return rounds.map((round) => round.filter(fresh)).filter((round) => round.length > 0);
}
