import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Association, ChangeEvent } from '../../../src/domain/association.ts';
import type { Binding } from '../../../src/domain/binding.ts';
import type { CivicAddress } from '../../../src/domain/directory.ts';
import type { EmergencyRecord } from '../../../src/domain/emergency-record.ts';
import { ORDER_KINDS, ORDER_STATES, type OrderFacts } from '../../../src/domain/order.ts';
import { noticeName } from '../../../src/store/redis/decode.ts';
import type { Store } from '../../../src/store/store.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';
import { eventually, login, logout, newCompany, openStore, type Recorder, record } from './setup.ts';

/**
 * What one node writes another reads as it was, whole: by the change stream, in the snapshot, in the history, and as a
 * dead letter. A field that is added to one of these types does not compile here until it is tried as well.
 */

type Every<T> = { readonly [K in keyof T]-?: fc.Arbitrary<T[K]> };

let redis: TestRedis;
let writer: Store & { readonly problems: string[] };
let reader: typeof writer;
let heard: Recorder;
const following = new AbortController();

beforeAll(async () => {
  redis = await startRedis();
  const company = newCompany();
  writer = await openStore(redis.path, { company });
  reader = await openStore(redis.path, { company, node: 'n2' });
  heard = record();
  await reader.follow(heard, following.signal);
});
afterAll(async () => {
  following.abort();
  await Promise.all([writer, reader].map((store) => store?.stop()));
  await redis?.stop();
});

const RUNS = { numRuns: 40 };
const id = fc.stringMatching(/^[A-Za-z0-9-]{1,20}$/);
const text = fc.string({ unit: 'grapheme', maxLength: 30 });
const some = fc.oneof(
  text.filter(Boolean),
  fc.constantFrom('"', '\\', '\u0000', '{}', '0', ' ', '\r\n', '𝄞'),
);
const maybe = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(value, { nil: undefined });
const later = fc.integer({ min: 60_000, max: 10_000_000 }).map((ms) => Date.now() + ms);

/** As JSON has it: what is undefined is absent. */
const binding: fc.Arbitrary<Binding> = fc
  .record({
    contact: some,
    callId: text,
    cseq: fc.nat(2 ** 31 - 1),
    expiresAt: later,
    q: fc.integer({ min: 0, max: 1000 }).map((thousandths) => thousandths / 1000),
    flow: fc.record({
      protocol: fc.constantFrom('udp', 'tcp', 'tls', 'ws', 'wss'),
      address: fc.oneof(fc.ipV4(), fc.ipV6()),
      port: fc.nat(65_535),
    }),
    path: fc.array(text, { maxLength: 3 }),
    userAgent: text,
    instance: maybe(text),
    regId: maybe(fc.nat(2 ** 31)),
  } satisfies Every<Binding>)
  .map((made) => JSON.parse(JSON.stringify(made)));

it('bindings', async () => {
  let count = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(binding, { minLength: 1, maxLength: 4 }), async (bindings) => {
      const aor = `aor${count++}`;
      const set = { version: 1, bindings };
      expect(await writer.writeBindings(aor, 0, set)).toBe(true);
      await eventually(() => heard.bindings.some((told) => told.aor === aor));
      expect(heard.bindings.find((told) => told.aor === aor)?.set).toStrictEqual(set);
      expect((await reader.snapshot()).bindings.get(aor)).toStrictEqual(set);
    }),
    RUNS,
  );
});

/** The news of what this does, in the order of the log, and the same of the history and of a dead letter. */
async function newsOf(work: () => Promise<unknown>): Promise<ChangeEvent[]> {
  const { seq } = await writer.snapshot();
  await work();
  const until = (await writer.snapshot()).seq;
  expect(until).toBeGreaterThan(seq);
  await eventually(() => heard.events.at(-1)?.seq === until);
  const news = heard.events.filter((event) => event.seq > seq);
  const { events } = await reader.history({ limit: news.length });
  expect(events).toStrictEqual(news.toReversed());
  for (const event of news) {
    await writer.addDeadLetter({ consumer: 'webhook:a', event, problem: 'none', at: 1 });
    expect((await reader.deadLetters(1))[0]?.event).toStrictEqual(event);
  }
  return news;
}

