import { useState } from 'preact/hooks';
import { get } from '../api/client.ts';
import { useLive } from '../api/live.ts';
import { orderPath } from '../api/orders.ts';
import type { Catalogue, Order } from '../api/types.ts';
import { mayChange, siteName, zoneOf } from '../app/session.ts';
import { fullTime } from '../app/time.ts';
import { useLoad } from '../app/use-load.ts';
import { texts } from '../texts.ts';
import { Card, Facts, Head } from '../ui/bits.tsx';
import { Button } from '../ui/button.tsx';
import { Icon } from '../ui/icons.tsx';
import { AddressLines } from './address-choice.tsx';
import { ChargesTable, itemName } from './charges.tsx';
import { withColons } from './mac.ts';
import { NotReady } from './not-ready.tsx';
import { type Asked, OrderDialog } from './order-actions.tsx';
import { OrderHistory } from './order-history.tsx';
import { itemModel, OrderPill, toAssign } from './order-parts.tsx';
import { useCatalogue } from './use-catalogue.ts';

const words = texts.order;
const BACK = { href: '/orders', text: words.back };

/** An order: what, where to, what it costs, how far it has got. */
export function OrderPage({ id }: { readonly id: string }) {
  const path = orderPath(id);
  const order = useLoad(path, (signal) => get<Order>(path, signal));
  const catalogue = useCatalogue();
  useLive(['order', 'moment'], order.reload);
  if (!order.data) return <NotReady title={texts.orders.title} loaded={order} back={BACK} />;
  const shown = order.data;
  return (
    <>
      <Head
        key="ready"
        title={words.title(shown.number)}
        back={BACK}
        lead={`${texts.orders.kinds[shown.kind]} · ${words.placed(fullTime(shown.createdAt, zoneOf(shown.items[0]?.site)))}`}
        aside={<Actions order={shown} onChange={order.set} />}
      />
      <ToAssign order={shown} />
      <div class="columns">
        <div>
          <ProgressCard order={shown} />
          <ItemsCard order={shown} catalogue={catalogue} />
          <Card title={words.charges}>
            <ChargesTable charges={shown.charges} catalogue={catalogue} />
          </Card>
        </div>
        <div>
          <DeliveryCard order={shown} catalogue={catalogue} onChange={order.set} />
          <OrderHistory order={shown} />
        </div>
      </div>
    </>
  );
}

function ToAssign({ order }: { readonly order: Order }) {
  const left = toAssign(order);
  if (left === 0 || !mayChange.value) return null;
  return (
    <div class="call-out">
      <Icon name="box" size={24} />
      <p>{words.toAssign(left)}</p>
      <a class="button primary" href={`/orders/${encodeURIComponent(order.id)}/phones`}>
        {words.actions.assign}
      </a>
    </div>
  );
}

interface ActionsProps {
  readonly order: Order;
  readonly onChange: (order: Order) => void;
}

function Actions({ order, onChange }: ActionsProps) {
  const [asked, ask] = useState<Asked>();
  const { state, id } = order;
  const csv = `/api/v1${orderPath(id)}.csv`;
  const isOpen = state === 'submitted' || state === 'dispatched';
  return (
    <div class="page-actions">
      <a class="button plain" href={csv} download={`${order.number}.csv`}>
        <Icon name="download" size={18} />
        <span>{texts.orders.csv}</span>
      </a>
      {mayChange.value && isOpen && (
        <>
          <Button kind="plain" onClick={() => ask('cancelled')}>
            {words.actions.cancelled}
          </Button>
          <Button
            kind="primary"
            icon={state === 'submitted' ? 'truck' : 'check'}
            onClick={() => ask(state === 'submitted' ? 'dispatched' : 'received')}
          >
            {words.actions[state === 'submitted' ? 'dispatched' : 'received']}
          </Button>
        </>
      )}
      {asked && (
        <OrderDialog order={order} asked={asked} onChange={onChange} onClose={() => ask(undefined)} />
      )}
    </div>
  );
}

const WAY = ['submitted', 'dispatched', 'received'] as const;

function ProgressCard({ order }: { readonly order: Order }) {
  const { state } = order;
  if (state === 'cancelled') {
    return (
      <Card title={words.progress} aside={<OrderPill state={state} />}>
        <p class="muted">{words.cancelledText}</p>
      </Card>
    );
  }
  const at = WAY.indexOf(state);
  return (
    <Card title={words.progress} aside={<OrderPill state={state} />}>
      <ol class="progress">
        {WAY.map((each, index) => (
          <li
            key={each}
            class={index <= at ? 'reached' : ''}
            aria-current={index === at ? 'step' : undefined}
          >
            <span class="progress-dot">{index <= at && <Icon name="check" size={14} />}</span>
            <span>
              <strong>{texts.orders.states[each]}</strong>
              <span class="muted small">{words.steps[each]}</span>
            </span>
          </li>
        ))}
      </ol>
      {state === 'received' && order.kind === 'newPhones' && toAssign(order) === 0 && (
        <p class="all-done">{words.allAssigned}</p>
      )}
    </Card>
  );
}

interface PartProps {
  readonly order: Order;
  readonly catalogue: Catalogue | undefined;
}

function ItemsCard({ order, catalogue }: PartProps) {
  return (
    <Card title={words.phones} lead={words.phonesLead}>
      <ul class="order-lines">
        {order.items.map((item) => (
          <li key={item.id}>
            <div class="order-line-head">
              <p class="strong">{texts.addDevice.line(item.quantity, itemModel(item, catalogue))}</p>
              {order.kind === 'newPhones' && order.state === 'received' && (
                <span class="muted small">{words.assigned(item.macs.length, item.quantity)}</span>
              )}
            </div>
            <p class="muted small">
              {texts.addDevice.standsAt} · {siteName(item.site)}
            </p>
            <AddressLines address={item.address} />
            {item.macs.length > 0 && (
              <ul class="order-phones">
                {item.macs.map(({ host, mac }) => (
                  <li key={host}>
                    <a href={`/phones/${encodeURIComponent(host)}`}>{host}</a>{' '}
                    <span class="muted small">{withColons(mac)}</span>
                  </li>
                ))}
              </ul>
            )}
          </li>
        ))}
      </ul>
      {order.phones.map((host) => (
        <p class="foot-note" key={host}>
          {words.conversionOf}: <a href={`/phones/${encodeURIComponent(host)}`}>{host}</a>
        </p>
      ))}
    </Card>
  );
}

function DeliveryCard({ order, catalogue, onChange }: PartProps & Pick<ActionsProps, 'onChange'>) {
  const { delivery, trackingReference, note } = order;
  const [editing, setEditing] = useState(false);
  return (
    <Card
      title={words.delivery}
      aside={
        mayChange.value && (
          <Button small icon="pencil" label={words.actions.edit} onClick={() => setEditing(true)}>
            {texts.phoneEdit.edit}
          </Button>
        )
      }
    >
      <AddressLines address={delivery.address} />
      <Facts
        rows={[
          ...(delivery.attention ? [[words.attention, delivery.attention] as const] : []),
          [words.method, itemName(delivery.shippingMethod, catalogue)],
          [words.tracking, trackingReference ?? words.noTracking],
          ...(note ? [[words.note, note] as const] : []),
        ]}
      />
      {editing && (
        <OrderDialog order={order} asked="edit" onChange={onChange} onClose={() => setEditing(false)} />
      )}
    </Card>
  );
}
