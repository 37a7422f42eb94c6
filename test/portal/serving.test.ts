import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import { PORTAL_FOLDER } from '../../src/portal/build.ts';
import { addAdministrator, signIn, useChromium } from '../support/portal.ts';
import { useHotdesk } from '../support/suite.ts';

/** How the pages get into the browser: small, fast, and with nothing inline. */

const hotdesk = useHotdesk();
const open = useChromium();
beforeAll(() => addAdministrator(hotdesk()));

const get = (path: string) => fetch(`${hotdesk().http}${path}`);

/** Scripts a page brings along, and what those bring along. */
async function scriptsOf(document: string): Promise<string[]> {
  const found = new Set<string>();
  const read = async (path: string): Promise<void> => {
    const text = await readFile(join(PORTAL_FOLDER, path), 'utf8');
    const names = [...text.matchAll(/[\w-]+-[\w-]{8}\.js/g)].map(([name]) => name);
    for (const name of names.filter((one) => !found.has(one))) {
      found.add(name);
      await read(join('assets', name));
    }
  };
  await read(document);
  return [...found];
}

describe('what is served', () => {
  test('pages: one document, never kept, under a strict policy', async () => {
    for (const path of ['/', '/sign-in', '/phones/common-area', '/users/1001/features']) {
      const { status, headers } = await get(path);
      expect(status, path).toBe(200);
      expect(headers.get('cache-control')).toBe('no-store');
      const policy = headers.get('content-security-policy') ?? '';
      expect(policy).toContain("default-src 'none'");
      expect(policy).not.toMatch(/unsafe|\*|data:/);
    }
  });

  test('what is no page is not found, as a problem', async () => {
    for (const path of ['/nothing', '/users/1/2/3', '/assets/../index.html', '/assets/', '/api/v1/nothing']) {
      const { status, headers } = await get(path);
      expect([401, 404], path).toContain(status);
      expect(headers.get('content-type'), path).toContain('problem+json');
    }
  });

  test('typed into a browser it is the page that says so, not found all the same', async () => {
    const browser = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };
    for (const path of ['/nothing', '/phones/a/b?c=d']) {
      const answer = await fetch(`${hotdesk().http}${path}`, { headers: browser });
      expect(answer.status, path).toBe(404);
      expect(answer.headers.get('content-type'), path).toContain('text/html');
      expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'");
      expect(await answer.text()).toContain('<script');
    }
    for (const path of ['/api', '/api/v1/nothing', '/api?x', '/assets/nothing.js']) {
      const answer = await fetch(`${hotdesk().http}${path}`, { headers: browser });
      expect(answer.headers.get('content-type'), path).toContain('problem+json');
    }
    const posted = await fetch(`${hotdesk().http}/nothing`, { method: 'POST', headers: browser });
    expect(posted.headers.get('content-type')).toContain('problem+json');
  });

  test('assets are named by what is in them, and may be kept for ever', async () => {
    const document = await (await get('/')).text();
    const paths = document.match(/\/assets\/[^"]+/g) ?? [];
    expect(paths.length).toBeGreaterThanOrEqual(3);
    for (const path of paths) {
      const { status, headers } = await get(path);
      expect(status).toBe(200);
      expect(path).toMatch(/-[\w-]{8}\.\w+$/);
      expect(headers.get('cache-control')).toMatch(/max-age=31536000, immutable/);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
    }
    expect(document).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\son\w+=|style=/);
  });

  test.each(['index.html', 'phone.html'])('less than 150 KB of script, packed: %s', async (document) => {
    const names = await scriptsOf(document);
    const sizes = await Promise.all(
      names.map(async (name) => gzipSync(await readFile(join(PORTAL_FOLDER, 'assets', name))).length),
    );
    const total = sizes.reduce((sum, size) => sum + size, 0);
    expect(total).toBeGreaterThan(1_000);
    expect(total).toBeLessThan(150 * 1024);
  });
});

describe('in the browser', () => {
  test('the first page is there within a second, and nothing breaks the policy', async () => {
    const page = await open(hotdesk());
    const complaints: string[] = [];
    page.on('console', (message) => {
      if (/Content Security Policy|Trusted/i.test(message.text())) complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.goto('/sign-in');
    await page.getByRole('button', { name: 'Sign in' }).waitFor();
    const since = Date.now();
    await page.goto('/sign-in');
    await page.getByRole('button', { name: 'Sign in' }).waitFor();
    expect(Date.now() - since).toBeLessThan(1_000);
    await signIn(page);
    await page.getByText('Reception desk').waitFor();
    expect(complaints).toEqual([]);
  });

  test('an address that leads nowhere leads back', async () => {
    const page = await open(hotdesk());
    await signIn(page, '/phones/nothing/here');
    await page.getByRole('heading', { name: 'There is no such page' }).waitFor();
    await page.getByRole('link', { name: 'Go to phones' }).click();
    await page.getByText('Reception desk').waitFor();
    for (const [path, what] of [
      ['/phones/nothing-here', 'There is no such phone any more.'],
      ['/phones/nothing-here/convert', 'There is no such phone any more.'],
      ['/users/7777', 'There is no such person any more.'],
    ] as const) {
      await page.goto(path);
      await page.getByRole('heading', { name: what }).waitFor();
      expect(await page.getByRole('button', { name: 'Try again' }).count()).toBe(0);
      await page.getByRole('alert').getByRole('link', { name: /^All/ }).click();
      await page.getByRole('table').waitFor();
    }
  });

  test('dark and light by choice, kept over a reload', async () => {
    const page = await open(hotdesk(), { scheme: 'light' });
    await signIn(page);
    const background = () => page.evaluate('getComputedStyle(document.documentElement).backgroundColor');
    const light = await background();
    await page.getByRole('button', { name: /Account$/ }).click();
    await page.getByRole('radio', { name: 'Dark' }).check();
    const dark = await background();
    expect(dark).not.toBe(light);
    await page.reload();
    await page.getByRole('navigation', { name: 'Main' }).waitFor();
    expect(await background()).toBe(dark);
  });
});

test('a page that finds the server away begins as soon as it is back', async () => {
  const page = await open(hotdesk());
  await signIn(page);
  let refused = 0;
  await page.route('**/api/v1/session', (route) => {
    if (refused >= 2) return route.continue();
    refused++;
    const json = { type: 'urn:hotdesk:reason:storeUnavailable', status: 503, reason: 'storeUnavailable' };
    return route.fulfill({ status: 503, contentType: 'application/problem+json', json });
  });
  await page.goto('/users');
  await page.getByText('cannot read or save anything').waitFor();
  await page.getByRole('heading', { name: 'Users' }).waitFor();
  expect(refused).toBe(2);
});
