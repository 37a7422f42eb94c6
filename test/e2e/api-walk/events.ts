import { describe, expect, test } from 'vitest';
import type { ApiWalk } from '../../support/api-walk.ts';
import { PEOPLE, PHONES } from '../../support/demo.ts';
import { eventually } from '../../support/wait.ts';
import { WebhookReceiver } from '../../support/webhook-receiver.ts';

/** What is told of what happens: at once, to others, and afterwards. */
export function eventStory(walk: ApiWalk): void {
  test('what is there says that it works', async () => {
    expect((await walk.call('GET /healthz', { as: 'nobody' })).body).toEqual({ alive: true });
    expect((await walk.call('GET /readyz', { as: 'nobody' })).body.ready).toBe(true);
    expect((await walk.call('GET /web-phone', { as: 'nobody' })).body.url).toMatch(/^ws:/);
  });

  test('changes come as they happen, and again from where one left off', async () => {
    const start = /id: (\d+)\nevent: start\ndata: (.*)\n\n/;
    let seated: Promise<void> | undefined;
    const until = (text: string): boolean => {
      // Not before somebody listens.
      if (text.startsWith('retry:')) seated ??= walk.hotdesk.seat(PEOPLE.first.extension, PHONES.reception);
      return start.test(text);
    };
    const [, id = '', data = ''] = start.exec((await walk.call('GET /events', { until })).body) ?? [];
    await seated;
    expect(JSON.parse(data)).toMatchObject({ kind: 'association.started', guest: { extension: '1001' } });
    expect((await walk.contract()).ofSchema('AuditEntry', JSON.parse(data))).toEqual([]);
    const headers = { 'last-event-id': String(Number(id) - 1) };
    const again = await walk.call('GET /events', { headers, until });
    expect(again.body).toContain(`id: ${id}\n`);
  });

  test('an emergency call is seen by somebody', async () => {
    const phone = await walk.hotdesk.phone(PHONES.reception);
    const call = await phone.call('999');
    const psap = await walk.hotdesk.trunks.emergency.nextCall();
    await psap.accept();
    await call.answered;
    await call.hangUp();
    const path = { id: '' };
    await eventually('the call is known', async () => {
      const { body } = await walk.call('GET /emergencies');
      path.id = body.emergencies[0]?.id ?? '';
      return path.id !== '';
    });
    const seen = await walk.call('POST /emergencies/{id}/acknowledgement', { path });
    expect(seen.body).toMatchObject({ host: { id: PHONES.reception }, acknowledged: { by: 'admin:api' } });
  });

  test('the past is told by change and by stay, in pages and as tables, and counted', async () => {
    await walk.hotdesk.seat(PEOPLE.first.extension, PHONES.reception);
    await walk.call('DELETE /hosts/{id}/association', { path: { id: PHONES.reception } });
    const who = { host: PHONES.reception, guest: PEOPLE.first.extension, site: 'london' };
    const changes = await walk.call('GET /audit', {
      query: { ...who, kind: 'association.ended', limit: '1' },
    });
    expect(changes.body.entries).toMatchObject([{ reason: 'released', host: { id: PHONES.reception } }]);
    const stays = await walk.call('GET /audit/sessions', { query: { ...who, limit: '1' } });
    expect(stays.body.sessions).toMatchObject([{ reason: 'released', site: 'london' }]);
    const [table, ofStays] = [await walk.call('GET /audit.csv'), await walk.call('GET /audit/sessions.csv')];
    for (const { body } of [table, ofStays]) expect(body).toContain(PHONES.reception);
    // Of every kind there is by now.
    await walk.call('GET /audit', { query: { limit: '1000' } });
    const today = new Date().toISOString().slice(0, 10);
    const { body } = await walk.call('GET /usage', { query: { from: today, to: today, site: 'london' } });
    expect(body).toMatchObject({ timeZone: 'Europe/London', hours: { length: 24 } });
  });
}

/** A webhook from its first day to its last. */
export function webhookStory(walk: ApiWalk): void {
  const receiver = new WebhookReceiver();
  let path = { id: '' };

  describe('a webhook', () => {
    test('is made, tried and changed', async () => {
      const url = await receiver.start();
      const body = { url, events: ['association.started'] };
      const made = await walk.call('POST /webhooks', { body, headers: { 'idempotency-key': 'walk-5' } });
      path = { id: made.body.id };
      receiver.secret = made.body.secret;
      expect((await walk.call('POST /webhooks/{id}/test', { path })).body).toMatchObject({ status: 204 });
      expect(receiver.events).toMatchObject([{ isGenuine: true }]);
      const read = await walk.call('GET /webhooks/{id}', { path });
      expect(JSON.stringify(read.body)).not.toContain(made.body.secret);
      const change = { path, headers: { 'if-match': read.headers.get('etag') ?? '' } };
      const wrong = await walk.ask('PATCH /webhooks/{id}', { ...change, body: { events: ['no.such'] } });
      expect(wrong.status).toBe(400);
      const paused = await walk.call('PATCH /webhooks/{id}', { ...change, body: { enabled: false } });
      expect(paused.body).toMatchObject({ enabled: false, events: ['association.started'] });
      expect((await walk.call('GET /webhooks')).body.webhooks).toMatchObject([{ id: path.id }]);
    });

    test('is told again what it did not take', async () => {
      const { secret } = (await walk.call('POST /webhooks/{id}/secret', { path })).body;
      receiver.secret = secret;
      // As after twelve tries: nobody waits here for half an hour.
      const base = { at: Date.now(), consumer: `webhook:${path.id}`, problem: 'the answer was 503' };
      const event = {
        seq: 1,
        at: base.at,
        actor: 'a',
        kind: 'notice',
        notice: 'unlocked',
        extension: '1001',
      };
      const dead = JSON.stringify({ ...base, event });
      await walk.hotdesk.redis.client().xadd('hd:{demo}:dead', '*', 'json', dead);
      const query = { webhook: path.id, limit: '5' };
      const [letter] = (await walk.call('GET /webhooks/dead-letters', { query })).body.deadLetters;
      expect(letter).toMatchObject({ webhook: path.id, message: { type: 'security.notice' } });
      const again = await walk.call('POST /webhooks/{id}/dead-letters/{letter}/delivery', {
        path: { ...path, letter: letter.id },
      });
      expect(again.body).toMatchObject({ delivered: true, status: 204 });
      await eventually('both tries are in the log', async () => {
        const { body } = await walk.call('GET /webhooks/{id}/deliveries', { path, query: { limit: '5' } });
        return body.deliveries.length === 2;
      });
      const contract = await walk.contract();
      for (const { message } of receiver.events)
        expect(contract.ofSchema('WebhookMessage', message)).toEqual([]);
    });

    test('goes', async () => {
      await walk.call('DELETE /webhooks/{id}', { path });
      await walk.refused('GET /webhooks/{id}', 'unknownWebhook', { path });
      await receiver.stop();
    });
  });
}
