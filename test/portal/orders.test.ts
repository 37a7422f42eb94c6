import { readFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { useAdministrator } from '../support/administrator.ts';
import { PEOPLE, PHONES } from '../support/demo.ts';
import { logInByHand } from '../support/log-in.ts';
import { addAdministrator, chooseKnownAddress, picture, signIn, useChromium } from '../support/portal.ts';
import { useHotdesk } from '../support/suite.ts';

/** Buying, converting and assigning phones, as the help page describes it (rules A6–A8). */

const hotdesk = useHotdesk();
const open = useChromium();
beforeAll(() => addAdministrator(hotdesk()));
useAdministrator(hotdesk);

const DESK = '10 Example Street, London, Ground, Reception';

describe('add device', () => {
  test('what was entered is there after a reload, and gone after signing out', async () => {
    const page = await open(hotdesk());
    await signIn(page, '/phones/add');
    await page.getByLabel('Quantity of VVX 411', { exact: true }).fill('3');
    await page.getByRole('button', { name: 'Next' }).click();
    await page.getByLabel('Site').selectOption('London');
    await chooseKnownAddress(page, 'Emergency address');
    await page.getByRole('button', { name: 'Next' }).click();
    await page.getByLabel('Attention to').fill('Facilities');
    await page.reload();
    await page.getByRole('heading', { name: 'Delivery', level: 1 }).waitFor();
    expect(await page.getByLabel('Attention to').inputValue()).toBe('Facilities');
    await page.goto('/phones/add');
    const quantity = page.getByLabel('Quantity of VVX 411', { exact: true });
    expect(await quantity.inputValue()).toBe('3');
    await page.getByRole('button', { name: 'Account' }).click();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    await page.reload();
    await signIn(page, '/phones/add');
    expect(await quantity.inputValue()).toBe('0');
  });

  test('from the price list to a phone that somebody logs in at', { timeout: 120_000 }, async () => {
    const page = await open(hotdesk());
    await signIn(page);
    await page.getByRole('link', { name: 'Add device' }).click();
    await page.getByRole('heading', { name: 'Quantity and model' }).waitFor();
    await choosePhones(page);
    await chooseAddresses(page);
    await chooseDelivery(page);
    const number = await placeOrder(page);
    await moveOn(page);
    const made = await assign(page, number);
    const [first] = made;
    if (!first) throw new Error('no phone was made');
    await page.goto(`/phones/${first.id}`);
    await page.getByRole('heading', { name: 'Kitchen' }).waitFor();
    await page.getByText('10 Example Street').waitFor();
    const phone = await hotdesk().phone(first.id, { password: first.password });
    await logInByHand(phone, PEOPLE.first);
    await hotdesk().expectGuest(first.id, PEOPLE.first.extension);
    await page.getByText('Amelia Clarke').first().waitFor();
    for (const { id } of made) await hotdesk().api(`/api/v1/hosts/${id}?release=true`, { method: 'DELETE' });
  });
});

async function choosePhones(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Next' }).click();
  await page.getByText('Choose at least one phone to go on.').waitFor();
  await page.getByLabel('Quantity of VVX 411', { exact: true }).fill('3');
  await page.getByRole('button', { name: 'One VVX 601 + expansion module more' }).click();
  await page.getByText('4 phones', { exact: true }).waitFor();
  await picture(page, 'add-device-phones');
  await page.getByRole('button', { name: 'Next' }).click();
}

async function chooseAddresses(page: Page): Promise<void> {
  await page.getByRole('heading', { name: 'Emergency address', level: 1 }).waitFor();
  await page.getByRole('radio', { name: 'Each its own address' }).check();
  await page.getByRole('button', { name: 'Split 3 × VVX 411' }).click();
  await page.getByRole('button', { name: 'Next' }).click();
  await page.getByText('Choose a site.').first().waitFor();
  const cards = page.locator('.card');
  await expect.poll(() => cards.count()).toBe(3);
  await cards.nth(0).getByLabel('Site').selectOption('London');
  await cards
    .nth(0)
    .getByLabel('Emergency address')
    .selectOption({ label: `${DESK} – Hotdesk Demo` });
  await cards.nth(1).getByLabel('Site').selectOption('Leeds');
  await cards.nth(1).getByLabel('Emergency address').selectOption('A new address …');
  await cards.nth(1).getByLabel('Customer name').fill('Hotdesk Demo');
  await cards.nth(1).getByLabel('House number').fill('14');
  await cards.nth(1).getByLabel('Street').fill('Park Row');
  await cards.nth(1).getByLabel('Town or city').fill('Leeds');
  await cards.nth(1).getByLabel('Postcode').fill('nowhere');
  await cards.nth(2).getByLabel('Site').selectOption('London');
  await cards
    .nth(2)
    .getByLabel('Emergency address')
    .selectOption({ label: `${DESK} – Hotdesk Demo` });
  await page.getByRole('button', { name: 'Next' }).click();
  await page.getByText('Must be a UK postcode such as SW1A 1AA').waitFor();
  const postcode = cards.nth(1).getByLabel('Postcode');
  expect(await postcode.evaluate((field) => field.matches(':focus'))).toBe(true);
  await picture(page, 'add-device-address');
  await postcode.fill('ls1 1ab');
  await page.getByRole('button', { name: 'Next' }).click();
}

async function chooseDelivery(page: Page): Promise<void> {
  await page.getByRole('heading', { name: 'Delivery', level: 1 }).waitFor();
  await chooseKnownAddress(page, 'Delivery address');
  await page.getByLabel('Attention to').fill('Facilities');
  await page.getByRole('radio', { name: /Express/ }).check();
  await picture(page, 'add-device-delivery');
  await page.goBack();
  const leeds = page.locator('.card').nth(1);
  await expect.poll(() => leeds.getByLabel('Street').inputValue()).toBe('Park Row');
  await page.goForward();
  await expect.poll(() => page.getByLabel('Attention to').inputValue()).toBe('Facilities');
  await page.getByRole('button', { name: 'Next' }).click();
}

async function placeOrder(page: Page): Promise<string> {
  await page.getByRole('heading', { name: 'Order summary' }).waitFor();
  // 3 × 145 + 229 + 119, and 15 for the delivery
  await page.getByText('£798.00').first().waitFor();
  await page.getByRole('button', { name: 'Place order' }).click();
  await page.getByText('Tick that you acknowledge the charges.').waitFor();
  await picture(page, 'add-device-summary');
  await page.getByRole('checkbox', { name: /acknowledge/ }).check();
  await page.getByRole('button', { name: 'Place order' }).click();
  await page.getByRole('heading', { name: /Order HD-\d+/ }).waitFor();
  await page.getByText('Ordered', { exact: true }).first().waitFor();
  await picture(page, 'order-submitted');
  return (await page.getByRole('heading', { level: 1 }).textContent())?.replace('Order ', '') ?? '';
}

async function moveOn(page: Page): Promise<void> {
  const dialog = page.getByRole('dialog');
  await page.getByRole('button', { name: 'Mark as dispatched' }).click();
  await dialog.getByLabel('Tracking reference').fill('RM 1234 5678 GB');
  await dialog.getByRole('button', { name: 'Mark as dispatched' }).click();
  await page.getByText('RM 1234 5678 GB').waitFor();
  await page.getByRole('button', { name: 'Mark as received' }).click();
  await dialog.getByRole('button', { name: 'Mark as received' }).click();
  await page.getByText('4 phones have no MAC address yet', { exact: false }).waitFor();
  await picture(page, 'order-received');
}

interface Made {
  readonly id: string;
  readonly password: string;
}

const LIST = [
  'MAC address;Name',
  '00:04:F2:AB:12:01;Kitchen',
  '0004f2ab1202;Library',
  '00-04-F2-AB-12-0G;Attic',
  '0004.f2ab.1202;Again',
  '0004f2000001;Reception',
].join('\r\n');

async function assign(page: Page, number: string): Promise<readonly Made[]> {
  await page.getByRole('link', { name: 'Assign phones' }).click();
  const file = { name: 'phones.csv', mimeType: 'text/csv', buffer: Buffer.from(LIST) };
  await page.getByLabel('Choose a CSV file').setInputFiles(file);
  const rows = page.getByRole('table', { name: 'Phones to assign' }).getByRole('row');
  await expect.poll(() => rows.count()).toBe(6);
  await rows.nth(3).getByText('Not a MAC address').waitFor();
  await rows.nth(4).getByText('stands in another line').waitFor();
  await picture(page, 'assign-mistakes');
  await page.getByRole('button', { name: 'Assign 5 phones' }).click();
  await page.getByText('2 lines need another look.').waitFor();
  const field = page.getByLabel('MAC addresses and names');
  await field.fill('0004f2ab1201, Kitchen\n0004f2ab1202, Library\n0004f2000001, Reception');
  await page.getByRole('button', { name: 'Assign 3 phones' }).click();
  await rows.nth(3).getByText('cp0004f2000001 already').waitFor();
  await field.fill('0004f2ab1201, Kitchen\n0004f2ab1202, Library\n0004f2ab1203\n0004f2ab1204, "Hall, left"');
  await page.getByRole('button', { name: 'Assign 4 phones' }).click();
  await page.getByRole('heading', { name: '4 phones are ready' }).waitFor();
  await picture(page, 'sip-passwords');
  return passwords(page, number);
}

async function passwords(page: Page, number: string): Promise<readonly Made[]> {
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Download CSV' }).click(),
  ]);
  expect(download.suggestedFilename()).toBe(`${number}-sip-passwords.csv`);
  const [head, ...rows] = (await readFile(await download.path(), 'utf8')).trimEnd().split('\r\n');
  expect(head).toBe('\ufeff"Phone","MAC address","SIP user","SIP password"');
  expect(rows[3]).toContain('"Hall, left","00:04:F2:AB:12:04","cp0004f2ab1204"');
  const shown = await page.locator('code.sip-password').allTextContents();
  const made = rows.map((row) => row.slice(1, -1).split('","'));
  expect(made.map((cells) => cells[3])).toEqual(shown);
  await page.getByRole('link', { name: 'I have kept them' }).click();
  await page.getByText('Every phone of this order is ready.', { exact: false }).waitFor();
  expect(await page.content()).not.toContain(shown[0]);
  await picture(page, 'order-ready');
  return made.map(([, , id = '', password = '']) => ({ id, password }));
}

