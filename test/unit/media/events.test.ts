import { describe, expect, it } from 'vitest';
import { EventDecoder } from '../../../src/media/digits/events.ts';

interface Sent {
  seq: number;
  ts: number;
  code: number;
  duration: number;
  end?: boolean;
  marker?: boolean;
  at: number;
  ssrc?: number;
}

const KEYS = '0123456789*#ABCD';

function block({ code, end = false, duration }: { code: number; end?: boolean; duration: number }): Buffer {
  const payload = Buffer.from([code, end ? 0x8a : 0x0a, 0, 0]);
  payload.writeUInt16BE(duration, 2);
  return payload;
}

function hear(packets: readonly Sent[], decoder = new EventDecoder()): string {
  return packets
    .flatMap((p) =>
      decoder.push({
        ssrc: p.ssrc ?? 7,
        seq: p.seq & 0xffff,
        ts: p.ts >>> 0,
        marker: p.marker ?? false,
        payload: block(p),
        now: p.at,
      }),
    )
    .join('');
}

/** A press as a good phone sends it: an update every 20 ms, three ends. */
function press(key: string, from: { seq: number; ts: number; at: number; ms?: number }): Sent[] {
  const code = KEYS.indexOf(key);
  const steps = Math.ceil((from.ms ?? 100) / 20);
  const updates = Array.from({ length: steps }, (_, i) => ({
    seq: from.seq + i,
    ts: from.ts,
    code,
    duration: 160 * (i + 1),
    marker: i === 0,
    at: from.at + 20 * i,
  }));
  const ends = [0, 1, 2].map((i) => ({
    seq: from.seq + steps + i,
    ts: from.ts,
    code,
    duration: 160 * steps,
    end: true,
    at: from.at + 20 * steps + i,
  }));
  return [...updates, ...ends];
}

/** Several keys, 100 ms on and 100 ms off. */
function presses(keys: string, start = { seq: 100, ts: 5000, at: 0 }): Sent[][] {
  return [...keys].map((key, i) =>
    press(key, { seq: start.seq + i * 8, ts: start.ts + i * 1600, at: start.at + i * 200 }),
  );
}

const all = (keys: string): Sent[] => presses(keys).flat();

describe('RFC 4733 events, each press once', () => {
  it('hears all 16 keys across the wrap of sequence and timestamp', () => {
    const start = { seq: 65_530, ts: 0xffffffff - 2000, at: 0 };
    expect(hear(presses(KEYS, start).flat())).toBe(KEYS);
  });

  it('hears the same key twice as two', () => {
    expect(hear(all('1001'))).toBe('1001');
  });

  it('reports with the first packet, whatever it is', () => {
    const [first] = press('5', { seq: 1, ts: 1, at: 0 });
    expect(hear([first as Sent])).toBe('5');
  });

  it.each<[string, (packets: Sent[]) => Sent[]]>([
    ['all ends lost', (p) => p.filter((one) => !one.end)],
    ['one end survives', (p) => p.filter((one) => one.end).slice(2)],
    ['first packet lost', (p) => p.slice(1)],
    ['only ends', (p) => p.filter((one) => one.end)],
    ['marker never', (p) => p.map((one) => ({ ...one, marker: false }))],
    ['marker always', (p) => p.map((one) => ({ ...one, marker: true }))],
    ['everything twice', (p) => p.flatMap((one) => [one, one])],
    ['neighbours swapped', (p) => p.flatMap((one, i) => (i % 2 === 0 ? [p[i + 1] ?? [], one].flat() : []))],
    ['ends of no length', (p) => p.filter((one) => one.end).map((one) => ({ ...one, duration: 0 }))],
    ['ends of 40 ms', (p) => p.filter((one) => one.end).map((one) => ({ ...one, duration: 320 }))],
  ])('%s', (_, change) => {
    expect(hear(presses('1123#').flatMap(change))).toBe('1123#');
  });

  it('hears soft-key bursts: 50 ms on, 50 ms off, no gap in between', () => {
    const burst = [...'1001#583914#'].flatMap((key, i) =>
      press(key, { seq: 1 + 6 * i, ts: 800 * i, at: 100 * i, ms: 50 }).filter((_, n) => n !== 2),
    );
    expect(hear(burst)).toBe('1001#583914#');
  });

  it('drops ends of press 1 that come after the start of press 2', () => {
    const [one, two] = presses('12') as [Sent[], Sent[]];
    const late = one.splice(-2).map((end) => ({ ...end, at: 205 }));
    expect(hear([...one, two[0] as Sent, ...late, ...two.slice(1)])).toBe('12');
  });

  it('drops a whole late press rather than put it in the wrong place', () => {
    const [one, two, three] = presses('123') as [Sent[], Sent[], Sent[]];
    expect(hear([...one, ...three, ...two.map((p) => ({ ...p, at: 600 }))])).toBe('13');
  });

  it('ignores flash, tones and answers to them', () => {
    expect(hear([{ seq: 1, ts: 1, code: 16, duration: 160, at: 0 }, ...all('1')])).toBe('1');
    expect(hear([{ seq: 1, ts: 1, code: 66, duration: 160, at: 0 }])).toBe('');
  });

  it('ignores a payload too short to hold an event', () => {
    const payload = Buffer.from([1, 0x80, 0]);
    expect(new EventDecoder().push({ ssrc: 1, seq: 1, ts: 1, marker: true, payload, now: 0 })).toEqual([]);
  });

  it('reads several blocks in one packet', () => {
    const payload = Buffer.concat([
      block({ code: 1, end: true, duration: 800 }),
      block({ code: 2, end: true, duration: 800 }),
    ]);
    expect(new EventDecoder().push({ ssrc: 1, seq: 1, ts: 1, marker: true, payload, now: 0 })).toEqual([
      '1',
      '2',
    ]);
  });
});

