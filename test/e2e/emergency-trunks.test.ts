import { describe, expect, test } from 'vitest';
import { PEOPLE, PHONES } from '../support/demo.ts';
import { problemsOf, textOf } from '../support/location-object.ts';
import type { Phone } from '../support/phone.ts';
import type { IncomingCall, OutgoingCall } from '../support/phone-call.ts';
import { asPsap, type Part, partsOf } from '../support/psap.ts';
import { type SipText, userOf } from '../support/sip-text.ts';
import { useHotdesk } from '../support/suite.ts';
import { eventually } from '../support/wait.ts';

/** Design section 7: what an emergency call looks like where it arrives, and which way it goes. */

const SOS = 'urn:service:sos';
const at = (name: string): string => `//*[local-name()='${name}']`;

/** The service was called by its URN; a drachtio-server can send to none, and the number is called. */
function expectServiceCalled(invite: SipText): void {
  const called = [invite.requestUri, invite.header('To').replace(/^<|>$/g, '')];
  if (process.env.DRACHTIO_HOST === undefined) expect(called).toEqual([SOS, SOS]);
  else expect(called.map(userOf)).toEqual(['999', '999']);
}

describe('as the trunk wants it', () => {
  const hotdesk = useHotdesk({
    trunkTimeout: 1,
    trunkSettings: {
      emergency: {
        credentials: { username: 'desk', password: 'trunk-password' },
        emergencyCalls: {
          ...{ dial: 'urn', pidfLo: true, resourcePriority: 'esnet.1' },
          headers: { 'X-Customer': 'hotdesk 7' },
        },
      },
      main: { emergencyCalls: { pidfLo: true } },
    },
  });

  /** Reception calls for help and the emergency trunk answers; both hear each other. */
  async function help(
    options: Parameters<Phone['call']>[1] = {},
    trunk: 'emergency' | 'main' = 'emergency',
  ): Promise<{ call: OutgoingCall; psap: IncomingCall; invite: SipText }> {
    const far = hotdesk().trunks[trunk];
    asPsap(far);
    const phone = await hotdesk().phone(PHONES.reception);
    const call = await phone.call('999', options);
    const psap = await far.nextCall(4000);
    await psap.accept();
    await call.answered;
    await call.hears(psap);
    await psap.hears(call);
    return { call, psap, invite: far.received('INVITE')[0]! };
  }

  test('service URN, priorities, further headers, the desk as caller', async () => {
    const { call, invite } = await help();
    expectServiceCalled(invite);
    const headers = ['Priority', 'Resource-Priority', 'X-Customer'].map((name) => invite.header(name));
    expect(headers).toEqual(['emergency', 'esnet.1', 'hotdesk 7']);
    const shown = userOf(invite.header('P-Asserted-Identity'));
    expect(shown).toMatch(/^\+44\d{10}$/);
    expect(userOf(invite.header('From'))).toBe(shown);
    expect(userOf(invite.header('Contact'))).toBe(shown);
    await call.hangUp();
  });

  test('the address goes along, valid, and the headers speak of it (RFC 6442, 4119, 5139)', async () => {
    const { call, invite } = await help();
    const place = await locationIn(invite);
    expect(await textOf(place, at('country'))).toBe('GB');
    for (const element of ['A3', 'RD', 'HNO', 'PC', 'NAM', 'SEAT']) {
      expect(await textOf(place, at(element)), element).not.toBe('');
    }
    expect(await textOf(place, at('deviceID'))).toBe('mac:0004f2000001');
    expect(await textOf(place, at('note'))).toBe('');
    await call.hangUp();
  });

  test('a trunk that challenges us gets the same once more, with proof', async () => {
    const { emergency } = hotdesk().trunks;
    asPsap(emergency);
    const taken: IncomingCall[] = [];
    emergency.onCall((call) => {
      if (call.invite.header('Proxy-Authorization') !== '') return void taken.push(call);
      void call.reject(407, [
        'Proxy-Authenticate: Digest realm="psap", nonce="n1", algorithm=MD5, qop="auth"',
      ]);
    });
    const phone = await hotdesk().phone(PHONES.reception);
    const call = await phone.call('999');
    const psap = await eventually('the call with proof', () => taken[0]);
    await psap.accept();
    await call.answered;
    await call.hears(psap);
    const [first, second] = emergency.received('INVITE');
    expectServiceCalled(second!);
    expect(second?.header('Proxy-Authorization')).toContain(`uri="${second?.requestUri}"`);
    expect(await locationIn(second!)).toBe(await locationIn(first!));
    await call.hangUp();
  });

  test('a phone that makes no offer: the address alone goes out, the PSAP offers, both hear each other', async () => {
    const { call, invite } = await help({ withoutSdp: true });
    expect(partsOf(invite)).toHaveLength(1);
    await locationIn(invite);
    await call.hangUp();
  });

  test('typed at the login menu: the same, and both hear each other', async () => {
    const { emergency } = hotdesk().trunks;
    asPsap(emergency);
    const phone = await hotdesk().phone(PHONES.reception);
    const call = await phone.call('*90');
    await call.answered;
    await call.heard('enter-extension');
    await call.digits('999');
    const psap = await emergency.nextCall();
    await psap.accept();
    await psap.hears(call);
    await call.hears(psap);
    const invite = emergency.received('INVITE')[0]!;
    expectServiceCalled(invite);
    await locationIn(invite);
    await call.hangUp();
    await psap.ended;
  });

  test('the PSAP hangs up: the phone gets its BYE', async () => {
    const { call, psap } = await help();
    await psap.hangUp();
    expect(await call.ended).toMatchObject({ by: 'them' });
  });

  test('who hides his number is shown all the same', async () => {
    await hotdesk().seat(PEOPLE.first.extension, PHONES.reception);
    const from = { user: 'anonymous', name: 'Anonymous' };
    const { call, invite } = await help({ extraHeaders: ['Privacy: id;user;header'], from });
    expect(userOf(invite.header('From'))).toMatch(/^\+44\d{10}$/);
    expect(invite.header('P-Asserted-Identity')).not.toBe('');
    expect(invite.header('Privacy')).toBe('');
    await call.hangUp();
  });

  test('nobody transfers it; hold is passed on, and ends again', async () => {
    const { call, psap } = await help();
    expect((await call.refer(PEOPLE.second.extension)).status).toBe(603);
    expect((await call.hold()).status).toBe(200);
    expect(await psap.remoteDirection()).toBe('sendonly');
    expect((await call.resume()).status).toBe(200);
    await psap.hears(call);
    expect((await psap.hold()).status).toBe(200);
    expect(await call.remoteDirection()).toBe('sendonly');
    await call.hangUp();
  });

  test('the emergency trunk refuses: the next one gets the number and the address, as it wants them', async () => {
    hotdesk().trunks.emergency.onCall((refused) => void refused.reject(503));
    asPsap(hotdesk().trunks.emergency);
    const { call, invite } = await help({}, 'main');
    expect(userOf(invite.requestUri)).toBe('999');
    expect(userOf(invite.header('To'))).toBe('999');
    expect(invite.header('Priority')).toBe('emergency');
    for (const name of ['Resource-Priority', 'X-Customer']) expect(invite.header(name)).toBe('');
    await locationIn(invite);
    await call.hangUp();
  });

  test('every trunk down or refusing: it is said aloud, and administrators find it', async () => {
    const { emergency, main, spare } = hotdesk().trunks;
    asPsap(emergency);
    emergency.wire.deaf = () => true;
    main.onCall((call) => void call.reject(500));
    spare.onCall((call) => void call.reject(404));
    const phone = await hotdesk().phone(PHONES.reception);
    const call = await phone.call('999');
    await call.heard('emergency-failed');
    expect(spare.received('INVITE')[0]?.header('Content-Type')).toBe('application/sdp');
    expect(hotdesk().log.text).toContain('EMERGENCY CALL FAILED on every trunk');
    await call.hangUp();
  });

  /** The location object of an INVITE, once all that belongs to it is right. */
  async function locationIn(invite: SipText): Promise<string> {
    const parts = partsOf(invite);
    const isPlace = (part: Part): boolean => part.header('Content-Type') === 'application/pidf+xml';
    const place = parts.find(isPlace)!;
    const id = /^<([^<>]+)>$/.exec(place.header('Content-ID'))?.[1];
    expect(invite.header('Geolocation')).toBe(`<cid:${id}>`);
    expect(invite.header('Geolocation-Routing')).toBe('yes');
    expect(invite.headers('Supported').join()).toContain('geolocation');
    expect(await problemsOf([place.content])).toEqual(['']);
    for (const part of parts.filter((one) => !isPlace(one))) {
      expect(part.header('Content-Type')).toBe('application/sdp');
      expect(part.content).toMatch(/^v=0\r\n/);
    }
    return place.content;
  }
});

