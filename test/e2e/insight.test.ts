import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { PEOPLE, PHONES } from '../support/demo.ts';
import { type Hotdesk, startHotdesk } from '../support/hotdesk.ts';
import { writePast } from '../support/past.ts';
import { startTcpRedis, type TcpRedis } from '../support/tcp-redis.ts';
import { eventually } from '../support/wait.ts';
import { WebhookReceiver } from '../support/webhook-receiver.ts';

/** How desks were used, who sat where, and how webhooks do, over HTTP and from a real Redis. */

const DAYS = 20;
const DAY_MS = 86_400_000;

let redis: TcpRedis;
let hotdesk: Hotdesk;
let receiver: WebhookReceiver;
let url: string;

beforeAll(async () => {
  redis = await startTcpRedis();
  await writePast(redis.client(), { days: DAYS, now: Date.now() });
  hotdesk = await startHotdesk({ redis });
  receiver = new WebhookReceiver();
  url = await receiver.start();
});
afterEach(() => hotdesk.tidy());
afterAll(async () => {
  await hotdesk?.stop();
  await receiver?.stop();
  await redis?.stop();
});

const day = (ago: number): string => new Date(Date.now() - ago * DAY_MS).toISOString().slice(0, 10);

describe('usage', () => {
  test('is what the log says', async () => {
    const { status, body } = await hotdesk.api(`/api/v1/usage?from=${day(7)}&to=${day(1)}`);
    expect(status).toBe(200);
    const { body: audit } = await hotdesk.api(
      `/api/v1/audit?kind=association.started&from=${day(7)}T00:00Z&to=${day(0)}T00:00Z&limit=1000`,
    );
    expect(body.logIns).toBe(audit.entries.length);
    expect(body.logIns).toBeGreaterThan(10);
    expect(body.days).toHaveLength(7);
    expect(body.hours[11].average).toBeGreaterThan(1);
    expect(body.hours[2]).toEqual({ hour: 2, average: 0, peak: 0 });
    expect(body.peak).toBe(3);
    expect(body.recordedFrom).toBeNull();
    const sites = body.sites.reduce((sum: number, site: { logIns: number }) => sum + site.logIns, 0);
    expect(sites).toBe(body.logIns);
    const leeds = await hotdesk.api(`/api/v1/usage?from=${day(7)}&to=${day(1)}&site=leeds`);
    expect(leeds.body.busiest.map(({ host }: { host: { id: string } }) => host.id)).toEqual([PHONES.leeds]);
  });

  test('says from when on there is a record, and knows who sits there now', async () => {
    await hotdesk.seat(PEOPLE.first.extension, PHONES.reception);
    const { body } = await hotdesk.api(`/api/v1/usage?from=${day(60)}&to=${day(0)}`);
    expect(Date.parse(body.recordedFrom)).toBeGreaterThan(Date.now() - (DAYS + 1) * DAY_MS);
    expect(body.days.at(-1).logIns).toBeGreaterThan(0);
    expect((await hotdesk.api(`/api/v1/usage?from=${day(99)}&to=${day(0)}`)).status).toBe(400);
    expect((await hotdesk.api(`/api/v1/usage?from=${day(1)}&to=${day(0)}&site=x`)).body.reason).toBe(
      'unknownSite',
    );
  });
});

test('who sat where, of one site, in pages and as a file', async () => {
  const all: { generation: number; site: string }[] = [];
  let cursor: string | null = '';
  do {
    const { body } = await hotdesk.api(
      `/api/v1/audit/sessions?site=leeds&limit=7${cursor === '' ? '' : `&cursor=${cursor}`}`,
    );
    all.push(...body.sessions);
    cursor = body.next;
  } while (cursor !== null);
  expect(new Set(all.map(({ site }) => site))).toEqual(new Set(['leeds']));
  expect(new Set(all.map(({ generation }) => generation)).size).toBe(all.length);
  const { body } = await hotdesk.api('/api/v1/audit/sessions.csv?site=leeds');
  expect(String(body).trim().split('\r\n')).toHaveLength(all.length + 1);
});

test('tries to deliver are written down, and a dead letter is sent again', async () => {
  const json = { url, events: ['association.started'] };
  const { body: made } = await hotdesk.api('/api/v1/webhooks', { method: 'POST', json });
  receiver.secret = made.secret;
  const path = `/api/v1/webhooks/${made.id}`;
  receiver.status = 500;
  await hotdesk.api(`${path}/test`, { method: 'POST' });
  const tries = async () => (await hotdesk.api(`${path}/deliveries`)).body.deliveries;
  await eventually('the test is in the log', async () => (await tries()).length === 1);
  expect(await tries()).toMatchObject([
    { cause: 'test', type: 'webhook.test', try: 1, delivered: false, status: 500, nextAt: null },
  ]);
  const base = { at: Date.now(), consumer: `webhook:${made.id}`, problem: 'the answer was 503' };
  const event = { seq: 1, at: base.at, actor: 'a', kind: 'notice', notice: 'unlocked', extension: '1001' };
  await redis.client().xadd('hd:{demo}:dead', '*', 'json', JSON.stringify({ ...base, event }));
  const letters = async () =>
    (await hotdesk.api(`/api/v1/webhooks/dead-letters?webhook=${made.id}`)).body.deadLetters;
  const [{ id: letter }] = await letters();
  const resend = () => hotdesk.api(`${path}/dead-letters/${letter}/delivery`, { method: 'POST' });
  expect((await resend()).body).toMatchObject({ delivered: false, status: 500 });
  expect(await letters()).toHaveLength(1);
  receiver.status = 204;
  expect((await resend()).body).toMatchObject({ delivered: true, status: 204 });
  expect(await letters()).toEqual([]);
  expect((await resend()).body.reason).toBe('unknownDeadLetter');
  expect(receiver.events.at(-1)).toMatchObject({ isGenuine: true, message: { type: 'security.notice' } });
  await eventually('all are in the log', async () => (await tries()).length === 3);
  await hotdesk.api(path, { method: 'DELETE' });
});
