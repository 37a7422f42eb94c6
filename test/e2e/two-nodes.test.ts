import { randomUUID } from 'node:crypto';
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { Browser } from '../support/browser.ts';
import { calledBack, helpFor } from '../support/callback.ts';
import { PEOPLE, PHONES } from '../support/demo.ts';
import { type Hotdesk, startHotdesk } from '../support/hotdesk.ts';
import { HotelingPhone, optIn } from '../support/hoteling-phone.ts';
import { logInBySoftKey } from '../support/log-in.ts';
import type { Phone } from '../support/phone.ts';
import { startTcpRedis, type TcpRedis } from '../support/tcp-redis.ts';
import { eventually } from '../support/wait.ts';
import type { UdpWire } from '../support/wire.ts';

/**
 * Two nodes on one Redis, each with a SIP server of its own: what is done at one holds at the other. A drachtio-server
 * would deal requests out to both.
 */

const { first } = PEOPLE;
const { reception, window } = PHONES;

describe.runIf(process.env.DRACHTIO_HOST === undefined)('two nodes', () => {
  let redis: TcpRedis;
  let one: Hotdesk;
  let two: Hotdesk;
  let folders: string[] = [];

  beforeAll(async () => {
    redis = await startTcpRedis();
    folders = await Promise.all(['one', 'two'].map((node) => mkdtemp(join(tmpdir(), `hotdesk-${node}-`))));
    const [here = '', there = ''] = folders;
    one = await startHotdesk({ redis, data: here });
    // Nodes that share a store share the pepper.
    await cp(join(here, 'pepper'), join(there, 'pepper'));
    two = await startHotdesk({ redis, data: there });
  }, 60_000);
  afterEach(async () => {
    await one.tidy();
    await two.tidy();
  });
  afterAll(async () => {
    for (const node of [two, one]) await node?.stop();
    await redis?.stop();
    for (const folder of folders) await rm(folder, { recursive: true, force: true });
  });

  /** Nodes hear of each other a moment later. */
  async function isKnown(at: Hotdesk, host: string, registered: boolean): Promise<void> {
    const asked = () => at.api(`/api/v1/hosts/${host}`);
    await eventually('the registration', async () => (await asked()).body.registered === registered);
  }

  async function rings(through: Hotdesk, phone: Phone): Promise<void> {
    const call = await through.trunks.main.call(first.extension);
    const ringing = await phone.nextCall();
    await ringing.accept();
    await call.answered;
    await call.hears(ringing);
    await ringing.hangUp();
    await call.ended;
  }

  test('logged in by a phone of one, called through the other; a login there moves them', async () => {
    const [phone, later] = [await phoneOf(one, reception), await phoneOf(two, window)];
    const call = await logInBySoftKey(phone, first);
    await two.expectGuest(reception, first.extension, 10_000);
    await call.hangUp();
    await rings(two, phone);
    const again = await logInBySoftKey(later, first);
    await one.expectGuest(window, first.extension, 10_000);
    await again.hangUp();
    expect(await one.guestAt(reception)).toBeUndefined();
    await rings(one, later);
    await later.call('*91');
    await one.expectGuest(window, undefined, 10_000);
  }, 60_000);

  test('a phone of one hears what an administrator does at the other', async () => {
    const [phone, keys] = [await phoneOf(one, reception), await HotelingPhone.plugIn(reception, one.sip.udp)];
    await optIn(one, first);
    expect((await keys.subscribe()).status).toBe(200);
    expect(await keys.told()).toBe('<guestAddress/>');
    await two.seat(first.extension, reception);
    expect(await keys.told()).toContain(`<guestAddress>${first.extension}</guestAddress>`);
    await eventually('the phone looks', () => checkSyncs(phone) > 0);
    const told = checkSyncs(phone);
    await two.api(`/api/v1/hosts/${reception}/association`, { method: 'DELETE' });
    expect(await keys.told()).toBe('<guestAddress/>');
    await eventually('the phone looks again', () => checkSyncs(phone) > told);
    await keys.unplug();
  });

  test('an emergency call through one, a call back through the other', async () => {
    const phone = await phoneOf(one, reception);
    const number = await helpFor(phone, one);
    const calls = async () => (await two.api('/api/v1/emergencies')).body.emergencies;
    await eventually('the record', async () => (await calls()).length === 1);
    await calledBack(phone, number, two.trunks.main);
  });

  test('a phone that goes to the other node is called there alone, and nowhere once it has signed off', async () => {
    const before = await phoneOf(one, reception);
    await two.seat(first.extension, reception);
    await before.unregister();
    await isKnown(two, reception, false);
    const after = await phoneOf(two, reception);
    await isKnown(one, reception, true);
    await rings(one, after);
    await rings(two, after);
    expect(before.received('INVITE')).toEqual([]);
    await after.unregister();
    await isKnown(one, reception, false);
    const call = await one.trunks.main.call(first.extension);
    // Voicemail.
    await (await one.trunks.main.nextCall()).reject(486);
    expect((await call.ended).by).toBe('them');
    expect(after.received('INVITE')).toHaveLength(2);
  });

  test('a session and an idempotency key of one are good at the other, and over at both', async () => {
    const kim = { email: 'kim@example.com', password: 'a lamp in the harbour' };
    const token = (await readFile(join(folders[0] ?? '', 'first-administrator'), 'utf8')).trim();
    const here = new Browser(one.http);
    expect((await here.ask('POST', '/setup', { ...kim, name: 'Kim', token })).status).toBe(201);
    await here.signIn(kim.email, kim.password);
    const there = new Browser(two.http);
    for (const [name, value] of here.cookies) there.cookies.set(name, value);
    await there.refresh();
    expect(there.csrf).toBe(here.csrf);

    const order = await receivedOrder(here, 20);
    const phones = Array.from({ length: 20 }, (_, i) => ({ item: '1', mac: `0004f20b00${10 + i}` }));
    const key = { 'idempotency-key': randomUUID() };
    const made = await here.ask('POST', `/orders/${order}/phones`, { phones }, key);
    expect(made.body.phones).toHaveLength(20);
    const again = await eventually('the answer', async () => {
      const answer = await there.ask('POST', `/orders/${order}/phones`, { phones }, key);
      return answer.body.reason !== 'requestInHand' && answer;
    });
    expect([again.status, again.body.phones]).toEqual([201, made.body.phones]);

    expect((await there.ask('DELETE', '/session')).status).toBe(204);
    expect((await here.ask('GET', '/hosts')).status).toBe(401);
  });
});

