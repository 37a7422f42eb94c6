import { z } from 'zod';
import { type Address, type Asker, answersTo, type Credentials, createAsker } from './asker.ts';
import { describe, NotLocated } from './client.ts';

export interface SentinelPlace extends Credentials {
  /** Name of the master that the sentinels watch. */
  readonly name: string;
  /** `host:port` of the sentinels. */
  readonly addresses: readonly string[];
  readonly sentinelPassword?: string | undefined;
}

export interface ClusterPlace extends Credentials {
  /** `host:port` of some nodes; they name the others. */
  readonly addresses: readonly string[];
}

/** Where Redis is: one, a master with replicas watched by sentinels, or a cluster. */
export type Place =
  | { readonly url: string }
  | { readonly path: string }
  | { readonly sentinel: SentinelPlace }
  | { readonly cluster: ClusterPlace };

/**
 * Says which node has a company's keys now. A company is one slot, so on every topology it is one node, and plain
 * connections to that node do: what one connection wrote, WAIT on it confirms.
 */
export interface Locator {
  /** A node that says itself that it is a master. @throws NotLocated while there is none */
  find(): Promise<Address>;
  /** Asks all masters a question; those that do not answer are left out. */
  askMasters(command: readonly [string, ...string[]]): Promise<{ address: Address; reply: unknown }[]>;
  close(): void;
}

/** At most this many nodes of a cluster are asked at once; the next time, the next ones. */
const MOST_ASKED = 6;

/** Parses `host:port` or `[IPv6]:port`; undefined for anything else. */
export function parseAddress(text: string): Address | undefined {
  const [, bracketed, plain, digits] = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:[\]@/]+)):(\d{1,5})$/.exec(text) ?? [];
  const [host, port] = [bracketed ?? plain, Number(digits)];
  return host === undefined || port < 1 || port > 65_535 ? undefined : { host, port };
}

/** Asks every sentinel and believes the newest configuration (highest epoch): one alone may not have heard. */
export function createSentinelLocator(place: SentinelPlace): Locator {
  const { name, sentinelPassword, username, password, tls } = place;
  const sentinels = createAsker({ password: sentinelPassword, tls });
  const asker = createAsker({ username, password, tls });
  const addresses = addressesOf(place.addresses);
  const find = shared(async () => {
    const questions = addresses.map((address) => askSentinel(sentinels, address, name));
    const answers = await answersTo(questions).catch((error: unknown) => {
      throw new NotLocated(`no sentinel knows a master of the name ${name}${reasonFor(error)}`);
    });
    return confirmed(asker, newestOf(answers).master);
  });
  return {
    find,
    async askMasters(command) {
      const address = await find();
      return [{ address, reply: (await asker.ask(address, [command]))[0] }];
    },
    close() {
      sentinels.close();
      asker.close();
    },
  };
}

/** Asks some nodes who has the key's slot and believes the highest configuration epoch, as the nodes do themselves. */
export function createClusterLocator(place: ClusterPlace, key: string): Locator {
  const asker = createAsker(place);
  const configured = addressesOf(place.addresses);
  let known: readonly Address[] = [];
  let turn = 0;

  async function look(): Promise<ClusterPicture> {
    const candidates = distinct([...configured, ...known]);
    const first = candidates.length > MOST_ASKED ? turn++ % candidates.length : 0;
    const asked = [...candidates.slice(first), ...candidates.slice(0, first)].slice(0, MOST_ASKED);
    const questions = asked.map((address) => askNode(asker, address, key));
    const answers = await answersTo(questions).catch((error: unknown) => {
      throw new NotLocated(`no node of the cluster says who has the keys of the company${reasonFor(error)}`);
    });
    const newest = newestOf(answers);
    known = newest.nodes;
    return newest;
  }

  return {
    find: shared(async () => confirmed(asker, (await look()).owner)),
    async askMasters(command) {
      const { masters } = await look();
      return answersTo(
        masters.map(async (address) => ({ address, reply: (await asker.ask(address, [command]))[0] })),
      );
    },
    close: () => asker.close(),
  };
}

