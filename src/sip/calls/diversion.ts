import type { Diverted } from '../../domain/route.ts';
import type { Headers } from '../srf.ts';
import { encodeUser } from '../uri.ts';
import { NO_ANSWER } from './connect.ts';

/** Why a call was sent on (RFC 5806 4.1); `unknown`: somebody collects their own messages. */
export type DiversionReason = Diverted['reason'] | 'user-busy' | 'deflection' | 'unknown';

/** One step of a diverted call. */
export interface Diversion {
  /** Extension, mailbox or number of who diverts, as the far side knows them. */
  readonly number: string;
  readonly reason: DiversionReason;
}

/** Statuses that stand for the reasons in URIs and History-Info (RFC 4458 2.2, RFC 7544 4). */
const CAUSES = {
  unconditional: 302,
  'no-answer': 408,
  'user-busy': 486,
  unavailable: 404,
  deflection: 480,
  unknown: undefined,
} as const satisfies Record<DiversionReason, number | undefined>;

/** Longer headers of others, and those that are broken, are counted, but not passed on. */
const LONGEST_PASSED_ON = 1_000;

/** The status that stands for a reason; undefined: none does. */
export function causeOf(reason: DiversionReason): number | undefined {
  return CAUSES[reason];
}

/** Why nobody took a call, by how it failed. */
export function reasonOf(failure: { readonly status: number; readonly reason: string }): DiversionReason {
  switch (failure.status) {
    case 486:
    case 600:
      return 'user-busy';
    case 603:
      return 'deflection';
    case 408:
    case 487:
      return 'no-answer';
    default:
      return failure.reason === NO_ANSWER ? 'no-answer' : 'unavailable';
  }
}

/** Diversion (RFC 5806): the latest first, then what the call brought along. Without either there is no header. */
export function diversionHeader(
  chain: readonly Diversion[],
  { domain, before = '' }: { readonly domain: string; readonly before?: string | undefined },
): Headers {
  const own = chain.map(
    ({ number, reason }) => `<sip:${encodeUser(number)}@${domain}>;reason=${reason};counter=1;privacy=off`,
  );
  const all = [...own.toReversed(), ...(isPassedOn(before) ? [before.trim()] : [])];
  return all.length === 0 ? {} : { Diversion: all.join(', ') };
}

/** A receiver refuses a whole call for one broken header. */
function isPassedOn(before: string): boolean {
  if (before.trim() === '' || before.length > LONGEST_PASSED_ON) return false;
  const bare = before.replace(/"(?:[^"\\]|\\.)*"/g, '').replace(/<[^<>]*>/g, '');
  return !/["<>]/.test(bare) && !/[\u0000-\u0008\u000a-\u001f\u007f]/.test(before);
}

/** History-Info (RFC 7044, RFC 7544): who was called first, each who sent it on and why, and where it goes now. */
export function historyHeader(
  chain: readonly Diversion[],
  { domain, target }: { readonly domain: string; readonly target: string },
): Headers {
  const causes = chain.map(({ reason }) => causeOf(reason));
  const uris = [...chain.map(({ number }) => `sip:${encodeUser(number)}@${domain}`), target];
  const entries = uris.map((uri, step) => {
    const index = `1${'.1'.repeat(step)}`;
    const [cause, why] = [causes[step - 1], causes[step]];
    const parameter = cause === undefined ? '' : `;cause=${cause}`;
    const header = why === undefined ? '' : `?Reason=SIP%3Bcause%3D${why}`;
    const mapped = step === 0 ? '' : `;mp=1${'.1'.repeat(step - 1)}`;
    return `<${uri}${parameter}${header}>;index=${index}${mapped}`;
  });
  return { 'History-Info': entries.join(', ') };
}

/** How often a call has been diverted by its Diversion header: each entry's counter, at least 1 (RFC 5806 4.1). */
export function diversionsIn(header: string | undefined): number {
  return entriesOf(header ?? '').reduce((sum, entry) => {
    const [, counter = '1'] = /;\s*counter\s*=\s*(\d{1,4})/i.exec(entry) ?? [];
    return sum + Math.max(1, Number(counter));
  }, 0);
}

/** Splits at commas that stand outside quotes and angle brackets; of both only digits are kept. In linear time. */
function entriesOf(header: string): string[] {
  // A parameter's value may be quoted, too. What is never closed goes on to the end.
  const unquoted = header.replace(/"((?:[^"\\]|\\.)*)(?:"|\\?$)/gs, (_, inner: string) =>
    /^\d+$/.test(inner) ? inner : '',
  );
  const bare = unquoted.replace(/<[^>]*(?:>|$)/g, '<>');
  return bare.split(',').filter((entry) => entry.trim() !== '');
}
