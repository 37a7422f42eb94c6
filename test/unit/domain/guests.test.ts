import { describe, expect, test } from 'vitest';
import type { User } from '../../../src/domain/directory.ts';
import { availableHost, refuseGuestEverywhere } from '../../../src/domain/guests.ts';
import { directory, host, user, viewOf } from './example.ts';

const lent = (id: string, owner: string, differs = {}) => host(id, { kind: 'user', owner, ...differs });

const people = [
  user('1001'),
  user('1002', { name: 'Oliver Hughes' }),
  user('1003', { site: 'leeds', hotDeskLicence: false, numbers: [] }),
  user('1004', { addOns: ['guest'] }),
];
const acme = directory({
  users: people,
  hosts: [
    host('d1', { nickname: 'Reception' }),
    host('d2', { nickname: 'Window', associationLimitHours: 2 }),
    lent('u1001', '1001'),
    lent('u1002', '1002', { nickname: 'Oliver', associationLimitHours: 24 }),
    lent('u1003', '1003', { site: 'leeds', accessLevel: 'site', nickname: 'Priya' }),
    lent('u1004', '1004', { nickname: 'George' }),
    lent('off', '1002', { enabled: false }),
    lent('gone', '1777'),
  ],
});

const availableHosts = (person: User, seats = {}) =>
  [...acme.hosts.values()].flatMap(
    (one) => availableHost(person, one, { directory: acme, view: viewOf({ directory: acme, seats }) }) ?? [],
  );

function offered(extension: string, differs = {}, seats = {}): string[] {
  const person = { ...acme.users.get(extension)!, ...differs };
  return availableHosts(person, seats).map(
    ({ host: id, limitHours, free }) => `${id} ${limitHours ?? '-'} ${free ? 'free' : 'taken'}`,
  );
}

describe('hosts a guest may choose from (B3)', () => {
  test('by licence, add-on, access level and whose phone it is', () => {
    expect(offered('1001')).toEqual(['d1 12 free', 'd2 2 free', 'u1002 24 free']);
    expect(offered('1002')).toEqual(['d1 12 free', 'd2 2 free', 'u1001 - free']);
    expect(offered('1001', { hotDeskLicence: false })).toEqual(['u1002 24 free']);
    expect(offered('1001', { guestEnabled: false })).toEqual(['d1 12 free', 'd2 2 free']);
    expect(offered('1001', { addOns: [] })).toEqual(['d1 12 free', 'd2 2 free']);
    expect(offered('1001', { site: 'leeds', hotDeskLicence: false })).toEqual([
      'u1002 24 free',
      'u1003 - free',
    ]);
    expect(offered('1004', { guestEnabled: false, hotDeskLicence: false })).toEqual([]);
  });

  test('one that is taken is offered as taken', () => {
    expect(offered('1001', {}, { d1: '1004' })).toContain('d1 12 taken');
  });

  test('whose phone it is', () => {
    const [second, , first] = availableHosts(acme.users.get('1001')!);
    expect(first).toEqual({
      ...{ host: 'u1002', kind: 'user', nickname: 'Oliver', site: 'london', limitHours: 24, free: true },
      owner: { extension: '1002', name: 'Oliver Hughes', number: '+442079461002' },
    });
    expect(second).toMatchObject({ kind: 'commonArea', owner: undefined });
  });
});

test.each([
  [{}, undefined],
  [{ hotDeskLicence: false }, undefined],
  [{ hotDeskLicence: true, addOns: [] }, undefined],
  [{ hotDeskLicence: true, guestEnabled: false }, undefined],
  [{ hotDeskLicence: false, addOns: [] }, 'notLicensed'],
  [{ hotDeskLicence: false, guestEnabled: false }, 'guestDisabled'],
])('a guest nowhere: %j %s', (differs, refused) => {
  expect(refuseGuestEverywhere(user('1001', differs as object))?.refused).toBe(refused);
});
