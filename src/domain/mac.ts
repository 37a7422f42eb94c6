const MAC = /^[0-9a-f]{12}$/;

/** Twelve hex digits, however they were written; undefined: no MAC of one device. */
export function macOf(text: string): string | undefined {
  const digits = text
    .trim()
    .toLowerCase()
    .replace(/[\s:.-]/g, '');
  if (!MAC.test(digits) || digits === '000000000000') return undefined;
  // Its lowest bit set: an address of a group.
  return Number.parseInt(digits.slice(0, 2), 16) % 2 === 0 ? digits : undefined;
}
