import type { Catalogue, Charges } from '../api/types.ts';

/** Amounts as the API has them, in the smallest unit of the currency, as people read them. */
export function money(amount: number, currency: string): string {
  const format = new Intl.NumberFormat('en-GB', { style: 'currency', currency });
  const { maximumFractionDigits: digits = 2 } = format.resolvedOptions();
  return format.format(amount / 10 ** digits);
}

/** Undefined for nothing: it is left out of a sentence. */
export function moneyOrNothing(amount: number, currency: string): string | undefined {
  return amount === 0 ? undefined : money(amount, currency);
}

/** A phone of the price list, with or without its expansion module, as people choose it. */
export interface Variant {
  readonly id: string;
  readonly model: string;
  readonly name: string;
  readonly expansionModule: boolean;
  readonly once: number;
  readonly monthly: number;
}

/** Every phone one can order; one with an optional module stands there twice. */
export function variantsOf({ models }: Pick<Catalogue, 'models'>): readonly Variant[] {
  return models.flatMap(({ id, name, phone, module, expansionModule }) => {
    const alone = { id, model: id, name, expansionModule: false, ...phone };
    if (expansionModule === 'none') return [alone];
    const once = phone.once + module.once;
    const monthly = phone.monthly + module.monthly;
    return [alone, { ...alone, id: `${id}+`, expansionModule: true, once, monthly }];
  });
}

/** What a converted phone and its delivery cost by the price list; the server refuses another total. */
export function conversionCharges(
  { licence, shipping, currency }: Catalogue,
  shippingMethod: string,
): Charges | undefined {
  const method = shipping.find(({ id }) => id === shippingMethod);
  if (!method) return undefined;
  const { monthly } = licence;
  const lines = [
    ...(monthly > 0 ? [{ key: 'licence', item: null, quantity: 1, once: 0, monthly } as const] : []),
    { key: 'shipping', item: method.id, quantity: 1, once: method.once, monthly: 0 } as const,
  ];
  return { lines, once: method.once, monthly, currency };
}