describe('by keyboard alone', () => {
  test('from Add device to the order', { timeout: 90_000 }, async () => {
    const page = await open(hotdesk());
    await signIn(page);
    await page.getByText('Reception desk').first().waitFor();
    const { keyboard } = page;
    await press(page, 'Add device');
    await page.getByRole('heading', { name: 'Quantity and model' }).waitFor();
    await expect.poll(() => focused(page)).toBe('Quantity and model');
    await press(page, 'One VVX 301 more');
    await press(page, 'Next');
    await page.getByRole('heading', { name: 'Emergency address', level: 1 }).waitFor();
    await expect.poll(() => focused(page)).toBe('Emergency address');
    await tabTo(page, 'Site');
    await keyboard.type('London');
    await tabTo(page, 'Emergency address');
    await page.locator('option', { hasText: DESK }).waitFor({ state: 'attached' });
    await keyboard.type('10 Ex');
    await press(page, 'Next');
    await page.getByRole('heading', { name: 'Delivery', level: 1 }).waitFor();
    await press(page, 'Next');
    await page.getByText('Choose an address.').waitFor();
    await expect.poll(() => focused(page)).toBe('Delivery address');
    await keyboard.type('10 Ex');
    await press(page, 'Next');
    await page.getByRole('button', { name: 'Place order' }).waitFor();
    await tabTo(page, 'I acknowledge the charge of £89.00.');
    await keyboard.press('Space');
    await press(page, 'Place order');
    await page.getByRole('heading', { name: /Order HD-/ }).waitFor();
    await press(page, 'Cancel order');
    await page.getByRole('dialog').waitFor();
    await expect.poll(() => focused(page)).toBe('Keep order');
    await keyboard.press('Tab');
    await keyboard.press('Enter');
    await page.getByText('This order was cancelled.', { exact: false }).waitFor();
    await press(page, 'All orders');
    await page
      .getByRole('row', { name: /Cancelled/ })
      .first()
      .waitFor();
  });
});

