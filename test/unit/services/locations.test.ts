import { describe, expect, test } from 'vitest';
import type { Host } from '../../../src/domain/directory.ts';
import type { DirectoryEntry } from '../../../src/domain/directory-table.ts';
import { toStored } from '../../../src/services/directory-document.ts';
import { DirectoryService } from '../../../src/services/directory-service.ts';
import { EditsWhileFree } from '../../../src/services/edits-while-free.ts';
import { Hosts } from '../../../src/services/hosts.ts';
import { Locations, networkOf } from '../../../src/services/locations.ts';
import { Passcodes } from '../../../src/services/passcodes.ts';
import { StoreUnavailable } from '../../../src/store/store.ts';
import { company, host, site } from '../domain/example.ts';
import { Harness, PEPPER, settle } from './harness.ts';

const HERE = '192.0.2.7';
const THERE = '198.51.100.7';

async function world(hosts: readonly Host[] = [host('d1'), host('d2')]) {
  const harness = new Harness();
  const { store, view, log } = harness;
  await harness.follow();
  const entries: DirectoryEntry[] = [
    { kind: 'company', value: company() },
    { kind: 'site', value: site('london') },
    ...hosts.map((value) => ({ kind: 'host', value }) as const),
  ];
  await store.writeDirectory({ put: toStored(entries), remove: [], actor: 'test' });
  const passcodes = new Passcodes({ keyId: 'k1', pepper: PEPPER });
  const directory = new DirectoryService({
    ...{ store, view, passcodes, log, clock: harness.clock, company: 'acme', realm: 'x' },
  });
  const edits = new EditsWhileFree({ store, directory, view, random: harness.random, log });
  const node = (actor: string): Locations => {
    const locations = new Locations({ store, view, directory, timers: harness.clock, log, actor });
    locations.start();
    return locations;
  };
  const before = store.log.length;
  return {
    ...{ harness, store, view, log, directory, node, locations: node('node:a') },
    hosts: new Hosts({ directory, edits, view, log }),
    of: (id: string) => view.directory?.hosts.get(id)?.location,
    /** What was logged since. */
    events: () => store.log.slice(before),
    /** Lets the collected changes be written. */
    async pass(ms = 250) {
      harness.pass(ms);
      await rest();
    },
  };
}

async function rest(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await settle();
}

describe('networkOf', () => {
  test.each([
    ['192.0.2.7', '192.0.2.0/24'],
    ['10.1.2.255', '10.1.2.0/24'],
    ['127.0.1.1', '127.0.1.0/24'],
    ['::ffff:192.0.2.7', '192.0.2.0/24'],
    ['::FFFF:c000:207', '192.0.2.0/24'],
    ['2001:db8:1:1ff:2:3:4:5', '2001:db8:1:100::/56'],
    ['2001:DB8:0001:01aa::1', '2001:db8:1:100::/56'],
    ['2001:db8::1', '2001:db8::/56'],
    ['[2001:db8::1]', '2001:db8::/56'],
    ['fe80::1%eth0', 'fe80::/56'],
    ['::1', '::/56'],
    ['1:2:3:4:5:6:7:8', '1:2:3::/56'],
    ['1:2:3:400:5:6:7:8', '1:2:3:400::/56'],
    ['1:2:3:ffff::', '1:2:3:ff00::/56'],
  ])('%s is in %s', (address, network) => expect(networkOf(address)).toBe(network));

  test.each(['', 'phone.example', '192.0.2', '1.2.3.4.5', ':::', 'x'])('%j is no address', (address) =>
    expect(networkOf(address)).toBeUndefined(),
  );
});

