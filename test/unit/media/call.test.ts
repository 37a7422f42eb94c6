import { describe, expect, it } from 'vitest';
import { type Clip, type CodecName, makeClip, SILENCE } from '../../../src/media/codec/codecs.ts';
import { encodeUlaw } from '../../../src/media/codec/g711.ts';
import { recordedClip } from '../../../src/media/codec/recorded-clip.ts';
import { SrtpReceiver, SrtpSender } from '../../../src/media/rtp/srtp.ts';
import { newNegotiation } from '../../../src/media/sdp/negotiation.ts';
import { Call } from '../../../src/media/worker/call.ts';
import type { Report, Settings } from '../../../src/media/worker/protocol.ts';
import { decoded, inARow, keyTone, likeness, silence, voiceOf } from '../../support/sound.ts';

const PEER = '198.51.100.9';
const noise = (frames: number, seed: number): Int16Array =>
  Int16Array.from({ length: frames * 320 }, (_, n) => (Math.imul(n + seed, 2654435761) >> 16) / 2);
const ONE: Clip = makeClip(noise(5, 1), 16_000);
const TWO: Clip = makeClip(noise(3, 9000), 16_000);

function offer(formats: string, attribute = 'a=sendrecv', port = 4000, address = PEER): string {
  return (
    `v=0\r\no=- 1 1 IN IP4 ${PEER}\r\ns=x\r\nc=IN IP4 ${address}\r\nt=0 0\r\nm=audio ${port} RTP/AVP ${formats}\r\n` +
    `a=rtpmap:101 telephone-event/8000\r\n${attribute}\r\n`
  );
}

interface Out {
  data: Buffer;
  payload: Buffer;
  type: number;
  marker: boolean;
  seq: number;
  ts: number;
  to: { address: string; port: number };
}

function makeCall(sdp: string | null = offer('8 101'), settings: Partial<Settings> = {}) {
  const sent: Out[] = [];
  const buffers: ArrayBufferLike[] = [];
  const reports: Report[] = [];
  const counted: string[] = [];
  const clock = { now: 0 };
  let random = 1;
  const call = new Call({
    session: 3,
    peer: PEER,
    settings: { latch: 'latch', inband: 'auto', silentAfterMs: 1000, ...settings },
    terms: {
      policy: { srtp: 'optional', inband: 'auto', ipv6: false },
      randomBytes: (count) => Buffer.alloc(count, random++),
    },
    negotiation: newNegotiation({ sessionId: 1, address: '192.0.2.1', port: 36_000 }),
    now: () => clock.now,
    send: (packet, to) => {
      buffers.push(packet.buffer);
      const data = Buffer.from(packet);
      sent.push({
        data,
        payload: data.subarray(12),
        type: (data[1] as number) & 0x7f,
        marker: (data[1] as number) > 127,
        seq: data.readUInt16BE(2),
        ts: data.readUInt32BE(4),
        to: { address: to.address, port: to.port },
      });
    },
    tell: (report) => reports.push(report),
    count: (counter) => counted.push(counter),
    later: (work) => work(),
  });
  if (sdp !== null) call.take(sdp);
  const tick = (times = 1): void => {
    for (let i = 0; i < times; i++) {
      clock.now += 20;
      call.tick();
    }
  };
  return { call, sent, buffers, reports, counted, clock, tick };
}

function rtp(type: number, seq: number, payload: Buffer, ts = seq * 160): Buffer {
  const header = Buffer.from([0x80, type, 0, seq, 0, 0, 0, 0, 0, 0, 0, 9]);
  header.writeUInt32BE(ts, 4);
  return Buffer.concat([header, payload]);
}

const from = { address: PEER, port: 4000 };
const five = Buffer.from([5, 0, 0, 160]);

