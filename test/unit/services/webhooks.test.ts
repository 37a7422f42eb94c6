import { beforeEach, describe, expect, test } from 'vitest';
import type { Webhook } from '../../../src/domain/directory.ts';
import { DirectoryTable } from '../../../src/domain/directory-table.ts';
import { isRefusal } from '../../../src/domain/reasons.ts';
import { entrySchemas } from '../../../src/services/directory-schema.ts';
import type { DirectoryService } from '../../../src/services/directory-service.ts';
import { tagOf } from '../../../src/services/entry-tag.ts';
import { createSealing } from '../../../src/services/sealing.ts';
import { newStatus } from '../../../src/services/webhooks/delivery.ts';
import type { PostRequest, PostResult } from '../../../src/services/webhooks/post.ts';
import { createWebhookSender } from '../../../src/services/webhooks/sender.ts';
import { createWebhookTargets } from '../../../src/services/webhooks/targets.ts';
import { Webhooks } from '../../../src/services/webhooks/webhooks.ts';
import { type KeptLetter, StoreUnavailable, type WebhookAttempt } from '../../../src/store/store.ts';
import { PEPPER, TestLog } from './harness.ts';
import { startEvent } from './webhooks-bench.ts';

const URL_A = 'https://hooks.example.com/a?token=in-the-url';
const sealing = createSealing({ keyId: 'p1', pepper: PEPPER });

let directory: DirectoryTable | undefined;
let letters: KeptLetter[] | Error;
let dropped: string[];
let attempts: [webhook: string, attempt: WebhookAttempt][];
let posted: PostRequest[];
let answer: PostResult | Promise<PostResult>;
let edited: string[];
let log: TestLog;
let webhooks: Webhooks;
let now: number;

/** As the directory service does it, without a store. */
const editDirectory: DirectoryService['editDirectory'] = async (edit, actor) => {
  if (!directory) return { refused: 'stateUnknown' };
  const wanted = edit(directory);
  if (isRefusal(wanted)) return wanted;
  for (const entry of wanted.put ?? []) directory.put(entry);
  for (const key of wanted.remove ?? []) if (key.kind !== 'company') directory.remove(key.kind, key.id);
  edited.push(actor);
  return 'done';
};

beforeEach(() => {
  directory = new DirectoryTable();
  letters = [];
  dropped = [];
  attempts = [];
  posted = [];
  edited = [];
  answer = { status: 204 };
  now = 1_700_000_000_000;
  log = new TestLog();
  let n = 0;
  const clock = { now: () => now };
  const post = async (request: PostRequest) => {
    posted.push(request);
    now += 25;
    return answer;
  };
  webhooks = new Webhooks({
    view: {
      get directory() {
        return directory;
      },
    } as never,
    directory: { editDirectory },
    store: {
      deadLetters: async () => {
        if (letters instanceof Error) throw letters;
        return letters;
      },
      dropDeadLetter: async (id) => {
        if (letters instanceof Error) throw letters;
        dropped.push(id);
        return true;
      },
      noteAttempt: async (id, attempt) => void attempts.push([id, attempt]),
      attempts: async (id, limit) =>
        attempts
          .filter(([webhook]) => webhook === id)
          .map(([, one]) => one)
          .slice(0, limit),
    },
    deliveries: { statusOf: newStatus },
    targets: createWebhookTargets({ allowInsecure: false, allowedNetworks: [] }),
    sender: createWebhookSender({ post, sealing, clock, userAgent: 'Hotdesk/test' }),
    sealing,
    clock,
    random: { uuid: () => `uuid-${++n}`, bytes: (count) => new Uint8Array(count).fill(++n) },
    company: 'demo',
    log,
  });
});

async function made(url = URL_A): Promise<{ webhook: Webhook; secret: string }> {
  const result = await webhooks.create({ url, events: ['start'], enabled: true }, 'admin:api');
  if (isRefusal(result)) throw new Error(result.refused);
  return result;
}

describe('create', () => {
  test('tells the secret, keeps it sealed for this webhook', async () => {
    const { webhook, secret } = await made();
    expect(webhook).toMatchObject({
      id: expect.stringMatching(/^[0-9a-f]{16}$/),
      url: URL_A,
      events: ['start'],
    });
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    const stored = directory?.webhooks.get(webhook.id)?.sealedSecret ?? '';
    expect(stored).not.toContain(secret.slice(6, 20));
    expect(sealing.open(stored, `webhook:${webhook.id}`)).toBe(secret);
    expect(sealing.open(stored, 'webhook:other')).toBeUndefined();
    expect(edited).toEqual(['admin:api']);
    expect(JSON.stringify(log.lines)).not.toMatch(/whsec|token=/);
  });

  test('refuses an URL that cannot be one, and says why', async () => {
    expect(await webhooks.create({ url: 'https://10.0.0.1/', events: [], enabled: true }, 'a')).toEqual({
      refused: 'invalidWebhook',
      detail: '10.0.0.1 is a private network, which webhooks.allowedNetworks does not allow',
    });
    expect(edited).toEqual([]);
  });

  test('at most twenty', async () => {
    for (let count = 0; count < 20; count++) await made();
    expect(await webhooks.create({ url: URL_A, events: [], enabled: true }, 'a')).toMatchObject({
      refused: 'tooManyWebhooks',
    });
  });
});

