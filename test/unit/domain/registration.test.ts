import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Binding, BindingSet } from '../../../src/domain/binding.ts';
import {
  decideRegistration,
  type RegisterRequest,
  type RequestedContact,
} from '../../../src/domain/registration.ts';
import { binding, NOW } from './example.ts';

const limits = { minExpires: 60, defaultExpires: 1800, maxExpires: 7200, maxContacts: 3 };
const flow: Binding['flow'] = { protocol: 'tcp', address: '192.0.2.50', port: 40000 };

function request(
  contacts: RegisterRequest['contacts'],
  differs: Partial<RegisterRequest> = {},
): RegisterRequest {
  return { contacts, callId: 'call-1', cseq: 2, flow, path: [], userAgent: 'test', ...differs };
}

function decide(stored: readonly Binding[], asked: RegisterRequest, now = NOW) {
  return decideRegistration({ current: { version: 7, bindings: stored }, request: asked, now, limits });
}

/** Contacts afterwards, or the status of the refusal. */
function outcome(decision: ReturnType<typeof decide>): string[] | number {
  return 'status' in decision ? decision.status : decision.set.bindings.map(({ contact }) => contact);
}

describe('RFC 3261 10.3', () => {
  const a = 'sip:a@192.0.2.1';
  const b = 'sip:b@192.0.2.2';

  test('a new contact', () => {
    const decision = decide([], request([{ uri: a, expires: 120, q: 0.5 }], { path: ['<sip:p;lr>'] }));
    expect(decision).toEqual({
      set: {
        version: 8,
        bindings: [
          {
            contact: a,
            callId: 'call-1',
            cseq: 2,
            expiresAt: NOW + 120_000,
            q: 0.5,
            flow,
            path: ['<sip:p;lr>'],
            userAgent: 'test',
          },
        ],
      },
      changed: true,
      contacts: [{ uri: a, expires: 120, q: 0.5, instance: undefined, regId: undefined }],
    });
  });

  test.each([
    ['the contact’s word first', { expires: 100 }, 300, 100],
    ['then the header’s', {}, 300, 300],
    ['then the default', {}, undefined, 1800],
    ['never above the limit', { expires: 99_999 }, undefined, 7200],
    ['nonsense counts as absent', { expires: Number.NaN }, undefined, 1800],
    ['negative counts as absent', { expires: -1 }, 300, 300],
  ])('expiry: %s', (_, contact, expires, granted) => {
    const decision = decide([], request([{ uri: a, ...contact }], { expires }));
    expect(decision).toMatchObject({ contacts: [{ expires: granted }] });
  });

  test('423 below the minimum, with Min-Expires', () => {
    expect(decide([], request([{ uri: a, expires: 59 }]))).toMatchObject({ status: 423, minExpires: 60 });
    expect(outcome(decide([], request([{ uri: a, expires: 60 }])))).toEqual([a]);
  });

  test('an hour is never too brief', () => {
    const strict = { ...limits, minExpires: 7200 };
    const asked = (expires: number) =>
      decideRegistration({
        current: none(),
        request: request([{ uri: a, expires }]),
        now: NOW,
        limits: strict,
      });
    expect(asked(3600)).toHaveProperty('set');
    expect(asked(3599)).toHaveProperty('status', 423);
  });

  test('a query changes nothing and lists what is live', () => {
    const decision = decide([binding(a), binding(b, { expiresAt: NOW })], request([]));
    expect(decision).toMatchObject({
      changed: false,
      set: { version: 7 },
      contacts: [{ uri: a, expires: 600 }],
    });
    expect(decide([binding(a, { expiresAt: NOW + 1 })], request([]))).toMatchObject({
      contacts: [{ expires: 1 }],
    });
  });

  test('several contacts, best q first', () => {
    const decision = decide([binding(a, { q: 0.2 })], request([{ uri: b, q: 0.9 }]));
    expect(outcome(decision)).toEqual([b, a]);
  });

  test('refreshing by another way of writing the same URI', () => {
    const stored = binding('sip:a@HOST.example;x=1');
    expect(outcome(decide([stored], request([{ uri: 'sip:%61@host.EXAMPLE' }])))).toEqual([
      'sip:%61@host.EXAMPLE',
    ]);
  });

  test('removing by expires 0; removing what is not there', () => {
    expect(outcome(decide([binding(a), binding(b)], request([{ uri: a, expires: 0 }])))).toEqual([b]);
    expect(outcome(decide([binding(b)], request([{ uri: a }], { expires: 0 })))).toEqual([b]);
  });

  test.each([
    [1, 'call-1', 500],
    [2, 'call-1', 500],
    [3, 'call-1', ['sip:a@192.0.2.1']],
    [1, 'another call', ['sip:a@192.0.2.1']],
  ] as const)('CSeq %i of %s after CSeq 2 of call-1', (cseq, callId, expected) => {
    expect(outcome(decide([binding(a, { cseq: 2 })], request([{ uri: a }], { cseq, callId })))).toEqual(
      expected,
    );
  });

  test('a late removal does not undo a newer registration', () => {
    const late = request([{ uri: a, expires: 0 }], { cseq: 1 });
    expect(outcome(decide([binding(a, { cseq: 2 })], late))).toBe(500);
  });

  test('all or nothing: one contact out of order undoes the other', () => {
    const decision = decide([binding(a, { cseq: 5 })], request([{ uri: b }, { uri: a }]));
    expect(outcome(decision)).toBe(500);
  });

  test('* removes all, with Expires 0 only', () => {
    const stored = [binding(a), binding(b, { callId: 'other', cseq: 99 })];
    expect(outcome(decide(stored, request('*', { expires: 0 })))).toEqual([]);
    expect(outcome(decide(stored, request('*', { expires: 60 })))).toBe(400);
    expect(outcome(decide(stored, request('*')))).toBe(400);
    expect(outcome(decide([binding(a, { cseq: 9 })], request('*', { expires: 0 })))).toBe(500);
  });

  test('a contact that is no SIP URI', () => {
    expect(outcome(decide([], request([{ uri: 'mailto:a@b' }])))).toBe(400);
    expect(outcome(decide([], request([{ uri: '' }])))).toBe(400);
  });

  test('one request with more contacts than allowed', () => {
    const three = [{ uri: 'sip:1@x' }, { uri: 'sip:2@x' }, { uri: 'sip:3@x' }];
    expect(outcome(decide([], request([...three, { uri: a }])))).toBe(403);
    expect(outcome(decide([], request([...three, { uri: a, expires: 0 }])))).toHaveLength(3);
    expect(outcome(decide([], request([...three, { uri: 'sip:%31@X' }])))).toHaveLength(3);
  });

  describe('at the limit', () => {
    const lasting = (uri: string, seconds: number, differs: Partial<Binding> = {}) =>
      binding(uri, { expiresAt: NOW + seconds * 1000, userAgent: 'test', ...differs });
    const full = [lasting('sip:1@x', 300), lasting('sip:2@x', 100), lasting('sip:3@x', 200)];
    const other = { userAgent: 'other' };

    test.each<[string, Binding[], RequestedContact[], string[]]>([
      ['the oldest makes room', full, [{ uri: a }], ['sip:1@x', 'sip:3@x', a]],
      ['the two oldest for two', full, [{ uri: a }, { uri: b }], ['sip:1@x', a, b]],
      ['a refresh displaces nobody', full, [{ uri: 'sip:2@x' }], ['sip:1@x', 'sip:3@x', 'sip:2@x']],
      ['what is refreshed stays', full, [{ uri: 'sip:2@x' }, { uri: a }], ['sip:1@x', 'sip:2@x', a]],
      [
        'what is removed makes room first',
        full,
        [{ uri: 'sip:1@x', expires: 0 }, { uri: a }],
        ['sip:2@x', 'sip:3@x', a],
      ],
      [
        'what has expired does not count',
        [lasting('sip:1@x', -1), ...full.slice(1)],
        [{ uri: a }],
        ['sip:2@x', 'sip:3@x', a],
      ],
      [
        'the same User-Agent goes first',
        [lasting('sip:1@x', 300), lasting('sip:2@x', 100, other), lasting('sip:3@x', 200)],
        [{ uri: a }],
        ['sip:1@x', 'sip:2@x', a],
      ],
      [
        'another User-Agent, where there is no other way',
        [lasting('sip:1@x', 300, other), lasting('sip:2@x', 100, other), lasting('sip:3@x', 200)],
        [{ uri: a }, { uri: b }],
        ['sip:1@x', a, b],
      ],
      [
        'the same instance is replaced, and no other',
        [...full.slice(1), lasting('sip:1@x', 300, { instance: '<urn:uuid:1>' })],
        [{ uri: a, instance: '<urn:uuid:1>' }],
        ['sip:2@x', 'sip:3@x', a],
      ],
    ])('%s', (_, stored, contacts, expected) => {
      expect(outcome(decide(stored, request(contacts)))).toEqual(expected);
    });

    test('a lower limit than before does not lock a phone out', () => {
      const five = [lasting('sip:4@x', 50), lasting('sip:5@x', 60), ...full];
      expect(outcome(decide(five, request([{ uri: 'sip:4@x' }])))).toEqual(['sip:1@x', 'sip:3@x', 'sip:4@x']);
    });
  });

  test('the same contact twice in one request', () => {
    expect(outcome(decide([], request([{ uri: a }, { uri: a, expires: 90 }])))).toEqual([a]);
  });
});

