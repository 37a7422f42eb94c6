import fc from 'fast-check';
import { expect, test } from 'vitest';
import { reasonHeader, warning } from '../../../src/sip/reasons.ts';
import { passedOn } from '../../../src/sip/status.ts';
import { FakeResponse } from '../../support/fake-sip.ts';

test("somebody else's reason phrase cannot break out of its header", () => {
  const phrase = 'Busy" \\ ;cause=1\r\nEvil: 1';
  expect(reasonHeader(486, phrase)).toBe('SIP;cause=486;text="Busy\\" \\\\ ;cause=1  Evil: 1"');
  expect(warning('h.test', phrase)).toBe('399 h.test "Busy\\" \\\\ ;cause=1  Evil: 1"');
});

test.each([
  [401, 502],
  [407, 502],
  [202, 480],
  [302, 480],
  [486, 486],
  [480, 480],
  [503, 503],
  [603, 603],
  [420, 400],
  [499, 400],
  [555, 500],
  [607, 600],
  [799, 600],
  [0, 480],
  // RFC 5626 5.3: the phone's connection is gone.
  [430, 480],
])('%i of one side becomes %i on the other', (status, expected) => expect(passedOn(status)).toBe(expected));

test('whatever a far end answers, drachtio-srf can send what we make of it', () => {
  fc.assert(
    fc.property(fc.integer({ min: 100, max: 999 }), (status) => {
      const response = new FakeResponse();
      response.send(passedOn(status));
      expect(response.final?.status).toBeGreaterThanOrEqual(400);
    }),
  );
});
