import {
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  type ClientAuth,
  ClientSecretBasic,
  ClientSecretPost,
  type Configuration,
  calculatePKCECodeChallenge,
  discovery,
  enableNonRepudiationChecks,
  fetchUserInfo,
  type IDToken,
  None,
} from 'openid-client';
import type { Refusal } from '../domain/reasons.ts';
import type { Log } from './ports.ts';

export interface ProviderSettings {
  /** `https://…`; on this machine `http://…` too. */
  readonly issuer: string;
  readonly clientId: string;
  /** Absent: a public client, by PKCE alone. */
  readonly clientSecret?: string | undefined;
  readonly scopes: readonly string[];
  /** Where the provider sends browsers back to. */
  readonly redirectUri: string;
}

export interface IdentityProviderDependencies {
  readonly settings: ProviderSettings;
  /** Milliseconds of any clock that only goes forward. */
  readonly now: () => number;
  readonly log: Log;
}

/** What binds an answer to what was asked. */
export interface Checks {
  readonly state: string;
  readonly nonce: string;
  /** Of PKCE (RFC 7636). */
  readonly verifier: string;
}

/** What the provider says of somebody. */
export type Claims = Readonly<Record<string, unknown>> & { readonly sub: string };

const TIMEOUT_SECONDS = 5;
const TRIES = 2;
/** After a failure nobody asks for so long. */
const PAUSE_MS = 3_000;
/** What the provider says of itself is asked for again. */
const FRESH_MS = 3_600_000;
const AWAY: Refusal = { refused: 'providerUnavailable' };
const VOID: Refusal = { refused: 'signInVoid' };
/** Not the provider's word, but none. */
const NO_ANSWER = /^(OAUTH_TIMEOUT|OAUTH_RESPONSE_IS_NOT_(JSON|CONFORM))$/;

/** An OpenID Connect provider: authorization code with PKCE, and an ID token whose signature is checked. */
export class IdentityProvider {
  readonly #deps: IdentityProviderDependencies;
  #known: { readonly provider: Configuration; readonly since: number } | undefined;
  #asking: Promise<Configuration | undefined> | undefined;
  #failedAt: number | undefined;

  constructor(deps: IdentityProviderDependencies) {
    this.#deps = deps;
  }

  /** Where a browser is to go to prove who sits there. Refused with providerUnavailable. */
  async authorize({ state, nonce, verifier }: Checks): Promise<URL | Refusal> {
    const provider = await this.#provider();
    if (!provider) return AWAY;
    const { scopes, redirectUri } = this.#deps.settings;
    return buildAuthorizationUrl(provider, {
      ...{ redirect_uri: redirectUri, scope: scopes.join(' '), state, nonce },
      code_challenge: await calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    });
  }

  /** Who it is. `query`: what the browser came back with. Refused with providerUnavailable or signInVoid. */
  async identify(query: string, { state, nonce, verifier }: Checks): Promise<Claims | Refusal> {
    const provider = await this.#provider();
    if (!provider) return AWAY;
    // Not where the request says it came to: that is the browser's word.
    const url = new URL(this.#deps.settings.redirectUri);
    url.search = query;
    try {
      const checks = { expectedState: state, expectedNonce: nonce, pkceCodeVerifier: verifier };
      const tokens = await authorizationCodeGrant(provider, url, { ...checks, idTokenExpected: true });
      const claims = tokens.claims();
      if (!claims) return VOID;
      return await this.#completed(provider, { claims, accessToken: tokens.access_token });
    } catch (error) {
      return this.#refusalOf(error);
    }
  }

  /** Some providers tell the e-mail address only when asked for it. */
  async #completed(
    provider: Configuration,
    { claims, accessToken }: { readonly claims: IDToken; readonly accessToken: string },
  ): Promise<Claims> {
    if (claims.email !== undefined || !provider.serverMetadata().userinfo_endpoint) return claims;
    return { ...(await fetchUserInfo(provider, accessToken, claims.sub)), ...claims };
  }

  #refusalOf(error: unknown): Refusal {
    const { code, name, cause } = error as { code?: unknown; name?: unknown; cause?: { status?: unknown } };
    const isAway = error instanceof TypeError || NO_ANSWER.test(String(code)) || Number(cause?.status) >= 500;
    // Neither the message nor the rest: what a provider sends may be a secret.
    this.#deps.log.warn({ code: String(code ?? name) }, 'sign-in at the identity provider failed');
    return isAway ? AWAY : VOID;
  }

  async #provider(): Promise<Configuration | undefined> {
    const { now } = this.#deps;
    const known = this.#known;
    if (known && now() - known.since < FRESH_MS) return known.provider;
    const isPaused = this.#failedAt !== undefined && now() - this.#failedAt < PAUSE_MS;
    if (isPaused) return known?.provider;
    this.#asking ??= this.#discover().finally(() => {
      this.#asking = undefined;
    });
    return (await this.#asking) ?? known?.provider;
  }

  async #discover(): Promise<Configuration | undefined> {
    const { settings, now, log } = this.#deps;
    for (let tries = 1; tries <= TRIES; tries++) {
      try {
        const provider = await discoverProvider(settings);
        this.#known = { provider, since: now() };
        this.#failedAt = undefined;
        return provider;
      } catch (error) {
        const { code, name } = error as { code?: unknown; name?: unknown };
        log.warn(
          { issuer: settings.issuer, code: String(code ?? name), tries },
          'no answer of the identity provider',
        );
      }
    }
    this.#failedAt = now();
    return undefined;
  }
}

function discoverProvider({ issuer, clientId, clientSecret }: ProviderSettings): Promise<Configuration> {
  const server = new URL(issuer);
  const insecure = server.protocol === 'http:' ? [allowInsecureRequests] : [];
  const execute = [...insecure, enableNonRepudiationChecks];
  return discovery(server, clientId, {}, authOf(clientSecret), { execute, timeout: TIMEOUT_SECONDS });
}

/** As the provider wants it; by the header where it takes both (OpenID Connect Core 9). */
function authOf(secret: string | undefined): ClientAuth {
  if (secret === undefined) return None();
  const [basic, post] = [ClientSecretBasic(secret), ClientSecretPost(secret)];
  return (server, ...rest) => {
    const methods = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
    return (methods.includes('client_secret_basic') ? basic : post)(server, ...rest);
  };
}