describe('RFC 5626', () => {
  const one = '<urn:uuid:1>';
  const stored = binding('sip:a@10.0.0.1:1111', { instance: one, regId: 1, cseq: 9, callId: 'before' });

  test.each([
    ['the same instance and reg-id replaces', { instance: one, regId: 1 }, 1],
    ['another reg-id is another flow', { instance: one, regId: 2 }, 2],
    ['another instance is another phone', { instance: '<urn:uuid:2>', regId: 1 }, 2],
    ['no instance is compared by URI', {}, 2],
  ])('%s', (_, contact, count) => {
    expect(outcome(decide([stored], request([{ uri: 'sip:a@10.0.0.1:2222', ...contact }])))).toHaveLength(
      count,
    );
  });

  test.each([
    ['without reg-id', { instance: one }],
    ['without both', {}],
  ])('a phone that leaves %s takes its contact along', (_, names) => {
    const other = { ...stored, contact: 'sip:a@10.0.0.1:2222', regId: 2 };
    const leaving = { uri: stored.contact, expires: 0, ...names };
    expect(outcome(decide([stored, other], request([leaving])))).toEqual([other.contact]);
  });

  test('two flows with one contact stay two', () => {
    const second = { uri: stored.contact, instance: one, regId: 2 };
    expect(outcome(decide([stored], request([second])))).toHaveLength(2);
  });

  test('two phones with one private address stay two', () => {
    const other = { uri: stored.contact, instance: '<urn:uuid:2>', regId: 1 };
    expect(outcome(decide([stored], request([other])))).toHaveLength(2);
  });

  test('the same instance without reg-id replaces, too', () => {
    const plain = binding('sip:a@10.0.0.1:1111', { instance: one, callId: 'before' });
    const decision = decide([plain], request([{ uri: 'sip:a@10.0.0.1:2222', instance: one }]));
    expect(outcome(decision)).toEqual(['sip:a@10.0.0.1:2222']);
  });
});

