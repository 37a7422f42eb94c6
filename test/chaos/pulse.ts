import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';

/** A time during which Redis did not take a write, whether it was dead or only slow; ms since 1970. */
export interface Outage {
  readonly from: number;
  readonly to: number;
}

export interface Pulse {
  readonly outages: readonly Outage[];
  stop(): Promise<void>;
}

const BEAT_MS = 40;
/** The time a node waits for an answer: what is slower is as good as away. */
const SLOW_MS = 250;
const GIVE_UP_MS = 5_000;

/** Writes to Redis all the time, over a way of its own that nobody cuts. */
export function takePulse(path: string): Pulse {
  const outages: Outage[] = [];
  const redis = new Redis({
    ...{ path, protocol: 2, enableOfflineQueue: false, maxRetriesPerRequest: 0 },
    ...{ commandTimeout: GIVE_UP_MS, retryStrategy: () => 10 },
  }).on('error', () => undefined);
  let running = true;

  async function beat(): Promise<void> {
    let last = Date.now();
    while (running) {
      const isDone = await redis.set('pulse', '1').then(
        () => true,
        () => false,
      );
      const now = Date.now();
      if (isDone && now - last > SLOW_MS + BEAT_MS) outages.push({ from: last, to: now });
      if (isDone) last = now;
      await delay(isDone ? BEAT_MS : 10);
    }
  }

  const beating = beat();
  return {
    outages,
    async stop() {
      running = false;
      await beating;
      redis.disconnect();
    },
  };
}
