import { beforeEach, describe, expect, test } from 'vitest';
import type { SipApp } from '../../../../src/sip/app.ts';
import type { SipDependencies } from '../../../../src/sip/ports.ts';
import type { FakeDialog, FakeResponse } from '../../../support/fake-sip.ts';
import { settled } from '../../../support/fake-sip.ts';
import { binding, directory, emergency, host, NOW, viewOf } from '../../domain/example.ts';
import { ANSWER, acme, type DialOptions, invite, OFFER, PBX, SOS, World } from '../world.ts';

const SITE = '+442079460100';
const OWN = '+442079460111';
const pbx = `${PBX.addresses[0]}:5060`;
const sos = `${SOS.addresses[0]}:5060`;
const bound = (id: string) => [binding(`sip:${id}@192.0.2.${id.charCodeAt(0)}`)];

let world: World;
let app: SipApp;

/** The desks a, b, c share the site's number; d1 has one of its own. A PSAP may call a, b and d1 back. */
function office(differs: Parameters<typeof viewOf>[0] = {}, deps: Partial<SipDependencies> = {}): void {
  const view = viewOf({
    directory: directory({
      hosts: [host('d1', { callbackNumber: OWN }), ...['a', 'b', 'c'].map((id) => host(id))],
    }),
    bindings: { d1: bound('d1'), a: bound('a'), b: bound('b'), c: bound('c') },
    emergencies: [emergency('a', { at: NOW + 1 }), emergency('b'), emergency('d1', { callbackNumber: OWN })],
    ...differs,
  });
  world = new World({ view, ...deps });
  app = world.app();
}

beforeEach(() => office());

function callBack(number: string, source = pbx, options: DialOptions = {}): Promise<FakeResponse> {
  return world.receive(invite(number, { source, ...options }));
}

/** Which phones ring now. */
function ringing(): string[] {
  return world.srf.uacs
    .filter(({ cancels }) => cancels.length === 0)
    .map(({ uri }) => /^sip:(\w+)@/.exec(uri)![1]!);
}

async function pass(ms: number): Promise<void> {
  world.clock.advance(ms);
  await settled();
}

describe('a call back', () => {
  test('rings the desk at once, says how urgent it is, and is noted', async () => {
    const response = await callBack(OWN);
    expect(ringing()).toEqual(['d1']);
    expect(world.srf.uac.options).toMatchObject({
      localSdp: OFFER,
      headers: {
        Priority: 'psap-callback',
        'Alert-Info': '<urn:alert:priority:high>',
        'Max-Forwards': '69',
        To: `<sip:${OWN}@hotdesk.test>`,
      },
    });
    expect(world.desk.told).toMatchObject([{ stage: 'calledBack', record: { host: 'd1' } }]);
    world.srf.uac.ring();
    world.srf.uac.answer(ANSWER);
    await settled();
    expect(response.sent.map(({ status }) => status)).toEqual([180, 200]);
    expect(app.stats()).toEqual({ calls: 1, legs: 2 });
    expect(app.warnings.stateOf('d1')).toBe('emergency');
  });

  test('rings a phone with several flows (RFC 5626) by all of them at once: none is waited for', async () => {
    const flow = (regId: number) => binding(`sip:d1@192.0.2.${regId}`, { instance: '<urn:uuid:1>', regId });
    office({ bindings: { d1: [flow(1), flow(2)] } });
    await callBack(OWN);
    expect(world.srf.uacs.map(({ uri }) => uri)).toEqual(['sip:d1@192.0.2.1', 'sip:d1@192.0.2.2']);
  });

  test('from the emergency trunk needs no record and is noted for none', async () => {
    office({ emergencies: [] });
    await callBack(OWN, sos);
    expect(ringing()).toEqual(['d1']);
    expect(world.desk.told).toEqual([]);
  });

  test.each([
    ['an ordinary trunk', pbx, 404],
    ['a stranger', '192.0.2.99:5060', 401],
  ])('from %s without a record is none, whatever it says of itself', async (_, source, status) => {
    office({ emergencies: [] });
    const headers = { Priority: 'psap-callback', 'Resource-Priority': 'esnet.0' };
    const response = await callBack(OWN, source, { headers });
    expect(response.final?.status).toBe(status);
    expect(world.srf.uacs).toEqual([]);
  });

  test('from a stranger is none either while the record is open', async () => {
    const response = await callBack(OWN, '192.0.2.99:5060', { headers: { Priority: 'psap-callback' } });
    expect(response.final?.status).toBe(401);
    expect(world.srf.uacs).toEqual([]);
  });

  test('gets through with every table full, and while the server stops', async () => {
    office({}, { maxCalls: 0 });
    expect((await callBack('1001')).final?.status).toBe(503);
    await callBack(OWN);
    expect(ringing()).toEqual(['d1']);
    void app.stop();
    await callBack(SITE);
    expect(ringing()).toEqual(['d1', 'a']);
    await pass(2_000);
    expect(ringing()).toEqual(['d1', 'a']);
  });

  test('gets through with a body, an extension or a wish that other calls are refused for', async () => {
    const body = `--b\r\nContent-Type: application/sdp\r\n\r\n${OFFER}\r\n--b--\r\n`;
    const headers = { 'Content-Type': 'multipart/mixed;boundary=b', Require: 'x-psap', Accept: 'text/plain' };
    await callBack(OWN, pbx, { body, headers });
    expect(world.srf.uac.options.localSdp).toBe(OFFER);
  });

  test('without any directory', async () => {
    office({ directory: undefined, knowledge: 'unknown' });
    await callBack(OWN);
    expect(ringing()).toEqual(['d1']);
  });

  test('rings for as long as the PSAP waits', async () => {
    await callBack(OWN);
    await pass(600_000);
    expect(ringing()).toEqual(['d1']);
  });

  test('that nobody takes says so to the PSAP, and to whoever reads the log', async () => {
    const response = await callBack(OWN);
    world.srf.uac.reject(486);
    await settled();
    expect(response.final?.status).toBe(486);
    expect(world.log.errors()).toEqual(['CALL BACK AFTER AN EMERGENCY CALL NOT ANSWERED']);
    office({ bindings: {} });
    expect((await callBack(OWN)).final?.status).toBe(480);
    expect(app.stats()).toEqual({ calls: 0, legs: 0 });
  });

  test('that is given up before anybody answers is cancelled', async () => {
    const request = invite(SITE, { source: pbx });
    await world.receive(request);
    await pass(20_000);
    request.cancelled();
    await settled();
    expect(ringing()).toEqual([]);
    expect(app.stats()).toEqual({ calls: 0, legs: 0 });
  });

  test.each(['throws', 'takes for ever'])('goes out where the noting of it %s', async (how) => {
    const emergencies = {
      placed: () => emergency('d1'),
      stage: () => {
        if (how === 'throws') throw new Error('broken');
        return new Promise(() => undefined) as unknown as undefined;
      },
    };
    office({}, { emergencies });
    const response = await callBack(OWN);
    world.srf.uac.answer(ANSWER);
    await settled();
    expect(response.final?.status).toBe(200);
  });
});

