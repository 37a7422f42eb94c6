import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { PEOPLE, PHONES } from '../support/demo.ts';
import { type Hotdesk, startHotdesk } from '../support/hotdesk.ts';
import { dial, FAKE_MEDIA, key, LISTEN, plugIn, ready, says, softKey } from '../support/phone-page.ts';
import { useChromium } from '../support/portal.ts';
import { eventually } from '../support/wait.ts';

/** What browsers do to phones: tabs, reloads, sleep, addresses that are wrong. */

const open = useChromium(FAKE_MEDIA);
const { first, second } = PEOPLE;
let hotdesk: Hotdesk;

beforeAll(async () => {
  hotdesk = await startHotdesk({ demo: true, settings: { sip: { listen: LISTEN } } });
});
afterEach(() => hotdesk.tidy());
afterAll(() => hotdesk?.stop());

async function amelia(): Promise<Page> {
  const page = await open(hotdesk);
  await plugIn(page, 'Reception desk');
  await hotdesk.seat(first.extension, PHONES.reception);
  await says(page, '1001 Amelia Clarke');
  return page;
}

/** Somebody calls; the page rings, and they give up. */
async function rings(page: Page): Promise<void> {
  const oliver = await hotdesk.phone(PHONES.own);
  const call = await oliver.call(first.extension);
  await says(page, 'Incoming call: Oliver');
  await call.cancel();
  await says(page, 'Missed call: Oliver');
}

test('one phone in two tabs: the later one has it, calls of the other go on, and it can be taken back', async () => {
  const page = await amelia();
  const oliver = await hotdesk.phone(PHONES.own);
  await dial(page, second.extension);
  const call = await oliver.nextCall();
  await call.accept();
  await says(page, /^Connected/);
  const other = await page.context().newPage();
  await plugIn(other, 'Reception desk');
  await says(page, /^Connected/);
  await call.hangUp();
  await says(page, 'This phone is in use in another tab');
  await rings(other);
  await softKey(page, 'Use it here').click();
  await ready(page);
  await says(other, 'This phone is in use in another tab');
  await rings(page);
  await dial(other, '999');
  const psap = await hotdesk.trunks.emergency.nextCall();
  await psap.accept();
  await says(other, /Connected: 999/);
  await psap.hangUp();
});

test('loaded again in a call: the other side is told, and the phone is there again', async () => {
  const page = await amelia();
  page.on('dialog', (dialog) => void dialog.accept());
  const oliver = await hotdesk.phone(PHONES.own);
  await dial(page, second.extension);
  const call = await oliver.nextCall();
  await call.accept();
  await says(page, /^Connected/);
  await page.reload();
  expect(await call.ended).toMatchObject({ by: 'them' });
  await ready(page);
  await says(page, '1001 Amelia Clarke');
  await rings(page);
});

test('after a sleep, when nobody is behind the connection any more, it rings again', async () => {
  const page = await amelia();
  await page.evaluate(`
    const socket = window.sockets.at(-1);
    socket.send = () => undefined;
    socket.addEventListener('message', (event) => event.stopImmediatePropagation(), true);`);
  await page.context().setOffline(true);
  await page.context().setOffline(false);
  await eventually(
    'another connection',
    async () => Number(await page.evaluate('window.sockets.length')) > 1,
    15_000,
  );
  await ready(page);
  await rings(page);
});

test('an address nobody answers at: it says which', async () => {
  const page = await open(hotdesk);
  // It speaks another language than the server does: the browser says no more of it than of a certificate it does not trust.
  await page.addInitScript(`
    window.WebSocket = class extends WebSocket {
      constructor(url) { super(url, 'nonsense'); }
    };`);
  await page.goto('/phone');
  await key(page, 'Plug in').click();
  await says(page, 'No answer from ws://127.0.0.1:');
});
