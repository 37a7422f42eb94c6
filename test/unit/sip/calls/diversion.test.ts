import { describe, expect, test } from 'vitest';
import {
  causeOf,
  type DiversionReason,
  diversionHeader,
  diversionsIn,
  historyHeader,
  reasonOf,
} from '../../../../src/sip/calls/diversion.ts';

/** RFC 5806, RFC 7044, RFC 7544, and the causes of RFC 4458. */

const ME = { domain: 'acme.test' };

describe('why nobody took a call', () => {
  test.each([
    [486, 'Busy Here', 'user-busy', 486],
    [600, 'Busy Everywhere', 'user-busy', 486],
    [603, 'Decline', 'deflection', 480],
    [480, 'No answer', 'no-answer', 408],
    [408, 'Request Timeout', 'no-answer', 408],
    [487, 'Request Terminated', 'no-answer', 408],
    [480, 'Temporarily Unavailable', 'unavailable', 404],
    [404, 'Not Found', 'unavailable', 404],
    [503, 'Service Unavailable', 'unavailable', 404],
  ] as const)('%i %s is %s', (status, text, reason, cause) => {
    expect(reasonOf({ status, reason: text })).toBe(reason);
    expect(causeOf(reason)).toBe(cause);
  });

  test('unconditional has a cause too, and collecting messages none', () => {
    expect(causeOf('unconditional')).toBe(302);
    expect(causeOf('unknown')).toBeUndefined();
  });
});

describe('Diversion', () => {
  const step = (number: string, reason: DiversionReason) => ({ number, reason });

  test('the latest first, then what came along', () => {
    const chain = [step('1001', 'unconditional'), step('1002', 'no-answer')];
    expect(diversionHeader(chain, { ...ME, before: ' <sip:9@pbx.test>;reason=away ' })).toEqual({
      Diversion:
        '<sip:1002@acme.test>;reason=no-answer;counter=1;privacy=off, ' +
        '<sip:1001@acme.test>;reason=unconditional;counter=1;privacy=off, <sip:9@pbx.test>;reason=away',
    });
  });

  test('none where nothing was diverted; what is too long stays behind', () => {
    expect(diversionHeader([], ME)).toEqual({});
    expect(diversionHeader([], { ...ME, before: `<sip:${'9'.repeat(1_000)}@x>` })).toEqual({});
  });

  test.each(['"abc <sip:9@x>', '<sip:9@x', 'sip:9@x>', '<sip:9@x>;a="\u0001"', '<sip:9@x>\r\nX-Evil: 1'])(
    'what no reader would take stays behind: %j',
    (before) => {
      expect(diversionHeader([step('1001', 'no-answer')], { ...ME, before })).toEqual({
        Diversion: '<sip:1001@acme.test>;reason=no-answer;counter=1;privacy=off',
      });
    },
  );

  test('quotes, brackets and other alphabets in their places go on', () => {
    const before = '"É \\" <b>" <sip:9@x;y=">">;reason="a,b"';
    expect(diversionHeader([], { ...ME, before })).toEqual({ Diversion: before });
  });

  test.each([
    [undefined, 0],
    ['', 0],
    ['<sip:1@a>;reason=away', 1],
    ['<sip:1@a>;reason=away;counter=3', 3],
    ['"A, B" <sip:1@a;x=1,2>;counter="2", <sip:2@a>', 3],
    ['<sip:1@a>;counter=0', 1],
    ['<sip:1;counter=9@a>', 1],
    [',,', 0],
  ])('%s counts as %i', (header, count) => {
    expect(diversionsIn(header)).toBe(count);
  });
});

test.each([
  ['brackets that never close', '<'.repeat(60_000)],
  ['a quote that never closes', `"${'\\"'.repeat(30_000)}`],
])('%s cost no time: calls wait meanwhile', (_, header) => {
  const before = performance.now();
  diversionsIn(header);
  expect(performance.now() - before).toBeLessThan(100);
});

test('History-Info: who was called, why it went on, and where it is now', () => {
  const chain = [
    { number: '1001', reason: 'unconditional' },
    { number: 'm.clarke', reason: 'user-busy' },
  ] as const;
  expect(historyHeader(chain, { ...ME, target: 'sip:8001@pbx.test' })['History-Info']).toBe(
    '<sip:1001@acme.test?Reason=SIP%3Bcause%3D302>;index=1, ' +
      '<sip:m.clarke@acme.test;cause=302?Reason=SIP%3Bcause%3D486>;index=1.1;mp=1, ' +
      '<sip:8001@pbx.test;cause=486>;index=1.1.1;mp=1.1',
  );
});
