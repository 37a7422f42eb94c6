import { Secret, TOTP } from 'otpauth';
import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { PEOPLE, PHONES } from '../support/demo.ts';
import {
  ADMINISTRATOR,
  accessibilityProblems,
  addAdministrator,
  picture,
  type Size,
  signIn,
  useChromium,
} from '../support/portal.ts';
import { useHotdesk } from '../support/suite.ts';

/** Who may sign in, tokens of programs, and one's own account, in a browser. */

const hotdesk = useHotdesk();
const open = useChromium();
beforeAll(() => addAdministrator(hotdesk()));

async function enter(page: Page, email: string, password: string): Promise<void> {
  await page.getByLabel('E-mail address').fill(email);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
}

async function addAccount(json: object): Promise<{ id: string }> {
  const made = await hotdesk().api('/api/v1/accounts', { method: 'POST', json });
  expect(made.status).toBe(201);
  const set = { token: made.body.link.token, password: 'seven-ducks-in-a-row' };
  expect((await hotdesk().api('/api/v1/password', { method: 'POST', json: set })).status).toBe(204);
  return made.body.account;
}

test('who has only their own settings is spoken to, and sent nowhere else', async () => {
  const mine = { name: 'Oliver Hughes', email: 'oliver.own@example.com', role: 'user', extension: '1002' };
  await addAccount(mine);
  const page = await open(hotdesk());
  await page.goto('/');
  await enter(page, mine.email, 'seven-ducks-in-a-row');
  await page.getByText('Colleagues with the guest add-on may use your phone.').waitFor();
  await page.getByText('Let guests use this phone').waitFor();
  for (const path of ['/phones/common-area', '/phones/models', '/users', '/users/1002/phone', '/company']) {
    await page.goto(path);
    await page.getByRole('heading', { name: 'Only administrators can do this' }).waitFor();
  }
  await page.goto('/phones/u1002');
  await page.getByRole('heading', { name: "Oliver's phone" }).waitFor();
  await page.getByRole('main').getByRole('link', { name: 'My settings' }).click();
  await page.getByRole('heading', { name: 'Hot desking host' }).waitFor();
  await page.goto('/phones/u1003');
  await page.getByText('There is no such phone any more.').waitFor();
});

describe('accounts', () => {
  test('by keyboard: add one, hand over its link, and they sign in by it', async () => {
    const page = await open(hotdesk());
    await signIn(page, '/accounts');
    await page.getByRole('heading', { name: 'Accounts' }).waitFor();
    await page.getByRole('button', { name: 'Add account' }).press('Enter');
    const dialog = page.getByRole('dialog', { name: 'Add an account' });
    await dialog.getByLabel('Name', { exact: true }).fill('Nora Field');
    await page.keyboard.press('Tab');
    await page.keyboard.type('nora@example.com');
    await dialog.getByRole('button', { name: 'Add account' }).press('Enter');
    await dialog.getByText('Choose at least one site.').waitFor();
    await dialog.getByLabel('Leeds').press('Space');
    await dialog.getByRole('button', { name: 'Add account' }).press('Enter');
    const told = page.getByRole('dialog', { name: 'Password link for Nora Field' });
    const link = await told.getByLabel('Password link').inputValue();
    expect(link).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/password#[\w.-]+$/);
    expect(await accessibilityProblems(page)).toEqual([]);
    await told.getByRole('button', { name: 'Close' }).last().press('Enter');
    await page.getByText('Link not used yet').waitFor();
    expect(await page.content()).not.toContain(link.slice(-20));
    const theirs = await open(hotdesk());
    await theirs.goto(link);
    await theirs.getByLabel('New password', { exact: true }).fill('nine-geese-in-a-row');
    await theirs.getByRole('button', { name: 'Save password' }).click();
    await enter(theirs, 'nora@example.com', 'nine-geese-in-a-row');
    await theirs.getByRole('navigation', { name: 'Main' }).waitFor();
    // A site administrator is not offered what they may not do.
    await expect.poll(() => theirs.getByRole('link', { name: 'Accounts' }).count()).toBe(0);
  });

  test('what was refused is put right in the same dialog', async () => {
    const page = await open(hotdesk());
    await signIn(page, '/accounts');
    await page.getByRole('button', { name: 'Add account' }).click();
    const dialog = page.getByRole('dialog', { name: 'Add an account' });
    await dialog.getByLabel('Name', { exact: true }).fill('Ida Frost');
    await dialog.getByLabel('E-mail address').fill(ADMINISTRATOR.email);
    await dialog.getByLabel('Leeds').check();
    await dialog.getByRole('button', { name: 'Add account' }).click();
    await dialog.getByText('There is an account with this already.').waitFor();
    await dialog.getByLabel('E-mail address').fill('ida@example.com');
    await dialog.getByRole('button', { name: 'Add account' }).click();
    await page.getByRole('dialog', { name: 'Password link for Ida Frost' }).waitFor();
  });

  test('disable, make a link, remove; the last administrator stays', async () => {
    await addAccount({ name: 'Otto Grey', email: 'otto@example.com', role: 'readOnly' });
    const page = await open(hotdesk());
    await signIn(page);
    await page.goto('/accounts?q=otto');
    const choose = async (action: RegExp): Promise<void> => {
      await page.getByRole('button', { name: 'Manage Otto Grey' }).click();
      await page.getByRole('dialog').getByRole('button', { name: action }).click();
    };
    await choose(/^Make a password link/);
    await page.getByRole('button', { name: 'Make a password link' }).click();
    await page.getByRole('dialog', { name: 'Password link for Otto Grey' }).waitFor();
    await page.keyboard.press('Escape');
    await choose(/^Disable/);
    await page.getByRole('button', { name: 'Disable', exact: true }).click();
    await page.getByText('The account of Otto Grey is disabled.').waitFor();
    await choose(/^Edit/);
    const edit = page.getByRole('dialog', { name: 'Edit Otto Grey' });
    await edit.getByLabel('E-mail address').fill(ADMINISTRATOR.email);
    await edit.getByRole('button', { name: 'Save' }).click();
    await edit.getByText('There is an account with this already.').waitFor();
    await edit.getByRole('button', { name: 'Cancel' }).click();
    await choose(/^Remove/);
    await page.getByRole('button', { name: 'Remove', exact: true }).click();
    await page.getByText('No account matches').waitFor();
    await page.getByRole('button', { name: 'Clear search and filters' }).click();
    await page.getByRole('button', { name: `Manage ${ADMINISTRATOR.name}` }).click();
    await expect.poll(() => page.getByRole('dialog').getByRole('listitem').count()).toBe(1);
  });
});

