import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import type { EmergencyRecord } from '../../src/domain/emergency-record.ts';
import { createRedisStore } from '../../src/store/redis/redis-store.ts';
import { calledBack, helpFor, joined } from '../support/callback.ts';
import { PEOPLE, PHONES } from '../support/demo.ts';
import type { Hotdesk } from '../support/hotdesk.ts';
import { endedByServer } from '../support/log-in.ts';
import type { Phone } from '../support/phone.ts';
import type { IncomingCall, OutgoingCall } from '../support/phone-call.ts';
import { useHotdesk } from '../support/suite.ts';
import type { TcpRedis } from '../support/tcp-redis.ts';
import { eventually } from '../support/wait.ts';

/** Design section 7: after an emergency call the callback number rings that desk, whatever else is true. */

const hotdesk = useHotdesk({ trunkTimeout: 1 });
const { first, second, leeds } = PEOPLE;
const { reception, window } = PHONES;
/** Leeds' own number; no other test in this file calls for help from there. */
const LEEDS_DESK = '+441134960113';

afterEach(async () => {
  await hotdesk().redis.thaw();
});

/** Calls for help from a phone; the number a PSAP would call back. */
function callForHelp(phone: Phone): Promise<string> {
  return helpFor(phone, hotdesk());
}

/** Somebody calls back and this phone, and no other, answers. */
function reaches(phone: Phone, number: string, trunk: Phone = hotdesk().trunks.main): Promise<void> {
  return calledBack(phone, number, trunk);
}

async function refused(number: string, trunk: Phone = hotdesk().trunks.main): Promise<void> {
  const back = await trunk.call(number, { extraHeaders: ['Priority: psap-callback'] });
  back.answered.catch(() => undefined);
  expect(await back.ended).toMatchObject({ by: 'them', status: 404 });
}

type Change = (desk: Hotdesk, phone: Phone) => Promise<unknown>;

const SINCE_THEN: Record<string, Change> = {
  'nothing has happened': async () => undefined,
  'the guest has logged out': async (desk, phone) => {
    const call = await phone.call('*91');
    await call.heard('logged-out-as');
    await endedByServer(call);
    await desk.expectGuest(reception, undefined);
  },
  'an administrator has released the desk': async (desk) => {
    await desk.api(`/api/v1/hosts/${reception}/association`, { method: 'DELETE' });
    await desk.expectGuest(reception, undefined);
  },
  'somebody else has the desk': async (desk) => {
    await desk.api(`/api/v1/hosts/${reception}/association`, { method: 'DELETE' });
    await desk.expectGuest(reception, undefined);
    await desk.seat(leeds.extension, reception);
  },
  'the guest is at another desk': async (desk) => {
    await desk.phone(window);
    await desk.seat(first.extension, window);
    await desk.expectGuest(reception, undefined);
  },
  'the store is gone': (desk) => desk.redis.kill9(),
  'the store does not answer': async (desk) => desk.redis.freeze(),
};

describe.each(['main', 'emergency'] as const)('a call back by the %s trunk rings the desk', (name) => {
  test.each(Object.entries(SINCE_THEN))('when %s', async (what, change) => {
    await hotdesk().seat(first.extension, reception);
    const phone = await hotdesk().phone(reception);
    const number = await callForHelp(phone);
    await change(hotdesk(), phone);
    try {
      await reaches(phone, number, hotdesk().trunks[name]);
    } finally {
      if (what === 'the store is gone') await hotdesk().redis.restart();
      await hotdesk().redis.thaw();
      await storeIsThere();
    }
  });

  test('when the phone has registered anew, from another port', async () => {
    const phone = await hotdesk().phone(reception);
    const number = await callForHelp(phone);
    await phone.unregister();
    const again = await hotdesk().phone(reception);
    await reaches(again, number, hotdesk().trunks[name]);
  });
});

test('a call back is no call for the guest who has left: only the desk rings', async () => {
  await hotdesk().seat(first.extension, reception);
  const phone = await hotdesk().phone(reception);
  const elsewhere = await hotdesk().phone(window);
  const number = await callForHelp(phone);
  await hotdesk().seat(first.extension, window);
  await reaches(phone, number);
  expect(elsewhere.received('INVITE')).toEqual([]);
});

describe('who is believed', () => {
  test('without an open record the emergency trunk alone', async () => {
    const phone = await hotdesk().phone(PHONES.leeds);
    await refused(LEEDS_DESK);
    expect(phone.received('INVITE')).toEqual([]);
    await reaches(phone, LEEDS_DESK, hotdesk().trunks.emergency);
  });

  test('with one, any trunk, until its time is over', async () => {
    const phone = await hotdesk().phone(PHONES.leeds);
    await openRecord(hotdesk().redis, { host: PHONES.leeds, callbackNumber: LEEDS_DESK, openMs: 4_000 });
    const open = await eventually('the record', () => ringsAt(phone, LEEDS_DESK), 3_000);
    await joined(open.back, open.ringing);
    await sleep(4_000);
    phone.wire.trace.length = 0;
    await refused(LEEDS_DESK);
    expect(phone.received('INVITE')).toEqual([]);
  });

  test('a phone is not: who sits there calls out', async () => {
    const phone = await hotdesk().phone(reception);
    const number = await callForHelp(phone);
    const other = await hotdesk().phone(window);
    await hotdesk().seat(second.extension, window);
    const call = await other.call(number);
    const out = await hotdesk().trunks.main.nextCall();
    await out.reject(486);
    await expect(call.answered).rejects.toThrow();
    expect(phone.received('INVITE')).toEqual([]);
  });
});

