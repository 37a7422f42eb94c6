import { describe, expect, test } from 'vitest';
import type { Round } from '../../../../src/sip/calls/connect.ts';
import type { Target } from '../../../../src/sip/calls/fork.ts';
import { emergencyRounds, roundsFor } from '../../../../src/sip/calls/rounds.ts';
import type { Trunk } from '../../../../src/sip/ports.ts';
import { binding, NOW, viewOf } from '../../domain/example.ts';
import { acme, PBX, SOS, SPARE, trunk, World } from '../world.ts';

const { deps } = new World();
const me = { name: 'A "Nick" B', number: '+442079460101' };

describe('emergency', () => {
  const second = trunk('sos2', { emergency: true });
  const all = { ...deps, trunks: [PBX, SOS, SPARE, second] };
  const rounds = emergencyRounds(all, '999', { identity: me, extra: { Priority: 'emergency' } });

  test('its own trunks first, in their order, then every other; one at a time', () => {
    expect(rounds.map((round) => round.map(({ uri }) => uri))).toEqual([
      ['sip:999@sos.test:5060'],
      ['sip:999@sos2.test:5060'],
      ['sip:999@pbx.test:5060'],
      ['sip:999@spare.test:5060'],
    ]);
  });

  test('each has its own patience and shows the desk', () => {
    expect(rounds[0]?.[0]).toMatchObject({
      answerWithinMs: 4000,
      party: { kind: 'trunk', trunk: 'sos' },
      headers: {
        From: '"A \\"Nick\\" B" <sip:+442079460101@hotdesk.test>',
        'P-Asserted-Identity': '"A \\"Nick\\" B" <sip:+442079460101@hotdesk.test>',
        Contact: '<sip:+442079460101@localhost>',
        To: '<sip:999@sos.test>',
        Priority: 'emergency',
      },
    });
  });

  test('a desk without a number asserts none', () => {
    const nobody = { identity: { name: '', number: 'anonymous' }, extra: {} };
    const headers = emergencyRounds(all, '999', nobody)[0]?.[0]?.headers;
    expect(headers).not.toHaveProperty('P-Asserted-Identity');
    expect(headers?.From).toBe('<sip:anonymous@hotdesk.test>');
  });
});

describe('a trunk with wishes of its own for emergency calls', () => {
  const place = { type: 'application/pidf+xml', id: 'd1@acme.test', content: '<presence/>' };
  const location = { part: place, headers: { Geolocation: '<cid:d1@acme.test>' } };
  const wishes = (emergencyCalls: NonNullable<Trunk['emergencyCalls']>, uri = 'sip:pbx@sos.test:5060') => {
    const trunks = [trunk('sos', { emergency: true, uri, emergencyCalls }), PBX];
    const extra = { Priority: 'emergency', 'Max-Forwards': '69' };
    const rounds = emergencyRounds({ ...deps, trunks }, '999', { identity: me, extra, location });
    return rounds.map((round) => round[0]!);
  };
  const plain = { dial: 'number', pidfLo: false, headers: {} } as const;

  test('gets the service URN down its own way, and nobody else does', () => {
    const [sos, pbx] = wishes({ ...plain, dial: 'urn' });
    expect(sos).toMatchObject({
      uri: 'urn:service:sos',
      proxy: 'sip:sos.test:5060',
      headers: { To: '<urn:service:sos>', Priority: 'emergency' },
      plainly: { uri: 'sip:999@sos.test:5060', headers: { To: '<sip:999@sos.test>', Priority: 'emergency' } },
      answerWithinMs: 4000,
    });
    expect(sos?.headers.From).toContain('+442079460101');
    expect(pbx).toMatchObject({ uri: 'sip:999@pbx.test:5060', headers: { To: '<sip:999@pbx.test>' } });
    expect(pbx?.proxy).toBeUndefined();
  });

  test('gets the location, and nobody else does', () => {
    const [sos, pbx] = wishes({ ...plain, pidfLo: true });
    expect(sos?.enclosed).toBe(location);
    expect(sos?.uri).toBe('sip:999@sos.test:5060');
    expect(pbx).not.toHaveProperty('enclosed');
    expect(wishes(plain)[0]).not.toHaveProperty('enclosed');
  });

  test('gets its priority and its headers; none of them replaces ours', () => {
    const headers = { 'X-Site': 'leeds', Priority: 'normal', From: '<sip:spy@evil.test>' };
    const [sos, pbx] = wishes({ ...plain, resourcePriority: 'esnet.1', headers });
    expect(sos?.headers).toMatchObject({
      ...{ 'Resource-Priority': 'esnet.1', 'X-Site': 'leeds', Priority: 'emergency' },
      From: '"A \\"Nick\\" B" <sip:+442079460101@hotdesk.test>',
    });
    expect(pbx?.headers).not.toHaveProperty('X-Site');
    expect(pbx?.headers).not.toHaveProperty('Resource-Priority');
  });
});

