import { BlockList, isIP } from 'node:net';
import { z } from 'zod';
import { catalogue } from './config-catalogue.ts';
import { http } from './config-http.ts';
import { listenAddress, unreachableTrunks, wrongOrigins } from './config-listen.ts';
import { redis } from './config-redis.ts';
import { SMTP_EXAMPLE, smtp } from './config-smtp.ts';
import { TRUNK_EXAMPLE, trunk } from './config-trunks.ts';
import { lacksWebSocket, webPhone } from './config-web-phone.ts';
import {
  about,
  address,
  filled,
  flag,
  hostOrAddress,
  network,
  oneOf,
  port,
  seconds,
  text,
  whole,
} from './config-words.ts';

/** Networks nobody reaches from the internet: loopback, private and link-local (RFC 1918, 4193, 3927, 4291). */
const PRIVATE_NETWORKS = [
  '127.0.0.0/8',
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '169.254.0.0/16',
  '::1/128',
  'fc00::/7',
  'fe80::/10',
];

// --- sip

const drachtio = z.strictObject({
  host: hostOrAddress().meta(about('Host of the drachtio-server.', '127.0.0.1')),
  port: whole(1, 65_535).default(9022).meta(about('Its application port.')),
  secret: filled().default('cymru').meta(about("Its shared secret; the default is drachtio-server's own.")),
});

const DRACHTIO_EXAMPLE = { host: '127.0.0.1', port: 9022, secret: 'cymru' };

const registration = z.strictObject({
  minExpires: seconds(1, 86_400).default(60).meta(about('Seconds; a shorter wish gets 423 (RFC 3261 10.3).')),
  maxExpires: seconds(1, 604_800).default(3600).meta(about('Seconds; a longer wish gets this.')),
  defaultExpires: seconds(1, 604_800).default(3600).meta(about('Seconds, when the phone names none.')),
  maxContacts: whole(1, 100).default(5).meta(about('Contacts one phone may bind at a time.')),
});

const sip = z.strictObject({
  domain: hostOrAddress().default('hotdesk.example').meta(about('SIP domain and digest realm.')),
  listen: z
    .array(listenAddress, { error: 'expected a list of listening addresses' })
    .min(1, { error: 'expected at least one listening address' })
    .default([
      { protocol: 'udp', host: '127.0.0.1', port: 5060 },
      { protocol: 'tcp', host: '127.0.0.1', port: 5060 },
    ])
    .meta(about('Where the embedded engine listens. A drachtio-server has addresses of its own.')),
  drachtio: z
    .exactOptional(drachtio)
    .meta(about('A drachtio-server to use. Absent: the embedded SIP engine.', DRACHTIO_EXAMPLE)),
  registration: registration.prefault({}).meta(about('How long phones stay registered.')),
  digests: z
    .array(oneOf('MD5', 'SHA-256'), { error: 'expected a list of MD5 and SHA-256' })
    .min(1, { error: 'expected at least one digest' })
    .default(['MD5', 'SHA-256'])
    .meta(
      about(
        'Digests offered to phones, first to last (RFC 8760). Many phones stop at a first they do not know.',
      ),
    ),
  nonceLifetime: seconds(5, 3600).default(30).meta(about('Seconds a digest nonce stays good.')),
  phoneNetworks: z
    .exactOptional(z.array(network(), { error: 'expected a list of addresses and networks' }))
    .meta(
      about(
        'Networks emergency calls are taken from; from elsewhere 403. Absent: private ones, and where phones register from.',
        ['192.0.2.0/24'],
      ),
    ),
  emergencyCallsPerSource: whole(10, 10_000)
    .default(200)
    .meta(about('Emergency calls one address may have up at once. A registered desk is never limited.')),
  trunks: z
    .array(trunk, { error: 'expected a list of trunks' })
    .default([])
    .meta(about('Ways out, tried in this order; a site may name its first.', TRUNK_EXAMPLE)),
  trunkProbe: seconds(0, 3600)
    .default(30)
    .meta(
      about(
        'Seconds between two OPTIONS to each trunk; one that does not answer is tried last. 0: none is sent.',
      ),
    ),
});

// --- the rest

