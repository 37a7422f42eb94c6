import { beforeEach, describe, expect, test } from 'vitest';
import type { Webhook } from '../../../src/domain/directory.ts';
import { Delivery, newStatus, type WebhookStatus } from '../../../src/services/webhooks/delivery.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { settle, TestLog } from './harness.ts';
import {
  emergencyEvent,
  FakeConsuming,
  FakeSender,
  no,
  OK,
  orders,
  pass,
  startEvent,
} from './webhooks-bench.ts';

let clock: FakeClock;
let sender: FakeSender;
let store: FakeConsuming;
let status: WebhookStatus;
let stop: AbortController;
let log: TestLog;
let jitter: number;

beforeEach(() => {
  clock = new FakeClock();
  sender = new FakeSender(clock);
  store = new FakeConsuming();
  status = newStatus();
  stop = new AbortController();
  log = new TestLog();
  jitter = 0.5;
});

function delivery(webhook: Webhook = orders): Delivery {
  const deps = { store, sender, clock, timers: clock, jitter: () => jitter, company: 'demo', log };
  return new Delivery(deps, webhook, status);
}

/** How taking it ended, as soon as it has. */
function taking(one: Delivery, seq: number): { outcome: string } {
  const result = { outcome: 'waiting' };
  one.take(startEvent(seq), stop.signal).then(
    () => {
      result.outcome = 'taken';
    },
    (error: unknown) => {
      result.outcome = `rejected: ${String(error)}`;
    },
  );
  return result;
}

describe('delivery', () => {
  test('once, when it is taken', async () => {
    await delivery().take(startEvent(7), stop.signal);
    expect(sender.sent).toEqual([{ at: 0, id: 'demo:7:7000', url: orders.url }]);
    expect(status).toMatchObject({ lastStatus: 200, consecutiveFailures: 0, lastDeliveredAt: 0 });
    expect(store.letters).toEqual([]);
  });

  test('only what was asked for', async () => {
    const some = delivery({ ...orders, events: ['end'] });
    await some.take(startEvent(7), stop.signal);
    expect(sender.sent).toEqual([]);
  });

  test('of emergency calls only the stages asked for', async () => {
    const some = delivery({ ...orders, emergencyStages: ['failed'] });
    for (const stage of ['placed', 'failed', 'acknowledged'] as const)
      await some.take(emergencyEvent(stage), stop.signal);
    expect(sender.sent).toHaveLength(1);
    await some.take(startEvent(7), stop.signal);
    expect(sender.sent).toHaveLength(2);
  });

  test('each try is noted, with when the next one is', async () => {
    const answers = [no(500), OK];
    sender.answer = () => answers.shift() ?? OK;
    taking(delivery(), 7);
    await pass(clock, 1_000);
    expect(store.attempts).toMatchObject([
      { try: 1, cause: 'change', delivered: false, status: 500, nextAt: 1_000, message: 'demo:7:7000' },
      { try: 2, delivered: true, status: 200, nextAt: undefined, at: 1_000 },
    ]);
  });

  test('a consumer under the name of the webhook', () => {
    expect(delivery().name).toBe('webhook:a1');
  });
});

describe('retries', () => {
  test('after 1, 2, 4 … s, at most 5 min, twelve in all, then a dead letter', async () => {
    sender.answer = () => no(500);
    const result = taking(delivery(), 7);
    await pass(clock, 3_600_000);
    expect(sender.seconds).toEqual([0, 1, 3, 7, 15, 31, 63, 127, 255, 511, 811, 1111]);
    expect(result.outcome).toBe('taken');
    expect(store.letters).toEqual([
      { consumer: 'webhook:a1', event: startEvent(7), problem: 'the answer was 500', at: 1_111_000 },
    ]);
    expect(status.consecutiveFailures).toBe(12);
    expect(clock.pending).toBe(0);
  });

  test.each([
    [0, [0, 0.8, 2.4, 5.6]],
    [1, [0, 1.2, 3.6, 8.4]],
  ])('jitter %d moves them', async (value, seconds) => {
    jitter = value;
    sender.answer = () => no(500);
    taking(delivery(), 7);
    await pass(clock, 10_000, 100);
    expect(sender.seconds.slice(0, 4)).toEqual(seconds);
  });

  test('Retry-After is honoured, and bounded', async () => {
    const waits = [20_000, 999_999_000];
    sender.answer = () => no(429, waits.shift());
    taking(delivery(), 7);
    await pass(clock, 330_000);
    // The third waits by itself again.
    expect(sender.seconds).toEqual([0, 20, 320, 324]);
  });

  test('a receiver that always asks for more time is given up after half an hour', async () => {
    sender.answer = () => no(503, 300_000);
    const result = taking(delivery(), 7);
    await pass(clock, 3_600_000);
    expect(sender.seconds).toEqual([0, 300, 600, 900, 1200, 1500, 1800]);
    expect(result.outcome).toBe('taken');
    expect(store.letters).toHaveLength(1);
  });

  test('the next event waits its turn', async () => {
    sender.answer = () => (sender.sent.length < 3 ? no(undefined) : OK);
    const one = delivery();
    const first = taking(one, 7);
    await pass(clock, 2_500);
    expect(first.outcome).toBe('waiting');
    expect(status).toMatchObject({ consecutiveFailures: 2, lastStatus: undefined });
    await pass(clock, 1_000);
    expect(first.outcome).toBe('taken');
    expect(status).toMatchObject({ consecutiveFailures: 0, lastProblem: undefined, lastDeliveredAt: 3_000 });
  });

  test('410 is a failure like others', async () => {
    sender.answer = () => no(410);
    taking(delivery(), 7);
    await pass(clock, 4_000);
    expect(sender.seconds).toEqual([0, 1, 3]);
  });
});

