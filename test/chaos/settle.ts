import { setTimeout as delay } from 'node:timers/promises';
import type { Association, ChangeEvent } from '../../src/domain/association.ts';
import { decodeEvent, decodeRead } from '../../src/store/redis/decode.ts';
import { createKeys } from '../../src/store/redis/keys.ts';
import type { Snapshot, Store } from '../../src/store/store.ts';
import { COMPANY, hosts } from './company.ts';
import type { Evidence } from './evidence.ts';
import type { World } from './world.ts';

/** What there is to see once the load has stopped. */
export type Sight = Pick<
  Evidence,
  | 'log'
  | 'stamps'
  | 'state'
  | 'seq'
  | 'disagreements'
  | 'history'
  | 'deadLetters'
  | 'faces'
  | 'wrongViews'
  | 'settledMs'
  | 'webhookMs'
  | 'phonesMs'
  | 'deliveries'
>;

const LOOK_MS = 100;
/** Deadlines may pass in the moment of looking. */
const EDGE_MS = 1_000;

/** Waits until phones, webhook and nodes have caught up with Redis, or the time is over; what is to be seen then. */
export async function settle(world: World, withinMs: number): Promise<Sight> {
  const { fleet } = world;
  const begin = performance.now();
  let [webhookMs, phonesMs]: (number | undefined)[] = [];
  for (;;) {
    const isOver = performance.now() - begin > withinMs;
    const before = await world.store.snapshot();
    const faces = new Map(hosts.map((host) => [host, world.phones.guestOn(host)]));
    const areFacesRight = areRight(faces, before.associations);
    const isDelivered = world.receiver.last >= before.seq;
    const elapsed = performance.now() - begin;
    if (areFacesRight) phonesMs ??= elapsed;
    if (isDelivered) webhookMs ??= elapsed;
    const isQuiet = isDelivered && areFacesRight;
    if (isQuiet || isOver) {
      const views = await Promise.all(
        fleet.ready.map(async (node) => [node.name, await node.view()] as const),
      );
      const after = await world.store.snapshot();
      const wrongViews = views.flatMap(([name, view]) => differences(name, view, after));
      const isRight = isQuiet && after.seq === before.seq && wrongViews.length === 0 && views.length === 4;
      if (isRight || isOver) {
        const settledMs = isRight ? performance.now() - begin : undefined;
        return { ...(await read(world, before)), faces, wrongViews, settledMs, webhookMs, phonesMs };
      }
    }
    await delay(LOOK_MS);
  }
}

function areRight(
  faces: ReadonlyMap<string, string | undefined>,
  associations: readonly Association[],
): boolean {
  const guests = new Map(associations.map(({ host, guest }) => [host, guest]));
  return [...faces].every(([host, guest]) => guests.get(host) === guest);
}

/** What a node sees otherwise; what is about to expire may be gone already. */
function differences(
  name: string,
  view: readonly Association[] | undefined,
  { associations, now }: Snapshot,
): string[] {
  if (view === undefined) return [`${name} does not say`];
  const isFar = ({ expiresAt }: Association) => expiresAt === 'never' || expiresAt > now + EDGE_MS;
  const text = ({ host, guest, generation }: Association) => `${host}=${guest}@${generation}`;
  const [seen, real] = [view, associations].map((all) => all.filter(isFar).map(text).toSorted());
  const extra = seen!.filter((each) => !real!.includes(each)).map((each) => `${name} sees ${each}`);
  return [...extra, ...real!.filter((each) => !seen!.includes(each)).map((each) => `${name} misses ${each}`)];
}

async function read(world: World, { seq, associations }: Snapshot) {
  const { store, raw, receiver } = world;
  const entries = await readLog(raw);
  const disagreements = await disagreementsIn(raw);
  const log = entries.map(({ event }) => event).filter((event) => event.seq <= seq);
  const stamps = new Map(entries.map(({ event, at }) => [event.seq, at]));
  const deliveries = new Map(receiver.deliveries);
  const deadLetters = (await store.deadLetters(1_000)).length;
  return {
    log,
    stamps,
    seq,
    state: associations,
    disagreements,
    deliveries,
    deadLetters,
    history: await readHistory(store),
  };
}

async function readLog(raw: World['raw']): Promise<{ event: ChangeEvent; at: number }[]> {
  const { events } = createKeys(COMPANY);
  const entries = decodeRead(await raw.xread('COUNT', 1_000_000, 'STREAMS', events, '0'))?.get(events) ?? [];
  return entries.flatMap(({ id, fields }) => {
    const event = decodeEvent(fields);
    return event ? [{ event, at: Number(id.split('-')[0]) }] : [];
  });
}

async function readHistory(store: Store): Promise<number[]> {
  const found: number[] = [];
  let after: string | undefined;
  do {
    const page = await store.history({ limit: 1_000, after });
    for (const { seq } of page.events) found.push(seq);
    after = page.next;
  } while (after !== undefined);
  return found;
}

const PICTURE = `return {redis.call('HGETALL',KEYS[1]),redis.call('HGETALL',KEYS[2]),
  redis.call('ZRANGE',KEYS[3],0,-1,'WITHSCORES'),redis.call('HGETALL',KEYS[4])}`;

/** I1–I3: both directions, deadlines and counts say the same. */
async function disagreementsIn(raw: World['raw']): Promise<string[]> {
  const { records, guests, deadlines, sites } = createKeys(COMPANY);
  const [b, g, dl, site] = (await raw.eval(PICTURE, 4, records, guests, deadlines, sites)) as string[][];
  const all = [...pairs(b)].map(([host, json]) => ({ host, ...JSON.parse(json) }));
  const counts: Record<string, number> = {};
  for (const each of all) counts[each.site] = (counts[each.site] ?? 0) + 1;
  return [
    ...differ('guests', pairs(g), new Map(all.map((each) => [each.g, each.host]))),
    ...differ(
      'deadlines',
      pairs(dl),
      new Map(all.flatMap(({ dl, host }) => (dl === '0' ? [] : [[host, dl]]))),
    ),
    ...differ('sites', pairs(site), new Map(Object.entries(counts).map(([name, n]) => [name, `${n}`]))),
  ];
}

function pairs(flat: readonly string[] = []): Map<string, string> {
  return new Map(flat.flatMap((name, i) => (i % 2 === 0 ? [[name, flat[i + 1]!] as const] : [])));
}

function differ(
  what: string,
  real: ReadonlyMap<string, string>,
  right: ReadonlyMap<string, string>,
): string[] {
  const names = new Set([...real.keys(), ...right.keys()]);
  return [...names]
    .filter((name) => real.get(name) !== right.get(name))
    .map((name) => `${what}: ${name} is ${real.get(name)}, and ${right.get(name)} by the records`);
}
