import { findPeople, findPhones, listStays } from '../api/audit.ts';
import { useLive } from '../api/live.ts';
import type { Stay } from '../api/types.ts';
import { siteName, sites, zoneOf } from '../app/session.ts';
import { clock, fullTime, instantOf, now, span } from '../app/time.ts';
import { texts } from '../texts.ts';
import { Empty, Failed, Person } from '../ui/bits.tsx';
import { Button } from '../ui/button.tsx';
import { SmallSelect } from '../ui/fields.tsx';
import { Picker } from '../ui/picker.tsx';
import { type Column, Table } from '../ui/table.tsx';
import { AuditHead, MoreRows, SITE_OPTIONS, TimeField, zoneFor } from './audit-parts.tsx';
import { type ListState, useListState } from './use-list.ts';
import { useMore } from './use-more.ts';

const words = texts.audit;
const FILTERS = ['at', 'site', 'person', 'phone'];
const ROWS = 50;

function moment(at: string, site: string) {
  const zone = zoneOf(site);
  return (
    <time class="nowrap" dateTime={at} title={fullTime(at, zone)}>
      {clock(at, zone)}
    </time>
  );
}

const COLUMNS: readonly Column<Stay>[] = [
  {
    key: 'who',
    title: words.columns.who,
    render: ({ guest }) => (
      <Person name={guest.name ?? texts.phone.unknownPerson} extension={guest.extension} />
    ),
  },
  {
    key: 'phone',
    title: words.columns.phone,
    render: ({ host, site, movedFrom }) => (
      <span class="stack">
        {host.nickname === null ? (
          <span>{host.id}</span>
        ) : (
          <a class="row-link light" href={`/phones/${encodeURIComponent(host.id)}`}>
            {host.nickname || host.id}
          </a>
        )}
        <span class="muted small">
          {siteName(site)}
          {movedFrom && ` · ${words.movedFrom(movedFrom.nickname ?? movedFrom.id)}`}
        </span>
      </span>
    ),
  },
  { key: 'from', title: words.columns.from, render: ({ startedAt, site }) => moment(startedAt, site) },
  {
    key: 'to',
    title: words.columns.to,
    render: ({ endedAt, site }) =>
      endedAt ? moment(endedAt, site) : <span class="there">{words.stillThere}</span>,
  },
  {
    key: 'length',
    title: words.columns.length,
    render: ({ startedAt, endedAt }) =>
      span((endedAt ? Date.parse(endedAt) : now.value) - Date.parse(startedAt)),
  },
  {
    key: 'how',
    title: words.columns.how,
    render: ({ reason }) => (reason ? texts.phone.ends[reason] : <span class="muted">–</span>),
  },
];

/** More › Audit: who sat where, at a moment or at all. */
export function AuditStaysPage() {
  const state = useListState(FILTERS);
  const zone = zoneFor(state.value('site'));
  const typed = state.value('at');
  const at = typed === '' ? undefined : instantOf(typed, zone);
  const wish = {
    ...{ at, site: state.value('site'), guest: state.value('person'), host: state.value('phone') },
  };
  const list = useMore(JSON.stringify(wish), (cursor, signal) =>
    listStays({ ...wish, limit: ROWS, cursor }, signal),
  );
  // What is shown further down stays where it is.
  useLive(['start', 'end'], () => (list.rows?.length ?? 0) <= ROWS && list.reload());
  return (
    <>
      <AuditHead current="/audit" csv="/audit/sessions.csv" wish={wish} />
      <div class="filters">
        <TimeField
          withNow
          label={words.at}
          hint={words.atHint(zone ?? '')}
          zone={zone}
          value={typed}
          onChange={(value) => state.set('at', value)}
        />
        <Who state={state} />
      </div>
      {list.error && !list.rows ? (
        <Failed text={list.error} onRetry={list.reload} />
      ) : list.rows?.length === 0 && !list.hasMore ? (
        <Nothing state={state} />
      ) : (
        <>
          <Table
            wide
            label={words.staysLabel}
            columns={COLUMNS}
            rows={list.rows}
            keyOf={({ generation }) => String(generation)}
            nameOf={({ guest }) => guest.name ?? guest.extension}
            stale={list.loading && list.rows !== undefined}
          />
          <MoreRows list={list} />
        </>
      )}
    </>
  );
}

/** Of whom, at which phone, at which site. */
export function Who({ state }: { readonly state: ListState }) {
  return (
    <>
      <div class="field">
        <span class="field-name">{words.person}</span>
        <Picker
          label={words.person}
          placeholder={words.findPerson}
          value={state.value('person')}
          search={findPeople}
          onChange={(id) => state.set('person', id)}
        />
      </div>
      <div class="field">
        <span class="field-name">{words.phone}</span>
        <Picker
          label={words.phone}
          placeholder={words.findPhone}
          value={state.value('phone')}
          search={findPhones}
          onChange={(id) => state.set('phone', id)}
        />
      </div>
      {sites.value.length > 1 && (
        <div class="field">
          <span class="field-name">{texts.common.site}</span>
          <SmallSelect
            label={texts.common.site}
            value={state.value('site')}
            options={SITE_OPTIONS()}
            onChange={(site) => state.set('site', site)}
          />
        </div>
      )}
    </>
  );
}

function Nothing({ state }: { readonly state: ListState }) {
  if (!state.isNarrowed) return <Empty icon="clock" {...words.emptyStays} />;
  return (
    <Empty icon="search" {...(state.value('at') === '' ? words.foundNothing : words.nobodyThen)}>
      <Button kind="primary" onClick={state.clear}>
        {texts.common.clearFilters}
      </Button>
    </Empty>
  );
}
