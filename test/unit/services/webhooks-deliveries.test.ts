import { beforeEach, describe, expect, test } from 'vitest';
import type { ChangeEvent } from '../../../src/domain/association.ts';
import type { Webhook } from '../../../src/domain/directory.ts';
import { DirectoryTable } from '../../../src/domain/directory-table.ts';
import { WebhookDeliveries, webhookConsumers } from '../../../src/services/webhooks/deliveries.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { settle, TestLog } from './harness.ts';
import { FakeConsuming, FakeSender, no, orders, pass, startEvent } from './webhooks-bench.ts';

let clock: FakeClock;
let sender: FakeSender;
let store: FakeConsuming;
let log: TestLog;
let directory: DirectoryTable | undefined;
let listeners: Set<(event: ChangeEvent) => void>;
let deliveries: WebhookDeliveries;

const CHANGE = { kind: 'directory', seq: 9, at: 0, actor: 'admin', entries: ['webhook:a1'] } as const;

beforeEach(() => {
  clock = new FakeClock();
  sender = new FakeSender(clock);
  store = new FakeConsuming();
  log = new TestLog();
  directory = new DirectoryTable();
  listeners = new Set();
  const view = {
    get directory() {
      return directory;
    },
    lacks: ({ id }: { readonly id: string }) => directory !== undefined && !directory.webhooks.has(id),
    onChange(listener: (event: ChangeEvent) => void) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  deliveries = new WebhookDeliveries({
    ...{ store, sender, clock, timers: clock, jitter: () => 0.5, company: 'demo', log, view },
  });
});

function put(webhook: Webhook): void {
  directory?.put({ kind: 'webhook', value: webhook });
}

async function change(work: () => void): Promise<void> {
  work();
  for (const listener of listeners) listener(CHANGE);
  await settle();
}

function names(): string[] {
  return store.running.map(({ name }) => name);
}

test('one consumer per webhook that is on, from the start', async () => {
  put(orders);
  put({ ...orders, id: 'b2', enabled: false });
  deliveries.start();
  await settle();
  expect(names()).toEqual(['webhook:a1']);
  expect(webhookConsumers(directory as DirectoryTable)).toEqual(['webhook:a1']);
  await deliveries.stop();
  expect(names()).toEqual([]);
  expect(clock.pending).toBe(0);
  expect(listeners.size).toBe(0);
});

describe('follows the directory', () => {
  test('put, switched off and on, removed', async () => {
    deliveries.start();
    await change(() => put(orders));
    expect(names()).toEqual(['webhook:a1']);
    await change(() => put({ ...orders, enabled: false }));
    expect(names()).toEqual([]);
    await change(() => put(orders));
    expect(names()).toEqual(['webhook:a1']);
    await change(() => directory?.remove('webhook', 'a1'));
    expect(names()).toEqual([]);
    await deliveries.stop();
  });

  test('a change elsewhere disturbs nobody', async () => {
    put(orders);
    deliveries.start();
    await settle();
    const [before] = store.running;
    await change(() => put({ ...orders, id: 'b2' }));
    expect(store.running[0]).toBe(before);
    await deliveries.stop();
  });

  test('a directory that is loaded later is found', async () => {
    const later = directory as DirectoryTable;
    later.put({ kind: 'webhook', value: orders });
    directory = undefined;
    deliveries.start();
    directory = later;
    await pass(clock, 11_000);
    expect(names()).toEqual(['webhook:a1']);
    await deliveries.stop();
  });

  test('another URL: the try under way ends, and the next one goes there', async () => {
    put(orders);
    deliveries.start();
    await settle();
    const signal = new AbortController();
    sender.answer = () => no(500);
    const before = store.running[0]?.take(startEvent(1), signal.signal);
    await change(() => put({ ...orders, url: 'https://new.example.com/' }));
    expect(store.running).toHaveLength(1);
    store.running[0]?.take(startEvent(1), signal.signal).catch(() => undefined);
    expect(sender.sent.at(-1)?.url).toBe('https://new.example.com/');
    signal.abort();
    await expect(before).rejects.toThrow();
    await deliveries.stop();
  });

  test('only when the one before has ended', async () => {
    put(orders);
    let release = (): void => undefined;
    const taken: string[] = [];
    store.consume = async (_consumer, signal) => {
      taken.push('begins');
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      taken.push(signal.aborted ? 'ends' : 'ends by itself');
    };
    deliveries.start();
    await settle();
    await change(() => put({ ...orders, url: 'https://new.example.com/' }));
    await change(() => put({ ...orders, url: 'https://newer.example.com/' }));
    expect(taken).toEqual(['begins']);
    release();
    await settle();
    // The one in between never began.
    expect(taken).toEqual(['begins', 'ends', 'begins']);
    const stopped = deliveries.stop();
    release();
    await stopped;
  });
});

describe('a removed webhook', () => {
  test('is forgotten by the store when its consumer has ended, and once', async () => {
    put(orders);
    let release = (): void => undefined;
    store.consume = () =>
      new Promise<void>((resolve) => {
        release = resolve;
      });
    deliveries.start();
    await settle();
    await change(() => put({ ...orders, enabled: false }));
    await change(() => directory?.remove('webhook', 'a1'));
    expect(store.forgotten).toEqual([]);
    release();
    await pass(clock, 30_000, 5_000);
    expect(store.forgotten).toEqual(['webhook:a1']);
    await deliveries.stop();
  });

  test('that was off is forgotten as well', async () => {
    put({ ...orders, enabled: false });
    deliveries.start();
    await change(() => undefined);
    expect(store.forgotten).toEqual([]);
    await change(() => directory?.remove('webhook', 'a1'));
    await pass(clock, 30_000, 5_000);
    expect(store.forgotten).toEqual(['webhook:a1']);
    await deliveries.stop();
  });

  test('not one that is changed, switched off, or there when the server stops', async () => {
    put(orders);
    deliveries.start();
    await change(() => put({ ...orders, events: ['end'] }));
    await change(() => put({ ...orders, enabled: false }));
    await change(() => put(orders));
    await deliveries.stop();
    expect(store.forgotten).toEqual([]);
  });

  test('with the store away it is logged, and the webhook may come again', async () => {
    put(orders);
    deliveries.start();
    await settle();
    store.down = true;
    await change(() => directory?.remove('webhook', 'a1'));
    expect(log.level('warn')).toHaveLength(1);
    await change(() => put(orders));
    expect(names()).toEqual(['webhook:a1']);
    await deliveries.stop();
  });
});

test('how it went is kept over a change, and forgotten with the webhook', async () => {
  put(orders);
  deliveries.start();
  await settle();
  await store.running[0]?.take(startEvent(1), new AbortController().signal);
  expect(deliveries.statusOf('a1').lastStatus).toBe(200);
  await change(() => put({ ...orders, events: ['end'] }));
  expect(deliveries.statusOf('a1').lastStatus).toBe(200);
  await change(() => directory?.remove('webhook', 'a1'));
  expect(deliveries.statusOf('a1').lastStatus).toBeUndefined();
  await deliveries.stop();
});

test('a consumer the store refuses is told of once', async () => {
  store.consume = () => Promise.reject(new TypeError('name'));
  put(orders);
  deliveries.start();
  await pass(clock, 60_000, 5_000);
  expect(log.level('error')).toHaveLength(1);
  await deliveries.stop();
});
