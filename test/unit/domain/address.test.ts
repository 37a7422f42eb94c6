import { describe, expect, test } from 'vitest';
import {
  ADDRESS_WORDS,
  type AddressReason,
  addressProblems,
  needsGoodAddress,
  normaliseAddress,
  sameAddress,
} from '../../../src/domain/address.ts';
import type { CivicAddress } from '../../../src/domain/directory.ts';
import { locationAfterEdit, locationAfterRegistration } from '../../../src/domain/location.ts';
import { host } from './example.ts';

const london: CivicAddress = {
  customerName: 'Acme',
  houseNumber: '10',
  street: 'Example Street',
  city: 'London',
  postcode: 'EC1A 1AA',
  country: 'GB',
};

function problems(differs: Partial<CivicAddress>): string[] {
  return addressProblems({ ...london, ...differs }).map(({ field, reason }) => `${field} ${reason}`);
}

function postcodeOf(country: string, postcode: string, state?: string): string {
  return normaliseAddress({ ...london, country, postcode, state }).postcode;
}

describe('postcodes', () => {
  test.each([
    ['M1 1AE', 'M1 1AE'],
    ['B33 8TH', 'B33 8TH'],
    ['CR2 6XH', 'CR2 6XH'],
    ['DN55 1PT', 'DN55 1PT'],
    ['W1A 1HQ', 'W1A 1HQ'],
    ['EC1A 1BB', 'EC1A 1BB'],
    ['SE1P 5LX', 'SE1P 5LX'],
    ['N1P 3BN', 'N1P 3BN'],
    ['E1W 1LA', 'E1W 1LA'],
    ['GIR 0AA', 'GIR 0AA'],
    ['BF1 3AA', 'BF1 3AA'],
    ['BT9 7JL', 'BT9 7JL'],
    ['ec1a1aa', 'EC1A 1AA'],
    [' sw1a  2aa ', 'SW1A 2AA'],
    ['m11ae', 'M1 1AE'],
    ['L1\u00a08JQ', 'L1 8JQ'],
  ])('GB %j is kept as %s', (written, kept) => {
    expect(problems({ postcode: written })).toEqual([]);
    expect(postcodeOf('GB', written)).toBe(kept);
  });

  test.each(['EC1A', '1AA EC1A', 'Q1 1AA', 'V1 1AA', 'X1 1AA', 'AI1 1AA', 'AJ1 1AA', 'AZ1 1AA', 'A1I 1AA'])(
    'GB %j is none',
    (postcode) => expect(problems({ postcode })).toEqual(['postcode notUkPostcode']),
  );
  test.each(['EC1I 1AA', 'EC1A 1CA', 'EC1A 1AO', 'EC1AA 1AA', 'EC100 1AA', '12345', 'GIR 1AA', 'EC1A-1AA'])(
    'GB %j is none, either',
    (postcode) => expect(problems({ postcode })).toEqual(['postcode notUkPostcode']),
  );

  test.each(['GG', 'IM', 'JE'])('%s has codes like GB', (country) => {
    expect(problems({ country, postcode: `${country === 'GG' ? 'GY' : country}1 1AA` })).toEqual([]);
    expect(problems({ country, postcode: '12345' })).toEqual(['postcode notUkPostcode']);
  });

  test.each([
    ['US', 'NY', '10118', '10118'],
    ['US', 'ny', '10118-0110', '10118-0110'],
    ['US', 'PR', '00901', '00901'],
    ['CA', 'ON', 'k1a0b1', 'K1A 0B1'],
    ['CA', 'QC', 'H2Y 1C6', 'H2Y 1C6'],
    ['IE', undefined, '', ''],
    ['IE', undefined, 'd02x285', 'D02 X285'],
    ['IE', undefined, 'D6W XY00', 'D6W XY00'],
    ['AU', 'nsw', '2000', '2000'],
    ['DE', undefined, '10115', '10115'],
    ['FR', undefined, '75 001', '75001'],
    ['NL', undefined, '1012 JS', '1012 JS'],
    ['CH', undefined, '8001', '8001'],
  ])('%s %s %j is fine', (country, state, postcode, kept) => {
    expect(problems({ country, state, postcode })).toEqual([]);
    expect(postcodeOf(country, postcode, state)).toBe(kept);
  });

  test.each<[string, string | undefined, string, string[]]>([
    ['US', undefined, '10118', ['state missing']],
    ['US', 'XX', '1011', ['state notUsState', 'postcode notZipCode']],
    ['US', 'New York', '10118', ['state notUsState']],
    ['US', 'ON', '101180110', ['state notUsState', 'postcode notZipCode']],
    ['CA', 'NY', 'K1A 0B1', ['state notCanadianProvince']],
    ['CA', 'ON', 'D1A 0B1', ['postcode notCanadianPostalCode']],
    ['CA', 'ON', '', ['postcode missing']],
    ['IE', undefined, 'X285', ['postcode notEircode']],
    ['IE', undefined, 'B02 X285', ['postcode notEircode']],
    ['AU', undefined, '200', ['state missing', 'postcode notFourDigits']],
    ['AU', 'NZ', '2000', ['state notAustralianState']],
    ['DE', undefined, '1011', ['postcode notFiveDigits']],
    ['FR', undefined, 'F-75001', ['postcode notFiveDigits']],
    ['NL', undefined, '', ['postcode missing']],
    ['CH', undefined, ' - ', ['postcode missing']],
    ['UK', undefined, 'EC1A 1AA', ['country notCountry']],
    ['ZZ', undefined, '1', ['country notCountry']],
    ['', undefined, '1', ['country missing']],
  ])('%s %s %j is not', (country, state, postcode, expected) => {
    expect(problems({ country, state, postcode })).toEqual(expected);
  });
});

