import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Caller, UK_FORMS } from '../../support/emergency-load.ts';
import { DESKS, EmergencyWalk } from '../../support/emergency-walk.ts';
import { type Hotdesk, startHotdesk } from '../../support/hotdesk.ts';
import { userOf } from '../../support/sip-text.ts';
import { startTcpRedis } from '../../support/tcp-redis.ts';

/**
 * Design section 7: in whatever state, after any prefix, an emergency call reaches a trunk with the desk's number. Longer
 * with HOTDESK_STATES_SECONDS, again with HOTDESK_SEED.
 */

const SEED = Number(process.env.HOTDESK_SEED ?? Math.floor(Math.random() * 2 ** 31));
const SECONDS = Number(process.env.HOTDESK_STATES_SECONDS ?? 40);
const LIMIT_MS = 250;
/** ms since the INVITE, and how many of a hundred may take longer. */
const SHARE = 0.99;

test(`a walk through random states, seed ${SEED}`, { timeout: SECONDS * 1000 + 90_000 }, async () => {
  const hotdesk = await startHotdesk({ trunkTimeout: 1 });
  try {
    const { calls, times, problems, slow, visited } = await new EmergencyWalk(hotdesk, SEED).walk(SECONDS);
    const p99 = percentile(times);
    console.info(
      `seed ${SEED}: ${calls} emergency calls, p99 ${p99} ms; ${JSON.stringify({ visited, slow })}`,
    );
    expect(problems, `HOTDESK_SEED=${SEED}`).toEqual([]);
    expect(calls).toBeGreaterThan(10);
    expect(p99, `HOTDESK_SEED=${SEED}`).toBeLessThanOrEqual(LIMIT_MS);
  } finally {
    await hotdesk.stop();
  }
});

test('a node that starts without its store sends the right number, from its own disk', async () => {
  const data = await mkdtemp(join(tmpdir(), 'hotdesk-cold-'));
  const redis = await startTcpRedis();
  try {
    await (await startHotdesk({ redis, data })).stop();
    await redis.kill9();
    const hotdesk = await startHotdesk({ redis, data });
    try {
      for (const desk of DESKS) await reaches(hotdesk, desk.host, desk.callback);
    } finally {
      await hotdesk.stop();
    }
  } finally {
    await redis.stop();
    await rm(data, { recursive: true, force: true });
  }
});

test('a node whose store was never there, and that knows nothing', async () => {
  const redis = await startTcpRedis();
  await redis.kill9();
  const hotdesk = await startHotdesk({ redis });
  try {
    for (const uri of UK_FORMS) await reaches(hotdesk, DESKS[0].host, '', uri);
  } finally {
    await hotdesk.stop();
    await redis.stop();
  }
});

test('while the server stops', async () => {
  const hotdesk = await startHotdesk();
  const caller = await new Caller(hotdesk.sip.udp).open();
  const { emergency, main } = hotdesk.trunks;
  emergency.onCall((call) => void sleep(300).then(() => call.accept()));
  main.onCall((call) => void call.accept());
  // A call that is up keeps the server waiting for its end.
  await hotdesk.seat('1001', DESKS[0].host);
  const phone = await hotdesk.phone(DESKS[0].host);
  await (await phone.call('01632960500')).answered;
  const stopping = hotdesk.stopServer();
  try {
    await sleep(200);
    expect((await caller.place({ uri: 'sip:999@hotdesk.example', from: DESKS[1].host })).status).toBe(200);
  } finally {
    await stopping;
    await hotdesk.stop();
    caller.close();
  }
});

/** The call reaches the emergency trunk as this desk's, and is answered. */
async function reaches(
  hotdesk: Hotdesk,
  from: string,
  callback: string,
  uri = 'sip:999@hotdesk.example',
): Promise<void> {
  const { emergency } = hotdesk.trunks;
  emergency.onCall((call) => void call.accept());
  emergency.wire.trace.length = 0;
  const caller = await new Caller(hotdesk.sip.udp).open();
  const { status } = await caller.place({ uri, from });
  caller.close();
  const [invite] = emergency.received('INVITE');
  expect([status, userOf(invite?.header('P-Asserted-Identity') ?? '')], uri).toEqual([200, callback]);
}

function percentile(times: readonly number[]): number {
  const sorted = times.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * SHARE))] ?? Number.NaN;
}
