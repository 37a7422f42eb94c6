import { beforeAll, describe, expect, test } from 'vitest';
import { PEOPLE, PHONES } from '../support/demo.ts';
import { addAdministrator, picture, signIn, useChromium } from '../support/portal.ts';
import { useHotdesk } from '../support/suite.ts';

/** What narrow screens have instead of the menu at the side and the headings of tables; and readers with zoom or own colours. */

const hotdesk = useHotdesk();
const open = useChromium();
beforeAll(() => addAdministrator(hotdesk()));

/** Entries of the menu that begin or end outside of the screen. */
const OUTSIDE = `[...document.querySelectorAll('.main-nav a, .main-nav button')]
  .filter((entry) => entry.checkVisibility())
  .map((entry) => ({ text: entry.textContent, box: entry.getBoundingClientRect() }))
  .filter(({ box }) => box.left < 0 || box.right > innerWidth || box.top < 0 || box.bottom > innerHeight)
  .map(({ text }) => text)`;

describe.each(['tablet', 'phone'] as const)('%s', (size) => {
  test('every page can be reached: the first few at once, the others under More', async () => {
    const page = await open(hotdesk(), { size });
    await signIn(page);
    const menu = page.getByRole('navigation', { name: 'Main' });
    const more = menu.getByRole('button', { name: 'More' });
    await expect.poll(() => menu.getByRole('link').count()).toBe(4);
    expect(await page.evaluate(OUTSIDE)).toEqual([]);
    await more.click();
    await expect.poll(() => menu.getByRole('link').count()).toBe(13);
    expect(await page.evaluate(OUTSIDE)).toEqual([]);
    await picture(page, `more-${size}`);
    await menu.getByRole('link', { name: 'Hot desk session timeout' }).click();
    await page.getByRole('heading', { name: 'Hot desk session timeout' }).waitFor();
    expect(await more.getAttribute('aria-expanded')).toBe('false');
    await more.press('Enter');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Escape');
    expect(await more.getAttribute('aria-expanded')).toBe('false');
    expect(await page.evaluate('document.activeElement.textContent')).toBe('More');
  });

  test('rows that are cards can be chosen together and put in order', async () => {
    const page = await open(hotdesk(), { size });
    await signIn(page);
    const links = page.getByRole('table').getByRole('link');
    await expect.poll(() => links.allTextContents()).toEqual(['Leeds desk', 'Reception desk', 'Window desk']);
    await page.getByLabel('Order of the list').selectOption('Sort by Phone, descending');
    await expect.poll(() => links.allTextContents()).toEqual(['Window desk', 'Reception desk', 'Leeds desk']);
    await page.getByRole('checkbox', { name: 'Select all on this page' }).check();
    await page.getByText('3 selected').waitFor();
  });
});

test('a laptop shows the lists of phones whole, with what one does with a row', async () => {
  await hotdesk().seat(PEOPLE.first.extension, PHONES.reception);
  await hotdesk().seat(PEOPLE.leeds.extension, PHONES.own);
  const page = await open(hotdesk());
  await signIn(page);
  for (const width of [1280, 1366, 1440]) {
    await page.setViewportSize({ width, height: 860 });
    for (const list of ['/phones/common-area', '/phones/user']) {
      await page.goto(list);
      await page.getByRole('button', { name: /^Log out: / }).waitFor();
      const cut = await page.evaluate(`(() => {
        const { scrollWidth, clientWidth } = document.querySelector('.table-wrap');
        return scrollWidth - clientWidth;
      })()`);
      expect(cut, `${list} at ${width}`).toBeLessThanOrEqual(0);
    }
  }
});

test('nothing that cannot be seen takes the focus', async () => {
  const page = await open(hotdesk(), { size: 'tablet' });
  await signIn(page);
  await page.getByRole('link', { name: 'Window desk' }).waitFor();
  for (let step = 0; step < 40; step++) {
    await page.keyboard.press('Tab');
    const size = await page.evaluate(`(() => {
      const at = document.activeElement;
      const box = (at.closest('label') ?? at).getBoundingClientRect();
      const clipped = at.closest('thead')?.getBoundingClientRect().width === 1;
      return clipped ? 0 : Math.min(box.width, box.height);
    })()`);
    expect(Number(size), await page.evaluate('document.activeElement.outerHTML')).toBeGreaterThan(10);
  }
});

