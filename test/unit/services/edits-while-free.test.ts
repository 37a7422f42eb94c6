import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isAgainstRules } from '../../../src/domain/association.ts';
import { ACTOR, guestOffice, reason, slowNode } from './guest-office.ts';
import { settle } from './harness.ts';

/** A login and a change of the rules it goes by, at the same moment, on two nodes. */

const by = { actor: ACTOR };
const released = { ...by, release: true };
const TWO_HOURS = { associationLimitHours: 2 } as const;

type Office = Awaited<ReturnType<typeof guestOffice>>;

/** Something happens in the store just before the directory is written. */
function beforeWriting({ store }: Office, work: () => Promise<unknown>): void {
  const write = store.writeDirectory.bind(store);
  store.writeDirectory = async (order) => {
    store.writeDirectory = write;
    await work();
    return write(order);
  };
}

describe('a login that stands before the change in the log', () => {
  test('is found when the change has been read back, and the change is taken back', async () => {
    const office = await guestOffice();
    const { hosts, hotDesk, hostNow, seats, events } = office;
    beforeWriting(office, () => hotDesk.associateGuest({ host: 'u1002', extension: '1003' }));
    const change = { ...TWO_HOURS, nickname: 'Window' };
    expect(reason(await hosts.change('u1002', change, by))).toBe('associationRunning');
    expect(hostNow('u1002')).toMatchObject({ associationLimitHours: 24, nickname: 'u1002' });
    expect(await seats()).toEqual(['1003@u1002']);
    expect(events().slice(-3)).toMatchObject([
      { kind: 'start' },
      { kind: 'directory', actor: ACTOR },
      { kind: 'directory', actor: ACTOR },
    ]);
  });

  test('what others have changed since stays', async () => {
    const office = await guestOffice();
    const { hosts, hotDesk, hostNow, store } = office;
    beforeWriting(office, async () => {
      await hotDesk.associateGuest({ host: 'u1002', extension: '1003' });
      // Once the change stands, before it is taken back.
      beforeWriting(office, async () => {
        const value = { ...hostNow('u1002')!, model: 'VVX 601' };
        await store.writeDirectory({ put: new Map([['host:u1002', value]]), remove: [], actor: 'test' });
      });
    });
    expect(reason(await hosts.change('u1002', TWO_HOURS, by))).toBe('associationRunning');
    expect(hostNow('u1002')).toMatchObject({ associationLimitHours: 24, model: 'VVX 601' });
  });

  test('is released where that was asked for, and the change stands', async () => {
    const office = await guestOffice();
    const { addOns, hotDesk, userNow, seats } = office;
    beforeWriting(office, () => hotDesk.associateGuest({ host: 'u1002', extension: '1003' }));
    expect(reason(await addOns.assign('1003', { addOns: [] }, released))).toBeUndefined();
    expect(userNow('1003')?.addOns).toEqual([]);
    expect(await seats()).toEqual([]);
  });

  test('is left there where somebody else was meant, and the change is taken back', async () => {
    const office = await guestOffice();
    const { hosts, hotDesk, hostNow, seats, view } = office;
    await hotDesk.associateGuest({ host: 'u1002', extension: '1003' });
    const meant = { ...released, generation: view.associationAt('u1002')?.generation };
    beforeWriting(office, async () => {
      await hotDesk.associateGuest({ host: 'u1002', extension: '1001' });
    });
    expect(reason(await hosts.change('u1002', TWO_HOURS, meant))).toBe('changedMeanwhile');
    expect(hostNow('u1002')?.associationLimitHours).toBe(24);
    expect(await seats()).toEqual(['1001@u1002']);
  });

  test('an owner’s add-on that others hold meanwhile is given back as it was', async () => {
    const office = await guestOffice();
    const { addOns, hotDesk, userNow } = office;
    beforeWriting(office, () => hotDesk.associateGuest({ host: 'u1002', extension: '1003' }));
    expect(reason(await addOns.assign('1002', { addOns: [] }, by))).toBe('associationRunning');
    expect(userNow('1002')?.addOns).toEqual(['host']);
  });
});

