import { z } from 'zod';
import { type Account, canonicalEmail, type Role } from '../domain/account.ts';
import { isRefusal, type Refusal } from '../domain/reasons.ts';
import type { View } from '../domain/view.ts';
import type { Store } from '../store/store.ts';
import type { Accounts, AccountWish } from './accounts.ts';
import type { Claims, IdentityProvider } from './identity-provider.ts';
import type { Log } from './ports.ts';
import type { Sealing } from './sealing.ts';
import { hashOf, newSecret } from './secret-texts.ts';
import type { Origin, Session, SignIn } from './sign-in.ts';
import { whileStoreAnswers } from './while-store-answers.ts';

export interface ProviderRules {
  /** Whose account it is: by an e-mail address the provider has verified, or by what it calls them. */
  readonly match: 'email' | 'subject';
  /** Absent: who has no account is not let in. */
  readonly create?: CreationRules | undefined;
}

export interface CreationRules {
  /** Claim, text or a list of texts, that says which role somebody gets. */
  readonly roleClaim: string;
  /** Its values, the first that fits. */
  readonly roles: Readonly<Record<string, Role>>;
  /** Claim with the sites of a site administrator, and of who may only read. */
  readonly sitesClaim?: string | undefined;
  /** Claim with the extension of a user. */
  readonly extensionClaim?: string | undefined;
}

export interface ProviderSignInDependencies {
  readonly provider: Pick<IdentityProvider, 'authorize' | 'identify'>;
  readonly rules: ProviderRules;
  readonly store: Pick<Store, 'claimOnce'>;
  readonly view: Pick<View, 'directory'> & { now(): number };
  readonly sealing: Sealing;
  readonly accounts: Pick<Accounts, 'admit'>;
  readonly signIn: Pick<SignIn, 'enter' | 'noteFailure'>;
  readonly randomBytes: (size: number) => Uint8Array;
  readonly log: Log;
}

/** How long somebody may take at the provider. */
const LONGEST_MS = 10 * 60_000;
const CONTEXT = 'provider sign-in';
const NOBODY: Refusal = { refused: 'noAccount' };
const VOID: Refusal = { refused: 'signInVoid' };

const kept = z.strictObject({
  state: z.string(),
  nonce: z.string(),
  verifier: z.string(),
  /** Page to go to then. */
  to: z.string(),
  until: z.number(),
});
type Kept = z.output<typeof kept>;

/** Signing in at an identity provider (OpenID Connect). Codes of an app are the provider's to ask for. */
export class ProviderSignIn {
  readonly #deps: ProviderSignInDependencies;

  constructor(deps: ProviderSignInDependencies) {
    this.#deps = deps;
  }

  /**
   * `location`: where the browser is to go; `cookie`: what it must bring back, sealed. `to`: page to go to in the end.
   * Refused with providerUnavailable.
   */
  async begin(to: string): Promise<{ readonly location: string; readonly cookie: string } | Refusal> {
    const { provider, sealing, view, randomBytes } = this.#deps;
    const [state, nonce, verifier] = [newSecret(randomBytes), newSecret(randomBytes), newSecret(randomBytes)];
    const url = await provider.authorize({ state, nonce, verifier });
    if (isRefusal(url)) return url;
    const value: Kept = { state, nonce, verifier, to, until: view.now() + LONGEST_MS };
    return { location: url.href, cookie: sealing.seal(JSON.stringify(value), CONTEXT) };
  }

  /**
   * Somebody is back: `query` is what the provider sent along, `cookie` what `begin` gave this browser. Refused with
   * signInVoid, noAccount, providerUnavailable, stateUnknown or storeUnavailable.
   */
  finish(answer: {
    readonly query: string;
    readonly cookie: string;
    readonly from: Origin;
  }): Promise<{ readonly session: Session; readonly to: string } | Refusal> {
    return whileStoreAnswers(async () => {
      const { provider, store, signIn } = this.#deps;
      const begun = this.#open(answer.cookie);
      if (!begun || new URLSearchParams(answer.query).get('state') !== begun.state) return VOID;
      // Each is good once, on whichever node.
      if (!(await store.claimOnce(`provider:${hashOf(begun.state)}`, 2 * LONGEST_MS))) return VOID;
      const claims = await provider.identify(answer.query, begun);
      if (isRefusal(claims)) return claims;
      const account = await this.#accountOf(claims);
      if (!isRefusal(account)) {
        const session = await signIn.enter(account, { by: 'provider', from: answer.from });
        return { session, to: begun.to };
      }
      if (account.refused === 'noAccount') signIn.noteFailure(undefined);
      return account;
    });
  }

  #open(cookie: string): Kept | undefined {
    const text = this.#deps.sealing.open(cookie, CONTEXT);
    const read = text === undefined ? undefined : kept.safeParse(JSON.parse(text));
    return read?.success && read.data.until > this.#deps.view.now() ? read.data : undefined;
  }

  async #accountOf(claims: Claims): Promise<Account | Refusal> {
    const { view, rules } = this.#deps;
    if (!view.directory) return { refused: 'stateUnknown' };
    const { index } = view.directory;
    const email = verifiedEmail(claims);
    const found =
      rules.match === 'subject' ? index.accountBySubject(claims.sub) : email && index.accountByEmail(email);
    if (found) return found.disabled ? NOBODY : found;
    return this.#create(claims, email);
  }

  async #create(claims: Claims, email: string | undefined): Promise<Account | Refusal> {
    const { rules, accounts, log } = this.#deps;
    const role = rules.create && roleOf(claims, rules.create);
    if (!rules.create || email === undefined || role === undefined) return NOBODY;
    const made = await accounts.admit(wishOf(claims, { email, role, rules: rules.create }));
    if (!isRefusal(made)) return made;
    if (made.refused === 'storeUnavailable' || made.refused === 'stateUnknown') return made;
    log.warn(
      { reason: made.refused, problems: made.problems },
      'no account could be made of what the provider says',
    );
    return NOBODY;
  }
}

/** Anybody may have typed an address nobody has verified. */
function verifiedEmail({ email, email_verified: verified }: Claims): string | undefined {
  return typeof email === 'string' && verified === true ? canonicalEmail(email) : undefined;
}

function textsOf(claim: unknown): readonly string[] {
  const all = Array.isArray(claim) ? claim : [claim];
  return all.filter((each): each is string => typeof each === 'string');
}

function roleOf(claims: Claims, { roleClaim, roles }: CreationRules): Role | undefined {
  const values = new Set(textsOf(claims[roleClaim]));
  return Object.entries(roles).find(([value]) => values.has(value))?.[1];
}

function wishOf(
  claims: Claims,
  { email, role, rules }: { readonly email: string; readonly role: Role; readonly rules: CreationRules },
): AccountWish {
  const { sitesClaim, extensionClaim } = rules;
  const sites = sitesClaim === undefined ? [] : textsOf(claims[sitesClaim]);
  const [extension] = extensionClaim === undefined ? [] : textsOf(claims[extensionClaim]);
  const name = typeof claims.name === 'string' ? claims.name.trim().slice(0, 100) : '';
  const isAtSites = role === 'siteAdministrator' || (role === 'readOnly' && sitesClaim !== undefined);
  return {
    ...{ email, role, subject: claims.sub, name: name === '' ? email.slice(0, 100) : name },
    ...(isAtSites && { sites }),
    ...(role === 'user' && extension !== undefined && { extension }),
  };
}
