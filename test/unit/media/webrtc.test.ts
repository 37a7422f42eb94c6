import { createHmac, X509Certificate } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { transcoded } from '../../../src/media/codec/transcode.ts';
import { Outgoing } from '../../../src/media/rtp/outgoing.ts';
import { parseRtp, type RtpPacket } from '../../../src/media/rtp/packet.ts';
import { narrowed } from '../../../src/media/sdp/agree.ts';
import { makeOffer, newNegotiation, type Terms, take } from '../../../src/media/sdp/negotiation.ts';
import { fingerprintOf, newIdentity } from '../../../src/media/webrtc/certificate.ts';
import { Reassembly, writeMessage } from '../../../src/media/webrtc/dtls/reassembly.ts';
import { WebTransport } from '../../../src/media/webrtc/transport.ts';

const LINE = 'm=audio 9 UDP/TLS/RTP/SAVPF 111 9 0 8 126';
const MAPS = ['a=rtpmap:111 opus/48000/2', 'a=rtpmap:126 telephone-event/8000'];
const MUX = 'a=rtcp-mux';
const WEB = [
  ...['a=ice-ufrag:EhbY', 'a=ice-pwd:4Rb4kTHd2mkvOY2tnP0YzgO1', 'a=setup:actpass', 'a=mid:0'],
  'a=fingerprint:sha-256 03:25',
];

function sdp(...lines: readonly string[]): string {
  return `${['v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=-', 't=0 0', ...lines].join('\r\n')}\r\n`;
}

function terms(webrtc = true): Terms {
  let next = 1;
  return {
    policy: { srtp: 'optional', inband: 'auto', ipv6: false, webrtc },
    randomBytes: (count) => Buffer.alloc(count, next++),
    fingerprint: () => 'AB:CD',
  };
}

const fresh = newNegotiation({ sessionId: 7, address: '192.0.2.1', port: 36_000 });
const OFFER = sdp(LINE, MUX, ...WEB, ...MAPS, 'a=sendonly');

describe("a browser's description", () => {
  test('is answered with one candidate, our fingerprint, and G.711', () => {
    const answer = take(fresh, OFFER, terms())?.sdp ?? '';
    expect(answer).toContain('m=audio 36000 UDP/TLS/RTP/SAVPF 0 126\r\n');
    expect(answer).toContain('a=candidate:1 1 udp 2130706431 192.0.2.1 36000 typ host\r\n');
    for (const line of ['a=ice-lite', 'a=group:BUNDLE 0', 'a=mid:0', 'a=rtcp-mux', 'a=setup:passive']) {
      expect(answer).toContain(`${line}\r\n`);
    }
    expect(answer).toContain('a=fingerprint:sha-256 AB:CD\r\n');
    expect(answer).toContain('a=recvonly\r\n');
    expect(answer.indexOf('a=ice-lite')).toBeLessThan(answer.indexOf('m=audio'));
    expect(answer).not.toContain('crypto');
  });

  test('may have its transport before all lines, and other lines, which are refused by name', () => {
    const video = ['m=video 9 UDP/TLS/RTP/SAVPF 96', 'a=mid:1', MUX];
    const answer = take(
      fresh,
      sdp(...WEB.slice(0, 3), ...WEB.slice(4), LINE, 'a=mid:a0', MUX, ...MAPS, ...video),
      terms(),
    );
    expect(answer?.sdp).toContain('a=group:BUNDLE a0\r\n');
    expect(answer?.sdp).toContain('m=video 0 UDP/TLS/RTP/SAVPF 96\r\na=mid:1\r\n');
  });

  test.each([
    ['where they are not answered', OFFER, false],
    ['without multiplexing', sdp(LINE, ...WEB, ...MAPS), true],
    ['without a fingerprint', sdp(LINE, MUX, ...WEB.slice(0, 4), ...MAPS), true],
    ['with a fingerprint of an unsafe kind', OFFER.replace('sha-256', 'sha-1'), true],
    ['that wants us to be the client', OFFER.replace('actpass', 'passive'), true],
    ['of Opus alone', OFFER.replace(' 9 0 8', ''), true],
  ])('%s is not acceptable', (_, offer, webrtc) => {
    expect(take(fresh, offer, terms(webrtc))).toBeUndefined();
  });

  test('keeps our credentials on hold, and gets new ones when ICE starts again', () => {
    const known = terms();
    const first = take(fresh, OFFER, known);
    const second = first && take(first, OFFER.replace('sendonly', 'inactive'), known);
    expect(second?.web).toEqual(first?.web);
    const third = second && take(second, OFFER.replace('EhbY', 'Zzzz'), known);
    expect(third?.web?.ufrag).not.toBe(first?.web?.ufrag);
    expect(third?.web?.fingerprint).toBe(first?.web?.fingerprint);
  });

  test('answers an offer of ours, and a plain description does not', () => {
    const offered = makeOffer(fresh, terms(), { toBrowser: true, codecs: ['PCMU'], direction: 'sendonly' });
    expect(offered.sdp).toContain('m=audio 36000 UDP/TLS/RTP/SAVPF 0 101\r\n');
    expect(offered.sdp).toContain('a=setup:actpass\r\n');
    expect(offered.sdp).toContain('a=sendonly\r\n');
    expect(take(offered, OFFER.replace('actpass', 'active'), terms())?.agreed?.web).toBeDefined();
    expect(take(offered, sdp('c=IN IP4 192.0.2.9', 'm=audio 4000 RTP/AVP 0'), terms())).toBeUndefined();
  });
});

