import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { PEOPLE, PHONES } from '../support/demo.ts';
import { useHotdesk } from '../support/suite.ts';
import { eventually } from '../support/wait.ts';
import { WebhookReceiver } from '../support/webhook-receiver.ts';

/** Changes told over HTTP, as an operator's own program meets them. */

const hotdesk = useHotdesk();
const BASE = '/api/v1/webhooks';
const { first, second } = PEOPLE;

let receiver: WebhookReceiver;
let url: string;

beforeEach(async () => {
  receiver = new WebhookReceiver();
  url = await receiver.start();
});

afterEach(async () => {
  const { body } = await hotdesk().api(BASE);
  for (const { id } of body.webhooks) await hotdesk().api(`${BASE}/${id}`, { method: 'DELETE' });
  await receiver.stop();
});

/** Adds a webhook that is told of what happens from then on: a new one begins at the end of the log, a moment later. */
async function add(events: string[] = []): Promise<string> {
  const { status, body } = await hotdesk().api(BASE, { method: 'POST', json: { url } });
  expect(status).toBe(201);
  receiver.secret = body.secret;
  await eventually('the webhook is served', async () => {
    await hotdesk().api('/api/v1/users/1003/unlock', { method: 'POST' });
    return receiver.events.length > 0;
  });
  const [last] = (await hotdesk().api('/api/v1/audit?limit=1')).body.entries;
  await eventually('all so far', () => receiver.events.at(-1)?.message.seq >= last.seq);
  if (events.length > 0) await hotdesk().api(`${BASE}/${body.id}`, { method: 'PATCH', json: { events } });
  receiver.events.length = 0;
  return body.id;
}

function types(): string[] {
  return receiver.types.filter((type) => type.startsWith('association.'));
}

describe('a webhook', () => {
  test('is told of log-in, move and log-out, signed and in order', async () => {
    await add();
    await hotdesk().seat(first.extension, PHONES.reception);
    await hotdesk().seat(first.extension, PHONES.window);
    await hotdesk().api(`/api/v1/hosts/${PHONES.window}/association`, { method: 'DELETE' });
    await eventually('four events', () => types().length >= 4, 10_000);
    expect(types()).toEqual([
      'association.started',
      'association.ended',
      'association.started',
      'association.ended',
    ]);
    expect(receiver.events.every(({ isGenuine }) => isGenuine)).toBe(true);
    const messages = receiver.events.map(({ message }) => message);
    const seqs = messages.map(({ seq }) => seq);
    expect(seqs).toEqual(seqs.toSorted((a, b) => a - b));
    expect(messages[2]).toMatchObject({
      id: `demo:${seqs[2]}:${Date.parse(messages[2].at)}`,
      company: 'demo',
      data: { host: PHONES.window, guest: '1001', reason: 'move', previousHost: PHONES.reception },
    });
    expect(messages[3].data).toMatchObject({ reason: 'released', actor: 'admin:api' });
  });

  test('gets only what it asked for', async () => {
    await add(['association.ended']);
    await hotdesk().seat(second.extension, PHONES.reception);
    await hotdesk().api(`/api/v1/hosts/${PHONES.reception}/association`, { method: 'DELETE' });
    await eventually('an event', () => receiver.events.length > 0, 10_000);
    expect(receiver.types).toEqual(['association.ended']);
  });

  test('that is down gets everything in order when it is back', async () => {
    const id = await add(['association.started', 'association.ended']);
    receiver.status = 503;
    await hotdesk().seat(first.extension, PHONES.reception);
    await hotdesk().api(`/api/v1/hosts/${PHONES.reception}/association`, { method: 'DELETE' });
    await eventually('two tries', () => receiver.events.length >= 2, 10_000);
    expect(new Set(receiver.events.map(({ id: event }) => event)).size).toBe(1);
    const { body } = await hotdesk().api(`${BASE}/${id}`);
    expect(body.status).toMatchObject({ lastStatus: 503, lastProblem: 'the answer was 503' });
    receiver.status = 200;
    receiver.events.length = 0;
    await eventually('both events', () => receiver.events.length >= 2, 10_000);
    expect(types()).toEqual(['association.started', 'association.ended']);
    await eventually('all well', async () => {
      const { status } = (await hotdesk().api(`${BASE}/${id}`)).body;
      return status.consecutiveFailures === 0 && status.lastStatus === 200;
    });
  });

  test('can be tried, also while it is off; a new secret signs from then on', async () => {
    const id = await add();
    await hotdesk().api(`${BASE}/${id}`, { method: 'PATCH', json: { enabled: false } });
    const { body } = await hotdesk().api(`${BASE}/${id}/secret`, { method: 'POST' });
    const before = receiver.secret;
    receiver.secret = body.secret;
    const result = await hotdesk().api(`${BASE}/${id}/test`, { method: 'POST' });
    expect(result.body).toMatchObject({ delivered: true, status: 204, problem: null });
    expect(receiver.events.at(-1)).toMatchObject({
      isGenuine: true,
      message: { type: 'webhook.test', seq: 0 },
    });
    expect(body.secret).not.toBe(before);
    await hotdesk().seat(first.extension, PHONES.reception);
    expect(types()).toEqual([]);
  });

  test('that leads where it may not is refused with the reason', async () => {
    const answer = await hotdesk().api(BASE, { method: 'POST', json: { url: 'http://169.254.169.254/' } });
    expect(answer).toMatchObject({ status: 422, body: { reason: 'invalidWebhook' } });
    expect(answer.body.detail).toMatch(/link-local.*webhooks\.allowedNetworks/);
  });

  test('never shows its secret again: not in answers, not in the log, not in the directory', async () => {
    await add();
    const secret = receiver.secret.slice(6, 30);
    const { body } = await hotdesk().api(BASE);
    expect(JSON.stringify(body)).not.toContain(secret);
    expect(JSON.stringify(body)).not.toContain('sealed');
    expect(String((await hotdesk().api('/api/v1/directory')).body)).not.toContain(secret);
    expect(hotdesk().log.text).not.toContain(secret);
  });
});
