import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import type { Link } from '../../../src/store/redis/connection.ts';
import { decodeStrings } from '../../../src/store/redis/decode.ts';
import { associationKeys, type Keys } from '../../../src/store/redis/keys.ts';
import type { ScriptCall } from '../../../src/store/redis/scripts.ts';

/** What eight clients do at the same time to five hosts and five guests, as scripts are called by them. */

export const CLIENTS = 8;

const host = fc.constantFrom('h1', 'h2', 'h3', 'h4', 'h5');
const guest = fc.constantFrom('g1', 'g2', 'g3', 'g4', 'g5');
const site = fc.constantFrom('london', 'leeds');
const limitMs = fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 12 }), fc.constant(60_000));
const idleMs = fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, limitMs);
/** Once, twice at the same moment, or after the caller has given up. */
const manner = fc.constantFrom('once', 'once', 'once', 'twice', 'twice', 'late');

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('associate' as const),
      ...{ host, guest, site, limitMs, idleMs, manner },
      occupied: fc.constantFrom('deny', 'deny', 'takeover'),
      secondDesk: fc.constantFrom('move', 'move', 'deny'),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('end' as const),
      ...{ host, guest, manner },
      by: fc.constantFrom('host', 'guest', 'both'),
      fence: fc.constantFrom('none', 'none', 'right', 'old'),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('extend' as const),
      ...{ host, limitMs },
      reason: fc.constantFrom('call', 'stay'),
      fence: fc.constantFrom('right', 'right', 'right', 'old'),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('claim' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('check' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('pause' as const), ms: fc.integer({ min: 1, max: 5 }) }),
  },
);
export type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;
export type AssociateStep = Extract<Step, { kind: 'associate' }>;
export type EndStep = Extract<Step, { kind: 'end' }>;
export type ExtendStep = Extract<Step, { kind: 'extend' }>;

export const programs = fc.array(fc.array(step, { minLength: 3, maxLength: 30 }), {
  minLength: CLIENTS,
  maxLength: CLIENTS,
});

export interface Answer {
  readonly step: AssociateStep | EndStep | ExtendStep;
  readonly reply: readonly string[];
  /** Generation that was asked for, '' for any. */
  readonly fence: string;
  /** Highest log position anybody had seen before the call began. */
  readonly floor: number;
}

export interface Run {
  readonly answers: readonly Answer[];
  /** Replies to what was sent with a moment that had passed. */
  readonly late: readonly (readonly string[])[];
  /** What did not agree between two answers to the same operation. */
  readonly unequal: readonly (readonly string[])[][];
  perform(link: Link, step: Step): Promise<void>;
}

/** Everything one run of eight programs does and sees. */
export function createRun(options: {
  readonly keys: Keys;
  /** The second connection for what is sent twice. */
  readonly other: Link;
  check(): Promise<unknown>;
}): Run {
  const { keys, other, check } = options;
  const answers: Answer[] = [];
  const late: (readonly string[])[] = [];
  const unequal: (readonly string[])[][] = [];
  const generations = new Map<string, number>();
  let seen = 0;

  /** The last generation anybody saw at the host, or one before it. */
  function fenceOf(step: EndStep | ExtendStep): string {
    const last = generations.get(step.host) ?? 1;
    return step.fence === 'none' ? '' : String(step.fence === 'right' ? last : last - 1);
  }

  async function call(link: Link, step: AssociateStep | EndStep, opId: string): Promise<readonly string[]> {
    const floor = seen;
    const fence = step.kind === 'end' ? fenceOf(step) : '';
    const reply = decodeStrings(await link.run(toCall(keys, step, { opId, fence })))!;
    if (reply[0] === 'new') {
      answers.push({ step, reply, fence, floor });
      seen = Math.max(seen, Number(reply[3]));
      if (reply[2] === 'associated') generations.set(step.host, Number(reply[7]));
    }
    return reply;
  }

  /** I8: the same operation from two connections at once is done once and answered alike. */
  async function twice(link: Link, step: AssociateStep | EndStep): Promise<void> {
    const opId = randomUUID();
    const replies = await Promise.all([link, other].map((each) => call(each, step, opId)));
    const [one, two] = replies.toSorted((a, b) => (a[0]! < b[0]! ? -1 : 1));
    const isRight =
      one![0] === 'new' && two![0] === 'replay' && one!.slice(2).join() === two!.slice(2).join();
    if (!isRight) unequal.push(replies);
  }

  async function extend(link: Link, step: ExtendStep): Promise<void> {
    const floor = seen;
    const fence = fenceOf(step);
    const args = [step.host, fence, step.reason, step.limitMs, 'extender'];
    const reply = decodeStrings(await link.run({ script: 'extend', keys: associationKeys(keys), args }))!;
    answers.push({ step, reply, fence, floor });
  }

  async function perform(link: Link, step: Step): Promise<void> {
    if (step.kind === 'pause') await delay(step.ms);
    else if (step.kind === 'check') await check();
    else if (step.kind === 'claim')
      await link.run({ script: 'claimDue', keys: associationKeys(keys), args: [100, 'sweep'] });
    else if (step.kind === 'extend') await extend(link, step);
    else if (step.manner === 'twice') await twice(link, step);
    else {
      const reply = await call(link, step, randomUUID());
      if (step.manner === 'late') late.push(reply);
    }
  }

  return { answers, late, unequal, perform };
}

function toCall(
  keys: Keys,
  step: AssociateStep | EndStep,
  { opId, fence }: { readonly opId: string; readonly fence: string },
): ScriptCall {
  const core = [...associationKeys(keys), keys.operation(opId)];
  const lastMoment = step.manner === 'late' ? 1 : 0;
  if (step.kind === 'associate') {
    const { host, guest, site, limitMs, idleMs, occupied, secondDesk } = step;
    const actor = lastMoment === 1 ? 'late' : `${occupied}-${secondDesk}`;
    const policy = [occupied, secondDesk, actor, 600_000, lastMoment];
    return { script: 'associate', keys: core, args: [host, guest, site, limitMs, idleMs, ...policy] };
  }
  const [host, guest] = [step.by === 'guest' ? '' : step.host, step.by === 'host' ? '' : step.guest];
  const actor = lastMoment === 1 ? 'late' : 'user';
  return {
    script: 'end',
    keys: core,
    args: [host, guest, fence, 'loggedOut', actor, 600_000, lastMoment],
  };
}
