import { z } from 'zod';
import { about, filled, oneOf, text, whole } from './config-words.ts';

const CURRENCIES: ReadonlySet<string> = new Set(Intl.supportedValuesOf('currency'));

const amount = () => whole(0, 100_000_000);
const itemId = () => text('a name of a-z, 0-9 and -', /^[a-z0-9-]{1,40}$/);
const title = () => filled().max(60, { error: 'expected at most 60 characters' });

const model = z.strictObject({
  id: itemId().meta(about('Id, of a-z, 0-9 and -; orders keep it.')),
  name: title().meta(about('Name, as the phones made of it are called in the directory.')),
  expansionModule: oneOf('none', 'optional')
    .default('none')
    .meta(about('Whether it may come with an expansion module.')),
  once: amount().default(0).meta(about('Charge for each phone, once.')),
  monthly: amount().default(0).meta(about('Charge for each phone, each month.')),
  moduleOnce: amount().default(0).meta(about('Charge for each expansion module, once.')),
  moduleMonthly: amount().default(0).meta(about('Charge for each expansion module, each month.')),
});

const shipping = z.strictObject({
  id: itemId().meta(about('Id, of a-z, 0-9 and -; orders keep it.')),
  name: title().meta(about('Name.')),
  once: amount().default(0).meta(about('Charge for each order.')),
});

function refuseTwins(list: readonly { readonly id: string }[], context: z.RefinementCtx): void {
  for (const [index, { id }] of list.entries()) {
    if (list.findIndex((other) => other.id === id) === index) continue;
    context.addIssue({ code: 'custom', path: [index, 'id'], message: 'expected an id no other has' });
  }
}

const noModule = { moduleOnce: 0, moduleMonthly: 0 };

/** The price list; amounts are in the smallest unit of the currency. The models are those of rule A8. */
export const catalogue = z.strictObject({
  currency: text('a currency by ISO 4217, such as GBP', (value) => CURRENCIES.has(value))
    .default('GBP')
    .meta(about('Currency (ISO 4217). Amounts are in its smallest unit: 8900 is £89.00.')),
  licenceMonthly: amount().default(0).meta(about('Charge for the licence of each phone, each month.')),
  models: z
    .array(model, { error: 'expected a list of models' })
    .min(1, { error: 'expected at least one model' })
    .max(50, { error: 'expected at most 50 models' })
    .superRefine(refuseTwins)
    .default([
      { id: 'vvx-301', name: 'VVX 301', expansionModule: 'none', once: 8900, monthly: 0, ...noModule },
      {
        ...{ id: 'vvx-411', name: 'VVX 411', expansionModule: 'optional', once: 14_500, monthly: 0 },
        ...{ moduleOnce: 11_900, moduleMonthly: 0 },
      },
      {
        ...{ id: 'vvx-601', name: 'VVX 601', expansionModule: 'optional', once: 22_900, monthly: 0 },
        ...{ moduleOnce: 11_900, moduleMonthly: 0 },
      },
    ])
    .meta(about('Phones that can be ordered.')),
  shipping: z
    .array(shipping, { error: 'expected a list of shipping methods' })
    .min(1, { error: 'expected at least one shipping method' })
    .max(20, { error: 'expected at most 20 shipping methods' })
    .superRefine(refuseTwins)
    .default([
      { id: 'standard', name: 'Standard, 3 to 5 working days', once: 0 },
      { id: 'express', name: 'Express, next working day', once: 1_500 },
    ])
    .meta(about('How orders can be sent.')),
});
