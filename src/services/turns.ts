/** Long work in short turns: whoever else waits goes first in between. */

/** Resolves when everything that waits has had its turn. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Does work to its end, with a turn for others after each step. */
export async function inSteps<T>(steps: Generator<void, T>): Promise<T> {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
    await turn();
  }
}

/** Does something with each, in order, with a turn for others after so many of them. */
export async function eachInTurns<T>(
  items: Iterable<T>,
  atOnce: number,
  work: (item: T) => void,
): Promise<void> {
  let done = 0;
  for (const item of items) {
    work(item);
    if (++done % atOnce === 0) await turn();
  }
}
