import { useLive } from '../api/live.ts';
import { listOrders } from '../api/orders.ts';
import type { Catalogue, Order } from '../api/types.ts';
import { money } from '../app/money.ts';
import { mayChange, sites, zoneOf } from '../app/session.ts';
import { clock, fullTime } from '../app/time.ts';
import { texts } from '../texts.ts';
import { Empty, Failed, Head } from '../ui/bits.tsx';
import { Button } from '../ui/button.tsx';
import { SearchBox, SmallSelect } from '../ui/fields.tsx';
import { Icon } from '../ui/icons.tsx';
import { type Column, Pager, Table } from '../ui/table.tsx';
import { itemModel, OrderPill, toAssign } from './order-parts.tsx';
import { useCatalogue } from './use-catalogue.ts';
import { type ListState, PAGE_SIZE, useList, useListState, useTyped } from './use-list.ts';

const words = texts.orders;
const FILTERS = ['q', 'state', 'site'];
const STATES = ['submitted', 'dispatched', 'received', 'cancelled'] as const;

/** Opens the wizard. */
export function AddDeviceLink() {
  return (
    <a class="button primary" href="/phones/add">
      <Icon name="plus" size={18} />
      <span>{texts.addDevice.button}</span>
    </a>
  );
}

/** Phone system › Orders. */
export function OrdersPage() {
  const state = useListState(FILTERS);
  const catalogue = useCatalogue();
  const asked = {
    ...{ q: state.value('q'), state: state.value('state'), site: state.value('site') },
    ...{ sort: state.value('sort') || '-createdAt', limit: PAGE_SIZE, cursor: state.cursor },
  };
  const list = useList(JSON.stringify(asked), (signal) => listOrders(asked, signal));
  useLive(['order', 'moment'], list.reload);
  const rows = list.data?.rows;
  return (
    <>
      <Head title={words.title} lead={words.lead} aside={mayChange.value && <AddDeviceLink />} />
      <Tools state={state} />
      {list.error && !list.data ? (
        <Failed text={list.error} onRetry={list.reload} />
      ) : rows?.length === 0 ? (
        <Nothing state={state} />
      ) : (
        <Table
          wide
          label={words.label}
          columns={columnsWith(catalogue)}
          rows={rows}
          keyOf={({ id }) => id}
          nameOf={({ number }) => number}
          sort={asked.sort}
          onSort={(sort) => state.set('sort', sort)}
          stale={list.loading && rows !== undefined}
        />
      )}
      {list.data && list.data.total > 0 && <Pages state={state} page={list.data} />}
    </>
  );
}

interface PagesProps {
  readonly state: ListState;
  readonly page: { readonly rows: readonly unknown[]; readonly next: string | null; readonly total: number };
}

function Pages({ state, page: { rows, next, total } }: PagesProps) {
  const { cursors, from } = state;
  return (
    <Pager
      {...{ from, shown: rows.length, total }}
      onPrevious={cursors.length > 0 ? () => state.goTo(cursors.slice(0, -1)) : undefined}
      onNext={next === null ? undefined : () => state.goTo([...cursors, next])}
    />
  );
}

function columnsWith(catalogue: Catalogue | undefined): readonly Column<Order>[] {
  return [
    {
      key: 'number',
      title: words.columns.number,
      sortable: true,
      render: ({ id, number, kind }) => (
        <span class="stack">
          <a class="row-link" href={`/orders/${encodeURIComponent(id)}`}>
            {number}
          </a>
          <span class="muted small">{words.kinds[kind]}</span>
        </span>
      ),
    },
    { key: 'state', title: words.columns.state, sortable: true, render: (order) => <States order={order} /> },
    {
      key: 'what',
      title: words.columns.what,
      render: ({ items }) => (
        <span class="stack">
          {items.map((item) => (
            <span key={item.id}>{texts.addDevice.line(item.quantity, itemModel(item, catalogue))}</span>
          ))}
        </span>
      ),
    },
    {
      key: 'to',
      title: words.columns.to,
      render: ({ delivery: { address } }) => (
        <span class="stack">
          <span>{address.customerName}</span>
          <span class="muted small">{address.city}</span>
        </span>
      ),
    },
    {
      key: 'total',
      title: words.columns.total,
      render: ({ charges: { once, monthly, currency } }) => (
        <span class="stack">
          <span>{money(once, currency)}</span>
          {monthly > 0 && <span class="muted small">{texts.order.perMonth(money(monthly, currency))}</span>}
        </span>
      ),
    },
    {
      key: 'createdAt',
      title: words.columns.createdAt,
      sortable: true,
      render: ({ createdAt, items }) => (
        <time dateTime={createdAt} title={fullTime(createdAt, zoneOf(items[0]?.site))}>
          {clock(createdAt, zoneOf(items[0]?.site))}
        </time>
      ),
    },
  ];
}

function States({ order }: { readonly order: Order }) {
  const left = toAssign(order);
  return (
    <span class="stack">
      <OrderPill state={order.state} />
      {left > 0 && <span class="muted small">{words.toAssign(left)}</span>}
    </span>
  );
}

function Tools({ state }: { readonly state: ListState }) {
  const [typed, type] = useTyped(state);
  return (
    <div class="tools">
      <SearchBox label={words.search} value={typed} onChange={type} />
      {sites.value.length > 1 && (
        <SmallSelect
          label={texts.common.site}
          value={state.value('site')}
          options={[
            { value: '', text: texts.common.allSites },
            ...sites.value.map(({ id, name }) => ({ value: id, text: name })),
          ]}
          onChange={(site) => state.set('site', site)}
        />
      )}
      <fieldset class="segments">
        <legend class="hidden">{words.stateLabel}</legend>
        {['' as const, ...STATES].map((each) => (
          <label key={each}>
            <input
              type="radio"
              name="state"
              checked={state.value('state') === each}
              onChange={() => state.set('state', each)}
            />
            <span>{each === '' ? words.all : words.states[each]}</span>
          </label>
        ))}
      </fieldset>
    </div>
  );
}

function Nothing({ state }: { readonly state: ListState }) {
  if (state.isNarrowed) {
    return (
      <Empty icon="search" {...words.found}>
        <Button kind="primary" onClick={state.clear}>
          {texts.common.clearFilters}
        </Button>
      </Empty>
    );
  }
  return (
    <Empty icon="box" {...words.empty}>
      {mayChange.value && <AddDeviceLink />}
    </Empty>
  );
}
