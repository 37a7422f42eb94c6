import { BlockList, isIP } from 'node:net';

/** Where webhooks may go. A URL an administrator types must not reach what only this server can reach. */
export interface WebhookTargets {
  /** Why this URL cannot be a webhook's, in words for an administrator; undefined: it can, as far as its text goes. */
  refuseUrl(url: string): string | undefined;
  /** Why this IP address must not be connected to; undefined: it may. */
  refuseAddress(address: string): string | undefined;
}

export interface WebhookTargetOptions {
  /** Take `http:` too. */
  readonly allowInsecure: boolean;
  /** Addresses and networks (CIDR) that are fine although they are special. */
  readonly allowedNetworks: readonly string[];
}

const MAX_URL = 2_000;

/** IPv4 networks that are not the public internet (IANA special-purpose address registry, RFC 6890), and multicast. */
const SPECIAL_V4 = [
  ['0.0.0.0/8', 'this network'],
  ['10.0.0.0/8', 'a private network'],
  ['100.64.0.0/10', 'a carrier’s shared network'],
  ['127.0.0.0/8', 'this machine (loopback)'],
  ['169.254.0.0/16', 'a link-local network'],
  ['172.16.0.0/12', 'a private network'],
  ['192.0.0.0/24', 'a special network'],
  ['192.0.2.0/24', 'a documentation network'],
  ['192.88.99.0/24', 'a special network'],
  ['192.168.0.0/16', 'a private network'],
  ['198.18.0.0/15', 'a benchmarking network'],
  ['198.51.100.0/24', 'a documentation network'],
  ['203.0.113.0/24', 'a documentation network'],
  ['224.0.0.0/4', 'multicast'],
  ['240.0.0.0/4', 'a reserved network'],
] as const;

/** IPv6: only 2000::/3 is the public internet, without these. */
const SPECIAL_V6 = [
  ['::1/128', 'this machine (loopback)'],
  ['fc00::/7', 'a private network'],
  ['fe80::/10', 'a link-local network'],
  ['ff00::/8', 'multicast'],
  ['2001::/23', 'a special network'],
  ['2001:db8::/32', 'a documentation network'],
  ['2002::/16', 'a special network'],
  ['3fff::/20', 'a documentation network'],
] as const;

const special = [...SPECIAL_V4, ...SPECIAL_V6].map(([network, words]) => ({
  words,
  list: listOf([network]),
}));
const publicV6 = listOf(['2000::/3']);

/** The rules of the configuration. @throws TypeError for a network that is none */
export function createWebhookTargets({
  allowInsecure,
  allowedNetworks,
}: WebhookTargetOptions): WebhookTargets {
  const allowed = listOf(allowedNetworks);
  const refuseAddress = (address: string): string | undefined => {
    const ip = plain(address);
    if (isIP(ip) === 0) return 'that is no IP address';
    if (isIn(allowed, ip)) return undefined;
    const words = special.find(({ list }) => isIn(list, ip))?.words;
    if (words === undefined && (isIP(ip) === 4 || isIn(publicV6, ip))) return undefined;
    return `${ip} is ${words ?? 'a special network'}, which webhooks.allowedNetworks does not allow`;
  };
  return { refuseAddress, refuseUrl: (text) => refuseUrl(text, { allowInsecure, refuseAddress }) };
}

/** IP address of a URL's host when it is one, without brackets; `localhost` is 127.0.0.1 (RFC 6761 6.3). */
export function addressOf(url: URL): string | undefined {
  const host = url.hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
  if (/(^|\.)localhost$/i.test(host)) return '127.0.0.1';
  return isIP(host) > 0 ? host : undefined;
}

function refuseUrl(
  text: string,
  rules: { readonly allowInsecure: boolean; refuseAddress(address: string): string | undefined },
): string | undefined {
  if (text.length > MAX_URL) return `the URL has more than ${MAX_URL} characters`;
  if (!URL.canParse(text)) return 'that is no URL';
  const url = new URL(text);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return 'the URL must begin with https://';
  if (url.protocol === 'http:' && !rules.allowInsecure) {
    return 'the URL must begin with https://, because webhooks.allowInsecure is not set';
  }
  if (url.username !== '' || url.password !== '') return 'the URL must not hold a user name or password';
  const address = addressOf(url);
  return address === undefined ? undefined : rules.refuseAddress(address);
}

/** Without zone; an IPv4 address written as IPv6 (RFC 4291 2.5.5.2) as what it is. */
function plain(address: string): string {
  const [ip = ''] = address.split('%');
  const mapped =
    isIP(ip) === 6 ? /^\[::ffff:([0-9a-f]+):([0-9a-f]+)\]$/.exec(new URL(`http://[${ip}]`).hostname) : null;
  if (!mapped) return ip;
  const [high = 0, low = 0] = mapped.slice(1).map((part) => Number.parseInt(part, 16));
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}

function listOf(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', bits] = network.split('/');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  return list;
}

function isIn(list: BlockList, ip: string): boolean {
  return list.check(ip, isIP(ip) === 6 ? 'ipv6' : 'ipv4');
}
