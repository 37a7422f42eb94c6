import { BlockList, isIPv4 } from 'node:net';
import type { Host } from '../domain/directory.ts';
import type { Caller } from '../domain/route.ts';
import { Challenges } from './challenges.ts';
import { type Algorithm, type Credentials, type DigestServer, parseCredentials } from './digest.ts';
import { DigestGuesses, type Guess, type GuessWait } from './digest-guesses.ts';
import type { SipDependencies, Trunk } from './ports.ts';
import { reasonHeader, spoken, warning } from './reasons.ts';
import type { Request, Response } from './srf.ts';
import { userOf } from './uri.ts';

/** A request that brings a digest answer. */
interface Answer {
  readonly request: Request;
  readonly response: Response;
  readonly credentials: Credentials;
}

/** Finds out who calls: a trunk by its address, a phone by its digest answer, nobody by From alone. */
export class Identifier {
  readonly #deps: SipDependencies;
  readonly #digest: DigestServer;
  readonly #challenges: Challenges;
  readonly #guesses: DigestGuesses;
  readonly #trunks: readonly { trunk: Trunk; matches: (address: string) => boolean }[];

  constructor(deps: SipDependencies, digest: DigestServer) {
    this.#deps = deps;
    this.#digest = digest;
    this.#challenges = new Challenges(deps.digests, () => deps.clock.now());
    this.#guesses = new DigestGuesses({
      now: () => deps.clock.now(),
      bindingsOf: (user) => deps.view.bindingsOf(user),
      onWait: (wait) => this.#slowedDown(wait),
    });
    this.#trunks = deps.trunks.map((trunk) => ({ trunk, matches: addressMatcher(trunk.addresses) }));
  }

  /** The trunk a request's source address belongs to. */
  trunkOf({ source_address }: Request): Trunk | undefined {
    return this.#trunks.find(({ matches }) => matches(source_address))?.trunk;
  }

  /**
   * Who sends this request. Undefined: it has been answered (401 with a challenge, or 403 for a wrong password) and
   * there is nothing more to do.
   */
  identify(request: Request, response: Response): Caller | undefined {
    const trunk = this.trunkOf(request);
    if (trunk) return { kind: 'trunk', trunk: trunk.name, emergency: trunk.emergency };
    const host = this.authenticate(request, response);
    return host === undefined ? undefined : { kind: 'host', host };
  }

  /** The authenticated host id; undefined when the request has been answered with 401 or 403. */
  authenticate(request: Request, response: Response): string | undefined {
    const header = request.get('Authorization') ?? request.get('Proxy-Authorization') ?? '';
    // An answer for another realm is an answer to somebody else's question: the phone is asked ours.
    const credentials = parseCredentials(header, this.#deps.domain);
    const hosts = this.#deps.view.directory?.hosts;
    if (!hosts) {
      // Not yet: a 403 would send a phone of ours away for good.
      const { status, text } = spoken('stateUnknown');
      response.send(status, { headers: { Reason: reasonHeader(status, text) } });
      return undefined;
    }
    if (!credentials) {
      this.#ask(request, response, userOf(request.get('From') ?? ''));
      return undefined;
    }
    this.#challenges.answered({ address: request.source_address, user: credentials.username });
    const answer = { request, response, credentials };
    return this.#mayTry(answer) && this.#check(answer, hosts.get(credentials.username))
      ? credentials.username
      : undefined;
  }

  /** While somebody guesses, an answer is not looked at: it is challenged like a request that brings none. */
  #mayTry({ request, response, credentials }: Answer): boolean {
    const decision = this.#guesses.decide(this.#guessOf(request, credentials));
    if (decision === 'wait') this.#ask(request, response, credentials.username);
    if (decision === 'prove') this.#again(request, response, credentials);
    return decision === 'check';
  }

  #check({ request, response, credentials }: Answer, host: Host | undefined): boolean {
    const guess = this.#guessOf(request, credentials);
    const verdict = this.#digest.verify(request.method, credentials, host?.digest);
    if (verdict === 'accepted') this.#guesses.succeeded(guess);
    else if (verdict === 'stale') this.#again(request, response, credentials);
    else {
      this.#guesses.failed(guess);
      this.#refuse(request, response);
    }
    return verdict === 'accepted';
  }

  #guessOf({ source_address: address, source_port }: Request, { username, nonce }: Credentials): Guess {
    const proven = this.#digest.wasGivenTo(nonce, address);
    return { user: username, address, port: Number(source_port), proven };
  }

  /**
   * Which phone an emergency call most likely comes from. No proof is asked: the call goes out in any case, and a
   * likely desk is a better address than none.
   */
  claimedHost(request: Request): string | undefined {
    const hosts = this.#deps.view.emergencyDirectory?.hosts;
    const credentials = parseCredentials(
      request.get('Authorization') ?? request.get('Proxy-Authorization') ?? '',
    );
    const names = [
      credentials?.username ?? '',
      userOf(request.get('From') ?? ''),
      userOf(request.get('Contact') ?? ''),
    ];
    return names.find((name) => hosts?.has(name));
  }

  #ask(request: Request, response: Response, user: string): void {
    const asker = { address: request.source_address, user };
    const algorithms = this.#challenges.offer(asker, request.get('User-Agent') ?? '');
    this.#challenge({ request, response, algorithms, stale: false });
  }

  #again(request: Request, response: Response, { algorithm }: Credentials): void {
    this.#challenge({ request, response, algorithms: [algorithm], stale: true });
  }

  #challenge(how: {
    request: Request;
    response: Response;
    algorithms: readonly Algorithm[];
    stale: boolean;
  }): void {
    const { request, response, algorithms, stale } = how;
    const challenge = this.#digest.challenge(algorithms, { stale, source: request.source_address });
    response.send(401, { headers: { 'WWW-Authenticate': challenge } });
  }

  /** Once for each wait, not for each request during it. A name nobody here has may be a secret typed wrongly. */
  #slowedDown({ guess, over, ms }: GuessWait): void {
    const user = this.#deps.view.directory?.hosts.has(guess.user) ? guess.user : undefined;
    const { address: source } = guess;
    const text = over === 'spray' ? 'for many phones' : 'for one phone';
    this.#deps.log.warn(
      { source, user, over, seconds: ms / 1000 },
      `somebody guesses ${text} and has to wait`,
    );
  }

  #refuse(request: Request, response: Response): void {
    const { status, text } = spoken('callerUnknown');
    this.#deps.log.warn(
      { method: request.method, source: request.source_address },
      'refused: wrong credentials',
    );
    const headers = { Warning: warning(this.#deps.domain, text), Reason: reasonHeader(status, text) };
    response.send(status, { headers });
  }
}

/** Compiles `192.0.2.0/24`, `192.0.2.1`, `2001:db8::/32` into one test. */
export function addressMatcher(addresses: readonly string[]): (address: string) => boolean {
  const blocks = new BlockList();
  for (const text of addresses) {
    const [net = '', bits] = text.split('/');
    const family = net.includes('.') ? 'ipv4' : 'ipv6';
    if (bits === undefined) blocks.addAddress(net, family);
    else blocks.addSubnet(net, Number(bits), family);
  }
  return (address) => blocks.check(address, isIPv4(address) ? 'ipv4' : 'ipv6');
}
