import { parseSummary } from '../../domain/message-summary.ts';
import type { Mailboxes } from '../../services/mailboxes.ts';
import type { Identifier } from '../identify.ts';
import type { Log } from '../ports.ts';
import { reasonHeader } from '../reasons.ts';
import type { Request, Response } from '../srf.ts';
import { userOf } from '../uri.ts';
import { isStray } from './subscribe-request.ts';

export interface MailboxNotifyDependencies {
  readonly mailboxes: Pick<Mailboxes, 'learn' | 'named'>;
  readonly identifier: Pick<Identifier, 'trunkOf'>;
  readonly log: Log;
}

/**
 * A NOTIFY outside every dialog of ours: a PBX that tells of a mailbox by itself (RFC 3842), believed by the address it
 * comes from. Anybody else could light lamps, or put them out.
 */
export function handleMailboxNotify(
  deps: MailboxNotifyDependencies,
  { request, response }: { readonly request: Request; readonly response: Response },
): void {
  const { identifier, mailboxes, log } = deps;
  if (!identifier.trunkOf(request)) {
    log.warn({ source: request.source_address }, 'refused: a NOTIFY from somebody who is no trunk');
    const headers = { Reason: reasonHeader(403, 'Not a trunk') };
    return response.send(isStray(request) ? 481 : 403, { headers });
  }
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
