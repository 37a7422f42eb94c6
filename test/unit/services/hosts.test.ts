import { describe, expect, test } from 'vitest';
import { ACTOR, guestOffice, HOUR, reason } from './guest-office.ts';

const by = { actor: ACTOR };
const RULES = [{ associationLimitHours: 2 }, { accessLevel: 'site' }, { enabled: false }] as const;

async function taken() {
  const office = await guestOffice();
  await office.hotDesk.associateGuest({ host: 'u1002', extension: '1003' });
  return office;
}

describe('the rules of a host (B2)', () => {
  test.each(RULES)('%j: changed while nobody is there', async (change) => {
    const { hosts, hostNow, events } = await guestOffice();
    expect(await hosts.change('u1002', change, by)).toMatchObject(change);
    expect(hostNow('u1002')).toMatchObject(change);
    expect(events().at(-1)).toMatchObject({ kind: 'directory', actor: ACTOR, entries: ['host:u1002'] });
  });

  test('a limit taken away', async () => {
    const { hosts, hostNow } = await guestOffice();
    await hosts.change('u1002', { associationLimitHours: undefined }, by);
    expect(hostNow('u1002')?.associationLimitHours).toBeUndefined();
  });

  test.each([...RULES, { associationLimitHours: undefined }])('%j: not under a guest', async (change) => {
    const { hosts, hostNow, seats, events } = await taken();
    const before = events().length;
    expect(await hosts.change('u1002', { ...change, nickname: 'x' }, by)).toEqual({
      refused: 'associationRunning',
      detail: '1003 is logged in at u1002: release first',
    });
    expect(hostNow('u1002')).toMatchObject({ enabled: true, accessLevel: 'company', nickname: 'u1002' });
    expect(hostNow('u1002')?.associationLimitHours).toBe(24);
    expect(await seats()).toEqual(['1003@u1002']);
    expect(events()).toHaveLength(before);
  });

  test.each(RULES)('%j: the guest is released first, when that is asked for', async (change) => {
    const { hosts, hostNow, seats, events, harness } = await taken();
    expect(await hosts.change('u1002', change, { ...by, release: true })).toMatchObject(change);
    expect(hostNow('u1002')).toMatchObject(change);
    expect(await seats()).toEqual([]);
    expect(events().slice(-2)).toMatchObject([
      { kind: 'end', reason: 'released', actor: ACTOR, association: { guest: '1003' } },
      { kind: 'directory', actor: ACTOR },
    ]);
    expect(JSON.stringify(harness.log.lines)).toContain('released for a change of the rules');
  });

  test('anything else may change under a guest, and so may what is as it was', async () => {
    const { hosts, seats, hostNow } = await taken();
    const change = { nickname: 'Window', associationLimitHours: 24, enabled: true } as const;
    expect(await hosts.change('u1002', change, { ...by, release: true })).toMatchObject(change);
    expect(hostNow('u1002')?.nickname).toBe('Window');
    expect(await seats()).toEqual(['1003@u1002']);
  });

  test('what is not valid, or not there, releases nobody', async () => {
    const { hosts, seats } = await taken();
    const wrong = { associationLimitHours: 1000 };
    expect(reason(await hosts.change('u1002', wrong, { ...by, release: true }))).toBe('invalidDirectory');
    expect(reason(await hosts.change('gone', RULES[0], { ...by, release: true }))).toBe('unknownHost');
    expect(await seats()).toEqual(['1003@u1002']);
  });

  test('with the store away nothing happens', async () => {
    const { hosts, harness, hostNow, seats } = await taken();
    harness.store.down = true;
    expect(reason(await hosts.change('u1002', RULES[0], { ...by, release: true }))).toBe('storeUnavailable');
    harness.store.down = false;
    expect(hostNow('u1002')?.associationLimitHours).toBe(24);
    expect(await seats()).toEqual(['1003@u1002']);
  });

  test('with the store away between the release and the change all rules are as they were', async () => {
    const { hosts, store, hostNow, seats } = await taken();
    const end = store.end.bind(store);
    store.end = async (command) => {
      const reply = await end(command);
      store.down = true;
      return reply;
    };
    const released = { ...by, release: true };
    expect(reason(await hosts.change('u1002', RULES[0], released))).toBe('storeUnavailable');
    store.down = false;
    expect(hostNow('u1002')?.associationLimitHours).toBe(24);
    expect(await seats()).toEqual([]);
    store.end = end;
    expect(await hosts.change('u1002', RULES[0], released)).toMatchObject(RULES[0]);
  });

  test('a guest who comes between the release and the change is released as well', async () => {
    const { hosts, hotDesk, store, hostNow, seats } = await taken();
    const end = store.end.bind(store);
    store.end = async (command) => {
      const reply = await end(command);
      store.end = end;
      await hotDesk.associateGuest({ host: 'u1002', extension: '1005' });
      return reply;
    };
    expect(await hosts.change('u1002', RULES[0], { ...by, release: true })).toMatchObject(RULES[0]);
    expect(hostNow('u1002')?.associationLimitHours).toBe(2);
    expect(await seats()).toEqual([]);
  });

  test('who takes the host by the new rules stays', async () => {
    const { hosts, hotDesk, harness } = await taken();
    await hosts.change('u1002', RULES[0], { ...by, release: true });
    expect(await hotDesk.associateGuest({ host: 'u1002', extension: '1003' })).toMatchObject({
      association: { expiresAt: harness.now + 2 * HOUR },
    });
  });
});
