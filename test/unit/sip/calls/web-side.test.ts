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

  test('is offered again otherwise to a trunk that does not take it, and so to the next', async () => {
    const world = worldOf('browsers');
    await world.receive(invite('999', { body: WEB }));
    const [relay] = world.media.relays;
    if (relay) relay.otherOffer = 'v=0\r\notherwise';
    const { uri } = world.srf.uac;
    world.srf.uac.reject(488);
    await settled();
    expect(world.srf.uac).toMatchObject({ uri, options: { localSdp: 'v=0\r\notherwise' } });
    world.srf.uac.reject(503);
    await settled();
    expect(world.srf.uac.uri).not.toBe(uri);
    expect(world.srf.uac.options.localSdp).toBe('v=0\r\notherwise');
    world.srf.uac.answer(ANSWER);
    await settled();
    expect(world.srf.uacs).toHaveLength(3);
  });

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

describe('media that die under an emergency call of a browser', () => {
  async function calling() {
    const world = worldOf('browsers');
    await world.receive(invite('999', { body: WEB }));
    const psap = world.srf.uac.answer(ANSWER);
    await settled();
    return { world, psap, browser: world.srf.uas };
  }
  const pass = async (world: World, ms: number): Promise<void> => {
    for (let at = 0; at < ms; at += 250) {
      await world.clock.advance(250);
      await settled();
    }
  };

  test('leave it up: both sides are asked to send to a new relay as soon as there is one', async () => {
    const { world, psap, browser } = await calling();
    world.media.available = false;
    world.media.relays[0]?.die();
    await pass(world, 3_000);
    expect([psap.asked, browser.asked]).toEqual([[], []]);
    world.media.available = true;
    await pass(world, 500);
    expect(psap.asked).toMatchObject([{ method: 'INVITE', body: PLAIN }]);
    psap.asked[0]?.answer(200, { body: ANSWER });
    await settled();
    expect(browser.asked).toMatchObject([{ method: 'INVITE', body: `${ANSWER}s=offer for web\r\n` }]);
    browser.asked[0]?.answer(200, { body: WEB });
    await pass(world, 500);
    expect(world.media.relays).toMatchObject([{ closed: true }, { closed: false, watched: true }]);
    expect([psap.byes, browser.byes]).toEqual([[], []]);
    browser.bye();
    await settled();
    expect([psap.byes.length, world.media.relays[1]?.closed]).toEqual([1, true]);
  });

  test('and a trunk that does not take what is offered: it is offered otherwise', async () => {
    const { world, psap, browser } = await calling();
    world.media.relays[0]?.die();
    await settled();
    const [, relay] = world.media.relays;
    if (relay) relay.otherOffer = 'v=0\r\notherwise';
    psap.asked[0]?.answer(488);
    await settled();
    expect(psap.asked[1]?.body).toBe('v=0\r\notherwise');
    psap.asked[1]?.answer(200, { body: ANSWER });
    await settled();
    browser.asked[0]?.answer(200, { body: WEB });
    await pass(world, 5_000);
    expect([psap.asked.length, browser.asked.length, relay?.closed]).toEqual([2, 1, false]);
  });

  test('and die again while it gets new ones: it gets the next', async () => {
    const { world, psap, browser } = await calling();
    world.media.relays[0]?.die();
    await settled();
    world.media.relays[1]?.die();
    psap.asked[0]?.answer(200, { body: ANSWER });
    await pass(world, 1_500);
    psap.asked[1]?.answer(200, { body: ANSWER });
    await settled();
    browser.asked[0]?.answer(200, { body: WEB });
    await pass(world, 5_000);
    expect(psap.asked).toHaveLength(2);
    expect(world.media.relays.map(({ closed }) => closed)).toEqual([true, true, false]);
  });

  test('and never come back end it after twenty seconds on both sides, so that they call again', async () => {
    const { world, psap, browser } = await calling();
    world.media.available = false;
    world.media.relays[0]?.die();
    await pass(world, 19_500);
    expect([psap.byes, browser.byes]).toEqual([[], []]);
    await pass(world, 1_000);
    expect(psap.byes[0]?.Reason).toContain('Media lost');
    expect(browser.byes[0]?.Reason).toContain('Media lost');
  });

  test('with a trunk that takes no re-INVITE are tried for a few times only', async () => {
    const { world, psap, browser } = await calling();
    world.media.relays[0]?.die();
    for (let tried = 0; tried < 30; tried++) {
      await pass(world, 500);
      for (const asked of psap.asked) asked.answer(488);
    }
    expect(psap.asked).toHaveLength(4);
    expect([psap.byes.length, browser.byes.length]).toEqual([1, 1]);
    expect(world.media.relays.every(({ closed }) => closed)).toBe(true);
  });

  test('before it is answered: the browser is answered by a new relay, and who answers is told of it', async () => {
    const world = worldOf('browsers');
    const response = await world.receive(invite('999', { body: WEB }));
    world.media.relays[0]?.die();
    world.media.relaysOf = 'nobody';
    const psap = world.srf.uac.answer(ANSWER);
    await pass(world, 2_000);
    expect(response.final).toBeUndefined();
    world.media.relaysOf = 'browsers';
    await pass(world, 500);
    expect(response.final?.body).toBe(`${ANSWER}s=answer for web\r\n`);
    expect(psap.asked).toMatchObject([{ method: 'INVITE', body: PLAIN }]);
  });

  test('end any other call at once', async () => {
    const world = worldOf('browsers');
    await world.dial('01632960999', { body: WEB });
    const far = world.srf.uac.answer(ANSWER);
    await settled();
    world.media.relays[0]?.die();
    await settled();
    expect([far.byes.length, world.srf.uas.byes.length]).toEqual([1, 1]);
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

  test('believes the audio of where the other side signals from, as a phone behind NAT has it', async () => {
    const world = worldOf('browsers');
    await world.dial('1002');
    await settled();
    world.srf.uac.answer(WEB);
    await settled();
    expect(world.media.relays[0]?.trusted).toEqual(['192.0.2.10']);
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
