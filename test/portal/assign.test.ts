import { beforeAll, expect, test } from 'vitest';
import { useAdministrator } from '../support/administrator.ts';
import { PEOPLE, PHONES } from '../support/demo.ts';
import {
  accessibilityProblems,
  addAdministrator,
  type LookOptions,
  picture,
  signIn,
  useChromium,
} from '../support/portal.ts';
import { useHotdesk } from '../support/suite.ts';

/** A phone that is nobody's is given to somebody, who may then be a host (rules A6, B1, B2). */

const hotdesk = useHotdesk();
const open = useChromium();
beforeAll(() => addAdministrator(hotdesk()));
useAdministrator(hotdesk);

const hostAt = async (id: string) => (await hotdesk().api(`/api/v1/hosts/${id}`)).body;

async function unassign(id: string): Promise<void> {
  const { address } = await hostAt(id);
  const json = { address };
  await expect
    .poll(async () => {
      await hotdesk().api(`/api/v1/hosts/${id}/unassign`, { method: 'POST', json });
      return (await hostAt(id)).kind;
    })
    .toBe('unassigned');
}

/** Somebody leaves a phone, and somebody else logs in there. */
async function change(host: string, next: string): Promise<void> {
  await hotdesk().api(`/api/v1/hosts/${host}/association`, { method: 'DELETE' });
  await hotdesk().seat(next, host);
}

test('remove: who was named is logged out, not who has come since', async () => {
  await hotdesk().seat(PEOPLE.first.extension, PHONES.window);
  const page = await open(hotdesk());
  await signIn(page, `/phones/${PHONES.window}`);
  await page.getByRole('button', { name: 'Remove phone' }).click();
  const dialog = page.getByRole('dialog', { name: 'Remove Window desk?' });
  await dialog.getByText('Amelia Clarke is logged in there').waitFor();
  await change(PHONES.window, PEOPLE.second.extension);
  // The page behind knows; what is asked stays as it was.
  await page.locator('.now').getByText('Oliver Hughes').waitFor();
  expect(await dialog.getByText('Amelia Clarke is logged in there').isVisible()).toBe(true);
  await dialog.getByRole('button', { name: 'Remove phone' }).click();
  await dialog.getByText('Nobody was logged out, and the phone is still there.', { exact: false }).waitFor();
  await dialog.getByText('Oliver Hughes is logged in there').waitFor();
  await picture(page, 'remove-somebody-else');
  expect(await accessibilityProblems(page)).toEqual([]);
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  expect(await hotdesk().guestAt(PHONES.window)).toBe(PEOPLE.second.extension);
});

test('unassign: a tick is for who stood beside it', async () => {
  await hotdesk().seat(PEOPLE.leeds.extension, PHONES.own);
  const page = await open(hotdesk());
  await signIn(page, `/phones/${PHONES.own}/unassign`);
  await page.getByRole('checkbox', { name: 'Log Priya Shah out now' }).check();
  // The page hears of nothing any more: what it sends is what stands there.
  await page.route('**/api/v1/events', (route) => route.abort());
  await page.route(`**/api/v1/hosts/${PHONES.own}`, (route) => route.abort());
  await change(PHONES.own, PEOPLE.leeds.extension);
  const answer = page.waitForResponse((response) => response.url().endsWith('/unassign'));
  await page.getByRole('button', { name: 'Unassign' }).click();
  expect((await answer).status()).toBe(412);
  expect(await hotdesk().guestAt(PHONES.own)).toBe(PEOPLE.leeds.extension);
  await page.unrouteAll();
  await page.reload();
  await page.getByRole('checkbox', { name: 'Log Priya Shah out now' }).waitFor();
  expect(await page.getByRole('checkbox', { name: 'Log Priya Shah out now' }).isChecked()).toBe(false);
});

