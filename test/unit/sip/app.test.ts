import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import type { SipApp } from '../../../src/sip/app.ts';
import { FakeRequest, FakeResponse, type FakeUac, settled } from '../../support/fake-sip.ts';
import { viewOf } from '../domain/example.ts';
import { ANSWER, acme, invite, OFFER, REALM, World } from './world.ts';

/** The application as a whole: what comes of each request. */

const PBX_SOURCE = '198.51.100.1:5060';

let world: World;
let app: SipApp;

beforeEach(() => use(new World()));

function use(other: World): void {
  world = other;
  app = world.app();
}

function uris(): string[] {
  return world.srf.uacs.map(({ uri }) => uri);
}

function nothingIsLeft(): void {
  expect(app.stats()).toEqual({ calls: 0, legs: 0 });
  expect(world.clock.pending).toBe(0);
}

describe('an emergency call', () => {
  const unknownView = viewOf({ directory: undefined, knowledge: 'unknown' });
  const situations: [string, () => World, Parameters<typeof invite>[1]][] = [
    ['from a phone nobody knows', () => new World(), { headers: { From: 'garbage', Contact: '<x>' } }],
    ['with a wrong password', () => new World(), { headers: { Authorization: 'Digest nonsense="' } }],
    ['with a Require nobody knows', () => new World(), { headers: { Require: 'nothingSupportsThis' } }],
    ['with an Accept we cannot meet', () => new World(), { headers: { Accept: 'text/plain' } }],
    ['without hops left', () => new World(), { headers: { 'Max-Forwards': '0' } }],
    ['while all lines are taken', () => new World({ maxCalls: 0 }), {}],
    [
      'without a directory',
      () => new World({ view: unknownView, numberPlan: new World().deps.numberPlan }),
      {},
    ],
    ['without an offer', () => new World(), { body: '' }],
    ['with a body nobody understands', () => new World(), { body: 'x', headers: { 'Content-Type': 'a/b' } }],
  ];

  test.each(situations)('%s goes out', async (_when, make, parts) => {
    use(make());
    await world.receive(invite('999', parts));
    expect(uris()).toEqual(['sip:999@sos.test:5060']);
  });

  test('while the server stops', async () => {
    const stopping = app.stop();
    await world.receive(invite('999'));
    expect(uris()).toHaveLength(1);
    world.srf.uacs[0]?.answer(ANSWER);
    for (let n = 0; n < 50; n++) {
      world.clock.advance(50);
      await settled();
    }
    await stopping;
  });

  test('as the desk, with its callback number and nothing of the guest', async () => {
    await world.receive(invite('urn:service:sos'));
    const { headers } = world.srf.uac.options;
    expect(headers).toMatchObject({
      From: '"d1" <sip:+442079460111@hotdesk.test>',
      'P-Asserted-Identity': '"d1" <sip:+442079460111@hotdesk.test>',
      Priority: 'emergency',
      'Max-Forwards': '69',
    });
    expect(JSON.stringify(headers)).not.toContain('1001');
  });

  test.each([
    ['"Ward 3" <sip:+441632960501@pbx>', '"Ward 3" <sip:+441632960501@hotdesk.test>'],
    ['<sip:441632960501@pbx>', '<sip:+441632960501@hotdesk.test>'],
    ['<tel:01632960501>', '<sip:+441632960501@hotdesk.test>'],
    ['<sip:+99912345678@pbx>', '<sip:+99912345678@hotdesk.test>'],
    ['"Ward 3" <sip:201@pbx>', '<sip:anonymous@hotdesk.test>'],
  ])('of a trunk that asserts %s: as %s', async (asserted, shown) => {
    const headers = { 'P-Asserted-Identity': asserted, Privacy: 'id' };
    await world.receive(invite('999', { source: PBX_SOURCE, headers }));
    expect(world.srf.uac.header('From')).toBe(shown);
    expect(world.srf.uac.options.headers).not.toHaveProperty('Privacy');
  });

  test('of a phone shows nothing that it asserts of itself', async () => {
    const headers = {
      From: '<sip:x@y>',
      Contact: '<sip:x@z>',
      'P-Asserted-Identity': '<sip:+441632960501@pbx>',
    };
    await world.receive(invite('999', { source: '198.51.100.77:5060', headers }));
    expect(world.srf.uac.header('From')).toBe('<sip:anonymous@hotdesk.test>');
  });

  test('with the place of the phone beside the offer (multipart): the offer goes out', async () => {
    const body = `--b\r\nContent-Type: application/pidf+xml\r\n\r\n<x/>\r\n--b\r\nContent-Type: application/sdp\r\n\r\n${OFFER}\r\n--b--\r\n`;
    await world.receive(invite('999', { body, headers: { 'Content-Type': 'multipart/mixed; boundary=b' } }));
    expect(world.srf.uac.options.localSdp).toBe(OFFER);
  });

  test('every trunk is tried, whatever the others said; then it is said aloud', async () => {
    const response = await world.receive(invite('999'));
    for (const status of [403, 486, 603]) {
      world.srf.uac.reject(status);
      await settled();
    }
    expect(uris()).toEqual(['sip:999@sos.test:5060', 'sip:999@pbx.test:5060', 'sip:999@spare.test:5060']);
    expect(response.final?.status).toBe(200);
    expect(world.media.session.heard).toEqual(['emergency-failed', 'emergency-failed']);
    expect(world.srf.uas.byes).toHaveLength(1);
    expect(world.log.errors()).toEqual(['EMERGENCY CALL FAILED on every trunk']);
    nothingIsLeft();
  });

  test('typed at the menu: the call that is up becomes it', async () => {
    await world.dial('*90');
    world.media.session.press('999');
    await settled();
    expect(uris()).toEqual(['sip:999@sos.test:5060']);
    expect(world.srf.uac.options.localSdp).toBe(OFFER);
    const near = world.srf.uas;
    expect(near.receive('INFO', { body: 'Signal=#' }).final?.status).toBe(200);
    const psap = world.srf.uac.answer(ANSWER);
    await settled();
    near.sent('INVITE')[0]?.answer(200, { body: OFFER });
    await settled();
    expect(app.stats()).toEqual({ calls: 1, legs: 2 });
    expect(world.media.session.closed).toBe(true);
    near.bye();
    expect(psap.byes).toHaveLength(1);
    nothingIsLeft();
  });

  test('typed at the menu, and the media die: the call does not', async () => {
    await world.dial('*90');
    world.media.session.press('999');
    await settled();
    world.media.session.die();
    expect([world.srf.uas.byes, world.srf.uac.cancels]).toEqual([[], []]);
  });

  test('typed at the menu, and no trunk works: it is said aloud', async () => {
    await world.dial('*90');
    world.media.session.press('999');
    await settled();
    for (let n = 0; n < 3; n++) {
      world.srf.uac.reject(500);
      await settled();
    }
    expect(world.media.session.heard.slice(-2)).toEqual(['emergency-failed', 'emergency-failed']);
    expect(world.srf.uas.byes).toHaveLength(1);
    nothingIsLeft();
  });

  test('typed at the menu, and the caller hangs up: CANCEL, and nothing is left', async () => {
    await world.dial('*90');
    world.media.session.press('999');
    await settled();
    world.srf.uas.bye();
    await settled();
    expect(world.srf.uac.cancels).toEqual(['SIP;cause=487;text="Caller hung up"']);
    nothingIsLeft();
  });

  test('whatever its headers hold', async () => {
    const text = fc.string({ unit: 'binary', maxLength: 60 });
    const names = [
      'From',
      'To',
      'Contact',
      'Authorization',
      'Require',
      'Max-Forwards',
      'Privacy',
      'Content-Type',
    ];
    const headers = fc.dictionary(fc.constantFrom(...names), text);
    await fc.assert(
      fc.asyncProperty(headers, text, async (some, body) => {
        const desk = new World();
        desk.app();
        await desk.receive(invite('999', { headers: some, body }));
        expect(desk.srf.uacs.map(({ uri }) => uri)).toEqual(['sip:999@sos.test:5060']);
      }),
    );
  });
});

