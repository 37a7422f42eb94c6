import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type CodecName, makeClip, SILENCE } from '../../../src/media/codec/codecs.ts';
import { createMedia, type MediaParts, REAL_PARTS } from '../../../src/media/create-media.ts';
import { isRefusal, type MediaPort, type MediaSession, type Recording } from '../../../src/media/media.ts';
import { SrtpSender } from '../../../src/media/rtp/srtp.ts';
import { RtpPeer, type RtpPeerOptions } from '../../support/rtp-peer.ts';
import { decoded, inARow, keyTone, likeness, louder, rms, silence, voiceOf } from '../../support/sound.ts';
import { BENCH_OPTIONS, offerOf } from './bench.ts';

/** A name is said into a call over real sockets, recorded in the worker, and played back to a phone. */

const OPTIONS = { ...BENCH_OPTIONS, ports: { from: 46_100, to: 46_139 }, silentAfterMs: 30_000 };
const VOICE = voiceOf('extension');
/** Without its first and last moments, which fade. */
const WORDS = VOICE.slice(400, -600);
const TYPES = { PCMA: 8, PCMU: 0, G722: 9 } as const;
const CODECS: CodecName[] = ['PCMA', 'PCMU', 'G722'];
const LIMITS = { maxMs: 8000, silenceMs: 700 };

let media: MediaPort;
const cleanUp: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  media = createMedia(OPTIONS);
  await media.start();
});
afterAll(() => media.stop());
afterEach(async () => {
  for (const undo of cleanUp.splice(0).reverse()) await undo();
});

interface Phone {
  readonly peer: RtpPeer;
  readonly session: MediaSession;
  say(samples: Int16Array): void;
  /** Everything heard so far, at 8 kHz. */
  heard(): Int16Array;
}

async function phone(
  codec: CodecName = 'PCMA',
  options: RtpPeerOptions = {},
  { port = media, formats = `${TYPES[codec]} 101`, more = '' } = {},
): Promise<Phone> {
  const audio = { audioType: TYPES[codec], silence: SILENCE[codec][0] as number };
  const peer = await RtpPeer.open(0, { ...audio, ...options });
  cleanUp.push(() => peer.close());
  const offer = offerOf(peer, formats, more);
  const session = await port.open({
    callId: 'c',
    peer: '127.0.0.1',
    offer: more === '' ? offer : offer.replace('RTP/AVP', 'RTP/SAVP'),
  });
  if (isRefusal(session)) throw new Error(session.refused);
  cleanUp.push(() => session.close());
  peer.sendTo(session.localSdp);
  return {
    peer,
    session,
    say: (samples) => peer.say(makeClip(inARow(samples, silence(1500)), 8000).data[codec]),
    heard: () => decoded(codec, peer.received),
  };
}

const samplesOf = (recording: Recording | undefined): Int16Array =>
  decoded('PCMU', recording?.mulaw ?? new Uint8Array());

/** Says this and waits for the recording to end in the silence after it. */
async function recordName(from: Phone, samples = VOICE): Promise<Recording> {
  const recording = from.session.record(LIMITS);
  from.say(samples);
  from.peer.startAudio();
  const done = await recording;
  from.peer.stopAudio();
  if (done === undefined) throw new Error('nothing was recorded');
  return done;
}

/** Plays it between two prompts and finds all three in what the phone heard. */
async function playedBack(name: Recording, codec: CodecName): Promise<void> {
  const listener = await phone(codec);
  expect(await listener.session.play(['digit-1', name, 'digit-2'])).toBe('done');
  await sleep(60);
  const heard = listener.heard();
  const wanted = [voiceOf('digit-1'), samplesOf(name), voiceOf('digit-2')];
  const places = wanted.map((one) => likeness(heard, one));
  for (const { value } of places) expect(value).toBeGreaterThan(0.95);
  const [before, itself, after] = places.map(({ at }) => at) as [number, number, number];
  expect(before < itself && itself < after).toBe(true);
}

