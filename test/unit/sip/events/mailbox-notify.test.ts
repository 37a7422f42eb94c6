import { beforeEach, describe, expect, test } from 'vitest';
import type { MailboxState } from '../../../../src/domain/message-summary.ts';
import { FakeRequest } from '../../../support/fake-sip.ts';
import { World } from '../world.ts';

/** A PBX that tells of mailboxes by itself (RFC 3842), and who is not believed. */

const TRUNK = '198.51.100.1:5060';
const YES = 'Messages-Waiting: yes\r\nVoice-Message: 1/0\r\n';

let world: World;
let learnt: [string, MailboxState][];

beforeEach(() => {
  learnt = [];
  world = new World({
    mailboxes: {
      named: (word) => (['1001', 'm1'].includes(word) ? `box-${word}` : undefined),
      learn: (mailbox, state) => {
        learnt.push([mailbox, state]);
        return true;
      },
    },
  });
  world.app();
});

async function told(parts: {
  readonly body?: string;
  readonly source?: string;
  readonly headers?: Record<string, string>;
}): Promise<number | undefined> {
  const { body = YES, source = TRUNK, headers = {} } = parts;
  const To = '<sip:1001@acme.test>';
  const request = new FakeRequest({
    ...{ method: 'NOTIFY', uri: 'sip:1001@192.0.2.1', body, source },
    headers: { From: '<sip:pbx@x>;tag=1', To, Event: 'message-summary', ...headers },
  });
  return (await world.receive(request)).final?.status;
}

test('from a trunk it is believed', async () => {
  expect(await told({})).toBe(200);
  expect(learnt).toMatchObject([['box-1001', { waiting: true, new: 1 }]]);
});

describe('from a stranger it changes nothing', () => {
  test.each([
    [{}, 403],
    [{ To: '<sip:1001@acme.test>;tag=guessed' }, 481],
    [{ Event: 'presence' }, 403],
    [{ 'P-Asserted-Identity': '<sip:pbx@198.51.100.1>' }, 403],
  ])('%j: %i', async (headers, status) => {
    expect(await told({ source: '192.0.2.66:5060', headers })).toBe(status);
    expect(learnt).toEqual([]);
  });
});

test('a stranger who goes on and on is logged once a minute', async () => {
  const refusals = (): number =>
    world.log.lines.filter(({ text }) => text.startsWith('refused: a NOTIFY')).length;
  for (let n = 0; n < 5; n++) await told({ source: '192.0.2.66:5060' });
  expect(refusals()).toBe(1);
  await told({ source: '192.0.2.67:5060' });
  expect(refusals()).toBe(2);
  world.clock.advance(60_000);
  await told({ source: '192.0.2.66:5060' });
  expect(refusals()).toBe(3);
});

test.each([
  ['the account', { To: '<sip:9@x>' }, `${YES}Message-Account: sip:m1@pbx\r\n`, 'box-m1'],
  ['an account that is no URI', { To: '<sip:9@x>' }, `${YES}Message-Account: m1\r\n`, 'box-m1'],
  ['To, of an account not known here', {}, `${YES}Message-Account: sip:asterisk@pbx\r\n`, 'box-1001'],
  ['the Request-URI', { To: '<sip:9@x>' }, YES, 'box-1001'],
])('whose it is says %s', async (_by, headers, body, mailbox) => {
  expect(await told({ headers, body })).toBe(200);
  expect(learnt[0]?.[0]).toBe(mailbox);
});

test.each([
  ['of another event', { Event: 'presence' }, YES, 489],
  ['without an event', { Event: '' }, YES, 489],
  ['that says nothing', {}, 'nonsense', 400],
  ['without a body', {}, '', 200],
])('%s: nothing is learnt', async (_what, headers, body, status) => {
  expect(await told({ headers, body })).toBe(status);
  expect(learnt).toEqual([]);
});

test('in a dialog of the process before: what it says is so, the dialog is over', async () => {
  expect(await told({ headers: { To: '<sip:1001@acme.test>;tag=old' } })).toBe(481);
  expect(learnt).toHaveLength(1);
});
