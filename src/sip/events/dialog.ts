import { findUser } from '../../domain/colleague.ts';
import type { User } from '../../domain/directory.ts';
import type { NumberPlan, View } from '../../domain/view.ts';
import { DIALOG_INFO_TYPE, formatDialogInfo } from './dialog-info.ts';
import type { Admission, EventDocument, EventPackage, Subscription } from './package.ts';
import type { PersonLines } from './person-lines.ts';
import type { ShownLine } from './shown-line.ts';

export interface DialogPackageDependencies {
  readonly people: Pick<PersonLines, 'of' | 'onChange'>;
  readonly view: Pick<View, 'directory'>;
  readonly numberPlan: NumberPlan;
  /** Domain of the identities shown. */
  readonly domain: string;
}

/**
 * `dialog` (RFC 4235): the lines of a person, by extension or direct number, wherever they sit; for busy-lamp keys. Any
 * phone of the company may watch anybody.
 */
export class DialogPackage implements EventPackage {
  readonly event = 'dialog';
  readonly contentType = DIALOG_INFO_TYPE;
  readonly expires = { min: 60, standard: 3_600, max: 86_400 };
  readonly #deps: DialogPackageDependencies;

  constructor(deps: DialogPackageDependencies) {
    this.#deps = deps;
  }

  admit({ resource }: { readonly resource: string }): Admission {
    return this.#userOf(resource) ? 'admitted' : { status: 404, reason: 'Nobody has this extension' };
  }

  stateFor({ resource }: Pick<Subscription, 'resource'>, version: number): EventDocument {
    const { people, domain } = this.#deps;
    const user = this.#userOf(resource);
    const lines = (user ? people.of(user) : []).map((line) => this.#named(line));
    return { contentType: this.contentType, body: formatDialogInfo({ resource, domain, version, lines }) };
  }

  watch(changed: (resource: string) => void): () => void {
    return this.#deps.people.onChange(changed);
  }

  #userOf(resource: string): User | undefined {
    const { view, numberPlan } = this.#deps;
    return view.directory && userOfResource(resource, view.directory, numberPlan);
  }

  /** Who dials an extension gives no name with it. */
  #named(line: ShownLine): ShownLine {
    const { remote } = line;
    if (remote?.name !== '') return line;
    const name = this.#deps.view.directory?.users.get(remote.number)?.name ?? '';
    return { ...line, remote: { ...remote, name } };
  }
}

/** Who has this extension or direct number, as it may be dialled in the country. */
export function userOfResource(
  resource: string,
  directory: NonNullable<View['directory']>,
  plan: NumberPlan,
): User | undefined {
  return directory.users.get(resource) ?? findUser(resource, [resource, plan.toE164(resource)], directory);
}
