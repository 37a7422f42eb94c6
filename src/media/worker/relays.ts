import type { RelayEnd } from '../media.ts';
import type { Call } from './call.ts';
import type { Open } from './engine.ts';
import type { Request } from './protocol.ts';

export interface RelaysOptions {
  /** Talks with us, by session: one of them may become the browser's end of a relay. */
  readonly sessions: ReadonlyMap<number, Open>;
  readonly start: (owner: {
    session: number;
    peer: string;
    urgent: boolean;
    relayed: true;
  }) => Promise<Open | undefined>;
  readonly end: (call: Open) => Promise<void>;
}

type Ends = Readonly<Record<RelayEnd, Open>>;

/** Pairs of calls whose audio is passed on: a browser's, and an ordinary phone's or trunk's. */
export class Relays {
  private readonly options: RelaysOptions;
  private readonly relays = new Map<number, Ends>();

  constructor(options: RelaysOptions) {
    this.options = options;
  }

  /**
   * Opens one, with a talk of a browser's with us as its end or with an end of its own. The offer to the ordinary side,
   * should nobody else have one to make; undefined when there are no ports.
   */
  async open({ session, browser, urgent }: Extract<Request, { type: 'relay' }>): Promise<string | undefined> {
    const { sessions, start, end } = this.options;
    const talk = browser === undefined ? undefined : sessions.get(browser);
    const owner = { session, urgent, peer: '', relayed: true } as const;
    const web = talk ?? (await start(owner));
    if (web === undefined) return undefined;
    const plain = await start(owner);
    if (plain === undefined) {
      if (web !== talk) await end(web);
      return undefined;
    }
    web.call.relay(plain.call);
    plain.call.relay(web.call);
    this.relays.set(session, { web, plain });
    return plain.call.propose({ direction: 'sendrecv', codec: web.call.codec }, false);
  }

  /** What one side has said, as it is to be told to the other; undefined: not acceptable. */
  pass({ session, kind, to, sdp }: Extract<Request, { type: 'pass' }>): string | undefined {
    const ends = this.relays.get(session);
    if (ends === undefined) return undefined;
    const there = ends[to].call;
    const here = ends[to === 'web' ? 'plain' : 'web'].call;
    const terms = kind === 'offer' ? here.consider(sdp) : here.conclude(sdp);
    if (terms === undefined) return undefined;
    return kind === 'offer' ? there.propose(terms, to === 'web') : there.respond(terms);
  }

  /** The latest offer to the ordinary side, for who does not take it as it is. */
  otherwise(session: number): string | undefined {
    return this.relays.get(session)?.plain.call.proposeOtherwise();
  }

  /** Where the ordinary side signals from. */
  trust(session: number, peer: string): void {
    this.relays.get(session)?.plain.call.trust(peer);
  }

  /** From now on the browser has to come, and to stay. */
  watch(session: number): void {
    this.relays.get(session)?.web.call.watch();
  }

  /** The relay whose browser this is. */
  ownerOf(call: Call): number | undefined {
    for (const [relay, { web }] of this.relays) if (web.call === call) return relay;
    return undefined;
  }

  /** Parts the two. A talk with us that goes on keeps its end. */
  async close(session: number): Promise<void> {
    const ends = this.relays.get(session);
    if (ends === undefined) return;
    this.relays.delete(session);
    const { web, plain } = ends;
    web.call.relay(undefined);
    plain.call.relay(undefined);
    const goesOn = [...this.options.sessions.values()].includes(web);
    await Promise.all([this.options.end(plain), goesOn ? undefined : this.options.end(web)]);
  }
}
