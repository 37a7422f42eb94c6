import { createHash } from 'node:crypto';
import { SHARED_NAME } from '../store.ts';

/** Names of a company's keys, all in one cluster slot by the hash tag. See docs of the scripts for what each holds. */
export interface Keys {
  readonly records: string;
  readonly guests: string;
  readonly deadlines: string;
  readonly sites: string;
  readonly events: string;
  readonly seq: string;
  /** HASH: id of an emergency call → its record, JSON. */
  readonly emergencies: string;
  /** HASH: id → its stages so far, with commas. */
  readonly emergencyStages: string;
  /** ZSET: id by the end of its callback time, ms since 1970. */
  readonly emergencyEnds: string;
  /** Entries of the log by host and by guest: ZSET of `<h|g>\0<id>\0<stream id>`, all with score 0. */
  readonly history: string;
  readonly directory: string;
  /** Log position of the directory's last change. */
  readonly directoryVersion: string;
  /** HASH: consumer → `<stream id> <seq>` of the last entry it took. */
  readonly cursors: string;
  /** HASH: id → `<revision> <JSON>`. */
  readonly orders: string;
  /** ZSET: id by its revision. */
  readonly orderRevisions: string;
  /** ZSET: id of each finished order by its number. */
  readonly ordersFinished: string;
  /** Number of the last order. */
  readonly orderNumber: string;
  /** The latest revision. */
  readonly orderSeq: string;
  /** STREAM of what could not be delivered. */
  readonly deadLetters: string;
  /** LIST of tries to deliver to a webhook, newest first. */
  attempts(webhook: string): string;
  readonly contactIndex: string;
  /** ZSET: AOR by when its phone last registered or left, ms since 1970. */
  readonly seen: string;
  readonly contactStream: string;
  /** Number of the last entry of that stream. */
  readonly contactSeq: string;
  /** HASH: name → `<n> <expiry> <JSON>`, n being its number in the contact stream. */
  readonly shared: string;
  /** ZSET: name of a shared entry by its expiry, ms since 1970. */
  readonly sharedIndex: string;
  /** Stored reply of an operation. */
  operation(opId: string): string;
  contacts(aor: string): string;
  recording(name: string): string;
  /** Of the SHA-256 of a session's id. */
  session(hash: string): string;
  /** ZSET: hash of each session of an account by when it began. */
  sessionsOf(account: string): string;
  /** Held by the node on which a consumer runs. */
  lease(consumer: string): string;
  once(name: string): string;
  /** Guess counters of an extension (x), an extension at a host (p), a host (h) and a source (s). */
  guesses(kind: 'x' | 'p' | 'h' | 's', id: string): string;
}

/** @throws TypeError unless the company matches `[a-z0-9-]+`: braces would break or share the cluster hash tag. */
export function createKeys(company: string): Keys {
  if (!/^[a-z0-9-]+$/.test(company)) throw new TypeError('A company id may hold a-z, 0-9 and - only');
  const key = (name: string) => `hd:{${company}}:${name}`;
  return {
    records: key('b'),
    guests: key('g'),
    deadlines: key('dl'),
    sites: key('site'),
    events: key('ev'),
    seq: key('seq'),
    emergencies: key('em'),
    emergencyStages: key('ems'),
    emergencyEnds: key('emx'),
    history: key('hx'),
    directory: key('dir'),
    directoryVersion: key('dv'),
    cursors: key('cur'),
    orders: key('ord'),
    orderRevisions: key('ordr'),
    ordersFinished: key('ordf'),
    orderNumber: key('ordn'),
    orderSeq: key('ords'),
    deadLetters: key('dead'),
    attempts: (webhook) => key(`try:${checkName(webhook)}`),
    contactIndex: key('cti'),
    seen: key('seen'),
    contactStream: key('cs'),
    contactSeq: key('csq'),
    shared: key('sh'),
    sharedIndex: key('shx'),
    operation: (opId) => key(`op:${checkOpId(opId)}`),
    contacts: (aor) => key(`ct:${checkAor(aor)}`),
    recording: (name) => key(`rec:${checkSharedName(name)}`),
    session: (hash) => key(`ses:${hash}`),
    sessionsOf: (account) => key(`sesx:${checkName(account)}`),
    lease: (consumer) => key(`lease:${checkName(consumer)}`),
    once: (name) => key(`once:${checkName(name)}`),
    guesses: (kind, id) => key(`guess:${kind}:${countable(id)}`),
  };
}

/** First seven keys of every script that changes associations. */
export function associationKeys(keys: Keys): string[] {
  return [keys.records, keys.guests, keys.deadlines, keys.sites, keys.events, keys.seq, keys.history];
}

/** Last five keys of every script that writes an order. */
export function orderKeys(keys: Keys): string[] {
  return [keys.orders, keys.orderRevisions, keys.ordersFinished, keys.orderNumber, keys.orderSeq];
}

/** @throws TypeError unless the AOR matches `[A-Za-z0-9._-]{1,64}`, the form of a host id. */
function checkAor(aor: string): string {
  if (!/^[A-Za-z0-9._-]{1,64}$/.test(aor))
    throw new TypeError('An AOR may hold A-Z, a-z, 0-9, ., _ and - only');
  return aor;
}

/** @throws TypeError unless it matches `[A-Za-z0-9._:@-]{1,200}`. */
export function checkSharedName(name: string): string {
  if (!SHARED_NAME.test(name)) throw new TypeError('A name may hold A-Z, a-z, 0-9, ., _, :, @ and - only');
  return name;
}

function checkName(name: string): string {
  if (!/^[A-Za-z0-9._:-]{1,100}$/.test(name))
    throw new TypeError('A name may hold A-Z, a-z, 0-9, ., _, : and - only');
  return name;
}

function checkOpId(opId: string): string {
  if (!/^[A-Za-z0-9-]{1,64}$/.test(opId)) throw new TypeError('An operation id must be a UUID');
  return opId;
}

/** What a person dials or a peer calls itself may be anything: odd or long ids are counted under their hash. */
function countable(id: string): string {
  if (/^[A-Za-z0-9._:-]{1,64}$/.test(id)) return id;
  return `~${createHash('sha256').update(id).digest('hex').slice(0, 32)}`;
}