describe('an INVITE', () => {
  test('whose CANCEL is right behind it, in the same packet, is cancelled', async () => {
    const request = invite('999');
    world.srf.handlers.get('invite')?.(request.asRequest, new FakeResponse().asResponse);
    request.cancelled();
    await settled();
    expect(world.srf.uac.cancels).toHaveLength(1);
    nothingIsLeft();
  });

  test('without a Contact: 400, since nobody could be told of the end', async () => {
    const request = invite('1002');
    request.headers.delete('contact');
    expect((await world.receive(request)).final?.status).toBe(400);
  });

  test('with a To tag belongs to no dialog we have: 481', async () => {
    const request = invite('1002', { headers: { To: '<sip:1002@x>;tag=abc' } });
    expect((await world.receive(request)).final?.status).toBe(481);
  });

  test('without hops left: 483, feature access codes excepted', async () => {
    const spent = { headers: { 'Max-Forwards': '0' } };
    expect((await world.receive(invite('1002', spent))).final?.status).toBe(483);
    expect((await world.receive(invite('*90', spent))).final?.status).toBe(401);
  });

  test('while all lines are taken: 503; a trunk is told when to come back, a phone is not', async () => {
    use(new World({ maxCalls: 0 }));
    const phone = await world.receive(invite('1002'));
    expect(phone.final?.status).toBe(503);
    expect(phone.final?.headers['Retry-After']).toBeUndefined();
    const trunk = await world.receive(invite('1002', { source: '198.51.100.1:5060' }));
    expect(trunk.final?.headers['Retry-After']).toBe('5');
  });

  test('that surprises us gets 500, and the log one line', async () => {
    Object.assign(world.deps.hotDesk, { logOut: () => Promise.reject(new Error('boom')) });
    await world.dial('*91');
    expect(world.log.errors()).toEqual(['SIP request failed']);
    expect(world.srf.uas.byes).toEqual([{ Reason: 'SIP;cause=500;text="Something went wrong"' }]);
    nothingIsLeft();
  });
});

