import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { PEOPLE, PHONES } from '../support/demo.ts';
import { type Hotdesk, startHotdesk } from '../support/hotdesk.ts';
import { writePast } from '../support/past.ts';
import {
  accessibilityProblems,
  addAdministrator,
  picture,
  type Size,
  signIn,
  useChromium,
} from '../support/portal.ts';
import { startTcpRedis, type TcpRedis } from '../support/tcp-redis.ts';
import { WebhookReceiver } from '../support/webhook-receiver.ts';

/** What administrators look back at and are told: audit, live events, usage, webhooks, emergency calls. */

let redis: TcpRedis;
let server: Hotdesk;
let receiver: WebhookReceiver;
let address: string;
const hotdesk = () => server;
const open = useChromium();

beforeAll(async () => {
  redis = await startTcpRedis();
  await writePast(redis.client(), { days: 20, now: Date.now() });
  // Nobody takes mail there.
  const smtp = { host: '127.0.0.1', port: 9, tls: 'none', from: 'Hotdesk <hotdesk@example.com>', to: [] };
  server = await startHotdesk({ redis, settings: { smtp } });
  await addAdministrator(server);
  receiver = new WebhookReceiver();
  address = await receiver.start();
  const contacts = { emergencyContacts: { emails: ['guard@example.com'], phones: [] } };
  await server.api('/api/v1/sites/london', { method: 'PATCH', json: contacts });
});
afterEach(() => server.tidy());
afterAll(async () => {
  await server?.stop();
  await receiver?.stop();
  await redis?.stop();
});

async function signedIn(path: string, look: { size?: Size; scheme?: 'light' | 'dark' } = {}): Promise<Page> {
  const page = await open(hotdesk(), look);
  await signIn(page, path);
  return page;
}

describe('audit', () => {
  test('who sat there at five past two, by keyboard; a person’s stays; the file', async () => {
    const page = await signedIn('/audit');
    const rows = page.getByRole('table', { name: 'Who sat where' }).locator('tbody tr');
    await expect.poll(() => rows.count()).toBeGreaterThan(20);
    const person = page.getByRole('combobox', { name: 'Person' });
    await person.focus();
    await page.keyboard.type('amel');
    await page.getByRole('option', { name: /Amelia Clarke/ }).waitFor();
    await expect.poll(() => person.getAttribute('aria-activedescendant')).toBeTruthy();
    await page.keyboard.press('Enter');
    await expect.poll(() => page.url()).toContain('person=1001');
    await expect
      .poll(async () => new Set(await rows.locator('.person-name').allTextContents()))
      .toEqual(new Set(['Amelia Clarke']));
    const day = new Date(Date.now() - 86_400_000 * (new Date().getUTCDay() === 0 ? 2 : 1));
    await page.goto(`/audit?phone=${PHONES.window}`);
    await expect.poll(() => rows.count()).toBeGreaterThan(3);
    const text = await page.getByRole('link', { name: 'Download CSV' }).getAttribute('href');
    expect(text).toContain(`host=${PHONES.window}`);
    const file = await page.context().request.get(text ?? '');
    expect((await file.text()).split('\r\n')[0]).toBe(
      'host,hostNickname,guest,guestName,site,generation,startedAt,endedAt,reason,movedFrom',
    );
    await page.goto(`/audit?at=${day.toISOString().slice(0, 10)}T03:05`);
    await page.getByText('Nobody sat there then').waitFor();
    await page.getByRole('button', { name: 'Clear search and filters' }).click();
    await expect.poll(() => rows.count()).toBeGreaterThan(20);
  });

  test('changes in sentences, filtered by kind, and more on demand', async () => {
    await hotdesk().api('/api/v1/users/1003/unlock', { method: 'POST' });
    const page = await signedIn('/audit/changes');
    await page.getByText('was unlocked').first().waitFor();
    await page.getByLabel('Kind', { exact: true }).selectOption('Logins');
    await page
      .getByText(/logged in at Reception desk/)
      .first()
      .waitFor();
    await expect.poll(() => page.getByText('was unlocked').count()).toBe(0);
    const rows = page.getByRole('table', { name: 'Changes' }).locator('tbody tr');
    await expect.poll(() => rows.count()).toBe(50);
    await page.getByRole('button', { name: 'Show more' }).click();
    await page.getByText('That is all.').waitFor();
    await expect.poll(() => rows.count()).toBeGreaterThan(50);
  });
});

