import type { PasscodeLength } from '../../domain/passcode.ts';

const NAMES: Record<string, string> = { '*': 'digit-star', '#': 'digit-hash', '+': 'digit-plus' };
/** Longest text that is spelled, in letters and digits: half a minute, and nobody listens longer. */
const MOST_SPELLED = 40;

/** Prompt ids that read a number digit by digit; characters nobody can say are left out. */
export function readOut(number: string): string[] {
  return [...number].flatMap((c) => NAMES[c] ?? (/\d/.test(c) ? `digit-${c}` : []));
}

/** Letter by letter and digit by digit, with a pause after each word; accents are left out, as nobody can say them. */
export function spelled(text: string, most = MOST_SPELLED): string[] {
  const words = text
    .normalize('NFKD')
    .replace(/\p{Mark}/gu, '')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '');
  let left = most;
  return words.flatMap((word) => {
    const part = word.slice(0, left);
    left -= part.length;
    return part === '' ? [] : [...[...part].map(clipOf), 'pause'];
  });
}

/** A whole number from 1 to 999 as one says it. */
export function counted(count: number): string[] {
  const hundreds = Math.floor(count / 100);
  const rest = count % 100;
  const said = hundreds > 0 ? [`digit-${hundreds}`, 'hundred'] : [];
  if (rest === 0) return said;
  const joined = hundreds > 0 ? [...said, 'and'] : said;
  if (rest < 10) return [...joined, `digit-${rest}`];
  if (rest < 20) return [...joined, `number-${rest}`];
  const ones = rest % 10;
  return [...joined, `number-${rest - ones}`, ...(ones > 0 ? [`digit-${ones}`] : [])];
}

/** A length of time in whole hours, as nobody counts minutes of a working day. */
export function hoursClips(ms: number): string[] {
  const hours = Math.round(ms / 3_600_000);
  if (hours < 1) return ['less-than-an-hour'];
  return hours === 1 ? ['one-hour'] : [...counted(Math.min(hours, 999)), 'hours'];
}

/** Whole minutes, from 1 to 999. */
export function minutesClips(minutes: number): string[] {
  return minutes === 1 ? ['one-minute'] : [...counted(minutes), 'minutes'];
}

/** How many digits a PIN has. */
export function pinLengthClips({ min, max }: PasscodeLength): string[] {
  const range =
    min === max
      ? ['pin-needs', ...counted(min)]
      : ['pin-needs-between', ...counted(min), 'and', ...counted(max)];
  return [...range, 'digits'];
}

function clipOf(character: string): string {
  return /\d/.test(character) ? `digit-${character}` : `letter-${character}`;
}
