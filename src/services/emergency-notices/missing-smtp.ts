import type { ChangeEvent } from '../../domain/association.ts';
import type { View } from '../../domain/view.ts';
import type { Log, Timers } from '../ports.ts';

export interface MissingSmtpDependencies {
  readonly view: Pick<View, 'directory'> & { onChange(listener: (event: ChangeEvent) => void): () => void };
  readonly timers: Timers;
  readonly log: Log;
}

/** The directory is looked at this often besides each change of it: the first one is no change. */
const LOOK_MS = 10_000;

/** Says once that a site has e-mail contacts and nobody has said how mail is sent. */
export class MissingSmtp {
  readonly #deps: MissingSmtpDependencies;
  #timer: { cancel(): void } | undefined;
  #unsubscribe: (() => void) | undefined;

  constructor(deps: MissingSmtpDependencies) {
    this.#deps = deps;
  }

  start(): void {
    this.#unsubscribe = this.#deps.view.onChange(({ kind }) => {
      if (kind === 'directory') this.#look();
    });
    this.#look();
  }

  stop(): void {
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #look(): void {
    const { view, timers, log } = this.#deps;
    this.#timer?.cancel();
    this.#timer = undefined;
    if (!view.directory) {
      this.#timer = timers.setTimer(LOOK_MS, () => this.#look());
      return;
    }
    for (const { id, emergencyContacts } of view.directory.sites.values()) {
      if (emergencyContacts.emails.length === 0) continue;
      log.warn(
        { site: id },
        'there are e-mail contacts for emergency calls, and no smtp in the configuration',
      );
      return this.stop();
    }
  }
}
