import { useMemo } from 'preact/hooks';
import { below } from '../api/mistakes.ts';
import { texts } from '../texts.ts';
import type { AddressDraft, AddressMistakes } from '../ui/address-fields.tsx';
import { TextField } from '../ui/fields.tsx';
import { RadioCards } from '../ui/radio-cards.tsx';
import type { Delivery } from './add-device-draft.ts';
import { AddressChoice, useKnownAddresses } from './address-choice.tsx';

const words = texts.addDevice;

interface DeliveryProps {
  readonly value: Delivery;
  readonly shipping: readonly { readonly id: string; readonly name: string; readonly price: string }[];
  /** Addresses to be offered first. */
  readonly known: readonly AddressDraft[];
  /** By path, such as `address.postcode`. */
  readonly mistakes: Readonly<Record<string, string>>;
  readonly onChange: (value: Delivery) => void;
}

/** Delivery address, attention to, shipping method, note: for orders and for phones that are converted. */
export function DeliveryFields({ value, shipping, known, mistakes, onChange }: DeliveryProps) {
  const inUse = useKnownAddresses('');
  // A parcel goes to a building.
  const buildings = useMemo(() => inUse.map((draft) => ({ ...draft, floor: '', room: '' })), [inUse]);
  const change = (to: Partial<Delivery>): void => onChange({ ...value, ...to });
  return (
    <div class="form">
      <AddressChoice
        label={words.deliveryAddress}
        nameLabel={words.name}
        inside={false}
        value={value.address}
        known={[...known, ...buildings]}
        errors={below(mistakes, 'address') as AddressMistakes & { readonly choice?: string }}
        onChange={(address) => change({ address })}
      />
      <TextField
        label={words.attention}
        hint={words.attentionHint}
        name="attention"
        maxLength={100}
        value={value.attention}
        error={mistakes.attention}
        onInput={(attention) => change({ attention })}
      />
      <RadioCards
        label={words.method}
        name="shipping"
        value={value.method}
        error={mistakes.shippingMethod}
        choices={shipping.map(({ id, name, price }) => ({ value: id, text: name, aside: price }))}
        onChange={(method) => change({ method })}
      />
      <TextField
        label={words.note}
        name="note"
        maxLength={1000}
        value={value.note}
        error={mistakes.note}
        onInput={(note) => change({ note })}
      />
    </div>
  );
}
