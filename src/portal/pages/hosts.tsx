import { useState } from 'preact/hooks';
import { type HostQuery, listHosts, type ShownKind } from '../api/lists.ts';
import { useLive } from '../api/live.ts';
import type { Host, Page } from '../api/types.ts';
import { mayChange, siteName, sites } from '../app/session.ts';
import { useLoad } from '../app/use-load.ts';
import { texts } from '../texts.ts';
import { Empty, Failed, Head, Tabs } from '../ui/bits.tsx';
import { Button } from '../ui/button.tsx';
import { SearchBox, SmallSelect } from '../ui/fields.tsx';
import { Icon } from '../ui/icons.tsx';
import { BulkBar, type Column, Pager, Table } from '../ui/table.tsx';
import {
  AddressPill,
  Guest,
  LastSeen,
  modelOf,
  RegisteredPill,
  StatusPill,
  TimeLeft,
} from './host-parts.tsx';
import { LogOutDialog } from './log-out.tsx';
import { AddDeviceLink } from './orders.tsx';
import { type ListState, PAGE_SIZE, useList, useListState, useTyped } from './use-list.ts';

const words = texts.phones;
const TABS = [
  { href: '/phones/user', text: words.tabs.user },
  { href: '/phones/common-area', text: words.tabs.commonArea },
  { href: '/phones/unassigned', text: words.tabs.unassigned },
];
const FILTERS = ['q', 'site', 'status'];

/** One choice of four; each is a filter of the API. */
const STATUSES = ['', 'inUse', 'free', 'unregistered'] as const;
type Status = (typeof STATUSES)[number];

function narrowed(status: string): Pick<HostQuery, 'status' | 'registered'> {
  if (status === 'unregistered') return { status: '', registered: 'false' };
  return { status: status === 'inUse' || status === 'free' ? status : '', registered: '' };
}

const phone: Column<Host> = {
  key: 'nickname',
  title: words.columns.phone,
  sortable: true,
  render: (host) => (
    <span class="stack">
      <a class="row-link" href={`/phones/${encodeURIComponent(host.id)}`}>
        {host.nickname || host.id}
      </a>
      <span class="muted small">
        {modelOf(host)} · {siteName(host.site)}
      </span>
    </span>
  ),
};
const owner: Column<Host> = {
  key: 'owner',
  title: words.columns.owner,
  render: ({ owner: who }) =>
    who ? (
      <a class="row-link light" href={`/users/${encodeURIComponent(who.extension)}/features`}>
        <span class="person-name">{who.name}</span> <span class="muted">{who.extension}</span>
      </a>
    ) : (
      texts.common.none
    ),
};
const rest: readonly Column<Host>[] = [
  { key: 'status', title: words.columns.status, render: (host) => <StatusPill host={host} /> },
  { key: 'since', title: words.columns.guest, sortable: true, render: (host) => <Guest host={host} /> },
  { key: 'left', title: words.columns.timeLeft, render: (host) => <TimeLeft host={host} /> },
  {
    key: 'line',
    title: words.columns.line,
    render: (host) => (
      <span class="stack pills-below">
        <RegisteredPill host={host} />
        <LastSeen host={host} />
        <AddressPill host={host} />
      </span>
    ),
  },
];
const reservedFor: Column<Host> = {
  key: 'reservedFor',
  title: words.columns.reservedFor,
  render: ({ reservedFor: who }) =>
    who ? (
      <a class="row-link light" href={`/users/${encodeURIComponent(who.extension)}`}>
        {who.name} <span class="muted">{who.extension}</span>
      </a>
    ) : (
      texts.common.none
    ),
};
const isShown = ({ key }: Column<Host>): boolean => key !== 'since' && key !== 'left';
const COLUMNS = {
  commonArea: [phone, ...rest],
  user: [phone, owner, ...rest],
  unassigned: [phone, reservedFor, ...rest.filter(isShown)],
} as const;
const PATHS = { commonArea: '/phones/common-area', user: '/phones/user', unassigned: '/phones/unassigned' };

/** Phone system › Phones & devices: every phone and who is on it, live. */
export function HostsPage({ kind }: { readonly kind: ShownKind }) {
  const state = useListState(FILTERS);
  const query = {
    ...{ kind, q: state.value('q'), site: state.value('site') },
    sort: state.value('sort') || 'nickname',
  };
  const asked = { ...query, ...narrowed(state.value('status')), limit: PAGE_SIZE, cursor: state.cursor };
  const list = useList(JSON.stringify(asked), (signal) => listHosts(asked, signal));
  const counts = useCounts({ kind, q: query.q, site: query.site });
  const reload = (): void => {
    list.reload();
    counts.reload();
  };
  useLive(['start', 'end', 'extend', 'directory', 'moment'], reload);
  return (
    <>
      <Head
        title={words.title}
        lead={words.lead}
        aside={
          <div class="page-actions">
            <a class="button plain" href="/phones/models">
              <Icon name="list" size={18} />
              <span>{words.check}</span>
            </a>
            {mayChange.value && <AddDeviceLink />}
          </div>
        }
      />
      <Tabs label={words.tabsLabel} tabs={TABS} current={PATHS[kind]} />
      <Tools state={state} counts={counts.data} />
      {list.error && !list.data ? (
        <Failed text={list.error} onRetry={reload} />
      ) : (
        <Rows kind={kind} state={state} page={list.data} stale={list.loading} reload={reload} />
      )}
    </>
  );
}

