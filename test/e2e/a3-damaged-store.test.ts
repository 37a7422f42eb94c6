import { appendFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createManagedRedis } from '../../src/store/managed-redis.ts';
import { PHONES } from '../support/demo.ts';
import { type Hotdesk, startHotdesk } from '../support/hotdesk.ts';
import { startTcpRedis } from '../support/tcp-redis.ts';

/** Design section 7: an emergency call always goes out, also when the private Redis cannot read its file. */

let data: string;
let hotdesk: Hotdesk | undefined;

beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), 'hotdesk-damaged-'));
});
afterEach(async () => {
  await hotdesk?.stop();
  hotdesk = undefined;
  await rm(data, { recursive: true, force: true });
});

test('a Hotdesk whose store is damaged starts, is not ready, says how to mend it, and puts 999 through', async () => {
  await damagedStore(join(data, 'redis'));
  hotdesk = await startHotdesk({ data, settings: { redis: { url: undefined } } });
  expect((await hotdesk.api('/readyz')).status).toBe(503);

  const manifest = join(data, 'redis', 'appendonlydir', 'appendonly.aof.manifest');
  const errors = hotdesk.log.lines.map((line) => JSON.parse(line)).filter(({ level }) => level === 'error');
  expect(errors.map(({ msg }) => msg)).toEqual([
    expect.stringMatching(
      new RegExp(`Bad file format.*redis-check-aof --fix ${manifest}\\. Then start Hotdesk`),
    ),
  ]);

  const phone = await hotdesk.unregistered(PHONES.reception);
  const call = await phone.call('999');
  const psap = await hotdesk.trunks.emergency.nextCall();
  await psap.accept();
  await call.answered;
  await call.hears(psap);
  await call.hangUp();
});

test('a folder another Hotdesk uses is no reason to go on without a store', async () => {
  const redis = await startTcpRedis();
  const other = createManagedRedis({ folder: join(data, 'redis') });
  await other.start();
  try {
    const start = startHotdesk({ data, redis, settings: { redis: { url: undefined } } });
    await expect(start).rejects.toThrow('Another Hotdesk already uses this data folder');
  } finally {
    await other.stop();
    await redis.stop();
  }
});

async function damagedStore(folder: string): Promise<void> {
  const redis = createManagedRedis({ folder });
  await redis.start();
  await redis.stop();
  await appendFile(join(folder, 'appendonlydir', 'appendonly.aof.1.incr.aof'), Buffer.alloc(4096));
}
