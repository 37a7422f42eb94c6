/** Messages in a mailbox, as RFC 3842 tells of them. Voice messages only: nobody here has faxes. */
export interface MailboxState {
  readonly waiting: boolean;
  readonly new: number;
  readonly old: number;
  readonly urgentNew: number;
  readonly urgentOld: number;
}

export const NOTHING_WAITS: MailboxState = { waiting: false, new: 0, old: 0, urgentNew: 0, urgentOld: 0 };

export interface Summary {
  readonly state: MailboxState;
  /** Message-Account as it stands there; whose mailbox it is, or the number to call. */
  readonly account: string | undefined;
}

const LONGEST = 8_192;
/** RFC 3842 5.2. */
const MOST = 4_294_967_295;
const COUNTS = /^(\d{1,15})\s*\/\s*(\d{1,15})(?:\s*\(\s*(\d{1,15})\s*\/\s*(\d{1,15})\s*\))?/;

/**
 * Reads an application/simple-message-summary body, however odd its line ends and spelling; undefined when it does not
 * say whether anything waits. Total for any input.
 */
export function parseSummary(body: string): Summary | undefined {
  if (body.length > LONGEST) return undefined;
  const lines = new Map<string, string>();
  for (const line of body.split(/\r\n|\r|\n/)) {
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(colon, 0)).trim().toLowerCase();
    // The first of a name counts: after the summary come headers of single messages.
    if (name !== '' && !lines.has(name)) lines.set(name, line.slice(colon + 1).trim());
  }
  const counts = countsIn(lines.get('voice-message'));
  const said = /^(yes|no)\b/i.exec(lines.get('messages-waiting') ?? lines.get('message-waiting') ?? '')?.[1];
  if (said === undefined && !counts) return undefined;
  const state = counts ?? NOTHING_WAITS;
  const waiting = said === undefined ? state.new > 0 : said.toLowerCase() === 'yes';
  return { state: { ...state, waiting }, account: lines.get('message-account') };
}

function countsIn(value: string | undefined): MailboxState | undefined {
  const match = COUNTS.exec(value ?? '');
  if (!match) return undefined;
  const [fresh = 0, old = 0, urgentNew = 0, urgentOld = 0] = match
    .slice(1)
    .map((digits) => Math.min(Number(digits ?? 0), MOST));
  return { waiting: fresh > 0, new: fresh, old, urgentNew, urgentOld };
}

/** Body of a NOTIFY (RFC 3842 5.2); `account` is a URI. */
export function formatSummary(state: MailboxState, account: string): string {
  const { waiting, urgentNew, urgentOld } = state;
  return [
    `Messages-Waiting: ${waiting ? 'yes' : 'no'}`,
    `Message-Account: ${account}`,
    `Voice-Message: ${state.new}/${state.old} (${urgentNew}/${urgentOld})`,
    '',
  ].join('\r\n');
}

/** Whether a value from elsewhere is a mailbox's state. */
export function isMailboxState(value: unknown): value is MailboxState {
  if (typeof value !== 'object' || value === null) return false;
  const { waiting, ...counts } = value as Record<string, unknown>;
  const names = ['new', 'old', 'urgentNew', 'urgentOld'] as const;
  return typeof waiting === 'boolean' && names.every((name) => Number.isSafeInteger(counts[name]));
}
