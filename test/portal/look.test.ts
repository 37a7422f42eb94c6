import { beforeAll, describe, expect, test } from 'vitest';
import { PEOPLE, PHONES } from '../support/demo.ts';
import {
  accessibilityProblems,
  addAdministrator,
  picture,
  type Size,
  signIn,
  useChromium,
} from '../support/portal.ts';
import { useHotdesk } from '../support/suite.ts';

/** Every page at three widths, light and dark: nothing that axe finds, nothing that does not fit; pictures are kept. */

const hotdesk = useHotdesk();
const open = useChromium();
beforeAll(() => addAdministrator(hotdesk()));

const PAGES = [
  ['common-area', '/phones/common-area', 'Reception desk'],
  ['user-phones', '/phones/user', 'Oliver’s phone'],
  ['nothing-found', '/phones/common-area?q=nowhere', 'No phone matches'],
  ['phone', `/phones/${PHONES.reception}`, 'Still here'],
  ['free-phone', `/phones/${PHONES.leeds}`, 'Nobody is on this phone'],
  ['models', '/phones/models', 'Polycom VVX 601'],
  ['timeout', '/security/hot-desk-session-timeout', 'Log people out after'],
  ['users', '/users', 'Amelia Clarke'],
  ['profile', '/users/1001', 'User licensing'],
  ['features', '/users/1002/features', 'Maximum association time'],
  ['guest', '/users/1003/features', 'Connect with'],
  ['unknown-phone', '/phones/nowhere', 'no such phone'],
] as const;

const LOOKS = [
  ['desk', 'light'],
  ['desk', 'dark'],
  ['tablet', 'light'],
  ['phone', 'light'],
  ['phone', 'dark'],
] as const satisfies readonly (readonly [Size, 'light' | 'dark'])[];

describe.each(LOOKS)('%s, %s', (size, scheme) => {
  test('every page', { timeout: 180_000 }, async () => {
    await hotdesk().phone(PHONES.reception);
    await hotdesk().phone(PHONES.window);
    await hotdesk().seat(PEOPLE.first.extension, PHONES.reception);
    const page = await open(hotdesk(), { size, scheme });
    await page.goto('/sign-in');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('Enter your password.').waitFor();
    const problems = await accessibilityProblems(page);
    await picture(page, `sign-in-${size}-${scheme}`);
    await signIn(page);
    for (const [name, path, text] of PAGES) {
      await page.goto(path);
      await page
        .getByText(text.replace('’', "'"), { exact: false })
        .or(page.getByText(text))
        .first()
        .waitFor();
      await page.waitForLoadState('load');
      await page.waitForTimeout(150);
      await picture(page, `${name}-${size}-${scheme}`);
      problems.push(...(await accessibilityProblems(page)).map((problem) => `${name}: ${problem}`));
      const overflow = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
      if (Number(overflow) > 0) problems.push(`${name}: ${overflow} pixels too wide`);
    }
    await page.goto('/phones/common-area');
    await page.getByRole('button', { name: 'Log out: Reception desk' }).click();
    await page.getByRole('dialog').waitFor();
    await picture(page, `dialog-${size}-${scheme}`);
    problems.push(...(await accessibilityProblems(page)).map((problem) => `dialog: ${problem}`));
    expect(problems).toEqual([]);
  });
});
