import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Company, Directory, Forwarding } from '../../../src/domain/directory.ts';
import { type Call, type Caller, type Diverted, decideRoute, type Route } from '../../../src/domain/route.ts';
import type { View } from '../../../src/domain/view.ts';
import { VOICE_PORTAL_KEYS } from '../../../src/domain/voice-portal.ts';
import { binding, directory, host, UK, user, viewOf } from './example.ts';

const acme = directory({});
const desk = (id: string): Caller => ({ kind: 'host', host: id });
const trunk: Caller = { kind: 'trunk', trunk: 'pbx', emergency: false };
const emergencyTrunk: Caller = { kind: 'trunk', trunk: 'sos', emergency: true };
const nobody: Caller = { kind: 'unknown' };

function decide(caller: Caller, dialled: string, facts: Parameters<typeof viewOf>[0] = {}): Route {
  const view = viewOf({ directory: acme, ...facts });
  return decideRoute({ requestUri: `sip:${dialled}@pbx.example`, caller }, view, UK);
}

/** A route in a few words. */
function brief(route: Route): string {
  switch (route.kind) {
    case 'refuse':
      return route.reason;
    case 'ring': {
      const { hosts, as, otherwise } = route;
      const then = otherwise ? ` or ${diverted(otherwise)}` : '';
      return `ring ${hosts.map(({ id }) => id).join('+')} as ${as?.number ?? 'is'}${then}`;
    }
    case 'voicePortal':
      return `portal ${route.host.id} ${route.person?.extension ?? '?'}`;
    case 'trunk':
      return `trunk ${route.number} as ${route.as.number}`;
    case 'callback':
      return `callback ${route.rounds.map((round) => round.join('+')).join(', ')}`;
    case 'emergency':
      return `emergency ${route.number} from ${route.host?.id ?? '?'} ${route.callbackNumber ?? '?'}`;
    case 'voicemail':
      return `voicemail of ${route.user.extension}`;
    case 'divert':
      return `divert ${diverted(route.to)} as ${route.as?.number ?? 'is'}`;
    default:
      return `${route.kind} ${route.host.id}`;
  }
}

function diverted({ user: of, to, reason }: Diverted): string {
  return `${of.extension} to ${to.kind === 'number' ? to.number : 'voicemail'} (${reason})`;
}