describe('blocks after one without length', () => {
  it('are not read: their timestamp cannot be known', () => {
    const payload = Buffer.concat([1, 2].map((code) => block({ code, end: true, duration: 0 })));
    expect(new EventDecoder().push({ ssrc: 1, seq: 1, ts: 1, marker: true, payload, now: 0 })).toEqual(['1']);
  });
});

describe('senders that bend the rules', () => {
  const code = 5;

  it('1: a long press in segments is one press (RFC 4733 2.5.1.3)', () => {
    const long = [
      { seq: 1, ts: 0, code, duration: 0xffff, at: 0 },
      { seq: 2, ts: 0xffff, code, duration: 160, at: 8200 },
      { seq: 3, ts: 0xffff, code, duration: 320, end: true, at: 8220 },
    ];
    expect(hear(long)).toBe('5');
  });

  it('1: also when segments were lost', () => {
    const long = [
      { seq: 1, ts: 0, code, duration: 320, at: 0 },
      { seq: 900, ts: 3 * 0xffff, code, duration: 320, at: 24_600 },
    ];
    expect(hear(long)).toBe('5');
  });

  it('1: also when the duration stays at its highest', () => {
    expect(hear([1, 2, 3].map((seq) => ({ seq, ts: 9, code, duration: 0xffff, at: 8190 + seq * 20 })))).toBe(
      '5',
    );
  });

  it('1: a segment after an end is a new press', () => {
    const two = [
      { seq: 1, ts: 0, code, duration: 800, end: true, at: 0 },
      { seq: 2, ts: 800, code, duration: 160, at: 100 },
    ];
    expect(hear(two)).toBe('55');
  });

  it('1: also when its first packets were lost', () => {
    const two = [
      { seq: 1, ts: 0, code, duration: 800, end: true, at: 0 },
      { seq: 6, ts: 800, code, duration: 800, at: 200 },
    ];
    expect(hear(two)).toBe('55');
  });

  it('2: the timestamp moves inside a press', () => {
    const moving = [0, 1, 2, 3, 4].map((i) => ({
      seq: i,
      ts: 160 * i,
      code,
      duration: 400,
      end: i === 4,
      at: 20 * i,
    }));
    expect(hear(moving)).toBe('5');
  });

  it('3: ends repeated under new timestamps', () => {
    const ends = [0, 1, 2].map((i) => ({
      seq: 9 + i,
      ts: 5000 + 900 * i,
      code,
      duration: 800,
      end: true,
      at: 20 * i,
    }));
    expect(hear([{ seq: 8, ts: 5000, code, duration: 640, at: 0 }, ...ends])).toBe('5');
  });

  it('4: every press at the same timestamp', () => {
    const same = [...'1121'].flatMap((key, i) => press(key, { seq: 1 + 10 * i, ts: 0x3200, at: 250 * i }));
    expect(hear(same)).toBe('1121');
  });

  it('4: timestamps in milliseconds (SIPp): +320 for a duration of 1280', () => {
    const sipp = [...'1001#'].flatMap((key, i) =>
      press(key, { seq: 1 + 12 * i, ts: 320 * i, at: 320 * i, ms: 160 }),
    );
    expect(hear(sipp)).toBe('1001#');
  });

  it('4: a capture replayed after a pause is a second press, at once it is a retransmission', () => {
    const capture = press('1', { seq: 1, ts: 5, at: 0 });
    const again = (ms: number): Sent[] => capture.map((p) => ({ ...p, at: p.at + ms }));
    expect(hear([...capture, ...again(900)])).toBe('11');
    expect(hear([...capture, ...again(200)])).toBe('1');
  });

  it('a new source is a new press, even with the same numbers', () => {
    const capture = press('1', { seq: 1, ts: 5, at: 0 });
    expect(hear([...capture, ...capture.map((p) => ({ ...p, at: p.at + 200, ssrc: 8 }))])).toBe('11');
  });

  it('a new source begins afresh, even with the clock backwards', () => {
    const first = presses('1', { seq: 9000, ts: 80_000, at: 0 }).flat();
    const second = presses('1', { seq: 3, ts: 80, at: 300 }).flat();
    expect(hear([...first, ...second.map((p) => ({ ...p, ssrc: 8 }))])).toBe('11');
    expect(hear([...first, ...second.map((p) => ({ ...p, seq: p.seq + 9100 }))])).toBe('11');
  });
});

