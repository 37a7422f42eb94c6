import { setTimeout as sleep } from 'node:timers/promises';
import { Subscriber, URI } from 'sip.js';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { PEOPLE, PHONES } from '../../support/demo.ts';
import { editDirectory } from '../../support/directory-edit.ts';
import { bodyOf, FakePbx } from '../../support/fake-pbx.ts';
import { DOMAIN, type Hotdesk, startHotdesk } from '../../support/hotdesk.ts';
import { logInBySoftKey } from '../../support/log-in.ts';
import type { Phone } from '../../support/phone.ts';
import { eventually } from '../../support/wait.ts';

/** RFC 3842: the lamp of a phone shows the messages of whoever is there, within a second of each change. */

const { first, second, leeds } = PEOPLE;
const SECOND = 1_000;

let hotdesk: Hotdesk;
let pbx: FakePbx;
let stranger: FakePbx;

beforeAll(async () => {
  pbx = await FakePbx.open('127.0.0.2');
  stranger = await FakePbx.open('127.0.0.1');
  const uri = `sip:${pbx.local.host}:${pbx.local.port};transport=udp`;
  const credentials = { username: 'hotdesk', password: 'password-of-the-trunk' };
  const main = { uri, credentials, voicemail: { subscribe: true } };
  hotdesk = await startHotdesk({ trunkSettings: { main } });
  pbx.wire.aim(hotdesk.sip.udp);
  stranger.wire.aim(hotdesk.sip.udp);
  // Owners of phones are watched from the start.
  await eventually('the first subscription', () => pbx.watched.has(second.extension), 15_000);
});
beforeEach(() => {
  pbx.decide = () => ({ status: 200 });
});
afterEach(async () => {
  await hotdesk.tidy();
  for (const { extension } of Object.values(PEOPLE)) await reset(extension);
});
afterAll(async () => {
  await hotdesk?.stop();
  await pbx?.close();
  await stranger?.close();
});

async function reset(mailbox: string): Promise<void> {
  await pbx.set(mailbox, 0).catch(() => undefined);
  await pbx.tell(mailbox, bodyOf(mailbox, 0, 0), { server: hotdesk.sip.udp });
}

/** Message lamps a phone was sent without a subscription, oldest first: new/old. */
function lamps(phone: Phone): string[] {
  return phone
    .received('NOTIFY')
    .filter((notify) => notify.header('Event') === 'message-summary')
    .map(({ body }) => /Voice-Message: (\d+\/\d+)/.exec(body)?.[1] ?? body);
}

async function shows(phone: Phone, lamp: string, withinMs = SECOND): Promise<void> {
  await eventually(`a lamp with ${lamp}`, () => lamps(phone).at(-1) === lamp, withinMs);
}

async function messages(mailbox: string, fresh: number, old = 0): Promise<void> {
  await pbx.set(mailbox, fresh, old);
  if (!pbx.watched.has(mailbox)) {
    const status = await pbx.tell(mailbox, bodyOf(mailbox, fresh, old), { server: hotdesk.sip.udp });
    expect(status).toBe(200);
  }
}

async function release(host: string): Promise<void> {
  await hotdesk.api(`/api/v1/hosts/${host}/association`, { method: 'DELETE' });
}

async function seat(extension: string, host: string): Promise<void> {
  const path = `/api/v1/hosts/${host}/association`;
  const { status } = await hotdesk.api(path, { method: 'PUT', json: { guest: extension } });
  expect(status).toBeLessThan(300);
}