describe('a phone that changes hands', () => {
  test('unassigned, with who is on it logged out; converted, delivered, and somebody logs in', async () => {
    await hotdesk().seat(PEOPLE.leeds.extension, PHONES.own);
    const page = await open(hotdesk());
    await signIn(page, '/phones/user');
    await page.getByRole('link', { name: "Oliver's phone" }).click();
    await page.getByRole('link', { name: 'Unassign' }).click();
    await page.getByRole('heading', { name: "Unassign Oliver's phone" }).waitFor();
    await page.getByText('extension 1002 stay reserved for Oliver Hughes', { exact: false }).waitFor();
    await page.getByRole('button', { name: 'Unassign' }).click();
    await page.getByText('Tick that Priya Shah is logged out', { exact: false }).waitFor();
    await picture(page, 'unassign');
    expect((await hotdesk().api(`/api/v1/hosts/${PHONES.own}`)).body.kind).toBe('user');
    await page.getByRole('checkbox', { name: 'Log Priya Shah out now' }).check();
    await page.getByRole('button', { name: 'Unassign' }).click();
    await page.getByRole('link', { name: 'Convert to hot desk phone' }).waitFor();
    await hotdesk().expectGuest(PHONES.own, undefined);
    const { body } = await hotdesk().api(`/api/v1/hosts/${PHONES.own}`);
    expect(body).toMatchObject({ kind: 'unassigned', reservedFor: { extension: '1002' } });
    await page.goto('/phones/unassigned');
    await page.getByRole('link', { name: 'Oliver Hughes 1002' }).waitFor();
    await page.getByRole('link', { name: "Oliver's phone" }).click();
    await convert(page);
    const phone = await hotdesk().phone(PHONES.own);
    await logInByHand(phone, PEOPLE.first);
    await hotdesk().expectGuest(PHONES.own, PEOPLE.first.extension);
  });

  test('edited: not under somebody, but with a release; the address by the rules of its country', async () => {
    await hotdesk().seat(PEOPLE.first.extension, PHONES.window);
    const page = await open(hotdesk());
    await signIn(page, `/phones/${PHONES.window}`);
    const dialog = page.getByRole('dialog');
    await page.getByRole('button', { name: 'Edit phone' }).click();
    await dialog.getByLabel('Phone nickname').fill('Window desk 2');
    await dialog.getByLabel('Maximum stay in hours').fill('0');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.getByText('Enter whole hours from 1 to 999', { exact: false }).waitFor();
    await dialog.getByLabel('Maximum stay in hours').fill('6');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.getByText('Amelia Clarke is logged in at this phone.', { exact: false }).waitFor();
    await picture(page, 'edit-phone');
    expect(await hotdesk().guestAt(PHONES.window)).toBe(PEOPLE.first.extension);
    await dialog.getByRole('button', { name: 'Log Amelia Clarke out and save' }).click();
    await page.getByRole('heading', { name: 'Window desk 2' }).waitFor();
    await hotdesk().expectGuest(PHONES.window, undefined);
    const host = async () => (await hotdesk().api(`/api/v1/hosts/${PHONES.window}`)).body;
    expect(await host()).toMatchObject({ nickname: 'Window desk 2', associationLimitHours: 6 });
    await page.getByRole('button', { name: 'Edit emergency address' }).click();
    await dialog.getByLabel('Country').selectOption('United States');
    await dialog.getByLabel('State').fill('NY');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.getByText('Must be a ZIP code such as 10118', { exact: false }).waitFor();
    await picture(page, 'edit-address');
    await dialog.getByLabel('ZIP code').fill('10118');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await page.getByText('saved and confirmed', { exact: false }).waitFor();
    expect((await host()).address).toMatchObject({ state: 'NY', country: 'US', postcode: '10118' });
  });

  test('removed, after asking', async () => {
    const page = await open(hotdesk());
    await signIn(page, `/phones/${PHONES.leeds}`);
    await page.getByRole('button', { name: 'Remove phone' }).click();
    const dialog = page.getByRole('dialog', { name: 'Remove Leeds desk?' });
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    expect((await hotdesk().api(`/api/v1/hosts/${PHONES.leeds}`)).status).toBe(200);
    await page.getByRole('button', { name: 'Remove phone' }).click();
    await dialog.getByRole('button', { name: 'Remove phone' }).click();
    await page.getByText('Leeds desk is removed.').waitFor();
    expect((await hotdesk().api(`/api/v1/hosts/${PHONES.leeds}`)).status).toBe(404);
  });
});