test('of two directions what both allow is left', () => {
  expect(narrowed('sendrecv', 'recvonly')).toBe('recvonly');
  expect(narrowed('sendonly', 'recvonly')).toBe('inactive');
  expect(narrowed('sendrecv', 'sendrecv')).toBe('sendrecv');
});

test('a certificate can be read and checked by others', () => {
  const identity = newIdentity(Date.UTC(2026, 0, 1));
  const read = new X509Certificate(identity.certificate);
  expect(read.verify(read.publicKey)).toBe(true);
  expect(read.checkPrivateKey(identity.key)).toBe(true);
  expect(read.fingerprint256).toBe(identity.fingerprint);
  expect(fingerprintOf(identity.certificate, 'sha512')).toBe(read.fingerprint512);
  expect(newIdentity(0).fingerprint).not.toBe(identity.fingerprint);
});

describe('handshake messages', () => {
  const whole = writeMessage({ type: 1, sequence: 0, body: Buffer.from('abcdef') });
  const fragment = (from: number, to: number): Buffer => {
    const header = Buffer.from(whole.subarray(0, 12));
    header.writeUIntBE(from, 6, 3);
    header.writeUIntBE(to - from, 9, 3);
    return Buffer.concat([header, whole.subarray(12 + from, 12 + to)]);
  };

  test('come together out of order, overlapping and twice', () => {
    const parts = new Reassembly();
    expect(parts.push(fragment(3, 6)).messages).toEqual([]);
    expect(parts.push(fragment(3, 5)).messages).toEqual([]);
    expect(parts.push(fragment(0, 4)).messages).toEqual([
      { type: 1, sequence: 0, body: Buffer.from('abcdef') },
    ]);
    expect(parts.push(whole)).toEqual({ messages: [], repeated: true });
  });

  test('that are too long or too far ahead are not kept', () => {
    const parts = new Reassembly();
    const long = Buffer.from(fragment(0, 6));
    long.writeUIntBE(20_000, 1, 3);
    parts.push(long);
    const ahead = Buffer.from(whole);
    ahead.writeUInt16BE(9, 4);
    parts.push(ahead);
    expect(parts.push(whole).messages).toHaveLength(1);
  });
});

