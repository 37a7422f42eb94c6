import { beforeEach, describe, expect, test } from 'vitest';
import type { EmergencyRecord } from '../../../src/domain/emergency-record.ts';
import { tableOf, toStored } from '../../../src/services/directory-document.ts';
import { company, emergency } from '../domain/example.ts';
import { Harness } from './harness.ts';

let harness: Harness;

beforeEach(() => {
  harness = new Harness();
});

describe('emergency records', () => {
  const NUMBER = '+442079460111';
  const call = (id: string, differs: Partial<EmergencyRecord> = {}): EmergencyRecord =>
    emergency('d1', {
      ...{ id, callbackNumber: NUMBER, at: harness.now, callbackUntil: harness.now + 3_600_000 },
      ...differs,
    });
  const open = (): string[] => harness.view.emergencyRecords(NUMBER).map(({ id }) => id);

  test('of this node count before the store or a snapshot has said a word', () => {
    expect(harness.view.knowledge).toBe('unknown');
    harness.view.keepEmergencies([call('own')]);
    expect(open()).toEqual(['own']);
    expect(harness.view.emergencyRecords('+442079460100')).toEqual([]);
  });

  test('of other nodes come with the snapshot and with the log', async () => {
    await harness.store.noteEmergency(call('before', { host: 'd2' }), 'placed', 'node:b');
    await harness.follow();
    expect(open()).toEqual(['before']);
    harness.now += 1;
    await harness.store.noteEmergency(call('after'), 'placed', 'node:b');
    expect(open()).toEqual(['after', 'before']);
  });

  test('stay open until their time is over, whatever the store forgets and however long it is silent', async () => {
    await harness.follow();
    harness.view.keepEmergencies([call('own', { callbackUntil: harness.now + 24 * 3_600_000 })]);
    await harness.reconnect();
    expect(open()).toEqual(['own']);
    harness.disconnect();
    harness.now += 13 * 3_600_000;
    expect(harness.view.knowledge).toBe('unknown');
    expect(open()).toEqual(['own']);
    harness.now += 11 * 3_600_000;
    expect(open()).toEqual([]);
    expect(harness.view.openEmergencies()).toEqual([]);
  });

  test('one of each desk, newest desk first', () => {
    const later = { at: harness.now + 1, callbackUntil: harness.now + 3_700_000 };
    const [a, b, c] = [call('a'), call('b', { host: 'd2', at: harness.now - 1 }), call('c', later)];
    harness.view.keepEmergencies([c, a, b, a]);
    expect(open()).toEqual(['c', 'b']);
    expect(harness.view.openEmergencies().map(({ id }) => id)).toEqual(['c', 'a', 'b']);
  });

  test('at most ten thousand, the newest of them; those that are over make room first', () => {
    const many = (from: number, count: number, callbackUntil = harness.now + 3_600_000) =>
      Array.from({ length: count }, (_, i) =>
        call(`c${from + i}`, { host: `h${from + i}`, at: harness.now + from + i, callbackUntil }),
      );
    harness.view.keepEmergencies(many(0, 5_000, harness.now + 1_000));
    harness.view.keepEmergencies(many(5_000, 5_000));
    harness.now += 1_000;
    harness.view.keepEmergencies(many(10_000, 5_000));
    expect(open()).toHaveLength(10_000);
    harness.view.keepEmergencies(many(15_000, 10));
    expect(open()).toHaveLength(10_000);
    expect(open()[0]).toBe('c15009');
    expect(open().at(-1)).toBe('c5010');
  });

  test('whoever listens hears of each once, and does no harm', async () => {
    const heard: string[] = [];
    harness.view.onEmergency(() => {
      throw new Error('broken');
    });
    harness.view.onEmergency(({ id }) => heard.push(id));
    harness.view.keepEmergencies([call('own')]);
    await harness.follow();
    await harness.store.noteEmergency(call('own'), 'placed', 'node:a');
    await harness.store.noteEmergency(call('other', { host: 'd2' }), 'placed', 'node:b');
    await harness.store.noteEmergency(call('other', { host: 'd2' }), 'answered', 'node:b');
    expect(heard).toEqual(['own', 'other']);
    expect(harness.log.level('error')).toHaveLength(2);
  });

  test('the directory of the disk counts until there is one', async () => {
    const onDisk = tableOf([{ kind: 'company', value: company({ name: 'of the disk' }) }]);
    expect(harness.view.emergencyDirectory).toBeUndefined();
    harness.view.useEmergencyDirectory(onDisk);
    expect(harness.view.emergencyDirectory).toBe(onDisk);
    expect(harness.view.directory).toBeUndefined();
    await harness.follow();
    expect(harness.view.emergencyDirectory).toBe(onDisk);
    await harness.store.writeDirectory({
      put: toStored([{ kind: 'company', value: company() }]),
      remove: [],
      actor: 'test',
    });
    expect(harness.view.emergencyDirectory).toBe(harness.view.directory);
    expect(harness.view.emergencyDirectory?.company.name).toBe('Acme');
  });
});