describe('what we send', () => {
  it('silence from the first tick; 200 ms of it before the first prompt; then the clips, byte for byte', () => {
    const { call, sent, tick, reports } = makeCall();
    call.play(1, [ONE, TWO]);
    tick(17);
    expect(reports).toEqual([]);
    tick(1);
    expect(reports).toEqual([{ type: 'played', session: 3, ref: 1 }]);
    tick(2);
    const silence = Array.from({ length: 10 }, () => SILENCE.PCMA);
    const heard = Buffer.concat(sent.map((one) => one.payload));
    const wanted = [...silence, ONE.data.PCMA, TWO.data.PCMA, SILENCE.PCMA, SILENCE.PCMA];
    expect(heard.equals(Buffer.concat(wanted))).toBe(true);
  });

  it('sequence +1, timestamp +160, marker on the first packet and the first of each play', () => {
    const { call, sent, tick } = makeCall();
    tick(12);
    call.play(1, [ONE, TWO]);
    tick(10);
    call.play(2, [TWO]);
    tick(3);
    expect(sent.flatMap((one, i) => (one.marker ? [i] : []))).toEqual([0, 12, 22]);
    for (const [i, one] of sent.entries()) {
      expect(one.seq).toBe(((sent[0] as Out).seq + i) & 0xffff);
      expect(one.ts).toBe(((sent[0] as Out).ts + 160 * i) >>> 0);
    }
  });

  it('uses four buffers in turn, so that catch-up frames do not overwrite what the kernel still holds', () => {
    const { buffers, tick } = makeCall();
    tick(8);
    expect(new Set(buffers.slice(0, 4)).size).toBe(4);
    expect(buffers.slice(4)).toEqual(buffers.slice(0, 4));
    for (let i = 0; i < 4; i++) expect(buffers[i + 4]).toBe(buffers[i]);
  });

  it('a new play replaces the old, stop is silence at once', () => {
    const { call, sent, tick, reports } = makeCall();
    tick(10);
    call.play(1, [ONE]);
    tick(2);
    call.play(2, [TWO]);
    tick(1);
    call.stop();
    tick(1);
    expect(sent[12]?.payload.equals(TWO.data.PCMA.subarray(0, 160))).toBe(true);
    expect(sent[13]?.payload.equals(SILENCE.PCMA)).toBe(true);
    expect(reports).toEqual([]);
  });

  it('nothing to play is played at once', () => {
    const { call, reports } = makeCall();
    call.play(4, []);
    expect(reports).toEqual([{ type: 'played', session: 3, ref: 4 }]);
  });

  it.each(['a=sendonly', 'a=inactive'])('held (%s): nothing is sent and the prompt waits', (hold) => {
    const { call, sent, tick } = makeCall();
    tick(10);
    call.play(1, [ONE]);
    tick(2);
    call.take(offer('8 101', hold));
    tick(100);
    expect(sent).toHaveLength(12);
    call.take(offer('8 101'));
    tick(3);
    const prompt = Buffer.concat(sent.slice(10).map((one) => one.payload));
    expect(prompt.equals(ONE.data.PCMA)).toBe(true);
    expect(((sent[12] as Out).ts - (sent[11] as Out).ts) >>> 0).toBe(101 * 160);
  });

  it('held the old way (0.0.0.0) and resumed', () => {
    const { call, sent, tick } = makeCall();
    tick(1);
    call.take(offer('8 101', 'a=sendrecv', 4000, '0.0.0.0'));
    tick(5);
    expect(sent).toHaveLength(1);
    call.take(offer('8 101'));
    tick(1);
    expect(sent).toHaveLength(2);
  });

  it('the codec changes in mid-prompt: same place, other bytes', () => {
    const { call, sent, tick } = makeCall();
    tick(10);
    call.play(1, [ONE]);
    tick(2);
    call.take(offer('9 101'));
    tick(2);
    call.take(offer('0 101'));
    tick(1);
    expect(sent.slice(10).map((one) => one.type)).toEqual([8, 8, 9, 9, 0]);
    expect(sent[12]?.payload.equals(ONE.data.G722.subarray(320, 480))).toBe(true);
    expect(sent[14]?.payload.equals(ONE.data.PCMU.subarray(640, 800))).toBe(true);
  });

  it('a refused re-INVITE changes nothing', () => {
    const { call, sent, tick } = makeCall();
    expect(call.take(offer('18'))).toBeUndefined();
    tick(1);
    expect(sent[0]).toMatchObject({ type: 8, to: { address: PEER, port: 4000 } });
  });

  it('our offer: silent until the answer comes', () => {
    const { call, sent, tick } = makeCall(null);
    expect(call.offer()).toContain('m=audio 36000 RTP/AVP 8 0 9 101');
    call.play(1, [ONE]);
    tick(20);
    expect(sent).toHaveLength(0);
    call.take(offer('0 101'));
    tick(11);
    expect(sent[10]?.payload.equals(ONE.data.PCMU.subarray(0, 160))).toBe(true);
  });

  it('goes back to where the phone really sends from, and again when its SDP moves', () => {
    const { call, sent, tick } = makeCall();
    tick(1);
    call.receive(rtp(8, 1, Buffer.alloc(160)), { address: PEER, port: 61_000 });
    tick(1);
    call.take(offer('8 101', 'a=sendrecv', 4002));
    tick(1);
    expect(sent.map((one) => one.to.port)).toEqual([4000, 61_000, 4002]);
  });
});

