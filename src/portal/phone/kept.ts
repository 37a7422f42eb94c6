/** What this browser keeps of phones. */

export const LOUDEST = 10;
const VOLUME_KEY = 'hotdesk.phone.volume';

export function keptVolume(): number {
  const kept = Number(window.localStorage.getItem(VOLUME_KEY) ?? '6');
  return Number.isInteger(kept) && kept >= 0 && kept <= LOUDEST ? kept : 6;
}

export function keepVolume(volume: number): void {
  window.localStorage.setItem(VOLUME_KEY, String(volume));
}

const PLUGGED_KEY = 'hotdesk.phone.plugged';

/** Which phone this tab is, so that it is the same one when the page is loaded again. Never a password. */
export function keepPlugged(id: string | undefined): void {
  if (id === undefined) window.sessionStorage.removeItem(PLUGGED_KEY);
  else window.sessionStorage.setItem(PLUGGED_KEY, id);
}

/** Undefined unless the page was loaded again. */
export function keptPlugged(): string | undefined {
  const [entry] = performance.getEntriesByType('navigation');
  const isReload = (entry as PerformanceNavigationTiming | undefined)?.type === 'reload';
  return (isReload && window.sessionStorage.getItem(PLUGGED_KEY)) || undefined;
}

/** The same in every tab of this browser: a phone that is opened again takes the place of the one before. */
export function instanceOf(id: string): string {
  const key = `hotdesk.phone.${id}`;
  const kept = window.localStorage.getItem(key);
  if (kept !== null) return kept;
  const made = uuid();
  window.localStorage.setItem(key, made);
  return made;
}

/** `crypto.randomUUID` is for pages with TLS only. */
function uuid(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
