import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { type Config, ENVIRONMENT, exposedAddresses, loadConfig, readConfig } from '../../src/config.ts';
import { exampleYaml } from '../../src/config-example.ts';

function configOf(file: string | undefined, env: Record<string, string> = {}): Config {
  const loaded = loadConfig(env, file);
  if ('problems' in loaded) throw new Error(loaded.problems.join('\n'));
  return loaded.config;
}

function problemsOf(file: string | undefined, env: Record<string, string> = {}): readonly string[] {
  const loaded = loadConfig(env, file);
  return 'problems' in loaded ? loaded.problems : [];
}

describe('defaults', () => {
  test('no file: the demo, all of it on loopback', () => {
    const config = configOf(undefined);
    expect(config).toMatchObject({ company: 'demo', demo: true, directory: 'config/demo.yaml' });
    expect(config.sip.drachtio).toBeUndefined();
    expect(config.redis.url).toBeUndefined();
    expect([...config.sip.listen.map(({ host }) => host), config.http.host, config.media.address]).toEqual(
      Array(5).fill('127.0.0.1'),
    );
  });

  test('an empty file: no demo, no directory', () => {
    expect(configOf('')).toMatchObject({ demo: false });
    expect(configOf('').directory).toBeUndefined();
  });

  test('webhooks reach the public internet by https only; in the demo also this machine', () => {
    expect(configOf('').webhooks).toEqual({ allowInsecure: false, allowedNetworks: [] });
    expect(configOf(undefined).webhooks).toEqual({
      allowInsecure: true,
      allowedNetworks: ['127.0.0.0/8', '::1/128'],
    });
    expect(configOf('').audit).toEqual({ retentionDays: 400 });
  });
});

describe('config/hotdesk.example.yaml', () => {
  test('is what the schema writes (npm run config:example)', async () => {
    const file = new URL('../../config/hotdesk.example.yaml', import.meta.url);
    expect(await readFile(file, 'utf8')).toBe(exampleYaml());
  });

  test('says the defaults', () => {
    expect(configOf(exampleYaml())).toEqual(configOf(''));
  });

  test('is right where its settings without default are taken in', () => {
    const hex = 'ab'.repeat(32);
    const file = exampleYaml()
      .replace('trunks: []', '')
      .replace('(64 hexadecimal digits)', hex)
      .replace(
        /^( *)# (trunks:| {2}- \{|drachtio:|externalAddress:|prompts:|adminToken:|url:|pepper:|directory:)/gm,
        '$1$2',
      );
    const config = configOf(file);
    expect(config.sip.trunks.map(({ name }) => name)).toEqual(['main', 'emergency']);
    expect(config).toMatchObject({
      pepper: hex,
      directory: 'config/demo.yaml',
      sip: { drachtio: { port: 9022 } },
      http: { adminToken: 'at-least-16-characters' },
      redis: { url: 'redis://127.0.0.1:6379/0' },
    });
  });
});

test.each(['sentinel', 'cluster'])('the example of redis.%s is right', (place) => {
  const config = configOf(exampleYaml().replace(new RegExp(`# (${place}:)`), '$1'));
  expect(config.redis[place as 'sentinel' | 'cluster']).toMatchObject({ tls: false });
});

