import { describe, expect, test } from 'vitest';
import { ACTOR, guestOffice, people, reason, slowNode } from './guest-office.ts';

const by = { actor: ACTOR };
const released = { ...by, release: true };

describe('licences and add-ons (A7, B1)', () => {
  test('given and taken away; what is not named stays', async () => {
    const { addOns, userNow, events } = await guestOffice();
    expect(await addOns.assign('1004', { addOns: ['guest', 'host', 'guest'] }, by)).toMatchObject({
      ...{ addOns: ['host', 'guest'], hotDeskLicence: false },
    });
    expect(events().at(-1)).toMatchObject({ kind: 'directory', actor: ACTOR, entries: ['user:1004'] });
    await addOns.assign('1004', { hotDeskLicence: true }, by);
    expect(userNow('1004')).toMatchObject({ addOns: ['host', 'guest'], hotDeskLicence: true });
    await addOns.assign('1004', { addOns: [] }, by);
    expect(userNow('1004')).toMatchObject({ addOns: [], hotDeskLicence: true });
  });

  test.each([
    [{ addOns: ['host'] }, '2 of 2 host add-ons are assigned'],
    [{ addOns: ['guest'] }, '3 of 3 guest add-ons are assigned'],
    [{ hotDeskLicence: true }, '3 of 3 hot-desk licences are assigned'],
  ] as const)('beyond the count %j is refused, with the figures', async (wish, detail) => {
    const company = { hotDeskLicences: 3, addOnLicences: { host: 2, guest: 3 } };
    const { addOns, userNow, events } = await guestOffice({ company });
    const before = events().length;
    expect(await addOns.assign('1004', wish, by)).toEqual({ refused: 'licencesUsedUp', detail });
    expect(userNow('1004')).toMatchObject({ addOns: [], hotDeskLicence: false });
    expect(events()).toHaveLength(before);
    // Who has one keeps it, and one that is given back may be given again.
    expect(reason(await addOns.assign('1001', { addOns: ['host', 'guest'] }, by))).toBeUndefined();
    await addOns.assign('1001', { addOns: [], hotDeskLicence: false }, by);
    expect(reason(await addOns.assign('1004', wish, by))).toBeUndefined();
  });

  test('one licence, many takers: one gets it, whichever nodes they ask', async () => {
    const company = { addOnLicences: { host: 10, guest: 4 } };
    const users = [...people, ...['1006', '1007'].map((extension) => ({ ...people[3]!, extension }))];
    const { addOns, harness, view } = await guestOffice({ company, users });
    const other = await slowNode(harness);
    const wish = { addOns: ['guest'] } as const;
    const asked = [addOns.assign('1004', wish, by), addOns.assign('1006', wish, by)];
    const there = other.addOns.assign('1007', wish, by);
    const results = await Promise.all(asked);
    other.hear();
    results.push(await there);
    expect(results.map(reason).sort()).toEqual(['licencesUsedUp', 'licencesUsedUp', undefined]);
    const held = [...(view.directory?.users.values() ?? [])].filter(({ addOns: own }) =>
      own.includes('guest'),
    );
    expect(held).toHaveLength(4);
  });

  test.each([
    ['unknownUser', '1777'],
    ['storeUnavailable', '1004'],
  ])('%s', async (expected, extension) => {
    const { addOns, store } = await guestOffice();
    store.down = expected === 'storeUnavailable';
    expect(reason(await addOns.assign(extension, { addOns: ['host'] }, by))).toBe(expected);
  });

  const uses = [
    ['guest add-on of a guest', 'u1002', '1003', '1003', { addOns: [] }],
    ['host add-on of an owner', 'u1002', '1003', '1002', { addOns: ['guest'] }],
    ['hot-desk licence of a guest', 'd1', '1003', '1003', { hotDeskLicence: false }],
  ] as const;

  test.each(uses)('in use: the %s is not taken away', async (_, host, guest, whose, wish) => {
    const { addOns, hotDesk, seats, userNow } = await guestOffice();
    await hotDesk.associateGuest({ host, extension: guest });
    const before = userNow(whose);
    expect(await addOns.assign(whose, wish, by)).toMatchObject({ refused: 'associationRunning' });
    expect(userNow(whose)).toEqual(before);
    expect(await seats()).toEqual([`${guest}@${host}`]);
  });

  test.each(uses)('in use: the %s is, with a release first', async (_, host, guest, whose, wish) => {
    const { addOns, hotDesk, seats, userNow, events } = await guestOffice();
    await hotDesk.associateGuest({ host, extension: guest });
    expect(reason(await addOns.assign(whose, wish, released))).toBeUndefined();
    expect(userNow(whose)).toMatchObject(wish);
    expect(await seats()).toEqual([]);
    expect(events().slice(-2)).toMatchObject([
      { kind: 'end', reason: 'released', actor: ACTOR },
      { kind: 'directory', actor: ACTOR },
    ]);
    expect(await hotDesk.associateGuest({ host, extension: guest })).toHaveProperty('refused');
  });

  test('what is not in use is taken away from somebody who sits somewhere', async () => {
    const { addOns, hotDesk, seats } = await guestOffice();
    await hotDesk.associateGuest({ host: 'u1002', extension: '1001' });
    const wish = { addOns: ['guest'], hotDeskLicence: false } as const;
    expect(reason(await addOns.assign('1001', wish, by))).toBeUndefined();
    expect(await seats()).toEqual(['1001@u1002']);
  });

  test('refused for the count: nobody is released for it', async () => {
    const { addOns, hotDesk, seats } = await guestOffice({
      company: { addOnLicences: { host: 2, guest: 3 } },
    });
    await hotDesk.associateGuest({ host: 'u1002', extension: '1003' });
    const swap = { addOns: ['host'] } as const;
    expect(reason(await addOns.assign('1003', swap, released))).toBe('licencesUsedUp');
    expect(await seats()).toEqual(['1003@u1002']);
  });
});
