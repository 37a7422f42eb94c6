import type { SharedState } from '../../services/shared-state.ts';
import { flowOf } from '../flow.ts';
import type { Identifier } from '../identify.ts';
import type { Clock, Log } from '../ports.ts';
import type { Message, Request, Response } from '../srf.ts';
import { userOf } from '../uri.ts';
import type { Feed } from './feed.ts';
import type { FeedTable } from './feed-table.ts';
import type { EventDocument, EventPackage } from './package.ts';
import { dialogKey, entryName, parseRecord, type SubscriptionRecord } from './record.ts';
import {
  type Asked,
  accepts,
  allowEvents,
  grantedSeconds,
  partyOf,
  type Refused,
  readSubscribe,
  routesOf,
} from './subscribe-request.ts';

/** Subscriptions of one phone: the keys of a VVX with expansion modules, and itself. */
export const MOST_PER_HOST = 100;
/** Subscriptions of one node. */
const MOST_IN_ALL = 50_000;
/** ms until nobody waits for the server to say that an answer is out. */
const ANSWERED_MS = 10_000;
/** Bytes a shared entry may have, less what is added later: tag, digest, figures. */
const LARGEST_RECORD = 4_096 - 512;

/** No Retry-After: a phone would call nobody here for that long, emergency services included (RFC 3261 21.5.4). */
const NOT_YET: Refused = { status: 503 };

export interface SubscribeDependencies {
  readonly identifier: Pick<Identifier, 'authenticate'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly packages: ReadonlyMap<string, EventPackage>;
  readonly table: FeedTable;
  readonly shared: Pick<SharedState, 'get'>;
  readonly node: string;
  /** The store has been read: what is not known is not. */
  isLoaded(): boolean;
  /** The store's clock, ms since 1970. */
  now(): number;
  begin(id: string, record: SubscriptionRecord): Feed | undefined;
  adopt(id: string, record: SubscriptionRecord): Feed | undefined;
}

interface Exchange {
  readonly request: Request;
  readonly response: Response;
  readonly asked: Asked;
}

/** Answers SUBSCRIBEs (RFC 6665 4.2.1). */
export class SubscribeHandler {
  readonly #deps: SubscribeDependencies;
  readonly #allowed: string;

  constructor(deps: SubscribeDependencies) {
    this.#deps = deps;
    this.#allowed = allowEvents([...deps.packages.values()]);
  }

  handle(request: Request, response: Response): void {
    const exchange = { request, response, asked: readSubscribe(request) };
    if (exchange.asked.toTag === '') this.#new(exchange);
    else this.#inside(exchange);
  }

