import type { User } from '../../domain/directory.ts';
import { formatSummary, type MailboxState, NOTHING_WAITS } from '../../domain/message-summary.ts';
import type { View } from '../../domain/view.ts';
import type { Mailboxes } from '../../services/mailboxes.ts';
import { mailboxOf } from '../../services/person-rules.ts';
import { encodeUser } from '../uri.ts';
import type { Admission, EventDocument, EventPackage, Subscription } from './package.ts';

/** RFC 3842 5.2. */
export const SUMMARY_TYPE = 'application/simple-message-summary';

export interface MessageSummaryDependencies {
  readonly mailboxes: Pick<Mailboxes, 'stateOf' | 'personAt' | 'onLamp'>;
  readonly view: Pick<View, 'directory'>;
  /** Domain of the accounts named. */
  readonly domain: string;
}

/** What a lamp shows. */
export interface Lamp extends EventDocument {
  readonly waiting: boolean;
}

/**
 * `message-summary` (RFC 3842): a phone watches itself, or the extension of the person who uses it, and sees the mailbox
 * of whoever is there now.
 */
export class MessageSummary implements EventPackage {
  readonly event = 'message-summary';
  readonly contentType = SUMMARY_TYPE;
  readonly expires = { min: 60, standard: 3_600, max: 86_400 };
  readonly #deps: MessageSummaryDependencies;

  constructor(deps: MessageSummaryDependencies) {
    this.#deps = deps;
  }

  /** Nobody watches the messages of others. */
  admit({ subscriber, resource }: { readonly subscriber: string; readonly resource: string }): Admission {
    const person = this.#deps.mailboxes.personAt(subscriber);
    const isOwn = resource === subscriber || resource === person?.extension;
    return isOwn ? 'admitted' : { status: 403, reason: 'Not your messages' };
  }

  stateFor({ subscriber, resource }: Pick<Subscription, 'subscriber' | 'resource'>): EventDocument {
    if (resource === subscriber) return this.lampOf(subscriber);
    // Somebody else may have sat down there since.
    const person = this.#deps.mailboxes.personAt(subscriber);
    return this.#lamp(person?.extension === resource ? person : undefined, resource);
  }

  watch(changed: (resource: string) => void): () => void {
    return this.#deps.mailboxes.onLamp(changed);
  }

  /** What the lamp of a host shows now. */
  lampOf(host: string): Lamp {
    return this.#lamp(this.#deps.mailboxes.personAt(host), host);
  }

  #lamp(person: User | undefined, resource: string): Lamp {
    const { mailboxes, view, domain } = this.#deps;
    const mailbox = person && mailboxOf(person.extension, person);
    const state: MailboxState = (mailbox !== undefined && mailboxes.stateOf(mailbox)) || NOTHING_WAITS;
    // Phones dial the account to hear the messages.
    const account = view.directory?.company.voicemailNumber ?? mailbox ?? resource;
    const body = formatSummary(state, `sip:${encodeUser(account)}@${domain}`);
    return { contentType: this.contentType, body, waiting: state.waiting };
  }
}
