import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Clip, makeClip, SILENCE } from '../../../src/media/codec/codecs.ts';
import { createMedia } from '../../../src/media/create-media.ts';
import { isRefusal, type MediaOptions, type MediaPort, type MediaSession } from '../../../src/media/media.ts';
import { readWav } from '../../../src/media/prompts/wav.ts';
import { SrtpReceiver, SrtpSender } from '../../../src/media/rtp/srtp.ts';
import { RtpPeer, type RtpPeerOptions } from '../../support/rtp-peer.ts';
import { BENCH_OPTIONS, offerOf, PROMPTS } from './bench.ts';

/** The whole media side, worker thread and sockets included, against a phone's RTP over loopback. */

const problems: string[] = [];
const OPTIONS: MediaOptions = { ...BENCH_OPTIONS, onProblem: (text) => problems.push(text) };

function clip(id: string): Clip {
  const sound = readWav(readFileSync(`${PROMPTS}en-GB/${id}.wav`));
  if ('wrong' in sound) throw new Error(sound.wrong);
  return makeClip(sound.samples, sound.rate);
}

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

async function newPeer(options: RtpPeerOptions = {}): Promise<RtpPeer> {
  const peer = await RtpPeer.open(0, options);
  cleanUp.push(() => peer.close());
  return peer;
}

async function open(offer: string | undefined, peer = '127.0.0.1', port = media): Promise<MediaSession> {
  const session = await port.open({ callId: 'c', peer, ...(offer === undefined ? {} : { offer }) });
  if (isRefusal(session)) throw new Error(session.refused);
  cleanUp.push(() => session.close());
  return session;
}

interface Phone {
  peer: RtpPeer;
  session: MediaSession;
  digits: () => string;
}

/** A phone in a call, already sending and listening. */
async function phone(formats = '8 101', options: RtpPeerOptions = {}): Promise<Phone> {
  const peer = await newPeer(options);
  const session = await open(offerOf(peer, formats));
  peer.sendTo(session.localSdp);
  let heard = '';
  session.onDigit = ({ digit }) => {
    heard += digit;
  };
  return { peer, session, digits: () => heard };
}

async function until(condition: () => boolean, withinMs = 5000): Promise<void> {
  const end = Date.now() + withinMs;
  while (!condition()) {
    if (Date.now() > end) throw new Error('it never came to be');
    await sleep(5);
  }
}

const payloads = (peer: RtpPeer): Buffer => peer.received;

