import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { RequestedContact } from '../../../src/domain/registration.ts';
import { parseRegistration } from '../../../src/sip/register.ts';
import { FakeRequest, type FakeResponse } from '../../support/fake-sip.ts';
import { authorization, REALM, World } from './world.ts';

function parse(headers: Record<string, string>): ReturnType<typeof parseRegistration> {
  return parseRegistration(new FakeRequest({ method: 'REGISTER', headers }).asRequest);
}

function contacts(header: string): '*' | readonly Partial<RequestedContact>[] | undefined {
  const parsed = parse({ Contact: header })?.contacts;
  if (parsed === undefined || parsed === '*') return parsed;
  // Only what is there, so that the expectations below stay short.
  return parsed.map((contact) => JSON.parse(JSON.stringify(contact)) as Partial<RequestedContact>);
}

describe('Contact', () => {
  test.each<[string, string, unknown]>([
    [
      'of a VVX, with commas inside a parameter',
      '<sip:cp1@192.0.2.10:5060;transport=udp>;methods="INVITE,ACK,BYE,CANCEL,OPTIONS,INFO"',
      [{ uri: 'sip:cp1@192.0.2.10:5060;transport=udp' }],
    ],
    [
      'several, in one header',
      '"A, \\"B\\"" <sip:a@h,x>;expires=60 , <sip:b@h>;q=0.5,sip:c@h;expires=0',
      [
        { uri: 'sip:a@h,x', expires: 60 },
        { uri: 'sip:b@h', q: 0.5 },
        { uri: 'sip:c@h', expires: 0 },
      ],
    ],
    [
      'with an instance and a flow (RFC 5626)',
      '<sip:a@h>;+sip.instance="<urn:uuid:00000000-0000-1000-8000-0004F2AABBCC>";reg-id=1;Expires = 120',
      [
        {
          uri: 'sip:a@h',
          expires: 120,
          instance: '<urn:uuid:00000000-0000-1000-8000-0004F2AABBCC>',
          regId: 1,
        },
      ],
    ],
    ['star', ' * ', '*'],
    ['with an expiry nobody can read, which counts as none', '<sip:a@h>;expires=soon', [{ uri: 'sip:a@h' }]],
    ['with an expiry past all bounds', '<sip:a@h>;expires=99999999999', [{ uri: 'sip:a@h' }]],
    ['that is no URI', '<sip:a@h>, nonsense', undefined],
    ['star among others', '*, <sip:a@h>', undefined],
  ])('%s', (_what, header, expected) => expect(contacts(header)).toEqual(expected));

  test('none is a query', () => expect(parse({})?.contacts).toEqual([]));

  test('nothing throws', () => {
    const parts = fc.constantFrom(
      '<sip:',
      '@',
      '>',
      '"',
      '\\',
      ',',
      ';expires=',
      ';q=',
      '1',
      '*',
      ' ',
      'sip:',
    );
    fc.assert(fc.property(fc.array(parts), (header) => void parse({ Contact: header.join('') })));
  });
});

test('the rest of a REGISTER', () => {
  const parsed = parse({
    Expires: ' 600 ',
    'Call-ID': 'c1',
    CSeq: '7 REGISTER',
    Path: '<sip:p1;lr>,<sip:p2;lr>',
    'User-Agent': 'PolycomVVX',
  });
  expect(parsed).toMatchObject({
    expires: 600,
    callId: 'c1',
    cseq: 7,
    path: ['<sip:p1;lr>', '<sip:p2;lr>'],
    userAgent: 'PolycomVVX',
    flow: { protocol: 'udp', address: '192.0.2.10', port: 5060 },
  });
  expect(parse({ Expires: 'never' })?.expires).toBeUndefined();
});

describe('REGISTER', () => {
  async function register(world: World, headers: Record<string, string>): Promise<FakeResponse> {
    world.app();
    const base = { From: '<sip:d1@x>', To: `<sip:d1@${REALM}>`, Contact: '<sip:d1@192.0.2.10>', ...headers };
    const make = (more: Record<string, string>): FakeRequest =>
      new FakeRequest({ method: 'REGISTER', uri: `sip:${REALM}`, headers: { ...base, ...more } });
    const challenged = await world.receive(make({}));
    expect(challenged.final?.status).toBe(401);
    const challenge = challenged.final?.headers['WWW-Authenticate'] ?? '';
    return world.receive(make({ Authorization: authorization('REGISTER', challenge) }));
  }

  test('is answered with what is bound', async () => {
    const world = new World();
    const bound = { uri: 'sip:d1@192.0.2.10', expires: 60, q: 0.5, instance: '<urn:x>', regId: 2 };
    world.registerAnswer = { contacts: [bound, { uri: 'sip:d1@b', expires: 9, q: 1 }] };
    const { final } = await register(world, { Path: '<sip:p;lr>' });
    expect(final).toMatchObject({ status: 200, headers: { Path: '<sip:p;lr>', Supported: 'path' } });
    expect(final?.headers.Contact).toBe(
      '<sip:d1@192.0.2.10>;expires=60;q=0.5;+sip.instance="<urn:x>";reg-id=2, <sip:d1@b>;expires=9',
    );
  });

  test("of somebody else's address: 403, and the registrar is not asked", async () => {
    const world = new World();
    const { final } = await register(world, { To: `"sip:d1@${REALM}" <sip:u1002@${REALM}>` });
    expect(final?.status).toBe(403);
    expect(world.registered).toEqual([]);
  });

  test('too brief: 423 with the shortest allowed', async () => {
    const world = new World();
    world.registerAnswer = { status: 423, reason: 'Interval Too Brief', minExpires: 60 };
    const { final } = await register(world, {});
    expect(final).toMatchObject({ status: 423, headers: { 'Min-Expires': '60' } });
  });

  test('with a Contact nobody can read: 400', async () => {
    expect((await register(new World(), { Contact: 'nonsense' })).final?.status).toBe(400);
  });
});