describe('Locations', () => {
  test('the first registration: verified, one write for all phones, nobody is alarmed', async () => {
    const { locations, of, events, pass } = await world();
    locations.registered('d1', HERE);
    locations.registered('d2', HERE);
    expect(of('d1')).toBeUndefined();
    await pass();
    expect(of('d1')).toEqual({ network: '192.0.2.0/24', verified: true });
    expect(of('d2')).toEqual({ network: '192.0.2.0/24', verified: true });
    expect(events()).toMatchObject([{ kind: 'directory', actor: 'node:a', entries: ['host:d1', 'host:d2'] }]);
  });

  test('another network: unverified at once, with a notice and who says so', async () => {
    const { locations, of, events, pass, log } = await world();
    locations.registered('d1', HERE);
    await pass();
    locations.registered('d1', THERE);
    await pass();
    expect(of('d1')).toEqual({ network: '198.51.100.0/24', verified: false });
    expect(events().slice(1)).toMatchObject([
      { kind: 'directory', actor: 'node:a', entries: ['host:d1'] },
      { kind: 'notice', notice: 'locationUnverified', host: 'd1', actor: 'node:a' },
    ]);
    expect(log.level('warn')).toEqual(['a phone has moved: its emergency address is not verified']);
  });

  test('the same network, however often and from whichever address of it: nothing is written', async () => {
    const { locations, pass, store } = await world();
    locations.registered('d1', HERE);
    await pass();
    store.calls.length = 0;
    for (let last = 1; last < 255; last++) locations.registered('d1', `192.0.2.${last}`);
    await pass(120_000);
    expect(store.calls).toEqual([]);
  });

  test('a phone in two places: a write a minute, one notice until somebody confirms', async () => {
    const { locations, pass, events, of } = await world();
    locations.registered('d1', HERE);
    await pass();
    for (let second = 0; second < 600; second++) {
      locations.registered('d1', second % 2 === 0 ? THERE : HERE);
      await pass(1000);
    }
    const kinds = events().map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind === 'directory').length).toBeLessThanOrEqual(12);
    expect(kinds.filter((kind) => kind === 'notice')).toHaveLength(1);
    expect(of('d1')?.verified).toBe(false);
  });

  test('moved again within the minute: written when it is over, as it is by then', async () => {
    const { locations, pass, of } = await world();
    locations.registered('d1', HERE);
    await pass();
    locations.registered('d1', THERE);
    await pass();
    locations.registered('d1', '203.0.113.1');
    await pass();
    expect(of('d1')?.network).toBe('198.51.100.0/24');
    await pass(60_000);
    await pass();
    expect(of('d1')).toEqual({ network: '203.0.113.0/24', verified: false });
  });

  test('two nodes see it: one write', async () => {
    const { locations, node, pass, events } = await world();
    locations.registered('d1', HERE);
    await pass();
    const other = node('node:b');
    locations.registered('d1', THERE);
    other.registered('d1', THERE);
    await pass();
    await pass(120_000);
    await pass();
    expect(events().filter(({ kind }) => kind === 'notice')).toHaveLength(1);
    expect(events().filter(({ kind }) => kind === 'directory')).toHaveLength(2);
  });

  test('the store away: nothing thrown, written when it answers again', async () => {
    const { locations, pass, of, store, log } = await world();
    locations.registered('d1', HERE);
    await pass();
    store.down = true;
    locations.registered('d1', THERE);
    locations.registered('d2', HERE);
    await pass();
    await pass(5_000);
    expect(of('d1')?.network).toBe('192.0.2.0/24');
    store.down = false;
    await pass(5_000);
    expect(of('d1')).toEqual({ network: '198.51.100.0/24', verified: false });
    expect(of('d2')?.verified).toBe(true);
    expect(log.level('error')).toEqual([]);
  });

  test('the store goes away between asking and writing: written a minute later, however it refuses', async () => {
    const { locations, pass, of, store } = await world();
    locations.registered('d1', HERE);
    await pass();
    const write = store.writeDirectory.bind(store);
    store.writeDirectory = () => Promise.reject(new StoreUnavailable('down'));
    locations.registered('d1', THERE);
    await pass();
    expect(of('d1')?.network).toBe('192.0.2.0/24');
    store.writeDirectory = write;
    await pass(5_000);
    await pass(60_000);
    await pass();
    expect(of('d1')).toEqual({ network: '198.51.100.0/24', verified: false });
  });

  test('two thousand phones at once are forty writes', async () => {
    const many = Array.from({ length: 2_000 }, (_, i) => host(`p${i}`));
    const { locations, pass, events, of } = await world(many);
    for (const { id } of many) locations.registered(id, HERE);
    await pass();
    for (let turn = 0; turn < 100; turn++) await settle();
    expect(events()).toHaveLength(40);
    expect(many.every(({ id }) => of(id)?.verified)).toBe(true);
  });

  test('an address that was stored before the rules stays as it is, and is marked all the same', async () => {
    const address = { ...host('d1').address, postcode: 'n 1' };
    const { locations, pass, of, view } = await world([host('d1', { address })]);
    locations.registered('d1', HERE);
    await pass();
    locations.registered('d1', THERE);
    await pass();
    expect(of('d1')?.verified).toBe(false);
    expect(view.directory?.hosts.get('d1')?.address).toEqual(address);
  });

  test('a phone nobody knows, an address that is none, and after stop: nothing', async () => {
    const { locations, pass, store, harness } = await world();
    store.calls.length = 0;
    locations.registered('nobody', HERE);
    locations.registered('d1', 'phone.example');
    await pass();
    locations.registered('d1', HERE);
    await locations.stop();
    locations.registered('d2', HERE);
    harness.pass(600_000);
    await rest();
    expect(store.calls).toEqual([]);
  });
});

