const NAMES: Record<string, string> = { '*': 'digit-star', '#': 'digit-hash', '+': 'digit-plus' };

/** Prompt ids that read a number digit by digit; characters nobody can say are left out. */
export function readOut(number: string): string[] {
  return [...number].flatMap((c) => NAMES[c] ?? (/\d/.test(c) ? `digit-${c}` : []));
}
