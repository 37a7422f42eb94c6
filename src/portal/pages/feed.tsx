import { useEffect, useState } from 'preact/hooks';
import { listChanges } from '../api/audit.ts';
import { useEntries } from '../api/live.ts';
import type { AuditEntry } from '../api/types.ts';
import { actorOf, sentenceOf } from '../app/sentences.ts';
import { siteName } from '../app/session.ts';
import { clock, fullTime } from '../app/time.ts';
import { useLoad } from '../app/use-load.ts';
import { texts } from '../texts.ts';
import { Empty, Failed, Head, Skeleton } from '../ui/bits.tsx';
import { Button } from '../ui/button.tsx';
import { Icon } from '../ui/icons.tsx';
import { zoneFor } from './audit-parts.tsx';

const words = texts.feed;
/** Rows that are kept; older ones are in the audit. */
const MOST = 200;
const FIRST = 50;

const KINDS = ['all', 'stays', 'emergency', 'security', 'settings'] as const;
type Kind = (typeof KINDS)[number];
const FAMILIES: Readonly<Record<Kind, readonly string[]>> = {
  all: [],
  stays: ['association'],
  emergency: ['emergency'],
  security: ['security'],
  settings: ['directory', 'order'],
};

interface Feed {
  /** Newest first. */
  readonly entries: readonly AuditEntry[];
  /** Seen last before the pause; undefined: it is running. */
  readonly pausedAt: number | undefined;
}

/** More › Live events: what happens, in sentences, as it happens. */
export function FeedPage() {
  const [feed, setFeed] = useState<Feed>({ entries: [], pausedAt: undefined });
  const [kind, setKind] = useState<Kind>('all');
  const first = useLoad('feed', (signal) => listChanges({ limit: FIRST }, signal));
  useEffect(() => {
    const rows = first.data?.rows;
    if (rows) setFeed((old) => ({ ...old, entries: merged(rows, old.entries) }));
  }, [first.data]);
  useEntries((entry) => {
    if (entry === undefined) first.reload();
    else setFeed((old) => ({ ...old, entries: merged([entry], old.entries) }));
  });
  const { entries, pausedAt } = feed;
  const wanted = entries.filter((entry) => isOf(kind, entry));
  const shown = pausedAt === undefined ? wanted : wanted.filter(({ seq }) => seq <= pausedAt);
  const waiting = wanted.length - shown.length;
  const isPaused = pausedAt !== undefined;
  const toggle = (): void =>
    setFeed((old) => ({ ...old, pausedAt: isPaused ? undefined : (old.entries[0]?.seq ?? 0) }));
  return (
    <>
      <Head
        title={words.title}
        lead={words.lead}
        aside={
          <Button icon={isPaused ? 'play' : 'pause'} kind={isPaused ? 'primary' : 'plain'} onClick={toggle}>
            {isPaused ? words.resume : words.pause}
          </Button>
        }
      />
      <div class="tools">
        <Kinds chosen={kind} onChange={setKind} />
        <span class="muted small" role="status">
          {isPaused && words.waiting(waiting)}
        </span>
      </div>
      {first.error && entries.length === 0 ? (
        <Failed text={first.error} onRetry={first.reload} />
      ) : first.data === undefined ? (
        <Skeleton lines={6} />
      ) : shown.length === 0 ? (
        <Empty icon="signal" {...words.empty} />
      ) : (
        <Rows entries={shown} />
      )}
      <p class="muted small foot-note">
        {words.bounded(MOST)} <a href="/audit/changes">{words.audit}</a>
      </p>
    </>
  );
}

function isOf(kind: Kind, { kind: type }: AuditEntry): boolean {
  return kind === 'all' || FAMILIES[kind].includes(type.split('.')[0] ?? '');
}

/** Each once, newest first, and no more than fit. */
function merged(more: readonly AuditEntry[], before: readonly AuditEntry[]): readonly AuditEntry[] {
  const bySeq = new Map([...before, ...more].map((entry) => [entry.seq, entry]));
  return [...bySeq.values()].sort((a, b) => b.seq - a.seq).slice(0, MOST);
}

interface KindsProps {
  readonly chosen: Kind;
  readonly onChange: (kind: Kind) => void;
}

function Kinds({ chosen, onChange }: KindsProps) {
  return (
    <fieldset class="segments first">
      <legend class="hidden">{words.kinds.label}</legend>
      {KINDS.map((kind) => (
        <label key={kind}>
          <input type="radio" name="kind" checked={chosen === kind} onChange={() => onChange(kind)} />
          <span>{words.kinds[kind]}</span>
        </label>
      ))}
    </fieldset>
  );
}

function Rows({ entries }: { readonly entries: readonly AuditEntry[] }) {
  return (
    <section class="card feed" aria-label={words.label}>
      <ol>
        {entries.map((entry) => (
          <Row key={entry.seq} entry={entry} />
        ))}
      </ol>
    </section>
  );
}

function Row({ entry }: { readonly entry: AuditEntry }) {
  const { text, icon, tone } = sentenceOf(entry);
  const zone = zoneFor(entry.site ?? '');
  const host = entry.host?.nickname ? entry.host : undefined;
  return (
    <li>
      <span class={`sign ${tone}`}>
        <Icon name={icon} size={18} />
      </span>
      <div>
        <p class="feed-text">{host ? <a href={`/phones/${encodeURIComponent(host.id)}`}>{text}</a> : text}</p>
        <p class="muted small">
          {[entry.site && siteName(entry.site), words.by(actorOf(entry))].filter(Boolean).join(' · ')}
        </p>
      </div>
      <time dateTime={entry.at} title={fullTime(entry.at, zone)}>
        {clock(entry.at, zone)}
      </time>
    </li>
  );
}
