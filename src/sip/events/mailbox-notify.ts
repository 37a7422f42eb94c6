import { parseSummary } from '../../domain/message-summary.ts';
import type { Mailboxes } from '../../services/mailboxes.ts';
import type { Identifier } from '../identify.ts';
import type { Clock, Log } from '../ports.ts';
import { reasonHeader } from '../reasons.ts';
import { RecentMap } from '../recent-map.ts';
import type { Request, Response } from '../srf.ts';
import { userOf } from '../uri.ts';
import { isStray } from './subscribe-request.ts';

/** ms between two log lines on one stranger. */
const LOG_EVERY = 60_000;
/** Strangers remembered. */
const MAX_SOURCES = 1_000;

export interface MailboxNotifyDependencies {
  readonly mailboxes: Pick<Mailboxes, 'learn' | 'named'>;
  readonly identifier: Pick<Identifier, 'trunkOf'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly log: Log;
}

/**
 * A NOTIFY outside every dialog of ours: a PBX that tells of a mailbox by itself (RFC 3842), believed by the address it
 * comes from. Anybody else could light lamps, or put them out.
 */
export class MailboxNotify {
  readonly #deps: MailboxNotifyDependencies;
  /** Until when nothing more is logged of a stranger, by address. */
  readonly #quiet = new RecentMap<number>(MAX_SOURCES);

  constructor(deps: MailboxNotifyDependencies) {
    this.#deps = deps;
  }

  handle(request: Request, response: Response): void {
    if (this.#deps.identifier.trunkOf(request)) return learn(this.#deps.mailboxes, request, response);
    this.#logStranger(request.source_address);
    const headers = { Reason: reasonHeader(403, 'Not a trunk') };
    response.send(isStray(request) ? 481 : 403, { headers });
  }

  #logStranger(source: string): void {
    const { clock, log } = this.#deps;
    if ((this.#quiet.get(source) ?? 0) > clock.now()) return;
    this.#quiet.set(source, clock.now() + LOG_EVERY);
    log.warn({ source }, 'refused: a NOTIFY from somebody who is no trunk');
  }
}

function learn(
  mailboxes: MailboxNotifyDependencies['mailboxes'],
  request: Request,
  response: Response,
): void {
  const [event = ''] = (request.get('Event') ?? '').split(';');
  if (event.trim().toLowerCase() !== 'message-summary')
    return response.send(isStray(request) ? 481 : 489, { headers: { 'Allow-Events': 'message-summary' } });
  const summary = parseSummary(request.body ?? '');
  const mailbox = mailboxOf(mailboxes, request, summary?.account);
  if (summary && mailbox !== undefined) mailboxes.learn(mailbox, summary.state);
  // What it says is so, but the dialog it says it in is none of ours: of the process before, or not known yet.
  if (isStray(request)) return response.send(481);
  if (!request.body) return response.send(200);
  response.send(summary ? (mailbox === undefined ? 404 : 200) : 400);
}

/** Whose mailbox: by its account, else by whom the NOTIFY is for. */
function mailboxOf(
  mailboxes: Pick<Mailboxes, 'named'>,
  request: Request,
  account: string | undefined,
): string | undefined {
  const bare = account === undefined ? [] : [userOf(account), account];
  const words = [...bare, userOf(request.get('To') ?? ''), userOf(request.uri)];
  return words.map((word) => mailboxes.named(word)).find((mailbox) => mailbox !== undefined);
}
