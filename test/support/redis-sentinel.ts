import { DURABLE, freePort, type RedisNode, startNode, untilTrue } from './redis-node.ts';
import { layWire, type RedisWire } from './redis-wire.ts';

/** A server that all others reach over a wire which can be cut for all but Hotdesk. */
export interface WiredNode extends RedisNode {
  readonly wire: RedisWire;
}

/** A master, two replicas and three sentinels of the test's own, on loopback. */
export interface RedisSentinels {
  readonly name: string;
  /** `host:port` of the sentinels. */
  readonly addresses: readonly string[];
  readonly servers: readonly WiredNode[];
  readonly sentinels: readonly RedisNode[];
  /** The master as the sentinels see it. */
  master(): Promise<WiredNode>;
  /** Waits until the others follow the master and have all it has. */
  settled(): Promise<void>;
  stop(): Promise<void>;
}

const NAME = 'hotdesk';
const REPLICAS = 2;

/** Starts them and waits until the sentinels know each other and the replicas are in sync. */
export async function startSentinels(config: readonly string[] = DURABLE): Promise<RedisSentinels> {
  const servers: WiredNode[] = [];
  const sentinels: RedisNode[] = [];
  const stop = async () => {
    await Promise.all([...servers, ...sentinels].map((node) => node.stop()));
  };

  async function master(): Promise<WiredNode> {
    const votes = new Map<number, number>();
    for (const sentinel of sentinels) {
      const [, port] = (await sentinel.ask('SENTINEL', 'get-master-addr-by-name', NAME)) as [string, string];
      votes.set(Number(port), (votes.get(Number(port)) ?? 0) + 1);
    }
    const [port] = [...votes].toSorted((a, b) => b[1] - a[1])[0]!;
    return servers.find((server) => server.port === port)!;
  }

  async function isSettled(): Promise<boolean> {
    const text = String(await (await master()).ask('INFO', 'replication'));
    return /role:master/.test(text) && (text.match(/state=online/g)?.length ?? 0) === servers.length - 1;
  }

  /** Sentinels leave a master that comes back alone for 8 s: this spares the test waiting. */
  async function demoteOthers(): Promise<void> {
    const { port } = await master();
    for (const server of servers) {
      if (server.port === port) continue;
      const [role] = (await server.ask('ROLE')) as [string];
      if (role === 'master') await server.ask('REPLICAOF', '127.0.0.1', port);
    }
  }

  const settled = async () => {
    if (sentinels.length > 0) await demoteOthers();
    await untilTrue('the replicas follow', isSettled);
    await untilTrue('the sentinels agree', async () => {
      const all = await Promise.all(
        sentinels.map(async (each) => knowsAll(await each.ask('SENTINEL', 'MASTER', NAME))),
      );
      return all.every(Boolean);
    });
  };

  try {
    const first = await startWired(config);
    servers.push(first);
    for (let i = 0; i < REPLICAS; i++)
      servers.push(await startWired([...config, `replicaof 127.0.0.1 ${first.port}`]));
    for (let i = 0; i < 3; i++) sentinels.push(await startNode(sentinelConfig(first.port), 'sentinel'));
    await settled();
    const addresses = sentinels.map(({ address }) => address);
    return { name: NAME, addresses, servers, sentinels, master, settled, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Its port is that of the wire: that is where the others are told it is. */
async function startWired(config: readonly string[]): Promise<WiredNode> {
  const port = await freePort();
  const node = await startNode([
    ...config,
    ...['replica-announce-ip 127.0.0.1', `replica-announce-port ${port}`],
  ]);
  const wire = await layWire(port, node.port);
  return {
    ...{ ...node, port, address: `127.0.0.1:${port}`, wire },
    async stop() {
      wire.close();
      await node.stop();
    },
  };
}

function sentinelConfig(port: number): string[] {
  return [
    `sentinel monitor ${NAME} 127.0.0.1 ${port} 2`,
    `sentinel down-after-milliseconds ${NAME} 1000`,
    `sentinel failover-timeout ${NAME} 10000`,
    `sentinel parallel-syncs ${NAME} 2`,
  ];
}

function knowsAll(reply: unknown): boolean {
  const list = reply as string[];
  const field = (name: string) => list[list.indexOf(name) + 1];
  return (
    field('num-slaves') === String(REPLICAS) &&
    field('num-other-sentinels') === '2' &&
    field('flags') === 'master'
  );
}