describe('edit', () => {
  test('changes what is given and nothing else', async () => {
    const { webhook } = await made();
    const changed = await webhooks.change(webhook.id, { enabled: false }, { actor: 'admin:x' });
    expect(changed).toMatchObject({ webhook: { ...webhook, enabled: false } });
    expect(await webhooks.change(webhook.id, { url: 'http://example.com' }, { actor: 'a' })).toMatchObject({
      refused: 'invalidWebhook',
    });
    expect(directory?.webhooks.get(webhook.id)?.url).toBe(URL_A);
  });

  test('a new secret replaces the old one', async () => {
    const { webhook, secret } = await made();
    const renewed = await webhooks.renewSecret(webhook.id, 'a');
    if (isRefusal(renewed)) throw new Error();
    expect(renewed.secret).not.toBe(secret);
    const { sealedSecret = '' } = directory?.webhooks.get(webhook.id) ?? {};
    expect(sealing.open(sealedSecret, `webhook:${webhook.id}`)).toBe(renewed.secret);
  });

  test('removes', async () => {
    const { webhook } = await made();
    expect(await webhooks.remove(webhook.id, 'a')).toBe('done');
    expect(webhooks.get(webhook.id)).toEqual({ refused: 'unknownWebhook' });
    expect(webhooks.list()).toEqual([]);
  });

  test('what is not there', async () => {
    const unknown = { refused: 'unknownWebhook' };
    expect(webhooks.get('x')).toEqual(unknown);
    expect(await webhooks.change('x', { enabled: true }, { actor: 'a' })).toEqual(unknown);
    expect(await webhooks.renewSecret('x', 'a')).toEqual(unknown);
    expect(await webhooks.remove('x', 'a')).toEqual(unknown);
    expect(await webhooks.test('x', 'a')).toEqual(unknown);
    directory = undefined;
    expect(webhooks.list()).toEqual({ refused: 'stateUnknown' });
    expect(webhooks.get('x')).toEqual({ refused: 'stateUnknown' });
  });
});

describe('test', () => {
  test('sends once, also when it is off, and says what came of it', async () => {
    const { webhook } = await made();
    await webhooks.change(webhook.id, { enabled: false }, { actor: 'a' });
    expect(await webhooks.test(webhook.id, 'admin:api')).toEqual({
      delivered: true,
      status: 204,
      problem: undefined,
      durationMs: 25,
    });
    expect(posted).toHaveLength(1);
    expect(JSON.parse(posted[0]?.body ?? '')).toEqual({
      id: expect.stringMatching(/^demo:test:uuid-/),
      seq: 0,
      type: 'webhook.test',
      at: '2023-11-14T22:13:20.000Z',
      company: 'demo',
      data: { actor: 'admin:api' },
    });
    answer = { status: 302 };
    expect(await webhooks.test(webhook.id, 'a')).toMatchObject({
      delivered: false,
      status: 302,
      problem: 'the answer was 302; redirects are not followed',
    });
  });

  test('a secret this server cannot read sends nothing', async () => {
    const { webhook } = await made();
    directory?.put({ kind: 'webhook', value: { ...webhook, sealedSecret: 'p0:AAAA' } });
    expect(await webhooks.test(webhook.id, 'a')).toMatchObject({
      delivered: false,
      problem: 'the secret cannot be read by this server; make a new one',
    });
    expect(posted).toEqual([]);
  });

  test('a few at once, no more', async () => {
    const { webhook } = await made();
    let finish = (_result: PostResult): void => undefined;
    answer = new Promise((resolve) => {
      finish = resolve;
    });
    const running = Array.from({ length: 5 }, () => webhooks.test(webhook.id, 'a'));
    expect(await webhooks.test(webhook.id, 'a')).toEqual({ refused: 'overloaded' });
    finish({ status: 200 });
    await Promise.all(running);
    expect(await webhooks.test(webhook.id, 'a')).toMatchObject({ delivered: true });
  });
});

