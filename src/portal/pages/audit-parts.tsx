import { useEffect, useId, useState } from 'preact/hooks';
import { queryOf } from '../api/audit.ts';
import { sites } from '../app/session.ts';
import { localOf } from '../app/time.ts';
import { texts } from '../texts.ts';
import { Head, Tabs } from '../ui/bits.tsx';
import { Button } from '../ui/button.tsx';
import { Icon } from '../ui/icons.tsx';
import type { More } from './use-more.ts';

const words = texts.audit;
const TABS = [
  { href: '/audit', text: words.tabs.stays },
  { href: '/audit/changes', text: words.tabs.changes },
];

interface AuditHeadProps {
  readonly current: string;
  /** Path of the API, without its query. */
  readonly csv: string;
  readonly wish: Readonly<Record<string, string | undefined>>;
}

export function AuditHead({ current, csv, wish }: AuditHeadProps) {
  return (
    <>
      <Head
        title={words.title}
        lead={words.lead}
        aside={
          <a class="button plain" href={`/api/v1${csv}${queryOf(wish)}`} download>
            <Icon name="download" size={18} />
            <span>{words.csv}</span>
          </a>
        }
      />
      <Tabs label={words.tabsLabel} tabs={TABS} current={current} />
    </>
  );
}

/** Whose clocks times are typed and shown by: the chosen site's, or the first one's. */
export function zoneFor(site: string): string | undefined {
  const found = sites.value.find(({ id }) => id === site) ?? sites.value[0];
  return found?.timeZone;
}

export const SITE_OPTIONS = () => [
  { value: '', text: texts.common.allSites },
  ...sites.value.map(({ id, name }) => ({ value: id, text: name })),
];

interface TimeFieldProps {
  readonly label: string;
  readonly hint?: string;
  readonly zone: string | undefined;
  /** `2026-11-03T14:05`, or ''. */
  readonly value: string;
  readonly withNow?: boolean;
  readonly onChange: (value: string) => void;
}

/** Date and time, taken when both are there. */
export function TimeField({ label, hint, zone, value, withNow = false, onChange }: TimeFieldProps) {
  const id = useId();
  const [typed, setTyped] = useState(value);
  useEffect(() => setTyped(value), [value]);
  return (
    <div class="field time-field">
      <label for={id}>{label}</label>
      <div class="time-row">
        <div class="input">
          <input
            id={id}
            type="datetime-local"
            max="9999-12-31T23:59"
            value={typed}
            {...(hint && { 'aria-describedby': `${id}-hint` })}
            onInput={(event) => {
              setTyped(event.currentTarget.value);
              onChange(event.currentTarget.value);
            }}
          />
        </div>
        {withNow && <Button onClick={() => onChange(localOf(Date.now(), zone))}>{words.now}</Button>}
      </div>
      {hint && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </div>
  );
}

/** Below a list that grows. */
export function MoreRows({ list }: { readonly list: More<unknown> }) {
  const { rows, hasMore, loading, more } = list;
  if (rows === undefined) return null;
  return (
    <div class="more-rows">
      <span class="muted" role="status">
        {loading ? words.looking : `${words.shown(rows.length)}${hasMore ? '' : `. ${words.all}`}`}
      </span>
      {hasMore && (
        <Button busy={loading} onClick={more}>
          {words.more}
        </Button>
      )}
    </div>
  );
}
