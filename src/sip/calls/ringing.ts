import type { Target } from './fork.ts';
import type { Lines, OpenLine } from './lines.ts';

interface RingingPhone {
  readonly line: OpenLine;
  /** Contacts that have not said no yet. */
  contacts: number;
}

/** The lines of the phones a call is offered to, until one has it. */
export class Ringing {
  readonly #phones = new Map<string, RingingPhone>();

  constructor(lines: Lines, targets: readonly Target[], { emergency }: { readonly emergency: boolean }) {
    for (const { party, headers } of targets) {
      if (party.kind !== 'host') continue;
      const known = this.#phones.get(party.host);
      if (known) known.contacts++;
      else {
        const remote = emergency ? undefined : headers.From;
        this.#phones.set(party.host, {
          line: lines.begin(party, { direction: 'recipient', remote }),
          contacts: 1,
        });
      }
    }
  }

  early(target: Target): void {
    this.#of(target)?.line.early();
  }

  /** One contact will not answer. */
  failed(target: Target): void {
    const phone = this.#of(target);
    if (phone && --phone.contacts <= 0) phone.line.drop();
  }

  /** The others need not ring any more. */
  answered(target: Target): void {
    const winner = this.#of(target)?.line;
    winner?.confirm();
    for (const { line } of this.#phones.values()) if (line !== winner) line.end();
  }

  lineOf(target: Target): OpenLine | undefined {
    return this.#of(target)?.line;
  }

  /** Nobody rings any more; a line that a leg has stays. */
  end(): void {
    for (const { line } of this.#phones.values()) line.drop();
  }

  #of({ party }: Target): RingingPhone | undefined {
    return party.kind === 'host' ? this.#phones.get(party.host) : undefined;
  }
}
