import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/config.ts';
import { exampleYaml } from '../../src/config-example.ts';

/** The price list in the configuration. */

const load = (catalogue: string) => loadConfig({}, `catalogue: { ${catalogue} }`);
const model = 'id: x, name: X';

test('none: the phones of rule A8, in pounds, without a charge for being a hot desk (A9)', () => {
  expect(loadConfig({}, '')).toMatchObject({
    config: {
      catalogue: {
        ...{ currency: 'GBP', licenceMonthly: 0 },
        models: [
          { name: 'VVX 301', expansionModule: 'none' },
          { name: 'VVX 411', expansionModule: 'optional' },
          { name: 'VVX 601', expansionModule: 'optional' },
        ],
        shipping: [{ id: 'standard' }, { id: 'express' }],
      },
    },
  });
});

test('one of one’s own', () => {
  expect(load(`currency: JPY, models: [{ ${model}, once: 12000, monthly: 300 }]`)).toMatchObject({
    config: {
      catalogue: {
        ...{ currency: 'JPY', models: [{ id: 'x', once: 12_000, monthly: 300, expansionModule: 'none' }] },
      },
    },
  });
});

test('the example is right', () => {
  expect(loadConfig({}, exampleYaml())).toMatchObject({ config: { catalogue: { currency: 'GBP' } } });
});

describe('is refused, and says where and why', () => {
  test.each([
    ['currency: Pounds', 'catalogue.currency: expected a currency by ISO 4217, such as GBP'],
    ['models: []', 'catalogue.models: expected at least one model'],
    ['shipping: []', 'catalogue.shipping: expected at least one shipping method'],
    [`models: [{ ${model}, once: 89.5 }]`, 'catalogue.models.0.once: expected a whole number from 0 to'],
    [`models: [{ ${model}, once: -1 }]`, 'catalogue.models.0.once: expected a whole number from 0 to'],
    [`models: [{ id: VVX 1, name: X }]`, 'catalogue.models.0.id: expected a name of a-z, 0-9 and -'],
    [`models: [{ ${model} }, { ${model} }]`, 'catalogue.models.1.id: expected an id no other has'],
    [
      `models: [{ ${model}, expansionModule: yes }]`,
      'catalogue.models.0.expansionModule: expected one of none,',
    ],
    ['price: 1', 'catalogue.price: unknown setting'],
  ])('%s', (text, problem) => {
    expect(load(text)).toEqual({ problems: [expect.stringContaining(problem)] });
  });
});
