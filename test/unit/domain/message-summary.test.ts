import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  formatSummary,
  isMailboxState,
  NOTHING_WAITS,
  parseSummary,
} from '../../../src/domain/message-summary.ts';

/** RFC 3842 5.2, and what PBXs make of it. */

const read = (body: string): string | undefined => {
  const summary = parseSummary(body);
  if (!summary) return undefined;
  const { waiting, new: fresh, old, urgentNew, urgentOld } = summary.state;
  return `${waiting} ${fresh}/${old} (${urgentNew}/${urgentOld}) ${summary.account ?? ''}`.trim();
};

describe('a body', () => {
  test.each([
    [
      'Messages-Waiting: yes\r\nMessage-Account: sip:alice@vmail.example.com\r\nVoice-Message: 2/8 (0/2)\r\n',
      'true 2/8 (0/2) sip:alice@vmail.example.com',
    ],
    ['Messages-Waiting: no\r\n', 'false 0/0 (0/0)'],
    ['messages-waiting:YES\nvoice-message: 2/0\n', 'true 2/0 (0/0)'],
    ['Messages-Waiting : yes\rVoice-Message : 1 / 2 ( 3 / 4 )', 'true 1/2 (3/4)'],
    ['Message-Waiting: yes\r\n', 'true 0/0 (0/0)'],
    ['Voice-Message: 3/1\r\n', 'true 3/1 (0/0)'],
    ['Voice-Message: 0/4 (0/0)\r\n', 'false 0/4 (0/0)'],
    // A fax waits, no voice message does: the lamp is on.
    ['Messages-Waiting: yes\r\nFax-Message: 1/0\r\nVoice-Message: 0/0\r\n', 'true 0/0 (0/0)'],
    ['Messages-Waiting: yes\r\nVoice-Message: many\r\n', 'true 0/0 (0/0)'],
    ['Messages-Waiting: yes\r\nVoice-Message: 99999999999/0\r\n', 'true 4294967295/0 (0/0)'],
    // What follows is about single messages.
    [
      'Messages-Waiting: no\r\nVoice-Message: 0/1\r\n\r\nTo: x\r\nMessages-Waiting: yes\r\n',
      'false 0/1 (0/0)',
    ],
  ])('%j', (body, state) => {
    expect(read(body)).toBe(state);
  });

  test.each(['', 'nonsense', 'Messages-Waiting: perhaps', `Messages-Waiting: yes\r\n${'x'.repeat(9_000)}`])(
    'that says nothing: %.40s',
    (body) => {
      expect(parseSummary(body)).toBeUndefined();
    },
  );

  test('of anything at all', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 400 }), (body) => {
        const summary = parseSummary(`Messages-Waiting: ${body}`);
        return summary === undefined || isMailboxState(summary.state);
      }),
    );
  });

  test('is written as RFC 3842 has it, and read back', () => {
    const state = { waiting: true, new: 4, old: 1, urgentNew: 1, urgentOld: 0 };
    const body = formatSummary(state, 'sip:8001@acme.test');
    expect(body).toBe(
      'Messages-Waiting: yes\r\nMessage-Account: sip:8001@acme.test\r\nVoice-Message: 4/1 (1/0)\r\n',
    );
    expect(parseSummary(body)).toEqual({ state, account: 'sip:8001@acme.test' });
  });
});

test.each([
  [NOTHING_WAITS, true],
  [{ ...NOTHING_WAITS, new: '1' }, false],
  [{ waiting: true }, false],
  [null, false],
  ['yes', false],
])('a value of another version is none: %j', (value, is) => {
  expect(isMailboxState(value)).toBe(is);
});
