import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { PEOPLE, PHONES } from '../support/demo.ts';
import { type Hotdesk, startHotdesk } from '../support/hotdesk.ts';
import { HotelingPhone, optIn, responseTo } from '../support/hoteling-phone.ts';
import { startTcpRedis } from '../support/tcp-redis.ts';
import { eventually } from '../support/wait.ts';

/** In a file of its own: a drachtio-server would deal the phone's requests out to any other Hotdesk as well. */

const { first } = PEOPLE;
const NOBODY = '<guestAddress/>';
const THERE = /^<guestAddress>1001<\/guestAddress><expires>\d+<\/expires>$/;

/** A drachtio-server lives on when Hotdesk ends. */
const OUTLIVED = process.env.DRACHTIO_HOST !== undefined;

if (OUTLIVED)
  test(
    'a restart beside a drachtio-server: the phone is told on; a SUBSCRIBE of its dialog gets 481, from the server',
    besideADrachtioServer,
  );
else test('a restart in the midst: the subscription goes on, the challenge does not', withTheEngine);

/** A phone that has subscribed at a Hotdesk, and what the next one starts with. */
async function subscribed() {
  const kept = { redis: await startTcpRedis(), data: await mkdtemp(join(tmpdir(), 'hotdesk-hoteling-')) };
  const before = await startHotdesk(kept);
  const desk = await HotelingPhone.plugIn(PHONES.reception, before.sip.udp);
  await optIn(before, first);
  await desk.subscribe();
  await desk.told();
  async function tidy(after: Hotdesk): Promise<void> {
    await desk.unplug();
    await after.stop();
    await kept.redis.stop();
    await rm(kept.data, { recursive: true, force: true });
  }
  return { before, desk, kept, tidy };
}

async function besideADrachtioServer(): Promise<void> {
  const { before, desk, kept, tidy } = await subscribed();
  await before.stop();

  const after = await startHotdesk(kept);
  await after.seat('1001', PHONES.reception);
  await eventually('the guest', async () => THERE.test(await desk.told(15_000)), 15_000);
  expect((await desk.subscribe()).status).toBe(481);
  // As RFC 6665 4.1.2.2 has it.
  desk.startAnew();
  expect((await desk.subscribe()).status).toBe(200);
  expect(await desk.told()).toMatch(THERE);
  await after.api(`/api/v1/hosts/${PHONES.reception}/association`, { method: 'DELETE' });
  await eventually('nobody', async () => (await desk.told()) === NOBODY);
  await tidy(after);
}

async function withTheEngine(): Promise<void> {
  const { before, desk, kept, tidy } = await subscribed();
  const nonce = await desk.challenge('1001');
  await before.stop();

  const listen = [
    { protocol: 'udp', ...before.sip.udp },
    { protocol: 'tcp', ...before.sip.tcp },
  ];
  const after = await startHotdesk({ ...kept, settings: { sip: { listen } } });
  await desk.answer('1001', nonce, responseTo(nonce, first.pin));
  expect(await desk.told(8_000)).toBe(NOBODY);
  await after.seat('1001', PHONES.reception);
  await eventually('the guest', async () => THERE.test(await desk.told()), 5_000);
  await after.api(`/api/v1/hosts/${PHONES.reception}/association`, { method: 'DELETE' });
  expect(await desk.told()).toBe(NOBODY);
  expect(await desk.guestIn('1001', first.pin)).toMatch(THERE);
  expect(desk.order).toEqual([...desk.order].sort((a, b) => a - b));
  await tidy(after);
}
