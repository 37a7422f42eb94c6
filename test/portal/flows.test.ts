import { beforeAll, describe, expect, test } from 'vitest';
import { useAdministrator } from '../support/administrator.ts';
import { PEOPLE, PHONES } from '../support/demo.ts';
import { ADMINISTRATOR, addAdministrator, picture, signIn, useChromium } from '../support/portal.ts';
import { useHotdesk } from '../support/suite.ts';

/** What the two help pages describe, done in a browser by somebody who administers a company (rules A4, A5, B1–B3). */

const hotdesk = useHotdesk();
const open = useChromium();
beforeAll(() => addAdministrator(hotdesk()));
useAdministrator(hotdesk);

describe('signing in', () => {
  test('by keyboard alone: sign in, log a phone out, sign out', async () => {
    await hotdesk().seat(PEOPLE.first.extension, PHONES.reception);
    const page = await open(hotdesk());
    const { keyboard } = page;
    await page.goto('/');
    await page.getByLabel('E-mail address').waitFor();
    await expect.poll(() => focused(page)).toBe('E-mail address');
    await keyboard.type(ADMINISTRATOR.email);
    await keyboard.press('Tab');
    await keyboard.type(ADMINISTRATOR.password);
    await keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Phones & devices' }).waitFor();
    await expect.poll(() => focused(page)).toBe('Phones & devices');
    await tabTo(page, 'Log out: Reception desk');
    await keyboard.press('Enter');
    const dialog = page.getByRole('dialog', { name: 'Log Amelia Clarke out of Reception desk?' });
    await dialog.waitFor();
    await keyboard.press('Escape');
    await dialog.waitFor({ state: 'hidden' });
    await expect.poll(() => focused(page)).toBe('Log out: Reception desk');
    expect(await hotdesk().guestAt(PHONES.reception)).toBe(PEOPLE.first.extension);
    await keyboard.press('Enter');
    await expect.poll(() => focused(page)).toBe('Cancel');
    await keyboard.press('Tab');
    await keyboard.press('Enter');
    await page.getByText('Amelia Clarke is logged out of Reception desk.').waitFor();
    await hotdesk().expectGuest(PHONES.reception, undefined);
    await tabTo(page, 'Account');
    await keyboard.press('Enter');
    await tabTo(page, 'Sign out');
    await keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    expect((await page.context().request.get('/api/v1/hosts')).status()).toBe(401);
  });

  test('a wrong password is said, and tied to nothing that tells who exists', async () => {
    const page = await open(hotdesk());
    for (const email of [ADMINISTRATOR.email, 'nobody@example.com']) {
      await page.goto('/sign-in');
      await page.getByLabel('E-mail address').fill(email);
      await page.getByLabel('Password', { exact: true }).fill('not the password');
      await page.keyboard.press('Enter');
      expect(await page.getByRole('alert').textContent()).toBe(
        'The e-mail address or the password is wrong.',
      );
    }
  });

  test('a link to a page leads there after signing in; an ended session comes back', async () => {
    const page = await open(hotdesk());
    await signIn(page, '/users/1001/features');
    await page.getByRole('heading', { name: 'Amelia Clarke' }).waitFor();
    await page.context().clearCookies();
    // The page may have noticed by itself.
    await page
      .getByRole('link', { name: 'All users' })
      .click({ timeout: 1_000 })
      .catch(() => undefined);
    await page.getByText('your session ended').waitFor();
  });

  test('a link to a page with a search leads to what was searched for', async () => {
    const page = await open(hotdesk());
    await signIn(page, '/users?q=shah&sort=-name');
    await page.getByRole('link', { name: 'Priya Shah' }).waitFor();
    expect(new URL(page.url()).search).toBe('?q=shah&sort=-name');
    await expect.poll(() => page.getByRole('row').count()).toBe(2);
  });

  test('a one-time link sets a password and stays in no address', async () => {
    const json = { name: 'Nora Field', email: 'nora@example.com', role: 'readOnly' };
    const { body } = await hotdesk().api('/api/v1/accounts', { method: 'POST', json });
    const page = await open(hotdesk());
    await page.goto(body.link.path);
    await page.getByLabel('New password').fill('short');
    expect(page.url()).not.toContain(body.link.token);
    await page.getByRole('button', { name: 'Save password' }).click();
    await page.getByText('must have 12 characters or more').waitFor();
    await page.getByLabel('New password').fill('seven-grey-harbours');
    await page.getByRole('button', { name: 'Save password' }).click();
    await page.getByLabel('E-mail address').fill(json.email);
    await page.getByLabel('Password', { exact: true }).fill('seven-grey-harbours');
    await page.keyboard.press('Enter');
    await page.getByText('Reception desk').waitFor();
    await expect.poll(() => page.getByRole('checkbox').count()).toBe(0);
    for (const path of ['/phones/add', '/users/new', '/phones/u1002/unassign', '/accounts', '/webhooks']) {
      await page.goto(path);
      await page.getByRole('heading', { name: 'Only administrators can do this' }).waitFor();
    }
  });
});

