import type { CivicAddress } from '../api/types.ts';
import { texts } from '../texts.ts';

/** The address as lines of an envelope. */
export function addressLines(address: CivicAddress): string[] {
  const { customerName, houseNumber, street, city, state, postcode, country } = address;
  const town = [city, state, postcode].filter(Boolean).join(' ');
  const inside = insideOf(address);
  return [customerName, inside, `${houseNumber} ${street}`, town, countryName(country)].filter(
    (line) => line !== '',
  );
}

function countryName(code: string): string {
  return new Intl.DisplayNames('en-GB', { type: 'region' }).of(code) ?? code;
}

function insideOf({ floor, room }: CivicAddress): string {
  const level = floor === null || /^\D{2}/.test(floor) ? (floor ?? '') : texts.phone.floor(floor);
  const place = room === null || !/^[\d.]+$/.test(room) ? (room ?? '') : texts.phone.room(room);
  return [level, place].filter(Boolean).join(', ');
}

/** `10 Example Street, London, 1st floor` */
export function oneLine(address: CivicAddress): string {
  const { houseNumber, street, city } = address;
  return [`${houseNumber} ${street}`, city, insideOf(address)].filter(Boolean).join(', ');
}
