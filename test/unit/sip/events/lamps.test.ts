import { beforeEach, describe, expect, test } from 'vitest';
import type { Binding } from '../../../../src/domain/binding.ts';
import { Lamps } from '../../../../src/sip/events/lamps.ts';
import type { Srf } from '../../../../src/sip/srf.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { FakeRequest, settled } from '../../../support/fake-sip.ts';
import { binding, viewOf } from '../../domain/example.ts';
import { acme, TapeLog } from '../world.ts';
import { FakeShared } from './notifier-world.ts';

/** Message lamps of phones that have not subscribed. */

interface Sent {
  readonly uri: string;
  readonly body: string;
  readonly headers: Record<string, string>;
  answer(status: number): void;
}

let clock: FakeClock;
let shared: FakeShared;
let claims: Map<string, number>;
let bindings: Record<string, Binding[]>;
let lit: Record<string, number>;
let subscribed: Set<string>;
let sent: Sent[];
let changed: ((host: string) => void)[];
let registered: ((host: string) => void)[];
let unsubscribed: ((host: string) => void)[];
let isAway: boolean;
/** Status every NOTIFY gets at once; undefined: the test answers. */
let answers: number | undefined;

beforeEach(() => {
  clock = new FakeClock();
  shared = new FakeShared(clock);
  claims = new Map();
  bindings = { d1: [binding('sip:d1@192.0.2.1')], d2: [binding('sip:d2@192.0.2.2')] };
  lit = {};
  subscribed = new Set();
  sent = [];
  changed = [];
  registered = [];
  unsubscribed = [];
  isAway = false;
  answers = 200;
});

const srf: Pick<Srf, 'request'> = {
  request(uri, { method, body = '', headers = {} }, callback) {
    const request = new FakeRequest({ method, uri });
    const answer = (status: number): void => void request.emit('response', { status });
    sent.push({ uri, body, headers, answer });
    callback(null, request.asRequest);
    if (answers !== undefined) answer(answers);
  },
};

function node(): Lamps {
  const view = viewOf({ directory: acme });
  const lamps = new Lamps({
    summary: {
      event: 'message-summary',
      lampOf: (host) => ({
        contentType: 'application/simple-message-summary',
        body: `Voice-Message: ${lit[host] ?? 0}/0`,
        waiting: (lit[host] ?? 0) > 0,
      }),
      watch: (listener) => {
        changed.push(listener);
        return () => undefined;
      },
    },
    view: {
      ...view,
      bindingsOf: (host) => bindings[host] ?? [],
      onBindingsChange: (listener) => {
        registered.push(listener);
        return () => undefined;
      },
    },
    claimOnce: (name, ttlMs) => {
      if (isAway) return Promise.reject(new Error('away'));
      if ((claims.get(name) ?? 0) > clock.now()) return Promise.resolve(false);
      claims.set(name, clock.now() + ttlMs);
      return Promise.resolve(true);
    },
    isSubscribed: (host) => subscribed.has(host),
    onUnsubscribed: (listener) => {
      unsubscribed.push(listener);
      return () => undefined;
    },
    ...{ shared, srf: srf as Srf, clock, log: new TapeLog(), domain: 'acme.test' },
  });
  lamps.start();
  return lamps;
}

async function light(host: string, messages: number): Promise<void> {
  lit[host] = messages;
  for (const listener of changed) listener(host);
  await settled();
}

async function pass(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 50) {
    clock.advance(50);
    await settled();
  }
}

const bodies = (): string[] => sent.map(({ body }) => body.replace('Voice-Message: ', ''));

