const SYMBOLS: Readonly<Record<string, string>> = { '*': 'digit-star', '#': 'digit-hash', '+': 'digit-plus' };

/** The prompt ids that say a number digit by digit: `'1001'` → `digit-1 digit-0 …`. What cannot be said is left out. */
export function digitClips(text: string): string[] {
  return [...text].flatMap((char) => {
    if (/[0-9]/.test(char)) return [`digit-${char}`];
    const symbol = SYMBOLS[char];
    return symbol === undefined ? [] : [symbol];
  });
}
