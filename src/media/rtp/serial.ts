/** Distance a − b of two 16-bit sequence numbers across the wrap, −32768 … 32767. */
export function seqDelta(a: number, b: number): number {
  return ((a - b) << 16) >> 16;
}

/** Distance a − b of two 32-bit timestamps across the wrap. */
export function tsDelta(a: number, b: number): number {
  return (a - b) | 0;
}