const media = z.strictObject({
  address: address().default('127.0.0.1').meta(about('Address to bind for prompts and digits.')),
  externalAddress: z
    .exactOptional(address())
    .meta(about('Address to write into SDP when it differs.', '192.0.2.10')),
  ports: z
    .strictObject({
      from: whole(1024, 65_534).default(36_000).meta(about('First port.')),
      to: whole(1025, 65_535).default(37_000).meta(about('Last port.')),
    })
    .prefault({})
    .meta(about('UDP ports, inclusive; one even port per call.')),
  prompts: z
    .exactOptional(filled())
    .meta(
      about(
        'Folder laid over the shipped prompts file by file, one folder per language.',
        '/etc/hotdesk/prompts',
      ),
    ),
  language: text('a language tag such as en-GB', /^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$/)
    .default('en-GB')
    .meta(about('Language of the prompts: the name of their folder.')),
  srtp: oneOf('off', 'optional', 'required').default('optional').meta(about('SRTP by SDES (RFC 4568).')),
  webrtc: z
    .exactOptional(oneOf('off', 'on'))
    .meta(
      about(
        'Audio with browsers (ICE lite, DTLS-SRTP). Absent: on with a ws in sip.listen, a webPhone.url, or a phone in the browser beside a drachtio-server. Candidates show externalAddress.',
        'on',
      ),
    ),
  silentAfter: seconds(5, 3600).default(30).meta(about('Seconds without audio before a menu gives up.')),
  latch: oneOf('strict', 'latch')
    .default('strict')
    .meta(about('Whose media is believed: the SDP or signalling address, or also the first address heard.')),
  inband: oneOf('auto', 'never')
    .default('auto')
    .meta(about('Listen for tones where no telephone-event is offered.')),
});

const pepper = () => text('64 or more hexadecimal digits', /^([0-9a-f]{2}){32,}$/i);
const pepperId = () => text('a name of A-Z, a-z, 0-9, - and _', /^[A-Za-z0-9_-]{1,32}$/);

const olderPepper = z.strictObject({
  id: pepperId().meta(about('What pepperId was with it.')),
  pepper: pepper().meta(about('The pepper, hexadecimal.')),
});

const webhooks = z.strictObject({
  allowInsecure: flag().default(false).meta(about('Take webhook URLs with http:// too.')),
  allowedNetworks: z
    .array(network(), { error: 'expected a list of addresses and networks' })
    .default([])
    .meta(about('Private and other special networks that webhooks may reach all the same.')),
});

const audit = z.strictObject({
  retentionDays: whole(1, 3650).default(400).meta(about('Days the log of who sat where is kept.')),
});

const settings = z.strictObject({
  company: text('a name of a-z, 0-9 and -', /^[a-z0-9-]+$/)
    .default('demo')
    .meta(about('Company id, of a-z, 0-9 and -; part of every Redis key.')),
  data: filled()
    .default('data')
    .meta(
      about(
        'Folder for the private Redis, the pepper and the admin token; relative to where the process starts.',
      ),
    ),
  directory: z
    .exactOptional(filled())
    .meta(
      about('YAML file of sites, users and hosts, imported when the store is empty.', 'config/demo.yaml'),
    ),
  pepper: z
    .exactOptional(pepper())
    .meta(
      about(
        'Secret mixed into every passcode hash, hexadecimal. Absent: one is made and kept in the data folder.',
        '(64 hexadecimal digits)',
      ),
    ),
  pepperId: pepperId()
    .default('p1')
    .meta(about('Name of that pepper, stored with what is made with it. A new pepper needs a new name.')),
  olderPeppers: z
    .array(olderPepper, { error: 'expected a list of older peppers' })
    .max(8, { error: 'expected at most 8 older peppers' })
    .default([])
    .meta(about('Earlier peppers. PINs hashed with them stay good, and are hashed anew at the next login.')),
  demo: flag()
    .default(false)
    .meta(about('Built-in far end for outside and emergency calls. No configuration file at all: true.')),
  demoTrunk: z
    .strictObject({
      host: address().default('127.0.0.1').meta(about('Address to bind.')),
      port: port().default(5070).meta(about('Port to bind.')),
    })
    .prefault({})
    .meta(about('Where that far end listens; used only with demo: true.')),
  sip: sip.prefault({}).meta(about('Phones and trunks.')),
  phones: z
    .strictObject({
      update: oneOf('none', 'check-sync')
        .default('check-sync')
        .meta(
          about('How a phone learns that it has to show something else: by a NOTIFY check-sync, or not.'),
        ),
      updateSpacing: seconds(0, 3600)
        .default(10)
        .meta(
          about('Seconds at least between two such NOTIFYs to one phone; the last change is always told.'),
        ),
      messageSummary: oneOf('unsolicited', 'subscribed', 'off')
        .default('unsolicited')
        .meta(about('Message lamps (RFC 3842): of all phones, of those that subscribe, or none.')),
    })
    .prefault({})
    .meta(about('What phones are told when somebody logs in or out.')),
  media: media
    .prefault({})
    .meta(about('Prompts and digits. The audio of calls flows between the phones, not through here.')),
  http: http.prefault({}).meta(about('Admin API, health.')),
  webPhone: webPhone.prefault({}).meta(about('A phone in the browser.')),
  redis: redis.prefault({}).meta(about('State.')),
  smtp: z
    .exactOptional(smtp)
    .meta(about('Mail server that tells people of emergency calls. Absent: no mail.', SMTP_EXAMPLE)),
  webhooks: webhooks.prefault({}).meta(about('Where changes may be told over HTTP.')),
  audit: audit.prefault({}).meta(about('Log of changes.')),
  catalogue: catalogue.prefault({}).meta(about('Price list of phones; the prices are examples.')),
  log: z
    .strictObject({
      level: oneOf('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent')
        .default('info')
        .meta(about('Least serious level written.')),
      pretty: oneOf('auto', 'always', 'never')
        .default('auto')
        .meta(about('Text for people instead of JSON; auto: on a terminal.')),
    })
    .prefault({})
    .meta(about('Log, on standard output.')),
});