describe('from a host', () => {
  const sitting = { seats: { d1: '1001', d3: '1003' } };
  test.each([
    ['d1', '*90', 'logIn d1'],
    ['d2', '%2A90', 'logIn d2'],
    ['d2', '*91', 'logOut d2'],
    ['d2', '*901001583914', 'malformedNumber'],
    ['d2', '%2A911', 'malformedNumber'],
    ['d2', '*90#', 'malformedNumber'],
    ['d2', '1001', 'hostFree'],
    ['d2', '02079461234', 'hostFree'],
    ['gone', '1001', 'callerUnknown'],
    ['gone', '*90', 'callerUnknown'],
    ['d1', '1003', 'ring d3 as 1001'],
    ['d1', '1002', 'ring u1002 as 1001'],
    ['d1', '02079461002', 'ring u1002 as 1001'],
    ['d1', '+44 20 7946 1002', 'ring u1002 as 1001'],
    ['d1', '1001', 'notReachable'],
    ['u1002', '1001', 'ring d1 as 1002'],
    ['u1002', '1002', 'notReachable'],
    ['d1', '020 7946-1234', 'trunk 02079461234 as +442079461001'],
    ['d1', '+33123456789', 'trunk +33123456789 as +442079461001'],
    ['d1', '111', 'trunk 111 as +442079461001'],
    ['d1', '1471', 'trunk 1471 as +442079461001'],
    ['d1', '1999', 'numberUnknown'],
    ['d1', '12', 'numberUnknown'],
    ['d1', 'alice', 'numberUnknown'],
    ['d1', '*67', 'numberUnknown'],
    ['d1', '', 'numberUnknown'],
    ['d1', '1'.repeat(30), 'numberUnknown'],
    ['d3', '902079461234', 'trunk 02079461234 as +442079461003'],
    ['d3', '902079461002', 'ring u1002 as 1003'],
    ['d3', '9111', 'trunk 111 as +442079461003'],
    ['d3', '02079461234', 'trunk 02079461234 as +442079461003'],
    ['d1', '999', 'emergency 999 from d1 +442079460111'],
    ['d2', '112', 'emergency 112 from d2 +442079460100'],
    ['d3', '9999', 'emergency 999 from d3 +441134960100'],
    ['d1', '9999', 'numberUnknown'],
  ])('%s dials %s: %s', (from, dialled, expected) => {
    expect(brief(decide(desk(from), dialled, sitting))).toBe(expected);
  });

  test('user=phone and parameters do not matter to a feature access code', () => {
    const view = viewOf({ directory: acme });
    const call: Call = { requestUri: 'sip:*90;x=y@pbx.example;user=phone', caller: desk('d1') };
    expect(decideRoute(call, view, UK).kind).toBe('logIn');
  });

  test('a guest at a colleague’s phone is who calls', () => {
    const route = decide(desk('u1002'), '02079461234', { seats: { u1002: '1001' } });
    expect(route).toMatchObject({ kind: 'trunk', as: { name: 'Person 1001', number: '+442079461001' } });
  });

  test('an own phone with a guest at it does not ring for its owner', () => {
    expect(brief(decide(desk('d1'), '1002', { seats: { u1002: '1003', d1: '1001' } }))).toBe('notReachable');
  });

  test('the own phone rings besides the desk when the company wants that', () => {
    const both = directory({ company: { ringOwnPhone: { commonArea: true, user: true } } });
    const facts = { directory: both, seats: { d1: '1001', d2: '1002' } };
    expect(brief(decide(desk('d1'), '1002', facts))).toBe('ring d2+u1002 as 1001');
    expect(brief(decide(desk('d1'), '1002', { ...facts, directory: acme }))).toBe('ring d2 as 1001');
    expect(brief(decide(desk('d2'), '1002', facts))).toBe('ring u1002 as 1002');
  });

  test('a guest who has left the directory is nobody', () => {
    expect(brief(decide(desk('d1'), '1002', { seats: { d1: '1777' } }))).toBe('hostFree');
  });

  test('the site chooses the first trunk', () => {
    expect(decide(desk('d3'), '902079461234', { seats: { d3: '1003' } })).toMatchObject({ trunk: 'north' });
    expect(decide(desk('d1'), '02079461234', { seats: { d1: '1001' } })).toMatchObject({ trunk: undefined });
  });

  test('an extension wins over a public number', () => {
    const odd = directory({
      users: [user('1001'), user('111', { numbers: [] })],
      hosts: [host('d1'), host('d2')],
    });
    const facts = { directory: odd, seats: { d1: '1001', d2: '111' } };
    expect(brief(decide(desk('d1'), '111', facts))).toBe('ring d2 as 1001');
  });

  test('with the state unknown, only emergency calls and feature access codes have an answer', () => {
    const facts = { knowledge: 'unknown', seats: { d1: '1001' } } as const;
    expect(brief(decide(desk('d1'), '1002', facts))).toBe('stateUnknown');
    expect(brief(decide(desk('d1'), '*90', facts))).toBe('logIn d1');
    expect(brief(decide(desk('d1'), '*90', { directory: undefined, knowledge: 'unknown' }))).toBe(
      'stateUnknown',
    );
    expect(brief(decide(desk('d1'), '1002', { ...facts, knowledge: 'stale' }))).toBe('ring u1002 as 1001');
  });
});

const SERVICES = { voicePortal: { number: '8000', keys: VOICE_PORTAL_KEYS }, voicemailNumber: '8001' };
const here = [binding('sip:phone@192.0.2.1')];
const everywhere = { d1: here, d2: here, d3: here, u1002: here };

/** People with forwarding, 1001 at d1 and 1002 at their own phone, every phone registered. */
function firm(options: {
  forwarding?: Readonly<Record<string, Forwarding>>;
  company?: Partial<Company>;
  seats?: Readonly<Record<string, string>>;
  bindings?: typeof everywhere | Record<string, never>;
}) {
  const { forwarding = {}, company = SERVICES, seats = { d1: '1001' }, bindings = everywhere } = options;
  const users = ['1001', '1002', '1003'].map((extension) =>
    user(extension, { forwarding: forwarding[extension] }),
  );
  return { directory: directory({ company, users }), seats, bindings };
}