describe('live events', () => {
  test('come by themselves, wait while paused, and are filtered', async () => {
    const page = await signedIn('/live');
    await page.getByText('Live', { exact: true }).waitFor();
    await hotdesk().seat(PEOPLE.first.extension, PHONES.reception);
    const list = page.getByRole('region', { name: 'Events, newest first' });
    const [newest, second] = [list.locator('li').first(), list.locator('li').nth(1)];
    await expect.poll(() => newest.textContent()).toContain('Amelia Clarke logged in at Reception desk');
    await page.getByRole('button', { name: 'Pause' }).click();
    await hotdesk().api(`/api/v1/hosts/${PHONES.reception}/association`, { method: 'DELETE' });
    await page.getByText('1 new event waits').waitFor();
    expect(await newest.textContent()).toContain('logged in');
    await page.getByRole('button', { name: 'Resume' }).click();
    await expect.poll(() => newest.textContent()).toContain('by an administrator');
    expect(await second.textContent()).toContain('logged in');
    await page.getByRole('radio', { name: 'Security' }).check();
    await expect.poll(() => list.getByText('logged in').count()).toBe(0);
  });

  test('what happened while it was away is there when it comes back', async () => {
    const page = await signedIn('/live');
    await page.getByText('Live', { exact: true }).waitFor();
    await page.context().setOffline(true);
    await hotdesk().seat(PEOPLE.second.extension, PHONES.window);
    await page.context().setOffline(false);
    await page.getByText('Oliver Hughes logged in at Window desk').first().waitFor({ timeout: 20_000 });
  });
});

describe('usage', () => {
  test('is drawn and written', async () => {
    const page = await signedIn('/usage');
    await page.getByRole('img', { name: 'Desks in use by hour' }).waitFor();
    const card = page.locator('.card', { hasText: 'Desks in use by hour' });
    await card.getByText('Show as a table').click();
    const noon = card.getByRole('row', { name: /^11:00/ });
    expect(await noon.textContent()).toMatch(/^11:00[1-3](\.\d)?[1-3]$/);
    await page.getByRole('radio', { name: 'Last 30 days' }).check();
    await page.getByText('The record begins on').waitFor();
    await page.getByLabel('Site', { exact: true }).selectOption('Leeds');
    await expect.poll(() => page.locator('.ranks').first().locator('li').count()).toBe(1);
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Download CSV' }).click(),
    ]);
    expect(download.suggestedFilename()).toMatch(/^hotdesk-usage-.*\.csv$/);
  });
});

