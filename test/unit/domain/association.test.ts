import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type AssociationFacts,
  associationLimitMs,
  decideAssociation,
  isAgainstRules,
} from '../../../src/domain/association.ts';
import { association, company, host, user } from './example.ts';

const HOUR = 3_600_000;
const facts: AssociationFacts = {
  ...{ company: company(), host: host('d1'), user: user('1001') },
  ...{ owner: user('1002'), how: 'atHost' },
};
const own = host('u1002', { kind: 'user', owner: '1002' });
const guest = (hours: number | undefined) => user('1001', { associationLimitHours: hours });
const lent = (hours: number | undefined) => ({ ...own, associationLimitHours: hours });

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

  const OFF = { guestEnabled: false };
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
    ['guest service off at a user host (B3)', { host: own, user: user('1001', OFF) }, 'guestDisabled'],
    ['guest service off at a common area phone', { user: user('1001', OFF) }, undefined],
    [
      'no add-on before the service',
      { host: own, user: user('1001', { ...OFF, addOns: [] }) },
      'notLicensed',
    ],
    ['owner gone', { host: own, owner: undefined }, 'hostDisabled'],
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

describe('from afar, the guest’s own limit must not be longer than the host’s (B3)', () => {
  test.each([
    [24, undefined, 'the host allows 24 h at most; the guest has no limit'],
    [24, 25, 'the host allows 24 h at most; the limit of the guest is 25 h'],
    [1, 999, 'the host allows 1 h at most; the limit of the guest is 999 h'],
    [24, 24, undefined],
    [24, 1, undefined],
    [undefined, 999, undefined],
    [undefined, undefined, undefined],
  ])('host %s h, guest %s h', (hosts, guests, detail) => {
    const asked = { ...facts, host: lent(hosts), user: guest(guests) };
    const refusal = detail === undefined ? {} : { refused: 'limitTooLong', detail };
    expect(decideAssociation({ ...asked, how: 'remotely' })).toMatchObject(refusal);
    if (detail === undefined)
      expect(decideAssociation({ ...asked, how: 'remotely' })).not.toHaveProperty('refused');
    // Who stands before the host gets the host's limit (B5a), and is asked nothing.
    expect(decideAssociation(asked)).toHaveProperty('limitMs');
  });

  test('not at a common area phone', () => {
    const shared = { ...facts, host: host('d1', { associationLimitHours: 2 }), user: guest(undefined) };
    expect(decideAssociation({ ...shared, how: 'remotely' })).toMatchObject({ limitMs: 2 * HOUR });
  });

  test('who is no guest of this host learns that first', () => {
    const asked = {
      ...facts,
      host: { ...lent(1), enabled: false },
      user: guest(2),
      how: 'remotely',
    } as const;
    expect(decideAssociation(asked)).toMatchObject({ refused: 'hostDisabled' });
  });
});

describe('associationLimitMs', () => {
  const hours2 = host('d1', { associationLimitHours: 2 });
  const never = company({ associationLimit: 'never' });
  test.each([
    ['the company’s for common area phones (A4)', company({ associationLimit: 4 }), host('d1'), 4 * HOUR],
    ['never', never, host('d1'), 'never'],
    ['the host’s own', company(), host('d1', { associationLimitHours: 2 }), 2 * HOUR],
    ['the host’s own where the company’s is never', never, hours2, 2 * HOUR],
    ['the company’s when that is shorter', company({ associationLimit: 1 }), hours2, HOUR],
    ['user host without one', company(), own, 'never'],
    ['user host with one (B2)', company(), { ...own, associationLimitHours: 999 }, 999 * HOUR],
  ] as const)('%s, whatever the guest’s own', (_, firm, at, expected) => {
    for (const hours of [undefined, 1, 999]) {
      const limit = associationLimitMs({ company: firm, host: at, user: guest(hours), how: 'atHost' });
      expect(limit).toBe(expected);
    }
  });

  test.each([
    ['the guest’s own, from afar (B3)', lent(24), 3, 3 * HOUR],
    ['the guest’s own at a host without one', own, 3, 3 * HOUR],
    ['neither', own, undefined, 'never'],
    ['a common area phone has its rules', hours2, 1, 2 * HOUR],
  ] as const)('from afar: %s', (_, at, hours, expected) => {
    const asked = { company: company(), host: at, user: guest(hours), how: 'remotely' } as const;
    expect(associationLimitMs(asked)).toBe(expected);
  });

  test('the daily log-out, when that is sooner', () => {
    for (const how of ['atHost', 'remotely'] as const) {
      const asked = { company: company(), host: lent(2), user: guest(2), how };
      expect(associationLimitMs({ ...asked, untilDailyLogOutMs: 60_000 })).toBe(60_000);
      expect(associationLimitMs({ ...asked, untilDailyLogOutMs: 3 * HOUR })).toBe(2 * HOUR);
    }
    const endless = { company: never, host: host('d1'), user: user('1001'), how: 'atHost' } as const;
    expect(associationLimitMs({ ...endless, untilDailyLogOutMs: 60_000 })).toBe(60_000);
  });

  test('nobody ever stays longer than a host lets them, however they came', () => {
    const hours = fc.option(fc.integer({ min: 1, max: 999 }), { nil: undefined });
    const how = fc.constantFrom<AssociationFacts['how']>('atHost', 'remotely');
    fc.assert(
      fc.property(hours, hours, how, (hosts, guests, came) => {
        const plan = decideAssociation({ ...facts, host: lent(hosts), user: guest(guests), how: came });
        if ('refused' in plan) return came === 'remotely' && (guests ?? 1000) > (hosts ?? 0);
        const begun = association('u1002', '1001', { startedAt: 0, expiresAt: plan.limitMs });
        return !isAgainstRules(begun, { ...facts, host: lent(hosts) });
      }),
    );
  });
});

test('an association against the rules of its host', () => {
  const begun = (expiresAt: number | 'never') => association('u1002', '1001', { startedAt: 0, expiresAt });
  const rules = { host: lent(2), user: user('1001'), owner: user('1002') };
  expect(isAgainstRules(begun(2 * HOUR), rules)).toBe(false);
  expect(isAgainstRules(begun(2 * HOUR + 1), rules)).toBe(true);
  expect(isAgainstRules(begun('never'), rules)).toBe(true);
  expect(isAgainstRules(begun('never'), { ...rules, host: own })).toBe(false);
  expect(isAgainstRules(begun(HOUR), { ...rules, owner: user('1002', { addOns: [] }) })).toBe(true);
  expect(isAgainstRules(begun(HOUR), { ...rules, user: user('1001', { guestEnabled: false }) })).toBe(true);
});