describe('the lamp of a phone that has not subscribed', () => {
  test('follows the guest in and out, in the form of RFC 3842', async () => {
    await messages(first.extension, 3, 7);
    const phone = await hotdesk.phone(PHONES.reception);
    await seat(first.extension, PHONES.reception);
    await shows(phone, '3/7');
    const notify = phone.received('NOTIFY').find((one) => one.header('Event') === 'message-summary');
    expect(notify?.header('Subscription-State')).toBe('active');
    expect(notify?.header('Content-Type')).toBe('application/simple-message-summary');
    expect(notify?.header('To')).not.toContain('tag=');
    expect(notify?.body).toBe(
      'Messages-Waiting: yes\r\nMessage-Account: sip:8001@hotdesk.example\r\nVoice-Message: 3/7 (0/0)\r\n',
    );
    await release(PHONES.reception);
    await shows(phone, '0/0');
  });

  test('follows a login by *90 and a move', async () => {
    await messages(first.extension, 2);
    const phone = await hotdesk.phone(PHONES.reception);
    const other = await hotdesk.phone(PHONES.window);
    await logInBySoftKey(phone, first);
    await hotdesk.expectGuest(PHONES.reception, first.extension, 8_000);
    await shows(phone, '2/0');
    await seat(first.extension, PHONES.window);
    await shows(other, '2/0');
    await shows(phone, '0/0');
  });

  test('follows a take-over', async () => {
    await messages(first.extension, 1);
    await messages(second.extension, 5);
    const undo = await editDirectory(hotdesk, ({ company }) => {
      company.occupiedDeskPolicy = 'takeover';
    });
    const phone = await hotdesk.phone(PHONES.reception);
    await seat(first.extension, PHONES.reception);
    await shows(phone, '1/0');
    await seat(second.extension, PHONES.reception);
    await shows(phone, '5/0');
    await undo();
  });

  test('shows the owner’s messages again as soon as the guest has left', async () => {
    await messages(leeds.extension, 4);
    await messages(second.extension, 1, 1);
    const phone = await hotdesk.phone(PHONES.own);
    await shows(phone, '1/1');
    await seat(leeds.extension, PHONES.own);
    await shows(phone, '4/0');
    await release(PHONES.own);
    await shows(phone, '1/1');
  });

  test('changes with the mailbox, and is told once for each change', async () => {
    const phone = await hotdesk.phone(PHONES.reception);
    await seat(first.extension, PHONES.reception);
    await eventually('a subscription', () => pbx.watched.has(first.extension));
    await pbx.set(first.extension, 1);
    await shows(phone, '1/0');
    await pbx.set(first.extension, 1);
    await sleep(700);
    await pbx.set(first.extension, 0, 1);
    await shows(phone, '0/1');
    expect(lamps(phone).slice(-2)).toEqual(['1/0', '0/1']);
    expect(lamps(phone).filter((lamp) => lamp === '1/0')).toHaveLength(1);
  });

  test('is told to a phone that registers after it was lit, and again when it has restarted', async () => {
    await messages(second.extension, 6);
    const phone = await hotdesk.phone(PHONES.own);
    await shows(phone, '6/0');
    const again = await hotdesk.phone(PHONES.own);
    await shows(again, '6/0');
  });

  test('of nobody’s phone is never lit, and a phone without messages is left in peace', async () => {
    await messages(first.extension, 9);
    const phone = await hotdesk.phone(PHONES.leeds);
    await seat(second.extension, PHONES.leeds);
    await release(PHONES.leeds);
    await sleep(SECOND);
    expect(lamps(phone)).toEqual([]);
  });
});

test('the lamp goes out at the deadline', async () => {
  await messages(first.extension, 1);
  const phone = await hotdesk.phone(PHONES.reception);
  await seat(first.extension, PHONES.reception);
  await shows(phone, '1/0');
  // Moves the stored deadline to now: the store's clock is the only clock.
  const redis = hotdesk.redis.client();
  const record = JSON.parse((await redis.hget('hd:{demo}:b', PHONES.reception)) ?? '{}');
  const now = Date.now();
  await redis.hset('hd:{demo}:b', PHONES.reception, JSON.stringify({ ...record, dl: String(now) }));
  await redis.zadd('hd:{demo}:dl', now, PHONES.reception);
  await shows(phone, '0/0', 3 * SECOND);
});

describe('the lamp of a phone that has subscribed', () => {
  test('is told in the subscription, and not twice', async () => {
    await messages(first.extension, 2);
    const phone = await hotdesk.phone(PHONES.reception);
    const target = new URI('sip', PHONES.reception, DOMAIN);
    const subscriber = new Subscriber(phone.agent, target, 'message-summary', { expires: 600 });
    const bodies: string[] = [];
    subscriber.delegate = {
      onNotify: (notification) => {
        void notification.accept();
        bodies.push(notification.request.body);
      },
    };
    await subscriber.subscribe();
    await eventually('the first NOTIFY', () => bodies.at(-1)?.includes('Voice-Message: 0/0'));
    await seat(first.extension, PHONES.reception);
    await eventually('the lamp', () => bodies.at(-1)?.includes('Voice-Message: 2/0'), SECOND);
    await release(PHONES.reception);
    await eventually('its end', () => bodies.at(-1)?.includes('Voice-Message: 0/0'), SECOND);
    const outside = phone.received('NOTIFY').filter((one) => !one.header('To').includes('tag='));
    expect(outside.filter((one) => one.header('Event') === 'message-summary')).toEqual([]);
    await subscriber.unsubscribe();
  });

  test('nobody watches the messages of others', async () => {
    const phone = await hotdesk.phone(PHONES.reception);
    const target = new URI('sip', first.extension, DOMAIN);
    const subscriber = new Subscriber(phone.agent, target, 'message-summary', { expires: 600 });
    await subscriber.subscribe();
    const refused = (): boolean => phone.everythingReceived().includes('SIP/2.0 403 Not your messages');
    await eventually('a refusal', refused);
  });
});

