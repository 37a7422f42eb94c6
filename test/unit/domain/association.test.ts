import { describe, expect, test } from 'vitest';
import {
  type AssociationFacts,
  associationLimitMs,
  decideAssociation,
} from '../../../src/domain/association.ts';
import { association, company, host, user } from './example.ts';

const HOUR = 3_600_000;
const facts: AssociationFacts = { company: company(), host: host('d1'), user: user('1001') };
const own = host('u1002', { kind: 'user', owner: '1002' });

describe('decideAssociation', () => {
  test('yes: everything the store needs', () => {
    const takeover = company({ occupiedDeskPolicy: 'takeover', secondDeskPolicy: 'deny' });
    expect(decideAssociation({ ...facts, company: takeover })).toEqual({
      host: 'd1',
      guest: '1001',
      site: 'london',
      limitMs: 12 * HOUR,
      idleLimitMs: 'never',
      occupied: 'takeover',
      secondDesk: 'deny',
    });
  });

  const closed = host('d1', { enabled: false });
  const leedsOnly = host('d3', { site: 'leeds', accessLevel: 'site' });
  const cases: [string, Partial<AssociationFacts>, string | undefined][] = [
    [
      'no hot-desk licence at a common area phone (A7)',
      { user: user('1001', { hotDeskLicence: false }) },
      'notLicensed',
    ],
    [
      'no guest add-on at a user host (B1)',
      { host: own, user: user('1001', { addOns: ['host'] }) },
      'notLicensed',
    ],
    [
      'guest add-on at a user host',
      { host: own, user: user('1001', { addOns: ['guest'], hotDeskLicence: false }) },
      undefined,
    ],
    ['hot-desk licence needs no add-on', { user: user('1001', { addOns: [] }) }, undefined],
    [
      'licence before all else',
      { host: closed, user: user('1001', { hotDeskLicence: false }) },
      'notLicensed',
    ],
    ['host off', { host: closed }, 'hostDisabled'],
    ['owner without host add-on (B1)', { host: own, owner: user('1002', { addOns: [] }) }, 'hostDisabled'],
    ['other site, host for its site only (B2)', { host: leedsOnly }, 'notAllowedHere'],
    ['same site', { host: leedsOnly, user: user('1003', { site: 'leeds' }) }, undefined],
    ['other site, host for the company', { host: host('d3', { site: 'leeds' }) }, undefined],
    ['own phone', { host: own, user: user('1002') }, 'ownHost'],
    ['already here', { current: association('d1', '1001') }, 'alreadyHere'],
    ['occupied (B5b)', { current: association('d1', '1002') }, 'occupied'],
    [
      'take over',
      { company: company({ occupiedDeskPolicy: 'takeover' }), current: association('d1', '1002') },
      undefined,
    ],
    ['elsewhere: move (B5c)', { elsewhere: association('d2', '1001') }, undefined],
    [
      'elsewhere: deny',
      { company: company({ secondDeskPolicy: 'deny' }), elsewhere: association('d2', '1001') },
      'guestElsewhere',
    ],
  ];
  test.each(cases)('%s', (_, differs, refused) => {
    const decision = decideAssociation({ ...facts, ...differs });
    expect('refused' in decision ? decision.refused : undefined).toBe(refused);
  });
});

describe('associationLimitMs', () => {
  const hours2 = host('d1', { associationLimitHours: 2 });
  test.each([
    ['the company’s for common area phones (A4)', company({ associationLimit: 4 }), host('d1'), 4 * HOUR],
    ['never', company({ associationLimit: 'never' }), host('d1'), 'never'],
    ['the host’s own', company(), host('d1', { associationLimitHours: 2 }), 2 * HOUR],
    ['the company’s when that is shorter', company({ associationLimit: 1 }), hours2, HOUR],
    ['user host without one', company(), own, 'never'],
    ['user host with one (B2)', company(), { ...own, associationLimitHours: 999 }, 999 * HOUR],
  ] as const)('%s', (_, firm, at, expected) => {
    expect(associationLimitMs({ company: firm, host: at, user: user('1001') })).toBe(expected);
  });

  test('the guest’s own (B3) and the daily log-out, when they are shorter', () => {
    const facts = { company: company(), host: hours2, user: user('1001', { associationLimitHours: 1 }) };
    expect(associationLimitMs(facts)).toBe(HOUR);
    expect(associationLimitMs({ ...facts, untilDailyLogOutMs: 60_000 })).toBe(60_000);
    expect(associationLimitMs({ ...facts, untilDailyLogOutMs: 2 * HOUR })).toBe(HOUR);
    const never = { company: company({ associationLimit: 'never' }), host: host('d1'), user: user('1001') };
    expect(associationLimitMs({ ...never, untilDailyLogOutMs: 60_000 })).toBe(60_000);
  });
});
