import { useEffect, useState } from 'preact/hooks';
import { below, type Mistakes, mistakesIn, NO_MISTAKES } from '../api/mistakes.ts';
import { quote } from '../api/orders.ts';
import { sites } from '../app/session.ts';
import { texts } from '../texts.ts';
import type { AddressMistakes } from '../ui/address-fields.tsx';
import { Card } from '../ui/bits.tsx';
import { Button } from '../ui/button.tsx';
import { Notice } from '../ui/dialog.tsx';
import { SelectField } from '../ui/fields.tsx';
import { useMistakeFocus } from '../ui/mistake-focus.ts';
import { Quantity } from '../ui/quantity.tsx';
import { RadioCards } from '../ui/radio-cards.tsx';
import {
  countOf,
  type Draft,
  edit,
  type Line,
  linesOf,
  placesFor,
  separately,
  split,
  stepOf,
  wishOf,
} from './add-device-draft.ts';
import { variantName } from './add-device-phones.tsx';
import { goTo, StepFoot, type StepProps } from './add-device-step.tsx';
import { AddressChoice, type AddressValue, mistakesOf, useKnownAddresses } from './address-choice.tsx';

const words = texts.addDevice;

/** What is missing, by the same paths the server uses. */
function missing(lines: readonly Line[]): Record<string, string> {
  const found = lines.flatMap(({ site, address }, index) => [
    ...(site === '' ? [[`items.${index}.site`, words.missingSite]] : []),
    ...Object.entries(mistakesOf(address)).map(([field, text]) => [`items.${index}.address.${field}`, text]),
  ]);
  return Object.fromEntries(found);
}

/** The server looks at the places alone: for the delivery something stands in. */
async function refused({ draft, catalogue }: StepProps): Promise<Mistakes> {
  const { items } = wishOf(draft, catalogue);
  const [first] = items;
  const [method] = catalogue.shipping;
  if (!first || !method) return NO_MISTAKES;
  const delivery = { address: first.address, attention: null, shippingMethod: method.id };
  try {
    await quote({ items, delivery });
    return NO_MISTAKES;
  } catch (error) {
    const isOfDelivery = (path: string): boolean => path.startsWith('delivery');
    return mistakesIn(error, (path) => isOfDelivery(path) || stepOf(path) === 'address');
  }
}

/** Emergency address: one for all, or each its own (rule A6). */
export function PlacesStep(props: StepProps) {
  const { draft, catalogue } = props;
  const [rest, setRest] = useState('');
  const [busy, setBusy] = useState(false);
  const { form, show } = useMistakeFocus<HTMLFormElement>();
  useEffect(() => edit({ places: placesFor(draft, catalogue) }), []);
  const lines = linesOf(draft, catalogue);
  const next = async (event: Event): Promise<void> => {
    event.preventDefault();
    const empty = missing(lines);
    const isWhole = Object.keys(empty).length === 0;
    setBusy(true);
    const found = isWhole ? await refused(props) : { fields: empty, rest: '' };
    setBusy(false);
    const tooMany = lines.length > catalogue.limits.items ? words.tooManyPlaces(catalogue.limits.items) : '';
    const fields = Object.fromEntries(
      Object.entries(found.fields).filter(([path]) => path.startsWith('items')),
    );
    edit({ mistakes: fields });
    setRest(found.rest || tooMany);
    if (found.rest === '' && tooMany === '' && Object.keys(fields).length === 0) goTo('delivery');
    else show();
  };
  return (
    <form class="form" ref={form} onSubmit={(event) => void next(event)} noValidate>
      {countOf(draft) > 1 && (
        <RadioCards
          label={words.modes.label}
          name="mode"
          value={draft.mode}
          choices={(['one', 'each'] as const).map((value) => ({
            value,
            text: words.modes[value],
            hint: value === 'each' ? words.splitHint : undefined,
          }))}
          onChange={(mode) =>
            edit(mode === 'each' ? separately(draft, catalogue) : { mode: 'one', mistakes: {} })
          }
        />
      )}
      {draft.mode === 'one' ? (
        <SharedPlace draft={draft} lines={lines} />
      ) : (
        lines.map((line, index) => <LinePlace key={line.place?.key} {...{ draft, line, index, lines }} />)
      )}
      {rest !== '' && <Notice kind="danger">{rest}</Notice>}
      <div class="step-bar">
        <StepFoot before="phones" busy={busy} />
      </div>
    </form>
  );
}

