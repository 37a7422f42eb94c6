import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import {
  CipherContext,
  HashAlgorithm,
  MediaStreamTrack,
  RTCDtlsTransport,
  RTCPeerConnection,
  RTCRtpCodecParameters,
  RtpHeader,
  type RtpPacket,
  SignatureAlgorithm,
} from 'werift';
import { createMedia } from '../../../src/media/create-media.ts';
import { isRefusal, type MediaPort, type MediaRelay, type MediaSession } from '../../../src/media/media.ts';
import { RtpPeer } from '../../support/rtp-peer.ts';
import { eventually } from '../../support/wait.ts';
import { BENCH_OPTIONS, offerOf } from './bench.ts';

/** ICE, DTLS and SRTP against somebody else's (werift), as a browser would use them. */

let media: MediaPort;
const cleanUp: (() => unknown)[] = [];

beforeAll(async () => {
  media = createMedia({ ...BENCH_OPTIONS, webrtc: 'on' });
  await media.start();
});
afterAll(() => media.stop());
afterEach(async () => {
  for (const undo of cleanUp.splice(0).reverse()) await undo();
  expect(media.stats()).toMatchObject({ sessions: 0, relays: 0 });
});

/** A browser's peer connection with one audio line: PCMU and telephone-event. */
class Peer {
  readonly pc = new RTCPeerConnection({
    codecs: {
      audio: [
        new RTCRtpCodecParameters({ mimeType: 'audio/PCMU', clockRate: 8000, channels: 1, payloadType: 0 }),
        new RTCRtpCodecParameters({ mimeType: 'audio/telephone-event', clockRate: 8000, payloadType: 126 }),
      ],
    },
    iceAdditionalHostAddresses: ['127.0.0.1'],
    iceServers: [],
  });
  readonly heard: RtpPacket[] = [];
  #seq = 1;

  constructor() {
    this.pc.addTrack(new MediaStreamTrack({ kind: 'audio' }));
    cleanUp.push(() => this.pc.close());
  }

