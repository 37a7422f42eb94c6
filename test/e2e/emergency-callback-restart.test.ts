import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { calledBack, helpFor, joined } from '../support/callback.ts';
import { PEOPLE, PHONES } from '../support/demo.ts';
import { ADMIN_TOKEN, type Hotdesk, startHotdesk } from '../support/hotdesk.ts';
import { startTcpRedis } from '../support/tcp-redis.ts';
import { eventually } from '../support/wait.ts';

/** In a file of its own: a drachtio-server would deal calls out to any other Hotdesk as well. */

const { first } = PEOPLE;
const { reception, window } = PHONES;
const SITE = '+442079460100';

describe('with a Hotdesk of its own', () => {
  let own: Hotdesk | undefined;

  afterEach(async () => {
    await own?.stop();
    own = undefined;
  });

  test('the desk rings after a restart', async () => {
    const redis = await startTcpRedis();
    try {
      own = await startHotdesk({ redis });
      const number = await helpFor(await own.phone(reception), own);
      await eventually(
        'the record in the store',
        async () => (await redis.client().hlen('hd:{demo}:em')) === 1,
      );
      await own.stop();
      own = await startHotdesk({ redis });
      const phone = await own.phone(reception);
      await calledBack(phone, number, own.trunks.main);
      await own.stop();
      own = undefined;
    } finally {
      await redis.stop();
    }
  });

  test('the desk rings after a crash, by a node that never saw its store, on what the disk had', async () => {
    const [data, left] = await Promise.all([1, 2].map(() => mkdtemp(join(tmpdir(), 'hotdesk-callback-'))));
    if (data === undefined || left === undefined) throw new Error('no folder');
    const redis = await startTcpRedis();
    const before = await startHotdesk({ redis, data });
    try {
      await before.seat(first.extension, reception);
      const phone = await before.phone(reception);
      const number = await helpFor(phone, before);
      const kept = async (): Promise<string> =>
        readFile(join(data, 'emergency.json'), 'utf8').catch(() => '');
      await eventually('the phone on disk', async () => (await kept()).includes('["phones"'), 8_000);
      // As kill -9 would leave it: what comes after this moment is lost.
      await cp(data, left, { recursive: true, filter: (path) => !path.endsWith('.sock') });
      await redis.kill9();
      await before.stopServer();
      phone.wire.trace.length = 0;
      const listen = (['udp', 'tcp'] as const).map((protocol) => ({ protocol, ...before.sip[protocol] }));
      own = await startHotdesk({ redis, data: left, settings: { sip: { listen } } });
      await calledBack(phone, number, own.trunks.emergency);
      await calledBack(phone, number, own.trunks.main);
    } finally {
      await before.stop();
      await own?.stop();
      own = undefined;
      await redis.stop();
      for (const folder of [data, left]) await rm(folder, { recursive: true, force: true });
    }
  }, 60_000);

  test('of desks that share a number the latest rings first, then the others with it', async () => {
    own = await startHotdesk();
    await shareNumber(own);
    const [desk, later, third] = [
      await own.phone(reception),
      await own.phone(window),
      await own.phone('u1002'),
    ];
    expect(await helpFor(desk, own)).toBe(SITE);
    expect(await helpFor(later, own)).toBe(SITE);
    const back = await own.trunks.main.call(SITE);
    await (await later.nextCall()).ring();
    await sleep(500);
    expect([desk, third].flatMap((phone) => phone.received('INVITE'))).toEqual([]);
    // Its site wants the others after one second.
    const ringing = await desk.nextCall(2_000);
    await ringing.ring();
    expect(third.received('INVITE')).toEqual([]);
    const last = await third.nextCall(2_000);
    await joined(back, last);
    await eventually('the others stop ringing', () => later.received('CANCEL').length > 0);
    // It has rung all the time.
    expect(new Set(later.received('INVITE').map((invite) => invite.header('Call-ID'))).size).toBe(1);
  });
});

/** Three desks of London with nothing but the number of the site. */
async function shareNumber({ http }: Hotdesk): Promise<void> {
  const demo = await readFile('config/demo.yaml', 'utf8');
  const shared = demo
    .replace(/^ {4}callbackNumber: "\+442079460(111|112|114)"\n/gm, '')
    .replace(/^( {4}callbackNumber: "\+442079460100")\n/m, '$1\n    callbackOthersAfter: 1\n');
  const answer = await fetch(`${http}/api/v1/directory`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/yaml' },
    body: shared,
  });
  if (!answer.ok) throw new Error(await answer.text());
}