describe('phones', () => {
  test('somebody who logs in shows at once, without a reload', async () => {
    const page = await open(hotdesk());
    await signIn(page);
    await page.getByText('Live', { exact: true }).waitFor();
    const row = page.getByRole('row', { name: /Window desk/ });
    await row.getByText('Nobody').waitFor();
    await hotdesk().seat(PEOPLE.second.extension, PHONES.window);
    await row.getByText('Oliver Hughes').waitFor({ timeout: 2_000 });
    await row.getByText('In use').waitFor();
    // The browser is in Denver, the desk in London.
    const london = new Intl.DateTimeFormat('en-GB', { timeStyle: 'short', timeZone: 'Europe/London' });
    const { body } = await hotdesk().api(`/api/v1/hosts/${PHONES.window}`);
    const since = london.format(new Date(body.association.startedAt));
    await row.getByText(`since ${since}`).waitFor();
    await page.getByRole('link', { name: 'Window desk' }).click();
    await page.getByText('Still here').waitFor();
    await hotdesk().api(`/api/v1/hosts/${PHONES.window}/association`, { method: 'DELETE' });
    await page.getByText('Nobody is on this phone').waitFor({ timeout: 2_000 });
    await page.getByText('Logged out by an administrator').first().waitFor();
  });

  test('found by name and site, filtered, and logged out together', async () => {
    await hotdesk().seat(PEOPLE.first.extension, PHONES.reception);
    await hotdesk().seat(PEOPLE.leeds.extension, PHONES.leeds);
    const page = await open(hotdesk());
    await signIn(page);
    const rows = page.locator('tbody tr');
    await page.getByLabel('Site').selectOption('Leeds');
    await expect.poll(() => rows.count()).toBe(1);
    await page.getByLabel('Site').selectOption('All sites');
    await page.getByRole('searchbox').fill('amelia');
    await expect.poll(() => rows.count()).toBe(1);
    await page.getByRole('button', { name: 'Clear search' }).click();
    await page.getByRole('radio', { name: /In use/ }).check();
    await expect.poll(() => rows.count()).toBe(2);
    expect(page.url()).toContain('status=inUse');
    await page.getByLabel('Select all on this page').check();
    await page.getByRole('button', { name: 'Log out 2 phones' }).click();
    const dialog = page.getByRole('dialog');
    expect(await dialog.textContent()).toContain('Priya Shah');
    await picture(page, 'log-out-many');
    await dialog.getByRole('button', { name: 'Log out 2 phones' }).click();
    await page.getByText('2 phones are free now.').waitFor();
    for (const phone of [PHONES.reception, PHONES.leeds]) await hotdesk().expectGuest(phone, undefined);
    await page.getByText('No phone matches').waitFor();
    await page.getByRole('button', { name: 'Clear search and filters' }).click();
    await expect.poll(() => rows.count()).toBe(3);
  });

  test('A5: whom it asks for is logged out, and nobody who has come after them', async () => {
    await hotdesk().seat(PEOPLE.first.extension, PHONES.reception);
    const page = await open(hotdesk());
    await signIn(page, `/phones/${PHONES.reception}`);
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.getByRole('dialog', { name: 'Log Amelia Clarke out of Reception desk?' }).waitFor();
    await changeOver(PHONES.reception, PEOPLE.second.extension);
    await page.getByText('Oliver Hughes').first().waitFor();
    await page.getByRole('dialog').getByRole('button', { name: 'Log out' }).click();
    const again = page.getByRole('dialog', { name: 'Log Oliver Hughes out of Reception desk?' });
    await again.getByText('Amelia Clarke has left Reception desk meanwhile', { exact: false }).waitFor();
    await expect.poll(() => focused(page)).toBe('Cancel');
    expect(await hotdesk().guestAt(PHONES.reception)).toBe(PEOPLE.second.extension);
    await picture(page, 'log-out-other');
    await again.getByRole('button', { name: 'Log out' }).click();
    await page.getByText('Oliver Hughes is logged out of Reception desk.').waitFor();
    await hotdesk().expectGuest(PHONES.reception, undefined);
  });

  test('A5: of many, who has come meanwhile is asked for anew', async () => {
    await hotdesk().seat(PEOPLE.first.extension, PHONES.reception);
    await hotdesk().seat(PEOPLE.leeds.extension, PHONES.leeds);
    const page = await open(hotdesk());
    await signIn(page, '/phones/common-area?status=inUse');
    await expect.poll(() => page.locator('tbody tr').count()).toBe(2);
    await page.getByLabel('Select all on this page').check();
    await page.getByRole('button', { name: 'Log out 2 phones' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('Priya Shah').waitFor();
    await changeOver(PHONES.reception, PEOPLE.second.extension);
    await dialog.getByRole('button', { name: 'Log out 2 phones' }).click();
    await page.getByRole('dialog', { name: 'Log Oliver Hughes out of Reception desk?' }).waitFor();
    await page.getByText('1 phone is free now.').waitFor();
    await hotdesk().expectGuest(PHONES.leeds, undefined);
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
    expect(await hotdesk().guestAt(PHONES.reception)).toBe(PEOPLE.second.extension);
  });

  test('the models of rule A8, with and without expansion module', async () => {
    const page = await open(hotdesk());
    await signIn(page);
    await page.getByRole('link', { name: 'Check phones that support hot desking' }).click();
    const cells = await page.locator('tbody tr').allTextContents();
    expect(cells.map((text) => text.match(/VVX \d+|With(out)?/g)?.join(' '))).toEqual([
      'VVX 301 Without',
      'VVX 411 Without',
      'VVX 411 With',
      'VVX 601 Without',
      'VVX 601 With',
    ]);
  });

  test('an emergency call stands above every page until it is acknowledged', async () => {
    const page = await open(hotdesk());
    await signIn(page, '/users');
    const phone = await hotdesk().phone(PHONES.reception);
    const call = await phone.call('999');
    await (await hotdesk().trunks.emergency.nextCall()).accept();
    await page.getByText('Emergency call to 999 from Reception desk').waitFor();
    await page.getByText('10 Example Street, London', { exact: false }).waitFor();
    await picture(page, 'emergency');
    await page.getByRole('button', { name: 'Acknowledge' }).click();
    await page.getByText('Emergency call to 999').waitFor({ state: 'hidden' });
    const { body } = await hotdesk().api('/api/v1/emergencies');
    expect(body.emergencies[0].acknowledged.by).toContain('admin:');
    await call.hangUp();
  });
});

describe('company and people', () => {
  test('A4: the session timeout offers what the help page does; saved, and undone', async () => {
    const page = await open(hotdesk());
    await signIn(page, '/security/hot-desk-session-timeout');
    const select = page.getByLabel('Log people out after');
    const words = await select.locator('option').allTextContents();
    const hours = [4, 6, 8, 10, 12, 16, 20, 24].map((each) => `${each} hours`);
    expect(words).toEqual(['1 hour', ...hours, 'Never']);
    await select.selectOption('Never');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Session timeout is Never now.').waitFor();
    const limit = async () => (await hotdesk().api('/api/v1/company')).body.associationLimit;
    expect(await limit()).toBe('never');
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.getByText('Undone.').waitFor();
    expect(await limit()).toBe(12);
    expect(await select.inputValue()).toBe('12');
  });

  test('B1: Modify, Continue, Save', async () => {
    const page = await open(hotdesk());
    await signIn(page, '/users');
    await page.getByRole('searchbox').fill('1002');
    await expect.poll(() => page.locator('tbody tr').count()).toBe(1);
    await page.getByRole('link', { name: 'Oliver Hughes' }).click();
    await page.getByRole('button', { name: 'Modify' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Hot desking guest').check();
    await dialog.getByRole('button', { name: 'Continue' }).click();
    expect(await dialog.textContent()).toContain('Will be assignedHot desking guest');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Licences of Oliver Hughes are saved.').waitFor();
    const { body } = await hotdesk().api('/api/v1/users/1002');
    expect(body.addOns.toSorted()).toEqual(['guest', 'host']);
    await page.getByText('0 of 3 available').waitFor();
  });

  test('B3: a guest connects with a host of the drop-down, and disconnects', async () => {
    const page = await open(hotdesk());
    await signIn(page, '/users/1003/features');
    const select = page.getByLabel('Connect with');
    await expect.poll(() => select.locator('option').count()).toBeGreaterThan(1);
    const oliver = (await select.locator('option').allTextContents()).find((text) => text.includes('Oliver'));
    await select.selectOption(oliver ?? '');
    await page.getByRole('button', { name: 'Save' }).first().click();
    await page.getByText("Connected with Oliver's phone", { exact: true }).waitFor();
    await hotdesk().expectGuest(PHONES.own, PEOPLE.leeds.extension);
    await picture(page, 'connected');
    await page.getByRole('button', { name: 'Disconnect' }).click();
    await hotdesk().expectGuest(PHONES.own, undefined);
  });

  test('B3: a connection that is refused is said, though the settings beside it are saved', async () => {
    const page = await open(hotdesk());
    await signIn(page, '/users/1003/features');
    const select = page.getByLabel('Connect with');
    await expect.poll(() => select.locator('option').count()).toBeGreaterThan(1);
    await page.getByLabel('Guest association timeout').fill('48');
    await select.selectOption(PHONES.own);
    const save = page.getByRole('button', { name: 'Save' }).first();
    await save.click();
    await page.getByText('The guest’s time is longer than the host allows. Choose fewer hours.').waitFor();
    await expect.poll(() => select.inputValue()).toBe(PHONES.own);
    await page.getByLabel('Guest association timeout').fill('12');
    await save.click();
    await page.getByText("Saved, and connected with Oliver's phone.").waitFor();
    await hotdesk().expectGuest(PHONES.own, PEOPLE.leeds.extension);
  });

  test('B3: while the guest service is off, it is said how to come to the hosts', async () => {
    const json = { enabled: false };
    await hotdesk().api('/api/v1/users/1003/guest', { method: 'PATCH', json });
    const page = await open(hotdesk());
    await signIn(page, '/users/1003/features');
    await page.getByRole('switch', { name: 'Guest service' }).click();
    await page.getByText('Save to switch the service on.', { exact: false }).waitFor();
    await page.getByRole('button', { name: 'Save' }).first().click();
    await page.getByText('The connection is made as soon as you save.').waitFor();
    await expect.poll(() => page.getByLabel('Connect with').locator('option').count()).toBeGreaterThan(1);
  });

  test('B2: host settings are checked, and saved', async () => {
    const page = await open(hotdesk());
    await signIn(page, '/users/1002/features');
    const limit = page.getByLabel('Maximum association time');
    const save = page.locator('form', { has: limit }).getByRole('button', { name: 'Save' });
    await limit.fill('0');
    await save.click();
    await page.getByText('Enter whole hours from 1 to 999').waitFor();
    expect(await limit.getAttribute('aria-invalid')).toBe('true');
    await limit.fill('8');
    await page.getByLabel('Availability').selectOption('Same site');
    await save.click();
    await page.getByText('Host settings are saved.').waitFor();
    const { body } = await hotdesk().api(`/api/v1/hosts/${PHONES.own}`);
    expect(body).toMatchObject({ associationLimitHours: 8, accessLevel: 'site' });
  });

  test('a one-time PIN is shown once, and unlocking is said', async () => {
    const page = await open(hotdesk());
    await signIn(page, '/users/1001/features');
    await page.getByRole('button', { name: 'Unlock' }).click();
    await page.getByText('Amelia Clarke can try again.').waitFor();
    await page.getByRole('button', { name: 'Give a one-time PIN' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Give a one-time PIN' }).click();
    const digits = page.locator('.pin-digits');
    const pin = (await digits.textContent()) ?? '';
    expect(pin).toMatch(/^\d{4,12}$/);
    await page.getByRole('dialog').getByRole('button', { name: 'Close' }).last().click();
    await digits.waitFor({ state: 'detached' });
    await page.getByText('One-time PIN given out').waitFor();
    expect(await page.content()).not.toContain(pin);
  });
});

/** Who is at this phone leaves it, and somebody else comes. */
async function changeOver(phone: string, extension: string): Promise<void> {
  await hotdesk().api(`/api/v1/hosts/${phone}/association`, { method: 'DELETE' });
  await hotdesk().seat(extension, phone);
}

type Page = Awaited<ReturnType<typeof open>>;

/** Name of what has the focus: its label, or its text. */
function focused(page: Page): Promise<string> {
  return page.evaluate(`(() => {
    const { activeElement: at } = document;
    return at.getAttribute('aria-label') ?? at.labels?.[0]?.textContent ?? at.textContent;
  })()`);
}

async function tabTo(page: Page, name: string): Promise<void> {
  for (let step = 0; step < 60; step++) {
    if ((await focused(page)).endsWith(name)) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`${name} cannot be reached with the tab key`);
}