describe('what we hear', () => {
  const digits = (reports: Report[]): string =>
    reports.flatMap((one) => (one.type === 'digit' ? [one.digit] : [])).join('');

  it('digits from the first packet of the call, by the number that was agreed', () => {
    const { call, reports } = makeCall();
    call.receive(rtp(101, 1, five), from);
    expect(reports).toEqual([{ type: 'digit', session: 3, digit: '5', source: 'rtp' }]);
    call.receive(rtp(97, 2, five, 9999), from);
    expect(reports).toHaveLength(1);
  });

  it('digits while held', () => {
    const { call, reports } = makeCall();
    call.take(offer('8 101', 'a=inactive'));
    call.receive(rtp(101, 1, five), from);
    expect(digits(reports)).toBe('5');
  });

  it('nobody else’s digits, once somebody was heard', () => {
    const { call, reports, counted } = makeCall();
    call.receive(rtp(8, 1, Buffer.alloc(160)), from);
    for (let i = 0; i < 50; i++)
      call.receive(rtp(101, i, five, i * 800), { address: '203.0.113.66', port: 9 });
    expect(digits(reports)).toBe('');
    expect(counted.filter((one) => one === 'sourcesRefused')).toHaveLength(50);
  });

  it('counts rubbish, and passes over RTCP', () => {
    const { call, counted } = makeCall();
    call.receive(Buffer.from('\r\n\r\n'), from);
    call.receive(rtp(101, 1, Buffer.from([1])), from);
    call.receive(Buffer.from([0x80, 200, 0, 6, ...Buffer.alloc(24)]), from);
    expect(counted).toEqual(['malformed', 'malformed']);
  });

  it('tells of silence once, and again after sound', () => {
    const { call, reports, tick } = makeCall();
    tick(49);
    expect(reports).toEqual([]);
    tick(50);
    expect(reports).toEqual([{ type: 'silent', session: 3 }]);
    call.receive(rtp(8, 1, Buffer.alloc(160)), from);
    tick(60);
    expect(reports).toHaveLength(2);
  });

  it('no silence while held, and a whole wait after it', () => {
    const { call, reports, tick } = makeCall();
    call.take(offer('8 101', 'a=inactive'));
    tick(500);
    call.take(offer('8 101'));
    tick(40);
    expect(reports).toEqual([]);
    tick(20);
    expect(reports).toHaveLength(1);
  });
});