describe('to a number that desks share', () => {
  test('the latest rings alone, then the others join while it rings on', async () => {
    await callBack(SITE);
    expect(ringing()).toEqual(['a']);
    await pass(19_999);
    expect(ringing()).toEqual(['a']);
    await pass(1);
    expect(ringing()).toEqual(['a', 'b']);
    await pass(20_000);
    expect(ringing()).toEqual(['a', 'b', 'c']);
    await pass(600_000);
    expect(ringing()).toEqual(['a', 'b', 'c']);
    expect(world.srf.uacs).toHaveLength(3);
  });

  test.each([480, 486, 503, 603])('one that says %s at once lets the next ring at once', async (status) => {
    await callBack(SITE);
    world.srf.uac.reject(status);
    await settled();
    expect(ringing().slice(1)).toEqual(['b']);
  });

  test('one that declines does not decline for the others', async () => {
    await callBack(SITE);
    await pass(20_000);
    await pass(20_000);
    const [a, b, c] = world.srf.uacs;
    a!.reject(603);
    await settled();
    expect([b!.cancels, c!.cancels]).toEqual([[], []]);
    c!.answer(ANSWER);
    await settled();
    expect(b!.cancels).toHaveLength(1);
    expect(app.warnings.stateOf('c')).toBe('emergency');
  });

  test('a desk that is not there does not hold up the others', async () => {
    office({ bindings: { b: bound('b') } });
    await callBack(SITE);
    expect(ringing()).toEqual(['b']);
  });
});

describe('while an emergency call is up', () => {
  let near: FakeDialog;
  let far: FakeDialog;

  async function up(kind: string): Promise<void> {
    world = new World({
      view: viewOf({
        directory: acme,
        seats: { d1: '1001' },
        bindings: { d1: bound('d1'), u1002: bound('u') },
        emergencies: [emergency('d1', { callbackNumber: OWN })],
      }),
    });
    app = world.app();
    await (kind === '999' ? world.receive(invite('999')) : callBack(OWN));
    far = world.srf.uac.answer(ANSWER);
    await settled();
    near = world.srf.uas;
  }

  describe.each(['999', 'a call back'])('%s', (kind) => {
    beforeEach(() => up(kind));

    test('nobody transfers it, neither side', () => {
      for (const dialog of [near, far]) {
        const response = dialog.receive('REFER', { headers: { 'Refer-To': '<sip:1002@h>' } });
        expect(response.final?.status).toBe(603);
      }
      expect(world.srf.uacs).toHaveLength(1);
    });

    test.each(['Replaces', 'Join', 'replaces'])('nobody gets into it by %s', async (header) => {
      for (const { sip } of [near, far]) {
        for (const [to, from] of [
          [sip.localTag, sip.remoteTag],
          [sip.remoteTag, sip.localTag],
        ]) {
          const value = `${sip.callId};to-tag=${to};from-tag=${from}`;
          const { response } = await world.dial('1002', { headers: { [header]: value } });
          expect(response.final?.status).toBe(603);
        }
      }
      expect(world.srf.uacs).toHaveLength(1);
      const other = `${near.sip.callId};to-tag=x;from-tag=y`;
      await world.dial('1002', { headers: { [header]: other } });
      expect(world.srf.uacs).toHaveLength(2);
    });

    test('*91 at the phone ends the association, not the call', async () => {
      world.logOutAnswer = { user: { extension: '1001' } };
      const { response } = await world.dial('*91');
      expect(response.final?.status).toBe(200);
      await settled();
      expect([near.byes, far.byes]).toEqual([[], []]);
      expect(app.warnings.stateOf('d1')).toBe('emergency');
    });

    test('it outlasts the stop of the server', async () => {
      const stopping = app.stop();
      for (let s = 0; s < 12; s++) await pass(1_000);
      await stopping;
      expect([near.byes, far.byes]).toEqual([[], []]);
    });

    test.each(['near', 'far'])('hold of the %s side is passed on', async (side) => {
      const [asks, asked] = side === 'near' ? [near, far] : [far, near];
      const response = asks.receive('INVITE', { body: `${OFFER}a=sendonly\r\n` });
      asked.sent('INVITE')[0]?.answer(200, { body: `${ANSWER}a=recvonly\r\n` });
      await settled();
      expect(response.final).toMatchObject({ status: 200, body: `${ANSWER}a=recvonly\r\n` });
    });
  });
});
