import { describe, expect, test } from 'vitest';
import { NotifySender } from '../../../../src/sip/events/notify-sender.ts';
import { parseRecord, type SubscriptionRecord } from '../../../../src/sip/events/record.ts';
import type { Srf } from '../../../../src/sip/srf.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { binding, viewOf } from '../../domain/example.ts';

/** Where a NOTIFY goes whose dialog the SIP server does not know. */

const tcp = (address: string, port: number): SubscriptionRecord['flow'] => ({
  protocol: 'tcp',
  address,
  port,
});

const record: SubscriptionRecord = {
  ...{ event: 'x-lamp', eventId: '', subscriber: 'd1', resource: 'd1', callId: 'c' },
  ...{ local: '<sip:d1@hotdesk.test>;tag=l', remote: '<sip:d1@hotdesk.test>;tag=r', contact: '<sip:1>' },
  ...{ routes: [], target: 'sip:d1@192.0.2.10;transport=tcp', flow: tcp('192.0.2.10', 40_001) },
  ...{ expiresAt: 1, cseq: 7, version: 0, digest: '', toldAs: -1, at: 0, node: 'n1' },
};

function wayOf(differs: Partial<SubscriptionRecord>, bindings: ReturnType<typeof binding>[] = []): unknown {
  let options: { proxy?: string } = {};
  const srf = { request: (_uri: string, given: object) => (options = given) } as unknown as Srf;
  const sender = new NotifySender({
    srf,
    view: viewOf({ bindings: { d1: bindings } }),
    clock: new FakeClock(),
  });
  sender.send({
    ...{ record: { ...record, ...differs }, state: 'active', document: undefined, inDialog: false },
    ...{ sent: () => undefined, dialogLost: () => undefined, done: () => undefined },
  });
  return options.proxy;
}

describe('without the dialog', () => {
  test.each<[string, Partial<SubscriptionRecord>, ReturnType<typeof binding>[], string]>([
    ['the first route', { routes: ['<sip:sbc.test;lr>', '<sip:b;lr>'] }, [], 'sip:sbc.test;lr'],
    [
      'the flow the same Contact registered over since',
      {},
      [
        binding('sip:d1@192.0.2.99', { flow: tcp('192.0.2.99', 1) }),
        binding(record.target, { flow: tcp('192.0.2.10', 40_002) }),
      ],
      'sip:192.0.2.10:40002;transport=tcp',
    ],
    [
      'the flow another Contact at that address registered over',
      {},
      [binding('sip:other@192.0.2.10', { flow: tcp('192.0.2.10', 40_003) })],
      'sip:192.0.2.10:40003;transport=tcp',
    ],
    ['the flow it subscribed over', {}, [], 'sip:192.0.2.10:40001;transport=tcp'],
    [
      'over UDP always the place it subscribed from',
      { flow: { protocol: 'udp', address: '2001:db8::1', port: 5062 } },
      [binding(record.target, { flow: tcp('192.0.2.10', 40_002) })],
      'sip:[2001:db8::1]:5062;transport=udp',
    ],
  ])('%s', (_what, differs, bindings, way) => {
    expect(wayOf(differs, bindings)).toBe(way);
  });
});

describe('a record read back', () => {
  test('is what was kept', () => {
    expect(parseRecord(JSON.parse(JSON.stringify(record)))).toEqual(record);
  });

  test.each([
    undefined,
    null,
    'text',
    {},
    { ...record, cseq: '7' },
    { ...record, flow: null },
    { ...record, routes: 1 },
  ])('or nothing (%#)', (value) => {
    expect(parseRecord(value)).toBeUndefined();
  });
});
