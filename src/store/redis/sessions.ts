import {
  type KeptSession,
  LONGEST_SESSION_MS,
  MOST_SESSIONS,
  type Store,
  StoreUnavailable,
} from '../store.ts';
import type { Link } from './connection.ts';
import { decodeJson, decodeStrings, decodeWhole } from './decode.ts';
import type { Keys } from './keys.ts';

/** Sessions of those who have signed in: a key each with a time of its own, and a list per account to end them by. */
export function createSessions(
  link: Link,
  keys: Keys,
): Pick<Store, 'keepSession' | 'session' | 'sessionsOf' | 'dropSession' | 'dropSessionsOf' | 'logNotice'> {
  const prefix = keys.session('');
  return {
    async keepSession(hash, { account, value, ttlMs }) {
      checkTime(ttlMs);
      const [session, index] = [keys.session(checkHash(hash)), keys.sessionsOf(account)];
      const json = JSON.stringify(value);
      const args = [hash, json, Math.ceil(ttlMs), LONGEST_SESSION_MS, MOST_SESSIONS, prefix];
      await must(link.run({ script: 'keepSession', keys: [session, index], args }));
    },
    async session(hash, ttlMs) {
      const key = keys.session(checkHash(hash));
      if (ttlMs !== undefined) checkTime(ttlMs);
      const reply = await (ttlMs === undefined
        ? link.send('GET', key)
        : link.send('GETEX', key, 'PX', Math.ceil(ttlMs)));
      if (reply === null) return undefined;
      const value = typeof reply === 'string' ? decodeJson(reply) : undefined;
      if (value === undefined) throw UNREADABLE();
      return value;
    },
    async sessionsOf(account) {
      const reply = await link.run({
        script: 'listSessions',
        keys: [keys.sessionsOf(account)],
        args: [prefix],
      });
      if (!Array.isArray(reply)) throw UNREADABLE();
      return reply.map(keptSession);
    },
    async dropSession(hash) {
      await link.send('DEL', keys.session(checkHash(hash)));
    },
    async dropSessionsOf(account) {
      await must(link.run({ script: 'dropSessions', keys: [keys.sessionsOf(account)], args: [prefix] }));
    },
    async logNotice({ notice, actor, extension = '', host = '' }) {
      const log = [keys.events, keys.seq, keys.history];
      await must(link.run({ script: 'logNotice', keys: log, args: [notice, actor, extension, host] }));
    },
  };
}

const UNREADABLE = () => new StoreUnavailable('The store gave a session that cannot be read');

function keptSession(row: unknown): KeptSession {
  const [hash, json = '', left] = decodeStrings(row) ?? [];
  const [value, leftMs] = [decodeJson(json), decodeWhole(left)];
  if (hash === undefined || value === undefined || leftMs === undefined) throw UNREADABLE();
  return { hash, value, leftMs };
}

async function must(reply: Promise<unknown>): Promise<void> {
  if (decodeStrings(await reply) === undefined)
    throw new StoreUnavailable('The store gave a reply that cannot be read');
}

function checkHash(hash: string): string {
  if (!/^[0-9a-f]{64}$/.test(hash)) throw new TypeError('A session is named by 64 hex digits');
  return hash;
}

function checkTime(ttlMs: number): void {
  if (!(ttlMs > 0 && ttlMs <= LONGEST_SESSION_MS)) throw new TypeError('A session lasts for a time in ms');
}
