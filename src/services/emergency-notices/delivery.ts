import type { Log, Timers } from '../ports.ts';
import type { Channel, Outcome, Telling } from './channel.ts';
import type { ToldStage } from './content.ts';
import type { Lane } from './lane.ts';
import { pause } from './pause.ts';

/** How telling one recipient of one stage goes on. */
export interface Delivery {
  readonly stage: ToldStage;
  readonly channel: Channel['name'];
  readonly to: string;
  state: 'pending' | 'told' | 'failed';
  tries: number;
  /** Why the last try failed, in words of our own. */
  problem: string | undefined;
}

export interface DeliveryDependencies {
  readonly timers: Timers;
  readonly log: Log;
  readonly lane: Lane;
  /** Ends it; what is pending then stays so. */
  readonly signal: AbortSignal;
  /** Called once, when each recipient has been tried. */
  onFirstTry(): void;
}

type Outcomes = ReadonlyMap<string, Outcome>;
const NOTHING: Outcomes = new Map();
const UNREACHED: Outcome = { told: false, problem: 'no answer in time', final: false };

/** Tells all of them, those not reached again after a while. Never rejects. */
export async function deliver(
  channel: Channel,
  telling: Telling,
  { deliveries, ...deps }: DeliveryDependencies & { readonly deliveries: readonly Delivery[] },
): Promise<void> {
  const { timers, signal } = deps;
  for (const wait of [0, ...channel.waits]) {
    if (wait > 0) await pause(timers, wait, signal);
    if (signal.aborted) break;
    const left = deliveries.filter(({ state }) => state === 'pending');
    if (left.length === 0) break;
    await deps.lane.run(() => tryOnce(channel, telling, { ...deps, left }), signal);
    deps.onFirstTry();
  }
  deps.onFirstTry();
  if (!signal.aborted) giveUp(telling, deliveries, deps.log);
}

async function tryOnce(
  channel: Channel,
  telling: Telling,
  { left, timers, signal, log }: DeliveryDependencies & { readonly left: readonly Delivery[] },
): Promise<void> {
  const to = left.map((delivery) => delivery.to);
  const work = (limit: AbortSignal) => channel.tell(telling, to, limit);
  const limits = { timers, signal, patienceMs: channel.patienceMs };
  const outcomes = await inTime(work, limits).catch((error: unknown) => {
    log.error({ err: error, channel: channel.name }, 'a way to tell of emergency calls is broken');
    return NOTHING;
  });
  if (signal.aborted) return;
  for (const delivery of left)
    note(telling, delivery, { outcome: outcomes.get(delivery.to) ?? UNREACHED, log });
}

/** What answers too late is not waited for. */
async function inTime(
  work: (limit: AbortSignal) => Promise<Outcomes>,
  limits: { readonly timers: Timers; readonly signal: AbortSignal; readonly patienceMs: number },
): Promise<Outcomes> {
  const { timers, signal, patienceMs } = limits;
  const limit = new AbortController();
  const end = (): void => limit.abort();
  signal.addEventListener('abort', end, { once: true });
  const late = pause(timers, patienceMs, limit.signal).then(() => NOTHING);
  try {
    return await Promise.race([work(limit.signal), late]);
  } finally {
    end();
    signal.removeEventListener('abort', end);
  }
}

function note(
  { record, stage }: Telling,
  delivery: Delivery,
  { outcome, log }: { readonly outcome: Outcome; readonly log: Log },
): void {
  const { channel, to } = delivery;
  delivery.tries++;
  delivery.problem = outcome.told ? undefined : outcome.problem;
  if (outcome.told) delivery.state = 'told';
  else if (outcome.final) delivery.state = 'failed';
  const data = { emergency: record.id, host: record.host, stage, channel, to, tries: delivery.tries };
  if (outcome.told) return log.info(data, 'told of an emergency call');
  const { problem } = outcome;
  if (outcome.final) log.error({ ...data, problem }, 'cannot be told of an emergency call');
  else log.warn({ ...data, problem }, 'not yet told of an emergency call');
}

function giveUp({ record, stage }: Telling, deliveries: readonly Delivery[], log: Log): void {
  for (const delivery of deliveries) {
    if (delivery.state !== 'pending') continue;
    delivery.state = 'failed';
    const { channel, to, tries, problem } = delivery;
    const data = { emergency: record.id, host: record.host, stage, channel, to, tries, problem };
    log.error(data, 'could not be told of an emergency call');
  }
}