/** The whole configuration: every setting, and the rules between settings. */
export const configSchema = settings.superRefine((config, context) => {
  const problem = (path: (string | number)[], message: string) =>
    context.addIssue({ code: 'custom', path, message });
  const { minExpires, defaultExpires, maxExpires } = config.sip.registration;
  if (minExpires > maxExpires)
    problem(['sip', 'registration', 'minExpires'], 'expected no more than maxExpires');
  if (defaultExpires < minExpires || defaultExpires > maxExpires) {
    problem(['sip', 'registration', 'defaultExpires'], 'expected a number between minExpires and maxExpires');
  }
  for (const index of wrongOrigins(config.sip.listen))
    problem(['sip', 'listen', index, 'origins'], 'expected only with protocol ws');
  for (const index of config.sip.drachtio ? [] : unreachableTrunks(config.sip.trunks, config.sip.listen))
    problem(['sip', 'trunks', index, 'uri'], 'expected transport udp or tcp, and the same in sip.listen');
  if (lacksWebSocket(config))
    problem(['webPhone', 'enabled'], 'expected a ws in sip.listen, or webPhone.url');
  if (config.media.ports.from >= config.media.ports.to)
    problem(['media', 'ports', 'to'], 'expected more than from');
  if (config.http.oidc !== undefined && config.http.publicUrl === undefined)
    problem(['http', 'publicUrl'], 'expected with oidc: the identity provider sends browsers there');
  for (const [index, { name }] of config.sip.trunks.entries()) {
    const first = config.sip.trunks.findIndex((other) => other.name === name);
    if (first !== index) problem(['sip', 'trunks', index, 'name'], 'expected a name no other trunk has');
  }
  const places = (['url', 'sentinel', 'cluster'] as const).filter(
    (place) => config.redis[place] !== undefined,
  );
  for (const place of places.slice(1))
    problem(
      ['redis', place],
      `expected only one of url, sentinel and cluster; there is ${places[0]} already`,
    );
  const pepperIds = [config.pepperId, ...config.olderPeppers.map(({ id }) => id)];
  for (const [index, id] of pepperIds.entries()) {
    if (pepperIds.indexOf(id) !== index)
      problem(['olderPeppers', index - 1, 'id'], 'expected a name no other pepper has');
  }
  if (!config.demo) return;
  for (const { path } of exposedAddresses(config)) {
    problem(path, 'demo: true has well-known passwords, so only loopback and private addresses may be used');
  }
});

/** Every setting, checked; what was not written has its default. Durations are seconds. */
export type Config = z.output<typeof settings>;

/** The schema as JSON Schema, for the example file and the README's table. */
export function configJsonSchema(): z.core.JSONSchema.BaseSchema {
  return z.toJSONSchema(settings, { io: 'input' });
}

const localNetworks = new BlockList();
for (const entry of PRIVATE_NETWORKS) {
  const [net = '', bits = '0'] = entry.split('/');
  localNetworks.addSubnet(net, Number(bits), isIP(net) === 6 ? 'ipv6' : 'ipv4');
}

function isLocal(host: string): boolean {
  if (isIP(host) === 0) return /(^|\.)localhost$/i.test(host);
  return localNetworks.check(host, isIP(host) === 6 ? 'ipv6' : 'ipv4');
}

/**
 * Addresses strangers may reach: neither loopback nor private. All-interfaces counts, and so does a name, because
 * nobody can say what is behind it. Demo passwords must not be served there.
 */
export function exposedAddresses(config: Config): { path: (string | number)[]; host: string }[] {
  const all = config.sip.listen.flatMap(({ host, externalHost }, index) => [
    { path: ['sip', 'listen', index, 'host'], host },
    ...(externalHost === undefined
      ? []
      : [{ path: ['sip', 'listen', index, 'externalHost'], host: externalHost }]),
  ]);
  all.push({ path: ['http', 'host'], host: config.http.host });
  all.push({ path: ['demoTrunk', 'host'], host: config.demoTrunk.host });
  return all.filter(({ host }) => !isLocal(host));
}
