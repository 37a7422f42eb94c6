import { describe, expect, test } from 'vitest';
import type { EmergencyDesk, SipDependencies } from '../../../../src/sip/ports.ts';
import { type FakeResponse, type FakeUac, settled } from '../../../support/fake-sip.ts';
import { directory, host, viewOf } from '../../domain/example.ts';
import { ANSWER, acme, type DialOptions, invite, OFFER, PBX, trunk, World } from '../world.ts';

/** What an emergency call looks like on its trunk, and who is told of it; never at the call's expense. */

const SOS = trunk('sos', {
  emergency: true,
  emergencyCalls: { dial: 'number', pidfLo: true, resourcePriority: 'esnet.1', headers: { 'X-Site': 'hq' } },
});

function worldOf(differs: Partial<SipDependencies> = {}): World {
  const world = new World({ trunks: [PBX, SOS], ...differs });
  world.app();
  return world;
}

/** Phone d1 dials, unasked for any password. */
function dial(world: World, number = '999', parts: DialOptions = {}): Promise<FakeResponse> {
  return world.receive(invite(number, parts));
}

function stages(world: World): string[] {
  return world.desk.told.map(({ stage }) => stage);
}

/** The parts of a multipart body: headers and content of each. */
function partsOf({ options }: FakeUac): [head: string, content: string][] {
  const boundary = /^multipart\/mixed;boundary=(.+)$/.exec(options.headers['Content-Type'] ?? '')?.[1];
  const between = (options.body ?? '').split(`--${boundary}`).slice(1, -1);
  return between.map((part) => {
    const end = part.indexOf('\r\n\r\n');
    return [part.slice(2, end), part.slice(end + 4, -2)];
  });
}

describe('on a trunk that wants it', () => {
  test("the desk's address goes beside the offer, and the headers speak of it (RFC 6442)", async () => {
    const world = worldOf();
    await dial(world);
    const { uac } = world.srf;
    expect(uac.uri).toBe('sip:999@sos.test:5060');
    expect(uac.options.localSdp).toBe(OFFER);
    const [session, place] = partsOf(uac);
    expect(session).toEqual(['Content-Type: application/sdp', OFFER]);
    const id = /^Content-ID: <(.+)>$/m.exec(place?.[0] ?? '')?.[1];
    expect(id).toMatch(/^d1\.\d+@hotdesk\.test$/);
    expect(place?.[0]).toContain('Content-Type: application/pidf+xml');
    expect(place?.[1]).toContain('<ca:RD>Example Street</ca:RD><ca:HNO>10</ca:HNO>');
    expect(uac.options.headers).toMatchObject({
      ...{ Geolocation: `<cid:${id}>`, 'Geolocation-Routing': 'yes', Supported: 'geolocation' },
      ...{ Priority: 'emergency', 'Resource-Priority': 'esnet.1', 'X-Site': 'hq' },
    });
  });

  test('it goes alone where the phone makes no offer, and the call is joined by its answer', async () => {
    const world = worldOf();
    const response = await dial(world, '999', { body: '' });
    const { uac } = world.srf;
    expect(uac.options).toMatchObject({ noAck: true });
    expect(partsOf(uac)).toEqual([
      [expect.stringContaining('pidf+xml'), expect.stringContaining('civicAddress')],
    ]);
    uac.answer(ANSWER);
    await settled();
    expect(response.final?.body).toBe(ANSWER);
    world.srf.uas.ack(OFFER);
    await settled();
    expect(uac.late).toEqual([OFFER]);
    expect(stages(world)).toEqual(['placed', 'answered']);
  });

  test('it goes with a call that was typed at a menu', async () => {
    const world = worldOf();
    await world.dial('*90');
    world.media.session.press('999');
    await settled();
    expect(partsOf(world.srf.uac).map(([head]) => head.split('\r\n')[0])).toEqual([
      'Content-Type: application/sdp',
      'Content-Type: application/pidf+xml',
    ]);
    expect(stages(world)).toEqual(['placed']);
  });

  test('the next trunk, which does not want it, gets the offer alone', async () => {
    const world = worldOf();
    await dial(world);
    world.srf.uac.reject(503);
    await settled();
    const { uri, options } = world.srf.uac;
    expect(uri).toBe('sip:999@pbx.test:5060');
    expect(options.body).toBeUndefined();
    expect(Object.keys(options.headers)).not.toContain('Geolocation');
    expect(options.localSdp).toBe(OFFER);
  });

  test.each([
    [false, true],
    [true, false],
  ])('confirmed: %s; marked as not confirmed: %s', async (verified, marked) => {
    const moved = host('d1', {
      callbackNumber: '+442079460111',
      location: { network: '192.0.2.0/24', verified },
    });
    const world = worldOf({ view: viewOf({ directory: directory({ hosts: [moved] }) }) });
    await dial(world);
    expect(world.srf.uac.options.body?.includes('Address not confirmed')).toBe(marked);
  });

  test('a phone nobody knows has no address; the call goes out without', async () => {
    const world = worldOf({ view: viewOf({ directory: directory({ hosts: [] }) }) });
    await dial(world);
    expect(world.srf.uac.uri).toBe('sip:999@sos.test:5060');
    expect(world.srf.uac.options.body).toBeUndefined();
    expect(world.srf.uac.options.headers).not.toHaveProperty('Geolocation');
    expect(world.srf.uac.options.headers).toMatchObject({
      Priority: 'emergency',
      'Resource-Priority': 'esnet.1',
    });
  });
});

