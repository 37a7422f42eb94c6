import type { User } from '../domain/directory.ts';
import { isRefusal } from '../domain/reasons.ts';
import type { DirectoryEdit, DirectoryRefusal, DirectoryService } from './directory-service.ts';
import type { Log } from './ports.ts';

export interface HotelingSecretsDependencies {
  readonly directory: Pick<DirectoryService, 'editDirectory'>;
  readonly log: Log;
}

/**
 * Who may use Guest In keys (`x-broadworks-hoteling`): an opt-in, person by person, as their passcode is then kept
 * sealed and not only hashed. At the opt-in only the hash is there; the keys work from the next time the passcode is
 * typed at a phone, set or changed.
 */
export class HotelingSecrets {
  readonly #deps: HotelingSecretsDependencies;

  constructor(deps: HotelingSecretsDependencies) {
    this.#deps = deps;
  }

  /** Refused with unknownUser, storeUnavailable or stateUnknown. */
  enable(extension: string, actor: string): Promise<User | DirectoryRefusal> {
    return this.#change(extension, true, actor);
  }

  /** What was kept of the passcode is deleted in the same step. Refused as `enable` is. */
  disable(extension: string, actor: string): Promise<User | DirectoryRefusal> {
    return this.#change(extension, false, actor);
  }

  async #change(extension: string, wanted: boolean, actor: string): Promise<User | DirectoryRefusal> {
    let changed: User | undefined;
    const result = await this.#deps.directory.editDirectory(({ users }): DirectoryEdit | DirectoryRefusal => {
      const user = users.get(extension);
      if (!user) return { refused: 'unknownUser' };
      const hotelingSecret = wanted ? user.hotelingSecret : undefined;
      changed = { ...user, hotelingKeys: wanted, hotelingSecret };
      const isSame = user.hotelingKeys === wanted && user.hotelingSecret === hotelingSecret;
      return isSame ? {} : { put: [{ kind: 'user', value: changed }] };
    }, actor);
    if (isRefusal(result)) return result;
    this.#deps.log.info({ extension, hotelingKeys: wanted, actor }, 'Guest In keys switched');
    return changed ?? { refused: 'unknownUser' };
  }
}
