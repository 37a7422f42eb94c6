import type { ComponentChildren } from 'preact';
import { get } from '../api/client.ts';
import { useLive } from '../api/live.ts';
import type { Host } from '../api/types.ts';
import { useLoad } from '../app/use-load.ts';
import { texts } from '../texts.ts';
import { Head } from '../ui/bits.tsx';
import { listOf } from './host-parts.tsx';
import { NotReady } from './not-ready.tsx';

interface HostAroundProps {
  readonly id: string;
  readonly title: (host: Host) => string;
  readonly lead: (host: Host) => string;
  /** `set`: what the phone is by now, known by another way. */
  readonly children: (host: Host, set: (host: Host) => void) => ComponentChildren;
}

/** A page about one phone that leads back to its details. */
export function HostAround({ id, title, lead, children }: HostAroundProps) {
  const path = `/hosts/${encodeURIComponent(id)}`;
  const host = useLoad(path, (signal) => get<Host>(path, signal));
  useLive(['start', 'end', 'directory'], host.reload);
  const back = {
    href: `/phones/${encodeURIComponent(id)}`,
    text: host.data?.nickname || id,
  };
  if (!host.data) {
    const list = { href: listOf(undefined), text: texts.phone.back };
    return <NotReady title={texts.phones.title} loaded={host} back={host.isGone ? list : back} />;
  }
  return (
    <>
      <Head key="ready" title={title(host.data)} lead={lead(host.data)} back={back} />
      {children(host.data, host.set)}
    </>
  );
}