describe('a bad network', () => {
  /** Small and repeatable (mulberry32). */
  function randomFrom(seed: number): () => number {
    let state = seed;
    return () => {
      state = (state + 0x6d2b79f5) | 0;
      let t = Math.imul(state ^ (state >>> 15), 1 | state);
      t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
      return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
    };
  }

  function damage(packets: readonly Sent[], random: () => number): Sent[] {
    const kept = packets.filter(() => random() >= 0.2).flatMap((p) => (random() < 0.1 ? [p, p] : [p]));
    for (let i = 0; i + 1 < kept.length; i++) {
      if (random() < 0.1) [kept[i], kept[i + 1]] = [kept[i + 1] as Sent, kept[i] as Sent];
    }
    let clock = 0;
    return kept.map((p) => {
      clock = Math.max(clock, p.at);
      return { ...p, at: clock };
    });
  }

  function isPartOf(part: string, whole: string): boolean {
    let at = 0;
    for (const char of whole) if (char === part[at]) at++;
    return at === part.length;
  }

  it('2 000 runs with 20 % lost, 10 % doubled, 10 % swapped: nothing extra, at most 2 incomplete', () => {
    const random = randomFrom(2026);
    let incomplete = 0;
    for (let run = 0; run < 2000; run++) {
      const keys = Array.from({ length: 8 }, () => KEYS[Math.floor(random() * 16)]).join('');
      const heard = hear(damage(all(keys), random));
      expect(isPartOf(heard, keys), `${heard} from ${keys}`).toBe(true);
      if (heard !== keys) incomplete++;
    }
    expect(incomplete).toBeLessThanOrEqual(2);
  });

  it('50 000 random packets: no exception', () => {
    const random = randomFrom(7);
    const decoder = new EventDecoder();
    const number = (below: number): number => Math.floor(random() * below);
    for (let i = 0; i < 50_000; i++) {
      const payload = Buffer.from(Array.from({ length: number(14) }, () => number(256)));
      const digits = decoder.push({
        ssrc: number(2),
        seq: number(65_536),
        ts: number(2 ** 32),
        marker: random() < 0.3,
        payload,
        now: i,
      });
      expect(digits.every((digit) => KEYS.includes(digit))).toBe(true);
    }
  });
});