describe('dead letters', () => {
  beforeEach(() => {
    letters = [
      { consumer: 'webhook:a1', event: startEvent(3), problem: 'x', at: 5, id: '4-0' },
      { consumer: 'lamp', event: startEvent(3), problem: 'x', at: 5, id: '3-0' },
      { consumer: 'webhook:b2', event: startEvent(2), problem: 'y', at: 4, id: '2-0' },
      { consumer: 'webhook:a1', event: startEvent(1), problem: 'z', at: 3, id: '1-0' },
    ];
  });

  test('of all webhooks, or of one, with what should have been sent', async () => {
    const all = await webhooks.deadLetters({ limit: 10 });
    expect(all).toMatchObject([
      { webhook: 'a1', at: 5, problem: 'x', message: { id: 'demo:3:3000', type: 'association.started' } },
      { webhook: 'b2' },
      { webhook: 'a1' },
    ]);
    expect(await webhooks.deadLetters({ webhook: 'a1', limit: 10 })).toHaveLength(2);
    expect(await webhooks.deadLetters({ webhook: 'a1', limit: 1 })).toHaveLength(1);
  });

  test('with the store away', async () => {
    letters = new StoreUnavailable();
    expect(await webhooks.deadLetters({ limit: 10 })).toMatchObject({ refused: 'storeUnavailable' });
  });
});

describe('a dead letter sent again', () => {
  let id: string;
  beforeEach(async () => {
    id = (await made()).webhook.id;
    letters = [
      { consumer: `webhook:${id}`, event: startEvent(3), problem: 'x', at: 5, id: '9-0' },
      { consumer: `webhook:${id}`, problem: 'forgotten', at: 4, id: '8-0' },
      { consumer: 'webhook:other', event: startEvent(2), problem: 'y', at: 4, id: '7-0' },
    ];
  });

  test('is the same message, and no letter any more once it is taken', async () => {
    const result = await webhooks.resend(id, '9-0', 'admin:x');
    expect(result).toEqual({ delivered: true, status: 204, problem: undefined, durationMs: 25 });
    expect(posted[0]?.headers['Webhook-Id']).toBe('demo:3:3000');
    expect(dropped).toEqual(['9-0']);
    expect(attempts).toMatchObject([[id, { cause: 'resend', delivered: true, status: 204, durationMs: 25 }]]);
  });

  test('stays when it is not taken', async () => {
    answer = { status: 500 };
    expect(await webhooks.resend(id, '9-0', 'a')).toMatchObject({ delivered: false, status: 500 });
    expect(dropped).toEqual([]);
  });

  test('must be there, of this webhook, and hold something', async () => {
    for (const letter of ['1-0', '7-0', '8-0'])
      expect(await webhooks.resend(id, letter, 'a')).toEqual({ refused: 'unknownDeadLetter' });
    expect(await webhooks.resend('x', '9-0', 'a')).toEqual({ refused: 'unknownWebhook' });
    expect(posted).toEqual([]);
  });

  test('with the store away: nothing is sent', async () => {
    letters = new StoreUnavailable();
    expect(await webhooks.resend(id, '9-0', 'a')).toMatchObject({ refused: 'storeUnavailable' });
    expect(posted).toEqual([]);
  });
});

describe('the delivery log', () => {
  test('has tests too', async () => {
    const { webhook } = await made();
    answer = { status: 503 };
    await webhooks.test(webhook.id, 'admin:x');
    expect(await webhooks.deliveries(webhook.id, 10)).toMatchObject([
      { cause: 'test', type: 'webhook.test', try: 1, delivered: false, status: 503 },
    ]);
    expect(await webhooks.deliveries('x', 10)).toEqual({ refused: 'unknownWebhook' });
  });
});

test('stages of emergency calls are kept, and go when all are asked for again', async () => {
  const { webhook } = await made();
  const wish = { events: ['emergency'], emergencyStages: ['placed', 'failed'] } as const;
  expect(await webhooks.change(webhook.id, wish, { actor: 'a' })).toMatchObject({ webhook: wish });
  const { id: _, ...stored } = directory?.webhooks.get(webhook.id) ?? {};
  expect(entrySchemas.webhook.parse(stored)).toEqual(stored);
  await webhooks.change(webhook.id, { enabled: false }, { actor: 'a' });
  expect(directory?.webhooks.get(webhook.id)).toMatchObject(wish);
  await webhooks.change(webhook.id, { events: [], emergencyStages: undefined }, { actor: 'a' });
  expect(directory?.webhooks.get(webhook.id)).not.toHaveProperty('emergencyStages');
});

test('one that was changed meanwhile is left as it is', async () => {
  const { webhook } = await made();
  const ifTag = tagOf(webhook);
  await webhooks.change(webhook.id, { enabled: false }, { actor: 'a', ifTag });
  expect(await webhooks.change(webhook.id, { enabled: true }, { actor: 'b', ifTag })).toEqual({
    refused: 'changedMeanwhile',
  });
  expect(directory?.webhooks.get(webhook.id)?.enabled).toBe(false);
});
