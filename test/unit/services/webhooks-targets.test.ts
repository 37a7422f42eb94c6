import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { SECRET_BYTES, secretText, signatureOf } from '../../../src/services/webhooks/signature.ts';
import { createWebhookTargets } from '../../../src/services/webhooks/targets.ts';

const strict = createWebhookTargets({ allowInsecure: false, allowedNetworks: [] });
const demo = createWebhookTargets({
  allowInsecure: true,
  allowedNetworks: ['127.0.0.0/8', '::1/128', '10.1.2.3'],
});

describe('addresses', () => {
  test.each([
    '0.0.0.0',
    '10.0.0.1',
    '100.64.0.1',
    '127.0.0.1',
    '127.255.255.254',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.0.0.8',
    '192.0.2.1',
    '192.168.1.1',
    '198.18.0.1',
    '203.0.113.9',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::127.0.0.1',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '0:0:0:0:0:ffff:a9fe:a9fe',
    '::ffff:10.0.0.1',
    '64:ff9b::7f00:1',
    '64:ff9b:1::1',
    '100::1',
    '2001::1',
    '2001:db8::1',
    '2002:7f00:1::',
    '3fff::1',
    '5f00::1',
    'fc00::1',
    'fd12:3456::1',
    'fe80::1',
    'fe80::1%eth0',
    'fec0::1',
    'ff02::1',
    'not an address',
    '',
  ])('%s is refused', (address) => {
    expect(strict.refuseAddress(address)).toEqual(expect.any(String));
  });

  test.each([
    '1.1.1.1',
    '8.8.8.8',
    '172.32.0.1',
    '100.128.0.1',
    '::ffff:8.8.8.8',
    '2606:4700::1111',
    '2a00::1',
  ])('%s may be reached', (address) => expect(strict.refuseAddress(address)).toBeUndefined());

  test('an allowed network is fine, as IPv6 too, and nothing beside it', () => {
    for (const address of ['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1', '10.1.2.3']) {
      expect(demo.refuseAddress(address), address).toBeUndefined();
    }
    for (const address of ['10.1.2.4', '192.168.0.1', '::2', 'fe80::1']) {
      expect(demo.refuseAddress(address), address).toEqual(expect.any(String));
    }
  });

  test('the words say what is wrong and which setting helps', () => {
    expect(strict.refuseAddress('10.0.0.5')).toBe(
      '10.0.0.5 is a private network, which webhooks.allowedNetworks does not allow',
    );
    expect(strict.refuseAddress('::ffff:127.0.0.1')).toMatch(/^127\.0\.0\.1 is this machine \(loopback\), /);
  });
});

describe('URLs', () => {
  test.each([
    ['http://example.com/', /webhooks\.allowInsecure/],
    ['ftp://example.com/', /https:/],
    ['file:///etc/passwd', /https:/],
    ['javascript:alert(1)', /https:/],
    ['example.com', /no URL/],
    ['', /no URL/],
    ['https://user@example.com/', /user name or password/],
    ['https://:secret@example.com/', /user name or password/],
    [`https://example.com/${'x'.repeat(2000)}`, /2000 characters/],
    ['https://127.0.0.1/', /loopback/],
    ['https://127.1/', /loopback/],
    ['https://2130706433/', /loopback/],
    ['https://0x7f.0.0.1/', /loopback/],
    ['https://0177.0.0.1/', /loopback/],
    ['https://localhost/', /loopback/],
    ['https://LOCALHOST./', /loopback/],
    ['https://a.localhost:8443/', /loopback/],
    ['https://[::1]/', /loopback/],
    ['https://[::ffff:169.254.169.254]/', /link-local/],
    ['https://169.254.169.254/latest/meta-data', /link-local/],
    ['https://１２７.0.0.1/', /loopback/],
  ])('%s is refused', (url, words) => {
    expect(strict.refuseUrl(url)).toMatch(words);
  });

  test.each(['https://hooks.example.com/a?b=c', 'https://hooks.example.com:8443/', 'https://1.1.1.1/'])(
    '%s may be used',
    (url) => expect(strict.refuseUrl(url)).toBeUndefined(),
  );

  test('http and loopback where both are allowed', () => {
    for (const url of ['http://localhost:9000/x', 'http://127.0.0.1/', 'https://[::1]:1/']) {
      expect(demo.refuseUrl(url), url).toBeUndefined();
    }
    expect(demo.refuseUrl('http://192.168.0.1/')).toMatch(/private/);
  });
});

describe('signature', () => {
  test('is that of the Standard Webhooks specification: the example of its libraries', () => {
    // Published test vector of the specification's reference libraries.
    const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
    const signed = {
      id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      timestamp: 1614265330,
      body: '{"test": 2432232314}',
    };
    expect(signatureOf(signed, secret)).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
  });

  test('a secret is 32 octets in base64 behind whsec_', () => {
    const key = new Uint8Array(SECRET_BYTES).fill(0xfb);
    const secret = secretText(key);
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    const mac = createHmac('sha256', key).update('a.1.b').digest('base64');
    expect(signatureOf({ id: 'a', timestamp: 1, body: 'b' }, secret)).toBe(`v1,${mac}`);
  });
});
