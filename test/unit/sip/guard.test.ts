import { describe, expect, test } from 'vitest';
import { refuseUnacceptable } from '../../../src/sip/guard.ts';
import { FakeRequest, FakeResponse } from '../../support/fake-sip.ts';

/** RFC 3261 8.2, what it leaves to the user agent core. */

type Parts = ConstructorParameters<typeof FakeRequest>[0];

function judge(parts: Parts): { status: number | undefined; headers: Record<string, string> } {
  const response = new FakeResponse();
  const refused = refuseUnacceptable(new FakeRequest(parts).asRequest, response.asResponse);
  expect(refused).toBe(response.final !== undefined);
  return { status: response.final?.status, headers: response.final?.headers ?? {} };
}

const sdp = { body: 'v=0\r\n', headers: { 'Content-Type': 'application/sdp' } };

test.each<[string, Parts]>([
  ['an INVITE with an offer', sdp],
  ['an INVITE without', {}],
  ['a tel URI', { uri: 'tel:+442079460101' }],
  ['a service URN', { uri: 'urn:service:sos' }],
  ['extensions we have', { headers: { Require: '100rel, Timer', 'Proxy-Require': 'path' } }],
  ['a type with parameters', { body: 'v=0', headers: { 'Content-Type': 'Application/SDP; charset=utf-8' } }],
  ['Accept with anything', { headers: { Accept: 'text/plain, */*;q=0.1' } }],
  ['a body of another method', { method: 'REGISTER', body: 'x', headers: { 'Content-Type': 'text/plain' } }],
])('%s goes on', (_what, parts) => expect(judge(parts).status).toBeUndefined());

describe('refused', () => {
  test('416: a scheme we do not know', () => {
    expect(judge({ uri: 'nobodyKnowsThisScheme:a' }).status).toBe(416);
  });

  test('420: an extension we do not have, named', () => {
    const { status, headers } = judge({
      headers: { Require: '100rel, nothingSupportsThis', 'Proxy-Require': 'b' },
    });
    expect(status).toBe(420);
    expect(headers.Unsupported).toBe('nothingSupportsThis, b');
  });

  test.each([
    ['no type', {}],
    ['another type', { 'Content-Type': 'multipart/mixed;boundary=x' }],
    ['an encoding', { 'Content-Type': 'application/sdp', 'Content-Encoding': 'gzip' }],
  ])('415: a body with %s', (_what, headers) => {
    const refusal = judge({ body: 'v=0', headers: headers as Record<string, string> });
    expect(refusal.status).toBe(415);
    expect(refusal.headers.Accept).toBe('application/sdp');
  });

  test('406: no answer we could give', () => {
    expect(judge({ headers: { Accept: 'text/plain' } }).status).toBe(406);
  });
});
