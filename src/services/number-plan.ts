import phone, { type RegionCode } from 'google-libphonenumber';
import type { NumberPlan } from '../domain/view.ts';

const CACHE_SIZE = 10_000;

const numbers = phone.PhoneNumberUtil.getInstance();
const shortNumbers = phone.ShortNumberInfo.getInstance();
const countries: ReadonlySet<string> = new Set(numbers.getSupportedRegions());

/**
 * Public knowledge about a country's numbers (ISO 3166-1 alpha-2, upper case); undefined for an unknown country.
 * Emergency numbers are those of `isEmergencyNumber`: `connectsToEmergencyNumber` would take extension 9999 as well.
 */
export function createNumberPlan(country: string): NumberPlan | undefined {
  if (!countries.has(country)) return undefined;
  return {
    isEmergency: remembered(
      (digits) => isShort(digits) && shortNumbers.isEmergencyNumber(digits, country as RegionCode),
    ),
    toE164: remembered((digits) => toE164(digits, country)),
    isShortNumber: remembered((digits) => isShort(digits) && isShortNumber(digits, country)),
  };
}

/** The library skips other characters: to it `9x9x9` is 999. */
function isShort(digits: string): boolean {
  return /^\d{2,8}$/.test(digits);
}

function toE164(digits: string, country: string): string | undefined {
  const number = parse(digits, country);
  if (!number || !numbers.isValidNumber(number)) return undefined;
  return numbers.format(number, phone.PhoneNumberFormat.E164);
}

function isShortNumber(digits: string, country: string): boolean {
  const number = parse(digits, country);
  return number !== undefined && shortNumbers.isValidShortNumberForRegion(number, country as RegionCode);
}

/** Undefined where the library throws: too short, too long, no such country code. */
function parse(digits: string, country: string): phone.PhoneNumber | undefined {
  if (!/^\+?\d{2,20}$/.test(digits)) return undefined;
  try {
    return numbers.parse(digits, country);
  } catch {
    return undefined;
  }
}

/** Parsing takes tens of microseconds and the same numbers come again and again. Bounded: emptied when full. */
function remembered<T>(compute: (digits: string) => T): (digits: string) => T {
  const cache = new Map<string, { readonly value: T }>();
  return (digits) => {
    const found = cache.get(digits);
    if (found) return found.value;
    if (cache.size >= CACHE_SIZE) cache.clear();
    const value = compute(digits);
    if (digits.length <= 32) cache.set(digits, { value });
    return value;
  };
}