describe('prompts', () => {
  it.each([
    ['PCMA', '8 101', 8],
    ['PCMU', '0 101', 0],
    ['G722', '9 101', 9],
  ] as const)('%s: what is heard is the clip, byte for byte', async (codec, formats, type) => {
    const { peer, session } = await phone(formats);
    expect(await session.play(['digit-1', 'goodbye'])).toBe('done');
    await sleep(60);
    const [one, two] = [clip('digit-1'), clip('goodbye')];
    const heard = payloads(peer);
    const whole = Buffer.concat([one.data[codec], two.data[codec], SILENCE[codec]]);
    const at = heard.indexOf(whole);
    expect(at).toBeGreaterThanOrEqual(10 * 160);
    expect(heard.subarray(0, at).equals(Buffer.alloc(at, SILENCE[codec]))).toBe(true);
    expect(peer.packets.every((packet) => packet.payloadType === type)).toBe(true);
  });

  it('one packet per 20 ms for every call: none missing, none doubled', async () => {
    const phones = await Promise.all(Array.from({ length: 10 }, () => phone()));
    await Promise.all(phones.map(({ session }) => session.play(['enter-extension'])));
    const frames = clip('enter-extension').frames;
    for (const { peer } of phones) {
      await peer.heard(10 + frames);
      const first = peer.packets[0]?.seq as number;
      expect(peer.packets.every((packet, i) => packet.seq === ((first + i) & 0xffff))).toBe(true);
    }
    const sent = phones.map(({ peer }) => peer.packets.length);
    expect(Math.max(...sent) - Math.min(...sent)).toBeLessThanOrEqual(8);
  });

  it('does not stutter when the main thread stalls', async () => {
    const { peer, session } = await phone();
    await peer.heard(5);
    const before = media.stats().packetsSent;
    const start = performance.now();
    while (performance.now() - start < 400); // busy, on purpose
    const passed = performance.now() - start;
    await sleep(20);
    expect(media.stats().packetsSent - before).toBeGreaterThanOrEqual(Math.floor(passed / 20) - 4);
    session.stop();
  });

  it('barge-in: stop cuts it off, and a new play replaces it', async () => {
    const { peer, session } = await phone();
    const long = session.play(['service-problem']);
    await peer.heard(20);
    session.stop();
    expect(await long).toBe('stopped');
    const stopped = peer.packets.length;
    await peer.heard(stopped + 10);
    const tail = peer.packets.slice(stopped + 4);
    expect(tail.every((packet) => packet.payload.equals(SILENCE.PCMA))).toBe(true);
    const next = session.play(['digit-2']);
    expect(await next).toBe('done');
    await sleep(40);
    expect(payloads(peer).indexOf(clip('digit-2').data.PCMA)).toBeGreaterThan(0);
  });

  it('an unknown prompt is told of and passed over', async () => {
    const { session } = await phone();
    expect(await session.play(['no-such-prompt', 'digit-1'])).toBe('done');
    expect(problems).toContain('there are no such prompts');
  });

  it('hold: nothing comes, the prompt waits, and goes on whole', async () => {
    const { peer, session } = await phone();
    const playing = session.play(['not-logged-in']);
    await peer.heard(25);
    expect(await session.renegotiate(offerOf(peer, '8 101', 'a=sendonly\r\n'))).toContain('a=recvonly');
    await sleep(60);
    const held = peer.packets.length;
    await sleep(200);
    expect(peer.packets.length).toBe(held);
    expect(await session.renegotiate(offerOf(peer))).toContain('a=sendrecv');
    expect(await playing).toBe('done');
    await sleep(40);
    expect(payloads(peer).indexOf(clip('not-logged-in').data.PCMA)).toBeGreaterThan(0);
  });
});

describe('digits', () => {
  it.each([
    ['VVX, type 127, soft-key burst', '0 127', '1001#583914#', { onMs: 50, gapMs: 50, payloadType: 127 }],
    ['by hand', '8 101', '999#', { onMs: 120, gapMs: 200 }],
  ])('RFC 4733: %s', async (_, formats, keys, timing) => {
    const { peer, digits } = await phone(formats);
    peer.startAudio();
    await peer.sendDigits(keys, timing);
    await until(() => digits().length >= keys.length);
    expect(digits()).toBe(keys);
  });

  it('from the first packet of the call, kept until somebody listens', async () => {
    const peer = await newPeer();
    const session = await open(offerOf(peer));
    peer.sendTo(session.localSdp);
    await peer.sendDigits('1001#', { onMs: 40, gapMs: 40 });
    await sleep(50);
    let heard = '';
    session.onDigit = ({ digit }) => {
      heard += digit;
    };
    expect(heard).toBe('1001#');
  });

  it('20 % of the packets lost: every digit once', async () => {
    let n = 0;
    const { peer, digits } = await phone('8 101', { lose: () => n++ % 5 === 2 });
    await peer.sendDigits('1002#274961#', { onMs: 60, gapMs: 40 });
    await sleep(50);
    expect(digits()).toBe('1002#274961#');
  });

  it('INFO and RFC 4733 for the same presses: each once', async () => {
    const { peer, session, digits } = await phone();
    for (const key of '1001#') {
      expect(session.info('application/dtmf-relay', `Signal=${key}\r\nDuration=160\r\n`)).toBe(true);
      await peer.sendDigits(key, { onMs: 40, gapMs: 40 });
    }
    await sleep(50);
    expect(digits()).toBe('1001#');
  });

  it('tones in the audio, only where no telephone-event was offered', async () => {
    const tones = Buffer.concat([...'1001#'].flatMap((key) => [toneOf(key), Buffer.alloc(640, 0xd5)]));
    const [without, withEvents] = [await phone('8'), await phone('8 101')];
    for (const one of [without, withEvents]) {
      one.peer.say(tones);
      one.peer.startAudio();
    }
    await until(() => without.peer.saidAll && withEvents.peer.saidAll);
    await sleep(100);
    expect([without.digits(), withEvents.digits()]).toEqual(['1001#', '']);
  });

  it('while we are held', async () => {
    const { peer, session, digits } = await phone();
    await session.renegotiate(offerOf(peer, '8 101', 'a=inactive\r\n'));
    await peer.sendDigits('7', { onMs: 40, gapMs: 40 });
    await until(() => digits() !== '');
    expect(digits()).toBe('7');
  });
});