/** What is wider than its place: the page, and the parts of it that would scroll. */
const SIDEWAYS = `[document.documentElement, ...document.querySelectorAll('.table-wrap, .tabs, .segments')]
  .filter((part) => part.scrollWidth > part.clientWidth)
  .map((part) => part.className || part.tagName)`;

test('a desk at 400 % (320 pixels): nothing scrolls sideways (WCAG 1.4.10)', async () => {
  await hotdesk().seat(PEOPLE.leeds.extension, PHONES.own);
  const url = 'https://hooks.example.com/hotdesk/with/a/path/that/is/longer/than/a/phone/is/wide';
  const { body } = await hotdesk().api('/api/v1/webhooks', {
    ...{ method: 'POST', json: { url, events: ['emergency.failed'] } },
  });
  const page = await open(hotdesk());
  await page.setViewportSize({ width: 320, height: 640 });
  await signIn(page);
  for (const [path, text] of [
    ['/phones/common-area', 'Window desk'],
    ['/phones/user', 'Priya Shah'],
    [`/phones/${PHONES.ownLeeds}`, 'Remove phone'],
    ['/orders', 'No orders yet'],
    ['/live', 'logged in at'],
    ['/audit/changes', 'logged in at'],
    ['/account', 'Sign out everywhere else'],
    ['/accounts', 'Active'],
    [`/webhooks/${body.id}`, 'Nothing was sent yet'],
  ] as const) {
    await page.goto(path);
    await page.getByText(text).first().waitFor();
    expect([path, await page.evaluate(SIDEWAYS)]).toEqual([path, []]);
  }
});

test('a name of eighty letters goes on in the next line, in the list and on its page', async () => {
  const nickname = 'W'.repeat(80);
  const path = `/api/v1/hosts/${PHONES.window}`;
  await hotdesk().api(path, { method: 'PATCH', json: { nickname } });
  await hotdesk().seat(PEOPLE.second.extension, PHONES.window);
  const page = await open(hotdesk());
  await signIn(page);
  for (const [where, role] of [
    ['/phones/common-area', 'link'],
    [`/phones/${PHONES.window}`, 'heading'],
    [`/users/${PEOPLE.second.extension}`, undefined],
  ] as const) {
    for (const width of [1440, 390]) {
      await page.setViewportSize({ width, height: 860 });
      await page.goto(where);
      await page.getByText(nickname).first().waitFor();
      if (role) await page.getByRole(role, { name: nickname }).waitFor();
      expect([where, width, await page.evaluate(SIDEWAYS)]).toEqual([where, width, []]);
    }
  }
  await hotdesk().api(path, { method: 'PATCH', json: { nickname: 'Window desk' } });
});

test('with the reader’s own colours (forced) one sees what is on and what is chosen', async () => {
  const page = await open(hotdesk());
  await page.emulateMedia({ forcedColors: 'active' });
  await signIn(page, '/company');
  const colour = (selector: string, what: string) =>
    page.evaluate(`getComputedStyle(document.querySelector('${selector}')).getPropertyValue('${what}')`);
  await page.getByRole('switch').first().waitFor();
  const switches = ['[aria-checked=true]', '[aria-checked=false]'].map((state) =>
    colour(`.switch${state}`, 'background-color'),
  );
  expect(new Set(await Promise.all(switches)).size).toBe(2);
  await page.goto('/phones/common-area');
  await page.getByRole('link', { name: 'Window desk' }).waitFor();
  const tabs = ['[aria-current]', ':not([aria-current])'].map((state) =>
    colour(`.tabs a${state}`, 'border-bottom-color'),
  );
  expect(new Set(await Promise.all(tabs)).size).toBe(2);
  expect(await colour('.segments input:checked + span', 'outline-style')).toBe('solid');
});