describe('a login that stands after the change, decided by a node that had not heard of it', () => {
  const crossed = async (change: (office: Office) => Promise<object>) => {
    const office = await guestOffice();
    const slow = await slowNode(office.harness);
    office.orphans.start();
    expect(reason(await change(office))).toBeUndefined();
    expect(reason(await slow.hotDesk.associateGuest({ host: 'u1002', extension: '1003' }))).toBeUndefined();
    await settle();
    await office.orphans.stop();
    return office;
  };

  test.each<[string, (office: Office) => Promise<object>]>([
    ['limit', ({ hosts }) => hosts.change('u1002', TWO_HOURS, by)],
    ['access', ({ hosts }) => hosts.change('u1002', { accessLevel: 'site' }, by)],
    ['host off', ({ hosts }) => hosts.change('u1002', { enabled: false }, by)],
    ['guest off', ({ guests }) => guests.change('1003', { enabled: false }, { actor: ACTOR })],
    ['guest add-on', ({ addOns }) => addOns.assign('1003', { addOns: [] }, by)],
    ['host add-on', ({ addOns }) => addOns.assign('1002', { addOns: [] }, by)],
  ])('is released: %s', async (_, change) => {
    const { seats, events, harness } = await crossed(change);
    expect(await seats()).toEqual([]);
    expect(events().at(-1)).toMatchObject({ kind: 'end', reason: 'released', actor: 'system' });
    expect(JSON.stringify(harness.log.lines)).toContain('released: the rules had changed');
  });

  test('stays where the rules still let it', async () => {
    const { seats } = await crossed(({ hosts }) => hosts.change('u1002', { associationLimitHours: 48 }, by));
    expect(await seats()).toEqual(['1003@u1002']);
  });

  test('is not judged by an entry that this node cannot read', async () => {
    const { orphans, harness, hotDesk, seats, store } = await guestOffice();
    orphans.start();
    await hotDesk.associateGuest({ host: 'd1', extension: '1003' });
    const slow = await slowNode(harness);
    const off = { ...(store.directory.get('host:u1002') as object), enabled: false };
    const write = (value: unknown) =>
      store.writeDirectory({ put: new Map([['host:u1002', value]]), remove: [], actor: 'test' });
    await write(off);
    await write({ ...off, of: 'a later version' });
    await slow.hotDesk.associateGuest({ host: 'u1002', extension: '1003' });
    await settle();
    expect(await seats()).toEqual(['1003@u1002']);
    await orphans.stop();
  });
});

test('who changes rules and who logs in, in any order on two nodes: nobody stays against the rules', async () => {
  const change = fc.record({
    what: fc.constantFrom('limit', 'access', 'host', 'guest', 'guest add-on', 'host add-on', 'licence'),
    strict: fc.boolean(),
    release: fc.boolean(),
    hosts: fc.constantFrom('u1001', 'u1002'),
    wait: fc.nat(12),
  });
  const login = fc.record({
    slow: fc.boolean(),
    hosts: fc.constantFrom('u1001', 'u1002', 'd1'),
    guest: fc.constantFrom('1001', '1003', '1005'),
    wait: fc.nat(12),
  });
  const apply = (
    office: Office,
    step: { what: string; strict: boolean; release: boolean; hosts: string },
  ) => {
    const { hosts, guests, addOns } = office;
    const { what, strict, release, hosts: id } = step;
    const options = { ...by, release };
    const owner = id.slice(1);
    switch (what) {
      case 'limit':
        return hosts.change(id, { associationLimitHours: strict ? 1 : undefined }, options);
      case 'access':
        return hosts.change(id, { accessLevel: strict ? 'site' : 'company' }, options);
      case 'host':
        return hosts.change(id, { enabled: !strict }, options);
      case 'guest':
        return guests.change('1003', { enabled: !strict }, { actor: ACTOR });
      case 'licence':
        return addOns.assign('1003', { hotDeskLicence: !strict }, options);
      case 'guest add-on':
        return addOns.assign('1003', { addOns: strict ? [] : ['guest'] }, options);
      default:
        return addOns.assign(owner, { addOns: strict ? ['guest'] : ['host', 'guest'] }, options);
    }
  };
  const turns = async (count: number) => {
    for (let turn = 0; turn < count; turn++) await Promise.resolve();
  };
  let left = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(change, { minLength: 1, maxLength: 5 }),
      fc.array(login, { minLength: 1, maxLength: 8 }),
      async (changes, logins) => {
        const office = await guestOffice();
        const slow = await slowNode(office.harness);
        office.orphans.start();
        await Promise.all([
          ...changes.map(async (step) => {
            await turns(step.wait);
            await apply(office, step);
          }),
          ...logins.map(async ({ slow: isSlow, hosts: host, guest, wait }) => {
            await turns(wait);
            await (isSlow ? slow : office).hotDesk.associateGuest({ host, extension: guest });
          }),
        ]);
        await settle();
        await settle();
        await office.orphans.stop();
        const { hosts, users } = office.view.directory!;
        const { associations } = await office.store.snapshot();
        left += associations.length;
        for (const association of associations) {
          const host = hosts.get(association.host)!;
          const facts = { host, user: users.get(association.guest)!, owner: users.get(host.owner ?? '') };
          expect(isAgainstRules(association, facts)).toBe(false);
        }
      },
    ),
    { numRuns: 300 },
  );
  // Not because nobody ever got in.
  expect(left).toBeGreaterThan(100);
});
