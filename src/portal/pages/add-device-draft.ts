import { effect, signal } from '@preact/signals';
import type { QuoteWish } from '../api/orders.ts';
import type { Catalogue } from '../api/types.ts';
import { freshKey } from '../app/fresh-key.ts';
import { forget, keep, kept } from '../app/kept.ts';
import { type Variant, variantsOf } from '../app/money.ts';
import { addressWish } from '../ui/address-fields.tsx';
import { type AddressValue, nothingChosen } from './address-choice.tsx';

/**
 * What is being ordered, as far as it has been entered. It stays while one goes from step to step and back,
 * and when the page is loaded anew.
 */

export const STEPS = ['phones', 'address', 'delivery', 'summary'] as const;
export type Step = (typeof STEPS)[number];

/** Where some phones of one model will stand. */
export interface Place {
  readonly key: number;
  readonly variant: string;
  /** Of what was split off; the first place of a model has all that is left. */
  readonly quantity: number;
  readonly site: string;
  readonly address: AddressValue;
}

export interface Delivery {
  readonly address: AddressValue;
  readonly attention: string;
  readonly method: string;
  readonly note: string;
}

export interface Draft {
  /** Whose it is: nobody finds what somebody else began. */
  readonly owner: string;
  /** Phones by variant. */
  readonly quantities: Readonly<Record<string, number>>;
  readonly mode: 'one' | 'each';
  readonly shared: { readonly site: string; readonly address: AddressValue };
  readonly places: readonly Place[];
  readonly delivery: Delivery;
  /** By path in the order, such as `items.0.address.postcode`. */
  readonly mistakes: Readonly<Record<string, string>>;
  /** Makes it one order, however often it is sent. */
  readonly key: string;
}

export const draft = signal<Draft | undefined>(undefined);

/** With a number that changes when the shape of a draft does. */
const KEPT = 'add-device.1';

/** What this person had entered before the page was loaded anew. */
export function draftOf(owner: string): Draft | undefined {
  const found = kept(KEPT) as Partial<Draft> | undefined;
  return found?.owner === owner ? (found as Draft) : undefined;
}

effect(() => {
  const { value } = draft;
  if (value) keep(KEPT, value);
});

/** The order is placed: the next one begins anew. */
export function endDraft(): void {
  draft.value = undefined;
  forget(KEPT);
}

interface Beginning {
  readonly owner: string;
  readonly country: string;
  readonly site: string;
  readonly method: string;
}

/** Nothing entered yet. */
export function beginDraft({ owner, country, site, method }: Beginning): Draft {
  const nowhere = nothingChosen(country);
  return {
    ...{ owner, quantities: {}, mode: 'one', places: [], mistakes: {} },
    shared: { site, address: nowhere },
    delivery: { address: nowhere, attention: '', method, note: '' },
    key: freshKey(),
  };
}

export function edit(change: Partial<Draft>): void {
  if (draft.value) draft.value = { ...draft.value, ...change };
}

/** A line of the order: some phones of one model, for one place. */
export interface Line {
  readonly variant: Variant;
  readonly quantity: number;
  readonly site: string;
  readonly address: AddressValue;
  /** Absent where one address is for all. */
  readonly place?: Place;
  /** It was split off the line before it. */
  readonly isSplit: boolean;
}

function wanted({ quantities }: Draft, catalogue: Catalogue): readonly Variant[] {
  return variantsOf(catalogue).filter(({ id }) => (quantities[id] ?? 0) > 0);
}

export function countOf({ quantities }: Draft): number {
  return Object.values(quantities).reduce((sum, quantity) => sum + quantity, 0);
}

/** The lines in the order they are sent in: a mistake names them by number. */
export function linesOf(from: Draft, catalogue: Catalogue): readonly Line[] {
  const places = placesFor(from, catalogue);
  return wanted(from, catalogue).flatMap((variant): readonly Line[] => {
    const all = from.quantities[variant.id] ?? 0;
    if (from.mode === 'one') return [{ variant, quantity: all, ...from.shared, isSplit: false }];
    const [first, ...split] = places.filter((place) => place.variant === variant.id);
    if (!first) return [{ variant, quantity: all, ...from.shared, isSplit: false }];
    const left = all - split.reduce((sum, { quantity }) => sum + quantity, 0);
    return [
      { variant, quantity: left, site: first.site, address: first.address, place: first, isSplit: false },
      ...split.map((place) => ({ ...place, variant, place, isSplit: true })),
    ];
  });
}

/** Every model has a place; what was split into more than there is now is joined again. */
export function placesFor(from: Draft, catalogue: Catalogue): readonly Place[] {
  let next = nextKey(from);
  return wanted(from, catalogue).flatMap(({ id }) => {
    const own = from.places.filter(({ variant }) => variant === id);
    const [first, ...split] = own;
    if (!first) return [{ key: next++, variant: id, quantity: 0, ...from.shared }];
    const splitOff = split.reduce((sum, { quantity }) => sum + quantity, 0);
    return splitOff < (from.quantities[id] ?? 0) ? own : [first];
  });
}

function nextKey({ places }: Draft): number {
  return Math.max(0, ...places.map(({ key }) => key)) + 1;
}

/** Each its own address, beginning with the one that was for all. */
export function separately(from: Draft, catalogue: Catalogue): Partial<Draft> {
  const places = placesFor(from, catalogue).map((place) =>
    place.address.choice === '' ? { ...place, ...from.shared } : place,
  );
  return { mode: 'each', places, mistakes: {} };
}

/** One phone of the line gets a place of its own. */
export function split(from: Draft, line: Line): readonly Place[] {
  const fresh = { key: nextKey(from), variant: line.variant.id, quantity: 1, site: line.site };
  const address = nothingChosen(line.address.draft.country);
  const last = from.places.findLastIndex(({ variant }) => variant === line.variant.id);
  return from.places.toSpliced(last + 1, 0, { ...fresh, address });
}

/** As the API takes it. */
export function wishOf(from: Draft, catalogue: Catalogue): QuoteWish {
  const { address, attention, method, note } = from.delivery;
  const items = linesOf(from, catalogue).map(({ variant, quantity, site, address: stands }) => ({
    ...{ model: variant.model, expansionModule: variant.expansionModule, quantity, site },
    address: addressWish(stands.draft),
  }));
  return {
    items,
    delivery: {
      address: addressWish(address.draft),
      attention: attention.trim() || null,
      shippingMethod: method,
    },
    ...(note.trim() !== '' && { note: note.trim() }),
  };
}

/** The step that a path of a mistake belongs to. */
export function stepOf(path: string): Step {
  if (/^items\.\d+\.(site|address)/.test(path)) return 'address';
  return path.startsWith('items') ? 'phones' : 'delivery';
}
