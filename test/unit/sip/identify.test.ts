import { describe, expect, test } from 'vitest';
import { DigestServer } from '../../../src/sip/digest.ts';
import { addressMatcher, Identifier } from '../../../src/sip/identify.ts';
import { FakeRequest, FakeResponse } from '../../support/fake-sip.ts';
import { viewOf } from '../domain/example.ts';
import { authorization, invite, REALM, World } from './world.ts';

describe('addresses of a trunk', () => {
  const matches = addressMatcher(['192.0.2.0/24', '198.51.100.1', '2001:db8::/32', '2001:dead::1']);
  test.each([
    ['192.0.2.77', true],
    ['::ffff:192.0.2.77', true],
    ['192.0.3.1', false],
    ['198.51.100.1', true],
    ['198.51.100.2', false],
    ['2001:db8:1::5', true],
    ['2001:db9::5', false],
    ['2001:dead::1', true],
    ['', false],
    ['not an address', false],
  ])('%s %s', (address, expected) => expect(matches(address)).toBe(expected));
});

function identifier(world = new World()): Identifier {
  const digest = new DigestServer({ realm: REALM, nonceLifetime: 30, now: () => world.clock.now() });
  return new Identifier(world.deps, digest);
}

function identify(who: Identifier, request: FakeRequest): { caller: unknown; response: FakeResponse } {
  const response = new FakeResponse();
  return { caller: who.identify(request.asRequest, response.asResponse), response };
}

describe('identify', () => {
  test('a trunk is known by its address, and needs no password', () => {
    const { caller, response } = identify(identifier(), invite('1001', { source: '203.0.113.9:5060' }));
    expect(caller).toEqual({ kind: 'trunk', trunk: 'sos', emergency: true });
    expect(response.sent).toEqual([]);
  });

  test('a phone is known by its digest answer alone, not by From', () => {
    const who = identifier();
    const first = identify(who, invite('1001'));
    expect(first.caller).toBeUndefined();
    expect(first.response.final?.status).toBe(401);
    const challenge = first.response.final?.headers['WWW-Authenticate'] ?? '';
    const headers = { From: '<sip:u1002@x>;tag=a', Authorization: authorization('INVITE', challenge) };
    expect(identify(who, invite('1001', { headers })).caller).toEqual({ kind: 'host', host: 'd1' });
    const replay = identify(who, invite('1001', { headers }));
    expect(replay.response.final?.headers['WWW-Authenticate']).toContain('stale=true');
  });

  test.each([
    ['the wrong password', { password: 'wrong' }],
    ['a user nobody knows', { username: 'd9' }],
  ])('%s: 403, the same for both, without a word of the answer', (_what, differs) => {
    const world = new World();
    const who = identifier(world);
    const challenge = identify(who, invite('1')).response.final?.headers['WWW-Authenticate'] ?? '';
    const answer = authorization('INVITE', challenge, differs as Record<string, string>);
    const { caller, response } = identify(who, invite('1', { headers: { Authorization: answer } }));
    expect(caller).toBeUndefined();
    expect(response.final?.status).toBe(403);
    expect(response.final?.headers.Warning).toBe('399 hotdesk.test "This phone is not known here"');
    const digits = /response="(\w+)"/.exec(answer)?.[1] ?? '?';
    expect(JSON.stringify([world.log.lines, response.sent])).not.toContain(digits);
  });

  test("an answer to somebody else's challenge is asked ours, and not called wrong", () => {
    const answer = authorization('INVITE', 'nonce="x"', { realm: 'elsewhere.test' });
    const { response } = identify(identifier(), invite('1', { headers: { Authorization: answer } }));
    expect(response.final?.status).toBe(401);
    expect(response.final?.headers['WWW-Authenticate']).not.toContain('stale');
  });
});