  #new(exchange: Exchange): void {
    const { request, response, asked } = exchange;
    const pack = this.#deps.packages.get(asked.event);
    if (!pack) return this.#unknownEvent(response);
    const subscriber = this.#deps.identifier.authenticate(request, response);
    if (subscriber === undefined) return;
    const draft = this.#draft(exchange, { subscriber, resource: userOf(request.uri) });
    const seconds = this.#decide(exchange, pack, draft) ?? this.#room(draft) ?? grantedSeconds(asked, pack);
    if (typeof seconds !== 'number') return this.#refuse(response, seconds);
    const letGo = this.#holdPlace(subscriber);
    this.#accept(exchange, seconds, (sent) => {
      letGo();
      if (!sent) return;
      const record = completed(draft, sent, this.#deps.now() + seconds * 1000);
      this.#deps.begin(keyOf(record), record)?.refreshed(seconds, bodyOf(request));
    });
  }

  /** Refresh, end, or a body for a subscription there is, here or with a node that is gone. */
  #inside(exchange: Exchange): void {
    const { request, response, asked } = exchange;
    const id = dialogKey({
      callId: request.get('Call-ID') ?? '',
      localTag: asked.toTag,
      remoteTag: partyOf(request.get('From')).tag,
    });
    const record = this.#recordOf(id);
    // A 481 would end what is only not known yet.
    if (!record && !this.#deps.isLoaded()) return this.#refuse(response, NOT_YET);
    if (!record) return response.send(481);
    const pack = this.#deps.packages.get(asked.event);
    if (!pack) return this.#unknownEvent(response);
    const subscriber = this.#deps.identifier.authenticate(request, response);
    if (subscriber === undefined) return;
    const refused = strangerTo(record, asked, subscriber) ?? this.#decide(exchange, pack, record);
    const seconds = refused ?? this.#tooFast(id) ?? grantedSeconds(asked, pack);
    if (typeof seconds !== 'number') return this.#refuse(response, seconds);
    this.#accept(exchange, seconds, (sent) => {
      const feed = sent && (this.#deps.table.get(id) ?? this.#deps.adopt(id, record));
      if (!feed) return;
      if (asked.target) feed.record.target = asked.target;
      feed.record.flow = flowOf(request);
      feed.refreshed(seconds, bodyOf(request));
    });
  }

  /** What is known of a dialog; undefined when there is no such subscription, or not any more. */
  #recordOf(id: string): SubscriptionRecord | undefined {
    const feed = this.#deps.table.get(id);
    if (feed) return feed.isEnding ? undefined : feed.record;
    const record = parseRecord(this.#deps.shared.get(entryName(id)));
    return record && record.expiresAt > this.#deps.now() ? record : undefined;
  }

  #decide({ request }: Exchange, pack: EventPackage, record: SubscriptionRecord): Refused | undefined {
    const { subscriber, resource, target, remote } = record;
    const admission = pack.admit({ subscriber, resource });
    if (admission !== 'admitted') return admission;
    if (!accepts(request, pack.contentType)) return { status: 406, headers: { Accept: pack.contentType } };
    if (target === '') return { status: 400, reason: 'Contact needed' };
    return partyOf(remote).tag === '' ? { status: 400, reason: 'From tag needed' } : undefined;
  }

  #room(draft: SubscriptionRecord): Refused | undefined {
    if (Buffer.byteLength(JSON.stringify(draft)) > LARGEST_RECORD)
      return { status: 513, reason: 'Headers too long' };
    const { table } = this.#deps;
    const isFull = table.countOf(draft.subscriber) >= MOST_PER_HOST && !this.#makeRoom(draft);
    return isFull || table.count >= MOST_IN_ALL
      ? { status: 503, reason: 'Too many subscriptions' }
      : undefined;
  }

  /** A phone that has started anew asks again for what it had: the oldest of the same ends, which it knows no more. */
  #makeRoom({ event, resource, subscriber }: SubscriptionRecord): boolean {
    const { table } = this.#deps;
    // Those that end stay until the phone has said that it knows.
    if (table.countOf(subscriber) >= 2 * MOST_PER_HOST) return false;
    for (const feed of table.watching(event, resource)) {
      if (feed.record.subscriber !== subscriber || feed.isEnding) continue;
      feed.end('rejected');
      return true;
    }
    return false;
  }

  #tooFast(id: string): Refused | undefined {
    return this.#deps.table.get(id)?.isFull ? { status: 503, reason: 'Not so fast' } : undefined;
  }

  #draft({ request, asked }: Exchange, who: { subscriber: string; resource: string }): SubscriptionRecord {
    const { event, eventId, target = '' } = asked;
    const { uri, tag } = partyOf(request.get('From'));
    const now = this.#deps.now();
    return {
      ...who,
      ...{ event, eventId, target },
      callId: request.get('Call-ID') ?? '',
      local: `<${partyOf(request.get('To')).uri}>`,
      remote: `<${uri}>;tag=${tag}`,
      contact: '',
      routes: routesOf(request),
      flow: flowOf(request),
      ...{ expiresAt: now, cseq: 0, version: 0, digest: '', toldAs: -1, at: now, node: this.#deps.node },
    };
  }

  /** Many may ask before the first answer is out. */
  #holdPlace(subscriber: string): () => void {
    const letGo = this.#deps.table.hold(subscriber);
    const timer = this.#deps.clock.setTimer(ANSWERED_MS, letGo);
    return () => {
      timer.cancel();
      letGo();
    };
  }

  /** `then` gets the answer as it went out, or nothing when it could not. */
  #accept({ response }: Exchange, seconds: number, then: (sent: Message | undefined) => void): void {
    const headers = { Expires: String(seconds), 'Allow-Events': this.#allowed };
    response.send(200, { headers }, (error, sent) => {
      if (error) this.#deps.log.debug({ err: error }, 'the answer to a SUBSCRIBE could not be sent');
      then(error ? undefined : sent);
    });
  }

  #unknownEvent(response: Response): void {
    response.send(489, { headers: { 'Allow-Events': this.#allowed } });
  }

  #refuse(response: Response, refused: Refused | { readonly min: number }): void {
    if ('min' in refused) return response.send(423, { headers: { 'Min-Expires': String(refused.min) } });
    const { status, reason, headers = {} } = refused;
    if (reason === undefined) response.send(status, { headers });
    else response.send(status, reason, { headers });
  }
}

/** One subscription a dialog (RFC 6665 4.5.2), and nobody else's. */
function strangerTo(record: SubscriptionRecord, asked: Asked, subscriber: string): Refused | undefined {
  if (record.subscriber !== subscriber) return { status: 403, reason: 'Not your subscription' };
  const isSame = record.event === asked.event && record.eventId === asked.eventId;
  return isSame ? undefined : { status: 403, reason: 'One subscription a dialog' };
}

/** The record once the 200 is out: that made our tag. */
function completed(draft: SubscriptionRecord, sent: Message, expiresAt: number): SubscriptionRecord {
  const { tag } = partyOf(sent.get('To'));
  const contact = sent.get('Contact') ?? '<sip:hotdesk@localhost>';
  return { ...draft, contact, local: `${draft.local};tag=${tag}`, expiresAt };
}

function keyOf({ callId, local, remote }: SubscriptionRecord): string {
  return dialogKey({ callId, localTag: partyOf(local).tag, remoteTag: partyOf(remote).tag });
}

function bodyOf(request: Request): EventDocument | undefined {
  const { body } = request;
  return body ? { contentType: request.get('Content-Type') ?? '', body } : undefined;
}