describe('who is believed', () => {
  it('a phone that sends from another address than its SDP says is followed there', async () => {
    const peer = await newPeer({ address: '127.0.0.2' });
    const session = await open(offerOf(await newPeer()));
    peer.sendTo(session.localSdp);
    peer.startAudio();
    await peer.heard(10);
    expect(peer.packets.length).toBeGreaterThanOrEqual(10);
  });

  it('after the first packet nobody injects digits', async () => {
    const { peer, session, digits } = await phone();
    peer.startAudio();
    const before = media.stats().packetsReceived;
    await until(() => media.stats().packetsReceived > before);
    const attacker = await newPeer({ address: '127.0.0.3' });
    attacker.sendTo(session.localSdp);
    const refused = media.stats().sourcesRefused;
    await attacker.sendDigits('666', { onMs: 40, gapMs: 20 });
    await peer.sendDigits('1', { onMs: 40, gapMs: 40 });
    await until(() => digits() !== '');
    expect(digits()).toBe('1');
    expect(media.stats().sourcesRefused - refused).toBeGreaterThanOrEqual(9);
    expect(attacker.packets).toHaveLength(0);
  });

  it('rubbish of every kind does no harm', async () => {
    const { peer, digits } = await phone();
    for (let length = 0; length < 200; length += 3) {
      peer.sendRaw(Buffer.alloc(length, length));
      peer.sendRaw(Buffer.concat([Buffer.from([0x9f, 101]), Buffer.alloc(length, 0xff)]));
    }
    await peer.sendDigits('5', { onMs: 40, gapMs: 40 });
    await until(() => digits() !== '');
    expect(digits()).toBe('5');
  });
});

describe('calls come and go', () => {
  it('tells of a phone that sends nothing, not while held', async () => {
    const { peer, session } = await phone();
    let silent = 0;
    session.onSilent = () => silent++;
    await session.renegotiate(offerOf(peer, '8 101', 'a=sendonly\r\n'));
    await sleep(500);
    expect(silent).toBe(0);
    await session.renegotiate(offerOf(peer));
    await until(() => silent === 1, 3000);
  });

  it('late offer: ours goes out, the answer in the ACK starts the audio', async () => {
    const session = await open(undefined);
    expect(session.localSdp).toMatch(/^m=audio \d+ RTP\/AVP 8 0 9 101\r$/m);
    const peer = await newPeer();
    expect(await session.renegotiate(offerOf(peer, '0 101'))).toBe(session.localSdp);
    await peer.heard(5);
    expect(peer.packets[0]?.payloadType).toBe(0);
  });

  it('re-INVITE without SDP: an offer of ours with the same port', async () => {
    const { peer, session } = await phone('8 101');
    const before = /^m=audio (\d+)/m.exec(session.localSdp)?.[1];
    const offer = await session.reoffer();
    expect(offer).toMatch(new RegExp(`^m=audio ${before} RTP/AVP 8 0 9 101\r$`, 'm'));
    expect(await session.renegotiate(offerOf(peer, '0 101'))).toBe(offer);
    const count = peer.packets.length;
    await peer.heard(count + 5);
    expect(peer.packets.at(-1)?.payloadType).toBe(0);
  });

  it('a refused re-INVITE leaves the call as it was', async () => {
    const { peer, session } = await phone();
    const before = session.localSdp;
    expect(await session.renegotiate(offerOf(peer, '18'))).toBeUndefined();
    expect(session.localSdp).toBe(before);
    const count = peer.packets.length;
    await peer.heard(count + 5);
  });

  it('refuses what it cannot speak, and gives the port back', async () => {
    const peer = await newPeer();
    for (let i = 0; i < 30; i++) {
      expect(await media.open({ callId: 'c', offer: offerOf(peer, '18'), peer: '127.0.0.1' })).toEqual({
        refused: 'notAcceptable',
      });
    }
    await open(offerOf(peer));
  });

  it('even ports, one per call; all used up is a refusal; closing gives them back', async () => {
    const peer = await newPeer();
    const sessions = await Promise.all(Array.from({ length: 20 }, () => open(offerOf(peer))));
    const ports = sessions.map((one) => Number(/^m=audio (\d+)/m.exec(one.localSdp)?.[1]));
    expect([...ports].sort()).toEqual(Array.from({ length: 20 }, (_, i) => 46_000 + 2 * i));
    expect(media.stats().sessions).toBe(20);
    expect(await media.open({ callId: 'c', offer: offerOf(peer), peer: '127.0.0.1' })).toEqual({
      refused: 'noPorts',
    });
    await sessions[7]?.close();
    const next = await open(offerOf(peer));
    expect(next.localSdp).toContain(`m=audio ${ports[7]} `);
    await Promise.all(sessions.map((one) => one.close()));
    expect(media.stats().sessions).toBe(1);
  });

  it('a port somebody else has is passed over', async () => {
    const taken = await RtpPeer.open(46_050);
    cleanUp.push(() => taken.close());
    const small = createMedia({ ...OPTIONS, ports: { from: 46_049, to: 46_052 } });
    await small.start();
    cleanUp.push(() => small.stop());
    const session = await open(offerOf(await newPeer()), '127.0.0.1', small);
    expect(session.localSdp).toContain('m=audio 46052 ');
  });
});