describe('recording', () => {
  const OPTIONS = { maxMs: 8000, silenceMs: 1000 };
  const VOICE = voiceOf('extension');
  const recorded = (reports: Report[]) => reports.filter((one) => one.type === 'recorded');
  const heardIn = (mulaw: Uint8Array | undefined): Int16Array => decoded('PCMU', mulaw ?? new Uint8Array());

  /** The phone says these samples, a packet each 20 ms. */
  function say(bench: ReturnType<typeof makeCall>, samples: Int16Array, first = 0): void {
    const data = makeClip(samples, 8000).data.PCMA;
    for (let i = 0; i * 160 < data.length; i++) {
      bench.tick();
      const seq = (first + i) & 0xff;
      bench.call.receive(rtp(8, seq, data.subarray(i * 160, i * 160 + 160), (first + i) * 160), from);
    }
  }

  it('begins when asked and ends when asked, with what was said between', () => {
    const bench = makeCall();
    say(bench, keyTone('1', 400));
    bench.call.record(5, OPTIONS);
    say(bench, inARow(VOICE, silence(100)), 20);
    expect(recorded(bench.reports)).toEqual([]);
    bench.call.stopRecording();
    const [report] = recorded(bench.reports);
    expect(report).toMatchObject({ session: 3, ref: 5 });
    const heard = heardIn(report?.mulaw);
    expect(likeness(heard, VOICE.slice(400, -600)).value).toBeGreaterThan(0.95);
    expect(heard.length).toBeLessThan(VOICE.length + 1600);
    bench.call.stopRecording();
    expect(recorded(bench.reports)).toHaveLength(1);
  });

  it('ends by itself in silence; audio after that is nobody’s', () => {
    const bench = makeCall();
    bench.call.record(1, OPTIONS);
    say(bench, inARow(VOICE, silence(1500)));
    expect(recorded(bench.reports)).toHaveLength(1);
    say(bench, inARow(VOICE, silence(1500)), 150);
    expect(recorded(bench.reports)).toHaveLength(1);
  });

  it('ends by itself when its time is up, with the phone silent or gone', () => {
    const bench = makeCall();
    bench.call.record(1, { maxMs: 500, silenceMs: 400 });
    bench.tick(30);
    expect(recorded(bench.reports)).toEqual([{ type: 'recorded', session: 3, ref: 1, mulaw: undefined }]);
  });

  it('a new one throws the old one away', () => {
    const bench = makeCall();
    bench.call.record(1, OPTIONS);
    say(bench, VOICE);
    bench.call.record(2, OPTIONS);
    say(bench, silence(200), 100);
    bench.call.stopRecording();
    expect(recorded(bench.reports)).toEqual([{ type: 'recorded', session: 3, ref: 2, mulaw: undefined }]);
  });

  it('the end of the call ends it', async () => {
    const bench = makeCall();
    expect(await bench.call.end()).toBeUndefined();
    bench.call.record(1, OPTIONS);
    say(bench, inARow(VOICE, silence(100)));
    expect(likeness(heardIn(await bench.call.end()), VOICE.slice(400, -600)).value).toBeGreaterThan(0.95);
    expect(await bench.call.end()).toBeUndefined();
    expect(recorded(bench.reports)).toEqual([]);
  });

  it('hears neither keys nor strangers', () => {
    const bench = makeCall();
    bench.call.record(1, OPTIONS);
    say(bench, silence(20));
    const loud = makeClip(inARow(VOICE, silence(500)), 8000).data.PCMA;
    for (let i = 0; i * 160 < loud.length; i++) {
      bench.tick();
      const frame = loud.subarray(i * 160, i * 160 + 160);
      bench.call.receive(rtp(101, (2 * i + 1) & 0xff, frame, i * 160), from);
      bench.call.receive(rtp(13, (2 * i + 2) & 0xff, frame, i * 160), from);
      bench.call.receive(rtp(8, i, frame, i * 160), { address: '203.0.113.66', port: 9 });
    }
    bench.call.stopRecording();
    expect(recorded(bench.reports)[0]).toMatchObject({ ref: 1, mulaw: undefined });
  });

  it('is played back in every codec, between prompts', () => {
    const mulaw = Uint8Array.from(VOICE, encodeUlaw);
    const wanted = { PCMA: 8, PCMU: 0, G722: 9 };
    for (const [codec, type] of Object.entries(wanted)) {
      const bench = makeCall(offer(`${type} 101`), { silentAfterMs: 30_000 });
      bench.tick(10);
      bench.call.play(1, [ONE, recordedClip(mulaw), TWO]);
      bench.tick(5 + Math.ceil(VOICE.length / 160) + 3);
      expect(bench.reports).toEqual([{ type: 'played', session: 3, ref: 1 }]);
      const sent = Buffer.concat(bench.sent.slice(10).map((one) => one.payload));
      expect(sent.subarray(0, 800).equals(ONE.data[codec as CodecName])).toBe(true);
      expect(sent.subarray(-480).equals(TWO.data[codec as CodecName])).toBe(true);
      const heard = decoded(codec as CodecName, sent.subarray(800, -480));
      expect(likeness(heard, VOICE).value).toBeGreaterThan(0.98);
    }
  });
});

