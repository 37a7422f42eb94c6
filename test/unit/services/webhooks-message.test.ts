import { expect, test } from 'vitest';
import type { EmergencyStage } from '../../../src/domain/emergency-record.ts';
import {
  EVENT_TYPES,
  kindsOf,
  messageOf,
  typeOf,
  typesOf,
  webhookMessage,
} from '../../../src/services/webhooks/message.ts';
import { emergency } from '../domain/example.ts';

/** Emergency calls as webhooks are told of them. */

const AT = Date.UTC(2031, 4, 6, 14, 5);

function event(stage: EmergencyStage, differs = {}) {
  const record = emergency('d1', { at: AT, callbackUntil: AT + 1_000, ...differs });
  return { kind: 'emergency', seq: 4, at: AT, actor: 'node:a', stage, record } as const;
}

test.each([
  ['placed', 'emergency.placed'],
  ['answered', 'emergency.answered'],
  ['failed', 'emergency.failed'],
  ['calledBack', 'emergency.called-back'],
  ['acknowledged', 'emergency.acknowledged'],
] as const)('%s is %s', (stage, type) => {
  const address = {
    customerName: 'A',
    houseNumber: '1',
    street: 'S',
    city: 'C',
    postcode: 'P',
    country: 'GB',
  };
  const message = messageOf(event(stage, { address, guest: { extension: '1001', name: 'Amelia' } }), 'acme');
  expect(webhookMessage.parse(message)).toEqual(message);
  expect(message).toMatchObject({
    type,
    company: 'acme',
    data: {
      ...{ actor: 'node:a', stage, record: 'call-d1', number: '999', host: 'd1', site: 'london' },
      ...{ guest: '1001', guestName: 'Amelia', addressUnverified: false },
      address: { ...address, state: null, floor: null, room: null },
      placedAt: '2031-05-06T14:05:00.000Z',
      callbackUntil: '2031-05-06T14:05:01.000Z',
    },
  });
});

test('of a phone nobody knows', () => {
  const nothing = { host: undefined, nickname: undefined, site: undefined, callbackNumber: undefined };
  const message = messageOf(event('placed', nothing), 'acme');
  expect(webhookMessage.parse(message)).toEqual(message);
  expect(message.data).toMatchObject({
    host: null,
    nickname: null,
    site: null,
    callbackNumber: null,
    address: null,
  });
});

test('types and kinds lead to each other; the five of emergency calls come together', () => {
  for (const type of EVENT_TYPES) expect(kindsOf([type]).flatMap(typesOf)).toContain(type);
  expect(kindsOf(['emergency.failed', 'emergency.placed', 'security.notice'])).toEqual([
    'emergency',
    'notice',
  ]);
  expect(typesOf('emergency')).toHaveLength(5);
  expect(new Set(EVENT_TYPES.flatMap((type) => kindsOf([type]).flatMap(typesOf)))).toEqual(
    new Set(EVENT_TYPES),
  );
  expect(typeOf(event('calledBack'))).toBe('emergency.called-back');
});
