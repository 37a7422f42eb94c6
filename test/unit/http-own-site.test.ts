import { expect, test } from 'vitest';
import type { Account } from '../../src/domain/account.ts';
import { alice, london, request, world } from './http-world.ts';

/** A person is told of the site where they work, and of no other. */

const CSRF = 'csrf-of-the-test';
const cookie = { headers: { cookie: 'hotdesk=whoever', 'x-csrf-token': CSRF }, token: '' };

async function siteOf(more: Partial<Account>) {
  const account: Account = {
    ...{ id: 'a1', email: 'kim@example.com', name: 'Kim', role: 'user', disabled: false },
    ...more,
  };
  world.session = { id: 'x', account, csrf: CSRF };
  const { status, json } = await request('GET', '/api/v1/session', cookie);
  expect(status).toBe(200);
  return json.site;
}

test('a person has the name and the zone of theirs, and nothing else of it', async () => {
  const { id, name, timeZone } = london;
  expect(await siteOf({ extension: alice.extension })).toEqual({ id, name, timeZone });
});

test('an account of nobody, or of somebody who is gone, has none', async () => {
  expect(await siteOf({ role: 'administrator' })).toBeNull();
  expect(await siteOf({ extension: '9999' })).toBeNull();
  world.view = { knowledge: 'unknown', directory: undefined };
  expect(await siteOf({ extension: alice.extension })).toBeNull();
});