describe('bad values name their path and are never changed', () => {
  test.each([
    [
      'sip: { listen: [{ protocol: udp, host: 127.0.0.1, port: 70000 }] }',
      'sip.listen.0.port: expected a whole number from 0 to 65535',
    ],
    [
      'sip: { listen: [{ protocol: udp, host: 127.0.0.1, port: "5060" }] }',
      'sip.listen.0.port: expected a whole number from 0 to 65535',
    ],
    [
      'sip: { listen: [{ protocol: udp, host: 127.0.0.1 }] }',
      'sip.listen.0.port: expected a whole number from 0 to 65535',
    ],
    [
      'sip: { listen: [{ protocol: sctp, host: 127.0.0.1, port: 1 }] }',
      'sip.listen.0.protocol: expected one of udp, tcp, ws',
    ],
    [
      'sip: { listen: [{ protocol: udp, host: localhost, port: 1 }] }',
      'sip.listen.0.host: expected an IP address',
    ],
    [
      'sip: { listen: [{ protocol: udp, host: 127.0.0.1, port: 1, origins: ["*"] }] }',
      'sip.listen.0.origins: expected only with protocol ws',
    ],
    [
      'sip: { listen: [{ protocol: ws, host: 127.0.0.1, port: 1, origins: ["https://a.example/phone"] }] }',
      'sip.listen.0.origins.0: expected an origin such as https://phones.example, null, or *',
    ],
    ['sip: { listen: [] }', 'sip.listen: expected at least one listening address'],
    ['sip: { lisen: [] }', 'sip.lisen: unknown setting'],
    ['spi: {}', 'spi: unknown setting'],
    ['__proto__: { demo: true }', '__proto__: unknown setting'],
    ['sip:', 'sip: expected a group of settings'],
    ['sip: 5', 'sip: expected a group of settings'],
    ['- demo', 'the file: expected a group of settings'],
    ['http: { port: 80.5 }', 'http.port: expected a whole number from 0 to 65535'],
    [
      'http: { adminToken: short }',
      'http.adminToken: expected at least 16 characters of A-Z a-z 0-9 - . _ ~ + / =',
    ],
    ['demo: yes', 'demo: expected true or false'],
    ['company: Big Company', 'company: expected a name of a-z, 0-9 and -'],
    ['pepper: abcd', 'pepper: expected 64 or more hexadecimal digits'],
    ['pepperId: a:b', 'pepperId: expected a name of A-Z, a-z, 0-9, - and _'],
    [
      'olderPeppers: [{ id: p0, pepper: abcd }]',
      'olderPeppers.0.pepper: expected 64 or more hexadecimal digits',
    ],
    [
      `olderPeppers: [{ id: p1, pepper: "${'ab'.repeat(32)}" }]`,
      'olderPeppers.0.id: expected a name no other pepper has',
    ],
    [
      `olderPeppers: [{ id: a, pepper: "${'ab'.repeat(32)}" }, { id: a, pepper: "${'cd'.repeat(32)}" }]`,
      'olderPeppers.1.id: expected a name no other pepper has',
    ],
    ['redis: { url: http://x }', 'redis.url: expected a URL such as redis://127.0.0.1:6379/0'],
    ['redis: { cluster: { addresses: [] } }', 'redis.cluster.addresses: expected at least one address'],
    [
      'redis: { cluster: { addresses: ["10.0.0.1"] } }',
      'redis.cluster.addresses.0: expected a host and a port such as 10.0.0.1:6379',
    ],
    [
      'redis: { cluster: { addresses: ["::1:6379"] } }',
      'redis.cluster.addresses.0: expected a host and a port such as 10.0.0.1:6379',
    ],
    [
      'redis: { cluster: { addresses: ["10.0.0.1:65536"] } }',
      'redis.cluster.addresses.0: expected a host and a port such as 10.0.0.1:6379',
    ],
    ['redis: { sentinel: { addresses: ["a:1"] } }', 'redis.sentinel.name: expected some text'],
    ['redis: { sentinel: { name: a, addresses: ["a:1"], url: b } }', 'redis.sentinel.url: unknown setting'],
    [
      'redis: { url: "redis://a", cluster: { addresses: ["a:1"] } }',
      'redis.cluster: expected only one of url, sentinel and cluster; there is url already',
    ],
    [
      'redis: { sentinel: { name: a, addresses: ["a:1"] }, cluster: { addresses: ["a:1"] } }',
      'redis.cluster: expected only one of url, sentinel and cluster; there is sentinel already',
    ],
    [
      'sip: { trunks: [{ name: a, uri: "sip:192.0.2.1", addresses: [10.0.0.0/33] }] }',
      'sip.trunks.0.addresses.0: expected an IP address or a network such as 192.0.2.0/24',
    ],
    [
      'sip: { trunks: [{ name: a, uri: "tel:1" }] }',
      'sip.trunks.0.uri: expected a SIP URI such as sip:192.0.2.1:5060;transport=udp',
    ],
    [
      'sip: { trunks: [{ name: a, uri: "sip:a" }, { name: a, uri: "sip:b" }] }',
      'sip.trunks.1.name: expected a name no other trunk has',
    ],
    [
      'sip: { registration: { maxExpires: 600 } }',
      'sip.registration.defaultExpires: expected a number between minExpires and maxExpires',
    ],
    [
      'sip: { registration: { minExpires: 7200 } }',
      'sip.registration.minExpires: expected no more than maxExpires',
    ],
    [
      'webhooks: { allowedNetworks: [10.0.0.0/33] }',
      'webhooks.allowedNetworks.0: expected an IP address or a network such as 192.0.2.0/24',
    ],
    ['webhooks: { allowInsecure: 1 }', 'webhooks.allowInsecure: expected true or false'],
    ['audit: { retentionDays: 0 }', 'audit.retentionDays: expected a whole number from 1 to 3650'],
    ['media: { ports: { from: 40000 } }', 'media.ports.to: expected more than from'],
    ['demo: true\ndemo: false', 'line 2, column 1: not valid YAML (duplicate key)'],
  ])('%s', (file, problem) => {
    expect(problemsOf(file)).toContain(problem);
  });

  test('all problems at once', () => {
    expect(problemsOf('company: "!"\nhttp: { port: x }\nnope: 1')).toHaveLength(3);
  });

  test('no problem repeats a value, which may be a secret', () => {
    const secret = 'hunter2 secret';
    const files = [
      `pepper: ${secret}`,
      `http: { adminToken: ${secret} }`,
      `sip: { drachtio: { secret: [${secret}] } }`,
    ];
    const broken = [
      `pepper: "${secret}`,
      `pepper: {${secret}: ]`,
      `redis: { url: "${secret}" }`,
      `redis: { cluster: { addresses: ["${secret}"], password: "${secret}" } }`,
      `redis: { sentinel: { name: a, addresses: [], sentinelPassword: ["${secret}"] } }`,
      `pepper: *${secret}`,
    ];
    for (const file of [...files, ...broken]) {
      expect(problemsOf(file).length, file).toBeGreaterThan(0);
      expect(problemsOf(file).join()).not.toContain('hunter2');
    }
  });
});

