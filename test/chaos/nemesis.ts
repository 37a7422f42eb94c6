import { setTimeout as delay } from 'node:timers/promises';
import type { Chance } from './chance.ts';
import type { Fleet } from './fleet.ts';
import { CUTS, type Wire } from './proxy.ts';
import type { ChaosRedis } from './redis.ts';

/** How often what is broken. */
export interface Faults {
  nodeKills: number;
  redisKills: number;
  cuts: number;
  /** Answers held back for longer than anybody waits. */
  delays: number;
}

export interface NemesisOptions {
  readonly fleet: Fleet;
  readonly redis: ChaosRedis;
  readonly proxies: readonly Wire[];
  readonly chance: (purpose: string) => Chance;
  readonly plan: Readonly<Faults>;
  readonly durationMs: number;
}

/** A fault that could not be done in its time is still done within this much longer. */
const OVERTIME = 0.5;
const AGAIN_MS = 50;

/** Breaks nodes, Redis and connections, each in its own time; resolves with what it did when all is broken as planned. */
export async function unleash(options: NemesisOptions): Promise<Faults> {
  const { fleet, redis, proxies, chance } = options;
  const [kills, cuts] = [chance('kills'), chance('cuts')];
  const killNode = () => {
    // Mostly those at work: to kill one that only starts proves less.
    const choice = kills.happens(0.9) && fleet.ready.length > 0 ? fleet.ready : fleet.alive;
    return choice.length > 0 && kills.pick(choice).kill();
  };
  const cut = async () => {
    const open = proxies.filter(({ size }) => size > 0);
    if (open.length === 0) return false;
    const how = cuts.pick(CUTS);
    const everyone = cuts.happens(0.1);
    const which = everyone || cuts.happens(0.5) ? 'all' : 'one';
    await Promise.all((everyone ? open : [cuts.pick(open)]).map((proxy) => proxy.cut(how, which)));
    return true;
  };
  const delayAnswers = () => cuts.pick(proxies).hold();
  const [nodeKills, redisKills, cutCount, delays] = await Promise.all([
    repeat(options, 'nodeKills', killNode),
    repeat(options, 'redisKills', () => redis.kill9()),
    repeat(options, 'cuts', cut),
    repeat(options, 'delays', delayAnswers),
  ]);
  // Last, so that nobody comes after those who were logged in and not told so.
  await Promise.all(proxies.map((wire) => wire.cut('mute', 'all')));
  return { nodeKills, redisKills, cuts: cutCount, delays };
}

/** So many faults at random moments of the time there is; how many were done. */
async function repeat(
  { durationMs, chance, plan }: NemesisOptions,
  what: keyof Faults,
  fault: () => boolean | Promise<boolean>,
): Promise<number> {
  const count = plan[what];
  const moments = chance(`moments of ${what}`);
  const begin = performance.now();
  const latest = begin + durationMs * (1 + OVERTIME);
  let done = 0;
  // One in each slot: not all at the same moment by bad luck.
  for (let slot = 0; slot < count; slot++) {
    const at = begin + ((slot + moments.fraction()) * durationMs) / count;
    await delay(Math.max(0, at - performance.now()));
    while (performance.now() < latest) {
      if (await fault()) {
        done += 1;
        break;
      }
      await delay(AGAIN_MS);
    }
  }
  return done;
}
