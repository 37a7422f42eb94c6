export type PasscodeProblem =
  | 'notDigits'
  | 'tooShort'
  | 'tooLong'
  | 'repeated'
  | 'ascending'
  | 'descending'
  | 'holdsExtension';

export interface PasscodeRules {
  readonly extension: string;
  /** 4–12, default 6. */
  readonly minLength?: number;
}

export const PASSCODE_MIN_LENGTH = 6;
export const PASSCODE_MAX_LENGTH = 12;

/** Everything wrong with a passcode somebody wants to set; empty when it will do. Never holds its digits. */
export function passcodeProblems(passcode: string, rules: PasscodeRules): PasscodeProblem[] {
  if (!/^\d+$/.test(passcode)) return ['notDigits'];
  const checks: [boolean, PasscodeProblem][] = [
    [passcode.length < (rules.minLength ?? PASSCODE_MIN_LENGTH), 'tooShort'],
    [passcode.length > PASSCODE_MAX_LENGTH, 'tooLong'],
    [isRepeated(passcode), 'repeated'],
    [isRun(passcode, 1), 'ascending'],
    [isRun(passcode, 9), 'descending'],
    [holdsExtension(passcode, rules.extension), 'holdsExtension'],
  ];
  return checks.flatMap(([bad, problem]) => (bad ? [problem] : []));
}

/** One block over and over: 111111, 121212, 234234. */
function isRepeated(digits: string): boolean {
  const shift = (digits + digits).indexOf(digits, 1);
  return shift < digits.length;
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
