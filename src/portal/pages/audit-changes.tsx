import { listChanges } from '../api/audit.ts';
import type { AuditEntry } from '../api/types.ts';
import { actorOf, sentenceOf } from '../app/sentences.ts';
import { siteName } from '../app/session.ts';
import { clock, fullTime, instantOf } from '../app/time.ts';
import { texts } from '../texts.ts';
import { Empty, Failed } from '../ui/bits.tsx';
import { Button } from '../ui/button.tsx';
import { SmallSelect } from '../ui/fields.tsx';
import { Icon } from '../ui/icons.tsx';
import { type Column, Table } from '../ui/table.tsx';
import { AuditHead, MoreRows, TimeField, zoneFor } from './audit-parts.tsx';
import { Who } from './audit-stays.tsx';
import { type ListState, useListState } from './use-list.ts';
import { useMore } from './use-more.ts';

const words = texts.audit;
const FILTERS = ['from', 'to', 'site', 'person', 'phone', 'kind'];
const ROWS = 50;

const KINDS = [
  { value: '', text: words.anyKind },
  ...Object.entries(words.kinds).map(([value, text]) => ({ value, text })),
];

/** A sentence with its sign. */
function Happened({ entry }: { readonly entry: AuditEntry }) {
  const { text, icon, tone } = sentenceOf(entry);
  return (
    <span class="happened">
      <span class={`sign ${tone}`}>
        <Icon name={icon} size={16} />
      </span>
      <span>{text}</span>
    </span>
  );
}

function columns(zone: string | undefined): readonly Column<AuditEntry>[] {
  return [
    { key: 'what', title: words.columns.what, render: (entry) => <Happened entry={entry} /> },
    {
      key: 'when',
      title: words.columns.when,
      render: ({ at }) => (
        <time class="nowrap" dateTime={at} title={fullTime(at, zone)}>
          {clock(at, zone)}
        </time>
      ),
    },
    { key: 'actor', title: words.columns.actor, render: actorOf },
    {
      key: 'site',
      title: words.columns.site,
      render: ({ site }) => (site ? siteName(site) : <span class="muted">–</span>),
    },
  ];
}

/** More › Audit › Changes: who did what when. */
export function AuditChangesPage() {
  const state = useListState(FILTERS);
  const zone = zoneFor(state.value('site'));
  const time = (name: string): string | undefined =>
    state.value(name) === '' ? undefined : instantOf(state.value(name), zone);
  const wish = {
    ...{ from: time('from'), to: time('to'), kind: state.value('kind') },
    ...{ site: state.value('site'), guest: state.value('person'), host: state.value('phone') },
  };
  const list = useMore(JSON.stringify(wish), (cursor, signal) =>
    listChanges({ ...wish, limit: ROWS, cursor }, signal),
  );
  return (
    <>
      <AuditHead current="/audit/changes" csv="/audit.csv" wish={wish} />
      <div class="filters">
        <TimeField
          label={words.from}
          zone={zone}
          value={state.value('from')}
          onChange={(value) => state.set('from', value)}
        />
        <TimeField
          label={words.to}
          zone={zone}
          value={state.value('to')}
          onChange={(value) => state.set('to', value)}
        />
        <div class="field">
          <span class="field-name">{words.kind}</span>
          <SmallSelect
            label={words.kind}
            value={state.value('kind')}
            options={KINDS}
            onChange={(kind) => state.set('kind', kind)}
          />
        </div>
        <Who state={state} />
      </div>
      {list.error && (!list.rows || list.rows.length === 0) ? (
        <Failed text={list.error} onRetry={list.reload} />
      ) : list.rows?.length === 0 && !list.hasMore ? (
        <Nothing state={state} />
      ) : (
        <>
          <Table
            label={words.changesLabel}
            columns={columns(zone)}
            rows={list.rows}
            keyOf={({ seq }) => String(seq)}
            nameOf={({ seq }) => String(seq)}
            stale={list.loading && list.rows !== undefined}
          />
          <MoreRows list={list} />
        </>
      )}
    </>
  );
}

function Nothing({ state }: { readonly state: ListState }) {
  if (!state.isNarrowed) return <Empty icon="list" {...words.emptyChanges} />;
  return (
    <Empty icon="search" {...words.foundNothing}>
      <Button kind="primary" onClick={state.clear}>
        {texts.common.clearFilters}
      </Button>
    </Empty>
  );
}