describe('a way to us', () => {
  const FROM = { address: '192.0.2.77', port: 5000 };

  function open() {
    const clock = { now: 1_000_000 };
    const sent: Buffer[] = [];
    const ends: string[] = [];
    const transport = new WebTransport({
      now: () => clock.now,
      send: (data) => sent.push(Buffer.from(data)),
      onPath: () => undefined,
      onKeys: () => undefined,
      onEnd: (why) => ends.push(why),
    });
    transport.expect({ ufrag: 'ours', pwd: 'secret' });
    transport.follow({ ufrag: 'theirs', pwd: 'x', fingerprint: { hash: 'sha-256', value: 'AA' } });
    return { clock, sent, ends, transport };
  }

  function check(pwd: string, username = 'ours:theirs'): Buffer {
    const user = Buffer.alloc(4 + Math.ceil(username.length / 4) * 4);
    user.writeUInt16BE(6);
    user.writeUInt16BE(username.length, 2);
    user.write(username, 4);
    const head = Buffer.from('000100002112a442000102030405060708090a0b', 'hex');
    head.writeUInt16BE(user.length + 24, 2);
    const message = Buffer.concat([head, user]);
    const code = createHmac('sha1', pwd).update(message).digest();
    return Buffer.concat([message, Buffer.from('00080014', 'hex'), code]);
  }

  test('is proven with our password only; before that nothing is media', () => {
    const { transport, sent } = open();
    const media = Buffer.alloc(40, 0x80);
    expect(transport.receive(media, FROM)).toBe(false);
    transport.receive(check('guess'), FROM);
    transport.receive(check('secret', 'other:theirs'), FROM);
    expect(sent).toEqual([]);
    transport.receive(check('secret'), FROM);
    expect(sent[0]?.subarray(0, 2).toString('hex')).toBe('0101');
    expect(transport.receive(media, FROM)).toBe(true);
    expect(transport.receive(media, { ...FROM, port: 5001 })).toBe(false);
  });

  test('is asked for briefly: nobody makes us read for long', () => {
    const { transport, sent } = open();
    transport.receive(check('secret', `ours:${'x'.repeat(300)}`), FROM);
    expect(sent).toHaveLength(1);
    transport.receive(check('secret', `ours:${'x'.repeat(1_400)}`), FROM);
    expect(sent).toHaveLength(1);
  });

  test('that is not found in 10 s is given up; nothing is counted before it is watched', () => {
    const { clock, ends, transport } = open();
    clock.now += 60_000;
    transport.tick();
    expect(ends).toEqual([]);
    transport.watch();
    clock.now += 9_999;
    transport.tick();
    expect(ends).toEqual([]);
    clock.now += 1;
    transport.tick();
    transport.tick();
    expect(ends).toEqual(['no way to the browser']);
  });

  test('on which nobody shakes hands in 10 s is given up', () => {
    const { clock, ends, transport } = open();
    transport.watch();
    transport.receive(check('secret'), FROM);
    clock.now += 10_000;
    transport.tick();
    expect(ends).toEqual(['no DTLS with the browser']);
  });

  test('takes any datagram without harm', () => {
    const { transport } = open();
    transport.receive(check('secret'), FROM);
    let seed = 7;
    const random = (): number => {
      seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
      return seed >>> 16;
    };
    for (let i = 0; i < 20_000; i++) {
      const data = Buffer.from(Array.from({ length: random() % 80 }, random));
      if (i % 2 === 0 && data.length > 26) {
        data.write('16fefd0000000000000000', 'hex');
        data.writeUInt16BE(data.length - 13, 11);
      }
      transport.receive(data, FROM);
    }
  });
});

test('a relayed stream is one of ours: gaps stay, late packets go, a new one begins without a jump', () => {
  const sent: RtpPacket[] = [];
  const out = new Outgoing({
    randomBytes: (count) => Buffer.alloc(count, 1),
    send: (data) => sent.push(parseRtp(Buffer.from(data)) as RtpPacket),
    onPlayed: () => undefined,
  });
  const agreed = { codec: 'PCMU', payloadType: 0, direction: 'sendrecv' } as const;
  out.follow(
    {
      ...agreed,
      line: 0,
      events: undefined,
      remote: undefined,
      crypto: undefined,
      web: undefined,
      mid: undefined,
    },
    undefined,
  );
  out.relay(true);
  const to = { address: '192.0.2.1', port: 1 };
  const push = (ssrc: number, seq: number, ts: number): void => {
    const payload = Buffer.from([seq]);
    out.forward({ payloadType: 8, marker: false, seq, ts, ssrc, payload }, payload, { payloadType: 0, to });
  };
  for (const [seq, ts] of [
    [9, 900],
    [10, 1060],
    [12, 1380],
    [11, 1220],
  ] as const)
    push(5, seq, ts);
  push(6, 40_000, 77);
  const [first] = sent;
  expect(sent.map(({ seq }) => seq - (first?.seq ?? 0))).toEqual([0, 1, 3, 4]);
  expect(sent.slice(0, 3).map(({ ts }) => ts - (first?.ts ?? 0))).toEqual([0, 160, 480]);
  expect(new Set(sent.map(({ ssrc }) => ssrc)).size).toBe(1);
  out.tick(to);
  expect(sent).toHaveLength(4);
});

test('one law in the other: silence stays silence', () => {
  expect(transcoded(Buffer.from([0xd5]), 'PCMA', 'PCMU')?.[0]).toBe(0xfe);
  expect(transcoded(Buffer.from([0xff]), 'PCMU', 'PCMA')?.[0]).toBe(0xd5);
  expect(transcoded(Buffer.from([1]), 'G722', 'PCMU')).toBeUndefined();
});