function lineName({ variant, quantity }: Line): string {
  return words.line(quantity, variantName(variant));
}

function SharedPlace({ draft, lines }: { readonly draft: Draft; readonly lines: readonly Line[] }) {
  const { shared, mistakes } = draft;
  return (
    <Card title={lines.map(lineName).join(', ')}>
      <PlaceFields
        {...shared}
        mistakes={mistakes}
        at={lines.findIndex((_, index) => Object.keys(below(mistakes, `items.${index}`)).length > 0)}
        known={[]}
        onChange={(change) => edit({ shared: { ...shared, ...change }, mistakes: {} })}
      />
    </Card>
  );
}

interface LineProps {
  readonly draft: Draft;
  readonly line: Line;
  readonly index: number;
  readonly lines: readonly Line[];
}

function LinePlace({ draft, line, index, lines }: LineProps) {
  const { place } = line;
  if (!place) return null;
  const { places } = draft;
  const change = (to: Partial<typeof place>): void =>
    edit({
      places: places.map((each) => (each.key === place.key ? { ...each, ...to } : each)),
      mistakes: {},
    });
  const others = lines.filter(({ place: other }) => other?.key !== place.key).map(({ address }) => address);
  return (
    <Card title={lineName(line)} aside={<SplitButton draft={draft} line={line} />}>
      {line.isSplit && (
        <SplitQuantity line={line} lines={lines} onChange={(quantity) => change({ quantity })} />
      )}
      <PlaceFields {...line} at={index} mistakes={draft.mistakes} known={others} onChange={change} />
    </Card>
  );
}

/** Takes one phone out of the line, for a place of its own; or puts it back. */
function SplitButton({ draft, line }: { readonly draft: Draft; readonly line: Line }) {
  const name = lineName(line);
  if (line.isSplit) {
    const join = (): void =>
      edit({ places: draft.places.filter(({ key }) => key !== line.place?.key), mistakes: {} });
    return (
      <Button small label={words.joinLabel(name)} onClick={join}>
        {words.join}
      </Button>
    );
  }
  if (line.quantity < 2) return null;
  return (
    <Button
      small
      icon="split"
      label={words.splitLabel(name)}
      onClick={() => edit({ places: split(draft, line), mistakes: {} })}
    >
      {words.split}
    </Button>
  );
}

interface SplitQuantityProps {
  readonly line: Line;
  readonly lines: readonly Line[];
  readonly onChange: (quantity: number) => void;
}

function SplitQuantity({ line, lines, onChange }: SplitQuantityProps) {
  const name = variantName(line.variant);
  const whole = lines.find(({ variant, isSplit }) => variant.id === line.variant.id && !isSplit);
  return (
    <div class="field split-quantity">
      <span class="switch-label">{words.splitQuantity}</span>
      <Quantity
        label={`${words.splitQuantity}: ${lineName(line)}`}
        fewer={words.fewer(name)}
        more={words.more(name)}
        value={line.quantity}
        min={1}
        max={line.quantity + (whole?.quantity ?? 1) - 1}
        onChange={onChange}
      />
    </div>
  );
}

interface PlaceProps {
  readonly site: string;
  readonly address: AddressValue;
  readonly mistakes: Readonly<Record<string, string>>;
  /** Number of the item whose mistakes show here. */
  readonly at: number;
  /** Chosen or typed for other phones of this order. */
  readonly known: readonly AddressValue[];
  readonly onChange: (change: { readonly site?: string; readonly address?: AddressValue }) => void;
}

function PlaceFields({ site, address, mistakes, at, known, onChange }: PlaceProps) {
  const inUse = useKnownAddresses(site);
  const entered = known.filter(({ choice }) => choice !== '').map(({ draft }) => draft);
  const options = [
    ...(site === '' ? [{ value: '', text: texts.addressForm.placeholder, disabled: true }] : []),
    ...sites.value.map(({ id, name }) => ({ value: id, text: name })),
  ];
  return (
    <div class="form">
      <SelectField
        label={words.site}
        value={site}
        options={options}
        error={mistakes[`items.${at}.site`]}
        onChange={(wanted) => onChange({ site: wanted })}
      />
      <AddressChoice
        label={words.address}
        value={address}
        known={[...inUse, ...entered]}
        errors={below(mistakes, `items.${at}.address`) as AddressMistakes & { readonly choice?: string }}
        onChange={(wanted) => onChange({ address: wanted })}
      />
    </div>
  );
}
