import { describe, expect, test } from 'vitest';
import { networkOf, PhoneNetworks } from '../../../src/services/phone-networks.ts';
import { binding, directory, NOW } from '../domain/example.ts';
import { settle, TestLog } from './harness.ts';

/** Where phones are. */

const DAY = 86_400_000;

function at(address: string, port = 5060) {
  return { address, port };
}

function make({
  configured,
  bindings = {},
  isLoaded = true,
}: {
  configured?: string[];
  bindings?: Record<string, string[]>;
  isLoaded?: boolean;
} = {}) {
  const time = { now: NOW };
  const store = { isLoaded };
  const timers: (() => void)[] = [];
  const networks = new PhoneNetworks({
    view: {
      get directory() {
        return store.isLoaded ? directory({}) : undefined;
      },
      bindingsOf: (id) =>
        (bindings[id] ?? []).map((address) =>
          binding(`sip:${id}@x`, {
            flow: { protocol: 'udp', address, port: 5060 },
            expiresAt: time.now + 600_000,
          }),
        ),
    },
    clock: {
      now: () => time.now,
      setTimer: (_ms, run) => ({ cancel: () => void run, at: timers.push(run) }),
    },
    log: new TestLog(),
    configured,
  });
  if (isLoaded) networks.start();
  return { networks, time, timers, bindings, store };
}

describe('a node that knows nothing yet', () => {
  test('refuses nobody until it has seen what phones are registered from', async () => {
    const { networks, store, timers } = make({ isLoaded: false });
    expect(networks.includes('198.51.100.7')).toBe(true);
    networks.start();
    expect(networks.includes('198.51.100.7')).toBe(true);
    await settle();
    store.isLoaded = true;
    timers[0]?.();
    await settle();
    expect(networks.includes('198.51.100.7')).toBe(false);
  });

  test('goes by what its disk had, and by what is configured', () => {
    const { networks } = make({ isLoaded: false });
    networks.restore([['192.0.2.0/24', NOW]]);
    expect(networks.includes('192.0.2.9')).toBe(true);
    expect(networks.includes('198.51.100.7')).toBe(false);
    const told = make({ isLoaded: false, configured: ['192.0.2.0/24'] }).networks;
    expect(told.includes('198.51.100.7')).toBe(false);
  });
});

describe('by default', () => {
  test.each([
    '127.0.0.1',
    '10.1.2.3',
    '192.168.7.7',
    '172.31.0.1',
    '::1',
    'fd12::1',
    'fe80::1%eth0',
    '::ffff:10.0.0.1',
  ])('%s is where phones are', (address) => expect(make().networks.includes(address)).toBe(true));

  test.each(['198.51.100.7', '172.32.0.1', '2001:db8::1', '::ffff:198.51.100.7', '', 'nonsense'])(
    '%s is not',
    (address) => expect(make().networks.includes(address)).toBe(false),
  );

  test.each([
    ['198.51.100.7', '198.51.100.200', '198.51.101.7'],
    ['2001:db8:1:2ab::7', '2001:db8:1:2ff:1::9', '2001:db8:1:3ab::7'],
    ['2001:db8::7', '2001:db8:0:ff::1', '2001:db8:0:100::1'],
  ])('a phone registers from %s: %s counts, %s does not', (from, near, far) => {
    const { networks } = make();
    networks.registered(at(from), NOW + 1);
    expect([networks.includes(near), networks.includes(far)]).toEqual([true, false]);
  });

  test('for 30 days after the last registration', () => {
    const { networks, time } = make();
    networks.registered(at('198.51.100.7'), NOW + 600_000);
    time.now += 30 * DAY - 1;
    expect(networks.includes('198.51.100.8')).toBe(true);
    time.now += 1;
    expect(networks.includes('198.51.100.8')).toBe(false);
  });

  test('through a restart, whatever the clock did', () => {
    const { networks } = make();
    networks.registered(at('198.51.100.7'), NOW);
    const other = make();
    other.networks.restore([...networks.seen(), ['203.0.113.0/24', NOW + 1000 * DAY]]);
    other.time.now += 29 * DAY;
    expect(other.networks.includes('198.51.100.1')).toBe(true);
    other.time.now += 2 * DAY;
    expect(other.networks.includes('203.0.113.5')).toBe(false);
    expect(other.networks.seen()).toEqual([]);
  });

  test('what phones registered at other nodes, soon', async () => {
    const { networks, bindings, timers } = make({ bindings: { d1: ['198.51.100.7'] } });
    networks.start();
    expect(networks.hasPhone('198.51.100.7')).toBe(true);
    bindings.d2 = ['203.0.113.7'];
    await Promise.resolve();
    timers.shift()?.();
    expect(networks.includes('203.0.113.9')).toBe(true);
  });

  test('no more than so many networks are remembered; the newest are', () => {
    const { networks } = make();
    for (let i = 0; i < 21_000; i++) networks.registered(at(`2001:db8:${i.toString(16)}::1`), NOW);
    expect(networks.seen()).toHaveLength(20_000);
    expect(networks.includes('2001:db8:0::2')).toBe(false);
    expect(networks.includes(`2001:db8:${(20_999).toString(16)}::2`)).toBe(true);
  });
});

test('a phone is known by its flow', () => {
  const { networks, time } = make();
  networks.registered(at('198.51.100.7', 5062), NOW + 1000);
  const known = (): boolean[] => [5062, 5063].map((port) => networks.hasPhoneAt(at('198.51.100.7', port)));
  expect(known()).toEqual([true, false]);
  time.now += 1000;
  expect(known()).toEqual([false, false]);
});

describe('configured', () => {
  test('only what is configured, and where a phone is registered at present', () => {
    const { networks, time } = make({ configured: ['198.51.100.0/24', '2001:db8::/32'] });
    networks.registered(at('203.0.113.7'), NOW + 1000);
    const taken = (): boolean[] =>
      ['198.51.100.9', '2001:db8:1::1', '203.0.113.7', '203.0.113.8', '10.0.0.1'].map((a) =>
        networks.includes(a),
      );
    expect(taken()).toEqual([true, true, true, false, false]);
    time.now += 1000;
    expect(taken()).toEqual([true, true, false, false, false]);
  });
});

test.each([
  ['192.0.2.77', '192.0.2.0/24'],
  ['::ffff:192.0.2.77', '192.0.2.0/24'],
  ['2001:db8:1:2ab::7', '2001:db8:1:200::/56'],
  ['::1', '0:0:0:0::/56'],
  ['x', undefined],
])('the network of %s is %s', (address, network) => expect(networkOf(address)).toBe(network));
