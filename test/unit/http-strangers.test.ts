import { beforeEach, expect, test } from 'vitest';
import type { Account } from '../../src/domain/account.ts';
import { tableOf } from '../../src/services/directory-document.ts';
import { alice, directory, london, reception, request, world } from './http-world.ts';

/** What a site administrator is told of people and phones elsewhere: nothing, refusals included. */

const CSRF = 'csrf-of-the-test';
const COOKIE = { cookie: 'hotdesk=whoever', 'x-csrf-token': CSRF };
const TWO_SITES = tableOf([
  { kind: 'company', value: directory.company },
  { kind: 'site', value: london },
  { kind: 'site', value: { ...london, id: 'leeds', name: 'Leeds' } },
  { kind: 'user', value: alice },
  { kind: 'user', value: { ...alice, extension: '1002', site: 'leeds', numbers: [] } },
  { kind: 'host', value: { ...reception, id: 'desk' } },
  { kind: 'host', value: { ...reception, id: 'other', nickname: 'Far desk', site: 'leeds' } },
]);

function signInAs(role: Account['role']): void {
  const mine = role === 'user' ? { extension: alice.extension } : { sites: [london.id] };
  const account: Account = {
    ...{ id: 'a1', email: 'kim@example.com', name: 'Kim', role, disabled: false },
    ...(role !== 'administrator' && mine),
  };
  world.session = { id: 'x', account, csrf: CSRF };
}

beforeEach(() => {
  world.view = { knowledge: 'fresh', directory: TWO_SITES };
});

const PROBLEMS = [
  'user:1001.numbers: +441 is the number of 1002 already',
  'user:1001.numbers: +442 is the number of 1001 already',
  'user:1001.mailbox: 9 is the mailbox of 1002 already',
  'host:desk.mac: 0004f2 is the MAC of other already',
  'host:desk.mac: 0004f3 is the MAC of desk already',
];

test.each([
  ['siteAdministrator', ['taken', '1001', 'taken', 'taken', 'desk']],
  ['administrator', ['1002', '1001', '1002', 'other', 'desk']],
] as const)('who has a number or a MAC already: %s', async (role, told) => {
  signInAs(role);
  world.answer = { refused: 'invalidDirectory', detail: PROBLEMS.join('; '), problems: PROBLEMS };
  const { status, json } = await request('PATCH', '/api/v1/users/1001', {
    ...{ token: '', headers: COOKIE, body: { numbers: ['+441'] } },
  });
  expect(status).toBe(422);
  const words = told.map((who) => (who === 'taken' ? 'is taken already' : `of ${who} already`));
  for (const [i, word] of words.entries()) {
    expect(json.errors[i].message).toContain(word);
    expect(json.detail.split('; ')[i]).toContain(word);
  }
});

test.each([
  ['siteAdministrator', ['desk']],
  ['user', ['other', 'desk']],
  ['administrator', ['other', 'desk']],
] as const)('where somebody may be connected: %s', async (role, offered) => {
  signInAs(role);
  const { json } = await request('GET', '/api/v1/users/1001/hosts', { token: '', headers: COOKIE });
  const ids = json.hosts.map((one: { readonly id: string }) => one.id);
  expect([ids.toSorted().reverse(), json.total]).toEqual([offered, offered.length]);
});
