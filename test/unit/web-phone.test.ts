import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/config.ts';
import { expectsBrowsers } from '../../src/config-web-phone.ts';
import type { Directory } from '../../src/domain/directory.ts';
import { digestSecrets } from '../../src/services/digest-secrets.ts';
import { WebPhones } from '../../src/services/web-phones.ts';
import { createWebPhones } from '../../src/wiring/web-phones.ts';
import { directory, host, site, user } from './domain/example.ts';
import { expectProblem, request, world } from './http-world.ts';

const DOMAIN = 'hotdesk.example';
const URL = 'ws://127.0.0.1:5066/';

function withPassword(id: string, password: string) {
  return host(id, { digest: digestSecrets(id, DOMAIN, password) });
}

const plan = { isEmergency: (digits: string) => ['112', '999'].includes(digits) };

const office = directory({
  users: [user('1002', { name: 'Bob' }), user('1001', { name: 'Ann' })],
  hosts: [withPassword('cp2', 'demo-cp2'), withPassword('cp1', 'demo-cp1'), withPassword('cp3', 'changed')],
});

describe('browsers are expected, and audio with them is on,', () => {
  const drachtio = { host: '127.0.0.1', port: 9022, secret: 'x' };
  const socket = (protocol: string) => [{ protocol, host: '127.0.0.1', port: 5066 }];

  test.each<[string, { sip?: object; webPhone?: object; demo?: boolean }, boolean]>([
    ['with a WebSocket of the embedded engine', { sip: { listen: socket('ws') } }, true],
    ['with a WebSocket elsewhere', { webPhone: { url: 'wss://sip.example.com/' } }, true],
    [
      'beside a drachtio-server, if the phone is on',
      { sip: { drachtio }, webPhone: { enabled: 'always' } },
      true,
    ],
    ['there in the demo', { sip: { drachtio }, demo: true }, true],
    ['and not where it is off', { sip: { drachtio } }, false],
    ['or has nothing to connect to', {}, false],
  ])('%s', (_what, { sip, ...settings }, expected) => {
    const base = { sip: { domain: DOMAIN, listen: socket('udp'), ...sip }, ...settings };
    const loaded = loadConfig({}, JSON.stringify(base));
    expect(loaded).not.toHaveProperty('problems');
    expect('config' in loaded && expectsBrowsers(loaded.config)).toBe(expected);
  });
});

describe('what a phone in a browser is told', () => {
  const options = { view: { directory: office }, url: URL, domain: DOMAIN, plan, demo: true };

  test('in the demo: its phones with the passwords everybody can read, but for those that were changed', () => {
    const { demo } = new WebPhones(options).about() ?? {};
    expect(demo?.phones.map(({ host: { id }, password }) => [id, password])).toEqual([
      ['cp1', 'demo-cp1'],
      ['cp2', 'demo-cp2'],
    ]);
    expect(demo?.people).toEqual([
      { extension: '1001', name: 'Ann' },
      { extension: '1002', name: 'Bob' },
    ]);
  });

  test('what time it is where each of them stands', () => {
    const sites = new Map([['london', site('london', { timeZone: 'Asia/Kolkata' })]]);
    const { company, users, hosts } = office;
    const view = { directory: { company, users, hosts, sites } as Partial<Directory> as Directory };
    const { demo } = new WebPhones({ ...options, view }).about() ?? {};
    expect(demo?.phones.map(({ timeZone }) => timeZone)).toEqual(['Asia/Kolkata', 'Asia/Kolkata']);
  });

  test('no names where no phone has such a password', () => {
    const view = { directory: directory({ users: [user('1001')], hosts: [withPassword('cp1', 'changed')] }) };
    expect(new WebPhones({ ...options, view }).about()?.demo).toEqual({ phones: [], people: [] });
  });

  test('outside the demo: where to connect, and nobody’s password or name', () => {
    const about = new WebPhones({ ...options, demo: false }).about();
    expect(about).toMatchObject({ url: URL, domain: DOMAIN, demo: undefined });
    expect(JSON.stringify(about)).not.toMatch(/Ann|cp1/);
  });

  test('which numbers are emergency calls, as they are dialled at any of the sites', () => {
    const leeds = site('leeds', { outsideLinePrefix: '9', emergencyNumbers: ['2222'] });
    const sites = new Map([site('hq'), leeds].map((one) => [one.id, one]));
    const { company, hosts, users } = office;
    const directory: Partial<Directory> = { company, hosts, users, sites };
    const view = { directory: directory as Directory };
    const { emergencyNumbers } = new WebPhones({ ...options, view }).about() ?? {};
    expect(emergencyNumbers).toEqual(['112', '999', '2222', '9112', '9999', '92222']);
  });

  test('nothing where it is switched off, or nothing is known yet', () => {
    expect(new WebPhones({ ...options, url: undefined }).about()).toBeUndefined();
    expect(new WebPhones({ ...options, view: { directory: undefined } }).about()).toBeUndefined();
  });

  test('no more than a page can show', () => {
    const ids = Array.from({ length: 80 }, (_, index) => `cp${index + 100}`);
    const hosts = ids.map((id) => withPassword(id, `demo-${id}`));
    const about = new WebPhones({ ...options, view: { directory: directory({ hosts }) } }).about();
    expect(about?.demo?.phones).toHaveLength(50);
  });
});

