import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { DURABLE, type RedisNode, startNode, untilTrue } from './redis-node.ts';

/** A Redis Cluster of the test's own on loopback. */
export interface RedisCluster {
  readonly nodes: readonly RedisNode[];
  /** `host:port` of all. */
  readonly addresses: readonly string[];
  /** The node that has the key's slot now, as most of them see it. */
  ownerOf(key: string): Promise<RedisNode>;
  /** Moves the key's slot with all in it to another master. */
  moveSlotOf(key: string): Promise<RedisNode>;
  /** Waits until all nodes are there, agree, and all replicas are in sync. */
  settled(): Promise<void>;
  stop(): Promise<void>;
}

export interface ClusterOptions {
  /** Per master; default 0. */
  readonly replicas?: number;
  readonly config?: readonly string[];
}

const MASTERS = 3;

/** Starts three masters with that many replicas each, and waits until all agree and are in sync. */
export async function startCluster({
  replicas = 0,
  config = DURABLE,
}: ClusterOptions = {}): Promise<RedisCluster> {
  const nodes: RedisNode[] = [];
  const stop = async () => {
    await Promise.all(nodes.map((node) => node.stop()));
  };
  try {
    for (let i = 0; i < MASTERS * (1 + replicas); i++) nodes.push(await startNode(clusterConfig(config)));
    const addresses = nodes.map(({ address }) => address);
    await promisify(execFile)('redis-cli', [
      ...['--cluster', 'create', ...addresses, '--cluster-replicas', String(replicas), '--cluster-yes'],
    ]);
    const settled = () => untilTrue('the cluster is whole', () => isWhole(nodes));
    await settled();
    return { nodes, addresses, settled, stop, ...slots(nodes) };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The bus does not fit at port + 10000 when the system deals out high ports. */
function clusterConfig(config: readonly string[]) {
  return (port: number) => [
    ...config,
    'cluster-enabled yes',
    'cluster-config-file nodes.conf',
    'cluster-node-timeout 1000',
    'cluster-replica-validity-factor 0',
    `cluster-port ${port > 45_000 ? port - 10_000 : port + 10_000}`,
  ];
}

async function isWhole(nodes: readonly RedisNode[]): Promise<boolean> {
  let inSync = 0;
  for (const node of nodes) {
    const table = String(await node.ask('CLUSTER', 'NODES'));
    if (table.match(/ (myself,)?(master|slave) /g)?.length !== nodes.length) return false;
    if (!/cluster_state:ok/.test(String(await node.ask('CLUSTER', 'INFO')))) return false;
    inSync += String(await node.ask('INFO', 'replication')).match(/state=online/g)?.length ?? 0;
  }
  return inSync === nodes.length - MASTERS;
}

function slots(nodes: readonly RedisNode[]): Pick<RedisCluster, 'ownerOf' | 'moveSlotOf'> {
  const slotOf = async (key: string) => Number(await nodes[0]!.ask('CLUSTER', 'KEYSLOT', key));

  async function ownerOf(key: string): Promise<RedisNode> {
    const slot = await slotOf(key);
    const votes = new Map<number, number>();
    for (const node of nodes) {
      const ranges = (await node.ask('CLUSTER', 'SLOTS').catch(() => [])) as [
        number,
        number,
        [string, number],
      ][];
      const port = ranges.find(([first, last]) => first <= slot && slot <= last)?.[2][1];
      if (port !== undefined) votes.set(port, (votes.get(port) ?? 0) + 1);
    }
    const [port] = [...votes].toSorted((a, b) => b[1] - a[1])[0] ?? [];
    return nodes.find((node) => node.port === port)!;
  }

  async function moveSlotOf(key: string): Promise<RedisNode> {
    const slot = await slotOf(key);
    const from = await ownerOf(key);
    const masters = [];
    for (const node of nodes) if (((await node.ask('ROLE')) as string[])[0] === 'master') masters.push(node);
    const to = masters.find((node) => node !== from)!;
    const [fromId, toId] = [
      String(await from.ask('CLUSTER', 'MYID')),
      String(await to.ask('CLUSTER', 'MYID')),
    ];
    await to.ask('CLUSTER', 'SETSLOT', slot, 'IMPORTING', fromId);
    await from.ask('CLUSTER', 'SETSLOT', slot, 'MIGRATING', toId);
    const raw = new Redis(from.port, '127.0.0.1');
    for (;;) {
      const keys = (await raw.call('CLUSTER', 'GETKEYSINSLOT', slot, 100)) as string[];
      if (keys.length === 0) break;
      await raw.call('MIGRATE', '127.0.0.1', to.port, '', 0, 5000, 'KEYS', ...keys);
    }
    raw.disconnect();
    for (const node of [to, from, ...masters]) await node.ask('CLUSTER', 'SETSLOT', slot, 'NODE', toId);
    return to;
  }

  return { ownerOf, moveSlotOf };
}
