import type { MediaRelay, RelayEnd } from './media.ts';
import type { Link } from './session.ts';

/** The main thread's half of a relay. */
export class Relay implements MediaRelay {
  onLost: ((why: string) => void) | undefined;
  died = false;
  readonly plainOffer: string;
  private readonly id: number;
  private readonly link: Link;
  private closed = false;

  constructor({ id, link, plainOffer }: { id: number; link: Link; plainOffer: string }) {
    this.id = id;
    this.link = link;
    this.plainOffer = plainOffer;
  }

  async pass(kind: 'offer' | 'answer', to: RelayEnd, sdp: string): Promise<string | undefined> {
    if (this.closed) return undefined;
    const reply = await this.link.ask({ type: 'pass', session: this.id, kind, to, sdp });
    return reply?.sdp;
  }

  async otherwise(): Promise<string | undefined> {
    if (this.closed) return undefined;
    return (await this.link.ask({ type: 'otherwise', session: this.id }))?.sdp;
  }

  trust(peer: string): void {
    if (!this.closed) this.link.post({ type: 'trust', session: this.id, peer });
  }

  watch(): void {
    if (!this.closed) this.link.post({ type: 'watch', session: this.id });
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    this.link.drop(this.id);
    await this.link.ask({ type: 'close', session: this.id });
  }

  /** The browser is gone, and why (its ports are still to be released by `close`), or the worker died. */
  lost(why?: string): void {
    this.died ||= why === undefined;
    const tell = this.closed ? undefined : this.onLost;
    this.onLost = undefined;
    tell?.(why ?? 'Media lost');
  }
}
