import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseSipUri, sameUri } from '../../../src/domain/uri.ts';

describe('sameUri', () => {
  // The examples of RFC 3261 19.1.4.
  test.each([
    ['sip:%61lice@atlanta.com;transport=TCP', 'sip:alice@AtLanTa.CoM;Transport=tcp'],
    ['sip:carol@chicago.com', 'sip:carol@chicago.com;newparam=5'],
    ['sip:carol@chicago.com', 'sip:carol@chicago.com;security=on'],
    [
      'sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com',
      'sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com',
    ],
    [
      'sip:alice@atlanta.com?subject=project%20x&priority=urgent',
      'sip:alice@atlanta.com?priority=urgent&subject=project%20x',
    ],
    ['<sip:a@b>', ' sip:a@b '],
    ['sip:a@[2001:DB8::1]:5060', 'sip:a@[2001:db8::1]:5060'],
    ['mailto:a@b', 'mailto:a@b'],
  ])('%s = %s', (a, b) => {
    expect(sameUri(a, b)).toBe(true);
    expect(sameUri(b, a)).toBe(true);
  });

  test.each([
    ['SIP:ALICE@AtLanTa.CoM;Transport=udp', 'sip:alice@AtLanTa.CoM;Transport=UDP'],
    ['sip:bob@biloxi.com', 'sip:bob@biloxi.com:5060'],
    ['sip:bob@biloxi.com', 'sip:bob@biloxi.com;transport=udp'],
    ['sip:bob@biloxi.com', 'sip:bob@biloxi.com:6000;transport=tcp'],
    ['sip:carol@chicago.com', 'sip:carol@chicago.com?Subject=next%20meeting'],
    ['sip:bob@phone21.boxesbybob.com', 'sip:bob@192.0.2.4'],
    ['sip:carol@chicago.com;security=off', 'sip:carol@chicago.com;security=on'],
    ['sip:a@b', 'sips:a@b'],
    ['sip:a@b', 'sip:b'],
    ['sip:a@b;user=phone', 'sip:a@b'],
    ['sip:a@b;maddr=1.2.3.4', 'sip:a@b'],
    ['sip:a:pw@b', 'sip:a@b'],
    ['sip:a%40b@c', 'sip:a@b@c'],
    ['tel:1', 'tel:2'],
  ])('%s ≠ %s', (a, b) => {
    expect(sameUri(a, b)).toBe(false);
    expect(sameUri(b, a)).toBe(false);
  });

  test('total, and every text is the same as itself', () => {
    fc.assert(fc.property(fc.string(), (text) => sameUri(text, text)));
  });
});

describe('parseSipUri', () => {
  test('parts', () => {
    const uri = parseSipUri('<sips:al%20ice:pw@[2001:DB8::1]:5061;Transport=TLS;lr?X=1>');
    expect(uri).toMatchObject({ scheme: 'sips', user: 'al%20ice:pw', host: '[2001:db8::1]', port: 5061 });
    expect([...(uri?.params ?? [])]).toEqual([
      ['transport', 'TLS'],
      ['lr', ''],
    ]);
    expect([...(uri?.headers ?? [])]).toEqual([['x', '1']]);
  });

  test.each(['', 'sip:', 'sip:@b', 'sip:a@', 'http://a', 'sip:a@b:99999', 'sip:a b@c', '*', 'sip:a@b c'])(
    '%s is none',
    (text) => expect(parseSipUri(text)).toBeUndefined(),
  );
});