describe('where it connects', () => {
  const listening = [
    { protocol: 'udp', host: '127.0.0.1', port: 5060 },
    { protocol: 'ws', host: '0.0.0.0', port: 5065 },
    { protocol: 'ws', host: '::1', port: 5066 },
  ];
  const urlWith = (settings: string, sip = listening): string | undefined => {
    const loaded = loadConfig({}, settings);
    if ('problems' in loaded) throw new Error(loaded.problems.join());
    const running = { config: loaded.config, problem: () => undefined } as never;
    return createWebPhones(running, { view: { directory: office } as never, sip }).url;
  };

  test('in the demo the first WebSocket a browser can be told of; otherwise nowhere', () => {
    expect(urlWith('demo: true')).toBe('ws://[::1]:5066/');
    expect(urlWith('company: demo')).toBeUndefined();
    expect(urlWith('demo: true', listening.slice(0, 2))).toBeUndefined();
  });

  test('as configured', () => {
    expect(urlWith('{ demo: true, webPhone: { enabled: never } }')).toBeUndefined();
    expect(urlWith('webPhone: { enabled: always, url: "wss://sip.example.com/" }')).toBe(
      'wss://sip.example.com/',
    );
    // An address alone switches nothing on.
    expect(urlWith('webPhone: { url: "wss://sip.example.com/" }')).toBeUndefined();
  });

  test.each([
    ['webPhone: { enabled: always }', 'webPhone.enabled: expected a ws in sip.listen, or webPhone.url'],
    ['webPhone: { url: "https://sip.example.com/" }', 'webPhone.url: expected a URL'],
    ['webPhone: { url: "wss://a:b@sip.example.com/" }', 'webPhone.url: expected a URL'],
    // It stands in the page's policy.
    [`webPhone: { url: "wss://sip.example.com/; script-src *" }`, 'webPhone.url: expected a URL'],
  ])('%s', (settings, problem) => {
    const loaded = loadConfig({}, settings);
    expect('problems' in loaded ? loaded.problems.join() : '').toContain(problem);
  });

  test('with no configuration at all the demo listens for it on loopback', () => {
    const loaded = loadConfig({}, undefined);
    if ('problems' in loaded) throw new Error(loaded.problems.join());
    const { listen } = loaded.config.sip;
    expect(listen.find(({ protocol }) => protocol === 'ws')).toMatchObject({ host: '127.0.0.1' });
    expect(listen.map(({ origins }) => origins)).toEqual([undefined, undefined, undefined]);
  });
});

describe('GET /api/v1/web-phone', () => {
  test('to whoever asks, without a token', async () => {
    world.webPhone = new WebPhones({
      ...{ view: { directory: office }, url: URL, domain: DOMAIN, plan, demo: true },
    }).about();
    const { status, json } = await request('GET', '/api/v1/web-phone', { token: '' });
    expect(status).toBe(200);
    expect(json).toMatchObject({ url: URL, domain: DOMAIN });
    expect(Object.keys(json.demo.phones[0]).sort()).toEqual([
      ...['id', 'kind', 'model', 'nickname', 'owner', 'password', 'timeZone'],
    ]);
  });

  test('404 where it is switched off', async () => {
    expectProblem(await request('GET', '/api/v1/web-phone', { token: '' }), 404);
  });
});