test('a token is made for one thing, shown once, works, and is removed', async () => {
  const page = await open(hotdesk());
  await signIn(page, '/tokens');
  await page.getByText('No API tokens yet').waitFor();
  await picture(page, 'tokens-empty');
  await page.getByRole('button', { name: 'Make a token' }).click();
  const dialog = page.getByRole('dialog', { name: 'Make an API token' });
  await dialog.getByLabel('Name').fill('Wallboard in the lobby');
  await dialog.getByLabel('Ends after').selectOption('30');
  await picture(page, 'token-form');
  expect(await accessibilityProblems(page)).toEqual([]);
  await dialog.getByRole('button', { name: 'Make a token' }).click();
  const made = page.getByRole('dialog', { name: 'Token for Wallboard in the lobby' });
  const token = await made.getByLabel('API token').inputValue();
  expect((await hotdesk().api('/api/v1/hosts', { token })).status).toBe(200);
  expect((await hotdesk().api('/api/v1/users/1001/unlock', { token, method: 'POST' })).status).toBe(403);
  await picture(page, 'token-made');
  await made.getByRole('button', { name: 'Close' }).last().click();
  expect(await page.content()).not.toContain(token.slice(-20));
  await page.getByRole('button', { name: 'Remove Wallboard in the lobby' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
  await page.getByText('No API tokens yet').waitFor();
  expect((await hotdesk().api('/api/v1/hosts', { token })).status).toBe(401);
});

test('one’s own: authenticator app on, asked for at sign-in, off; password; sessions', async () => {
  await addAccount({ name: 'Pia Holm', email: 'pia@example.com', role: 'readOnly' });
  const page = await open(hotdesk());
  await page.goto('/account');
  await enter(page, 'pia@example.com', 'seven-ducks-in-a-row');
  await page.getByRole('heading', { name: 'My account' }).waitFor();
  await page.getByRole('button', { name: 'Switch on' }).click();
  await page.getByRole('dialog').getByLabel('Password', { exact: true }).fill('seven-ducks-in-a-row');
  await page.getByRole('button', { name: 'Continue' }).click();
  const scan = page.getByRole('dialog', { name: 'Add Hotdesk to your app' });
  await scan.getByRole('img', { name: 'QR code for your authenticator app' }).waitFor();
  expect(await accessibilityProblems(page)).toEqual([]);
  await picture(page, 'codes-scan');
  const typed = await scan.getByLabel('Secret for your authenticator app').inputValue();
  const secret = Secret.fromBase32(typed.replaceAll(' ', ''));
  await scan
    .getByLabel('Code that the app shows')
    .fill(TOTP.generate({ secret, timestamp: Date.now() - 30_000 }));
  await scan.getByRole('button', { name: 'Switch on' }).click();
  await page.getByText('From now on a code is asked for when you sign in.').waitFor();

  const other = await open(hotdesk());
  await other.goto('/account');
  await enter(other, 'pia@example.com', 'seven-ducks-in-a-row');
  await other.getByLabel('Code from your authenticator app').fill(TOTP.generate({ secret }));
  await other.getByRole('button', { name: 'Verify' }).click();
  await other.getByRole('heading', { name: 'My account' }).waitFor();
  await page.getByRole('button', { name: 'Sign out everywhere else' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Sign out everywhere else' }).click();
  await page.getByText('You are signed in only here now.').waitFor();
  expect((await other.context().request.get('/api/v1/hosts')).status()).toBe(401);

  await page.getByRole('button', { name: 'Switch off' }).click();
  const off = page.getByRole('dialog', { name: 'Switch off the authenticator app?' });
  await off.getByLabel('Password', { exact: true }).fill('seven-ducks-in-a-row');
  await off
    .getByLabel('Code from your authenticator app')
    .fill(TOTP.generate({ secret, timestamp: Date.now() + 30_000 }));
  await off.getByRole('button', { name: 'Switch off' }).click();
  await page.getByText('No code is asked for any more.').waitFor();

  await other.goto('/account');
  await enter(other, 'pia@example.com', 'seven-ducks-in-a-row');
  await other.getByRole('heading', { name: 'My account' }).waitFor();
  const rows = page.locator('.sessions li');
  await expect.poll(() => rows.count()).toBe(2);
  expect(await rows.first().innerText()).toMatch(
    /^Chrome on Linux\s+This browser\s+from 127\.0\.0\.1 · in use now/,
  );
  await rows.last().getByRole('button', { name: 'Sign out Chrome on Linux, from 127.0.0.1' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Sign out' }).click();
  await page.getByText('Chrome on Linux is signed out.').waitFor();
  await expect.poll(() => rows.count()).toBe(1);
  expect((await other.context().request.get('/api/v1/hosts')).status()).toBe(401);

  await page.getByLabel('Current password').fill('seven-ducks-in-a-row');
  await page.getByLabel('New password', { exact: true }).fill('password1234');
  await page.getByRole('button', { name: 'Change password' }).click();
  await page.getByText('is one that many people use').waitFor();
  await page.getByLabel('New password', { exact: true }).fill('nine-geese-in-a-row');
  await page.getByRole('button', { name: 'Change password' }).click();
  await page.getByText('Your password is changed.').waitFor();
  await page.reload();
  await page.getByRole('heading', { name: 'My account' }).waitFor();
});

test('a person reads the times of their site, wherever their browser is', async () => {
  const { extension } = PEOPLE.first;
  await addAccount({ name: 'Amelia Clarke', email: 'amelia@example.com', role: 'user', extension });
  await hotdesk().seat(extension, PHONES.reception);
  const { body } = await hotdesk().api(`/api/v1/users/${extension}`);
  const wall = { timeStyle: 'short', timeZone: 'Europe/London' } as const;
  const time = new Intl.DateTimeFormat('en-GB', wall).format(new Date(body.association.startedAt));
  const page = await open(hotdesk());
  const asked: string[] = [];
  page.on('response', (response) => {
    if (response.status() === 403) asked.push(response.url());
  });
  await page.goto(`/users/${extension}/features`);
  await enter(page, 'amelia@example.com', 'seven-ducks-in-a-row');
  await page.getByText(`Since ${time}`).first().waitFor();
  await page.goto('/account');
  await page.getByText('This browser').waitFor();
  expect(asked).toEqual([]);
});

const AGENTS = [
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile Safari/604.1',
  'curl/8.14.1',
];

/** A session of the administrator in another browser. */
async function signInWith(agent: string): Promise<void> {
  const { email, password } = ADMINISTRATOR;
  const body = JSON.stringify({ email, password });
  const headers = {
    'content-type': 'application/json',
    'sec-fetch-site': 'same-origin',
    'user-agent': agent,
  };
  const answer = await fetch(`${hotdesk().http}/api/v1/session`, { method: 'POST', headers, body });
  expect(answer.status).toBe(200);
}

const LOOKS: readonly (readonly [Size, 'light' | 'dark'])[] = [
  ['phone', 'light'],
  ['tablet', 'light'],
  ['desk', 'light'],
  ['desk', 'dark'],
];

test.each(LOOKS)('on a %s, %s: nothing axe minds, and a picture', async (size, scheme) => {
  const page = await open(hotdesk(), { size, scheme });
  await signIn(page, '/accounts');
  for (const agent of AGENTS) await signInWith(agent);
  for (const [path, heading] of [
    ['/accounts', 'Accounts'],
    ['/tokens', 'API tokens'],
    ['/account', 'My account'],
  ] as const) {
    await page.goto(path);
    await page.getByRole('heading', { name: heading, exact: true }).waitFor();
    await page.waitForLoadState('networkidle', { timeout: 1_000 }).catch(() => undefined);
    expect(await accessibilityProblems(page)).toEqual([]);
    const sideways = await page.evaluate('document.documentElement.scrollWidth > window.innerWidth');
    expect([path, sideways]).toEqual([path, false]);
    await picture(page, `${path.slice(1)}-${size}-${scheme}`);
  }
  await page.goto('/accounts');
  await page.getByRole('button', { name: 'Add account' }).click();
  await page.getByRole('dialog').waitFor();
  await picture(page, `accounts-add-${size}-${scheme}`);
});