/** Phones that were ordered and have come; the order's id. */
async function receivedOrder(browser: Browser, quantity: number): Promise<string> {
  const street = { houseNumber: '10', street: 'Example Street', city: 'London', postcode: 'EC1A 1AA' };
  const address = { customerName: 'Hotdesk Demo', ...street, country: 'GB' };
  const item = { model: 'vvx-411', expansionModule: false, quantity, site: 'london', address };
  const wish = { items: [item], delivery: { address, shippingMethod: 'express' } };
  const { once, monthly, currency } = (await browser.ask('POST', '/order-quotes', wish)).body;
  const asked = { ...wish, acknowledged: true, total: { once, monthly, currency } };
  const { id } = (await browser.ask('POST', '/orders', asked)).body;
  for (const state of ['dispatched', 'received'])
    expect((await browser.ask('PATCH', `/orders/${id}`, { state })).status).toBe(200);
  return id;
}

function checkSyncs(phone: Phone): number {
  return phone.received('NOTIFY').filter((notify) => notify.header('Event') === 'check-sync').length;
}

/** A phone on UDP that registers at one node, answers where it is asked from, and goes on with a call where that is. */
async function phoneOf(node: Hotdesk, host: string): Promise<Phone> {
  const phone = await node.unregistered(host);
  const wire = phone.wire as UdpWire;
  wire.onSend = (text) => {
    const asked = /^SIP\/2\.0 .*?^Via: SIP\/2\.0\/UDP ([\d.]+):(\d+)/ims.exec(text);
    const [, address, port] = asked ?? /^[A-Z]+ sip:(?:[^@\s]*@)?([\d.]+):(\d+)/.exec(text) ?? [];
    wire.aim(address === undefined ? node.sip.udp : { host: address, port: Number(port) });
    return text;
  };
  expect((await phone.register()).status).toBe(200);
  return phone;
}