type Wanted = Pick<Association, 'host' | 'guest' | 'site' | 'idleLimitMs'> & {
  readonly names: NonNullable<Association['names']> | undefined;
  readonly limitMs: number | 'never';
  readonly actor: string;
};

const limit = fc.oneof(fc.constant('never' as const), fc.integer({ min: 600_000, max: 10 ** 10 }));

it('associations', async () => {
  const wanted = fc.record({
    ...{ host: some, guest: some, site: text, limitMs: limit, idleLimitMs: limit, actor: text },
    names: maybe(fc.record({ guest: text, host: text })),
  } satisfies Every<Wanted>);
  await fc.assert(
    fc.asyncProperty(wanted, async ({ names, ...command }) => {
      const { host, guest, site, idleLimitMs, actor } = command;
      const named = names === undefined ? {} : { names };
      const news = await newsOf(async () => {
        await writer.associate(login(host, guest, { ...command, ...named }));
        const there = (await reader.snapshot()).associations;
        expect(there).toHaveLength(1);
        expect(there[0]).toMatchObject({ host, guest, site, idleLimitMs, ...named });
        await writer.end(logout({ host }));
      });
      const [start, end] = news;
      expect(start).toMatchObject({ kind: 'start', actor, association: { host, guest, ...named } });
      if (start?.kind !== 'start' || end?.kind !== 'end') throw new Error('no start, or no end');
      expect(end.association).toStrictEqual(start.association);
      expect(start.association.names).toEqual(names);
    }),
    RUNS,
  );
});

const address = fc.record({
  ...{ customerName: text, houseNumber: text, street: text, city: text, state: maybe(text) },
  ...{ postcode: text, country: text, floor: maybe(text), room: maybe(text) },
} satisfies Every<CivicAddress>);

it('emergency records', async () => {
  const call = fc.record({
    ...{ id: fc.constant(''), number: text, host: maybe(some), nickname: maybe(text), site: maybe(text) },
    ...{ callbackNumber: maybe(text), address: maybe(address), addressUnverified: fc.boolean() },
    guest: maybe(fc.record({ extension: some, name: text })),
    ...{ at: fc.nat(), callbackUntil: later },
  } satisfies Every<EmergencyRecord>);
  const stage = fc.constantFrom('placed', 'answered', 'failed', 'calledBack', 'acknowledged');
  await fc.assert(
    fc.asyncProperty(call, stage, text, async (drawn, at, actor) => {
      const made = { ...drawn, id: randomUUID() };
      const news = await newsOf(() => writer.noteEmergency(made, at, actor));
      expect(news).toMatchObject([{ kind: 'emergency', stage: at, actor }]);
      const kept = (await reader.snapshot()).emergencies.filter((one) => one.id === made.id);
      const told = news.map((event) => event.kind === 'emergency' && event.record);
      expect([...kept, ...told]).toEqual([made, made]);
    }),
    RUNS,
  );
});

it('notices and orders', async () => {
  const notice = fc.record({
    notice: fc.constantFrom(...noticeName.options),
    ...{ actor: text, extension: maybe(some), host: maybe(some) },
  });
  const facts = fc.record({
    ...{ kind: fc.constantFrom(...ORDER_KINDS), state: fc.constantFrom(...ORDER_STATES) },
    sites: fc.array(id, { maxLength: 3 }),
  } satisfies Every<OrderFacts>);
  const value = fc.jsonValue().map((made) => JSON.parse(JSON.stringify(made)));
  await fc.assert(
    fc.asyncProperty(notice, facts, value, async (note, about, order) => {
      expect(await newsOf(() => writer.logNotice(note))).toMatchObject([{ kind: 'notice', ...note }]);
      let made = '';
      const news = await newsOf(async () => {
        const written = await writer.writeOrder({ value: order, facts: about, finished: false }, note.actor);
        if (written.outcome === 'written') made = written.id;
      });
      expect(news).toMatchObject([{ kind: 'order', order: made, facts: about, actor: note.actor }]);
      expect((await reader.orders([made]))[0]?.value).toStrictEqual(order);
    }),
    RUNS,
  );
  expect([...writer.problems, ...reader.problems]).toEqual([]);
});
