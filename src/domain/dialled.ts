const SCHEME = /^<?(sips?|tel):/i;
const PERCENT = /%([0-9a-f]{2})/gi;
const SEPARATORS = /[\s\-.()[\]]/g;

/**
 * What was dialled, exactly: the user part of a sip, sips or tel URI (or the bare text), parameters and password
 * cut off, %-escapes undone, separators kept. `''` when there is no user part. Total for any input.
 */
export function dialledUser(text: string): string {
  const trimmed = text.trim();
  const scheme = SCHEME.exec(trimmed);
  const rest = trimmed.slice(scheme ? scheme[0].length : trimmed.startsWith('<') ? 1 : 0);
  const user = rest.split(/[@;>?:,]/, 1)[0] ?? '';
  if (isDomain(scheme?.[1], rest, user)) return '';
  return user.replace(PERCENT, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** `sip:10.0.0.1` names a machine; `sip:999` is a phone that forgot the domain, and is taken as dialled. */
function isDomain(scheme: string | undefined, rest: string, user: string): boolean {
  return scheme !== undefined && scheme.toLowerCase() !== 'tel' && !rest.includes('@') && user.includes('.');
}

/**
 * Digits as dialled: `dialledUser` without separators, without parameters and pauses that a phone has escaped, and without
 * the `#` some phones send to end dialling.
 */
export function normaliseDialled(text: string): string {
  const [number = ''] = dialledUser(text).split(/[;,]/, 1);
  const digits = number.replace(SEPARATORS, '');
  let end = digits.length;
  while (end > 0 && digits[end - 1] === '#') end--;
  return digits.slice(0, end);
}

/** The number without the outside-line prefix, or undefined when it does not begin with one. */
export function withoutPrefix(digits: string, prefix: string): string | undefined {
  return prefix !== '' && digits.length > prefix.length && digits.startsWith(prefix)
    ? digits.slice(prefix.length)
    : undefined;
}
