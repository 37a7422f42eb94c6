const BYTES = 16;

/** Something nobody has made up before, also on pages without TLS (where `crypto.randomUUID` is not). */
export function freshKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(BYTES));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
