import { describe, expect, it } from 'vitest';
import { Latch } from '../../../src/media/rtp/latch.ts';
import { Pacer } from '../../../src/media/rtp/pacer.ts';
import { isRtcp, parseRtp, writeHeader } from '../../../src/media/rtp/packet.ts';

describe('one clock for all calls', () => {
  /** A clock that only moves when told, and the one timer that is armed. */
  function bench(slots = 4) {
    const state = { now: 1000, lost: 0, errors: 0, due: Number.POSITIVE_INFINITY, run: () => {} };
    const pacer = new Pacer({
      slots,
      now: () => state.now,
      setTimer: (run, ms) => {
        state.run = run;
        state.due = state.now + ms;
      },
      onLost: (steps) => {
        state.lost += steps;
      },
      onError: () => {
        state.errors++;
      },
    });
    const fire = (late: number): void => {
      state.now = state.due + late;
      state.due = Number.POSITIVE_INFINITY;
      state.run();
    };
    /** Runs until `ms` of real time have passed, every timer late by `late()`. */
    const pass = (ms: number, late: () => number): void => {
      const end = state.now + ms;
      while (state.due <= end) fire(late());
    };
    return { state, pacer, fire, pass };
  }

  function counter(): { ticks: number; tick: () => void } {
    return {
      ticks: 0,
      tick() {
        this.ticks++;
      },
    };
  }

  it('does not drift, however late its timers are', () => {
    const { pacer, pass } = bench();
    const call = counter();
    pacer.add(call);
    let n = 0;
    pass(60_000, () => [0.2, 1.7, 9.4, 0, 3.3][n++ % 5] as number);
    expect(call.ticks).toBeGreaterThanOrEqual(2999);
    expect(call.ticks).toBeLessThanOrEqual(3000);
  });

  it('catches up three frames at most after a stall, and loses the rest', () => {
    const { pacer, pass, fire, state } = bench();
    const calls = [counter(), counter(), counter(), counter()];
    for (const call of calls) pacer.add(call);
    pass(200, () => 0);
    const before = calls.map((call) => call.ticks);
    fire(1000);
    expect(calls.map((call, i) => call.ticks - (before[i] as number))).toEqual([3, 3, 3, 3]);
    expect(state.lost).toBeGreaterThan(150);
    const after = calls[0]?.ticks as number;
    pass(1000, () => 0);
    expect((calls[0]?.ticks as number) - after).toBeGreaterThanOrEqual(49);
    expect((calls[0]?.ticks as number) - after).toBeLessThanOrEqual(51);
  });

  it('spreads calls over its slots', () => {
    const { pacer, fire } = bench();
    const calls = Array.from({ length: 8 }, counter);
    for (const call of calls) pacer.add(call);
    fire(0);
    expect(calls.reduce((sum, call) => sum + call.ticks, 0)).toBe(2);
  });

  it('goes on when one call throws, stops without calls, starts again', () => {
    const { pacer, pass, state } = bench();
    const bad = {
      tick: (): void => {
        throw new Error('broken');
      },
    };
    const good = counter();
    pacer.add(bad);
    pacer.add(good);
    pass(100, () => 0);
    expect(state.errors).toBeGreaterThanOrEqual(4);
    expect(good.ticks).toBeGreaterThanOrEqual(4);
    pacer.remove(bad);
    pacer.remove(good);
    pass(100, () => 0);
    expect(state.due).toBe(Number.POSITIVE_INFINITY);
    state.now += 60_000;
    const next = counter();
    pacer.add(next);
    pass(100, () => 0);
    expect(next.ticks).toBeGreaterThanOrEqual(4);
    expect(next.ticks).toBeLessThanOrEqual(5);
  });
});

