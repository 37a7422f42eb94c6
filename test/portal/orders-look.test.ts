import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { PHONES } from '../support/demo.ts';
import type { Hotdesk } from '../support/hotdesk.ts';
import {
  accessibilityProblems,
  addAdministrator,
  chooseKnownAddress,
  picture,
  type Size,
  signIn,
  useChromium,
} from '../support/portal.ts';
import { useHotdesk } from '../support/suite.ts';

/** Pages about orders and about phones that change hands, at three widths, light and dark: nothing that axe finds. */

// Nobody else looks at so many pages in a minute.
const hotdesk = useHotdesk({ settings: { http: { requestsPerMinute: 100_000 } } });
const open = useChromium();

const ADDRESS = {
  ...{ customerName: 'Hotdesk Demo', houseNumber: '10', street: 'Example Street', city: 'London' },
  ...{ postcode: 'EC1A 1AA', country: 'GB', floor: '2', room: 'Kitchen' },
};
const DELIVERY = { address: ADDRESS, attention: 'Facilities', shippingMethod: 'express' };
const ITEMS = [
  { model: 'vvx-411', expansionModule: false, quantity: 12, site: 'london', address: ADDRESS },
  { model: 'vvx-601', expansionModule: true, quantity: 2, site: 'leeds', address: ADDRESS },
];

/** An order in each state but the last, and a phone that is nobody's. */
async function prepare(at: Hotdesk): Promise<readonly string[]> {
  const things = { items: ITEMS, delivery: DELIVERY };
  const { body: total } = await at.api('/api/v1/order-quotes', { method: 'POST', json: things });
  const { once, monthly, currency } = total;
  const json = { ...things, acknowledged: true, total: { once, monthly, currency } };
  const ids: string[] = [];
  for (const states of [[], ['dispatched'], ['received'], ['cancelled']]) {
    const { body } = await at.api('/api/v1/orders', { method: 'POST', json });
    for (const state of states)
      await at.api(`/api/v1/orders/${body.id}`, { method: 'PATCH', json: { state } });
    ids.push(body.id);
  }
  const unassigned = { address: ADDRESS };
  await at.api(`/api/v1/hosts/${PHONES.ownLeeds}/unassign`, { method: 'POST', json: unassigned });
  return ids;
}

let orders: readonly string[] = [];
beforeAll(async () => {
  await addAdministrator(hotdesk());
  orders = await prepare(hotdesk());
});

const LOOKS = [
  ['desk', 'light'],
  ['desk', 'dark'],
  ['tablet', 'light'],
  ['phone', 'light'],
  ['phone', 'dark'],
] as const satisfies readonly (readonly [Size, 'light' | 'dark'])[];

describe.each(LOOKS)('%s, %s', (size, scheme) => {
  test('every page', { timeout: 180_000 }, async () => {
    const page = await open(hotdesk(), { size, scheme });
    const problems: string[] = [];
    const look = async (name: string): Promise<void> => {
      await page.waitForTimeout(200);
      await picture(page, `${name}-${size}-${scheme}`);
      problems.push(...(await accessibilityProblems(page)).map((problem) => `${name}: ${problem}`));
      const overflow = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
      if (Number(overflow) > 0) problems.push(`${name}: ${overflow} pixels too wide`);
    };
    const see = async (name: string, path: string, text: string): Promise<void> => {
      await page.goto(path);
      await page.getByText(text).first().waitFor();
      await look(name);
    };
    await signIn(page);
    const [submitted, , received] = orders;
    await see('orders', '/orders', 'Dispatched');
    await see('no-order', '/orders?q=nowhere', 'No order matches');
    await see('order', `/orders/${submitted}`, 'Attention to');
    await see('order-come', `/orders/${received}`, '14 phones have no MAC address yet.');
    await see('assign', `/orders/${received}/phones`, 'One phone a line');
    await page.getByLabel('MAC addresses and names').fill('0004f2ab1201, Kitchen\nnonsense\n0004f2ab1202');
    await look('assign-typed');
    await see('unassigned', '/phones/unassigned', "Priya's phone");
    await see('unassigned-phone', `/phones/${PHONES.ownLeeds}`, 'This phone is nobody’s');
    await see('unassign', `/phones/${PHONES.own}/unassign`, 'Where is the phone?');
    await see('convert', `/phones/${PHONES.ownLeeds}/convert`, 'Deliver it');
    await page.getByRole('radio', { name: 'Deliver it' }).check();
    await page.getByRole('button', { name: 'Convert' }).click();
    await page.getByText('Choose how it is shipped.').waitFor();
    await look('convert-mistakes');
    await wizard(page, look);
    expect(problems).toEqual([]);
  });
});

async function wizard(page: Page, look: (name: string) => Promise<void>): Promise<void> {
  await page.goto('/phones/add');
  await page.getByLabel('Quantity of VVX 411', { exact: true }).fill('3');
  await look('add-phones');
  await page.getByRole('button', { name: 'Next' }).click();
  await page.getByRole('radio', { name: 'Each its own address' }).check();
  await page.getByRole('button', { name: 'Split 3 × VVX 411' }).click();
  await page.getByRole('button', { name: 'Next' }).click();
  await page.getByText('Choose an address.').first().waitFor();
  await look('add-address-mistakes');
  await page.getByRole('radio', { name: 'One address for all' }).check();
  await page.getByLabel('Site').selectOption('London');
  const reception = '10 Example Street, London, Ground, Reception – Hotdesk Demo';
  await page.getByLabel('Emergency address').selectOption({ label: reception });
  await look('add-address');
  await page.getByRole('button', { name: 'Next' }).click();
  await chooseKnownAddress(page, 'Delivery address');
  await look('add-delivery');
  await page.getByRole('button', { name: 'Next' }).click();
  await page.getByText('I acknowledge').waitFor();
  await look('add-summary');
}
