import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isEmergencyCall, normaliseDialled } from '../../../src/domain/emergency.ts';
import { site, UK } from './example.ts';

const london = site('london');
const leeds = site('leeds', { outsideLinePrefix: '9', emergencyNumbers: ['2222', '18000'] });

describe('normaliseDialled', () => {
  test.each([
    ['999', '999'],
    ['sip:999@pbx.example', '999'],
    ['SIPS:999@pbx.example:5061;user=phone', '999'],
    ['<sip:999@pbx.example>', '999'],
    ['tel:999;phone-context=+44', '999'],
    ['tel:9-9-9', '999'],
    ['sip:(9)9. 9@pbx.example', '999'],
    ['sip:%39%39%39@pbx.example', '999'],
    ['sip:999%23@pbx.example', '999'],
    ['sip:999;phone-context=x@pbx.example;user=phone', '999'],
    ['sip:999%3Bphone-context=+44@pbx.example', '999'],
    ['sip:999%2c%2c1@pbx.example', '999'],
    ['sip:999:password@pbx.example', '999'],
    ['sip:+44 (0)20-7946.0101@x', '+4402079460101'],
    ['sip:%2A90@pbx.example', '*90'],
    ['sip:pbx.example', ''],
    ['sip:10.0.0.1;transport=tcp', ''],
    ['', ''],
    ['sip:%zz@x', '%zz'],
  ])('%s → %s', (text, digits) => expect(normaliseDialled(text)).toBe(digits));
});

describe('isEmergencyCall', () => {
  test.each([
    ['sip:999@x', london, '999'],
    ['sip:112@x', undefined, '112'],
    ['urn:service:sos', london, '999'],
    ['URN:Service:SOS.fire', london, '999'],
    ['urn:service:sos.animal-control;x=1', undefined, '999'],
    ['sip:9999@x', leeds, '999'],
    ['sip:9112@x', leeds, '112'],
    ['sip:999@x', leeds, '999'],
    ['sip:2222@x', leeds, '2222'],
    ['sip:92222@x', leeds, '2222'],
  ])('%s is one', (uri, place, number) =>
    expect(isEmergencyCall(uri, { plan: UK, site: place })).toBe(number),
  );

  test.each([
    ['sip:9999@x', london],
    ['sip:9999@x', undefined],
    ['sip:1120@x', leeds],
    ['sip:99@x', leeds],
    ['sip:9x9x9@x', london],
    ['sip:+999@x', london],
    ['sip:99999@x', leeds],
    ['sip:2222@x', london],
    ['sip:999.example.com', london],
    ['sip:x@999', london],
    ['urn:service:sosage', london],
    ['urn:service:counseling', london],
    ['', london],
  ])('%s is none', (uri, place) => expect(isEmergencyCall(uri, { plan: UK, site: place })).toBeUndefined());

  test('a service URN becomes the first number of the country', () => {
    const us = {
      isEmergency: (digits: string) => digits === '911' || digits === '112',
      toE164: () => undefined,
    };
    const nowhere = { isEmergency: () => false, toE164: () => undefined };
    expect(isEmergencyCall('urn:service:sos', { plan: us })).toBe('911');
    expect(isEmergencyCall('urn:service:sos', { plan: nowhere })).toBe('112');
  });

  test('a number library that skips other characters cannot make more of them', () => {
    const lax = { ...UK, isEmergency: (digits: string) => UK.isEmergency(digits.replace(/\D/g, '')) };
    for (const dialled of ['9x9x9', '+999', '*999', '999*']) {
      expect(isEmergencyCall(`sip:${dialled}@x`, { plan: lax, site: leeds })).toBeUndefined();
    }
  });

  const decorated = fc
    .record({
      number: fc.constantFrom('999', '112'),
      separators: fc.array(fc.constantFrom('', '-', '.', ' ', '(', ')'), { minLength: 3, maxLength: 3 }),
      escaped: fc.boolean(),
      prefix: fc.constantFrom('', '9'),
      hash: fc.constantFrom('', '#', '%23'),
      form: fc.constantFrom(
        (user: string) => user,
        (user: string) => `sip:${user}@pbx.example`,
        (user: string) => `sips:${user}@pbx.example:5061;user=phone;transport=tls`,
        (user: string) => `sip:${user}@[2001:db8::1]`,
        (user: string) => `tel:${user};phone-context=example.com`,
        (user: string) => `<sip:${user}@pbx.example>`,
      ),
    })
    .map(({ number, separators, escaped, prefix, hash, form }) => {
      const digits = [...number].map((digit, at) => {
        const shown = escaped ? `%${digit.charCodeAt(0).toString(16)}` : digit;
        return shown + (separators[at] ?? '');
      });
      return { number, uri: form(prefix + digits.join('') + hash) };
    });

  test('every way of writing an emergency number is one', () => {
    fc.assert(
      fc.property(decorated, ({ number, uri }) => isEmergencyCall(uri, { plan: UK, site: leeds }) === number),
    );
  });

  test('no other string of digits is one, so no extension is stolen', () => {
    const digits = fc.stringMatching(/^\d{1,12}$/);
    const emergency = new Set(['999', '112', '9999', '9112', '2222', '92222', '18000', '918000']);
    fc.assert(
      fc.property(digits, (dialled) => {
        const found = isEmergencyCall(`sip:${dialled}@x`, { plan: UK, site: leeds });
        return (found !== undefined) === emergency.has(dialled);
      }),
    );
  });

  test('total for any input', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
        const found = isEmergencyCall(text, { plan: UK, site: leeds });
        return found === undefined || /^\d+$/.test(found);
      }),
    );
  });

  test('a megabyte of anything takes no time', () => {
    const started = performance.now();
    for (const filler of [' ', '%', '#', '.', '(', '@', 'urn:service:sos', '9']) {
      isEmergencyCall(`sip:${filler.repeat(1_000_000 / filler.length)}x`, { plan: UK, site: leeds });
    }
    expect(performance.now() - started).toBeLessThan(2_000);
  });
});
