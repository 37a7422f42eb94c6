import { beforeEach, describe, expect, test } from 'vitest';
import type { MailboxState } from '../../../src/domain/message-summary.ts';
import { MailboxSubscriptions } from '../../../src/sip/mailbox-subscriptions.ts';
import type { Dialog, Headers, Subscribed, SubscribeOptions, Subscriber } from '../../../src/sip/srf.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { FakeDialog, type FakeResponse, settled } from '../../support/fake-sip.ts';
import { PBX, TapeLog } from './world.ts';

/** Our subscriptions to mailboxes (RFC 6665 4.1). */

interface Asked {
  readonly uri: string;
  readonly headers: Headers;
  readonly dialog: FakeDialog;
  grant(expires?: number): Promise<void>;
  refuse(status: number, headers?: Headers): Promise<void>;
}

let clock: FakeClock;
let asked: Asked[];
let inUse: string[];
let learnt: [string, MailboxState][];
let forgotten: Dialog[];
let isMine: boolean;
let lamp: () => void;
let subscriptions: MailboxSubscriptions;

const srf: Subscriber = {
  subscribe(uri: string, { headers }: SubscribeOptions) {
    const dialog = new FakeDialog('uac');
    return new Promise<Subscribed>((resolve, reject) => {
      asked.push({
        ...{ uri, headers, dialog },
        grant: (expires = 3_600) => {
          resolve({ dialog: dialog.asDialog, expires });
          return settled();
        },
        refuse: (status, refusal = {}) => {
          const get = (name: string): string | undefined => refusal[name];
          reject(Object.assign(new Error('refused'), { status, res: { get } }));
          return settled();
        },
      });
    });
  },
  forget: (dialog) => void forgotten.push(dialog),
};

beforeEach(() => {
  clock = new FakeClock();
  asked = [];
  inUse = ['1001'];
  learnt = [];
  forgotten = [];
  isMine = true;
  subscriptions = new MailboxSubscriptions({
    mailboxes: {
      inUse: () => inUse,
      learn: (mailbox, state) => {
        learnt.push([mailbox, state]);
        return true;
      },
      onLamp: (listener) => {
        lamp = () => listener('d1');
        return () => undefined;
      },
    },
    ...{ trunk: PBX, srf, clock, log: new TapeLog() },
    isMine: () => isMine,
    random: () => 0.5,
  });
  subscriptions.start();
});

async function pass(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 250) {
    clock.advance(250);
    await settled();
  }
}

async function first(expires?: number): Promise<Asked> {
  await pass(250);
  await asked[0]?.grant(expires);
  return asked[0]!;
}

function notify(
  to: Asked,
  state: string,
  body = 'Messages-Waiting: yes\r\nVoice-Message: 2/0\r\n',
): FakeResponse {
  return to.dialog.receive('NOTIFY', {
    body,
    headers: { Event: 'message-summary', 'Subscription-State': state },
  });
}

test('asks as the mailbox itself, and learns what it is told', async () => {
  const one = await first();
  expect(one.uri).toMatch(/^sip:1001@/);
  expect(one.headers).toMatchObject({ Event: 'message-summary', Expires: '3600' });
  expect(one.headers.From).toBe(one.headers.To);
  expect(notify(one, 'active;expires=3600').final?.status).toBe(200);
  expect(learnt).toMatchObject([['1001', { waiting: true, new: 2 }]]);
  expect(subscriptions.active).toBe(1);
});

test.each([
  ['nonsense', 'message-summary', 400],
  ['', 'message-summary', 200],
  ['Messages-Waiting: yes', 'presence', 489],
])('a NOTIFY of %j for %s gets %i and changes nothing', async (body, event, status) => {
  const one = await first();
  const headers = { Event: event, 'Subscription-State': 'active' };
  expect(one.dialog.receive('NOTIFY', { body, headers }).final?.status).toBe(status);
  expect(learnt).toEqual([]);
});

test('a NOTIFY that comes after a later one is old news', async () => {
  const one = await first();
  const headers = { Event: 'message-summary', 'Subscription-State': 'active' };
  const say = (seq: number, answer: string): number | undefined => {
    const parts = { body: `Messages-Waiting: ${answer}`, headers: { ...headers, CSeq: `${seq} NOTIFY` } };
    return one.dialog.receive('NOTIFY', parts).final?.status;
  };
  expect([say(2, 'yes'), say(1, 'no'), say(3, 'yes')]).toEqual([200, 500, 200]);
  expect(learnt.map(([, { waiting }]) => waiting)).toEqual([true, true]);
});