describe('guessing', () => {
  const from = (source: string, differs: Record<string, string> = {}) => {
    return { source, differs };
  };

  /** Asks for a challenge and answers it. */
  function attempt(who: Identifier, { source, differs }: ReturnType<typeof from>) {
    const asked = identify(who, invite('1', { source }));
    const challenge = asked.response.final?.headers['WWW-Authenticate'] ?? '';
    const headers = { Authorization: authorization('INVITE', challenge, differs) };
    return identify(who, invite('1', { source, headers }));
  }

  test.each(['d1', 'd9'])('%s: after five wrong answers the right one is challenged, too', (username) => {
    const world = new World();
    const who = identifier(world);
    const wrong = from('203.0.113.66:4000', { username, password: 'wrong' });
    const statuses = [1, 2, 3, 4, 5, 6, 7].map(() => attempt(who, wrong).response.final?.status);
    expect(statuses).toEqual([403, 403, 403, 403, 403, 401, 401]);
    const right = attempt(who, from('203.0.113.66:4000', { username }));
    expect(right.caller).toBeUndefined();
    expect(right.response.final?.status).toBe(401);
    expect(right.response.final?.headers['WWW-Authenticate']).not.toContain('stale');
    const lines = world.log.lines.filter(({ text }) => text.includes('has to wait'));
    const user = username === 'd1' ? 'd1' : undefined;
    expect(lines.map(({ data }) => data)).toEqual([
      { source: '203.0.113.66', user, over: 'user', seconds: 1 },
    ]);
  });

  test('a challenge during a wait is as any other', () => {
    const who = identifier();
    const plain = identify(who, invite('1', { source: '203.0.113.66:4000' })).response.final;
    for (let n = 0; n < 5; n++) attempt(who, from('203.0.113.66:4000', { password: 'wrong' }));
    const waiting = attempt(who, from('203.0.113.66:4000')).response.final;
    const text = (answer: typeof plain) => JSON.stringify(answer).replace(/nonce=[^,]*/g, 'nonce');
    expect(text(waiting)).toBe(text(plain));
  });

  test('the phone elsewhere, and at its registered flow, notices nothing', () => {
    const who = identifier();
    for (let n = 0; n < 9; n++) attempt(who, from('203.0.113.66:4000', { password: 'wrong' }));
    for (let n = 0; n < 9; n++) attempt(who, from('192.0.2.10:4000', { password: 'wrong' }));
    expect(attempt(who, from('198.51.100.77:5060')).caller).toEqual({ kind: 'host', host: 'd1' });
    expect(attempt(who, from('192.0.2.10:5060')).caller).toEqual({ kind: 'host', host: 'd1' });
    expect(attempt(who, from('192.0.2.10:4000')).caller).toBeUndefined();
  });

  test('an emergency call goes out in the middle of it, whatever it brings', async () => {
    const world = new World();
    world.app();
    const source = '203.0.113.66:4000';
    const wrong = { Authorization: authorization('INVITE', 'nonce="n"', { password: 'wrong' }) };
    const guesses = await Promise.all(
      Array.from({ length: 60 }, () => world.receive(invite('1002', { source, headers: wrong }))),
    );
    expect(guesses.at(-1)?.final?.status).toBe(401);
    expect(world.srf.uacs).toHaveLength(0);
    await world.receive(invite('999', { source, headers: wrong }));
    expect(world.srf.uac.uri).toBe('sip:999@sos.test:5060');
  });

  test('an old nonce is no failure', () => {
    const world = new World();
    const who = identifier(world);
    const source = '203.0.113.66:4000';
    const challenge =
      identify(who, invite('1', { source })).response.final?.headers['WWW-Authenticate'] ?? '';
    world.clock.advance(31_000);
    const headers = { Authorization: authorization('INVITE', challenge) };
    for (let n = 0; n < 9; n++) identify(who, invite('1', { source, headers }));
    expect(attempt(who, from(source)).caller).toEqual({ kind: 'host', host: 'd1' });
  });
});

describe('the desk an emergency call says it comes from', () => {
  test.each<[string, Record<string, string>, string | undefined]>([
    ['the digest user', { Authorization: authorization('INVITE', ''), From: '<sip:d2@x>' }, undefined],
    ['From', { From: '"X" <sip:d2@x>' }, 'd2'],
    ['Contact', { From: '<sip:anonymous@x>', Contact: '<sip:u1002@x>' }, 'u1002'],
    ['nothing known', { From: 'garbage', Contact: '' }, undefined],
  ])('%s', (_what, headers, expected) => {
    const found = identifier().claimedHost(new FakeRequest({ headers }).asRequest);
    expect(found).toBe(expected ?? (headers.Authorization ? 'd2' : undefined));
  });

  test('the digest user goes before From, whatever the password', () => {
    const headers = {
      Authorization: authorization('INVITE', 'nonce="n"', { password: 'wrong' }),
      From: '<sip:d2@x>',
    };
    expect(identifier().claimedHost(new FakeRequest({ headers }).asRequest)).toBe('d1');
  });

  test('without a directory: nobody, and no surprise', () => {
    const world = new World({ view: viewOf({ directory: undefined, knowledge: 'unknown' }) });
    expect(identifier(world).claimedHost(invite('999').asRequest)).toBeUndefined();
  });
});
