/** What has been typed and must outlive a reload: in this tab alone, and gone when it signs out. */

const PREFIX = 'hotdesk.kept.';

export function keep(name: string, value: unknown): void {
  try {
    window.sessionStorage.setItem(PREFIX + name, JSON.stringify(value));
  } catch {
    // No room, or not allowed: then a reload begins anew.
  }
}

/** What was kept under this name; undefined where there is nothing that can be read. */
export function kept(name: string): unknown {
  try {
    return JSON.parse(window.sessionStorage.getItem(PREFIX + name) ?? '') as unknown;
  } catch {
    return undefined;
  }
}

export function forget(name: string): void {
  try {
    window.sessionStorage.removeItem(PREFIX + name);
  } catch {
    // It was not kept either.
  }
}

export function forgetAll(): void {
  try {
    const names = Object.keys(window.sessionStorage).filter((name) => name.startsWith(PREFIX));
    for (const name of names) window.sessionStorage.removeItem(name);
  } catch {
    // Nothing was kept.
  }
}