async function begin(number: string): ReturnType<World['dial']> {
  return world.dial(number);
}

describe('a call of a person at a desk', () => {
  test('goes out as the person', async () => {
    await begin('01632960500');
    expect(uris()).toEqual(['sip:01632960500@pbx.test:5060']);
    expect(world.srf.uac.header('From')).toBe('"Person 1001" <sip:+442079461001@hotdesk.test>');
  });

  test.each([
    [486, 486],
    [302, 480],
    [499, 400],
    [407, 502],
  ])('refused with %i there is refused with %i here', async (status, expected) => {
    const { response } = await begin('1002');
    for (const uac of world.srf.uacs) uac.reject(status, 'Reason "phrase"');
    await settled();
    expect(response.final?.status).toBe(expected);
    expect(response.final?.headers.Warning).toBe('399 hotdesk.test "Reason \\"phrase\\""');
    nothingIsLeft();
  });

  test('that rings for three minutes ends with 480, and the phones stop', async () => {
    const { response } = await begin('1002');
    for (const uac of world.srf.uacs) uac.ring();
    world.clock.advance(180_000);
    await settled();
    expect(response.final?.status).toBe(480);
    expect(world.srf.uacs.map(({ cancels }) => cancels.length)).toEqual([1, 1]);
    nothingIsLeft();
  });

  test('to a number nobody has: a spoken reason in early media, then 404', async () => {
    const { response } = await begin('1999');
    expect(response.sent.map(({ status }) => status)).toEqual([183, 404]);
    expect(world.media.session.heard).toEqual(['number-unknown']);
    expect(world.media.session.closed).toBe(true);
  });

  test.each([
    ['without an offer', { body: '' }, undefined],
    ['without a free port', {}, 'noPorts' as const],
  ])('%s the reason is not spoken, and still the right one', async (_what, parts, refuse) => {
    world.media.refuse = refuse;
    const { response } = await world.dial('1999', parts);
    expect(response.sent.map(({ status }) => status)).toEqual([404]);
  });
});