describe('the voice portal', () => {
  test.each([
    ['d1', 'portal d1 1001'],
    ['d2', 'portal d2 ?'],
    ['u1002', 'portal u1002 1002'],
  ])('from %s: %s', (from, expected) => {
    expect(brief(decide(desk(from), '8000', firm({})))).toBe(expected);
  });

  test('from a silent phone, and with a guest at it', () => {
    expect(brief(decide(desk('u1002'), '8000', firm({ seats: { d2: '1002' } })))).toBe('portal u1002 1002');
    expect(brief(decide(desk('u1002'), '8000', firm({ seats: { u1002: '1001' } })))).toBe(
      'portal u1002 1001',
    );
  });

  test('who sits there is not known while the state is not', () => {
    const facts = { ...firm({}), knowledge: 'unknown' } as const;
    expect(brief(decide(desk('d1'), '8000', facts))).toBe('portal d1 ?');
  });

  test('not from a trunk, not where there is none, and no more digits', () => {
    expect(brief(decide(trunk, '8000', firm({})))).toBe('numberUnknown');
    expect(brief(decide(desk('d1'), '8000', firm({ company: {} })))).toBe('numberUnknown');
    expect(brief(decide(desk('d1'), '80001', firm({})))).not.toMatch(/^portal/);
  });
});

describe('voicemail', () => {
  test.each([
    ['d1', '8001', 'voicemail of 1001'],
    ['d1', '80-01#', 'voicemail of 1001'],
    ['u1002', '8001', 'voicemail of 1002'],
    ['d2', '8001', 'hostFree'],
  ])('%s dials %s: %s', (from, dialled, expected) => {
    expect(brief(decide(desk(from), dialled, firm({})))).toBe(expected);
  });

  test('a guest’s own, and none without a number for it', () => {
    expect(brief(decide(desk('u1002'), '8001', firm({ seats: { u1002: '1003' } })))).toBe(
      'voicemail of 1003',
    );
    expect(brief(decide(desk('d1'), '', firm({ company: {} })))).toBe('numberUnknown');
    expect(brief(decide(desk('d1'), '8001', firm({ company: {} })))).toBe('numberUnknown');
  });
});

describe('the own phone of somebody who sits elsewhere', () => {
  const user1 = host('u1001', { kind: 'user', owner: '1001' });
  const place = (ringOwnPhone: Company['ringOwnPhone']) =>
    directory({
      company: { ...SERVICES, ringOwnPhone },
      hosts: [host('d1'), host('d2'), user1, host('u1002', { kind: 'user', owner: '1002' })],
    });
  const [shared, lent] = [{ d1: '1002' }, { u1001: '1002' }];

  test.each([
    [shared, { commonArea: false, user: true }, 'ownPhoneSilent'],
    [shared, { commonArea: true, user: false }, 'ring u1001 as 1002'],
    [lent, { commonArea: true, user: false }, 'ownPhoneSilent'],
    [lent, { commonArea: false, user: true }, 'notReachable'],
  ])('%j, rings %j: %s', (seats, rings, expected) => {
    const { voicemailNumber: _, ...without } = SERVICES;
    const known = directory({
      company: { ...without, ringOwnPhone: rings },
      hosts: [...place(rings).hosts.values()],
    });
    expect(brief(decide(desk('u1002'), '1001', { directory: known, seats, bindings: everywhere }))).toBe(
      expected,
    );
  });

  test('makes emergency calls, reaches the menus and the read-back, and nothing else', () => {
    const facts = { directory: place({ commonArea: false, user: false }), seats: shared };
    const from = (dialled: string) => brief(decide(desk('u1002'), dialled, facts));
    expect(from('999')).toMatch(/^emergency 999 from u1002/);
    expect([from('*90'), from('*91'), from('8000')]).toEqual([
      'logIn u1002',
      'logOut u1002',
      'portal u1002 1002',
    ]);
    for (const dialled of ['1001', '1002', '8001', '02079461234', '111', '', 'x'])
      expect(from(dialled)).toBe('ownPhoneSilent');
  });

  test('a guest at it may call, and at the end of the stay elsewhere the owner is back at once', () => {
    const known = place({ commonArea: false, user: false });
    const from = (seats: Record<string, string>) =>
      brief(decide(desk('u1002'), '02079461234', { directory: known, seats }));
    expect(from({ d1: '1002', u1002: '1001' })).toBe('trunk 02079461234 as +442079461001');
    expect(from({ d1: '1002' })).toBe('ownPhoneSilent');
    expect(from({})).toBe('trunk 02079461234 as +442079461002');
  });
});

