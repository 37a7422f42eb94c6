import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { ApiWalk } from '../support/api-walk.ts';
import { type Hotdesk, startHotdesk } from '../support/hotdesk.ts';
import { CLIENT, type IdentityProvider, startIdentityProvider } from '../support/identity-provider.ts';
import { freePort } from '../support/redis-node.ts';
import { accountStory, providerStory } from './api-walk/accounts.ts';
import { eventStory, webhookStory } from './api-walk/events.ts';
import { peopleStory } from './api-walk/people.ts';
import { orderStory, phoneStory } from './api-walk/phones.ts';

/** Every operation of the OpenAPI document, with what it cannot take and, in a story of its area, with what it takes. */

let data: string;
let provider: IdentityProvider;
let hotdesk: Hotdesk;
const walk = new ApiWalk(() => hotdesk);

beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), 'hotdesk-e2e-'));
  provider = await startIdentityProvider();
  const port = await freePort();
  const oidc = {
    ...{ name: 'Example Ltd', issuer: provider.issuer, clientId: CLIENT.id, clientSecret: CLIENT.secret },
  };
  const webPhone = { enabled: 'always', url: 'ws://127.0.0.1:9/' };
  const http = { port, publicUrl: `http://127.0.0.1:${port}`, oidc };
  hotdesk = await startHotdesk({ data, settings: { http, webPhone, media: { webrtc: 'off' } } });
});
afterEach(() => hotdesk.tidy());
afterAll(async () => {
  await hotdesk.stop();
  await provider.stop();
  await rm(data, { recursive: true, force: true });
});

describe('every operation of the document', () => {
  test('wants to know who asks', async () => {
    const contract = await walk.contract();
    const closed = [...contract.operations].filter(([, { security }]) => !security);
    expect(closed.length).toBeGreaterThan(75);
    for (const [name] of closed) {
      const answer = await walk.ask(name, { as: 'nobody' });
      expect(answer.status, name).toBe(401);
      expect(contract.ofAnswer(name, answer), name).toEqual([]);
    }
  });

  test('refuses what it cannot take with a problem, and never breaks', async () => {
    const contract = await walk.contract();
    for (const [name, { parameters = [], requestBody }] of contract.operations) {
      const takesQuery = parameters.some((one) => one.in === 'query');
      if (!requestBody && !takesQuery && !name.includes('{')) continue;
      const answer = await walk.ask(name, {
        ...(takesQuery && { query: { 'no-such-parameter': '1' } }),
        ...(requestBody && { body: { 'no-such-field': 1 } }),
      });
      expect(answer.status, name).toBeGreaterThanOrEqual(400);
      expect(answer.status, name).toBeLessThan(500);
      expect(answer.body, name).toMatchObject({ status: answer.status });
      expect(contract.ofAnswer(name, answer), name).toEqual([]);
    }
  });
});

peopleStory(walk);
phoneStory(walk);
orderStory(walk);
eventStory(walk);
webhookStory(walk);
accountStory(walk, () => data);
providerStory(walk, () => provider);

test('nothing of the document was left out', async () => {
  expect(await walk.left()).toEqual([]);
});