describe('who may speak', () => {
  const SDP = { address: '10.0.0.5', port: 4000 };
  const PEER = '192.0.2.7';
  const hears = (latch: Latch, address: string, port = 5000): boolean => {
    const allowed = latch.allows(address);
    if (allowed) latch.heard({ address, port });
    return allowed;
  };
  const latched = (mode: 'strict' | 'latch' = 'latch'): Latch => {
    const latch = new Latch(mode, PEER);
    latch.follow(SDP);
    return latch;
  };

  it('sends where the SDP says until somebody is heard, then back to address and port', () => {
    const latch = latched();
    expect(latch.target).toEqual(SDP);
    hears(latch, PEER, 61_000);
    expect(latch.target).toMatchObject({ address: PEER, port: 61_000 });
    hears(latch, PEER, 61_002);
    expect(latch.target).toMatchObject({ port: 61_000 });
  });

  it('gives way to the very port of the SDP: behind one NAT another port is another phone', () => {
    const latch = latched('strict');
    hears(latch, SDP.address, SDP.port + 2);
    expect(latch.target).toMatchObject({ port: SDP.port + 2 });
    hears(latch, SDP.address, SDP.port);
    expect(latch.target).toMatchObject({ port: SDP.port });
    hears(latch, SDP.address, SDP.port + 2);
    expect(latch.target).toMatchObject({ port: SDP.port });
  });

  it('latches to the first address, never to a third', () => {
    const latch = latched();
    expect(hears(latch, '203.0.113.1')).toBe(true);
    expect(hears(latch, '203.0.113.2')).toBe(false);
    expect(hears(latch, '203.0.113.1')).toBe(true);
  });

  it('puts a stranger out when a trusted address speaks', () => {
    const latch = latched();
    hears(latch, '203.0.113.1');
    expect(hears(latch, SDP.address, 4000)).toBe(true);
    expect(latch.target).toMatchObject(SDP);
    expect(hears(latch, '203.0.113.1')).toBe(false);
  });

  it('hears both trusted addresses, and stays with the first', () => {
    const latch = latched();
    hears(latch, PEER, 7000);
    expect(hears(latch, SDP.address)).toBe(true);
    expect(latch.target).toMatchObject({ address: PEER, port: 7000 });
  });

  it('strict: only the SDP address and the peer', () => {
    const latch = latched('strict');
    expect(hears(latch, '203.0.113.1')).toBe(false);
    expect(hears(latch, PEER)).toBe(true);
    expect(hears(latch, SDP.address)).toBe(true);
  });

  it('opens again only when the SDP moves', () => {
    const latch = latched();
    hears(latch, '203.0.113.1');
    latch.follow({ ...SDP });
    latch.follow(undefined);
    expect(hears(latch, '203.0.113.2')).toBe(false);
    latch.follow({ ...SDP, port: 4002 });
    expect(latch.target).toEqual({ ...SDP, port: 4002 });
    expect(hears(latch, '203.0.113.2')).toBe(true);
  });

  it('trusts a signalling peer that becomes known later', () => {
    const latch = new Latch('strict', '');
    latch.follow(SDP);
    expect(hears(latch, PEER, 61_000)).toBe(false);
    latch.trust(PEER);
    expect(hears(latch, PEER, 61_000)).toBe(true);
    expect(latch.target).toMatchObject({ address: PEER, port: 61_000 });
  });

  it('knows an address however it is written', () => {
    const latch = new Latch('strict', '::ffff:192.0.2.7');
    latch.follow({ address: '2001:DB8:0:0::0001', port: 4 });
    expect(hears(latch, '192.0.2.7')).toBe(true);
    expect(hears(latch, '2001:db8::1')).toBe(true);
    expect(hears(latch, 'fe80::1%eth0')).toBe(false);
  });
});

describe('RTP packets', () => {
  it('are read back as written', () => {
    const data = Buffer.alloc(16);
    const header = { payloadType: 101, marker: true, seq: 65_535, ts: 0xfffffff0, ssrc: 0x80000001 };
    writeHeader(data, header);
    expect(parseRtp(data)).toEqual({ ...header, payload: Buffer.alloc(4) });
  });

  it('skips CSRC, extension and padding', () => {
    const head = [0x80 | 0x20 | 0x10 | 2, 8, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3];
    const csrc = Array.from({ length: 8 }, () => 0xaa);
    const extension = [0xbe, 0xde, 0, 1, 9, 9, 9, 9];
    const packet = parseRtp(Buffer.from([...head, ...csrc, ...extension, 1, 2, 3, 0, 2]));
    expect(packet?.payload).toEqual(Buffer.from([1, 2, 3]));
  });

  it.each([
    ['empty', []],
    ['a SIP keep-alive', [13, 10, 13, 10]],
    ['version 1', [0x40, 8, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3]],
    ['CSRC past the end', [0x82, 8, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 1]],
    ['extension past the end', [0x90, 8, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 9]],
    ['more padding than packet', [0xa0, 8, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 9]],
  ])('%s is not RTP', (_, bytes) => {
    expect(parseRtp(Buffer.from(bytes))).toBeUndefined();
  });

  it('tells RTCP', () => {
    expect([200, 201, 204].map((type) => isRtcp(Buffer.from([0x80, type])))).toEqual([true, true, true]);
    expect([8, 0, 101, 0x80 | 101].map((type) => isRtcp(Buffer.from([0x80, type])))).toEqual([
      false,
      false,
      false,
      false,
    ]);
  });
});
