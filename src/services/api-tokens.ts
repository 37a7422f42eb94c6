import type { ApiToken } from '../domain/account.ts';
import { isRefusal, type Refusal } from '../domain/reasons.ts';
import type { View } from '../domain/view.ts';
import type { DirectoryRefusal, DirectoryService } from './directory-service.ts';
import type { Log } from './ports.ts';
import { hashOf, isSecretOf, newSecret } from './secret-texts.ts';

export interface ApiTokensDependencies {
  readonly directory: Pick<DirectoryService, 'editDirectory'>;
  readonly view: Pick<View, 'directory'> & { now(): number };
  readonly random: { uuid(): string; bytes(size: number): Uint8Array };
  readonly log: Log;
}

export type TokenWish = Pick<ApiToken, 'name' | 'scopes' | 'sites'> & {
  /** Absent: it does not expire. */
  readonly days?: number | undefined;
};

const DAY_MS = 24 * 3_600_000;

const MOST_TOKENS = 200;
/** Its beginning says what it is to whoever finds one. */
const TEXT = /^hdt_([a-z0-9-]{1,64})_([A-Za-z0-9_-]{43})$/;

/** Tokens programs use the API with. */
export class ApiTokens {
  readonly #deps: ApiTokensDependencies;

  constructor(deps: ApiTokensDependencies) {
    this.#deps = deps;
  }

  /** The oldest first. Refused with stateUnknown. */
  list(): readonly ApiToken[] | Refusal {
    const { directory } = this.#deps.view;
    if (!directory) return { refused: 'stateUnknown' };
    return [...directory.tokens.values()].sort((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1));
  }

  /** `text` is told here and never again. Refused with tooManyTokens, invalidDirectory, storeUnavailable, stateUnknown. */
  async create(
    { days, ...wish }: TokenWish,
    actor: string,
  ): Promise<{ readonly token: ApiToken; readonly text: string } | DirectoryRefusal> {
    const { directory, view, random, log } = this.#deps;
    const id = random.uuid();
    const secret = newSecret((size) => random.bytes(size));
    const createdAt = Math.floor(view.now());
    const expiresAt = days === undefined ? undefined : createdAt + days * DAY_MS;
    const token: ApiToken = { id, ...wish, hash: hashOf(secret), createdBy: actor, createdAt, expiresAt };
    const result = await directory.editDirectory(
      ({ tokens }) =>
        tokens.size >= MOST_TOKENS
          ? { refused: 'tooManyTokens' }
          : { put: [{ kind: 'token', value: token }] },
      actor,
    );
    if (isRefusal(result)) return result;
    log.info({ id, actor }, 'API token made');
    return { token, text: `hdt_${id}_${secret}` };
  }

  /** It is void at once. Refused with unknownToken, storeUnavailable or stateUnknown. */
  remove(id: string, actor: string): Promise<'done' | DirectoryRefusal> {
    return this.#deps.directory.editDirectory(
      ({ tokens }) => (tokens.has(id) ? { remove: [{ kind: 'token', id }] } : { refused: 'unknownToken' }),
      actor,
    );
  }

  /** The token with this text, unless it has expired. */
  find(text: string): ApiToken | undefined {
    const [, id = '', secret = ''] = TEXT.exec(text) ?? [];
    const token = this.#deps.view.directory?.tokens.get(id);
    if (!token || !isSecretOf(secret, token.hash)) return undefined;
    const { expiresAt = Number.POSITIVE_INFINITY } = token;
    return expiresAt > this.#deps.view.now() ? token : undefined;
  }
}
