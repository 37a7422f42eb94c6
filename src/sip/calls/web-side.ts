import { isRefusal, type MediaRelay, type MediaSession, type RelayOptions } from '../../media/media.ts';
import type { Clock, SipDependencies } from '../ports.ts';
import { soon } from '../soon.ts';

/** ms to wait for a relay; then the call goes on with what there is. */
const PATIENCE = 1_000;

/** Whether a description is a browser's: nobody else can read it, and a browser reads no other (RFC 8827). */
export function isWeb(sdp: string): boolean {
  return /^m=audio \d+ UDP\/TLS\/RTP\/SAVPF /m.test(sdp);
}

type Kind = 'offer' | 'answer';

/**
 * The browser at one end of a call, with the relay that stands before it: everybody else sees an ordinary phone. Its leg
 * keeps it; what no leg has kept is dropped.
 */
export class WebSide {
  /** The browser talks with us already, and need not be asked again to be joined. */
  inTalk = false;
  /** What the browser's session looks like to others. */
  said = '';
  readonly #relay: MediaRelay;
  readonly #clock: Clock;
  #kept = false;

  private constructor(relay: MediaRelay, clock: Clock) {
    this.#relay = relay;
    this.#clock = clock;
  }

  /** For a browser that offers or answers a call. Undefined when there can be none: then its session goes as it is. */
  static async open(
    deps: SipDependencies,
    options: RelayOptions,
    peer?: string,
  ): Promise<WebSide | undefined> {
    const relay = await opened(deps, options);
    const side = relay && new WebSide(relay, deps.clock);
    side?.trust(peer);
    return side;
  }

  /** For an emergency call of a browser in a talk with us; `said` is the offer to whoever it is joined to. */
  static async of(deps: SipDependencies, browser: MediaSession): Promise<WebSide | undefined> {
    const side = await WebSide.open(deps, { browser, urgent: true });
    if (!side) return undefined;
    side.inTalk = true;
    side.said = side.#relay.plainOffer;
    return side;
  }

  /** What the browser offers or answers, as others are told; undefined: not acceptable. */
  async heard(kind: Kind, sdp: string): Promise<string | undefined> {
    const plain = await soon(this.#clock, PATIENCE, () => this.#relay.pass(kind, 'plain', sdp));
    if (plain !== undefined) this.said = plain;
    return plain;
  }

  /** What another offers or answers, as the browser is told; undefined: not acceptable. */
  told(kind: Kind, sdp: string): Promise<string | undefined> {
    return soon(this.#clock, PATIENCE, () => this.#relay.pass(kind, 'web', sdp));
  }

  /** What others were offered last, otherwise: in the clear if it was encrypted. For an emergency call nobody takes as it is. */
  async otherwise(): Promise<string | undefined> {
    const plain = await soon(this.#clock, PATIENCE, () => this.#relay.otherwise());
    if (plain !== undefined) this.said = plain;
    return plain;
  }

  /** Where the other side signals from, as far as that is known: its audio may come from there, too. */
  trust(peer: string | undefined): void {
    if (peer !== undefined) this.#relay.trust(peer);
  }

  /** A leg has it now: the browser has to come, and `onLost` hears if it does not or goes without a word. */
  keep(onLost: (why: string) => void): void {
    this.#kept = true;
    // Media may have died under a call nobody had answered yet.
    if (this.died) return queueMicrotask(() => onLost('Media lost'));
    this.#relay.onLost = onLost;
    this.#relay.watch();
  }

  /** No audio will ever come through here again. */
  get died(): boolean {
    return this.#relay.died;
  }

  /** Ends it unless a leg has it. */
  drop(): void {
    if (!this.#kept) this.close();
  }

  close(): void {
    this.#relay.close().catch(() => undefined);
  }
}

/** Never longer than it takes to be useful: an emergency call may wait for it. */
async function opened(
  { media, clock, log }: SipDependencies,
  options: RelayOptions,
): Promise<MediaRelay | undefined> {
  let isLate = false;
  const relay = await soon(clock, PATIENCE, async () => {
    const opened = await media.relay(options);
    if (isLate && !isRefusal(opened)) await opened.close();
    return opened;
  });
  isLate = true;
  if (relay && !isRefusal(relay)) return relay;
  if (relay?.refused !== 'notAcceptable') log.warn({}, 'no relay for a browser: its session goes as it is');
  return undefined;
}