describe('forwarding', () => {
  const OUTSIDE = '02079461234';

  test.each<[string, Forwarding, string]>([
    ['always, outside', { always: OUTSIDE }, `divert 1002 to ${OUTSIDE} (unconditional) as 1001`],
    ['always, to a colleague', { always: '1003' }, 'divert 1002 to 1003 (unconditional) as 1001'],
    ['always, to voicemail', { always: '8001' }, 'divert 1002 to voicemail (unconditional) as 1001'],
    ['always, to themselves', { always: '1002' }, 'ring u1002 as 1001 or 1002 to voicemail (no-answer)'],
    [
      'always, to their own number',
      { always: '+44 20 7946 1002' },
      'ring u1002 as 1001 or 1002 to voicemail (no-answer)',
    ],
    [
      'always, to who calls: they may still ring',
      { always: '1001' },
      'ring u1002 as 1001 or 1002 to voicemail (no-answer)',
    ],
    [
      'never to an emergency number',
      { always: '999' },
      'ring u1002 as 1001 or 1002 to voicemail (no-answer)',
    ],
    ['never into a menu', { always: '8000' }, 'ring u1002 as 1001 or 1002 to voicemail (no-answer)'],
    ['unanswered', { unanswered: OUTSIDE }, `ring u1002 as 1001 or 1002 to ${OUTSIDE} (no-answer)`],
    [
      'unanswered, to who calls',
      { unanswered: '1001' },
      'ring u1002 as 1001 or 1002 to voicemail (no-answer)',
    ],
    ['none', {}, 'ring u1002 as 1001 or 1002 to voicemail (no-answer)'],
  ])('%s', (_, forwarding, expected) => {
    expect(brief(decide(desk('d1'), '1002', firm({ forwarding: { '1002': forwarding } })))).toBe(expected);
  });

  test('without voicemail a call that nobody answers goes nowhere', () => {
    expect(brief(decide(desk('d1'), '1002', firm({ company: {} })))).toBe('ring u1002 as 1001');
  });

  test('with the owner’s phone lent to a guest it does not ring, and their forwarding works', () => {
    const at = (forwarding: Forwarding, company = {}) =>
      brief(
        decide(
          trunk,
          '1002',
          firm({ forwarding: { '1002': forwarding }, seats: { u1002: '1003' }, company }),
        ),
      );
    expect(at({ always: OUTSIDE })).toBe(`divert 1002 to ${OUTSIDE} (unconditional) as is`);
    expect(at({ unanswered: OUTSIDE })).toBe(`divert 1002 to ${OUTSIDE} (unavailable) as is`);
    expect(at({}, SERVICES)).toBe('divert 1002 to voicemail (unavailable) as is');
    expect(at({})).toBe('notReachable');
  });

  test('a guest’s forwarding goes with them', () => {
    const forwarding = { '1001': { always: OUTSIDE } };
    expect(brief(decide(trunk, '1001', firm({ forwarding })))).toBe(
      `divert 1001 to ${OUTSIDE} (unconditional) as is`,
    );
  });

  test('a phone that is not registered is nobody’s', () => {
    const away = firm({ bindings: {} });
    expect(brief(decide(trunk, '1002', away))).toBe('divert 1002 to voicemail (unavailable) as is');
    expect(brief(decide(trunk, '1002', { ...firm({ company: {} }), bindings: {} }))).toBe('ring u1002 as is');
  });

  test('with the owner back, their phone rings at once', () => {
    expect(brief(decide(trunk, '1002', firm({ company: {}, seats: { u1002: '1003' } })))).toBe(
      'notReachable',
    );
    expect(brief(decide(trunk, '1002', firm({ company: {}, seats: {} })))).toBe('ring u1002 as is');
  });
});

