import type { Association } from './association.ts';

const MINUTE_MS = 60_000;

/**
 * Whether it is time to tell a guest that the association will end: within the company's `minutes` before the deadline
 * (0: never), and not to somebody who has only just come. With an idle limit at most half of it ahead, or every call
 * would be followed by a warning. `now`: store clock, ms since 1970.
 */
export function isWarningDue(
  { startedAt, expiresAt, idleLimitMs }: Association,
  { minutes, now }: { readonly minutes: number; readonly now: number },
): boolean {
  if (expiresAt === 'never' || minutes <= 0) return false;
  const idle = idleLimitMs === 'never' ? Number.POSITIVE_INFINITY : idleLimitMs / 2;
  const ahead = Math.min(minutes * MINUTE_MS, idle);
  return expiresAt - now <= ahead && expiresAt > now && now - startedAt > ahead;
}

/** Whole minutes until the deadline as people say it: never none. */
export function minutesUntil(deadline: number, now: number): number {
  return Math.max(1, Math.round((deadline - now) / MINUTE_MS));
}
