import { beforeEach, describe, expect, test } from 'vitest';
import type { FaceOutcome } from '../../../src/services/ports.ts';
import { CheckSync } from '../../../src/sip/phone-update.ts';
import type { Request, Srf } from '../../../src/sip/srf.ts';
import { FakeRequest, settled } from '../../support/fake-sip.ts';
import { binding, viewOf } from '../domain/example.ts';
import { acme, World } from './world.ts';

interface Sent {
  readonly uri: string;
  readonly options: { method: string; headers?: Record<string, string>; proxy?: string };
  readonly request: FakeRequest;
}

let world: World;
let sent: Sent[];
/** What srf says instead of sending. */
let broken: 'throws' | 'refuses' | undefined;
let state: 'free' | 'busy' | 'emergency';

const TWO = {
  d1: [binding('sip:d1@192.0.2.10:5060')],
  u1002: [
    binding('sip:u1002@10.0.0.1:5060', { flow: { protocol: 'tcp', address: '2001:db8::2', port: 40_123 } }),
    binding('sip:u1002@10.0.0.2', { path: ['<sip:edge.test;lr>'] }),
  ],
};

beforeEach(() => {
  sent = [];
  broken = undefined;
  state = 'free';
  const srf: Pick<Srf, 'request'> = {
    request(uri, options, callback) {
      if (broken === 'throws') throw new Error('no socket');
      if (broken === 'refuses') return callback(new Error('no transport'), undefined as unknown as Request);
      const request = new FakeRequest({ method: options.method, uri });
      sent.push({ uri, options, request });
      callback(null, request.asRequest);
    },
  };
  world = new World({
    srf: srf as unknown as Srf,
    view: viewOf({ directory: acme, bindings: TWO }),
  });
});

function phones(maxInFlight?: number): CheckSync {
  const more = maxInFlight === undefined ? {} : { maxInFlight };
  return new CheckSync({ deps: world.deps, stateOf: () => state, ...more });
}

function update(host: string, phone = phones()): Promise<FaceOutcome> {
  return phone.update(host, { seq: 1, association: undefined });
}

function answer(index: number, status: number): void {
  sent[index]?.request.emit('response', { status });
}

describe('the NOTIFY', () => {
  test('is a plain check-sync to the contact, down the registered flow', async () => {
    const told = update('d1');
    await settled();
    expect(sent).toHaveLength(1);
    const { uri, options } = sent[0]!;
    expect(uri).toBe('sip:d1@192.0.2.10:5060');
    expect(options.method).toBe('NOTIFY');
    expect(options.proxy).toBe('sip:192.0.2.10:5060;transport=udp');
    expect(options.headers).toEqual({
      From: '<sip:d1@hotdesk.test>',
      To: '<sip:d1@hotdesk.test>',
      Contact: '<sip:hotdesk@localhost>',
      Event: 'check-sync',
      'Subscription-State': 'active',
    });
    answer(0, 200);
    expect(await told).toBe('told');
    expect(world.clock.pending).toBe(0);
  });

  test('goes to every binding, by TCP flow and by Path', async () => {
    const told = update('u1002');
    await settled();
    expect(sent.map(({ options }) => options.proxy)).toEqual([
      'sip:[2001:db8::2]:40123;transport=tcp',
      'sip:edge.test;lr',
    ]);
    answer(0, 408);
    answer(1, 200);
    expect(await told).toBe('told');
  });

  test('waits its turn when many are under way', async () => {
    const phone = phones(1);
    const first = update('d1', phone);
    const second = update('d1', phone);
    const third = update('d1', phone);
    await settled();
    expect(sent).toHaveLength(1);
    answer(0, 200);
    await first;
    await settled();
    expect(sent).toHaveLength(2);
    world.clock.advance(8_000);
    expect(await second).toBe('failed');
    await settled();
    answer(2, 200);
    expect(await third).toBe('told');
    expect(await Promise.race([update('d1', phone), settled().then(() => sent.length)])).toBe(4);
  });
});

describe('what comes of it', () => {
  test.each<[number, FaceOutcome]>([
    [200, 'told'],
    [202, 'told'],
    [401, 'refused'],
    [404, 'refused'],
    [407, 'refused'],
    [481, 'refused'],
    [489, 'refused'],
    [408, 'failed'],
    [480, 'failed'],
    [500, 'failed'],
    [503, 'failed'],
  ])('%i: %s', async (status, outcome) => {
    const told = update('d1');
    await settled();
    answer(0, 100);
    answer(0, status);
    expect(await told).toBe(outcome);
    expect(sent).toHaveLength(1);
  });

  test('silence for eight seconds: failed', async () => {
    const told = update('d1');
    await settled();
    world.clock.advance(8_000);
    expect(await told).toBe('failed');
  });

  test.each(['throws', 'refuses'] as const)(
    'the SIP server %s: failed, and nothing is left over',
    async (how) => {
      broken = how;
      expect(await update('d1')).toBe('failed');
      expect(world.clock.pending).toBe(0);
    },
  );

  test.each(['d2', 'd9', '__proto__'])('%s has no phone: nobody', async (host) => {
    expect(await update(host)).toBe('nobody');
  });

  test.each([
    ['free', true],
    ['busy', false],
    ['emergency', false],
  ] as const)('a phone that is %s', (is, free) => {
    state = is;
    expect(phones().isFree('d1')).toBe(free);
  });
});