describe('addressProblems', () => {
  test.each(['customerName', 'houseNumber', 'street', 'city'] as const)('%s must say something', (field) => {
    for (const nothing of ['', '   ', '-', '.'])
      expect(problems({ [field]: nothing })).toEqual([`${field} missing`]);
    expect(problems({ [field]: 'Ж 7' })).toEqual([]);
  });

  test('names every problem at once', () => {
    expect(problems({ houseNumber: ' ', city: '', postcode: 'N1', room: 'a\u0000b' })).toEqual([
      'houseNumber missing',
      'city missing',
      'postcode notUkPostcode',
      'room unprintable',
    ]);
  });

  test.each(['\u0000', '\n', '\u001b', '\u0085', '\u2028', '\ud800', '\ufffe'])(
    'what XML cannot carry (%j) is refused wherever it stands',
    (character) => {
      for (const field of ['customerName', 'street', 'city', 'floor', 'room', 'houseNumber'] as const) {
        expect(problems({ [field]: `a${character}b` })).toEqual([`${field} unprintable`]);
      }
    },
  );

  test('letters of any script and pairs beyond the first plane are fine', () => {
    expect(
      problems({ customerName: 'Søren & Söhne “Ünïcode” 株式会社 😀', street: 'Rue de l’Église' }),
    ).toEqual([]);
  });

  test('every reason has words, and all of them differ', () => {
    const words = Object.values(ADDRESS_WORDS);
    expect(new Set(words).size).toBe(words.length);
    expect(words.every((text) => text.startsWith('must '))).toBe(true);
    expect(Object.keys(ADDRESS_WORDS)).toContain('missing' satisfies AddressReason);
  });

  test('normalising twice is normalising once, and leaves blanks of a name inside alone', () => {
    const once = normaliseAddress({ ...london, customerName: ' Acme  Ltd ', floor: ' ', room: ' 1.02 ' });
    expect(once).toEqual({ ...london, customerName: 'Acme  Ltd', room: '1.02' });
    expect(normaliseAddress(once)).toEqual(once);
  });
});

describe('needsGoodAddress', () => {
  const bad = host('d1', { enabled: false, address: { ...london, postcode: 'N1' } });

  test('a new host, another address, another kind of phone, switching it on', () => {
    expect(needsGoodAddress(undefined, bad)).toBe(true);
    expect(needsGoodAddress(bad, { ...bad, address: { ...bad.address, city: 'Leeds' } })).toBe(true);
    expect(needsGoodAddress(bad, { ...bad, kind: 'user', owner: '1001' })).toBe(true);
    expect(needsGoodAddress(bad, { ...bad, enabled: true })).toBe(true);
  });

  test('what is stored stays editable otherwise', () => {
    expect(needsGoodAddress(bad, { ...bad, nickname: 'x' })).toBe(false);
    const on = { ...bad, enabled: true };
    expect(needsGoodAddress(on, { ...on, enabled: false })).toBe(false);
    expect(needsGoodAddress(on, { ...on, location: { network: '192.0.2.0/24', verified: false } })).toBe(
      false,
    );
  });
});

describe('locations', () => {
  const here = host('d1', { location: { network: '192.0.2.0/24', verified: true } });

  test('the first network is where the address was given for; any other is unverified', () => {
    expect(locationAfterRegistration(host('d1'), '192.0.2.0/24')).toEqual(here.location);
    expect(locationAfterRegistration(here, '192.0.2.0/24')).toBeUndefined();
    const moved = { network: '198.51.100.0/24', verified: false };
    expect(locationAfterRegistration(here, '198.51.100.0/24')).toEqual(moved);
    // Coming back proves nothing: the address may have been changed for the place between.
    expect(locationAfterRegistration({ ...here, location: moved }, '192.0.2.0/24')).toEqual({
      network: '192.0.2.0/24',
      verified: false,
    });
  });

  test('another address verifies; the same one, written differently, does not', () => {
    const moved = host('d1', { location: { network: '192.0.2.0/24', verified: false } });
    const { location: _, ...written } = moved;
    const same = { ...written, address: { ...moved.address, postcode: 'ec1a1aa' } };
    expect(sameAddress(moved.address, same.address)).toBe(true);
    expect(locationAfterEdit(moved, same)).toEqual(moved.location);
    const other = { ...written, address: { ...moved.address, room: 'elsewhere' } };
    expect(locationAfterEdit(moved, other)).toEqual({ network: '192.0.2.0/24', verified: true });
    expect(locationAfterEdit(undefined, other)).toBeUndefined();
    expect(locationAfterEdit(host('d1'), other)).toBeUndefined();
  });
});
