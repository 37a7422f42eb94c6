import { describe, expect, test } from 'vitest';
import { settled } from '../../../support/fake-sip.ts';
import { binding, viewOf } from '../../domain/example.ts';
import { ANSWER, acme, invite, OFFER, World } from '../world.ts';

/** Calls of browsers: seen through a relay by everybody else, which is never in the way of an emergency call. */

const WEB = 'v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\n';
const PLAIN = `${WEB}s=offer for plain\r\n`;

function worldOf(relaysOf: World['media']['relaysOf']): World {
  const world = new World({
    view: viewOf({
      directory: acme,
      seats: { d1: '1001' },
      bindings: {
        u1002: [binding('sip:x@y.invalid', { flow: { protocol: 'ws', address: '192.0.2.9', port: 4000 } })],
      },
    }),
  });
  world.media.relaysOf = relaysOf;
  world.app();
  return world;
}

describe("a browser's emergency call", () => {
  test('goes out in a form the trunk understands, and the answer comes back', async () => {
    const world = worldOf('browsers');
    const response = await world.receive(invite('999', { body: WEB }));
    expect(world.srf.uac.options.localSdp).toBe(PLAIN);
    world.srf.uac.answer(ANSWER);
    await settled();
    expect(response.final).toMatchObject({ status: 200, body: `${ANSWER}s=answer for web\r\n` });
    const [relay] = world.media.relays;
    expect(relay).toMatchObject({ watched: true, closed: false });
    world.srf.uas.bye();
    await settled();
    expect(relay?.closed).toBe(true);
  });

  test.each(['nobody', 'never', 'throws'] as const)(
    'goes out as it is when %s gets a relay',
    async (relaysOf) => {
      const world = worldOf(relaysOf);
      await world.receive(invite('999', { body: WEB }));
      await world.clock.advance(1_000);
      await settled();
      expect(world.srf.uac.uri).toBe('sip:999@sos.test:5060');
      expect(world.srf.uac.options.localSdp).toBe(WEB);
    },
  );

  test('that nobody could read is refused so that the browser calls again without sound', async () => {
    const world = worldOf('never');
    // Media hang: not even an announcement can be made.
    world.media.open = () => new Promise(() => undefined);
    const response = await world.receive(invite('999', { body: WEB }));
    await world.clock.advance(1_000);
    for (let tried = 0; tried < world.deps.trunks.length; tried++) {
      await settled();
      world.srf.uac.reject(488);
    }
    await settled();
    expect(response.final?.status).toBe(488);
  });

  test('of an ordinary phone that failed on every trunk has an answer, even when media hang', async () => {
    const world = worldOf('never');
    world.media.open = () => new Promise(() => undefined);
    const response = await world.receive(invite('999'));
    for (let tried = 0; tried < world.deps.trunks.length; tried++) {
      world.srf.uac.reject(503);
      await settled();
    }
    await world.clock.advance(4_000);
    await settled();
    expect(response.final?.status).toBe(503);
  });

  test('is not ended when the browser is not heard of', async () => {
    const world = worldOf('browsers');
    await world.receive(invite('999', { body: WEB }));
    const far = world.srf.uac.answer(ANSWER);
    await settled();
    world.media.relays[0]?.onLost?.('browser is gone');
    await settled();
    expect(far.byes).toEqual([]);
  });
});

test('stop waits for a browser in an emergency call, and then tells both sides', async () => {
  const world = new World();
  world.media.relaysOf = 'browsers';
  const app = world.app();
  await world.receive(invite('999', { body: WEB }));
  const psap = world.srf.uac.answer(ANSWER);
  await settled();
  let isStopped = false;
  void app.stop().then(() => {
    isStopped = true;
  });
  const pass = async (ms: number): Promise<void> => {
    for (let at = 0; at < ms; at += 50) {
      await world.clock.advance(50);
      await settled();
    }
  };
  await pass(8_000);
  expect([psap.byes.length, isStopped]).toEqual([0, false]);
  await pass(2_000);
  expect(psap.byes[0]?.Reason).toContain('Server stops');
  expect(world.srf.uas.byes).toHaveLength(1);
  expect(isStopped).toBe(true);
});

describe('any other call', () => {
  test('ends on both sides when the browser is gone', async () => {
    const world = worldOf('browsers');
    await world.dial('01632960999', { body: WEB });
    const far = world.srf.uac.answer(ANSWER);
    await settled();
    world.media.relays[0]?.onLost?.('browser is gone');
    await settled();
    expect(far.byes).toHaveLength(1);
    expect(world.srf.uas.byes[0]?.Reason).toContain('browser is gone');
    expect(world.media.relays[0]?.closed).toBe(true);
  });

  test('leaves no relay behind when nobody answers', async () => {
    const world = worldOf('browsers');
    await world.dial('01632960999', { body: WEB });
    expect(world.media.relays).toHaveLength(1);
    for (const uac of world.srf.uacs) {
      uac.reject(486);
      await settled();
    }
    expect(world.media.relays[0]?.closed).toBe(true);
  });

  test('to a browser is offered what it understands', async () => {
    const world = worldOf('browsers');
    const { response } = await world.dial('1002');
    await settled();
    expect(world.srf.uac.options.localSdp).toBe(`${OFFER}s=offer for web\r\n`);
    world.srf.uac.answer(WEB);
    await settled();
    expect(response.final?.body).toBe(`${WEB}s=answer for plain\r\n`);
    world.srf.uas.bye();
    await settled();
    expect(world.media.relays[0]?.closed).toBe(true);
  });

  test('without an offer leaves no relay behind when the caller hangs up before the ACK', async () => {
    const world = worldOf('browsers');
    await world.dial('1002', { body: '' });
    await settled();
    world.srf.uac.answer(WEB);
    await settled();
    expect(world.media.relays).toHaveLength(1);
    world.srf.uas.bye();
    await settled();
    expect(world.media.relays[0]?.closed).toBe(true);
  });

  test('takes a new session by UPDATE, which the browser is told by re-INVITE', async () => {
    const world = worldOf('browsers');
    await world.dial('1002');
    await settled();
    const browser = world.srf.uac.answer(WEB);
    await settled();
    const refresh = world.srf.uas.receive('UPDATE');
    expect(refresh.final?.status).toBe(200);
    expect(browser.sent('INVITE')).toEqual([]);
    const held = world.srf.uas.receive('UPDATE', { body: `${OFFER}a=sendonly\r\n` });
    await settled();
    const [asked] = browser.sent('INVITE');
    expect(asked?.body).toBe(`${OFFER}a=sendonly\r\ns=offer for web\r\n`);
    asked?.answer(200, { body: WEB });
    await settled();
    expect(held.final).toMatchObject({ status: 200, body: `${WEB}s=answer for plain\r\n` });
  });

  test('among ordinary phones asks for no relay', async () => {
    const world = new World();
    world.media.relaysOf = 'browsers';
    world.app();
    await world.dial('1002');
    world.srf.uac.answer(ANSWER);
    await settled();
    expect(world.media.relays).toEqual([]);
  });
});
