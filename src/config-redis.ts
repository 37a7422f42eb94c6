import { isIP } from 'node:net';
import { z } from 'zod';
import { about, filled, flag, HOST_NAME, text, whole } from './config-words.ts';

const nodeAddress = () =>
  text('a host and a port such as 10.0.0.1:6379', (value) => {
    const [, bracketed, plain, digits] = /^(?:\[(.+)\]|([^:]+)):(\d{1,5})$/.exec(value) ?? [];
    const known =
      bracketed === undefined
        ? isIP(plain ?? '') === 4 || HOST_NAME.test(plain ?? '')
        : isIP(bracketed) === 6;
    return known && Number(digits) >= 1 && Number(digits) <= 65_535;
  });
const nodeAddresses = () =>
  z
    .array(nodeAddress(), { error: 'expected a list of addresses' })
    .min(1, { error: 'expected at least one address' })
    .max(50, { error: 'expected at most 50 addresses' });

const redisLogin = {
  username: z.exactOptional(filled()).meta(about('User name for Redis (ACL).')),
  password: z.exactOptional(filled()).meta(about('Password for Redis.')),
  tls: flag().default(false).meta(about('Speak TLS.')),
};

const sentinel = z.strictObject({
  name: filled().meta(about('Name of the master that the sentinels watch.')),
  addresses: nodeAddresses().meta(about('host:port of the sentinels.')),
  sentinelPassword: z.exactOptional(filled()).meta(about('Password for the sentinels themselves.')),
  ...redisLogin,
});

const SENTINEL_EXAMPLE = {
  name: 'hotdesk',
  addresses: ['10.0.0.1:26379', '10.0.0.2:26379', '10.0.0.3:26379'],
};

const cluster = z.strictObject({
  addresses: nodeAddresses().meta(about('host:port of some nodes; they name the others.')),
  ...redisLogin,
});

const CLUSTER_EXAMPLE = { addresses: ['10.0.0.1:6379', '10.0.0.2:6379', '10.0.0.3:6379'] };

/** Where state is kept. */
export const redis = z.strictObject({
  url: z
    .exactOptional(
      text(
        'a URL such as redis://127.0.0.1:6379/0',
        (value) => /^rediss?:\/\/\S+$/.test(value) && URL.canParse(value),
      ),
    )
    .meta(
      about('Redis 7 to use. Absent: a private redis-server in the data folder.', 'redis://127.0.0.1:6379/0'),
    ),
  sentinel: z
    .exactOptional(sentinel)
    .meta(about('A master with replicas, watched by sentinels, instead of a url.', SENTINEL_EXAMPLE)),
  cluster: z
    .exactOptional(cluster)
    .meta(about('A Redis Cluster, instead of a url. Two replicas per master.', CLUSTER_EXAMPLE)),
  waitForReplicas: whole(0, 10)
    .default(0)
    .meta(
      about(
        'Replicas that must have a login before it is acknowledged (WAIT). At least 1 with sentinel or cluster.',
      ),
    ),
  acceptWeakDurability: flag()
    .default(false)
    .meta(about('Take logins although Redis does not write each one to disk (appendfsync always).')),
});
