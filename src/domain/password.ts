export type PasswordProblem = 'tooShort' | 'tooLong' | 'repeated' | 'holdsEmail' | 'common' | 'odd';

/** Characters. The length is what makes a password strong; no kinds of characters are asked for (NIST SP 800-63B). */
const PASSWORD_LENGTH = { min: 12, max: 128 } as const;

/** The rest of a sentence that begins with the password. */
export const PASSWORD_WORDS = {
  tooShort: `must have ${PASSWORD_LENGTH.min} characters or more`,
  tooLong: `must not have more than ${PASSWORD_LENGTH.max} characters`,
  repeated: 'repeats a few characters',
  holdsEmail: 'is little more than the e-mail address',
  common: 'is one that many people use',
  odd: 'holds control characters',
} as const satisfies Record<PasswordProblem, string>;

/** Longer words before those they hold. What the short ones in every list of leaked passwords are made of, and what people here would think of. */
const COMMON_WORDS = [
  'password',
  'passwort',
  'passw0rd',
  'p@ssword',
  'p@ssw0rd',
  'qwerty',
  'qwertz',
  'azerty',
  'asdfgh',
  'zxcvbn',
  'letmein',
  'welcome',
  'iloveyou',
  'monkey',
  'dragon',
  'football',
  'baseball',
  'superman',
  'princess',
  'sunshine',
  'trustno',
  'administrator',
  'admin',
  'changeme',
  'default',
  'secret',
  'master',
  'hotdesking',
  'hotdesk',
  'companyname',
  'uiop',
  'hjkl',
  'login',
  'correct',
  'horse',
  'battery',
  'staple',
];
/** Letters and signs that have to be left over beside such words. */
const OWN_CHARACTERS = 6;
/** Different characters there have to be. */
const DIFFERENT = 5;

/** As it is hashed: the same however a keyboard composes its letters (RFC 8265 4.2). */
export function canonicalPassword(password: string): string {
  return password.normalize('NFC');
}

/** Everything wrong with a password somebody wants to set; empty when it will do. Never holds any of it. */
export function passwordProblems(password: string, { email }: { readonly email: string }): PasswordProblem[] {
  const canonical = canonicalPassword(password);
  const length = [...canonical].length;
  const plain = canonical.toLowerCase();
  const checks: [boolean, PasswordProblem][] = [
    [length < PASSWORD_LENGTH.min, 'tooShort'],
    [length > PASSWORD_LENGTH.max, 'tooLong'],
    [/\p{Cc}/u.test(canonical), 'odd'],
    [new Set(plain).size < DIFFERENT, 'repeated'],
    [isMostly(plain, [email, ...email.split('@')]), 'holdsEmail'],
    [isCommon(plain), 'common'],
  ];
  return checks.flatMap(([bad, problem]) => (bad ? [problem] : []));
}

function isMostly(password: string, texts: readonly string[]): boolean {
  return texts.some(
    (text) => text.length >= 4 && password.includes(text) && password.length - text.length < OWN_CHARACTERS,
  );
}

/** Nothing but well-known words, digits in a row and signs at the ends. */
function isCommon(password: string): boolean {
  let rest = password;
  for (const word of COMMON_WORDS) rest = rest.replaceAll(word, '');
  rest = rest.replace(/\d+/g, (digits) => (digits.length >= 3 || rest.length <= 8 ? '' : digits));
  const hadWord = rest.length < password.length;
  return hadWord && rest.replace(/[^\p{L}\p{N}]/gu, '').length < OWN_CHARACTERS;
}
