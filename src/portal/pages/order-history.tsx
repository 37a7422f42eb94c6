import { get } from '../api/client.ts';
import { useLive } from '../api/live.ts';
import type { AuditEntry, Order } from '../api/types.ts';
import { actorOf } from '../app/sentences.ts';
import { zoneOf } from '../app/session.ts';
import { clock, fullTime } from '../app/time.ts';
import { useLoad } from '../app/use-load.ts';
import { texts } from '../texts.ts';
import { Card } from '../ui/bits.tsx';

const words = texts.order;
const AT_ONCE = '200';
const MOST_PAGES = 5;
const KINDS = ['order.created', 'order.changed'] as const;

/** What the log of changes says of this order, newest first. The log is asked by time: other orders are left out here. */
async function changesOf({ id, createdAt }: Order, signal: AbortSignal): Promise<readonly AuditEntry[]> {
  const query = new URLSearchParams({ from: minuteBefore(createdAt), limit: AT_ONCE });
  for (const kind of KINDS) query.append('kind', kind);
  const found: AuditEntry[] = [];
  for (let page = 0; page < MOST_PAGES; page++) {
    const path = `/audit?${query.toString()}`;
    const { entries, next } = await get<{ entries: readonly AuditEntry[]; next: string | null }>(
      path,
      signal,
    );
    found.push(...entries.filter((entry) => entry.entries?.includes(`order:${id}`)));
    if (next === null) break;
    query.set('cursor', next);
  }
  return found;
}

/** The clocks of the server and its store need not agree to the second. */
function minuteBefore(time: string): string {
  return new Date(Date.parse(time) - 60_000).toISOString();
}

function stateOf(entry: AuditEntry): Order['state'] | undefined {
  const states = Object.keys(texts.orders.states) as Order['state'][];
  return states.find((state) => state === entry.reason);
}

interface Change {
  readonly entry: AuditEntry;
  readonly text: string;
}

/** Each change in words: what is the same state as before is an edit. */
function inWords(entries: readonly AuditEntry[]): readonly Change[] {
  return entries.map((entry, index) => {
    const state = stateOf(entry);
    const before = entries[index + 1];
    const isMove = before === undefined || stateOf(before) !== state;
    return { entry, text: state && isMove ? words.historyOf[state] : words.edited };
  });
}

/** What happened to an order, when, and by whom. */
export function OrderHistory({ order }: { readonly order: Order }) {
  const changes = useLoad(`changes ${order.id} ${order.changedAt}`, (signal) => changesOf(order, signal));
  useLive(['order'], changes.reload);
  const zone = zoneOf(order.items[0]?.site);
  const entries = inWords(changes.data ?? []);
  return (
    <Card title={words.history}>
      {entries.length === 0 ? (
        <p class="muted card-text">{changes.error ?? words.historyEmpty}</p>
      ) : (
        <ol class="log">
          {entries.map(({ entry, text }) => (
            <li key={entry.seq}>
              <span class="log-dot" />
              <span class="stack">
                <span>{text}</span>
                <span class="muted small">
                  <time dateTime={entry.at} title={fullTime(entry.at, zone)}>
                    {clock(entry.at, zone)}
                  </time>{' '}
                  · {actorOf(entry)}
                </span>
              </span>
            </li>
          ))}
        </ol>
      )}
    </Card>
  );
}