describe('from a trunk', () => {
  test.each([
    ['+442079461001', 'ring d1 as is'],
    ['442079461001', 'ring d1 as is'],
    ['02079461001', 'ring d1 as is'],
    ['1001', 'ring d1 as is'],
    ['+442079461002', 'ring u1002 as is'],
    ['+442079461003', 'notReachable'],
    ['+442079460111', 'numberUnknown'],
    ['+442079469999', 'numberUnknown'],
    ['d1', 'numberUnknown'],
    ['*90', 'numberUnknown'],
    ['*901001', 'numberUnknown'],
    ['', 'numberUnknown'],
  ])('%s: %s', (dialled, expected) => {
    expect(brief(decide(trunk, dialled, { seats: { d1: '1001' } }))).toBe(expected);
  });

  test('a PSAP’s call to a callback number rings the place, whoever sits there', () => {
    const here = [binding('sip:phone@192.0.2.1')];
    const bindings = { d1: here, d2: here, u1002: here };
    const at = (dialled: string, facts = {}) =>
      brief(decide(emergencyTrunk, dialled, { bindings, ...facts }));
    expect(at('+442079460111')).toBe('callback d1');
    expect(at('02079460111', { seats: { d1: '1003' } })).toBe('callback d1');
    expect(at('442079460111')).toBe('callback d1');
    expect(at('+442079460100')).toBe('callback d2+u1002');
    expect(at('+442079460100', { bindings: { d2: here } })).toBe('callback d2');
    expect(at('+442079460111', { knowledge: 'unknown' })).toBe('callback d1');
    expect(at('+442079460111', { directory: undefined, onDisk: acme })).toBe('callback d1');
    expect(at('+442079461001', { seats: { d1: '1001' } })).toBe('ring d1 as is');
    expect(at('+442079469999')).toBe('numberUnknown');
  });

  test('without knowledge of who sits where nobody is rung', () => {
    expect(brief(decide(trunk, '1001', { knowledge: 'unknown' }))).toBe('stateUnknown');
    expect(brief(decide(trunk, '1001', { directory: undefined }))).toBe('stateUnknown');
  });
});

describe('from nobody we know', () => {
  test.each(['1001', '*90', '02079461234', ''])('%s is refused', (dialled) => {
    expect(brief(decide(nobody, dialled))).toBe('callerUnknown');
  });

  test('an emergency call goes out, with the address of the phone that it most likely is', () => {
    const flow = { protocol: 'udp', address: '192.0.2.7', port: 5062 } as const;
    const view = viewOf({ directory: acme, bindings: { d2: [binding('sip:d2@192.0.2.7:5062', { flow })] } });
    const from = (anonymousSource: Call['anonymousSource']) =>
      brief(decideRoute({ requestUri: 'sip:999@x', caller: nobody, anonymousSource }, view, UK));
    expect(from(undefined)).toBe('emergency 999 from ? ?');
    expect(from({ claimedHost: 'd1', address: '192.0.2.99', port: 5060 })).toBe(
      'emergency 999 from d1 +442079460111',
    );
    expect(from({ claimedHost: 'd1', address: '192.0.2.7', port: 5062 })).toBe(
      'emergency 999 from d2 +442079460100',
    );
    expect(from({ address: '192.0.2.7', port: 5062 })).toBe('emergency 999 from d2 +442079460100');
    expect(from({ claimedHost: '__proto__' })).toBe('emergency 999 from ? ?');
    // Any site's way of dialling will do while the site is not known.
    expect(brief(decide(nobody, '9999'))).toBe('emergency 999 from ? ?');
  });
});

