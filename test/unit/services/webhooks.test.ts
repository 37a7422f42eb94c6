import { beforeEach, describe, expect, test } from 'vitest';
import type { Webhook } from '../../../src/domain/directory.ts';
import { DirectoryTable } from '../../../src/domain/directory-table.ts';
import { isRefusal } from '../../../src/domain/reasons.ts';
import type { DirectoryService } from '../../../src/services/directory-service.ts';
import { createSealing } from '../../../src/services/sealing.ts';
import { newStatus } from '../../../src/services/webhooks/delivery.ts';
import type { PostRequest, PostResult } from '../../../src/services/webhooks/post.ts';
import { createWebhookSender } from '../../../src/services/webhooks/sender.ts';
import { createWebhookTargets } from '../../../src/services/webhooks/targets.ts';
import { Webhooks } from '../../../src/services/webhooks/webhooks.ts';
import { type DeadLetter, StoreUnavailable } from '../../../src/store/store.ts';
import { PEPPER, TestLog } from './harness.ts';
import { startEvent } from './webhooks-bench.ts';

const URL_A = 'https://hooks.example.com/a?token=in-the-url';
const sealing = createSealing({ keyId: 'p1', pepper: PEPPER });

let directory: DirectoryTable | undefined;
let letters: DeadLetter[] | Error;
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
    const changed = await webhooks.change(webhook.id, { enabled: false }, 'admin:x');
    expect(changed).toMatchObject({ webhook: { ...webhook, enabled: false } });
    expect(await webhooks.change(webhook.id, { url: 'http://example.com' }, 'a')).toMatchObject({
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
    expect(await webhooks.change('x', { enabled: true }, 'a')).toEqual(unknown);
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
    await webhooks.change(webhook.id, { enabled: false }, 'a');
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
      { consumer: 'webhook:a1', event: startEvent(3), problem: 'x', at: 5 },
      { consumer: 'lamp', event: startEvent(3), problem: 'x', at: 5 },
      { consumer: 'webhook:b2', event: startEvent(2), problem: 'y', at: 4 },
      { consumer: 'webhook:a1', event: startEvent(1), problem: 'z', at: 3 },
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
    expect(await webhooks.deadLetters({ limit: 10 })).toEqual({ refused: 'storeUnavailable' });
  });
});
