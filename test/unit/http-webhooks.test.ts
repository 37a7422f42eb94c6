import { describe, expect, test } from 'vitest';
import type { Refusal } from '../../src/domain/reasons.ts';
import { newStatus } from '../../src/services/webhooks/delivery.ts';
import { testMessage } from '../../src/services/webhooks/message.ts';
import { expectProblem, request, world } from './http-world.ts';

const BASE = '/api/v1/webhooks';
const webhook = {
  id: 'a1b2',
  url: 'https://hooks.example.com/x',
  events: ['start', 'notice'],
  enabled: true,
  sealedSecret: 'SECRET-HASH',
} as const;
const state = { webhook, status: newStatus() };
const shown = {
  id: 'a1b2',
  url: 'https://hooks.example.com/x',
  events: ['association.started', 'security.notice'],
  enabled: true,
  status: {
    lastTriedAt: null,
    lastDeliveredAt: null,
    lastStatus: null,
    lastProblem: null,
    consecutiveFailures: 0,
  },
};

test('list and read, without secrets', async () => {
  const status = {
    lastTriedAt: 5_000,
    lastDeliveredAt: 1_000,
    lastStatus: 500,
    lastProblem: 'the answer was 500',
    consecutiveFailures: 3,
  };
  world.answer = [{ webhook, status }];
  expect((await request('GET', BASE)).json).toEqual({
    webhooks: [
      {
        ...shown,
        status: {
          ...status,
          lastTriedAt: '1970-01-01T00:00:05.000Z',
          lastDeliveredAt: '1970-01-01T00:00:01.000Z',
        },
      },
    ],
  });
  world.answer = state;
  expect((await request('GET', `${BASE}/a1b2`)).json).toEqual(shown);
});

describe('create', () => {
  test('tells the secret once', async () => {
    world.answer = { ...state, secret: 'whsec_x' };
    const answer = await request('POST', BASE, {
      body: { url: webhook.url, events: ['association.started'] },
    });
    expect(answer).toMatchObject({ status: 201, json: { ...shown, secret: 'whsec_x' } });
    const wish = { url: webhook.url, events: ['start'], enabled: true };
    expect(world.calls).toEqual([['create', wish, 'admin:api']]);
  });

  test.each([
    [{}, 'body.url'],
    [{ url: 5 }, 'body.url'],
    [{ url: '' }, 'body.url'],
    [{ url: 'x'.repeat(2_001) }, 'body.url'],
    [{ url: 'https://x', events: ['start'] }, 'body.events.0'],
    [{ url: 'https://x', enabled: 'yes' }, 'body.enabled'],
    [{ url: 'https://x', sealedSecret: 'x' }, 'body'],
  ])('refuses %j', async (body, path) => {
    const answer = await request('POST', BASE, { body });
    expectProblem(answer, 400);
    expect(answer.json.errors[0].path).toBe(path);
    expect(world.calls).toEqual([]);
  });

  test('says why an URL will not do', async () => {
    world.answer = { refused: 'invalidWebhook', detail: 'that is no URL' } satisfies Refusal;
    expectProblem(await request('POST', BASE, { body: { url: 'x' } }), 422, { detail: 'that is no URL' });
    world.answer = { refused: 'tooManyWebhooks' } satisfies Refusal;
    expectProblem(await request('POST', BASE, { body: { url: 'x' } }), 409);
  });
});

test('change what is given', async () => {
  world.answer = state;
  const body = { enabled: false, events: [] };
  expect(await request('PATCH', `${BASE}/a1b2`, { body })).toMatchObject({ status: 200, json: shown });
  expect(world.calls).toEqual([['change', 'a1b2', body, { actor: 'admin:api' }]]);
  expectProblem(await request('PATCH', `${BASE}/a1b2`, { body: {} }), 400);
});

test('a new secret, a test, the end', async () => {
  world.answer = { secret: 'whsec_new' };
  expect(await request('POST', `${BASE}/a1b2/secret`)).toMatchObject({
    status: 201,
    json: { secret: 'whsec_new' },
  });
  world.answer = {
    delivered: false,
    status: undefined,
    problem: 'no answer within 10 s',
    durationMs: 10_000.4,
  };
  expect((await request('POST', `${BASE}/a1b2/test`)).json).toEqual({
    delivered: false,
    status: null,
    problem: 'no answer within 10 s',
    durationMs: 10_000,
  });
  world.answer = 'done';
  expect((await request('DELETE', `${BASE}/a1b2`)).status).toBe(204);
  expect(world.calls.map((call) => (call as string[]).slice(0, 2))).toEqual([
    ['renewSecret', 'a1b2'],
    ['test', 'a1b2'],
    ['remove', 'a1b2'],
  ]);
});

