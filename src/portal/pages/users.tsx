import { listUsers, type UserQuery } from '../api/lists.ts';
import { useLive } from '../api/live.ts';
import type { User } from '../api/types.ts';
import { mayChange, siteName, sites } from '../app/session.ts';
import { texts } from '../texts.ts';
import { Empty, Failed, Head, Pill } from '../ui/bits.tsx';
import { Button } from '../ui/button.tsx';
import { SearchBox, SmallSelect } from '../ui/fields.tsx';
import { Icon } from '../ui/icons.tsx';
import { type Column, Table } from '../ui/table.tsx';
import { Pages } from './hosts.tsx';
import { type ListState, PAGE_SIZE, useList, useListState, useTyped } from './use-list.ts';

const words = texts.users;
const FILTERS = ['q', 'site', 'addOn'];

const COLUMNS: readonly Column<User>[] = [
  {
    key: 'name',
    title: words.columns.name,
    sortable: true,
    render: ({ name, extension, numbers }) => (
      <span class="stack">
        <a class="row-link" href={`/users/${encodeURIComponent(extension)}`}>
          {name}
        </a>
        <span class="muted small">{numbers[0] ?? texts.common.none}</span>
      </span>
    ),
  },
  { key: 'extension', title: words.columns.extension, sortable: true, render: (user) => user.extension },
  { key: 'site', title: words.columns.site, sortable: true, render: (user) => siteName(user.site) },
  { key: 'licences', title: words.columns.licences, render: (user) => <Licences user={user} /> },
  {
    key: 'since',
    title: words.columns.at,
    sortable: true,
    render: ({ association }) =>
      association ? (
        <a class="row-link light" href={`/phones/${encodeURIComponent(association.host.id)}`}>
          {association.host.nickname || association.host.id}
        </a>
      ) : (
        <span class="muted">{words.notLoggedIn}</span>
      ),
  },
];

function Licences({ user }: { readonly user: User }) {
  const { hotDeskLicence, addOns } = user;
  if (!hotDeskLicence && addOns.length === 0) return <span class="muted">{words.noLicence}</span>;
  return (
    <span class="pills">
      {hotDeskLicence && (
        <Pill tone="quiet" icon="key">
          {words.licences.hotDesk}
        </Pill>
      )}
      {addOns.map((addOn) => (
        <Pill key={addOn} tone="quiet" icon={addOn === 'host' ? 'desk' : 'user'}>
          {words.licences[addOn]}
        </Pill>
      ))}
    </span>
  );
}

/** Users › search. */
export function UsersPage() {
  const state = useListState(FILTERS);
  const addOn = state.value('addOn');
  const asked: UserQuery = {
    ...{ q: state.value('q'), site: state.value('site'), sort: state.value('sort') || 'name' },
    addOn: addOn === 'host' || addOn === 'guest' ? addOn : '',
    ...{ limit: PAGE_SIZE, cursor: state.cursor },
  };
  const list = useList(JSON.stringify(asked), (signal) => listUsers(asked, signal));
  useLive(['start', 'end', 'directory'], list.reload);
  return (
    <>
      <Head
        title={words.title}
        lead={words.lead}
        aside={
          mayChange.value && (
            <span class="head-actions">
              <a class="button plain" href="/users/import">
                <Icon name="upload" size={18} />
                <span>{texts.person.import}</span>
              </a>
              <a class="button primary" href="/users/new">
                <Icon name="plus" size={18} />
                <span>{texts.person.add}</span>
              </a>
            </span>
          )
        }
      />
      <Tools state={state} />
      {list.error && !list.data && <Failed text={list.error} onRetry={list.reload} />}
      {list.data?.rows.length === 0 && <Nothing state={state} />}
      {!(list.error && !list.data) && list.data?.rows.length !== 0 && (
        <Table
          label={words.label}
          columns={COLUMNS}
          rows={list.data?.rows}
          keyOf={({ extension }) => extension}
          nameOf={({ name }) => name}
          sort={asked.sort}
          onSort={(sort) => state.set('sort', sort)}
          stale={list.loading && list.data !== undefined}
        />
      )}
      {list.data && <Pages state={state} page={list.data} />}
    </>
  );
}

function Tools({ state }: { readonly state: ListState }) {
  const [typed, type] = useTyped(state);
  const siteOptions = sites.value.map(({ id, name }) => ({ value: id, text: name }));
  return (
    <div class="tools">
      <SearchBox label={words.search} value={typed} onChange={type} />
      {sites.value.length > 1 && (
        <SmallSelect
          label={texts.common.site}
          value={state.value('site')}
          options={[{ value: '', text: texts.common.allSites }, ...siteOptions]}
          onChange={(site) => state.set('site', site)}
        />
      )}
      <SmallSelect
        label={words.addOn}
        value={state.value('addOn')}
        options={[
          { value: '', text: words.anyAddOn },
          { value: 'host', text: texts.licensing.names.host },
          { value: 'guest', text: texts.licensing.names.guest },
        ]}
        onChange={(addOn) => state.set('addOn', addOn)}
      />
    </div>
  );
}

function Nothing({ state }: { readonly state: ListState }) {
  if (!state.isNarrowed)
    return (
      <Empty icon="users" {...words.empty}>
        {mayChange.value && (
          <a class="button primary" href="/users/import">
            {texts.peopleImport.title}
          </a>
        )}
      </Empty>
    );
  return (
    <Empty icon="search" {...words.found}>
      <Button kind="primary" onClick={state.clear}>
        {texts.common.clearFilters}
      </Button>
    </Empty>
  );
}
