import type { Dialog } from './dialog.ts';

/** All dialogs, by the id applications use and by Call-ID and own tag. */
export class DialogTable {
  readonly #byId = new Map<string, Dialog>();
  readonly #byTag = new Map<string, Dialog>();
  #subscriptions = 0;

  get size(): number {
    return this.#byTag.size;
  }

  /** Those SUBSCRIBE made. */
  get subscriptions(): number {
    return this.#subscriptions;
  }

  /** Dialogs at this moment; safe while they end. */
  all(): Dialog[] {
    return [...this.#byTag.values()];
  }

  add(dialog: Dialog): void {
    const key = tagKey(dialog.callId, dialog.localTag);
    this.#subscriptions += counted(dialog) - counted(this.#byTag.get(key));
    this.#byId.set(dialog.id, dialog);
    this.#byTag.set(key, dialog);
  }

  /** By the id an application gave. */
  get(id: string): Dialog | undefined {
    return this.#byId.get(id);
  }

  /** By Call-ID and own tag alone. */
  local(callId: string, localTag: string): Dialog | undefined {
    return this.#byTag.get(tagKey(callId, localTag));
  }

  /** The dialog a request of the network belongs to (RFC 3261 12.2.2). */
  match(callId: string, localTag: string, remoteTag: string): Dialog | undefined {
    const dialog = this.local(callId, localTag);
    if (!dialog) return undefined;
    const known = dialog.remote.tag === remoteTag || dialog.forks?.has(remoteTag);
    return known || firstContact(dialog) ? dialog : undefined;
  }

  remove(dialog: Dialog): void {
    const key = tagKey(dialog.callId, dialog.localTag);
    // A later request of the same Call-ID and tag (digest retry) may have taken the place.
    if (this.#byTag.get(key) === dialog) {
      this.#byTag.delete(key);
      this.#subscriptions -= counted(dialog);
    }
    if (this.#byId.get(dialog.id) === dialog) this.#byId.delete(dialog.id);
  }
}

/** A NOTIFY may arrive before the 2xx of our SUBSCRIBE and be the first to name the remote tag (RFC 6665 4.4.1). */
function firstContact(dialog: Dialog): boolean {
  return dialog.role === 'uac' && dialog.state === 'early' && dialog.remote.tag === '';
}

function counted(dialog: Dialog | undefined): number {
  return dialog?.kind === 'SUBSCRIBE' ? 1 : 0;
}

function tagKey(callId: string, localTag: string): string {
  return `${localTag}|${callId}`;
}
