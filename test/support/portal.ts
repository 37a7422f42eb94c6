import { mkdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, type Browser as Chromium, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll } from 'vitest';
import type { Hotdesk } from './hotdesk.ts';

/** Debian's Chromium without a screen, for the tests of the pages. */

/** Sizes the pages are looked at: a phone, a tablet, a desk. */
const SIZES = {
  phone: { width: 390, height: 844 },
  tablet: { width: 820, height: 1180 },
  desk: { width: 1440, height: 900 },
} as const;
export type Size = keyof typeof SIZES;

export const ADMINISTRATOR = {
  name: 'Grace Whitfield',
  email: 'grace@example.com',
  password: 'twelve-quiet-lanterns',
} as const;

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
/** Where pictures go: the folder CI keeps, or a temporary one. */
const PICTURES = process.env.HOTDESK_PICTURES ?? join(tmpdir(), 'hotdesk-portal-pictures');
const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

export interface LookOptions {
  readonly size?: Size;
  readonly scheme?: 'light' | 'dark';
}

/** A browser for all tests of a file; what each opened is closed after it. */
export function useChromium(
  args: readonly string[] = [],
): (hotdesk: Hotdesk, options?: LookOptions) => Promise<Page> {
  let browser: Chromium | undefined;
  let contexts: BrowserContext[] = [];
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', ...args] });
  });
  afterEach(async () => {
    await Promise.all(contexts.map((context) => context.close()));
    contexts = [];
  });
  afterAll(() => browser?.close());
  return async ({ http }, { size = 'desk', scheme = 'light' } = {}) => {
    if (!browser) throw new Error('the browser has not started');
    const context = await browser.newContext({
      ...{ baseURL: http, viewport: SIZES[size], colorScheme: scheme, reducedMotion: 'reduce' },
      ...{ locale: 'en-GB', timezoneId: 'America/Denver' },
    });
    contexts.push(context);
    context.setDefaultTimeout(20_000);
    return context.newPage();
  };
}

/** Adds the account that tests sign in with. */
export async function addAdministrator(hotdesk: Hotdesk): Promise<void> {
  const { name, email, password } = ADMINISTRATOR;
  const json = { name, email, role: 'administrator' };
  const made = await hotdesk.api('/api/v1/accounts', { method: 'POST', json });
  if (made.status !== 201) throw new Error(`no account: ${made.status} ${JSON.stringify(made.body)}`);
  const { token } = made.body.link;
  const set = await hotdesk.api('/api/v1/password', { method: 'POST', json: { token, password } });
  if (set.status !== 204) throw new Error(`no password: ${set.status} ${JSON.stringify(set.body)}`);
}

/** Signs in by the page, and waits for the first one behind it. */
export async function signIn(page: Page, path = '/'): Promise<void> {
  await page.goto(path);
  await page.getByLabel('E-mail address').fill(ADMINISTRATOR.email);
  await page.getByLabel('Password', { exact: true }).fill(ADMINISTRATOR.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('navigation', { name: 'Main' }).waitFor();
}

/** Keeps what the page looks like, all of it. */
export async function picture(page: Page, name: string): Promise<void> {
  await mkdir(PICTURES, { recursive: true });
  await page.screenshot({ path: join(PICTURES, `${name}.png`), fullPage: true });
}

interface Violation {
  readonly id: string;
  readonly help: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
}

/** What axe finds against WCAG 2.2 A and AA and good practice, a line each. */
export async function accessibilityProblems(page: Page): Promise<string[]> {
  await page.evaluate(await readFile(AXE, 'utf8'));
  const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
  const options = JSON.stringify({ runOnly: { type: 'tag', values: tags } });
  const { violations } = (await page.evaluate(`axe.run(${options})`)) as { violations: Violation[] };
  return violations.map(
    ({ id, help, nodes }) => `${id}: ${help}: ${nodes[0]?.html} ${nodes[0]?.failureSummary}`,
  );
}

/** Chooses the first of the addresses in use, once the page knows them. */
export async function chooseKnownAddress(page: Page, label: string): Promise<void> {
  const choice = page.getByLabel(label);
  // `Choose …` and `A new address …` are there before.
  await choice.locator('option:nth-of-type(3)').waitFor({ state: 'attached' });
  await choice.selectOption({ index: 1 });
}