test('nobody transfers a call back, and *91 does not end it', async () => {
  await hotdesk().seat(first.extension, reception);
  const phone = await hotdesk().phone(reception);
  const number = await callForHelp(phone);
  const back = await hotdesk().trunks.main.call(number);
  const ringing = await phone.nextCall();
  await ringing.accept();
  await back.answered;
  expect((await ringing.refer(leeds.extension)).status).toBe(603);
  await ringing.hold();
  expect(await back.remoteDirection()).not.toBe('sendrecv');
  await ringing.resume();
  const logOut = await phone.call('*91');
  await logOut.heard('logged-out-as');
  await endedByServer(logOut);
  await hotdesk().expectGuest(reception, undefined);
  await back.hears(ringing);
  await back.hangUp();
});

test('it is in the audit: placed, answered, called back', async () => {
  const from = new Date().toISOString();
  const phone = await hotdesk().phone(reception);
  await reaches(phone, await callForHelp(phone));
  const kinds = async (): Promise<string> => {
    const { body } = await hotdesk().api(`/api/v1/audit?${new URLSearchParams({ host: reception, from })}`);
    return body.entries.map(({ kind }: { kind: string }) => kind).join();
  };
  const wanted = 'emergency.called-back,emergency.answered,emergency.placed';
  await eventually('the audit', async () => (await kinds()) === wanted);
});

test('an administrator acknowledges it, once', async () => {
  const from = new Date().toISOString();
  await callForHelp(await hotdesk().phone(reception));
  const list = async () => (await hotdesk().api('/api/v1/emergencies')).body.emergencies;
  const [{ id, acknowledged }] = await eventually('the call in the list', async () => {
    const all = await list();
    return all[0]?.at >= from ? all : undefined;
  });
  expect(acknowledged).toBeNull();
  const path = `/api/v1/emergencies/${id}/acknowledgement`;
  const first_ = await hotdesk().api(path, { method: 'POST' });
  expect(first_).toMatchObject({ status: 200, body: { id, acknowledged: { by: 'admin:api' } } });
  const again = await hotdesk().api(path, { method: 'POST' });
  expect(again.body.acknowledged).toEqual(first_.body.acknowledged);
  expect((await list())[0].acknowledged).toEqual(first_.body.acknowledged);
  const query = new URLSearchParams({ host: reception, from });
  const { body } = await hotdesk().api(`/api/v1/audit?${query}`);
  const kinds = body.entries.map(({ kind }: { kind: string }) => kind);
  expect(kinds.filter((kind: string) => kind === 'emergency.acknowledged')).toHaveLength(1);
  const unknown = await hotdesk().api('/api/v1/emergencies/nobody/acknowledgement', { method: 'POST' });
  expect(unknown).toMatchObject({ status: 404, body: { reason: 'unknownEmergency' } });
});

interface Short {
  readonly host: string;
  readonly callbackNumber: string;
  readonly openMs: number;
}

/** As if another node had carried an emergency call. */
async function openRecord(redis: TcpRedis, { host, callbackNumber, openMs }: Short): Promise<void> {
  const at = Date.now();
  const record: EmergencyRecord = {
    ...{ id: randomUUID(), number: '999', host, nickname: host, site: 'leeds', callbackNumber },
    ...{ address: undefined, addressUnverified: false, guest: undefined },
    ...{ at, callbackUntil: at + openMs },
  };
  const store = createRedisStore({
    ...{ connection: { url: redis.url }, company: 'demo', node: 'other', clock: { now: Date.now } },
    ...{ commandTimeoutMs: 2_000, acceptWeakDurability: true },
  });
  await store.start();
  await store.noteEmergency(record, 'placed', 'node:other');
  await store.stop();
}

/** A call that rings at this phone; undefined while it is refused. */
async function ringsAt(
  phone: Phone,
  number: string,
): Promise<{ back: OutgoingCall; ringing: IncomingCall } | undefined> {
  const back = await hotdesk().trunks.main.call(number);
  const answered = back.answered.then(
    () => true,
    () => false,
  );
  const ringing = await Promise.race([phone.nextCall(2_000), answered.then(() => undefined)]);
  return ringing && { back, ringing };
}

async function storeIsThere(): Promise<void> {
  const ready = async (): Promise<boolean> => (await hotdesk().api('/readyz')).status === 200;
  await eventually('the store back', ready, 15_000);
}
