import type { Host } from '../api/types.ts';
import { zoneOf } from '../app/session.ts';
import { clock, fullTime, left } from '../app/time.ts';
import { texts } from '../texts.ts';
import { Person, Pill } from '../ui/bits.tsx';

const words = texts.phones;

/** What a phone shows of itself, in the list and on its page. */

export function StatusPill({ host }: { readonly host: Host }) {
  if (host.association) {
    return (
      <Pill tone="busy" icon="user">
        {words.status.inUse}
      </Pill>
    );
  }
  if (host.kind === 'unassigned') {
    return (
      <Pill tone="warn" icon="user">
        {words.status.unassigned}
      </Pill>
    );
  }
  if (!host.enabled) {
    return (
      <Pill tone="quiet" icon="off">
        {words.status.off}
      </Pill>
    );
  }
  return (
    <Pill tone="ok" icon="circle">
      {words.status.free}
    </Pill>
  );
}

export function RegisteredPill({ host }: { readonly host: Host }) {
  return host.registered ? (
    <Pill tone="ok" icon="signal">
      {words.registered}
    </Pill>
  ) : (
    <Pill tone="warn" icon="alert">
      {words.unregistered}
    </Pill>
  );
}

/** When a phone that is away was there last. */
export function LastSeen({ host: { registered, lastSeenAt, site } }: { readonly host: Host }) {
  if (registered || lastSeenAt === null) return null;
  const zone = zoneOf(site);
  return (
    <span class="last-seen" title={fullTime(lastSeenAt, zone)}>
      {words.lastSeen(clock(lastSeenAt, zone))}
    </span>
  );
}

export function AddressPill({ host }: { readonly host: Host }) {
  if (host.location === null) {
    return (
      <Pill tone="quiet" icon="pin">
        {words.neverSeen}
      </Pill>
    );
  }
  return host.location.verified ? (
    <Pill tone="ok" icon="check">
      {words.verified}
    </Pill>
  ) : (
    <Pill tone="danger" icon="alert">
      {words.unverified}
    </Pill>
  );
}

export function Guest({ host }: { readonly host: Host }) {
  const { association, site } = host;
  if (!association) return <span class="muted">{words.nobody}</span>;
  const zone = zoneOf(site);
  const { guest, startedAt } = association;
  return (
    <Person {...guest}>
      <time dateTime={startedAt} title={fullTime(startedAt, zone)}>
        {texts.time.since(clock(startedAt, zone))}
      </time>
    </Person>
  );
}

/** How much of the stay is left, as a bar and in words. */
export function TimeLeft({ host }: { readonly host: Host }) {
  const { association, site } = host;
  if (!association) return <span class="muted">{texts.common.none}</span>;
  const { startedAt, expiresAt } = association;
  if (expiresAt === null) return <span class="muted">{texts.time.noLimit}</span>;
  const whole = Date.parse(expiresAt) - Date.parse(startedAt);
  const gone = Date.now() - Date.parse(startedAt);
  return (
    <span class="time-left" title={fullTime(expiresAt, zoneOf(site))}>
      <span>{left(expiresAt)}</span>
      <progress max={whole} value={Math.max(0, whole - gone)} aria-hidden="true" />
    </span>
  );
}

export function modelOf({ model, expansionModule }: Pick<Host, 'model' | 'expansionModule'>): string {
  return expansionModule ? words.withModule(model) : model;
}

/** The list a phone stands in. */
export function listOf(host: Pick<Host, 'kind'> | undefined): string {
  if (host?.kind === 'user') return '/phones/user';
  return host?.kind === 'unassigned' ? '/phones/unassigned' : '/phones/common-area';
}
