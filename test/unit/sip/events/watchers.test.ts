import { expect, test } from 'vitest';
import { entryName, type SubscriptionRecord } from '../../../../src/sip/events/record.ts';
import { Watchers } from '../../../../src/sip/events/watchers.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { FakeShared } from './notifier-world.ts';

/** Which hosts have subscribed to what. */

const HOUR_MS = 3_600_000;

function record(subscriber: string, event: string): SubscriptionRecord {
  return {
    ...{ subscriber, event, eventId: '', resource: subscriber, target: 'sip:d1@192.0.2.1', callId: 'c1' },
    ...{ local: '<sip:d1@acme.test>;tag=l', remote: '<sip:d1@acme.test>;tag=r', contact: '', routes: [] },
    flow: { protocol: 'udp', address: '192.0.2.1', port: 5060 },
    ...{ expiresAt: HOUR_MS, cseq: 1, version: 0, digest: '', toldAs: -1, at: 0, node: 'n1' },
  };
}

test('the end of the last subscription of a host to an event is told, and of no other', () => {
  const shared = new FakeShared(new FakeClock());
  const watchers = new Watchers(shared);
  watchers.start();
  const ended: string[] = [];
  const stop = watchers.onEnd((event, host) => ended.push(`${event} ${host}`));
  const put = (id: string, value: SubscriptionRecord | undefined): void =>
    shared.put(entryName(id), value && { ...value }, HOUR_MS);
  put('a', record('d1', 'message-summary'));
  put('b', record('d1', 'message-summary'));
  put('c', record('d1', 'dialog'));
  put('a', undefined);
  expect(ended).toEqual([]);
  expect(watchers.has('message-summary', 'd1')).toBe(true);
  put('b', undefined);
  expect(ended).toEqual(['message-summary d1']);
  expect(watchers.has('message-summary', 'd1')).toBe(false);
  put('b', undefined);
  stop();
  put('c', undefined);
  expect(ended).toHaveLength(1);
});
