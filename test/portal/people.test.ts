import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { useAdministrator } from '../support/administrator.ts';
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

/** People who come, change and go, one by one and by a table; sites, addresses and the company (A6, A7, B1–B3). */

const hotdesk = useHotdesk();
const open = useChromium();
beforeAll(() => addAdministrator(hotdesk()));
useAdministrator(hotdesk);

const TABLE = [
  'Ext.;Full name;Location;DDI;Licence;Guest;Shoe size',
  '1001;Amelia Oakes;;;;;38',
  '2001;Nora Field;London;020 7946 0201;yes;;40',
  '2002;Samuel Price;Leeds;+441134960202;;yes;41',
  '1003;Priya Shah;Leeds;;;;',
].join('\n');
const BAD = `${TABLE}\n2003;Lost Soul;Atlantis;+442079460203;;;\n2004;No Number;London;;;;`;

const user = async (extension: string) => (await hotdesk().api(`/api/v1/users/${extension}`)).body;

describe('people', () => {
  test('one is added by keyboard alone, gets a PIN that is shown once, and can log in', async () => {
    const page = await open(hotdesk());
    await signIn(page, '/users');
    await page.getByRole('link', { name: 'Add a person' }).click();
    const { keyboard } = page;
    await page.getByRole('heading', { name: 'Add a person' }).waitFor();
    await page.getByRole('button', { name: 'Add person' }).click();
    await page.getByText('Enter a caller ID, or a direct number.').waitFor();
    await page.getByLabel('Name', { exact: true }).focus();
    await keyboard.type('Nora Field');
    await keyboard.press('Tab');
    await keyboard.type('2001');
    await keyboard.press('Tab');
    await keyboard.type('Leeds');
    for (const _ of ['plan', 'e-mail', 'numbers']) await keyboard.press('Tab');
    await keyboard.type('+44 113 496 0201');
    for (const _ of ['caller', 'hot desk']) await keyboard.press('Tab');
    await keyboard.press('Space');
    await keyboard.press('Enter');
    const dialog = page.getByRole('dialog', { name: 'One-time PIN for Nora Field' });
    await dialog.waitFor();
    const pin = (await page.locator('.pin-digits').textContent()) ?? '';
    await picture(page, 'person-pin');
    await dialog.getByRole('button', { name: 'Close' }).last().click();
    await page.getByRole('heading', { name: 'Nora Field' }).waitFor();
    expect(await page.content()).not.toContain(pin);
    expect(await user('2001')).toMatchObject({
      ...{ name: 'Nora Field', site: 'leeds', numbers: ['+441134960201'], callerId: '+441134960201' },
      ...{ hotDeskLicence: true, hasPasscode: true, passcodeOneTime: true },
    });
  });

  test('what the server does not take is said at its field', async () => {
    const page = await open(hotdesk());
    await signIn(page, '/users/new');
    await page.getByLabel('Name', { exact: true }).fill('Twice');
    await page.getByLabel('Extension').fill('1001');
    await page.getByLabel('Site').selectOption('London');
    await page.getByLabel('Direct numbers').fill('12345');
    await page.getByRole('button', { name: 'Add person' }).click();
    await page.getByText('There is one of this name already.').waitFor();
    await page.getByLabel('Extension').fill('2005');
    await page.getByRole('button', { name: 'Add person' }).click();
    await page.getByText('Must be a full number', { exact: false }).first().waitFor();
    expect(await page.getByLabel('Direct numbers').getAttribute('aria-invalid')).toBe('true');
  });

  test('details are edited, and somebody logged in goes only when that is ticked', async () => {
    await hotdesk().seat(PEOPLE.first.extension, PHONES.reception);
    const page = await open(hotdesk());
    await signIn(page, '/users/1004');
    await page.getByRole('button', { name: 'Edit details' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name', { exact: true }).fill('George B. Bennett');
    await dialog.getByLabel('E-mail').fill('george@example.com');
    await picture(page, 'person-edit');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await page.getByText('George B. Bennett is saved.').waitFor();
    expect(await user('1004')).toMatchObject({ name: 'George B. Bennett', email: 'george@example.com' });

    await page.getByRole('button', { name: 'Remove person' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Remove person' }).click();
    await page.getByText('George B. Bennett is removed.').waitFor();
    expect((await hotdesk().api('/api/v1/users/1004')).status).toBe(404);

    await page.goto('/users/1003');
    await hotdesk().seat(PEOPLE.leeds.extension, PHONES.leeds);
    await page.getByText('Logged in at Leeds desk').waitFor();
    await page.getByRole('button', { name: 'Remove person' }).click();
    await dialog.getByRole('button', { name: 'Remove person' }).click();
    await dialog.getByText('Tick this to go on', { exact: false }).waitFor();
    await dialog.getByRole('checkbox').check();
    await dialog.getByRole('button', { name: 'Remove person' }).click();
    // A phone of their own has to go first.
    await dialog.getByRole('alert').waitFor();
    expect((await hotdesk().api('/api/v1/users/1003')).status).toBe(200);
  });

  test('calls, mailbox and Guest In keys', async () => {
    const page = await open(hotdesk());
    await signIn(page, '/users/1001/features');
    const always = page.getByLabel('Forward all calls to');
    await always.fill('999');
    const card = page.locator('.card', { hasText: 'Calls and voicemail' });
    await card.getByRole('button', { name: 'Save' }).click();
    await card.getByText('Is an emergency number.').waitFor();
    await always.fill('1002');
    await card.getByLabel('Mailbox').fill('amelia');
    await card.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Calls and voicemail are saved.').waitFor();
    expect(await user('1001')).toMatchObject({ mailbox: 'amelia', forwarding: { always: '1002' } });
    await page.getByRole('switch', { name: 'Allow Guest In keys' }).click();
    await page.getByText('The keys work from when the PIN is next typed').waitFor();
    expect(await user('1001')).toMatchObject({ hotelingKeys: true });
  });
});

describe('import', () => {
  test('a table is pasted, checked row by row, mended, and imported; PINs are downloaded once', async () => {
    const page = await open(hotdesk());
    await signIn(page, '/users');
    await page.getByRole('link', { name: 'Import' }).click();
    await page.getByRole('button', { name: 'Check the table' }).click();
    await page.getByText('Choose a file or paste some rows first.').waitFor();
    await page.getByLabel('Or paste the rows').fill(BAD);
    await page.getByRole('button', { name: 'Check the table' }).click();
    await page.getByText('2 rows have something wrong', { exact: false }).waitFor();
    const rows = page.locator('tbody tr');
    expect(await page.getByRole('radio', { name: /Only problems/ }).isChecked()).toBe(true);
    expect(await rows.allTextContents()).toEqual([
      'Lost Soul20036ProblemSite no such site',
      expect.stringContaining('No Number20047ProblemCaller ID must be a full number'),
    ]);
    expect(await page.getByRole('button', { name: 'Import 3 people' }).isDisabled()).toBe(true);
    await page.getByText('Columns that are not looked at: Shoe size').waitFor();
    await page.getByRole('radio', { name: 'All rows' }).check();
    expect(await rows.allTextContents()).toEqual(
      expect.arrayContaining(['Amelia Oakes10012ChangedName Amelia Clarke → Amelia Oakes']),
    );
    expect((await hotdesk().api('/api/v1/users/2001')).status).toBe(404);
    await page.getByLabel('Leave out 2 rows', { exact: false }).check();
    await page.getByRole('button', { name: 'Import 3 people' }).click();
    await page
      .getByText('2 people added · 1 person changed · 1 person unchanged · 2 rows left out')
      .waitFor();
    expect(await user('2001')).toMatchObject({
      site: 'london',
      numbers: ['+442079460201'],
      hotDeskLicence: true,
    });
    expect((await hotdesk().api('/api/v1/users/2003')).status).toBe(404);

    await page.getByRole('button', { name: 'Give 2 one-time PINs' }).click();
    await page.getByText('2 of 2 PINs given').waitFor();
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Download PINs' }).click(),
    ]);
    const text = await readFile(await download.path(), 'utf8');
    expect(text).toMatch(
      /^\uFEFFExtension,Name,PIN\r\n2001,Nora Field,[^\r]*\d{6,12}[^\r]*\r\n2002,Samuel Price,/,
    );
    await page.getByText('They are not shown again.', { exact: false }).waitFor();
    expect(await user('2002')).toMatchObject({ passcodeOneTime: true, addOns: ['guest'] });
    await page.getByRole('button', { name: 'Go to users' }).click();
    await page.getByText('Samuel Price').waitFor();
  });

  test('a file as Excel saves it in the West; and one that is no table', async () => {
    const page = await open(hotdesk());
    await signIn(page, '/users/import');
    const input = page.locator('input[type=file]');
    const latin = Buffer.from('Ext;Name;Site;DDI\r\n2001;Zoë Müller;London;+442079460201\r\n', 'latin1');
    await input.setInputFiles({ name: 'people.csv', mimeType: 'text/csv', buffer: latin });
    await page.getByText('people.csv · 1 KB').waitFor();
    await page.getByRole('button', { name: 'Check the table' }).click();
    await page.getByText('Zoë Müller').waitFor();
    await page.getByRole('button', { name: 'Choose another table' }).click();
    const none = Buffer.from('Name,Site\n"A,London');
    await input.setInputFiles({ name: 'none.csv', mimeType: 'text/csv', buffer: none });
    await page.getByRole('button', { name: 'Check the table' }).click();
    await page.getByText('a quotation mark is not closed', { exact: false }).waitFor();
  });

  test('the sample can be imported as it is; what changed meanwhile is checked again', async () => {
    const page = await open(hotdesk());
    await signIn(page, '/users/import');
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Download a sample' }).click(),
    ]);
    await page.locator('input[type=file]').setInputFiles(await download.path());
    await page.getByRole('button', { name: 'Check the table' }).click();
    const submit = page.getByRole('button', { name: 'Import 2 people' });
    await submit.waitFor();
    const json = { extension: '2001', name: 'Somebody', site: 'london', callerId: '+442079460299' };
    await hotdesk().api('/api/v1/users', { method: 'POST', json });
    await submit.click();
    await page.getByText('Somebody has changed the directory', { exact: false }).waitFor();
    await page.getByText('Somebody → Nora Field').waitFor();
    await submit.click();
    await page.getByText('1 person added · 1 person changed').waitFor();
  });

  test('who is logged in by what is taken away is a problem, or is logged out first', async () => {
    await hotdesk().seat(PEOPLE.first.extension, PHONES.reception);
    const page = await open(hotdesk());
    await signIn(page, '/users/import');
    await page.getByLabel('Or paste the rows').fill('Extension,Licence\n1001,no');
    await page.getByRole('button', { name: 'Check the table' }).click();
    await page.getByText('1001 is logged in at', { exact: false }).waitFor();
    await page.getByLabel('Log people out', { exact: false }).check();
    await page.getByRole('button', { name: 'Import 1 person' }).click();
    await page.getByText('1 person changed').waitFor();
    await hotdesk().expectGuest(PHONES.reception, undefined);
  });
});