describe('a name', () => {
  it.each(CODECS)('%s: said, recorded, trimmed, levelled, and heard again on every codec', async (codec) => {
    const name = await recordName(await phone(codec), louder(VOICE, -12));
    const recorded = samplesOf(name);
    expect(likeness(recorded, WORDS).value).toBeGreaterThan(0.93);
    expect(Math.abs(recorded.length - VOICE.length)).toBeLessThan(1600);
    expect(rms(recorded)).toBeGreaterThan(-24);
    await Promise.all(CODECS.map((other) => playedBack(name, other)));
  });

  it('10 % of the packets lost, some out of order, some twice', async () => {
    let n = 0;
    const from = await phone('PCMA', { lose: () => ++n % 10 === 4 });
    const { peer } = from;
    const send = peer.sendRaw.bind(peer);
    let late: Buffer | undefined;
    peer.sendRaw = (data) => {
      if (n % 10 === 7) late = data;
      else send(data);
      if (n % 10 === 7) n++;
      else if (late !== undefined) {
        send(late);
        send(late);
        late = undefined;
      }
    };
    const recorded = samplesOf(await recordName(from));
    expect(likeness(recorded, WORDS).value).toBeGreaterThan(0.8);
    expect(Math.abs(recorded.length - VOICE.length)).toBeLessThan(1600);
  });

  it('encrypted', async () => {
    const key = Buffer.alloc(30, 9);
    const line = `a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${key.toString('base64')}\r\n`;
    const from = await phone('PCMA', {}, { more: line });
    const sender = new SrtpSender(key, 'AES_CM_128_HMAC_SHA1_80');
    const send = from.peer.sendRaw.bind(from.peer);
    from.peer.sendRaw = (data) => {
      const room = Buffer.concat([data, Buffer.alloc(10)]);
      send(room.subarray(0, sender.protect(room, data.length, 12)));
    };
    expect(likeness(samplesOf(await recordName(from)), WORDS).value).toBeGreaterThan(0.95);
  });

  it('ended by a key: no tone in it, RFC 4733 or in the audio', async () => {
    for (const formats of ['8 101', '8']) {
      const from = await phone('PCMA', {}, { formats });
      const inband = formats === '8';
      from.session.onDigit = () => from.session.stopRecording();
      const recording = from.session.record({ maxMs: 8000, silenceMs: 5000 });
      from.say(inband ? inARow(VOICE, silence(100), keyTone('#', 200)) : VOICE);
      from.peer.startAudio();
      await sleep(VOICE.length / 8 + 150);
      if (!inband) await from.peer.sendDigits('#');
      const recorded = samplesOf(await recording);
      expect(likeness(recorded, WORDS).value).toBeGreaterThan(0.95);
      expect(likeness(recorded, keyTone('#', 40)).value).toBeLessThan(0.5);
    }
  });

  it('silence is none; nor is a call that ended before a word', async () => {
    const from = await phone();
    from.peer.startAudio();
    expect(await from.session.record({ maxMs: 600, silenceMs: 300 })).toBeUndefined();
    const cut = from.session.record(LIMITS);
    await from.session.close();
    expect(await cut).toBeUndefined();
  });

  it('hanging up in mid-word ends it with what was said', async () => {
    const from = await phone();
    const recording = from.session.record(LIMITS);
    from.say(VOICE);
    from.peer.startAudio();
    await sleep(VOICE.length / 8 + 60);
    await from.session.close();
    expect(likeness(samplesOf(await recording), WORDS).value).toBeGreaterThan(0.9);
  });

  it('digits and prompts go on while it is recorded', async () => {
    const from = await phone();
    let digits = '';
    from.session.onDigit = ({ digit }) => {
      digits += digit;
    };
    const playing = from.session.play(['digit-3']);
    const recording = recordName(from);
    await from.peer.sendDigits('7', { onMs: 40, gapMs: 40 });
    expect([await playing, digits]).toEqual(['done', '7']);
    await recording;
  });
});

describe('the worker', () => {
  it('dies: the recording ends with nothing, and the next worker plays and records', async () => {
    const boot = new URL('../../../src/media/worker-boot.mjs', import.meta.url);
    const workers: Worker[] = [];
    const parts: MediaParts = {
      ...REAL_PARTS,
      spawn: (workerData) => {
        const worker = new Worker(boot, { workerData, execArgv: [] });
        workers.push(worker);
        return worker;
      },
    };
    const port = createMedia({ ...OPTIONS, ports: { from: 46_150, to: 46_159 } }, parts);
    await port.start();
    cleanUp.push(() => port.stop());
    const from = await phone('PCMA', {}, { port });
    const recording = from.session.record(LIMITS);
    from.say(VOICE);
    from.peer.startAudio();
    await sleep(300);
    await workers[0]?.terminate();
    expect(await recording).toBeUndefined();
    for (let tries = 0; !port.available && tries < 400; tries++) await sleep(50);
    const again = await phone('PCMU', {}, { port });
    const name = await recordName(again);
    expect(await again.session.play([name])).toBe('done');
  });

  it('eighteen recordings at once: every one whole, and the clock for the others keeps time', async () => {
    const listener = await phone();
    const phones = await Promise.all(Array.from({ length: 18 }, () => phone('G722')));
    const first = listener.peer.packets.length;
    const start = performance.now();
    const names = await Promise.all(phones.map((one) => recordName(one)));
    const passed = performance.now() - start;
    const frames = listener.peer.packets.length - first;
    expect(names.every((name) => likeness(samplesOf(name), WORDS).value > 0.9)).toBe(true);
    expect(frames).toBeGreaterThanOrEqual(Math.floor(passed / 20) - 4);
  });
});