describe('a subscription', () => {
  test('is refreshed in its dialog before its time is over', async () => {
    const one = await first(600);
    await pass(500_000);
    expect(one.dialog.sent('SUBSCRIBE')).toEqual([]);
    await pass(20_000);
    const [refresh] = one.dialog.sent('SUBSCRIBE');
    expect(refresh?.headers).toMatchObject({ Expires: '3600' });
    refresh?.answer(200, { headers: { Expires: '600' } });
    await pass(400_000);
    expect(asked).toHaveLength(1);
    expect(one.dialog.sent('SUBSCRIBE')).toHaveLength(1);
  });

  test('the PBX makes shorter is refreshed sooner', async () => {
    const one = await first(3_600);
    notify(one, 'active;expires=60');
    await pass(60_000);
    expect(one.dialog.sent('SUBSCRIBE')).toHaveLength(1);
  });

  test('the PBX has forgotten is made anew at once', async () => {
    const one = await first(60);
    await pass(60_000);
    one.dialog.sent('SUBSCRIBE')[0]?.answer(481);
    await pass(500);
    expect(forgotten).toEqual([one.dialog]);
    expect(asked).toHaveLength(2);
  });

  test.each([
    ['terminated;reason=deactivated', 500],
    ['terminated;reason=timeout', 500],
    ['terminated', 500],
    ['terminated;reason=probation;retry-after=30', 30_500],
    ['terminated;reason=giveup', 4_500],
    ['terminated;reason=noresource', 3_600_500],
    ['terminated;reason=rejected', 3_600_500],
  ])('that ends with %s is asked for again within %i ms', async (state, ms) => {
    const one = await first();
    expect(notify(one, state, '').final?.status).toBe(200);
    await pass(ms > 1_000 ? ms - 1_500 : 0);
    if (ms > 5_000) expect(asked).toHaveLength(1);
    await pass(2_000);
    expect(asked).toHaveLength(2);
  });

  test.each(['terminated;reason=deactivated', 'terminated'])(
    'that ends with %s each time it is granted is asked for ever more rarely',
    async (state) => {
      for (let passed = 0; passed < 120_000; passed += 250) {
        await pass(250);
        const last = asked.at(-1);
        await last?.grant();
        if (last && subscriptions.active > 0) notify(last, state, '');
      }
      expect(asked.length).toBeLessThan(10);
    },
  );

  test('that has lasted a while is made anew at once each time', async () => {
    for (let n = 1; n < 5; n++) {
      await pass(1_000);
      expect(asked).toHaveLength(n);
      await asked.at(-1)?.grant();
      await pass(90_000);
      notify(asked.at(-1)!, 'terminated;reason=deactivated', '');
    }
  });

  test('of nobody any more is ended, at twenty a second', async () => {
    inUse = Array.from({ length: 30 }, (_, index) => `10${index + 10}`);
    await pass(3_000);
    for (const each of asked) await each.grant();
    expect(subscriptions.active).toBe(30);
    inUse = [];
    lamp();
    await pass(250);
    const ended = (): number => asked.filter(({ dialog }) => dialog.sent('SUBSCRIBE').length > 0).length;
    expect(ended()).toBe(5);
    await pass(2_000);
    expect(ended()).toBe(30);
    expect(asked[0]?.dialog.sent('SUBSCRIBE')[0]?.headers).toMatchObject({ Expires: '0' });
  });
});

describe('a refusal', () => {
  test.each([403, 404, 489, 501])('with %i is taken for an hour', async (status) => {
    await pass(250);
    await asked[0]?.refuse(status);
    await pass(3_500_000);
    expect(asked).toHaveLength(1);
    await pass(110_000);
    expect(asked).toHaveLength(2);
  });

  test('with 423 is met with the time it wants', async () => {
    await pass(250);
    await asked[0]?.refuse(423, { 'Min-Expires': '7200' });
    await pass(500);
    expect(asked[1]?.headers.Expires).toBe('7200');
  });

  test('with 503 is tried again later and later, at least every ten minutes', async () => {
    const gaps: number[] = [];
    for (let round = 0; round < 12; round++) {
      const before = clock.now();
      while (asked.length === round) await pass(250);
      gaps.push(clock.now() - before);
      await asked.at(-1)?.refuse(503);
    }
    expect(gaps[1]).toBeGreaterThan(3_000);
    expect(gaps[3]).toBeGreaterThan(gaps[1]! * 3);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(600_000);
  });

  test('that never comes counts as one', async () => {
    await pass(36_000);
    expect(asked).toHaveLength(1);
    await pass(5_000);
    expect(asked).toHaveLength(2);
    // Too late: what it grants is let go.
    await asked[0]?.grant();
    expect(forgotten).toEqual([asked[0]?.dialog]);
  });
});

test('no more than twenty are asked a second, who has just sat down first', async () => {
  inUse = Array.from({ length: 100 }, (_, index) => `2${index}`);
  await pass(1_000);
  expect(asked).toHaveLength(20);
  inUse = [...inUse, '1001'];
  lamp();
  await pass(250);
  expect(asked.map(({ headers }) => headers.To)).toContainEqual(expect.stringContaining('sip:1001@'));
});

test('ten thousand are watched and no more', async () => {
  inUse = Array.from({ length: 10_100 }, (_, index) => `m${index}`);
  await pass(250);
  clock.advance(600_000);
  expect(new Set(asked.map(({ uri }) => uri)).size).toBeLessThanOrEqual(10_000);
});

test('what another node is to do is left to it', async () => {
  const one = await first();
  isMine = false;
  await pass(500);
  expect(forgotten).toEqual([one.dialog]);
  expect(subscriptions.active).toBe(0);
  isMine = true;
  await pass(500);
  expect(asked).toHaveLength(2);
});

test('after a stop nothing is asked', async () => {
  subscriptions.stop();
  await pass(10_000);
  expect(asked).toEqual([]);
  expect(clock.pending).toBe(0);
});
