import { listHosts, listUsers, pageOfSites } from '../api/lists.ts';
import { useLive } from '../api/live.ts';
import type { SiteDetails } from '../api/types.ts';
import { isAdministrator } from '../app/session.ts';
import { texts } from '../texts.ts';
import { Empty, Failed, Head, Pill } from '../ui/bits.tsx';
import { Button } from '../ui/button.tsx';
import { SearchBox } from '../ui/fields.tsx';
import { Icon } from '../ui/icons.tsx';
import { type Column, Table } from '../ui/table.tsx';
import { Pages } from './hosts.tsx';
import { type ListState, PAGE_SIZE, useList, useListState, useTyped } from './use-list.ts';

const words = texts.sites;

/** A site and how many are there. */
interface Row {
  readonly site: SiteDetails;
  readonly phones: number;
  readonly people: number;
  readonly toCheck: number;
}

const pathOf = ({ id }: SiteDetails): string => `/sites/${encodeURIComponent(id)}`;

const COLUMNS: readonly Column<Row>[] = [
  {
    key: 'name',
    title: words.columns.name,
    sortable: true,
    render: ({ site }) => (
      <span class="stack">
        <a class="row-link" href={pathOf(site)}>
          {site.name}
        </a>
        <span class="muted small">{site.id}</span>
      </span>
    ),
  },
  { key: 'zone', title: words.columns.zone, render: ({ site }) => site.timeZone },
  { key: 'callback', title: words.columns.callback, render: ({ site }) => site.callbackNumber },
  { key: 'phones', title: words.columns.phones, render: ({ phones }) => texts.count(phones) },
  { key: 'people', title: words.columns.people, render: ({ people }) => texts.count(people) },
  { key: 'check', title: words.columns.check, render: (row) => <Check row={row} /> },
];

function Check({ row: { site, phones, toCheck } }: { readonly row: Row }) {
  if (phones === 0) return <span class="muted">{words.noPhones}</span>;
  if (toCheck === 0)
    return (
      <Pill tone="ok" icon="check">
        {words.allWell}
      </Pill>
    );
  return (
    <a class="pill-link" href={`${pathOf(site)}/addresses`}>
      <Pill tone="warn" icon="alert">
        {words.toCheck(toCheck)}
      </Pill>
    </a>
  );
}

/** Sites & addresses. */
export function SitesPage() {
  const state = useListState(['q']);
  const asked = {
    ...{ q: state.value('q'), sort: state.value('sort') || 'name' },
    ...{ limit: PAGE_SIZE, cursor: state.cursor },
  };
  const list = useList(JSON.stringify(asked), async (signal) => {
    const { rows, ...page } = await pageOfSites(asked, signal);
    return { ...page, rows: await Promise.all(rows.map((site) => counted(site, signal))) };
  });
  useLive(['directory'], list.reload);
  const [typed, type] = useTyped(state);
  const broken = list.error !== undefined && !list.data;
  return (
    <>
      <Head
        title={words.title}
        lead={words.lead}
        aside={
          isAdministrator.value && (
            <a class="button primary" href="/sites/new">
              <Icon name="plus" size={18} />
              <span>{words.add}</span>
            </a>
          )
        }
      />
      <div class="tools">
        <SearchBox label={words.search} value={typed} onChange={type} />
      </div>
      {broken && <Failed text={list.error ?? ''} onRetry={list.reload} />}
      {list.data?.rows.length === 0 && <Nothing state={state} />}
      {!broken && list.data?.rows.length !== 0 && (
        <Table
          label={words.label}
          columns={COLUMNS}
          rows={list.data?.rows}
          keyOf={({ site }) => site.id}
          nameOf={({ site }) => site.name}
          sort={asked.sort}
          onSort={(sort) => state.set('sort', sort)}
          stale={list.loading && list.data !== undefined}
        />
      )}
      {list.data && <Pages state={state} page={list.data} />}
    </>
  );
}

/** The totals of lists nobody reads. */
async function counted(site: SiteDetails, signal: AbortSignal): Promise<Row> {
  const here = { site: site.id, limit: 1 };
  const [phones, people, moved] = await Promise.all([
    listHosts(here, signal),
    listUsers(here, signal),
    listHosts({ ...here, verified: 'false' }, signal),
  ]);
  return { site, phones: phones.total, people: people.total, toCheck: moved.total };
}

function Nothing({ state }: { readonly state: ListState }) {
  if (!state.isNarrowed) return <Empty icon="building" {...words.empty} />;
  return (
    <Empty icon="search" {...words.found}>
      <Button kind="primary" onClick={state.clear}>
        {texts.common.clearFilters}
      </Button>
    </Empty>
  );
}
