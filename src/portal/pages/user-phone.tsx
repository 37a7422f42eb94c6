import { get } from '../api/client.ts';
import { listHosts } from '../api/lists.ts';
import { useLive } from '../api/live.ts';
import type { Host, Page, User } from '../api/types.ts';
import { siteName } from '../app/session.ts';
import { useLoad } from '../app/use-load.ts';
import { texts } from '../texts.ts';
import { Empty, Failed, Head } from '../ui/bits.tsx';
import { Button } from '../ui/button.tsx';
import { SearchBox } from '../ui/fields.tsx';
import { type Column, Table } from '../ui/table.tsx';
import { Guest, modelOf } from './host-parts.tsx';
import { Pages } from './hosts.tsx';
import { NotReady } from './not-ready.tsx';
import { type ListState, PAGE_SIZE, useList, useListState, useTyped } from './use-list.ts';

const words = texts.userPhone;
const FILTERS = ['q'];
const KINDS = ['unassigned', 'commonArea'] as const;
type Kind = (typeof KINDS)[number];

/** Which phone this person is to have: one that is unassigned, or else a common area phone (rule B2). */
export function UserPhonePage({ extension }: { readonly extension: string }) {
  const path = `/users/${encodeURIComponent(extension)}`;
  const user = useLoad(path, (signal) => get<User>(path, signal));
  const state = useListState(FILTERS);
  const kind: Kind = state.value('kind') === 'commonArea' ? 'commonArea' : 'unassigned';
  const asked = { kind, q: state.value('q'), sort: 'nickname', limit: PAGE_SIZE, cursor: state.cursor };
  const list = useList(JSON.stringify(asked), (signal) => listHosts(asked, signal));
  useLive(['start', 'end', 'directory'], list.reload);
  const back = { href: `${path}/features`, text: user.data?.name ?? texts.user.back };
  if (!user.data) {
    const users = { href: '/users', text: texts.user.back };
    return <NotReady title={texts.users.title} loaded={user} back={user.isGone ? users : back} />;
  }
  return (
    <>
      <Head key="ready" title={words.title(user.data.name)} lead={words.lead} back={back} />
      <Tools state={state} kind={kind} />
      {list.error && !list.data ? (
        <Failed text={list.error} onRetry={list.reload} />
      ) : (
        <Rows {...{ state, kind, extension }} page={list.data} />
      )}
    </>
  );
}

function Tools({ state, kind }: { readonly state: ListState; readonly kind: Kind }) {
  const [typed, type] = useTyped(state);
  return (
    <div class="tools">
      <SearchBox label={texts.phones.search} value={typed} onChange={type} />
      <fieldset class="segments">
        <legend class="hidden">{texts.phones.tabsLabel}</legend>
        {KINDS.map((each) => (
          <label key={each}>
            <input
              type="radio"
              name="kind"
              checked={kind === each}
              onChange={() => state.set('kind', each === 'unassigned' ? '' : each)}
            />
            <span>{texts.phones.tabs[each]}</span>
          </label>
        ))}
      </fieldset>
    </div>
  );
}

const COLUMNS: readonly Column<Host>[] = [
  {
    key: 'nickname',
    title: texts.phones.columns.phone,
    render: ({ id, nickname, ...host }) => (
      <span class="stack">
        <strong>{nickname || id}</strong>
        <span class="muted small">
          {modelOf(host)} · {siteName(host.site)}
        </span>
      </span>
    ),
  },
  {
    key: 'for',
    title: texts.phones.columns.reservedFor,
    render: ({ reservedFor: who }) => (who ? `${who.name} ${who.extension}` : texts.common.none),
  },
  { key: 'guest', title: texts.phones.columns.guest, render: (host) => <Guest host={host} /> },
];

interface RowsProps {
  readonly state: ListState;
  readonly kind: Kind;
  readonly extension: string;
  readonly page: Page<Host> | undefined;
}

function Rows({ state, kind, extension, page }: RowsProps) {
  if (page?.rows.length === 0) return <Nothing state={state} kind={kind} />;
  const to = encodeURIComponent(extension);
  const left = kind === 'unassigned' ? 'guest' : 'for';
  return (
    <>
      <Table
        label={texts.phones.tableLabel[kind]}
        columns={COLUMNS.filter(({ key }) => key !== left)}
        rows={page?.rows}
        keyOf={({ id }) => id}
        nameOf={({ nickname, id }) => nickname || id}
        rowAction={({ id, nickname }) => (
          <a
            class="button plain small"
            href={`/phones/${encodeURIComponent(id)}/assign?to=${to}`}
            aria-label={words.chooseLabel(nickname || id)}
          >
            {words.choose}
          </a>
        )}
      />
      {page && <Pages state={state} page={page} />}
    </>
  );
}

function Nothing({ state, kind }: { readonly state: ListState; readonly kind: Kind }) {
  if (state.isNarrowed) {
    return (
      <Empty icon="search" {...texts.phones.empty.found}>
        <Button kind="primary" onClick={state.clear}>
          {texts.common.clearFilters}
        </Button>
      </Empty>
    );
  }
  if (kind === 'commonArea') {
    return (
      <Empty icon="desk" {...words.none.commonArea}>
        <a class="button primary" href="/phones/add">
          {texts.addDevice.button}
        </a>
      </Empty>
    );
  }
  return (
    <Empty icon="desk" {...words.none.unassigned}>
      <Button kind="primary" onClick={() => state.set('kind', 'commonArea')}>
        {texts.phones.tabs.commonArea}
      </Button>
      <a class="button plain" href="/phones/user">
        {texts.phones.tabs.user}
      </a>
    </Empty>
  );
}
