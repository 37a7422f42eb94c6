import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { personAt } from '../../../src/domain/reach.ts';
import { isRefusal } from '../../../src/domain/reasons.ts';
import { DirectoryLists } from '../../../src/services/lists/directory-lists.ts';
import { fakeHash } from './fake-passcodes.ts';
import { ACTOR, guestOffice, HOUR, PASSCODE, people, phones, reason } from './guest-office.ts';
import { settle } from './harness.ts';

type Office = Awaited<ReturnType<typeof guestOffice>>;

function owned({ view }: Office, id: string): string | undefined {
  const { directory } = view;
  const at = directory?.hosts.get(id);
  return directory && at && personAt(at, directory, view)?.extension;
}

describe('identify', () => {
  const claim = { host: 'd1', extension: '1003', passcode: PASSCODE, source: '192.0.2.1' };

  test('says who it is, and changes nothing', async () => {
    const { hotDesk, events, seats, harness } = await guestOffice();
    const before = events().length;
    expect(await hotDesk.identify(claim)).toEqual({ user: expect.objectContaining({ extension: '1003' }) });
    expect(events()).toHaveLength(before);
    expect(await seats()).toEqual([]);
    expect(JSON.stringify(harness.log.lines)).not.toContain(PASSCODE);
  });

  test('whoever it is: no licence is asked for', async () => {
    const { hotDesk } = await guestOffice();
    expect(reason(await hotDesk.identify({ ...claim, extension: '1004' }))).toBeUndefined();
  });

  test.each([
    ['a wrong passcode', { passcode: '583915' }],
    ['an unknown extension', { extension: '1777' }],
  ])('%s is told nothing else, and takes the same steps', async (_, differs) => {
    const { hotDesk, store, passcodes } = await guestOffice();
    store.calls.length = 0;
    expect(await hotDesk.identify({ ...claim, ...differs })).toEqual({ refused: 'badCredentials' });
    expect(store.calls).toEqual(['reserveGuess']);
    expect(passcodes.verified).toHaveLength(1);
  });

  test('has one budget of guesses with logIn', async () => {
    const { hotDesk, logIn, passcodes } = await guestOffice();
    const wrong = { ...claim, passcode: '1' };
    await Promise.all(Array.from({ length: 40 }, () => hotDesk.identify(wrong)));
    expect(passcodes.verified).toHaveLength(5);
    expect(reason(await logIn('d2', '1003'))).toBe('tooManyTries');
    expect(reason(await hotDesk.identify(claim))).toBe('tooManyTries');
  });

  test('a passcode that was given out is replaced here as well', async () => {
    const users = people.map((one) => ({ ...one, passcodeOneTime: one.extension === '1003' }));
    const { hotDesk, userNow } = await guestOffice({ users });
    expect(await hotDesk.identify(claim)).toEqual({ refused: 'newPasscodeNeeded' });
    expect(reason(await hotDesk.identify({ ...claim, newPasscode: '123456' }))).toBe('passcodeTooSimple');
    const done = await hotDesk.identify({ ...claim, newPasscode: '204863' });
    expect(done).toMatchObject({ user: { passcodeHash: fakeHash('204863'), passcodeOneTime: false } });
    expect(userNow('1003')?.passcodeHash).toBe(fakeHash('204863'));
    expect(reason(await hotDesk.identify(claim))).toBe('badCredentials');
  });

  test('the store away, and a host that is none', async () => {
    const { hotDesk, harness } = await guestOffice();
    expect(reason(await hotDesk.identify({ ...claim, host: 'gone' }))).toBe('unknownHost');
    harness.disconnect();
    expect(reason(await hotDesk.identify(claim))).toBe('storeUnavailable');
  });
});

