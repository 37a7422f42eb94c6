import type { Locator, Page } from 'playwright-core';
import type { Person } from './demo.ts';
import { eventually } from './wait.ts';

/** The page of the phone in the browser, as somebody uses it. */

/** Makes a microphone of Chromium's own that says something, and allows it. */
export const FAKE_MEDIA = ['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'];
/** Where a server listens for such phones. */
export const LISTEN = (['udp', 'tcp', 'ws'] as const).map((protocol) => ({
  ...{ protocol, host: '127.0.0.1', port: 0 },
}));

/** Keeps connections, so that tests can ask what was heard. */
const KEEP = `
  window.peers = [];
  window.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(...args) { super(...args); window.peers.push(this); }
  };
  window.sockets = [];
  window.WebSocket = class extends WebSocket {
    constructor(...args) { super(...args); window.sockets.push(this); }
  };`;
const HEARD = `(async () => {
  let energy = 0;
  for (const peer of window.peers)
    for (const stat of (await peer.getStats()).values())
      if (stat.type === 'inbound-rtp' && stat.kind === 'audio') energy += stat.totalAudioEnergy ?? 0;
  return energy;
})()`;

/** Takes a phone, in the page, and waits until it is ready. */
export async function plugIn(page: Page, name: string): Promise<void> {
  await page.addInitScript(KEEP);
  await page.goto('/phone');
  await page.getByRole('radio', { name }).check();
  await page.getByRole('button', { name: 'Plug in' }).click();
  await ready(page);
}

export async function ready(page: Page): Promise<void> {
  await page.locator('.vvx-dot.registered').waitFor({ timeout: 15_000 });
}

export function key(page: Page, name: string): Locator {
  return page.getByRole('button', { name, exact: true });
}

/** One of the four below the screen. */
export function softKey(page: Page, name: string): Locator {
  return page.locator('.vvx-soft-keys').getByRole('button', { name, exact: true });
}

/** What a reader of the screen is told. */
export async function says(page: Page, text: string | RegExp): Promise<void> {
  await page
    .locator('.vvx [role=status]')
    .filter({ hasText: text })
    .waitFor({ state: 'attached', timeout: 12_000 });
}

export async function type(page: Page, text: string): Promise<void> {
  for (const digit of text) await page.keyboard.press(digit);
}

/** From now on the keyboard is the phone's. */
export async function toThePhone(page: Page): Promise<void> {
  await page.evaluate('document.getElementById("phone-set").focus()');
}

/** Types a number, and sends it. */
export async function dial(page: Page, number: string): Promise<void> {
  await toThePhone(page);
  await type(page, number);
  await softKey(page, 'Dial').click();
}

export async function logIn(page: Page, { extension, pin }: Person): Promise<void> {
  await key(page, 'Login').click();
  await says(page, /Connected: Login/);
  await type(page, `${extension}#`);
  await type(page, `${pin}#`);
  await says(page, new RegExp(`^${extension} `));
}

/** Energy of all that was heard so far. */
export async function heard(page: Page): Promise<number> {
  return Number(await page.evaluate(HEARD));
}

/** Something new. */
export async function hears(page: Page, what: string, since = 0): Promise<void> {
  await eventually(what, async () => (await heard(page)) - since > 0.000_1, 10_000);
}