test.each([
  ['*90', ['digit-star', 'digit-9', 'digit-0']],
  ['#112', ['digit-hash', 'digit-1', 'digit-1', 'digit-2']],
])(
  'a phone with nobody on it answers, says how to log in, by %s, and hangs up (rule A3)',
  async (logIn, code) => {
    const company = { ...acme.company, featureAccessCodes: { logIn, logOut: '*91' } };
    use(new World({ view: viewOf({ directory: { ...acme, company } }) }));
    const { response } = await begin('01632960500');
    expect(response.final?.status).toBe(200);
    expect(world.media.session.heard).toEqual([
      ...['phone-free', 'to-log-in', ...code, 'pause'],
      'emergency-note',
    ]);
    expect(world.srf.uas.byes).toEqual([
      { Reason: 'SIP;cause=403;text="Nobody is logged in at this phone"' },
    ]);
    expect(uris()).toEqual([]);
    nothingIsLeft();
  },
);

describe('a call from a trunk', () => {
  async function arrives(number: string, headers: Record<string, string> = {}): Promise<FakeUac | undefined> {
    const request = invite(number, {
      source: PBX_SOURCE,
      headers: { From: '<sip:+441632960500@pbx>;tag=x', ...headers },
    });
    await world.receive(request);
    return world.srf.uacs[0];
  }

  test('rings the person where they sit, with the number the trunk asserts', async () => {
    const uac = await arrives('+442079461001', { 'P-Asserted-Identity': '"Caller" <sip:+441632960501@pbx>' });
    expect(uac?.uri).toBe('sip:d1@192.0.2.10:5060');
    expect(uac?.header('From')).toBe('"Caller" <sip:+441632960501@hotdesk.test>');
  });

  test.each([
    ['<tel:+441632960502>', '+441632960502'],
    ['<sip:%F0%9F%98%80@pbx>', '%F0%9F%98%80'],
    ['nonsense', 'anonymous'],
  ])('asserted as %s shows %s', async (asserted, shown) => {
    const uac = await arrives('+442079461001', { 'P-Asserted-Identity': asserted });
    expect(uac?.header('From')).toContain(`<sip:${shown}@`);
  });

  test('a withheld number does not reach the phone', async () => {
    const asserted = { 'P-Asserted-Identity': '<sip:+441632960501@pbx>', Privacy: 'id' };
    const uac = await arrives('+442079461001', { ...asserted, From: '<sip:anonymous@anonymous.invalid>' });
    expect(JSON.stringify(uac?.options)).not.toContain('441632960501');
  });

  test('to nobody we know: 404, to nobody who is there: 480, and no voice', async () => {
    const unknown = await world.receive(invite('+441632969999', { source: PBX_SOURCE }));
    expect(unknown.final?.status).toBe(404);
    const away = await world.receive(invite('1003', { source: PBX_SOURCE }));
    expect(away.final?.status).toBe(480);
    expect(world.media.sessions).toEqual([]);
  });
});

describe('stop', () => {
  test('waits for calls, then ends what is left: ringing, menus and calls', async () => {
    const menu = await world.dial('*90');
    const near = world.srf.uas;
    const ringing = await begin('1002');
    const stopping = app.stop();
    await settled();
    expect([near.byes.length, ringing.response.final]).toEqual([0, undefined]);
    for (let n = 0; n < 50; n++) {
      world.clock.advance(50);
      await settled();
    }
    await stopping;
    expect(menu.response.final?.status).toBe(200);
    expect(near.byes).toEqual([{ Reason: 'SIP;cause=503;text="Server stops"' }]);
    expect(ringing.response.final?.status).toBe(503);
    expect(world.srf.uacs.map(({ cancels }) => cancels.length)).toEqual([1, 1]);
    nothingIsLeft();
  });

  test('new calls get 503 meanwhile', async () => {
    await begin('1002');
    const stopping = app.stop();
    expect((await world.receive(invite('1002'))).final?.status).toBe(503);
    for (let n = 0; n < 50; n++) {
      world.clock.advance(50);
      await settled();
    }
    await stopping;
  });
});

