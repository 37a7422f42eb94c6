import { createConnection, createServer, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Chance } from './chance.ts';

/**
 * `drop`: cut at once. `mute`: what is asked arrives, the answers are lost, then it is cut. `stall`: nothing passes for a
 * while; then what was asked arrives late, the answer is lost, and it is cut.
 */
export const CUTS = ['drop', 'mute', 'stall'] as const;
export type Cut = (typeof CUTS)[number];

/** A node's way to Redis, which can break. */
export interface Wire {
  readonly path: string;
  /** How many connections there are. */
  readonly size: number;
  /** Cuts all connections, or one of them; resolves when it is done. */
  cut(how: Cut, which: 'all' | 'one'): Promise<void>;
  /** Holds answers back for a while, on all connections, and delivers them then. False: there are none. */
  hold(): Promise<boolean>;
  stop(): Promise<void>;
}

interface Pair {
  /** Being cut. */
  doomed: boolean;
  readonly client: Socket;
  readonly server: Socket;
}

/** A connection that nobody asks anything is cut after this long all the same. */
const MUTE_MS = 300;
/** How long answers go on being lost after the first. */
const DEAF_MS = { min: 0, max: 250 };
/** Longer than a node waits for an answer. */
const HOLD_MS = { min: 280, max: 900 };
const STALL_MS = { min: 100, max: 1_500 };
/** Time for what was held back to arrive. */
const FLUSH_MS = 30;

/** Listens at `path` and connects each client to `target`. */
export async function startProxy(path: string, target: string, chance: Chance): Promise<Wire> {
  const pairs = new Set<Pair>();
  const server = createServer((client) => pairs.add(join(client)));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });

  function join(client: Socket): Pair {
    const pair = { client, server: createConnection(target), doomed: false };
    const end = () => {
      pairs.delete(pair);
      destroy(pair);
    };
    for (const socket of [client, pair.server]) {
      socket.on('error', () => undefined);
      socket.on('close', end);
    }
    client.pipe(pair.server);
    pair.server.pipe(client);
    return pair;
  }

  return {
    path,
    get size() {
      return pairs.size;
    },
    async cut(how, which) {
      const all = [...pairs];
      if (all.length === 0) return;
      const chosen = which === 'all' ? all : [chance.pick(all)];
      const length = how === 'stall' ? STALL_MS : DEAF_MS;
      const ms = chance.whole(length.min, length.max);
      await Promise.all(chosen.map((pair) => cutPair(pair, how, ms)));
    },
    async hold() {
      const held = [...pairs].filter(({ doomed }) => !doomed);
      for (const { server, client } of held) server.unpipe(client).pause();
      await delay(chance.whole(HOLD_MS.min, HOLD_MS.max));
      for (const { server, client, doomed } of held) if (!doomed) server.pipe(client);
      return held.length > 0;
    },
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const pair of pairs) destroy(pair);
      await closed;
    },
  };
}

async function cutPair(pair: Pair, how: Cut, ms: number): Promise<void> {
  pair.doomed = true;
  if (how === 'mute') {
    await lostAnswer(pair);
    await delay(ms);
  }
  if (how === 'stall') {
    pair.client.unpipe(pair.server).pause();
    pair.server.unpipe(pair.client).pause();
    await delay(ms);
    pair.server.resume();
    pair.client.pipe(pair.server);
    await delay(FLUSH_MS);
  }
  destroy(pair);
}

/** Resolves when Redis has answered something that the client does not get. */
async function lostAnswer({ client, server }: Pair): Promise<void> {
  server.unpipe(client);
  const answered = new Promise<void>((resolve) => {
    server.once('data', () => resolve()).resume();
    server.once('close', () => resolve());
  });
  await Promise.race([answered, delay(MUTE_MS)]);
}

function destroy({ client, server }: Pair): void {
  client.destroy();
  server.destroy();
}