describe('sites and company', () => {
  test('a site is added, changed and removed; one in use is not', async () => {
    const page = await open(hotdesk());
    await signIn(page, '/sites');
    await page.getByRole('link', { name: 'Add a site' }).click();
    await page.getByLabel('Name', { exact: true }).fill('York');
    await page.getByLabel('Id', { exact: true }).fill('york');
    await page.getByLabel('Time zone').selectOption('Europe/London');
    await page.getByLabel('Callback number').fill('01904 960100');
    await page.getByRole('button', { name: 'Add site' }).click();
    await page.getByText('Must be a full number', { exact: false }).waitFor();
    await page.getByLabel('Callback number').fill('+44 1904 960100');
    await page.getByRole('button', { name: 'Add site' }).click();
    await page.getByText('York is added.').waitFor();
    await page.getByLabel('Outside line').fill('9');
    await page.getByLabel('Daily log-out').fill('19:30');
    await page.getByLabel('E-mail addresses').fill('guard@example.com');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('York is saved.').waitFor();
    const { body } = await hotdesk().api('/api/v1/sites/york');
    expect(body).toMatchObject({
      ...{ outsideLinePrefix: '9', dailyLogOut: '19:30', callbackNumber: '+441904960100' },
      emergencyContacts: { emails: ['guard@example.com'], phones: [] },
    });
    await page.getByRole('button', { name: 'Remove site' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Remove site' }).click();
    await page.getByText('York is removed.').waitFor();
    await page.getByRole('link', { name: 'Leeds' }).click();
    await page.getByRole('button', { name: 'Remove site' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Remove site' }).click();
    await page.getByText('still there', { exact: false }).waitFor();
  });

  test('addresses at a site: which phones stand there, and who has moved', async () => {
    const page = await open(hotdesk());
    await signIn(page, '/sites');
    await page
      .getByRole('row', { name: /^London/ })
      .getByText('None to check')
      .waitFor();
    await page.getByRole('link', { name: 'London' }).click();
    await page.getByRole('link', { name: 'Addresses', exact: true }).click();
    const rows = page.locator('tbody tr');
    await page.getByText('Reception desk').waitFor();
    expect((await rows.allTextContents()).join()).toContain('Window desk');
    expect((await rows.allTextContents()).join()).not.toContain('Leeds desk');
  });

  test('settings of the company are checked, and saved', async () => {
    const page = await open(hotdesk());
    await signIn(page, '/company');
    await page.getByText('*90').waitFor();
    await page.getByLabel('Hot desk', { exact: true }).fill('1');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('hold a licence', { exact: false }).waitFor();
    await page.getByLabel('Hot desk', { exact: true }).fill('25');
    await page.getByLabel('Voice portal number').fill('8500');
    await page.getByRole('switch', { name: 'colleague’s phone', exact: false }).click();
    await page.getByLabel('Log out after minutes without a call').fill('90');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Company settings are saved.').waitFor();
    const { body } = await hotdesk().api('/api/v1/company');
    expect(body).toMatchObject({
      ...{ hotDeskLicences: 25, idleLimitMinutes: 90, voicePortal: { number: '8500' } },
      ringOwnPhone: { commonArea: true, user: true },
    });
  });

  test('who may only read, and a person, change nothing here', async () => {
    const page = await open(hotdesk());
    await signIn(page, '/users');
    const json = { name: 'Rita Read', email: 'rita@example.com', role: 'readOnly' };
    const { body } = await hotdesk().api('/api/v1/accounts', { method: 'POST', json });
    const { token } = body.link;
    const password = 'seven-grey-harbours';
    await hotdesk().api('/api/v1/password', { method: 'POST', json: { token, password } });
    const other = await open(hotdesk());
    await other.goto('/users');
    await other.getByLabel('E-mail address').fill(json.email);
    await other.getByLabel('Password', { exact: true }).fill(password);
    await other.keyboard.press('Enter');
    await other.getByRole('navigation', { name: 'Main' }).waitFor();
    await other.getByText('Amelia Clarke').waitFor();
    await expect.poll(() => other.getByRole('link', { name: 'Add a person' }).count()).toBe(0);
    await other.goto('/company');
    await picture(other, 'company-read-only');
    await other.getByText('Only administrators can change these settings.').waitFor();
    await other.goto('/users/1001');
    await other.getByText('User licensing').waitFor();
    await expect.poll(() => other.getByRole('button', { name: /Edit|Remove/ }).count()).toBe(0);
  });
});

const PAGES = [
  ['users-actions', '/users', 'Amelia Clarke'],
  ['person-new', '/users/new', 'Give a one-time PIN'],
  ['person', '/users/1001', 'Remove person'],
  ['person-features', '/users/1001/features', 'Guest In keys'],
  ['import', '/users/import', 'Or paste the rows'],
  ['sites', '/sites', 'None to check'],
  ['site', '/sites/london', 'Who is told'],
  ['site-addresses', '/sites/london/addresses', 'Reception desk'],
  ['site-new', '/sites/new', 'Who is told'],
  ['company', '/company', 'Licences bought'],
] as const;
const LOOKS = [
  ['desk', 'light'],
  ['desk', 'dark'],
  ['tablet', 'light'],
  ['phone', 'light'],
  ['phone', 'dark'],
] as const satisfies readonly (readonly [Size, 'light' | 'dark'])[];

describe.each(LOOKS)('looks: %s, %s', (size, scheme) => {
  test('every page', { timeout: 120_000 }, async () => {
    await hotdesk().phone(PHONES.reception);
    const page = await open(hotdesk(), { size, scheme });
    const problems: string[] = [];
    const look = async (name: string): Promise<void> => {
      await page.waitForTimeout(150);
      await picture(page, `${name}-${size}-${scheme}`);
      problems.push(...(await accessibilityProblems(page)).map((problem) => `${name}: ${problem}`));
      const overflow = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
      if (Number(overflow) > 0) problems.push(`${name}: ${overflow} pixels too wide`);
    };
    await signIn(page);
    for (const [name, path, text] of PAGES) {
      await page.goto(path);
      await page.getByText(text, { exact: false }).first().waitFor();
      await look(name);
    }
    await page.goto('/users/import');
    await page.getByLabel('Or paste the rows').fill(BAD);
    await page.getByRole('button', { name: 'Check the table' }).click();
    await page.getByRole('radio', { name: 'All rows' }).check();
    await look('import-preview');
    await page.getByLabel('Leave out 2 rows', { exact: false }).check();
    await page.getByRole('button', { name: 'Import 3 people' }).click();
    await page.getByRole('button', { name: 'Give 2 one-time PINs' }).click();
    await page.getByText('2 of 2 PINs given').waitFor();
    await look('import-result');
    expect(problems).toEqual([]);
  });
});