describe('an encrypted call', () => {
  const theirs = Buffer.alloc(30, 77);
  const secure = (key = theirs): string =>
    `v=0\r\no=- 1 1 IN IP4 ${PEER}\r\ns=x\r\nc=IN IP4 ${PEER}\r\nt=0 0\r\nm=audio 4000 RTP/SAVP 8 101\r\n` +
    `a=rtpmap:101 telephone-event/8000\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${key.toString('base64')}\r\n`;

  function protect(sender: SrtpSender, packet: Buffer): Buffer {
    const room = Buffer.concat([packet, Buffer.alloc(10)]);
    return room.subarray(0, sender.protect(room, packet.length, 12));
  }

  const ourKey = (sdp: string | undefined): Buffer =>
    Buffer.from(/inline:(\S+)/.exec(sdp ?? '')?.[1] ?? '', 'base64');

  it('sends what the far side can open, across a re-INVITE with the same key', () => {
    const { call, sent, tick } = makeCall();
    const answer = call.take(secure());
    const receiver = new SrtpReceiver(ourKey(answer), 'AES_CM_128_HMAC_SHA1_80');
    tick(3);
    expect(ourKey(call.take(secure()))).toEqual(ourKey(answer));
    tick(3);
    const opened = sent.map((one) => receiver.open(one.data)?.subarray(12));
    expect(opened.every((payload) => payload?.equals(SILENCE.PCMA))).toBe(true);
  });

  it('goes on counting rollovers across a re-INVITE with the same key', () => {
    const { call, sent, tick } = makeCall();
    const receiver = new SrtpReceiver(ourKey(call.take(secure())), 'AES_CM_128_HMAC_SHA1_80');
    tick(65_500);
    call.take(secure());
    tick(3);
    expect((sent.at(-1) as Out).seq).toBeLessThan((sent[0] as Out).seq);
    expect(sent.filter((one) => receiver.open(one.data) === undefined)).toEqual([]);
  });

  it('hears only what authenticates; a forger cannot latch', () => {
    const { call, reports, counted } = makeCall();
    call.take(secure());
    call.receive(rtp(101, 1, five), { address: '203.0.113.66', port: 9 });
    expect(counted).toEqual(['srtpRefused']);
    const sender = new SrtpSender(theirs, 'AES_CM_128_HMAC_SHA1_80');
    call.receive(protect(sender, rtp(101, 1, five)), { address: '203.0.113.1', port: 9 });
    expect(reports).toHaveLength(1);
  });

  it('follows a new key of theirs with a new key of ours', () => {
    const { call, reports } = makeCall();
    const first = ourKey(call.take(secure()));
    const other = Buffer.alloc(30, 78);
    expect(ourKey(call.take(secure(other)))).not.toEqual(first);
    call.receive(protect(new SrtpSender(other, 'AES_CM_128_HMAC_SHA1_80'), rtp(101, 1, five)), from);
    expect(reports).toHaveLength(1);
  });
});
