import { Redis } from 'ioredis';
import { digestSecrets } from '../../src/services/digest-secrets.ts';

/** A directory of any size, written straight into a Redis: what an import would leave there. */

const HASH = `p1:$argon2id$v=19$m=19456,t=2,p=1$${'A'.repeat(22)}$${'A'.repeat(43)}`;
const BATCH = 5_000;

const COMPANY = {
  id: 'bench',
  name: 'Bench',
  country: 'GB',
  hotDeskLicences: 1_000_000,
  addOnLicences: { host: 0, guest: 1_000_000 },
};
const SITE = { id: 'london', name: 'London', timeZone: 'Europe/London', callbackNumber: '+442079460100' };
const DIGEST = digestSecrets('x', 'bench.example', 'x');
const ADDRESS = {
  ...{ customerName: 'Bench', houseNumber: '10', street: 'Example Street', city: 'London' },
  ...{ postcode: 'EC1A 1AA', country: 'GB', floor: '1', room: 'Window desks' },
};

export const extensionOf = (i: number): string => String(10_000_000 + i);
export const hostOf = (i: number): string => `cp${i.toString(16).padStart(12, '0')}`;

function user(i: number): object {
  const number = `+4420${String(10_000_000 + i)}`;
  const rest = { hotDeskLicence: true, addOns: ['guest'], passcodeHash: HASH, email: `p${i}@example.com` };
  return {
    extension: extensionOf(i),
    name: `Person ${i}`,
    site: 'london',
    numbers: [number],
    callerId: number,
    ...rest,
  };
}

function host(i: number): object {
  const id = hostOf(i);
  const rest = { model: 'VVX 411', mac: id.slice(2), digest: DIGEST, address: ADDRESS };
  return { id, kind: 'commonArea', nickname: `Desk ${i}`, site: 'london', ...rest };
}

/** Writes `users` people and a phone for every second of them. Resolves with the bytes Redis holds then. */
export async function fillDirectory(path: string, company: string, users: number): Promise<number> {
  const redis = new Redis({ path, protocol: 2 });
  const key = `hd:{${company}}:dir`;
  const entry = (name: string, value: object): string[] => [name, JSON.stringify(value)];
  await redis.hset(key, ...entry('company', { ...COMPANY, id: company }), ...entry('site:london', SITE));
  for (let from = 0; from < users; from += BATCH) {
    const fields: string[] = [];
    for (let i = from; i < Math.min(from + BATCH, users); i++) {
      fields.push(...entry(`user:${extensionOf(i)}`, user(i)));
      if (i % 2 === 0) fields.push(...entry(`host:${hostOf(i)}`, host(i)));
    }
    await redis.hset(key, ...fields);
  }
  const used = /used_memory:(\d+)/.exec(await redis.info('memory'))?.[1];
  redis.disconnect();
  return Number(used);
}
