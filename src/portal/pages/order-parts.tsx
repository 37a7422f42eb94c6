import type { Catalogue, Order } from '../api/types.ts';
import { texts } from '../texts.ts';
import { Pill, type Tone } from '../ui/bits.tsx';
import type { IconName } from '../ui/icons.tsx';
import { itemName } from './charges.tsx';
import { modelOf } from './host-parts.tsx';

type State = Order['state'];

const LOOKS: Readonly<Record<State, { readonly tone: Tone; readonly icon: IconName }>> = {
  submitted: { tone: 'busy', icon: 'clock' },
  dispatched: { tone: 'warn', icon: 'truck' },
  received: { tone: 'ok', icon: 'check' },
  cancelled: { tone: 'quiet', icon: 'off' },
};

export function OrderPill({ state }: { readonly state: State }) {
  return <Pill {...LOOKS[state]}>{texts.orders.states[state]}</Pill>;
}

type Item = Order['items'][number];

/** As people know the model, with or without expansion module. */
export function itemModel(
  { model, expansionModule }: Pick<Item, 'model' | 'expansionModule'>,
  catalogue: Catalogue | undefined,
): string {
  return modelOf({ model: itemName(model, catalogue), expansionModule });
}

/** How many phones of an item have no MAC address yet. */
export function leftOf({ quantity, macs }: Pick<Item, 'quantity' | 'macs'>): number {
  return quantity - macs.length;
}

/** How many phones of the order can be assigned now; none of a conversion, whose phone is known. */
export function toAssign({ kind, state, items }: Order): number {
  if (kind !== 'newPhones' || state !== 'received') return 0;
  return items.reduce((sum, item) => sum + leftOf(item), 0);
}