test('no such webhook', async () => {
  world.answer = { refused: 'unknownWebhook' } satisfies Refusal;
  for (const [method, path] of [
    ['GET', ''],
    ['PATCH', ''],
    ['DELETE', ''],
    ['POST', '/secret'],
    ['POST', '/test'],
  ] as const) {
    const body = method === 'PATCH' ? { enabled: true } : undefined;
    const answer = await request(method, `${BASE}/nope${path}`, { body });
    expectProblem(answer, 404, { reason: 'unknownWebhook' });
  }
});

test('dead letters, with what should have been sent', async () => {
  const message = testMessage({ id: 'x', at: 0, company: 'demo', actor: 'a' });
  world.answer = [{ id: '7-0', webhook: 'a1b2', at: 7_000, problem: 'the answer was 500', message }];
  const answer = await request('GET', `${BASE}/dead-letters?webhook=a1b2&limit=5`);
  expect(answer.json).toEqual({
    deadLetters: [
      {
        id: '7-0',
        webhook: 'a1b2',
        at: '1970-01-01T00:00:07.000Z',
        problem: 'the answer was 500',
        message,
      },
    ],
  });
  expect(world.calls).toEqual([['deadLetters', { webhook: 'a1b2', limit: 5 }]]);
  expectProblem(await request('GET', `${BASE}/dead-letters?limit=0`), 400);
});

test('the document says what webhooks get', async () => {
  const { json } = await request('GET', '/api/v1/openapi.json', { token: '' });
  const { requestBody } = json.webhooks.event.post;
  const { $ref } = requestBody.content['application/json'].schema;
  const schema = json.components.schemas[$ref.split('/').at(-1)];
  expect(JSON.stringify(schema)).toContain('association.started');
});

test('the delivery log, what is absent as null', async () => {
  const first = { at: 1_000, message: 'm1', type: 'order.created', cause: 'change', try: 1, durationMs: 7 };
  world.answer = [
    { ...first, delivered: false, status: 500, problem: 'the answer was 500', nextAt: 2_000 },
    { ...first, delivered: true },
  ];
  const { json } = await request('GET', `${BASE}/a1b2/deliveries?limit=2`);
  const at = '1970-01-01T00:00:01.000Z';
  expect(json.deliveries).toEqual([
    {
      ...{ ...first, at, delivered: false, status: 500, problem: 'the answer was 500' },
      nextAt: '1970-01-01T00:00:02.000Z',
    },
    { ...first, at, delivered: true, status: null, problem: null, nextAt: null },
  ]);
  expect(world.calls).toEqual([['deliveries', 'a1b2', 2]]);
  expectProblem(await request('GET', `${BASE}/a1b2/deliveries?limit=101`), 400);
});

test('a dead letter is sent again by its id', async () => {
  world.answer = { delivered: true, status: 204, problem: undefined, durationMs: 12.6 };
  expect((await request('POST', `${BASE}/a1b2/dead-letters/7-0/delivery`)).json).toEqual({
    ...{ delivered: true, status: 204, problem: null, durationMs: 13 },
  });
  expect(world.calls).toEqual([['resend', 'a1b2', '7-0', 'admin:api']]);
  expectProblem(await request('POST', `${BASE}/a1b2/dead-letters/x/delivery`), 400);
  world.answer = { refused: 'unknownDeadLetter' } satisfies Refusal;
  const reason = 'unknownDeadLetter';
  expectProblem(await request('POST', `${BASE}/a1b2/dead-letters/7-0/delivery`), 404, { reason });
});

test('of emergency calls the stages that are asked for', async () => {
  world.answer = {
    webhook: { ...webhook, events: ['emergency'], emergencyStages: ['failed'] },
    status: newStatus(),
  };
  const body = { events: ['emergency.failed'] };
  expect((await request('PATCH', `${BASE}/a1b2`, { body })).json.events).toEqual(['emergency.failed']);
  const wish = { events: ['emergency'], emergencyStages: ['failed'] };
  expect(world.calls).toEqual([['change', 'a1b2', wish, { actor: 'admin:api' }]]);
});

test('is changed only as it was read, and made once under one key', async () => {
  world.answer = state;
  const { headers } = await request('GET', `${BASE}/a1b2`);
  const etag = headers.get('etag') ?? '';
  expect(etag).toMatch(/^"[\w-]+"$/);
  await request('PATCH', `${BASE}/a1b2`, { body: { enabled: true }, headers: { 'if-match': etag } });
  expect(world.calls.at(-1)).toMatchObject(['change', 'a1b2', {}, { ifTag: etag.slice(1, -1) }]);
  world.answer = { ...state, secret: 'whsec_x' };
  const made = { body: { url: webhook.url }, headers: { 'idempotency-key': 'k1' } };
  expect(await request('POST', BASE, made)).toMatchObject({ status: 201, json: { secret: 'whsec_x' } });
  expect(world.calls).toContainEqual(['replay', 'k1', 'POST /api/v1/webhooks']);
});
