import { expect } from 'vitest';
import type { Association, ChangeEvent } from '../../../src/domain/association.ts';
import { decodeFacts, FACTS } from '../../../src/store/redis/decode.ts';
import type { Answer, AssociateStep, EndStep, ExtendStep } from './programs.ts';
import type { State } from './replay.ts';

/** The log, and the state after each of its positions. */
export interface History {
  readonly log: readonly ChangeEvent[];
  readonly states: readonly State[];
}

/** L: a reply is true at its log position, and later than what was known before the call. */
export function justify(answer: Answer, history: History): void {
  const { step } = answer;
  if (step.kind === 'extend') return justifyExtend(answer, step, history);
  const [, now, outcome, position] = answer.reply;
  const seq = Number(position);
  expect(seq, 'real-time order').toBeGreaterThanOrEqual(answer.floor);
  const facts = decodeFacts(answer.reply.slice(4, 4 + FACTS));
  if (facts && outcome !== 'ended')
    expect(momentOf(facts), 'I7: nothing past its deadline').toBeGreaterThan(Number(now));
  const state = history.states[seq]!;
  const there = state.get(step.host);
  const where = [...state.values()].find((a) => a.guest === step.guest);
  const found = { there, where, facts, event: history.log[seq - 1] };
  if (step.kind === 'associate') justifyAssociate(outcome!, step, found);
  else justifyEnd(outcome!, step, { ...found, fence: answer.fence });
}

interface Found {
  readonly there: Association | undefined;
  readonly where: Association | undefined;
  readonly facts: Association | undefined;
  readonly event: ChangeEvent | undefined;
}

function justifyAssociate(outcome: string, step: AssociateStep, found: Found): void {
  const { there, where, facts, event } = found;
  switch (outcome) {
    case 'associated':
      expect(event, 'the reply is its start').toMatchObject({ kind: 'start', association: facts });
      expect(facts, 'as asked').toMatchObject({ host: step.host, guest: step.guest, site: step.site });
      return expect(momentOf(facts!) - facts!.startedAt).toBe(
        Math.min(step.limitMs || Number.POSITIVE_INFINITY, step.idleMs || Number.POSITIVE_INFINITY),
      );
    case 'occupied':
      expect(step).toMatchObject({ occupied: 'deny' });
      expect(there).toEqual(facts);
      return expect(there?.guest).not.toBe(step.guest);
    case 'elsewhere':
      expect(step).toMatchObject({ secondDesk: 'deny' });
      expect(where).toEqual(facts);
      return expect(where?.host).not.toBe(step.host);
    case 'alreadyHere':
      expect(there).toEqual(facts);
      return expect(there?.guest).toBe(step.guest);
    default:
      throw new Error(`unknown outcome ${outcome}`);
  }
}

function justifyEnd(outcome: string, step: EndStep, found: Found & { readonly fence: string }): void {
  const { there, where, facts, event, fence } = found;
  const meant = step.by === 'guest' ? where : there;
  switch (outcome) {
    case 'ended':
      expect(event).toMatchObject({ kind: 'end', reason: 'loggedOut', association: facts });
      if (step.by !== 'guest') expect(facts?.host).toBe(step.host);
      if (step.by !== 'host') expect(facts?.guest).toBe(step.guest);
      return expect(['', String(facts?.generation)]).toContain(fence);
    case 'notYours':
      expect(there).toBeDefined();
      return expect(there?.guest).not.toBe(step.guest);
    case 'stale':
      expect(meant).toBeDefined();
      return expect(String(meant?.generation)).not.toBe(fence);
    case 'none':
      return expect(meant).toBeUndefined();
    default:
      throw new Error(`unknown outcome ${outcome}`);
  }
}

/** Its reply holds no position: it must be true at one that is not older than what was known before. */
function justifyExtend({ reply, fence, floor }: Answer, step: ExtendStep, { log, states }: History): void {
  const [outcome, time] = reply;
  const now = Number(time);
  if (outcome === 'extended') {
    const association = decodeFacts(reply.slice(2));
    expect(association, 'as asked').toMatchObject({ host: step.host, generation: Number(fence) });
    const { idleLimitMs } = association!;
    const idle = idleLimitMs === 'never' ? Number.POSITIVE_INFINITY : now + idleLimitMs;
    const fixed = now + (step.limitMs || Number.POSITIVE_INFINITY);
    // A fixed limit that was later than the one asked for stays.
    if (step.reason === 'stay') expect(momentOf(association!)).toBeGreaterThanOrEqual(Math.min(fixed, idle));
    expect(momentOf(association!)).toBeLessThanOrEqual(idle);
    expect(step.reason === 'call' && idleLimitMs === 'never', 'a call moves no fixed limit').toBe(false);
    const entries = log.slice(floor).filter(({ kind, at }) => kind === 'extend' && at === now);
    const { reason } = step;
    return expect(entries, 'the reply is in the log').toContainEqual(
      expect.objectContaining({ reason, association }),
    );
  }
  const candidates = states.slice(floor).map((state) => state.get(step.host));
  const isGone = (a: Association | undefined) => String(a?.generation) !== fence || momentOf(a!) <= now;
  if (outcome === 'gone') return expect(candidates.some(isGone), 'it was gone').toBe(true);
  expect(outcome).toBe('unchanged');
  const wanted = (a: Association) =>
    Math.min(
      step.reason === 'stay' ? now + (step.limitMs || Number.POSITIVE_INFINITY) : Number.POSITIVE_INFINITY,
      a.idleLimitMs === 'never' ? Number.POSITIVE_INFINITY : now + a.idleLimitMs,
    );
  // What a call does depends on the fixed limit, which no reply tells: it is never later than the deadline's own rule.
  const isNotLater = (a: Association | undefined) =>
    a !== undefined && !isGone(a) && (step.reason === 'call' || wanted(a) <= momentOf(a));
  expect(candidates.some(isNotLater), 'there was nothing to move').toBe(true);
}

function momentOf({ expiresAt }: Association): number {
  return expiresAt === 'never' ? Number.POSITIVE_INFINITY : expiresAt;
}

/** Policy `deny` never threw a guest out and never moved one, and nothing was done too late. */
export function checkPolicies(log: readonly ChangeEvent[]): void {
  for (const event of log) {
    expect(event.actor).not.toBe('late');
    if (event.kind !== 'end') continue;
    if (event.reason === 'takenOver') expect(event.actor).toMatch(/^takeover-/);
    if (event.reason === 'moved') expect(event.actor).toMatch(/-move$/);
  }
}