describe('while a receiver is away', () => {
  async function broken(): Promise<Delivery> {
    sender.answer = () => no(500);
    const one = delivery();
    taking(one, 1);
    await pass(clock, 1_200_000, 1_000);
    expect(store.letters).toHaveLength(1);
    sender.sent.length = 0;
    return one;
  }

  test('each further event has one try, until one is delivered', async () => {
    const one = await broken();
    for (const seq of [2, 3]) await one.take(startEvent(seq), stop.signal);
    expect(sender.sent.map(({ id }) => id)).toEqual(['demo:2:2000', 'demo:3:3000']);
    expect(store.letters.map(({ event }) => event?.seq)).toEqual([1, 2, 3]);

    sender.answer = () => OK;
    await one.take(startEvent(4), stop.signal);
    expect(status.consecutiveFailures).toBe(0);

    sender.answer = () => no(500);
    sender.sent.length = 0;
    taking(one, 5);
    await pass(clock, 4_000);
    expect(sender.sent).toHaveLength(3);
  });

  test('a dead letter that cannot be kept brings the event back, for one try', async () => {
    sender.answer = () => no(500);
    store.down = true;
    const one = delivery();
    const result = taking(one, 1);
    await pass(clock, 1_200_000, 1_000);
    expect(result.outcome).toBe('rejected: Error: down');
    store.down = false;
    sender.sent.length = 0;
    await one.take(startEvent(1), stop.signal);
    expect(sender.sent).toHaveLength(1);
    expect(store.letters).toHaveLength(1);
  });
});

describe('stopping', () => {
  test('in a pause: at once, not taken, no timer left', async () => {
    sender.answer = () => no(500);
    const result = taking(delivery(), 7);
    await pass(clock, 1_500);
    stop.abort();
    await settle();
    expect(result.outcome).toMatch(/^rejected: AbortError/);
    expect(clock.pending).toBe(0);
    expect(store.letters).toEqual([]);
  });

  test('in a request: not taken, and no failure of the receiver', async () => {
    sender.answer = () =>
      new Promise((resolve) => stop.signal.addEventListener('abort', () => resolve(no(undefined))));
    const result = taking(delivery(), 7);
    await settle();
    stop.abort();
    await settle();
    expect(result.outcome).toMatch(/^rejected: AbortError/);
    expect(status.consecutiveFailures).toBe(0);
  });

  test('what was delivered at the same moment counts as taken', async () => {
    sender.answer = () => new Promise((resolve) => stop.signal.addEventListener('abort', () => resolve(OK)));
    const result = taking(delivery(), 7);
    await settle();
    stop.abort();
    await settle();
    expect(result.outcome).toBe('taken');
  });
});

describe('entries forgotten before they were taken', () => {
  test('are a dead letter', async () => {
    delivery().missed(5, 9);
    await settle();
    expect(store.letters).toMatchObject([
      { consumer: 'webhook:a1', problem: 'changes 5 to 9 were forgotten before they could be delivered' },
    ]);
  });

  test('which is logged when the store is away', async () => {
    store.down = true;
    delivery().missed(5, 9);
    await settle();
    expect(log.level('error')).toHaveLength(1);
  });
});
