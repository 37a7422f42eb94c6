import type { Company } from './directory.ts';

export type PasscodeProblem =
  | 'notDigits'
  | 'tooShort'
  | 'tooLong'
  | 'repeated'
  | 'ascending'
  | 'descending'
  | 'holdsExtension'
  | 'unchanged';

export type PasscodeLength = Company['passcodeLength'];

export interface PasscodeRules {
  readonly extension: string;
  /** Of the company. */
  readonly length: PasscodeLength;
  /** The passcode it replaces, where that must not stay. */
  readonly previous?: string | undefined;
}

/** What a company may ask for. */
export const PASSCODE_LENGTH_LIMITS: PasscodeLength = { min: 4, max: 12 };
/** What it asks for unless it says otherwise. */
export const PASSCODE_LENGTH: PasscodeLength = { min: 6, max: 12 };

/** The rest of a sentence that begins with the passcode, for administrators. */
export const PASSCODE_WORDS = {
  notDigits: 'must be digits only',
  tooShort: 'is too short',
  tooLong: 'is too long',
  repeated: 'repeats the same digits',
  ascending: 'is a row of digits',
  descending: 'is a row of digits',
  holdsExtension: 'holds the extension, forwards or backwards',
  unchanged: 'is the one it replaces',
} as const satisfies Record<PasscodeProblem, string>;

/** Everything wrong with a passcode somebody wants to set; empty when it will do. Never holds its digits. */
export function passcodeProblems(passcode: string, rules: PasscodeRules): PasscodeProblem[] {
  const { extension, length, previous } = rules;
  if (!/^\d+$/.test(passcode)) return ['notDigits'];
  const checks: [boolean, PasscodeProblem][] = [
    [passcode.length < length.min, 'tooShort'],
    [passcode.length > length.max, 'tooLong'],
    [isRepeated(passcode), 'repeated'],
    [isRun(passcode, 1), 'ascending'],
    [isRun(passcode, 9), 'descending'],
    [holdsExtension(passcode, extension), 'holdsExtension'],
    [passcode === previous, 'unchanged'],
  ];
  return checks.flatMap(([bad, problem]) => (bad ? [problem] : []));
}

/** One block over and over, the last time perhaps in part: 111111, 121212, 234234, 1212121. */
function isRepeated(digits: string): boolean {
  const longest = Math.floor(Math.min(digits.length, PASSCODE_LENGTH_LIMITS.max) / 2);
  const blocks = Array.from({ length: longest }, (_, at) => digits.slice(0, at + 1));
  return blocks.some((block) => block.repeat(Math.ceil(digits.length / block.length)).startsWith(digits));
}

/** Each digit `step` above the last, counting on from 9 to 0: 456789, 789012; with step 9 downwards. */
function isRun(digits: string, step: number): boolean {
  const values = [...digits].map(Number);
  return values.every((value, at) => at === 0 || value === ((values[at - 1] ?? 0) + step) % 10);
}

/** Anywhere in it, forwards or backwards; extensions of two digits occur by chance and are let pass. */
function holdsExtension(digits: string, extension: string): boolean {
  if (extension.length < 3) return digits === extension;
  return digits.includes(extension) || digits.includes([...extension].reverse().join(''));
}