describe('SRTP', () => {
  it('prompts and digits, encrypted both ways', async () => {
    const peer = await newPeer();
    const theirs = Buffer.alloc(30, 9);
    const line = `a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${theirs.toString('base64')}\r\n`;
    const session = await open(offerOf(peer, '8 101', line).replace('RTP/AVP', 'RTP/SAVP'));
    const ours = Buffer.from(/inline:(\S+)/.exec(session.localSdp)?.[1] ?? '', 'base64');
    peer.sendTo(session.localSdp);
    await session.play(['digit-3']);
    await sleep(40);
    const receiver = new SrtpReceiver(ours, 'AES_CM_128_HMAC_SHA1_80');
    const heard = peer.packets.map(({ seq, ts, ssrc, marker, payloadType, payload }) => {
      const data = Buffer.concat([
        Buffer.from([0x80, (marker ? 0x80 : 0) | payloadType]),
        Buffer.alloc(10),
        payload,
      ]);
      data.writeUInt16BE(seq, 2);
      data.writeUInt32BE(ts, 4);
      data.writeUInt32BE(ssrc, 8);
      return receiver.open(data)?.subarray(12) ?? Buffer.from('refused');
    });
    expect(Buffer.concat(heard).indexOf(clip('digit-3').data.PCMA)).toBeGreaterThan(0);
    const event = Buffer.concat([
      Buffer.from([0x80, 101, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2, 4, 0x8a, 1, 0]),
      Buffer.alloc(10),
    ]);
    new SrtpSender(theirs, 'AES_CM_128_HMAC_SHA1_80').protect(event, 16, 12);
    let digits = '';
    session.onDigit = ({ digit }) => {
      digits += digit;
    };
    peer.sendRaw(event.subarray(0, 16)); // without its tag: refused
    peer.sendRaw(event);
    await until(() => digits !== '');
    expect(digits).toBe('4');
  });
});

/** 80 ms of a key's two tones, A-law. */
function toneOf(key: string): Buffer {
  const rows = [697, 770, 852, 941];
  const columns = [1209, 1336, 1477];
  const at = '123456789*0#'.indexOf(key);
  const samples = Int16Array.from({ length: 640 }, (_, n) => {
    const wave = (hz = 0): number => 6000 * Math.sin((2 * Math.PI * hz * n) / 8000);
    return wave(rows[Math.floor(at / 3)]) + wave(columns[at % 3]);
  });
  return makeClip(samples, 8000).data.PCMA;
}