describe('an emergency call', () => {
  test('knows the desk from this node’s disk while there is no directory', () => {
    const known = { directory: undefined, onDisk: acme };
    expect(brief(decide(desk('d1'), '999', known))).toBe('emergency 999 from d1 +442079460111');
    expect(brief(decide(desk('d3'), '9999', known))).toBe('emergency 999 from d3 +441134960100');
    expect(brief(decide(desk('d1'), '1001', known))).toBe('stateUnknown');
  });

  test('carries the desk, and names who sits there', () => {
    const route = decide(desk('d1'), '999', { seats: { d1: '1003' } });
    expect(route).toMatchObject({ guest: { extension: '1003' }, address: { room: 'd1' } });
    expect(decide(desk('u1002'), '999')).toMatchObject({ guest: { extension: '1002' } });
  });

  const caller: fc.Arbitrary<Caller> = fc.oneof(
    fc.constantFrom('d1', 'd2', 'd3', 'u1002', 'gone', '').map(desk),
    fc.boolean().map((emergency): Caller => ({ kind: 'trunk', trunk: 't', emergency })),
    fc.constant(nobody),
  );
  const facts = fc.record({
    directory: fc.constantFrom<Directory | undefined>(acme, directory({ users: [], hosts: [] }), undefined),
    knowledge: fc.constantFrom<View['knowledge']>('fresh', 'stale', 'unknown'),
    seats: fc.dictionary(fc.constantFrom('d1', 'd2', 'd3', 'u1002'), fc.constantFrom('1001', '1002', '1777')),
  });

  test('goes out in every state, from every caller', () => {
    const uri = fc.constantFrom(
      'sip:999@x',
      'sip:112@x;user=phone',
      'tel:999',
      'urn:service:sos',
      'urn:service:sos.police',
    );
    fc.assert(
      fc.property(caller, facts, uri, (from, known, requestUri) => {
        const route = decideRoute({ requestUri, caller: from }, viewOf(known), UK);
        return route.kind === 'emergency' && /^(999|112)$/.test(route.number);
      }),
    );
  });

  test('no number of a service, and nobody’s forwarding, takes its place', () => {
    const digits = fc.constantFrom('999', '112', '9999', '8000', '8001', '+999');
    const company = fc.record({
      voicePortal: fc.option(fc.record({ number: digits, keys: fc.constant(VOICE_PORTAL_KEYS) }), {
        nil: undefined,
      }),
      voicemailNumber: fc.option(digits, { nil: undefined }),
    });
    const forwarding = fc.record({ always: digits, unanswered: digits }, { requiredKeys: [] });
    const seats = fc.dictionary(fc.constantFrom('d1', 'u1002'), fc.constantFrom('1001', '999', '112'));
    const uri = fc.constantFrom('sip:999@x', 'sip:112@x', 'tel:999', 'urn:service:sos', 'sip:999%23@x');
    fc.assert(
      fc.property(caller, company, forwarding, seats, uri, (from, firm, sentOn, at, requestUri) => {
        const users = ['1001', '1002', '999', '112'].map((one) => user(one, { forwarding: sentOn }));
        const known = viewOf({ directory: directory({ company: firm, users }), seats: at });
        expect(decideRoute({ requestUri, caller: from }, known, UK).kind).toBe('emergency');
        // And nobody is sent on to one.
        const other = decideRoute({ requestUri: 'sip:1002@x', caller: from }, known, UK);
        const to =
          other.kind === 'divert' ? other.to.to : other.kind === 'ring' ? other.otherwise?.to : undefined;
        expect(to?.kind === 'number' && /^(999|112)$/.test(to.number)).toBe(false);
      }),
    );
  });

  const dialled = fc.oneof(
    fc.constantFrom('1001', '1002', '1003', '+442079461001', '*90', '*91', '902079461234'),
    fc.string({ maxLength: 12 }),
  );

  test('every other call keeps rule A3: nothing in or out at a host with nobody on it', () => {
    fc.assert(
      fc.property(caller, facts, dialled, (from, known, number) => {
        const view = viewOf(known);
        const route = decideRoute({ requestUri: `sip:${number}@x`, caller: from }, view, UK);
        if (route.kind === 'trunk') return from.kind === 'host' && holds(from.host, view);
        if (route.kind !== 'ring') return true;
        const mayCall = from.kind === 'trunk' || (from.kind === 'host' && holds(from.host, view));
        return mayCall && route.hosts.every((each) => reaches(each.id, route.user?.extension, view));
      }),
    );
  });

  function holds(at: string, view: View): boolean {
    const guest = view.associationAt(at)?.guest ?? view.directory?.hosts.get(at)?.owner;
    return guest !== undefined && view.directory?.users.has(guest) === true;
  }

  /** The host rings for the person at it, and for nobody else. */
  function reaches(at: string, extension: string | undefined, view: View): boolean {
    const guest = view.associationAt(at)?.guest;
    return guest === extension || (guest === undefined && view.directory?.hosts.get(at)?.owner === extension);
  }
});