describe('associateGuest, standing before the host', () => {
  test('the limit is the host’s, whatever the guest’s own (B5a)', async () => {
    const { hotDesk, harness, events } = await guestOffice();
    const at = async (host: string, extension: string) => {
      const result = await hotDesk.associateGuest({ host, extension });
      if (isRefusal(result)) return result.refused;
      const { expiresAt } = result.association;
      return expiresAt === 'never' ? expiresAt : (expiresAt - harness.now) / HOUR;
    };
    expect(await at('u1002', '1003')).toBe(24);
    expect(await at('u1001', '1003')).toBe('never');
    expect(await at('d1', '1003')).toBe(12);
    expect(events().at(-1)).toMatchObject({ kind: 'start', actor: 'guest', reason: 'move' });
  });

  test('occupied: denied, the first undisturbed (B5b); elsewhere: moved, the old host free at once (B5c)', async () => {
    const { hotDesk, view, seats } = await guestOffice();
    await hotDesk.associateGuest({ host: 'u1002', extension: '1003' });
    expect(reason(await hotDesk.associateGuest({ host: 'u1002', extension: '1005' }))).toBe('occupied');
    expect(await hotDesk.associateGuest({ host: 'u1001', extension: '1003' })).toMatchObject({
      movedFrom: { id: 'u1002' },
    });
    expect(view.associationAt('u1002')).toBeUndefined();
    expect(reason(await hotDesk.associateGuest({ host: 'u1002', extension: '1005' }))).toBeUndefined();
    expect(await seats()).toEqual(['1003@u1001', '1005@u1002']);
  });

  test.each([
    ['no add-on (B1)', 'u1002', '1004', 'notLicensed'],
    ['own host', 'u1001', '1001', 'ownHost'],
    ['unknown', 'u1002', '1777', 'unknownUser'],
    ['no host', 'gone', '1001', 'unknownHost'],
  ])('refused: %s', async (_, host, extension, expected) => {
    const { hotDesk } = await guestOffice();
    expect(reason(await hotDesk.associateGuest({ host, extension }))).toBe(expected);
  });

  test('two guests at the same moment: one is in, the other is told', async () => {
    const pick = fc.array(fc.constantFrom('1001', '1003', '1005'), { minLength: 2, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(pick, async (extensions) => {
        const { hotDesk, seats } = await guestOffice();
        const results = await Promise.all(
          extensions.map((extension) => hotDesk.associateGuest({ host: 'u1002', extension })),
        );
        const [first] = extensions;
        expect(await seats()).toEqual([`${first}@u1002`]);
        expect(results.map(reason)).toEqual(
          extensions.map((extension, i) =>
            i === 0 ? undefined : extension === first ? 'alreadyHere' : 'occupied',
          ),
        );
      }),
      { numRuns: 50 },
    );
  });
});

describe('leave', () => {
  const seated = async () => {
    const office = await guestOffice();
    await office.hotDesk.associateGuest({ host: 'u1002', extension: '1003' });
    return office;
  };

  test('the guest leaves, the owner is back at once (B6)', async () => {
    const office = await seated();
    expect(owned(office, 'u1002')).toBe('1003');
    expect(await office.hotDesk.leave({ host: 'u1002', extension: '1003' })).toMatchObject({
      association: { guest: '1003' },
    });
    expect(owned(office, 'u1002')).toBe('1002');
    expect(office.events().at(-1)).toMatchObject({ kind: 'end', reason: 'loggedOut', actor: 'guest' });
  });

  test.each([
    ['somebody else', { host: 'u1002', extension: '1005' }, 'notYours'],
    ['the owner', { host: 'u1002', extension: '1002' }, 'notYours'],
    ['nobody is there', { host: 'd1', extension: '1003' }, 'nobodyHere'],
    ['who sits nowhere', { extension: '1005' }, 'nobodyHere'],
    ['nobody we know', { extension: '1777' }, 'unknownUser'],
    ['no host of ours', { host: 'gone', extension: '1003' }, 'unknownHost'],
  ])('denied, and nothing changes: %s (B6)', async (_, request, expected) => {
    const office = await seated();
    expect(reason(await office.hotDesk.leave(request))).toBe(expected);
    expect(await office.seats()).toEqual(['1003@u1002']);
  });

  test('from afar, wherever they sit; an administrator releases', async () => {
    const office = await seated();
    await office.guests.disconnect({ extension: '1003', actor: 'guest' });
    expect(await office.seats()).toEqual([]);
    expect(office.events().at(-1)).toMatchObject({ reason: 'loggedOut', actor: 'guest' });
    await office.hotDesk.associateGuest({ host: 'd1', extension: '1003' });
    await office.guests.disconnect({ extension: '1003', actor: ACTOR });
    expect(office.events().at(-1)).toMatchObject({ reason: 'released', actor: ACTOR });
    expect(reason(await office.guests.disconnect({ extension: '1003', actor: ACTOR }))).toBe('nobodyHere');
  });

  test('with the store away they are gone here at once; not for an administrator, and not who sits elsewhere', async () => {
    const office = await seated();
    const { hotDesk, store, harness, guests } = office;
    store.down = true;
    expect(reason(await guests.disconnect({ extension: '1003', actor: ACTOR }))).toBe('storeUnavailable');
    expect(reason(await hotDesk.leave({ host: 'u1002', extension: '1005' }))).toBe('notYours');
    expect(reason(await hotDesk.leave({ host: 'd1', extension: '1003' }))).toBe('storeUnavailable');
    expect(owned(office, 'u1002')).toBe('1003');
    expect(await hotDesk.leave({ extension: '1003' })).toMatchObject({ association: { host: 'u1002' } });
    expect(owned(office, 'u1002')).toBe('1002');
    store.down = false;
    harness.pass(1_000);
    await settle();
    expect(await office.seats()).toEqual([]);
  });

  test('a deadline: the owner is back at that moment', async () => {
    const office = await seated();
    office.harness.now += 24 * HOUR - 1;
    expect(owned(office, 'u1002')).toBe('1003');
    office.harness.now += 1;
    expect(owned(office, 'u1002')).toBe('1002');
  });
});

describe('a guest’s own settings (B3)', () => {
  test('the hosts to choose from', async () => {
    const { guests, hotDesk, harness, view } = await guestOffice();
    const lists = new DirectoryLists({ view });
    const offered = async (extension: string) => {
      const list = await lists.hostsFor(extension, { limit: 100 });
      if (isRefusal(list)) return list.refused;
      return list.entries.map(({ host, free }) => `${host}${free ? '' : ' taken'}`);
    };
    expect(await offered('1001')).toEqual(['d1', 'd2', 'u1002']);
    expect(await offered('1005')).toEqual(['u1001', 'u1002']);
    expect(await offered('1004')).toBe('notLicensed');
    expect(await offered('1777')).toBe('unknownUser');
    await hotDesk.associateGuest({ host: 'u1002', extension: '1003' });
    expect(await offered('1005')).toEqual(['u1001', 'u1002 taken']);
    await guests.change('1005', { enabled: false }, { actor: ACTOR });
    expect(await offered('1005')).toBe('guestDisabled');
    harness.disconnect();
    expect(await offered('1001')).toHaveLength(3);
  });

  test('connect: at once, with the guest’s own limit', async () => {
    const { guests, harness, events } = await guestOffice();
    const result = await guests.connect({ host: 'u1002', extension: '1003', actor: 'guest' });
    expect(result).toMatchObject({ association: { expiresAt: harness.now + 8 * HOUR } });
    expect(events().at(-1)).toMatchObject({ kind: 'start', actor: 'guest' });
  });

  test('connect: refused with the figures when the host enforces a shorter limit', async () => {
    const { guests, seats } = await guestOffice();
    const connect = (extension: string) => guests.connect({ host: 'u1002', extension, actor: 'guest' });
    expect(await connect('1001')).toEqual({
      refused: 'limitTooLong',
      detail: 'the host allows 24 h at most; the guest has no limit',
    });
    await guests.change('1001', { associationLimitHours: 30 }, { actor: 'guest' });
    expect(await connect('1001')).toMatchObject({ detail: expect.stringMatching(/24 h.*30 h/) });
    expect(await seats()).toEqual([]);
    await guests.change('1001', { associationLimitHours: 24 }, { actor: 'guest' });
    expect(reason(await connect('1001'))).toBeUndefined();
  });

  test('change: what is not given stays, undefined clears; the log of changes names who', async () => {
    const { guests, userNow, events } = await guestOffice();
    await guests.change('1003', { enabled: false }, { actor: 'guest' });
    expect(userNow('1003')).toMatchObject({ guestEnabled: false, associationLimitHours: 8 });
    expect(events().at(-1)).toMatchObject({ kind: 'directory', actor: 'guest', entries: ['user:1003'] });
    await guests.change('1003', { enabled: true, associationLimitHours: undefined }, { actor: ACTOR });
    expect(userNow('1003')).toMatchObject({ guestEnabled: true });
    expect(userNow('1003')?.associationLimitHours).toBeUndefined();
    const before = events().length;
    expect(await guests.change('1003', { enabled: true }, { actor: ACTOR })).toMatchObject({
      extension: '1003',
    });
    expect(events()).toHaveLength(before);
  });

  test.each([
    ['1004', { enabled: true }, 'notLicensed'],
    ['1777', { enabled: true }, 'unknownUser'],
    ['1003', { associationLimitHours: 1000 }, 'invalidDirectory'],
    ['1003', { associationLimitHours: 0 }, 'invalidDirectory'],
  ])('%s %j: %s', async (extension, change, expected) => {
    const { guests } = await guestOffice();
    expect(reason(await guests.change(extension, change, { actor: ACTOR }))).toBe(expected);
  });

  test('not while they sit at a user host; at a common area phone it does not matter', async () => {
    const { guests, hotDesk, userNow } = await guestOffice();
    await hotDesk.associateGuest({ host: 'u1002', extension: '1003' });
    expect(await guests.change('1003', { associationLimitHours: 4 }, { actor: 'guest' })).toEqual({
      refused: 'associationRunning',
      detail: '1003 is logged in at u1002: release first',
    });
    expect(reason(await guests.change('1003', { enabled: false }, { actor: ACTOR }))).toBe(
      'associationRunning',
    );
    // What is so already is no change.
    expect(reason(await guests.change('1003', { enabled: true }, { actor: ACTOR }))).toBeUndefined();
    expect(userNow('1003')).toMatchObject({ associationLimitHours: 8, guestEnabled: true });
    await hotDesk.associateGuest({ host: 'd1', extension: '1003' });
    expect(
      reason(await guests.change('1003', { associationLimitHours: 4 }, { actor: 'guest' })),
    ).toBeUndefined();
  });

  test('a common area phone by licence, a user host by add-on and service', async () => {
    const { guests, hotDesk } = await guestOffice();
    await guests.change('1003', { enabled: false }, { actor: ACTOR });
    expect(reason(await hotDesk.associateGuest({ host: 'u1002', extension: '1003' }))).toBe('guestDisabled');
    expect(reason(await hotDesk.associateGuest({ host: 'd1', extension: '1003' }))).toBeUndefined();
    expect(reason(await hotDesk.associateGuest({ host: 'd2', extension: '1005' }))).toBe('notLicensed');
  });
});

test('whatever guests do at once: one at each host, each at one host, and nobody at a host of their own', async () => {
  const ids = phones.map(({ id }) => id);
  const step = fc.record({
    what: fc.constantFrom('take', 'take', 'leave', 'leave here', 'release'),
    host: fc.constantFrom(...ids),
    extension: fc.constantFrom('1001', '1003', '1005'),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const { hotDesk, seats, view } = await guestOffice();
      await Promise.all(
        steps.map(({ what, host, extension }) => {
          if (what === 'take') return hotDesk.associateGuest({ host, extension });
          if (what === 'release') return hotDesk.release({ host, actor: ACTOR });
          return hotDesk.leave({ extension, ...(what === 'leave here' && { host }) });
        }),
      );
      const taken = await seats();
      const [guests, hosts] = [0, 1].map((i) => taken.map((seat) => seat.split('@')[i]));
      expect(new Set(guests).size).toBe(taken.length);
      expect(new Set(hosts).size).toBe(taken.length);
      expect(taken).not.toContain('1001@u1001');
      for (const id of ids) {
        const guest = taken.find((seat) => seat.endsWith(`@${id}`))?.split('@')[0];
        expect(view.associationAt(id)?.guest).toBe(guest);
      }
    }),
    { numRuns: 100 },
  );
});