describe('a phone', () => {
  test('is told of each change, at most three times a second, the last one always', async () => {
    const lamps = node();
    await light('d1', 1);
    await pass(100);
    expect(bodies()).toEqual(['1/0']);
    for (const messages of [2, 3, 4]) {
      await light('d1', messages);
      await pass(100);
    }
    await pass(700);
    expect(bodies()).toEqual(['1/0', '4/0']);
    expect(lamps.size).toBe(0);
  });

  test('is told of each change at once, although nobody is behind another of its registrations', async () => {
    bindings = { d1: [binding('sip:d1@192.0.2.1'), binding('sip:d1@192.0.2.9')] };
    answers = undefined;
    const lamps = node();
    await light('d1', 1);
    await pass(100);
    for (const messages of [0, 2]) {
      sent.at(messages === 0 ? 0 : -1)?.answer(200);
      await light('d1', messages);
      await pass(500);
    }
    sent.at(-1)?.answer(200);
    await pass(20_000);
    const heard = (uri: string): string[] =>
      sent.filter((one) => one.uri === uri).map(({ body }) => body.replace('Voice-Message: ', ''));
    expect(heard('sip:d1@192.0.2.1')).toEqual(['1/0', '0/0', '2/0']);
    expect(heard('sip:d1@192.0.2.9')).toEqual(['1/0']);
    expect(lamps.size).toBe(0);
  });

  test('that answers late was passed over meanwhile, and is told how it is by then', async () => {
    bindings = { d1: [binding('sip:d1@192.0.2.1'), binding('sip:d1@192.0.2.9')] };
    answers = undefined;
    node();
    await light('d1', 1);
    await pass(100);
    const [prompt, late] = sent;
    prompt?.answer(200);
    answers = 200;
    await light('d1', 2);
    await pass(500);
    expect(bodies()).toEqual(['1/0', '1/0', '2/0']);
    late?.answer(200);
    await pass(500);
    expect(sent.slice(3).map(({ uri, body }) => [uri, body])).toContainEqual([
      'sip:d1@192.0.2.9',
      'Voice-Message: 2/0',
    ]);
  });

  test('that shows it already is not told again, whichever way it was asked', async () => {
    node();
    await light('d1', 1);
    await pass(100);
    await light('d1', 1);
    for (const listener of registered) listener('d1');
    await pass(2_000);
    expect(bodies()).toEqual(['1/0']);
  });

  test('that was never lit is not told that nothing waits', async () => {
    node();
    await light('d1', 0);
    await pass(1_000);
    expect(sent).toEqual([]);
  });

  test('that has restarted is told anew', async () => {
    node();
    await light('d1', 1);
    await pass(1_000);
    bindings.d1 = [binding('sip:d1@192.0.2.1', { callId: 'after-the-restart' })];
    for (const listener of registered) listener('d1');
    await pass(1_000);
    expect(bodies()).toEqual(['1/0', '1/0']);
  });

  test('is told by one node of two, also when they hear of it at once', async () => {
    node();
    node();
    await light('d1', 1);
    await pass(2_000);
    await light('d1', 0);
    await pass(2_000);
    expect(bodies()).toEqual(['1/0', '0/0']);
  });

  test('that takes none is left alone', async () => {
    answers = 489;
    node();
    await light('d1', 1);
    await pass(1_000);
    await light('d1', 2);
    await pass(10_000);
    expect(sent).toHaveLength(1);
    clock.advance(7 * 3_600_000);
    await light('d1', 3);
    await pass(1_000);
    expect(sent).toHaveLength(2);
  });

  test('that does not answer is tried three times more, and again at the next change', async () => {
    answers = 408;
    node();
    await light('d1', 1);
    await pass(60_000);
    expect(sent).toHaveLength(4);
    answers = 200;
    await light('d1', 1);
    await pass(1_000);
    expect(sent).toHaveLength(5);
  });

  test('that knows its subscription no more is told at once what it was to hear there', async () => {
    node();
    subscribed.add('d1');
    await light('d1', 1);
    await pass(500);
    expect(sent).toEqual([]);
    subscribed.clear();
    for (const listener of unsubscribed) listener('d1');
    await pass(100);
    expect(bodies()).toEqual(['1/0']);
  });

  test('that has subscribed hears it that way; afterwards what it shows is not taken for granted', async () => {
    node();
    await light('d1', 1);
    await pass(1_000);
    subscribed.add('d1');
    await light('d1', 2);
    await pass(1_000);
    expect(bodies()).toEqual(['1/0']);
    subscribed.clear();
    await light('d1', 1);
    await pass(1_000);
    expect(bodies()).toEqual(['1/0', '1/0']);
  });
});

test('a store that is away is waited for', async () => {
  isAway = true;
  node();
  await light('d1', 1);
  await pass(5_000);
  expect(sent).toEqual([]);
  isAway = false;
  await pass(1_500);
  expect(bodies()).toEqual(['1/0']);
});

test('no more than fifty at once', async () => {
  answers = undefined;
  bindings.d1 = Array.from({ length: 60 }, (_, index) => binding(`sip:d1@192.0.2.${index}`));
  node();
  await light('d1', 1);
  await pass(200);
  expect(sent).toHaveLength(50);
  for (const each of [...sent]) each.answer(200);
  await pass(100);
  expect(sent).toHaveLength(60);
});

test('hosts nobody has are not remembered', async () => {
  const lamps = node();
  for (let id = 0; id < 100; id++) await light(`nobody-${id}`, 1);
  expect(lamps.size).toBe(0);
});