describe('a stopping server', () => {
  test('lets an emergency call ring on until it is answered', async () => {
    await world.receive(invite('999'));
    const [uac] = world.srf.uacs;
    const stopping = app.stop();
    for (let n = 0; n < 60; n++) {
      world.clock.advance(50);
      await settled();
    }
    expect(uac?.cancels).toEqual([]);
    uac?.answer(ANSWER);
    await settled();
    for (let n = 0; n < 10; n++) {
      world.clock.advance(50);
      await settled();
    }
    await stopping;
    expect(world.srf.uas.byes).toEqual([]);
  });
});

describe('before anybody knows the directory', () => {
  beforeEach(() => {
    const view = viewOf({ directory: undefined, knowledge: 'unknown' });
    use(new World({ view, numberPlan: new World().deps.numberPlan }));
  });

  test('a phone that registers is told to come back, not to go away', async () => {
    const request = new FakeRequest({
      method: 'REGISTER',
      uri: `sip:${REALM}`,
      headers: { From: '<sip:d1@x>;tag=a' },
    });
    expect((await world.receive(request)).final?.status).toBe(503);
  });

  test('a call is told that it cannot be connected, then refused for the moment', async () => {
    const { final } = await world.receive(invite('*90'));
    expect(world.media.session.heard).toEqual(['call-failed']);
    expect(final?.status).toBe(503);
    expect(final?.headers['Retry-After']).toBeUndefined();
  });
});

test('one phone cannot take every menu: at the fourth its oldest ends', async () => {
  world.media.endless = true;
  for (let n = 0; n < 4; n++) expect((await world.dial('*90')).response.final?.status).toBe(200);
  await settled();
  expect(world.srf.uass.map(({ byes }) => byes.length)).toEqual([1, 0, 0, 0]);
  for (const dialog of world.srf.uass.slice(1)) dialog.bye();
  await settled();
  nothingIsLeft();
});

test('the SIP server is lost: its calls are forgotten, so that new ones find room', async () => {
  await begin('1002');
  world.srf.uac.answer(ANSWER);
  await settled();
  await begin('1002');
  expect(app.stats()).toEqual({ calls: 2, legs: 2 });
  world.srf.emit('close');
  await settled();
  nothingIsLeft();
});

describe('other methods', () => {
  test.each([
    ['OPTIONS', 200],
    ['SUBSCRIBE', 489],
    ['PUBLISH', 489],
    ['MESSAGE', 405],
    ['INFO', 405],
    ['REFER', 405],
  ])('%s: %i', async (method, status) => {
    const response = await world.receive(new FakeRequest({ method, uri: `sip:${REALM}` }));
    expect(response.final?.status).toBe(status);
    if (status === 405) expect(response.final?.headers.Allow).toContain('INVITE');
    if (status === 489 || status === 200) expect(response.final?.headers['Allow-Events']).toBe('refer');
  });

  test.each(['OPTIONS', 'SUBSCRIBE', 'MESSAGE', 'INFO', 'REFER', 'NOTIFY'])(
    '%s in a dialog of the process before: 481 (RFC 3261 12.2.2)',
    async (method) => {
      const headers = { To: '<sip:d1@hotdesk.test>;tag=old', Event: 'presence' };
      const response = await world.receive(new FakeRequest({ method, headers, uri: `sip:${REALM}` }));
      expect(response.final?.status).toBe(481);
    },
  );

  test('OPTIONS in a dialog that lives: 200', async () => {
    const request = new FakeRequest({ method: 'OPTIONS', headers: { To: '<sip:d1@hotdesk.test>;tag=now' } });
    Object.assign(request, { stackDialogId: 'c;from-tag=f' });
    expect((await world.receive(request)).final?.status).toBe(200);
  });
});
