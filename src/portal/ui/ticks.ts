/** About as wide as a character below the axis. */
const CHARACTER = 7;

/**
 * Which words below the axis stand there: all, or every second, third … where they would touch each other. Counted from
 * the first bar if it has one (hours), else from the last (days up to now).
 */
export function ticksWithRoom(bars: readonly { readonly tick: string }[], slot: number): ReadonlySet<number> {
  const all = [...bars.entries()].filter(([, { tick }]) => tick !== '').map(([index]) => index);
  if (bars[0]?.tick === '') all.reverse();
  const [first = 0, second = bars.length] = all;
  const longest = Math.max(0, ...bars.map(({ tick }) => tick.length));
  const stride = Math.ceil(((longest + 1) * CHARACTER) / (Math.abs(second - first) * slot));
  return new Set(all.filter((_, place) => place % stride === 0));
}
