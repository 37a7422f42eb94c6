import { describe, expect, test } from 'vitest';
import { ownHostsAt, refusalFor } from '../../../src/sip-engine/transport/ws-handshake.ts';

const HEADERS = { upgrade: 'websocket', 'sec-websocket-protocol': 'sip' };
const RULES = { ownHosts: ['192.0.2.10'] };

function statusOf(
  change: { method?: string; url?: string; headers?: Record<string, string | undefined> },
  rules: Parameters<typeof refusalFor>[1] = RULES,
): number | undefined {
  const { method = 'GET', url = '/', headers = {} } = change;
  return refusalFor({ method, url, headers: { ...HEADERS, ...headers } }, rules)?.status;
}

describe('the handshake (RFC 7118 4)', () => {
  test.each([
    ['what RFC 7118 asks for', {}, undefined],
    ['Upgrade in any case', { headers: { upgrade: 'WebSocket' } }, undefined],
    ['sip among others', { headers: { 'sec-websocket-protocol': 'chat, sip' } }, undefined],
    ['no subprotocol', { headers: { 'sec-websocket-protocol': undefined } }, 400],
    ['another subprotocol', { headers: { 'sec-websocket-protocol': 'chat' } }, 400],
    ['a subprotocol that contains sip', { headers: { 'sec-websocket-protocol': 'sipx, msrp/sip' } }, 400],
    ['another upgrade', { headers: { upgrade: 'h2c' } }, 426],
    ['no upgrade', { headers: { upgrade: undefined } }, 426],
    ['another method', { method: 'POST' }, 405],
    ['another path', { url: '/sip' }, 404],
    ['a query', { url: '/?x' }, 404],
  ] as const)('%s', (_what, change, status) => {
    expect(statusOf(change)).toBe(status);
  });

  test('what is refused says what is wanted', () => {
    const chat = { ...HEADERS, 'sec-websocket-protocol': 'chat' };
    expect(refusalFor({ method: 'GET', url: '/', headers: chat }, RULES)?.headers).toEqual({
      'Sec-WebSocket-Protocol': 'sip',
    });
  });
});

describe('Origin (RFC 6455 10.2)', () => {
  test.each([
    ['https://192.0.2.10', undefined],
    ['http://192.0.2.10:8080', undefined],
    ['https://192.0.2.11', 403],
    ['https://192.0.2.10.evil.example', 403],
    ['https://evil.example/192.0.2.10', 403],
    ['file://192.0.2.10', 403],
    ['null', 403],
    ['', 403],
  ])('without a list, %j', (origin, status) => {
    expect(statusOf({ headers: { origin } })).toBe(status);
  });

  test.each([
    ['https://phones.example', undefined],
    ['HTTPS://Phones.example', undefined],
    ['http://phones.example', 403],
    ['https://phones.example:8443', 403],
    ['https://192.0.2.10', 403],
    ['null', 403],
  ])('with a list, %j', (origin, status) => {
    const rules = { ...RULES, origins: ['https://phones.example'] };
    expect(statusOf({ headers: { origin } }, rules)).toBe(status);
  });

  test('* is any, an empty list none; what is no browser is not asked', () => {
    const origin = 'https://evil.example';
    expect(statusOf({ headers: { origin } }, { ...RULES, origins: ['*'] })).toBeUndefined();
    expect(statusOf({ headers: { origin } }, { ...RULES, origins: [] })).toBe(403);
    expect(statusOf({}, { ...RULES, origins: [] })).toBeUndefined();
  });

  test('this machine is known by the address that was reached, and on loopback by its names', () => {
    expect(ownHostsAt('192.0.2.10', 'phones.example')).toEqual(['192.0.2.10', 'phones.example']);
    expect(ownHostsAt('127.0.0.1', undefined)).toContain('localhost');
    expect(ownHostsAt('::1', undefined)).toContain('localhost');
    expect(statusOf({ headers: { origin: 'http://[::1]:8080' } }, { ownHosts: ['::1'] })).toBeUndefined();
  });
});
