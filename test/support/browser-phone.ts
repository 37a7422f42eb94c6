import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Browser, chromium, type Page } from 'playwright-core';
import { build } from 'vite';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { passwordOf } from './demo.ts';
import { DOMAIN, type Hotdesk } from './hotdesk.ts';
import type { Call } from './phone-call.ts';
import { toneIn, tones } from './sound.ts';
import { eventually } from './wait.ts';

/** A phone in a real browser: sip.js as it is, Chromium's own WebRTC, a tone for a microphone and a meter for an ear. */

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
/** Chromium leaves out loopback, which is all the tests have. */
const FLAGS = [
  '--no-sandbox',
  '--allow-loopback-in-peer-connection',
  '--autoplay-policy=no-user-gesture-required',
  '--use-fake-device-for-media-stream',
  '--use-fake-ui-for-media-stream',
];
/** Hz of the tone a browser phone speaks with. */
export const BROWSER_TONE = 1000;

/** What the page is driven by; all of it is on `window.phone`. */
interface InPage {
  open(options: object): Promise<void>;
  register(): Promise<void>;
  call(user: string): Promise<void>;
  answer(): Promise<void>;
  digits(keys: string): Promise<void>;
  hold(on: boolean): Promise<void>;
  hangUp(): Promise<void>;
  listen(hz: number): { level: number; tone: number };
  connection(): string;
  readonly state: string;
  readonly ringing: boolean;
}

export class BrowserPhone {
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  register(): Promise<void> {
    return this.page.evaluate(() => window.phone.register());
  }

  /** Dials; resolves when the call is answered. */
  async call(user: string): Promise<void> {
    await this.page.evaluate((to) => window.phone.call(to), user);
    await this.until('an answer', (phone) => phone.state === 'Established');
  }

  /** Dials; resolves when the call is on its way. */
  async dial(user: string): Promise<void> {
    await this.page.evaluate((to) => window.phone.call(to), user);
  }

  async answer(): Promise<void> {
    await this.until('a call', (phone) => phone.ringing);
    await this.page.evaluate(() => window.phone.answer());
    await this.until('the call', (phone) => phone.state === 'Established');
  }

  digits(keys: string): Promise<void> {
    return this.page.evaluate((all) => window.phone.digits(all), keys);
  }

  hold(on: boolean): Promise<void> {
    return this.page.evaluate((it) => window.phone.hold(it), on);
  }

  hangUp(): Promise<void> {
    return this.page.evaluate(() => window.phone.hangUp());
  }

  /** Loudness (0–1) of what is heard now, and how much of it is a tone of `hz`. */
  listen(hz = 0): Promise<{ level: number; tone: number }> {
    return this.page.evaluate((tone) => window.phone.listen(tone), hz);
  }

  async hears(what: string, is: (heard: { level: number; tone: number }) => boolean, hz = 0): Promise<void> {
    await eventually(what, async () => is(await this.listen(hz)), 10_000);
  }

  state(): Promise<string> {
    return this.page.evaluate(() => window.phone.state);
  }

  async ended(): Promise<void> {
    await this.until('the end of the call', (phone) => phone.state === 'Terminated');
  }

  private async until(what: string, is: (phone: InPage) => boolean): Promise<void> {
    const done = this.page.waitForFunction(`(${is})(window.phone)`, undefined, {
      timeout: 10_000,
      polling: 50,
    });
    await done.catch(async (error) => {
      throw new Error(`never saw ${what}: ${await this.state()}: ${error}`);
    });
  }
}

/** A browser and another phone, both of whom speak with a tone, hear each other. */
export async function heardByBoth(browser: BrowserPhone, call: Call): Promise<void> {
  const { audio } = await call.media();
  audio?.say(tones(10_000, [440], -15));
  await browser.hears('the other side', ({ tone }) => tone > 0.8, 440);
  await eventually('the browser', () => toneIn(audio?.heard(), BROWSER_TONE) > 0.8, 8_000);
}

declare const window: { phone: InPage };

/** Browser phones for the tests of a file; `microphone` false: the page may not use one, and hides its addresses. */
export function useBrowserPhones(): (
  hotdesk: Hotdesk,
  host: string,
  options?: { readonly microphone?: boolean },
) => Promise<BrowserPhone> {
  let browser: Browser | undefined;
  let script = '';
  let pageServer: Server | undefined;
  const pages: Page[] = [];
  beforeAll(async () => {
    [browser, script, pageServer] = await Promise.all([
      chromium.launch({ executablePath: CHROMIUM, args: FLAGS }),
      bundled(),
      servePage(),
    ]);
  });
  afterEach(async () => {
    for (const page of pages.splice(0)) {
      await page.evaluate(() => window.phone.hangUp()).catch(() => undefined);
      await page.context().close();
    }
  });
  afterAll(async () => {
    await browser?.close();
    pageServer?.close();
  });
  return async ({ sip }, host, { microphone = true } = {}) => {
    if (!browser || !pageServer || !sip.ws) throw new Error('no browser, or no WebSocket');
    const page = await browser.newPage();
    pages.push(page);
    const { port } = pageServer.address() as AddressInfo;
    await page.goto(`http://127.0.0.1:${port}/`);
    await page.evaluate(script);
    const server = `ws://${sip.ws.host}:${sip.ws.port}`;
    const options = { server, domain: DOMAIN, user: host, password: passwordOf(host), microphone };
    await page.evaluate((all) => window.phone.open({ ...all, hz: 1000 }), options);
    return new BrowserPhone(page);
  };
}

/** An empty page of this machine's: from anywhere else a browser would not connect to it. */
async function servePage(): Promise<Server> {
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html');
    response.end('<!doctype html><title>phone</title>');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

async function bundled(): Promise<string> {
  const result = await build({
    configFile: false,
    logLevel: 'silent',
    build: {
      write: false,
      minify: false,
      lib: {
        entry: new URL('./browser-phone-page.ts', import.meta.url).pathname,
        formats: ['iife'],
        name: 'page',
      },
    },
  });
  const output = (Array.isArray(result) ? result[0] : result) as { output: { code?: string }[] };
  return `${output.output[0]?.code};0`;
}