describe('Hosts', () => {
  test('somebody confirms the address: verified where the phone is now, with who said so', async () => {
    const { locations, hosts, pass, of, events } = await world();
    locations.registered('d1', HERE);
    await pass();
    locations.registered('d1', THERE);
    await pass();
    expect(await hosts.verifyAddress('d1', 'admin:kim')).toMatchObject({ location: { verified: true } });
    expect(of('d1')).toEqual({ network: '198.51.100.0/24', verified: true });
    expect(events().slice(-2)).toMatchObject([
      { kind: 'directory', actor: 'admin:kim', entries: ['host:d1'] },
      { kind: 'notice', notice: 'locationVerified', host: 'd1', actor: 'admin:kim' },
    ]);
    const count = events().length;
    expect(await hosts.verifyAddress('d1', 'admin:kim')).toMatchObject({ id: 'd1' });
    expect(await hosts.verifyAddress('d2', 'admin:kim')).toMatchObject({ id: 'd2' });
    expect(await hosts.verifyAddress('d9', 'admin:kim')).toEqual({ refused: 'unknownHost' });
    expect(events()).toHaveLength(count);
  });

  test('a new address verifies; a nickname does not', async () => {
    const { locations, hosts, pass, of, view, events } = await world();
    locations.registered('d1', HERE);
    await pass();
    locations.registered('d1', THERE);
    await pass();
    expect(await hosts.change('d1', { nickname: 'By the window' }, { actor: 'admin:kim' })).toMatchObject({
      nickname: 'By the window',
    });
    expect(of('d1')?.verified).toBe(false);
    const address = { ...host('d1').address, postcode: 'ls11aa', city: ' Leeds ' };
    expect(await hosts.change('d1', { address }, { actor: 'admin:kim' })).toMatchObject({
      address: { city: 'Leeds', postcode: 'LS1 1AA' },
    });
    expect(of('d1')?.verified).toBe(true);
    expect(view.directory?.hosts.get('d1')?.address.postcode).toBe('LS1 1AA');
    expect(events().slice(-2)).toMatchObject([
      { kind: 'directory', actor: 'admin:kim' },
      { kind: 'notice', notice: 'locationVerified', host: 'd1', actor: 'admin:kim' },
    ]);
  });

  test('a bad address is refused with every rule broken, and nothing is written', async () => {
    const { hosts, events } = await world();
    const address = { ...host('d1').address, houseNumber: ' ', postcode: 'N1' };
    expect(await hosts.change('d1', { address }, { actor: 'admin:kim' })).toMatchObject({
      refused: 'invalidDirectory',
      problems: [
        'host:d1.address.houseNumber: must not be empty',
        'host:d1.address.postcode: must be a UK postcode such as SW1A 1AA',
      ],
    });
    expect(events()).toEqual([]);
  });

  test('a host stored with a bad address can be renamed and switched off, but not on', async () => {
    const address = { ...host('d1').address, postcode: 'N1' };
    const { hosts, view } = await world([host('d1', { address })]);
    expect(await hosts.change('d1', { nickname: 'x', enabled: false }, { actor: 'a' })).toMatchObject({
      enabled: false,
    });
    expect(await hosts.change('d1', { enabled: true }, { actor: 'a' })).toHaveProperty('problems', [
      'host:d1.address.postcode: must be a UK postcode such as SW1A 1AA',
    ]);
    const good = { ...address, postcode: 'N1 1AA' };
    expect(await hosts.change('d1', { enabled: true, address: good }, { actor: 'a' })).toMatchObject({
      enabled: true,
    });
    expect(view.directory?.hosts.get('d1')?.enabled).toBe(true);
  });

  test('what may be absent is cleared', async () => {
    const { hosts, view } = await world([
      host('d1', { callbackNumber: '+442079460111', associationLimitHours: 4 }),
    ]);
    await hosts.change('d1', { callbackNumber: undefined, associationLimitHours: undefined }, { actor: 'a' });
    const now = view.directory?.hosts.get('d1');
    expect([now?.callbackNumber, now?.associationLimitHours]).toEqual([undefined, undefined]);
    expect(await hosts.change('d1', { callbackNumber: '999' }, { actor: 'a' })).toHaveProperty('problems');
  });
});