type Counts = Readonly<Record<Status, number>>;

/** How many there are of each status: the totals of lists nobody reads. */
function useCounts(query: Pick<HostQuery, 'kind' | 'q' | 'site'>) {
  return useLoad<Counts>(JSON.stringify(query), async (signal) => {
    const count = async (status: Status): Promise<number> =>
      (await listHosts({ ...query, ...narrowed(status), limit: 1 }, signal)).total;
    const [all, inUse, free, unregistered] = await Promise.all(STATUSES.map(count));
    return { '': all ?? 0, inUse: inUse ?? 0, free: free ?? 0, unregistered: unregistered ?? 0 };
  });
}

function Tools({ state, counts }: { readonly state: ListState; readonly counts: Counts | undefined }) {
  const [typed, type] = useTyped(state);
  const options = [
    { value: '', text: texts.common.allSites },
    ...sites.value.map(({ id, name }) => ({ value: id, text: name })),
  ];
  return (
    <div class="tools">
      <SearchBox label={words.search} value={typed} onChange={type} />
      {sites.value.length > 1 && (
        <SmallSelect
          label={texts.common.site}
          value={state.value('site')}
          options={options}
          onChange={(site) => state.set('site', site)}
        />
      )}
      <StatusFilter state={state} counts={counts} />
    </div>
  );
}

function StatusFilter({ state, counts }: { readonly state: ListState; readonly counts: Counts | undefined }) {
  const chosen = state.value('status');
  return (
    <fieldset class="segments">
      <legend class="hidden">{words.filters.label}</legend>
      {STATUSES.map((status) => (
        <label key={status}>
          <input
            type="radio"
            name="status"
            checked={chosen === status}
            onChange={() => state.set('status', status)}
          />
          <span>
            {words.filters[status || 'all']}
            {counts && <span class="segment-count">{texts.count(counts[status])}</span>}
          </span>
        </label>
      ))}
    </fieldset>
  );
}

interface RowsProps {
  readonly kind: ShownKind;
  readonly state: ListState;
  readonly page: Page<Host> | undefined;
  readonly stale: boolean;
  readonly reload: () => void;
}

function Rows({ kind, state, page, stale, reload }: RowsProps) {
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [leaving, setLeaving] = useState<readonly Host[]>([]);
  const rows = page?.rows;
  if (rows?.length === 0) return <Nothing kind={kind} state={state} />;
  const selected = (rows ?? []).filter(({ id }) => chosen.has(id));
  const inUse = selected.filter(({ association }) => association !== null);
  const may = mayChange.value;
  return (
    <>
      <BulkBar count={selected.length} onClear={() => setChosen(new Set())}>
        {inUse.length === 0 ? (
          <span class="muted">{words.nothingToLogOut}</span>
        ) : (
          <Button kind="danger" small icon="logOut" onClick={() => setLeaving(inUse)}>
            {words.logOutMany(inUse.length)}
          </Button>
        )}
      </BulkBar>
      <Table
        wide
        label={words.tableLabel[kind]}
        columns={COLUMNS[kind]}
        rows={rows}
        keyOf={({ id }) => id}
        nameOf={({ nickname, id }) => nickname || id}
        sort={state.value('sort') || 'nickname'}
        onSort={(sort) => state.set('sort', sort)}
        stale={stale && page !== undefined}
        {...(may && {
          selection: { chosen, onChange: setChosen },
          rowAction: (host: Host) => <RowAction host={host} onLogOut={() => setLeaving([host])} />,
        })}
      />
      {page && <Pages state={state} page={page} />}
      {leaving.length > 0 && (
        <LogOutDialog
          hosts={leaving}
          onClose={() => setLeaving([])}
          onDone={() => {
            setChosen(new Set());
            reload();
          }}
        />
      )}
    </>
  );
}

function RowAction({ host, onLogOut }: { readonly host: Host; readonly onLogOut: () => void }) {
  if (!host.association) return null;
  return (
    <Button small icon="logOut" label={`${words.logOut}: ${host.nickname}`} onClick={onLogOut}>
      {words.logOut}
    </Button>
  );
}

/** The way through the pages of a list. */
export function Pages({ state, page }: { readonly state: ListState; readonly page: Page<unknown> }) {
  const { cursors, from } = state;
  const { next, rows, total } = page;
  return (
    <Pager
      from={from}
      shown={rows.length}
      total={total}
      onPrevious={cursors.length > 0 ? () => state.goTo(cursors.slice(0, -1)) : undefined}
      onNext={next === null ? undefined : () => state.goTo([...cursors, next])}
    />
  );
}

function Nothing({ kind, state }: { readonly kind: ShownKind; readonly state: ListState }) {
  if (state.isNarrowed) {
    return (
      <Empty icon="search" {...words.empty.found}>
        <Button kind="primary" onClick={state.clear}>
          {texts.common.clearFilters}
        </Button>
      </Empty>
    );
  }
  return (
    <Empty icon="desk" {...words.empty[kind]}>
      {kind === 'commonArea' && mayChange.value ? (
        <AddDeviceLink />
      ) : (
        <a class="button primary" href={NEXT[kind].href}>
          {NEXT[kind].text}
        </a>
      )}
    </Empty>
  );
}

/** What to do where there are no phones. */
const NEXT = {
  commonArea: { href: '/phones/models', text: words.check },
  user: { href: '/phones/unassigned', text: words.tabs.unassigned },
  unassigned: { href: '/phones/user', text: words.tabs.user },
};