async function convert(page: Page): Promise<void> {
  await page.getByRole('link', { name: 'Convert to hot desk phone' }).click();
  await page.getByRole('heading', { name: 'Convert to hot desk phone' }).waitFor();
  await page.getByRole('button', { name: 'Convert' }).click();
  await page.getByText('Give the phone a name.').waitFor();
  await page.getByLabel('Phone nickname').fill('Window desk 3');
  await page.getByLabel('Emergency address').selectOption({ label: `${DESK} – Hotdesk Demo` });
  await page.getByRole('radio', { name: 'Deliver it' }).check();
  await chooseKnownAddress(page, 'Delivery address');
  await page.getByLabel('Attention to').fill('Oliver Hughes');
  await page.getByRole('radio', { name: /Express/ }).check();
  await page.locator('.charges-total').getByText('£15.00').waitFor();
  await page.getByRole('radio', { name: /Standard/ }).check();
  await picture(page, 'convert');
  await page.getByRole('button', { name: 'Convert and order delivery' }).click();
  await page.getByText(/Window desk 3 is a hot desk phone now. Order HD-\d+ is placed./).waitFor();
  await page.getByRole('heading', { name: /Order HD-/ }).waitFor();
  await picture(page, 'order-conversion');
  const { body } = await hotdesk().api(`/api/v1/hosts/${PHONES.own}`);
  expect(body).toMatchObject({ kind: 'commonArea', nickname: 'Window desk 3', enabled: true });
  expect(body.address.room).toBe('Reception');
}

/** Name of what has the focus: its label, or its text. */
function focused(page: Page): Promise<string> {
  return page.evaluate(`(() => {
    const { activeElement: at } = document;
    return at.getAttribute('aria-label') ?? at.labels?.[0]?.textContent ?? at.textContent;
  })()`);
}

async function tabTo(page: Page, name: string): Promise<void> {
  for (let step = 0; step < 80; step++) {
    if ((await focused(page)) === name) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`${name} cannot be reached with the tab key`);
}

async function press(page: Page, name: string): Promise<void> {
  await tabTo(page, name);
  await page.keyboard.press('Enter');
}
