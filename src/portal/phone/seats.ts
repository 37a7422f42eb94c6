import { signal } from '@preact/signals';

/** Which phones are plugged in, in other tabs of this browser. */

const CHANNEL = 'hotdesk.phones';
/** ms between two signs of life, and until one without is gone. */
const BEAT_MS = 1_000;
const GONE_MS = 3_500;

/** Phones of other tabs that are ready, by id. */
export const elsewhere = signal<ReadonlySet<string>>(new Set());
const heard = new Map<string, number>();
const channel = typeof BroadcastChannel === 'undefined' ? undefined : new BroadcastChannel(CHANNEL);

interface Sign {
  readonly id: string;
  readonly here: boolean;
  /** The tab that takes it from now on, from whichever has it. */
  readonly taker?: number;
}

const tab = Math.random();
/** What is done when another tab takes the phone of this one. */
let seat: { readonly id: string; readonly onTaken: () => void } | undefined;

function publish(): void {
  const now = Date.now();
  for (const [id, at] of heard) if (now - at > GONE_MS) heard.delete(id);
  const ids = [...heard.keys()];
  if (ids.length === elsewhere.value.size && ids.every((id) => elsewhere.value.has(id))) return;
  elsewhere.value = new Set(ids);
}

channel?.addEventListener('message', ({ data }: MessageEvent<Sign>) => {
  if (typeof data?.id !== 'string') return;
  if (data.taker !== undefined && data.taker !== tab && data.id === seat?.id) seat.onTaken();
  if (data.here) heard.set(data.id, Date.now());
  else heard.delete(data.id);
  publish();
});
setInterval(publish, BEAT_MS);

/** Tells the other tabs of this phone while it is ready; the result ends it. */
export function takeSeat(id: string, isReady: () => boolean, onTaken: () => void): () => void {
  const tell = (here: boolean): void => channel?.postMessage({ id, here } satisfies Sign);
  const own = { id, onTaken };
  seat = own;
  channel?.postMessage({ id, here: true, taker: tab } satisfies Sign);
  const beat = (): void => {
    if (isReady()) tell(true);
  };
  const timer = setInterval(beat, BEAT_MS);
  const leave = (): void => tell(false);
  window.addEventListener('pagehide', leave);
  return () => {
    clearInterval(timer);
    if (seat === own) seat = undefined;
    window.removeEventListener('pagehide', leave);
    leave();
  };
}
