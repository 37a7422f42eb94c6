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

  test.each(['nobody', 'never'] as const)('goes out as it is when %s gets a relay', async (relaysOf) => {
    const world = worldOf(relaysOf);
    await world.receive(invite('999', { body: WEB }));
    await world.clock.advance(1_000);
    await settled();
    expect(world.srf.uac.uri).toBe('sip:999@sos.test:5060');
    expect(world.srf.uac.options.localSdp).toBe(WEB);
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