describe('what the PBX says', () => {
  test('in a subscription of ours: asked for whoever sits down, given up when they leave', async () => {
    await eventually('nobody there', () => !pbx.watched.has(first.extension));
    await seat(first.extension, PHONES.reception);
    await eventually('a subscription', () => pbx.watched.has(first.extension), SECOND);
    const request = pbx.subscribes.findLast((one) => one.header('To').includes(first.extension));
    expect(request?.header('Event')).toBe('message-summary');
    expect(request?.header('Accept')).toBe('application/simple-message-summary');
    expect(request?.requestUri).toContain(`sip:${first.extension}@127.0.0.2`);
    await release(PHONES.reception);
    await eventually('its end', () => !pbx.watched.has(first.extension), SECOND);
  });

  test('a PBX that challenges gets its answer', async () => {
    const challenge = 'WWW-Authenticate: Digest realm="pbx", nonce="n1", algorithm=MD5, qop="auth"';
    pbx.decide = (_mailbox, request) =>
      request.header('Authorization') === '' ? { status: 401, headers: [challenge] } : { status: 200 };
    await eventually('nobody there', () => !pbx.watched.has(first.extension));
    await seat(first.extension, PHONES.reception);
    await eventually('a subscription', () => pbx.watched.has(first.extension), SECOND);
    expect(pbx.subscribes.at(-1)?.header('Authorization')).toContain('username="hotdesk"');
    const phone = await hotdesk.phone(PHONES.reception);
    await pbx.set(first.extension, 7);
    await shows(phone, '7/0');
    await release(PHONES.reception);
    await eventually('its end', () => !pbx.watched.has(first.extension), SECOND);
  });

  test('a subscription that ends is made anew at once; one that is refused, later', async () => {
    await eventually('a subscription', () => pbx.watched.has(second.extension));
    const before = pbx.subscribes.length;
    // A drachtio-server forgets the dialog at once, and has no answer; what was said is heard all the same.
    const answer = process.env.DRACHTIO_HOST === undefined ? 200 : 500;
    expect(await pbx.notify(second.extension, 'terminated;reason=deactivated')).toBe(answer);
    await eventually('another one', () => pbx.watched.has(second.extension), SECOND);
    expect(pbx.subscribes.length).toBe(before + 1);
    pbx.decide = () => ({ status: 403 });
    await pbx.notify(second.extension, 'terminated;reason=deactivated');
    await sleep(1_500);
    expect(pbx.subscribes.length).toBeLessThanOrEqual(before + 2);
  });

  test('out of the blue, from its address', async () => {
    const phone = await hotdesk.phone(PHONES.window);
    await seat(first.extension, PHONES.window);
    const { udp: server } = hotdesk.sip;
    expect(await pbx.tell('1001', 'messages-waiting:YES\nvoice-message: 2/0\n', { server })).toBe(200);
    await shows(phone, '2/0');
    expect(await pbx.tell('1001', 'nonsense', { server })).toBe(400);
    expect(await pbx.tell('nobody', bodyOf('nobody', 1, 0), { server })).toBe(404);
    expect(await pbx.tell('1001', '', { server, event: 'presence' })).toBe(489);
    expect(lamps(phone)).toEqual(['2/0']);
  });

  test('a stranger lights no lamp and puts none out', async () => {
    const phone = await hotdesk.phone(PHONES.window);
    await seat(first.extension, PHONES.window);
    const { udp: server } = hotdesk.sip;
    expect(await stranger.tell('1001', bodyOf('1001', 8, 0), { server })).toBe(403);
    await sleep(SECOND);
    expect(lamps(phone)).not.toContain('8/0');
  });
});
