import { beforeEach, describe, expect, test } from 'vitest';
import type { SipApp } from '../../../src/sip/app.ts';
import type { SipDependencies } from '../../../src/sip/ports.ts';
import type { FakeResponse } from '../../support/fake-sip.ts';
import { settled } from '../../support/fake-sip.ts';
import { invite, World } from './world.ts';

/** Where emergency calls are taken from, and how many at once. */

const PHONES = '192.0.2.99:5070';
const DESK = '192.0.2.10:5060';
const ELSEWHERE = '198.51.100.250:5060';

let world: World;
let app: SipApp;

beforeEach(() => use({}));

function use(differs: Partial<SipDependencies>): void {
  const phoneSources = { includes: (address: string) => address.startsWith('192.0.2.') };
  world = new World({ phoneSources, emergencyCallsPerSource: 3, ...differs });
  app = world.app();
}

function unknown(source: string): Promise<FakeResponse> {
  return world.receive(
    invite('999', { source, headers: { From: '<sip:nobody@x>;tag=a', Contact: '<sip:x@y>' } }),
  );
}

function goneOut(): number {
  return world.srf.uacs.length;
}

test('from elsewhere: 403 with the reason in words, and it is logged once', async () => {
  const responses = [await unknown(ELSEWHERE), await unknown(ELSEWHERE)];
  for (const { final } of responses) {
    expect(final?.status).toBe(403);
    expect(final?.headers.Warning).toContain('399');
    expect(final?.headers['Retry-After']).toBeUndefined();
  }
  expect(goneOut()).toBe(0);
  expect(world.log.lines.filter(({ text }) => text.includes('REFUSED'))).toHaveLength(1);
});

test('an unknown phone where phones are: goes out', async () => {
  await unknown(PHONES);
  expect(goneOut()).toBe(1);
});

test('a phone that says it is a desk, from elsewhere: its word is no proof', async () => {
  const response = await world.receive(invite('999', { source: ELSEWHERE }));
  expect(response.final?.status).toBe(403);
});

test('from a trunk: as before', async () => {
  use({ phoneSources: { includes: () => false } });
  await unknown('198.51.100.1:5060');
  expect(goneOut()).toBe(1);
});

test('a registered desk is never asked, wherever it is', async () => {
  use({ phoneSources: { includes: () => false } });
  await world.receive(invite('999', { source: DESK }));
  expect(goneOut()).toBe(1);
});

describe('how many at once', () => {
  test('one more than allowed from one address: 503 without Retry-After; other addresses go on', async () => {
    for (let i = 0; i < 3; i++) await unknown(PHONES);
    const { final } = await unknown(PHONES);
    expect([final?.status, final?.headers['Retry-After']]).toEqual([503, undefined]);
    expect(goneOut()).toBe(3);
    await unknown('192.0.2.98:5060');
    expect(goneOut()).toBe(4);
  });

  test('one that is over makes room', async () => {
    for (let i = 0; i < 3; i++) await unknown(PHONES);
    world.srf.uacs[0]?.answer('v=0\r\n');
    await settled();
    expect((await unknown(PHONES)).final?.status).toBe(503);
    world.srf.uas.bye();
    await settled();
    await unknown(PHONES);
    expect(goneOut()).toBe(4);
  });

  test('a registered desk is never limited, not even where strangers took all there is', async () => {
    for (let i = 0; i < 5; i++) await unknown(DESK);
    const before = goneOut();
    for (let i = 0; i < 100; i++) await world.receive(invite('999', { source: DESK }));
    expect(goneOut()).toBe(before + 100);
  });

  test('other calls are not counted', async () => {
    for (let i = 0; i < 10; i++) await world.receive(invite('1002', { source: PHONES }));
    await unknown(PHONES);
    expect(goneOut()).toBe(1);
  });
});

test.each<[string, Partial<SipDependencies>]>([
  [
    'where phones are cannot be told',
    {
      phoneSources: {
        includes: () => {
          throw new Error('broken');
        },
      },
    },
  ],
])('%s: the call goes out', async (_what, differs) => {
  use(differs);
  await unknown(ELSEWHERE);
  await unknown(ELSEWHERE);
  expect(goneOut()).toBe(2);
  expect(world.log.errors()).toHaveLength(1);
  void app;
});