test("who hides his number is shown all the same, as the desk (RFC 6881): Privacy is not the caller's to ask for", async () => {
  const world = worldOf();
  const hidden = { From: '"Anonymous" <sip:anonymous@anonymous.invalid>;tag=a', Privacy: 'id;user;critical' };
  await dial(world, '999', { headers: hidden, source: '192.0.2.10:5060' });
  const { headers } = world.srf.uac.options;
  const desk = '"d1" <sip:+442079460111@hotdesk.test>';
  expect(headers).toMatchObject({ From: desk, 'P-Asserted-Identity': desk });
  expect(headers).not.toHaveProperty('Privacy');
});

describe('the emergency desk', () => {
  test('is told once, in the same moment as the first INVITE is handed over, and of the answer', async () => {
    const world = worldOf();
    const response = dial(world);
    expect([world.srf.uacs.length, stages(world)]).toEqual([1, ['placed']]);
    world.srf.uac.reject(503);
    await settled();
    world.srf.uac.answer(ANSWER);
    await settled();
    expect((await response).final?.status).toBe(200);
    expect(stages(world)).toEqual(['placed', 'answered']);
    expect(new Set(world.desk.told.map(({ record }) => record.id)).size).toBe(1);
  });

  test('hears that every trunk failed before the caller does', async () => {
    const world = worldOf();
    world.media.endless = true;
    await dial(world);
    for (let tries = 0; tries < 2; tries++) {
      world.srf.uac.reject(500);
      await settled();
    }
    expect(stages(world)).toEqual(['placed', 'failed']);
    expect(world.media.session.heard).toEqual(['emergency-failed', 'emergency-failed']);
  });

  test('hears of no end when the caller gives up', async () => {
    const world = worldOf();
    const request = invite('999');
    await world.receive(request);
    request.cancelled();
    await settled();
    expect(stages(world)).toEqual(['placed']);
  });

  test('with no trunk at all it is told twice, too', async () => {
    const world = worldOf({ trunks: [] });
    await dial(world);
    expect(stages(world)).toEqual(['placed', 'failed']);
  });
});

describe('whatever is beside the call may break', () => {
  const broken = (): never => {
    throw new Error('broken');
  };
  const hostile = new Proxy({}, { get: broken }) as never;
  const PARTS: Record<string, Partial<SipDependencies>> = {
    'a desk that throws': { emergencies: { placed: broken, stage: broken } },
    'a desk that throws later': { emergencies: { placed: () => hostile, stage: broken } },
    'a desk that is not there': { emergencies: undefined as unknown as EmergencyDesk },
    'trunks nobody knows about': { trunkHealth: { isDown: broken } },
    'an address that cannot be read': {
      view: viewOf({
        directory: directory({ hosts: [host('d1', { callbackNumber: '+442079460111', address: hostile })] }),
      }),
    },
  };

  test.each(Object.entries(PARTS))('%s: the call goes out and is answered', async (_what, parts) => {
    const world = worldOf(parts);
    const response = await dial(world);
    expect(world.srf.uac.uri).toBe('sip:999@sos.test:5060');
    expect(world.srf.uac.header('P-Asserted-Identity')).toBe('"d1" <sip:+442079460111@hotdesk.test>');
    world.srf.uac.answer(ANSWER);
    await settled();
    expect(response.final?.status).toBe(200);
    world.srf.uas.bye();
  });

  test.each(Object.entries(PARTS))('%s: the announcement is made', async (_what, parts) => {
    const world = worldOf(parts);
    await dial(world);
    for (let tries = 0; tries < 2; tries++) {
      world.srf.uac.reject(500);
      await settled();
    }
    expect(world.media.session.heard).toEqual(['emergency-failed', 'emergency-failed']);
  });
});

test('the example has the address the tests speak of', () => {
  expect(acme.hosts.get('d1')?.address.street).toBe('Example Street');
});