describe('environment', () => {
  test('every variable of the table reaches its setting and wins over the file', () => {
    const values: Record<string, string> = {
      HOTDESK_DATA: '/tmp/data',
      HOTDESK_PEPPER: 'cd'.repeat(32),
      HOTDESK_ADMIN_TOKEN: 'a-token-of-the-environment',
      HOTDESK_OIDC_SECRET: 'secret-of-the-client',
      REDIS_URL: 'redis://redis:6379',
      DRACHTIO_HOST: 'drachtio',
      DRACHTIO_PORT: '9023',
      DRACHTIO_SECRET: 'shared',
      LOG_LEVEL: 'debug',
    };
    const http = 'http: { publicUrl: https://x.example, oidc: { issuer: https://y.example, clientId: z } }';
    const config = configOf(`data: elsewhere\nlog: { level: warn }\n${http}`, values);
    for (const [name, { path }] of Object.entries(ENVIRONMENT)) {
      if (path === undefined) continue;
      const value = path
        .split('.')
        .reduce<unknown>((tree, key) => (tree as Record<string, unknown>)[key], config);
      expect(String(value), name).toBe(values[name]);
    }
  });

  test('DRACHTIO_HOST alone is enough', () => {
    expect(configOf(undefined, { DRACHTIO_HOST: '127.0.0.1' }).sip.drachtio).toEqual({
      host: '127.0.0.1',
      port: 9022,
      secret: 'cymru',
    });
  });

  test('a bad one is named, with its setting', () => {
    expect(problemsOf('', { DRACHTIO_HOST: 'a', DRACHTIO_PORT: 'x' })).toEqual([
      'DRACHTIO_PORT (sip.drachtio.port): expected a whole number from 1 to 65535',
    ]);
    expect(problemsOf('', { LOG_LEVEL: 'loud' })[0]).toMatch(/^LOG_LEVEL \(log.level\): expected one of/);
  });

  test('an empty one counts as not set, an unknown one is nobody else’s business', () => {
    expect(configOf('', { REDIS_URL: '', HOTDESK_NONSENSE: 'x' })).toEqual(configOf(''));
  });

  test('a file in the way of one is still refused', () => {
    expect(problemsOf('redis: 5', { REDIS_URL: 'redis://x' })).toEqual([
      'redis: expected a group of settings',
    ]);
  });
});

describe('demo passwords stay off public addresses', () => {
  const listen = (host: string, more = '') =>
    `sip: { listen: [{ protocol: udp, host: "${host}", port: 5060${more} }] }`;

  test.each(['127.0.0.1', '10.1.2.3', '192.168.1.9', '172.31.0.1', '::1', 'fd00::1'])('%s may', (host) => {
    expect(problemsOf(`demo: true\n${listen(host)}`)).toEqual([]);
  });

  test.each(['0.0.0.0', '::', '203.0.113.5', '172.32.0.1', '2001:db8::1'])('%s may not', (host) => {
    const [problem] = problemsOf(`demo: true\n${listen(host)}`);
    expect(problem).toMatch(/^sip\.listen\.0\.host: demo: true has well-known passwords/);
    expect(exposedAddresses(configOf(listen(host)))).toEqual([{ path: ['sip', 'listen', 0, 'host'], host }]);
  });

  test('nor a public name or address told to peers, nor the API', () => {
    const file = `demo: true\n${listen('10.0.0.1', ', externalHost: sip.example.com')}\nhttp: { host: 0.0.0.0 }`;
    expect(problemsOf(file).map((problem) => problem.split(':')[0])).toEqual([
      'sip.listen.0.externalHost',
      'http.host',
    ]);
  });
});

test('readConfig reads the file HOTDESK_CONFIG names, and says when it cannot', async () => {
  const path = new URL('../../config/hotdesk.example.yaml', import.meta.url).pathname;
  expect(await readConfig({ HOTDESK_CONFIG: path })).toEqual({ config: configOf('') });
  expect(await readConfig({ HOTDESK_CONFIG: '/nowhere.yaml' })).toEqual({
    problems: ['/nowhere.yaml: cannot be read (ENOENT)'],
  });
  expect(await readConfig({})).toEqual({ config: configOf(undefined) });
});