test('B2: a host without a phone is led to one, and guests may use it', async () => {
  await unassign('u1003');
  const page = await open(hotdesk());
  await signIn(page, '/users/1001/features');
  await page.getByText('No phone of their own').waitFor();
  await page.getByRole('link', { name: 'Assign a phone' }).click();
  await page.getByRole('heading', { name: 'Give Amelia Clarke a phone' }).waitFor();
  await page.getByRole('link', { name: "Choose Priya's phone" }).click();
  await page.getByRole('heading', { name: "Assign Priya's phone to a user" }).waitFor();
  await expect.poll(() => page.getByRole('combobox', { name: 'User' }).inputValue()).toBe('Amelia Clarke');
  await page.getByLabel('Phone nickname').fill('');
  await page.getByRole('button', { name: 'Assign' }).click();
  await page.getByText('Give the phone a name.').waitFor();
  await page.getByLabel('Phone nickname').fill("Amelia's phone");
  await page.getByRole('button', { name: 'Assign' }).click();
  await page.getByText("Amelia's phone belongs to Amelia Clarke now.").waitFor();
  const host = { kind: 'user', owner: { extension: '1001' }, reservedFor: null, enabled: false };
  expect(await hostAt('u1003')).toMatchObject({ ...host, nickname: "Amelia's phone" });
  // It leads to where the host service is, which makes a host of it.
  await page.getByRole('switch', { name: 'Let guests use this phone' }).click();
  const limit = page.getByLabel('Maximum association time');
  await limit.fill('24');
  await page.locator('form', { has: limit }).getByRole('button', { name: 'Save' }).click();
  await page.getByText('Host settings are saved.').waitFor();
  await page.goto('/users/1003/features');
  const hosts = page.getByLabel('Connect with').locator('option');
  await expect.poll(async () => (await hosts.allTextContents()).join()).toContain("Amelia's phone");
});

test('by keyboard alone: back to who had it', async () => {
  await unassign(PHONES.own);
  const page = await open(hotdesk());
  await signIn(page, '/phones/unassigned');
  await page.getByRole('link', { name: "Oliver's phone" }).press('Enter');
  await page.getByRole('link', { name: 'Assign to a user' }).press('Enter');
  const who = page.getByRole('combobox', { name: 'User' });
  await expect.poll(() => who.inputValue()).toBe('Oliver Hughes');
  await page.getByRole('button', { name: 'Clear search: User' }).press('Enter');
  await page.getByRole('button', { name: 'Assign' }).press('Enter');
  await page.getByText('Choose who gets the phone.').waitFor();
  expect(await who.getAttribute('aria-invalid')).toBe('true');
  await expect.poll(() => page.evaluate('document.activeElement.getAttribute("aria-label")')).toBe('User');
  await page.keyboard.type('hughes');
  await page.getByRole('option', { name: 'Oliver Hughes' }).waitFor();
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Assign' }).press('Enter');
  await page.getByText("Oliver's phone belongs to Oliver Hughes now.").waitFor();
  expect(await hostAt(PHONES.own)).toMatchObject({ kind: 'user', owner: { extension: '1002' } });
});

test('a common area phone is given to nobody while somebody is on it, but with their log-out', async () => {
  await hotdesk().seat(PEOPLE.first.extension, PHONES.window);
  const page = await open(hotdesk());
  await signIn(page, `/phones/${PHONES.window}/assign?to=1004`);
  await page.getByRole('button', { name: 'Assign' }).click();
  await page.getByText('Tick that Amelia Clarke is logged out', { exact: false }).waitFor();
  await page.getByRole('checkbox', { name: 'Log Amelia Clarke out now' }).check();
  await page.getByRole('button', { name: 'Assign' }).click();
  await page.getByText('Window desk belongs to George Bennett now.').waitFor();
  await hotdesk().expectGuest(PHONES.window, undefined);
  await page.goto(`/phones/${PHONES.window}/assign`);
  await page.getByText('This phone belongs to George Bennett.').waitFor();
});

const LOOKS: readonly LookOptions[] = [
  { size: 'phone', scheme: 'light' },
  { size: 'tablet', scheme: 'light' },
  { size: 'desk', scheme: 'dark' },
];

test.each(LOOKS)('looks well and can be used by everybody: $size $scheme', async (look) => {
  const page = await open(hotdesk(), look);
  await signIn(page, `/phones/${PHONES.reception}/assign?to=1002`);
  for (const [name, path] of [
    ['assign-user', `/phones/${PHONES.reception}/assign`],
    ['user-phone', '/users/1001/phone?kind=commonArea'],
    ['user-phone-none', '/users/1001/phone'],
  ] as const) {
    await page.goto(path);
    await page.getByRole('heading', { level: 1, name: /Assign|Give/ }).waitFor();
    await page
      .getByText(/Reception desk|No phone is unassigned/)
      .first()
      .waitFor();
    if (name === 'assign-user') await page.getByRole('button', { name: 'Assign' }).click();
    expect(await accessibilityProblems(page), name).toEqual([]);
    expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
    await picture(page, `${name}-${look.size}-${look.scheme}`);
  }
});