/** Callers at the same time share one answer. */
function shared<T>(ask: () => Promise<T>): () => Promise<T> {
  let running: Promise<T> | undefined;
  return () => {
    running ??= ask().finally(() => {
      running = undefined;
    });
    return running;
  };
}

/** What an operator can do something about: a wrong password, a certificate, nobody there. */
function reasonFor(error: unknown): string {
  const reason = describe(error);
  return reason === 'not connected' || reason === 'Redis refused: ERR' ? '' : ` (${reason})`;
}

/** Only a node that says itself that it is a master: the others may not know yet that it is dead or demoted. */
async function confirmed(asker: Asker, address: Address): Promise<Address> {
  const where = `${address.host}:${address.port}`;
  const [role] = await asker.ask(address, [['ROLE']]).catch((error: Error) => {
    // An ACL may forbid the question: it is alive, and refuses writes if it is no master.
    if (/^NOPERM\b/.test(error.message)) return [['master']];
    throw new NotLocated(`the master at ${where} does not answer${reasonFor(error)}`);
  });
  if (!Array.isArray(role) || role[0] !== 'master') throw new NotLocated(`${where} is not the master yet`);
  return address;
}

const sentinelAnswer = z.tuple([
  z.tuple([z.string(), z.coerce.number()]),
  z.array(z.string()).transform((list) => Number(list[list.indexOf('config-epoch') + 1])),
]);

async function askSentinel(asker: Asker, address: Address, name: string) {
  const replies = await asker.ask(address, [
    ['SENTINEL', 'get-master-addr-by-name', name],
    ['SENTINEL', 'MASTER', name],
  ]);
  const [[host, port], epoch] = sentinelAnswer.parse(replies);
  return { master: { host, port }, epoch };
}

interface ClusterPicture {
  readonly owner: Address;
  /** Configuration epoch of the owner. */
  readonly epoch: number;
  readonly masters: readonly Address[];
  readonly nodes: readonly Address[];
}

/** Endpoint (null or `?`: the one that was asked), port, id; what else there is does not matter. */
const clusterNode = z.tuple([z.string().nullable(), z.number(), z.string()]).rest(z.unknown());
const slotRange = z.tuple([z.number(), z.number(), clusterNode]).rest(clusterNode);
const clusterAnswer = z.tuple([z.number(), z.array(slotRange), z.string()]);

async function askNode(asker: Asker, asked: Address, key: string): Promise<ClusterPicture> {
  const replies = await asker.ask(asked, [
    ['CLUSTER', 'KEYSLOT', key],
    ['CLUSTER', 'SLOTS'],
    ['CLUSTER', 'NODES'],
  ]);
  const [slot, ranges, table] = clusterAnswer.parse(replies);
  const addressOf = ([endpoint, port, id]: z.output<typeof clusterNode>): Address => {
    return {
      host: endpoint === null || endpoint === '' || endpoint === '?' ? asked.host : endpoint,
      port,
      id,
    };
  };
  const owning = ranges.find(([first, last]) => first <= slot && slot <= last);
  if (owning === undefined) throw new NotLocated('nobody has the slot');
  return {
    owner: addressOf(owning[2]),
    epoch: epochIn(table, owning[2][2]),
    masters: distinct(ranges.map(([, , master]) => addressOf(master))),
    nodes: distinct(ranges.flatMap(([, , ...nodes]) => nodes.map(addressOf))),
  };
}

/** Seventh field of the node's line in CLUSTER NODES. */
function epochIn(table: string, id: string): number {
  const line = table.split('\n').find((each) => each.startsWith(`${id} `));
  return Number(line?.split(' ')[6] ?? 0);
}

function newestOf<T extends { readonly epoch: number }>(answers: readonly T[]): T {
  return answers.reduce((newest, each) => (each.epoch > newest.epoch ? each : newest));
}

function distinct(addresses: readonly Address[]): Address[] {
  return [...new Map(addresses.map((address) => [`${address.host}:${address.port}`, address])).values()];
}

function addressesOf(texts: readonly string[]): Address[] {
  return texts.map((text) => {
    const address = parseAddress(text);
    if (address === undefined) throw new TypeError('An address of Redis must be host:port');
    return address;
  });
}