describe('trunks that are known to be down', () => {
  const second = trunk('sos2', { emergency: true });
  const trunks = [PBX, SOS, SPARE, second];
  const names = (rounds: readonly Round[]) => rounds.map((round) => round[0]?.uri.match(/@(\w+)/)?.[1]);
  const emergency = (down: readonly string[]) =>
    names(
      emergencyRounds({ ...deps, trunks, trunkHealth: { isDown: (name) => down.includes(name) } }, '999', {
        identity: me,
        extra: {},
      }),
    );

  test.each([
    [[], ['sos', 'sos2', 'pbx', 'spare']],
    [['sos'], ['sos2', 'sos', 'pbx', 'spare']],
    [
      ['sos', 'pbx'],
      ['sos2', 'sos', 'spare', 'pbx'],
    ],
    [
      ['sos', 'sos2', 'pbx', 'spare'],
      ['sos', 'sos2', 'pbx', 'spare'],
    ],
  ])('%j: last among their like, never left out', (down, order) => {
    expect(emergency(down)).toEqual(order);
  });

  test('ordinary calls try them last, too', () => {
    const trunkHealth = { isDown: (name: string) => name === 'spare' };
    const route = { kind: 'trunk', number: '01632960500', trunk: 'spare', as: me } as const;
    expect(names(roundsFor({ ...deps, trunkHealth }, route, {}))).toEqual(['pbx', 'spare']);
  });

  test('who cannot tell leaves the order as it is', () => {
    const isDown = (): boolean => {
      throw new Error('broken');
    };
    const rounds = emergencyRounds({ ...deps, trunks, trunkHealth: { isDown } }, '999', {
      identity: me,
      extra: {},
    });
    expect(names(rounds)).toEqual(['sos', 'sos2', 'pbx', 'spare']);
  });
});

describe('an outside number', () => {
  const route = { kind: 'trunk', number: '01632960500', trunk: 'spare', as: me } as const;

  test("the site's trunk first; never an emergency trunk it does not name", () => {
    expect(roundsFor(deps, route, {}).map((round) => round[0]?.uri)).toEqual([
      'sip:01632960500@spare.test:5060',
      'sip:01632960500@pbx.test:5060',
    ]);
  });

  test('who asks not to be named is named to the trunk alone (RFC 3323, 3325)', () => {
    const headers = roundsFor(deps, route, { extra: { Privacy: 'id' } })[0]?.[0]?.headers;
    expect(headers).toMatchObject({
      From: '"Anonymous" <sip:anonymous@anonymous.invalid>',
      Contact: '<sip:anonymous@localhost>',
      'P-Asserted-Identity': '"A \\"Nick\\" B" <sip:+442079460101@hotdesk.test>',
      Privacy: 'id',
    });
    const open = roundsFor(deps, route, { extra: { Privacy: 'none' } })[0]?.[0]?.headers;
    expect(open?.From).toContain('+442079460101');
  });
});

describe('phones', () => {
  const hosts = [...acme.hosts.values()];
  const route = { kind: 'ring', user: acme.users.get('1002')!, hosts, as: undefined } as const;

  test('all bindings of all hosts at once, each down its own flow', () => {
    const [round, ...more] = roundsFor(deps, route, { from: me });
    expect(more).toEqual([]);
    expect(round?.map(({ uri, proxy }) => [uri, proxy])).toEqual([
      ['sip:d1@192.0.2.10:5060', 'sip:192.0.2.10:5060;transport=udp'],
      ['sip:u1002@192.0.2.21', 'sip:192.0.2.10:5060;transport=udp'],
      ['sip:u1002@192.0.2.22', 'sip:[2001:db8::2]:5061;transport=tcp'],
    ]);
    expect(round?.[0]?.headers.To).toBe('<sip:1002@hotdesk.test>');
  });

  test('one phone with several flows once, by what it refreshed last; the others are for when that fails (RFC 5626)', () => {
    const flow = (regId: number, seconds: number, differs = {}) =>
      binding(`sip:d1@192.0.2.${regId}`, {
        ...{ instance: '<urn:uuid:1>', regId, expiresAt: NOW + seconds * 1000, ...differs },
      });
    const flows = [flow(1, 300), flow(2, 500), flow(3, 400), flow(4, 600, { q: 0.5 })];
    const others = [binding('sip:d1@a'), binding('sip:d1@b', { instance: '<urn:uuid:2>', regId: 1 })];
    const view = viewOf({ directory: acme, bindings: { d1: [...flows, ...others] } });
    const [round] = roundsFor({ ...deps, view }, route, {});
    const chain = ({ uri, otherFlow }: Target): string[] => [uri, ...(otherFlow ? chain(otherFlow) : [])];
    expect(round?.map(chain)).toEqual([
      ['sip:d1@192.0.2.2', 'sip:d1@192.0.2.3', 'sip:d1@192.0.2.1', 'sip:d1@192.0.2.4'],
      ['sip:d1@a'],
      ['sip:d1@b'],
    ]);
  });

  test('by the Path a phone registered with', () => {
    const bindings = { d1: [binding('sip:d1@x', { path: ['<sip:edge.test;lr>'] })] };
    const view = viewOf({ directory: acme, bindings });
    expect(roundsFor({ ...deps, view }, route, {})[0]?.[0]?.proxy).toBe('sip:edge.test;lr');
  });

  test('a withheld number stays withheld: no P-Asserted-Identity either', () => {
    const headers = roundsFor(deps, route, { from: me, extra: { Privacy: 'user; critical' } })[0]?.[0]
      ?.headers;
    expect(JSON.stringify(headers)).not.toContain('442079460101');
    expect(headers?.From).toBe('"Anonymous" <sip:anonymous@anonymous.invalid>');
  });

  test('nobody registered: nowhere to go', () => {
    const view = viewOf({ directory: acme });
    expect(roundsFor({ ...deps, view }, route, {})).toEqual([]);
  });
});