  /** Its tracks would have their own idea of payload types. */
  get #transport(): RTCDtlsTransport {
    return this.pc.dtlsTransports[0] as RTCDtlsTransport;
  }

  private listen(): void {
    this.#transport.onRtp.subscribe((rtp) => this.heard.push(rtp));
  }

  async offer(): Promise<string> {
    await this.pc.setLocalDescription(await this.pc.createOffer());
    this.listen();
    return this.pc.localDescription?.sdp ?? '';
  }

  async answer(sdp: string): Promise<string> {
    await this.pc.setRemoteDescription({ type: 'offer', sdp });
    await this.pc.setLocalDescription(await this.pc.createAnswer());
    this.listen();
    return this.pc.localDescription?.sdp ?? '';
  }

  take(sdp: string): Promise<void> {
    return this.pc.setRemoteDescription({ type: 'answer', sdp });
  }

  async speak(frames: number, byte: number): Promise<void> {
    for (let i = 0; i < frames; i++) {
      this.send(0, Buffer.alloc(160, byte), this.#seq * 160);
      await sleep(20);
    }
  }

  async press(code: number): Promise<void> {
    const ts = this.#seq * 160;
    for (let duration = 160; duration <= 800; duration += 160) {
      this.send(126, Buffer.from([code, duration === 800 ? 0x8a : 0x0a, duration >> 8, duration & 255]), ts);
      await sleep(20);
    }
  }

  private send(payloadType: number, payload: Buffer, timestamp: number): void {
    const header = new RtpHeader({ payloadType, sequenceNumber: this.#seq++, timestamp, ssrc: 7 });
    this.#transport.sendRtp(payload, header).catch(() => undefined);
  }

  get isConnected(): boolean {
    return this.pc.connectionState === 'connected';
  }
}

async function talk(peer: Peer, edit = (sdp: string): string => sdp): Promise<MediaSession> {
  const session = await media.open({ callId: 'c', peer: '127.0.0.1', offer: edit(await peer.offer()) });
  if (isRefusal(session)) throw new Error(session.refused);
  cleanUp.push(() => session.close());
  await peer.take(session.localSdp);
  return session;
}

async function relay(): Promise<MediaRelay> {
  const opened = await media.relay();
  if (isRefusal(opened)) throw new Error(opened.refused);
  cleanUp.push(() => opened.close());
  return opened;
}

test('a browser hears prompts, and its keys are heard', async () => {
  const peer = new Peer();
  let digits = '';
  const session = await talk(peer);
  session.onDigit = ({ digit }) => {
    digits += digit;
  };
  await eventually('a connection', () => peer.isConnected, 5_000);
  expect(await session.play(['digit-1'])).toBe('done');
  await eventually('the prompt', () => peer.heard.some(({ payload }) => new Set(payload).size > 8));
  await peer.press(4);
  await peer.press(11);
  await eventually('both keys', () => digits === '4#');
  expect(media.stats().srtpRefused).toBe(0);
});

test('another certificate than the one of the SDP gets no keys', async () => {
  const peer = new Peer();
  const wrong = (sdp: string): string =>
    sdp.replace(/(a=fingerprint:sha-256 )(..)/g, (_, name, byte) => `${name}${byte === '00' ? '01' : '00'}`);
  const session = await talk(peer, wrong);
  let why: string | undefined;
  session.onClosed = (text) => {
    why = text;
  };
  await eventually('the end', () => why !== undefined, 5_000);
  expect(why).toBe('certificate is not the one of the SDP');
});

test("somebody else's certificate without its key gets no keys", async () => {
  const make = () =>
    CipherContext.createSelfSignedCertificateWithKey(
      { signature: SignatureAlgorithm.ecdsa_3, hash: HashAlgorithm.sha256_4 },
      23,
    );
  const [seen, own] = [await make(), await make()];
  const before = RTCDtlsTransport.localCertificate;
  cleanUp.push(() => {
    if (before) RTCDtlsTransport.localCertificate = before;
  });
  const certificate = await RTCDtlsTransport.SetupCertificate();
  RTCDtlsTransport.localCertificate = Object.assign(Object.create(certificate), {
    certPem: seen.certPem,
    privateKey: own.keyPem,
  });
  const session = await talk(new Peer());
  let why: string | undefined;
  session.onClosed = (text) => {
    why = text;
  };
  await eventually('the end', () => why !== undefined, 5_000);
  expect(why).toBe('browser could not prove its certificate');
});

test('from a browser to an ordinary phone: audio both ways, in the law of each, and keys', async () => {
  const [peer, between] = [new Peer(), await relay()];
  const phone = await RtpPeer.open(0, {});
  cleanUp.push(() => phone.close());
  const offer = await between.pass('offer', 'plain', await peer.offer());
  expect(offer).toMatch(/m=audio \d+ RTP\/AVP 0 8 101\r\n/);
  phone.sendTo(offer ?? '');
  const answer = await between.pass('answer', 'web', offerOf(phone, '8 101'));
  await peer.take(answer ?? '');
  between.watch();
  phone.startAudio();
  await eventually('a connection', () => peer.isConnected, 5_000);
  await peer.speak(10, 0xff);
  expect(phone.packets.at(-1)).toMatchObject({ payloadType: 8, payload: Buffer.alloc(160, 0xd5) });
  await peer.press(4);
  await eventually('the key', () => phone.packets.some(({ payloadType }) => payloadType === 101));
  await eventually('the phone', () =>
    peer.heard.some(({ payload }) => payload.every((byte) => byte === 0xfe)),
  );
  expect(peer.heard.every(({ header }) => header.payloadType === 0)).toBe(true);
});

test('from an ordinary phone to a browser, which is asked for the same codec', async () => {
  const [peer, between] = [new Peer(), await relay()];
  const phone = await RtpPeer.open(0, {});
  cleanUp.push(() => phone.close());
  const offer = await between.pass('offer', 'web', offerOf(phone, '8 0 101'));
  expect(offer).toMatch(/m=audio \d+ UDP\/TLS\/RTP\/SAVPF 8 0 101\r\n/);
  const answer = await between.pass('answer', 'plain', await peer.answer(offer ?? ''));
  phone.sendTo(answer ?? '');
  await eventually('a connection', () => peer.isConnected, 5_000);
  await peer.speak(10, 0x2a);
  await eventually('the browser', () => phone.packets.length > 5);
});

test('hold goes through a relay, and what was refused changes nothing', async () => {
  const [peer, between] = [new Peer(), await relay()];
  const phone = await RtpPeer.open(0, {});
  cleanUp.push(() => phone.close());
  await between.pass('offer', 'plain', await peer.offer());
  await peer.take((await between.pass('answer', 'web', offerOf(phone, '0 101'))) ?? '');
  const held = offerOf(phone, '0 101').replace(/a=sendrecv|$/, 'a=sendonly\r\n');
  expect(await between.pass('offer', 'web', held)).toContain('a=sendonly');
  expect(await between.pass('offer', 'plain', 'v=0\r\n')).toBeUndefined();
  expect(await between.pass('offer', 'web', offerOf(phone, '0 101'))).toContain('a=sendrecv');
});

test('without browsers allowed there is no relay, and their offers are not acceptable', async () => {
  const plain = createMedia(BENCH_OPTIONS);
  await plain.start();
  cleanUp.push(() => plain.stop());
  expect(await plain.relay()).toEqual({ refused: 'notAcceptable' });
  const offer = await new Peer().offer();
  expect(await plain.open({ callId: 'c', peer: '127.0.0.1', offer })).toEqual({ refused: 'notAcceptable' });
});