describe('trunks that give no sign of life', () => {
  const hotdesk = useHotdesk({
    trunkTimeout: 1,
    trunkSettings: { spare: { emergency: true } },
    settings: { sip: { trunkProbe: 1 } },
  });

  test('are asked with OPTIONS, tried last among their like, and first again when they are back', async () => {
    const { spare, emergency, main } = hotdesk().trunks;
    const said = (text: string) => () => hotdesk().log.text.includes(text);
    // It takes calls, but does not say so.
    spare.wire.deaf = (message) => message.method === 'OPTIONS';
    await eventually('the trunk is known to be down', said('tried last'), 10_000);
    expect(spare.received('OPTIONS')[0]?.startLine).toMatch(/^OPTIONS sip:127\.0\.0\.3:\d+/);
    expect(await tried()).toEqual(['emergency', 'spare', 'main']);
    spare.wire.deaf = () => false;
    await eventually('the trunk is known to be back', said('trunk is back'), 10_000);
    expect(await tried()).toEqual(['spare', 'emergency', 'main']);

    /** The order in which an emergency call that nobody takes goes round. */
    async function tried(): Promise<string[]> {
      const order: string[] = [];
      for (const [name, trunk] of Object.entries({ spare, emergency, main })) {
        trunk.onCall((call) => {
          order.push(name);
          void call.reject(500);
        });
      }
      const phone = await hotdesk().phone(PHONES.reception);
      const call = await phone.call('999');
      await call.heard('emergency-failed');
      await call.hangUp();
      await phone.unregister();
      return order;
    }
  }, 40_000);
});