describe('webhooks', () => {
  test('one is added, tried, paused, given another secret, and removed', async () => {
    const page = await signedIn('/webhooks');
    await page.getByText('No webhooks yet').waitFor();
    await picture(page, 'webhooks-empty-desk-light');
    await page.getByRole('button', { name: 'Add webhook' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('button', { name: 'Add webhook' }).click();
    await dialog.getByText('Enter the address.').waitFor();
    await dialog.getByLabel('Address').fill('http://10.0.0.1/x');
    await dialog.getByRole('button', { name: 'Add webhook' }).click();
    await dialog.getByText(/private network/).waitFor();
    await dialog.getByLabel('Address').fill(address);
    await dialog.getByRole('radio', { name: 'Only these' }).check();
    await dialog.getByLabel('Emergency calls failed').check();
    await dialog.getByLabel('Logins').check();
    await dialog.getByRole('button', { name: 'Add webhook' }).click();
    const secret = page.getByRole('textbox', { name: 'Secret' });
    await expect.poll(() => dialog.textContent()).toContain('Secret of this webhook');
    receiver.secret = await secret.inputValue();
    expect(receiver.secret).toMatch(/^whsec_/);
    await page.getByRole('button', { name: 'I have copied it' }).click();
    await page.getByText('Nothing was sent yet').waitFor();
    expect(await page.content()).not.toContain(receiver.secret);

    await page.getByRole('button', { name: 'Send a test' }).click();
    await page.getByText('Delivered: answer 204').waitFor();
    const log = page.getByRole('table', { name: 'Delivery log' });
    await log.getByText('Delivered · 204').waitFor();
    expect(receiver.events.at(-1)).toMatchObject({ isGenuine: true, message: { type: 'webhook.test' } });
    receiver.status = 500;
    await page.getByRole('button', { name: 'Send a test' }).click();
    await log.getByText('Failed · 500').waitFor();
    receiver.status = 204;

    const id = page.url().split('/').at(-1) ?? '';
    const { body } = await hotdesk().api(`/api/v1/webhooks/${id}`);
    expect(body.events).toEqual(['association.started', 'emergency.failed']);
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.getByText('Paused.').waitFor();
    await page.getByRole('button', { name: 'New secret' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'New secret' }).click();
    await secret.waitFor();
    expect(await secret.inputValue()).not.toBe(receiver.secret);
    await page.getByRole('button', { name: 'I have copied it' }).click();
    await page.getByRole('button', { name: 'Remove' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
    await page.getByText('No webhooks yet').waitFor();
  });

  test('a dead letter is sent again', async () => {
    const json = { url: address, events: ['order.created'] };
    const { body } = await hotdesk().api('/api/v1/webhooks', { method: 'POST', json });
    receiver.secret = body.secret;
    await addLetter(body.id);
    const page = await signedIn(`/webhooks/${body.id}`);
    const letters = page.getByRole('table', { name: 'Not delivered' });
    await letters.getByText('the answer was 503').waitFor();
    await page.getByRole('button', { name: 'Send again' }).click();
    await page.getByText('Everything was delivered.').waitFor();
    expect(receiver.events.at(-1)).toMatchObject({ isGenuine: true, message: { type: 'security.notice' } });
    await page.getByText('sent again').waitFor();
    await hotdesk().api(`/api/v1/webhooks/${body.id}`, { method: 'DELETE' });
  });
});

/** As if it had been given up some time ago. */
async function addLetter(webhook: string): Promise<void> {
  const base = { seq: 1, at: Date.now() - 60_000, actor: 'admin:x' };
  const event = { ...base, kind: 'notice', notice: 'unlocked', extension: '1001' };
  const letter = { consumer: `webhook:${webhook}`, event, problem: 'the answer was 503', at: base.at };
  await redis.client().xadd('hd:{demo}:dead', '*', 'json', JSON.stringify(letter));
}

async function placeEmergencyCall(): Promise<void> {
  const phone = await hotdesk().phone(PHONES.reception);
  const call = await phone.call('999');
  const psap = await hotdesk().trunks.emergency.nextCall(4_000);
  await psap.accept();
  await call.answered;
  await call.hangUp();
}

describe('an emergency call', () => {
  test('is on top of every page at once, says whom nobody reached, and is acknowledged', async () => {
    await hotdesk().seat(PEOPLE.first.extension, PHONES.reception);
    const page = await signedIn('/users');
    await page.getByText('Live', { exact: true }).waitFor();
    await placeEmergencyCall();
    const banner = page.getByRole('alert', { name: 'Emergency calls' });
    await banner.getByText('Emergency call to 999 from Reception desk').waitFor({ timeout: 3_000 });
    const text = (await banner.textContent()) ?? '';
    for (const part of ['Placed by Amelia Clarke', '10 Example Street', 'Reception', 'Callback +44'])
      expect(text).toContain(part);
    await page.reload();
    await banner.getByText(/Could not reach: guard@example.com/).waitFor({ timeout: 30_000 });
    await picture(page, 'emergency-banner-desk-light');
    await banner.getByRole('link', { name: 'Who was told' }).click();
    const card = page.getByRole('region', { name: /Emergency call to 999/ });
    await card.getByText('Not reached yet').first().waitFor();
    for (const stage of ['Placed', 'Answered']) await card.getByText(stage, { exact: true }).waitFor();
    await banner.getByRole('button', { name: 'Acknowledge' }).click();
    await card.getByText('Acknowledged by').waitFor();
    await expect.poll(() => banner.textContent()).toBe('');
  });
});

const LOOKS = [
  ['desk', 'light'],
  ['desk', 'dark'],
  ['tablet', 'light'],
  ['phone', 'light'],
  ['phone', 'dark'],
] as const satisfies readonly (readonly [Size, 'light' | 'dark'])[];

describe.each(LOOKS)('%s, %s', (size, scheme) => {
  test('every page of these', { timeout: 180_000 }, async () => {
    await hotdesk().seat(PEOPLE.first.extension, PHONES.reception);
    const json = { url: 'https://hooks.example.com/hotdesk' };
    const { body } = await hotdesk().api('/api/v1/webhooks', { method: 'POST', json });
    await hotdesk().api(`/api/v1/webhooks/${body.id}`, { method: 'PATCH', json: { enabled: false } });
    await addLetter(body.id);
    const page = await signedIn('/audit', { size, scheme });
    const problems: string[] = [];
    for (const [name, path, text] of [
      ['audit', '/audit', 'Still there'],
      ['audit-changes', '/audit/changes', 'logged in at'],
      ['live', '/live', 'logged in at'],
      ['usage', '/usage', 'Busiest desks'],
      ['usage-30', '/usage?range=30', 'Busiest desks'],
      ['webhooks', '/webhooks', 'hooks.example.com'],
      ['webhook', `/webhooks/${body.id}`, 'the answer was 503'],
      ['emergencies', '/emergencies', 'Emergency call to 999'],
    ] as const) {
      await page.goto(path);
      await page.getByText(text).first().waitFor();
      await page.waitForTimeout(200);
      await picture(page, `${name}-${size}-${scheme}`);
      problems.push(...(await accessibilityProblems(page)).map((problem) => `${name}: ${problem}`));
      const overflow = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
      if (Number(overflow) > 0) problems.push(`${name}: ${overflow} pixels too wide`);
    }
    await page.goto('/webhooks');
    await page.getByRole('button', { name: 'Add webhook' }).click();
    await page.getByRole('radio', { name: 'Only these' }).check();
    await picture(page, `webhook-form-${size}-${scheme}`);
    problems.push(...(await accessibilityProblems(page)).map((problem) => `form: ${problem}`));
    await hotdesk().api(`/api/v1/webhooks/${body.id}`, { method: 'DELETE' });
    expect(problems).toEqual([]);
  });
});
