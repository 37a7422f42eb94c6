import { describe, expect, test } from 'vitest';
import type { RegisterRequest } from '../../../src/domain/registration.ts';
import { LocalView } from '../../../src/services/local-view.ts';
import { Registrar } from '../../../src/services/registrar.ts';
import { Harness, settle } from './harness.ts';

const limits = { minExpires: 60, defaultExpires: 3600, maxExpires: 7200, maxContacts: 5 };
const flow = { protocol: 'udp', address: '192.0.2.1', port: 5060 } as const;

function request(uri: string, differs: Partial<RegisterRequest> = {}): RegisterRequest {
  return { contacts: [{ uri }], callId: uri, cseq: 1, flow, path: [], userAgent: '', ...differs };
}

async function started() {
  const harness = new Harness();
  await harness.follow();
  const registrar = new Registrar({ ...harness, timers: harness.clock, view: harness.view, limits });
  registrar.start();
  const contacts = (view = harness.view) => view.bindingsOf('d1').map(({ contact }) => contact);
  const stored = async () =>
    (await harness.store.snapshot()).bindings.get('d1')?.bindings.map(({ contact }) => contact) ?? [];
  return { harness, registrar, contacts, stored };
}

describe('Registrar', () => {
  test('keeps a binding in the store and knows it at once', async () => {
    const { registrar, contacts, stored } = await started();
    const answer = await registrar.register('d1', request('sip:a@x'));
    expect(answer).toMatchObject({ contacts: [{ uri: 'sip:a@x', expires: 3600 }], set: { version: 1 } });
    expect(contacts()).toEqual(['sip:a@x']);
    expect(await stored()).toEqual(['sip:a@x']);
  });

  test('a refusal by the rules writes nothing', async () => {
    const { harness, registrar } = await started();
    const answer = await registrar.register('d1', request('sip:a@x', { expires: 10 }));
    expect(answer).toMatchObject({ status: 423, minExpires: 60 });
    expect(harness.store.calls).not.toContain('writeBindings');
  });

  test('a query writes nothing', async () => {
    const { harness, registrar } = await started();
    await registrar.register('d1', request('sip:a@x'));
    harness.store.calls.length = 0;
    expect(await registrar.register('d1', request('', { contacts: [] }))).toMatchObject({
      contacts: [{ uri: 'sip:a@x' }],
    });
    expect(harness.store.calls).toEqual([]);
  });

  test('two nodes at once: neither loses a contact', async () => {
    const { harness, registrar, stored } = await started();
    // The other node has not heard of anything yet.
    const view = new LocalView({ log: harness.log, clock: harness.clock });
    view.onSnapshot(await harness.store.snapshot());
    const other = new Registrar({ ...harness, timers: harness.clock, view, limits });
    await registrar.register('d1', request('sip:a@x'));
    expect(await other.register('d1', request('sip:b@x'))).toMatchObject({ set: { version: 2 } });
    expect((await stored()).toSorted()).toEqual(['sip:a@x', 'sip:b@x']);
  });

  test('many at once at one node: in the order they came, and the store is not read anew', async () => {
    const { harness, registrar, contacts, stored } = await started();
    harness.store.calls.length = 0;
    const write = harness.store.writeBindings.bind(harness.store);
    harness.store.writeBindings = async (...what) => {
      await settle();
      return write(...what);
    };
    const uris = ['sip:a@x', 'sip:b@x', 'sip:c@x', 'sip:d@x', 'sip:e@x'];
    const leaving = request('sip:a@x', { cseq: 2, expires: 0 });
    const answers = await Promise.all(
      [...uris.map((uri) => request(uri)), leaving].map((each) => registrar.register('d1', each)),
    );
    expect(answers.map((answer) => ('status' in answer ? answer.status : answer.contacts.length))).toEqual([
      1, 2, 3, 4, 5, 4,
    ]);
    expect(contacts()).toEqual(uris.slice(1));
    expect(harness.store.calls).not.toContain('snapshot');
    expect(await stored()).toEqual(uris.slice(1));
  });

  test('one that fails does not stand in the way of the next', async () => {
    const { harness, registrar } = await started();
    const writeBindings = harness.store.writeBindings.bind(harness.store);
    harness.store.writeBindings = async () => {
      harness.store.writeBindings = writeBindings;
      throw new Error('broken');
    };
    const broken = expect(registrar.register('d1', request('sip:a@x'))).rejects.toThrow('broken');
    const next = registrar.register('d1', request('sip:b@x'));
    await broken;
    expect(await next).toMatchObject({ contacts: [{ uri: 'sip:b@x' }] });
  });

  test('after three lost races: 500', async () => {
    const { harness, registrar } = await started();
    harness.store.writeBindings = async () => false;
    expect(await registrar.register('d1', request('sip:a@x'))).toMatchObject({ status: 500 });
  });

  test('the store away: still registered on this node, said once, written when it is back', async () => {
    const { harness, registrar, contacts, stored } = await started();
    await registrar.register('d1', request('sip:a@x'));
    harness.disconnect();
    expect(await registrar.register('d1', request('sip:b@x'))).toMatchObject({ contacts: [{}, {}] });
    expect(await registrar.register('d1', request('sip:c@x'))).toMatchObject({ contacts: [{}, {}, {}] });
    expect(contacts()).toEqual(['sip:a@x', 'sip:b@x', 'sip:c@x']);
    expect(harness.log.level('warn')).toHaveLength(1);
    harness.now += 10_000;
    await harness.reconnect();
    await settle();
    expect(await stored()).toEqual(['sip:a@x', 'sip:b@x', 'sip:c@x']);
    expect(harness.view.unsavedAors()).toEqual([]);
  });

  test('a write that failed is tried again, though nobody says that the store was away', async () => {
    const { harness, registrar, stored } = await started();
    harness.store.down = true;
    await registrar.register('d1', request('sip:a@x'));
    for (let second = 0; second < 2; second++) {
      harness.pass(1_000);
      await settle();
    }
    harness.store.down = false;
    expect(harness.view.unsavedAors()).toEqual(['d1']);
    harness.pass(1_000);
    await settle();
    expect([await stored(), harness.view.unsavedAors()]).toEqual([['sip:a@x'], []]);
  });

  test('order holds across the outage', async () => {
    const { harness, registrar } = await started();
    harness.disconnect();
    await registrar.register('d1', request('sip:a@x', { cseq: 5 }));
    expect(await registrar.register('d1', request('sip:a@x', { cseq: 5 }))).toMatchObject({ status: 500 });
    expect(await registrar.register('d1', request('sip:a@x', { cseq: 6, expires: 0 }))).toMatchObject({
      contacts: [],
    });
  });

  test('who wrote to the store meanwhile wins over what was kept here', async () => {
    const { harness, registrar, stored } = await started();
    harness.disconnect();
    await registrar.register('d1', request('sip:a@x'));
    harness.store.down = false;
    const set = { version: 1, bindings: [{ ...binding('sip:other@x') }] };
    await harness.store.writeBindings('d1', 0, set);
    await registrar.flush();
    expect(await stored()).toEqual(['sip:other@x']);
    expect(harness.view.bindingsOf('d1').map(({ contact }) => contact)).toEqual(['sip:other@x']);
  });

  test.each([
    ['registered', [binding('sip:other@x')]],
    ['signed off', []],
  ])('who has %s at another node after that is not brought back', async (_, bindings) => {
    const { harness, registrar, contacts, stored } = await started();
    harness.disconnect();
    await registrar.register('d1', request('sip:a@x'));
    harness.now += 10_000;
    harness.store.down = false;
    await harness.store.writeBindings('d1', 0, { version: 1, bindings });
    await harness.reconnect();
    await settle();
    const now = bindings.map(({ contact }) => contact);
    expect([contacts(), await stored()]).toEqual([now, now]);
    expect(harness.view.unsavedAors()).toEqual([]);
  });

  test('who came here from another node while this one was out of touch stays', async () => {
    const { harness, registrar, contacts, stored } = await started();
    harness.disconnect();
    harness.store.down = false;
    await harness.store.writeBindings('d1', 0, { version: 1, bindings: [binding('sip:other@x')] });
    harness.store.down = true;
    harness.now += 10_000;
    await registrar.register('d1', request('sip:a@x'));
    expect(harness.view.lastSeenAt('d1')).toBe(harness.now);
    await harness.reconnect();
    await settle();
    expect([contacts(), await stored()]).toEqual([['sip:a@x'], ['sip:a@x']]);
  });

  test('a later outage is said again', async () => {
    const { harness, registrar } = await started();
    for (const uri of ['sip:a@x', 'sip:b@x']) {
      harness.store.down = true;
      await registrar.register('d1', request(uri, { cseq: 1 }));
      harness.store.down = false;
      await registrar.register('d1', request(uri, { cseq: 2 }));
    }
    expect(harness.log.level('warn')).toHaveLength(2);
  });

  test('stopped: does not write by itself any more', async () => {
    const { harness, registrar } = await started();
    harness.disconnect();
    await registrar.register('d1', request('sip:a@x'));
    registrar.stop();
    harness.pass(10_000);
    await harness.reconnect();
    await settle();
    expect(harness.view.unsavedAors()).toEqual(['d1']);
  });

  test('tells where a phone registered from; of a query, a sign-off and a refusal nothing', async () => {
    const { harness } = await started();
    const told: unknown[] = [];
    const onRegistered = (...where: unknown[]): void => void told.push(where);
    const registrar = new Registrar({ ...harness, timers: harness.clock, limits, onRegistered });
    await registrar.register('d1', request('sip:a@x'));
    await registrar.register('d1', request('', { contacts: [] }));
    await registrar.register('d1', request('sip:b@x', { expires: 10 }));
    await registrar.register('d1', request('sip:a@x', { expires: 0, cseq: 2 }));
    await registrar.register('d1', request('', { contacts: '*', expires: 0 }));
    expect(told).toEqual([['d1', '192.0.2.1']]);
  });

  test('whatever becomes of that: the phone is registered', async () => {
    const { harness, contacts } = await started();
    const onRegistered = (): never => {
      throw new Error('broken');
    };
    const registrar = new Registrar({ ...harness, timers: harness.clock, limits, onRegistered });
    expect(await registrar.register('d1', request('sip:a@x'))).toMatchObject({ contacts: [{}] });
    expect(contacts()).toEqual(['sip:a@x']);
    expect(harness.log.level('error')).toHaveLength(1);
  });

  function binding(contact: string) {
    const expiresAt = 1_700_000_000_000 + 600_000;
    return { contact, callId: 'o', cseq: 1, expiresAt, q: 1, flow, path: [], userAgent: '' };
  }
});