describe('properties', () => {
  const contact: fc.Arbitrary<RequestedContact> = fc.record(
    {
      uri: fc.oneof(
        fc.constantFrom('sip:1@x', 'sip:2@x', 'sip:%31@X', 'sip:3@x;transport=tcp', 'bad'),
        fc.string(),
      ),
      expires: fc.constantFrom(0, 30, 60, 3600, 1e12, -5, Number.NaN),
      q: fc.double({ min: -1, max: 2 }),
      instance: fc.constantFrom('<i1>', '<i2>'),
    },
    { requiredKeys: ['uri'] },
  );
  const asked = fc.record({
    contacts: fc.oneof(fc.constant('*' as const), fc.array(contact, { maxLength: 4 })),
    expires: fc.constantFrom(undefined, 0, 100),
    callId: fc.constantFrom('c1', 'c2'),
    cseq: fc.integer({ min: 0, max: 6 }),
    wait: fc.integer({ min: 0, max: 100_000 }),
  });

  test('bounded, in order, nothing expired, and a refusal leaves everything as it was', () => {
    fc.assert(
      fc.property(fc.array(asked, { maxLength: 12 }), (requests) => {
        let current = none();
        let now = NOW;
        for (const { wait, ...rest } of requests) {
          now += wait;
          const decision = decideRegistration({ current, request: request([], rest), now, limits });
          if ('status' in decision) {
            expect([400, 403, 423, 500]).toContain(decision.status);
            continue;
          }
          const { set, changed, contacts } = decision;
          expect(set.version).toBe(current.version + (changed ? 1 : 0));
          expect(set.bindings.length).toBeLessThanOrEqual(limits.maxContacts);
          expect(set.bindings.every(({ expiresAt, q }) => expiresAt > now && q >= 0 && q <= 1)).toBe(true);
          expect(set.bindings.map(({ q }) => q)).toEqual(
            set.bindings.map(({ q }) => q).toSorted((x, y) => y - x),
          );
          expect(contacts.every(({ expires }) => expires >= 1 && expires <= limits.maxExpires)).toBe(true);
          current = set;
        }
      }),
    );
  });

  test('a phone that comes back with a new contact each time always gets in', () => {
    const restart = fc.record({ wait: fc.nat(600_000), expires: fc.integer({ min: 60, max: 7200 }) });
    fc.assert(
      fc.property(fc.array(restart, { minLength: 1, maxLength: 12 }), (restarts) => {
        let current = none();
        let now = NOW;
        for (const [n, { wait, expires }] of restarts.entries()) {
          now += wait;
          const asked = request([{ uri: `sip:a@192.0.2.1:${4000 + n}`, expires }], { callId: `call-${n}` });
          const decision = decideRegistration({ current, request: asked, now, limits });
          if ('status' in decision) return false;
          current = decision.set;
          expect(current.bindings.length).toBeLessThanOrEqual(limits.maxContacts);
          expect(current.bindings.map(({ callId }) => callId)).toContain(`call-${n}`);
        }
        return true;
      }),
    );
  });

  test('a retransmission in other clothes never gets through twice', () => {
    fc.assert(
      fc.property(fc.constantFrom('sip:1@x', 'sip:2@x'), fc.nat(9), (uri, cseq) => {
        const asked = request([{ uri }], { cseq });
        const first = decideRegistration({ current: none(), request: asked, now: NOW, limits });
        if ('status' in first) return false;
        return outcome(decide(first.set.bindings, asked)) === 500;
      }),
    );
  });
});

function none(): BindingSet {
  return { version: 0, bindings: [] };
}
