import { parse } from 'sdp-transform';
import { describe, expect, it } from 'vitest';
import type { Policy } from '../../../src/media/sdp/agree.ts';
import {
  makeOffer,
  type Negotiation,
  newNegotiation,
  type Terms,
  take,
} from '../../../src/media/sdp/negotiation.ts';

const LOCAL = { sessionId: 77, address: '192.0.2.1', port: 36_000 };
const KEY_A = Buffer.alloc(30, 1).toString('base64');
const KEY_B = Buffer.alloc(30, 2).toString('base64');

function terms(policy: Partial<Policy> = {}): Terms {
  let next = 100;
  return {
    policy: { srtp: 'optional', inband: 'auto', ipv6: false, ...policy },
    randomBytes: (count) => Buffer.alloc(count, next++),
  };
}

function sdp(media: string | readonly string[], session = 'c=IN IP4 198.51.100.9\r\nt=0 0\r\n'): string {
  const lines = [media].flat().join('\r\n');
  return `v=0\r\no=- 1 1 IN IP4 198.51.100.9\r\ns=x\r\n${session}${lines}\r\n`;
}

function answer(offer: string, policy: Partial<Policy> = {}): Negotiation | undefined {
  return take(newNegotiation(LOCAL), offer, terms(policy));
}

/** The audio line that was taken, and all lines' ports, of what we answered. */
function read(state: Negotiation | undefined): {
  payloads: string;
  ports: number[];
  direction: string | undefined;
  text: string;
} {
  const parsed = parse(state?.sdp ?? '');
  const taken = parsed.media.find((line) => line.port !== 0);
  return {
    payloads: String(taken?.payloads),
    ports: parsed.media.map((line) => line.port),
    direction: taken?.direction,
    text: state?.sdp ?? '',
  };
}

const VVX = `v=0\r
o=- 1553686678 1553686678 IN IP4 192.0.2.10\r
s=Polycom IP Phone\r
c=IN IP4 192.0.2.10\r
t=0 0\r
a=sendrecv\r
m=audio 2230 RTP/AVP 9 0 8 18 127\r
a=rtpmap:9 G722/8000\r
a=rtpmap:0 PCMU/8000\r
a=rtpmap:8 PCMA/8000\r
a=rtpmap:18 G729/8000\r
a=fmtp:18 annexb=no\r
a=rtpmap:127 telephone-event/8000\r
`;

describe('answering an offer', () => {
  it('VVX: G.722, telephone-event 127 echoed without its fmtp', () => {
    const state = answer(VVX);
    expect(read(state).payloads).toBe('9 127');
    expect(state?.sdp).toContain('a=rtpmap:127 telephone-event/8000\r\na=fmtp:127 0-15\r\n');
    expect(state?.agreed?.remote).toEqual({ address: '192.0.2.10', port: 2230 });
    expect(state?.eventTypes).toEqual([127]);
  });

  it('writes one whole answer, byte for byte', () => {
    expect(answer(VVX)?.sdp).toBe(
      'v=0\r\no=hotdesk 77 1 IN IP4 192.0.2.1\r\ns=Hotdesk\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n' +
        'm=audio 36000 RTP/AVP 9 127\r\na=rtpmap:9 G722/8000\r\na=rtpmap:127 telephone-event/8000\r\n' +
        'a=fmtp:127 0-15\r\na=ptime:20\r\na=sendrecv\r\n',
    );
  });

  it('VVX with video: the video line is refused with port 0', () => {
    const offer = sdp([
      'm=audio 2230 RTP/AVP 9 102 0 8 18 127',
      'a=rtpmap:102 G7221/16000',
      'a=rtpmap:127 telephone-event/8000',
      'm=video 2232 RTP/AVP 109 34',
      'a=rtpmap:109 H264/90000',
    ]);
    expect(read(answer(offer))).toMatchObject({ payloads: '9 127', ports: [36_000, 0] });
    expect(answer(offer)?.sdp).toContain('m=video 0 RTP/AVP 109\r\n');
  });

  it.each([
    [
      'opus, te/48000, PCMA, te/8000',
      ['111 110 8 126', '111 opus/48000/2', '110 telephone-event/48000', '126 telephone-event/8000'],
      '8 126',
    ],
    ['static types without rtpmap', ['0 8 101', '101 telephone-event/8000'], '0 101'],
    ['order of the offer', ['8 0 101', '101 telephone-event/8000'], '8 101'],
    ['names without case', ['97 8 98', '97 pcmu/8000', '98 Telephone-Event/8000'], '97 98'],
    ['no events: G.711 before G.722, so that tones can be heard', ['9 0'], '0'],
    ['no events, G.722 alone', ['9'], '9'],
    ['stereo PCMU is not PCMU', ['97 8 101', '97 PCMU/8000/2', '101 telephone-event/8000'], '8 101'],
    [
      'a static number mapped to something else',
      ['8 0 101', '8 speex/8000', '101 telephone-event/8000'],
      '0 101',
    ],
    ['events outside 96–127 are none', ['0 95', '95 telephone-event/8000'], '0'],
  ])('%s', (_, [formats, ...maps], expected) => {
    const offer = sdp([`m=audio 4000 RTP/AVP ${formats}`, ...maps.map((map) => `a=rtpmap:${map}`)]);
    expect(read(answer(offer)).payloads).toBe(expected);
  });

  it('keeps G.722 first when tones are never listened for', () => {
    expect(read(answer(sdp('m=audio 4000 RTP/AVP 9 0'), { inband: 'never' })).payloads).toBe('9');
  });

  it.each([
    ['0-15', '0-15'],
    ['0-16', '0-15'],
    ['0-15,66,70', '0-15'],
    ['0-11', '0-11'],
    ['0-9,10,11', '0-11'],
    ['0-159', '0-11'],
  ])('fmtp %s is answered %s', (offered, expected) => {
    const offer = sdp([
      'm=audio 4 RTP/AVP 8 101',
      'a=rtpmap:101 telephone-event/8000',
      `a=fmtp:101 ${offered}`,
    ]);
    expect(answer(offer)?.sdp).toContain(`a=fmtp:101 ${expected}\r\n`);
  });

  it.each([
    ['G.729 only', 'm=audio 4 RTP/AVP 18 101'],
    ['video only', 'm=video 4 RTP/AVP 34'],
    ['port 0', 'm=audio 0 RTP/AVP 8'],
    ['DTLS', 'm=audio 4 UDP/TLS/RTP/SAVPF 8'],
    ['TCP', 'm=audio 4 TCP/RTP/AVP 8'],
    ['SAVP without a key', 'm=audio 4 RTP/SAVP 8'],
    ['a host name', ['m=audio 4 RTP/AVP 8', 'c=IN IP4 phone.example']],
    ['multicast', ['m=audio 4 RTP/AVP 8', 'c=IN IP4 239.1.2.3/127']],
    ['the other IP family', ['m=audio 4 RTP/AVP 8', 'c=IN IP6 2001:db8::1']],
    ['a line that cannot be read', ['m=audio 4 RTP/AVP 8', 'm=???']],
    ['no media', 'a=tool:x'],
  ])('%s is not acceptable', (_, media) => {
    expect(answer(sdp(media))).toBeUndefined();
  });

  it.each(['', 'v=0', 'hello', 'v=0\r\n'.repeat(5000), 'm=audio 4 RTP/AVP 8'])('%.20j is not SDP', (text) => {
    expect(answer(text)).toBeUndefined();
  });

  it('takes an IPv6 offer on an IPv6 socket', () => {
    const offer = sdp('m=audio 4 RTP/AVP 8', 'c=IN IP6 2001:db8::1\r\nt=0 0\r\n');
    const state = take(newNegotiation({ ...LOCAL, address: '2001:db8::9' }), offer, terms({ ipv6: true }));
    expect(state?.sdp).toContain('c=IN IP6 2001:db8::9\r\n');
  });

  it('media level c= and direction win over session level', () => {
    const offer = sdp(
      ['m=audio 4 RTP/AVP 8', 'c=IN IP4 203.0.113.5', 'a=sendonly'],
      'c=IN IP4 192.0.2.2\r\nt=0 0\r\na=recvonly\r\n',
    );
    expect(answer(offer)?.agreed).toMatchObject({
      remote: { address: '203.0.113.5' },
      direction: 'recvonly',
    });
  });

  it('takes AVPF and echoes it', () => {
    expect(answer(sdp('m=audio 4 RTP/AVPF 8'))?.sdp).toContain('m=audio 36000 RTP/AVPF 8\r\n');
  });
});

describe('SRTP', () => {
  const crypto = (rest: string): string => `a=crypto:${rest}`;
  const two = sdp([
    'm=audio 4 RTP/AVP 8',
    'm=audio 6 RTP/SAVP 8',
    crypto(`1 AES_CM_128_HMAC_SHA1_80 inline:${KEY_A}`),
  ]);
  const best = sdp(['m=audio 4 RTP/AVP 8', crypto(`1 AES_CM_128_HMAC_SHA1_80 inline:${KEY_A}`)]);
  const plain = sdp('m=audio 4 RTP/AVP 8');

  it('AVP and SAVP: the secure line, with off the reverse', () => {
    expect(read(answer(two)).ports).toEqual([0, 36_000]);
    expect(answer(two)?.sdp).toContain(
      `a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${Buffer.alloc(30, 100).toString('base64')}`,
    );
    expect(read(answer(two, { srtp: 'off' })).ports).toEqual([36_000, 0]);
    expect(answer(two, { srtp: 'off' })?.sdp).not.toContain('a=crypto');
  });

  it('plain AVP with required is refused, and so is AVP with a crypto attribute', () => {
    expect(answer(plain, { srtp: 'required' })).toBeUndefined();
    expect(answer(best, { srtp: 'required' })).toBeUndefined();
  });

  it('AVP with a crypto attribute is answered as plain AVP', () => {
    for (const srtp of ['off', 'optional'] as const) {
      expect(answer(best, { srtp })?.sdp).toContain('RTP/AVP 8');
      expect(answer(best, { srtp })?.sdp).not.toContain('crypto');
    }
  });

  it('passes over MKI, takes a lifetime', () => {
    const offer = sdp([
      'm=audio 6 RTP/SAVP 8',
      crypto(`1 AES_CM_128_HMAC_SHA1_80 inline:${KEY_A}|2^20|1:4`),
      crypto(`2 AES_CM_128_HMAC_SHA1_32 inline:${KEY_B}|2^31`),
    ]);
    expect(answer(offer)?.agreed?.crypto).toMatchObject({ tag: 2, suite: 'AES_CM_128_HMAC_SHA1_32' });
    expect(answer(offer)?.sdp).toContain('a=crypto:2 AES_CM_128_HMAC_SHA1_32 inline:');
  });

  it.each([
    `1 AES_256_CM_HMAC_SHA1_80 inline:${Buffer.alloc(46, 1).toString('base64')}`,
    `1 AEAD_AES_128_GCM inline:${KEY_A}`,
    `1 AES_CM_128_HMAC_SHA1_80 inline:${Buffer.alloc(16).toString('base64')}`,
    `1 AES_CM_128_HMAC_SHA1_80 inline:${KEY_A} UNENCRYPTED_SRTP`,
    `1 toString inline:${KEY_A}`,
  ])('%.50s is not acceptable', (line) => {
    expect(answer(sdp(['m=audio 6 RTP/SAVP 8', crypto(line)]))).toBeUndefined();
  });

  it('keeps our key while theirs stays, makes a new one with a new one of theirs', () => {
    const offer = (key: string): string =>
      sdp(['m=audio 6 RTP/SAVP 8', crypto(`1 AES_CM_128_HMAC_SHA1_80 inline:${key}`)]);
    const shared = terms();
    const first = take(newNegotiation(LOCAL), offer(KEY_A), shared) as Negotiation;
    const same = take(first, offer(KEY_A), shared) as Negotiation;
    const other = take(same, offer(KEY_B), shared) as Negotiation;
    expect(same.crypto?.master).toEqual(first.crypto?.master);
    expect(other.crypto?.master).not.toEqual(first.crypto?.master);
  });
});

describe('hold and re-INVITE', () => {
  const base = (attribute: string, c = '198.51.100.9'): string =>
    sdp(['m=audio 4000 RTP/AVP 8', attribute], `c=IN IP4 ${c}\r\nt=0 0\r\n`);

  it.each([
    ['a=sendrecv', 'sendrecv'],
    ['a=sendonly', 'recvonly'],
    ['a=recvonly', 'sendonly'],
    ['a=inactive', 'inactive'],
  ])('%s is answered %s', (offered, answered) => {
    expect(read(answer(base(offered))).direction).toBe(answered);
  });

  it('the old hold, c=0.0.0.0, is inactive and has nowhere to send', () => {
    const state = answer(base('a=sendrecv', '0.0.0.0'));
    expect(read(state).direction).toBe('inactive');
    expect(state?.agreed?.remote).toBeUndefined();
  });

  it('same session id and port, version up by one in every answer', () => {
    const first = answer(base('a=sendrecv')) as Negotiation;
    const second = take(first, base('a=sendonly'), terms()) as Negotiation;
    expect(parse(second.sdp).origin).toMatchObject({ sessionId: 77, sessionVersion: 2 });
    expect(parse(second.sdp).media[0]?.port).toBe(36_000);
  });

  it('a refused re-INVITE leaves the state as it was', () => {
    const first = answer(base('a=sendrecv')) as Negotiation;
    expect(take(first, sdp('m=audio 4 RTP/AVP 18'), terms())).toBeUndefined();
    expect(parse(take(first, base('a=sendrecv'), terms())?.sdp ?? '').origin.sessionVersion).toBe(2);
  });
});

describe('when the offer is ours', () => {
  it('offers all codecs and events, and takes the answer', () => {
    const offer = makeOffer(newNegotiation(LOCAL), terms());
    expect(offer.sdp).toContain('m=audio 36000 RTP/AVP 8 0 9 101\r\n');
    const state = take(
      offer,
      sdp(['m=audio 4000 RTP/AVP 0 97', 'a=rtpmap:97 telephone-event/8000']),
      terms(),
    );
    expect(state?.agreed).toMatchObject({ codec: 'PCMU', payloadType: 0 });
    expect(state?.eventTypes).toEqual([101, 97]);
    expect(state?.sdp).toBe(offer.sdp);
  });

  it('refuses an answer with nothing in it, and then still waits for a good one', () => {
    const offer = makeOffer(newNegotiation(LOCAL), terms());
    expect(take(offer, sdp('m=audio 0 RTP/AVP 8'), terms())).toBeUndefined();
    expect(take(offer, sdp('m=audio 4 RTP/AVP 8'), terms())?.offering).toBe(false);
  });

  it('required: offers SAVP, and takes only its own tag and suite back', () => {
    const offer = makeOffer(newNegotiation(LOCAL), terms({ srtp: 'required' }));
    expect(offer.sdp).toContain('RTP/SAVP');
    const reply = (line: string): string => sdp(['m=audio 4 RTP/SAVP 8', `a=crypto:${line} inline:${KEY_A}`]);
    const shared = terms({ srtp: 'required' });
    expect(take(offer, reply('1 AES_CM_128_HMAC_SHA1_80'), shared)?.agreed?.crypto?.tag).toBe(1);
    expect(take(offer, reply('2 AES_CM_128_HMAC_SHA1_80'), shared)).toBeUndefined();
    expect(take(offer, reply('1 AES_CM_128_HMAC_SHA1_32'), shared)).toBeUndefined();
    expect(take(offer, sdp('m=audio 4 RTP/AVP 8'), shared)).toBeUndefined();
  });

  it('required, but asked for in the clear: plain, and so it stays once that is agreed', () => {
    const shared = terms({ srtp: 'required' });
    const plain = makeOffer(newNegotiation(LOCAL), shared, { secure: false });
    expect(plain.sdp).toContain('RTP/AVP');
    const agreed = take(plain, sdp('m=audio 4 RTP/AVP 8'), shared) as Negotiation;
    expect(makeOffer(agreed, shared).sdp).toContain('RTP/AVP');
  });

  it('a re-offer keeps our key, so the stream goes on', () => {
    const shared = terms();
    const offer = sdp(['m=audio 6 RTP/SAVP 8', `a=crypto:4 AES_CM_128_HMAC_SHA1_32 inline:${KEY_A}`]);
    const first = take(newNegotiation(LOCAL), offer, shared) as Negotiation;
    const again = makeOffer(first, shared);
    expect(again.sdp).toContain(
      `a=crypto:1 AES_CM_128_HMAC_SHA1_32 inline:${first.crypto?.master.toString('base64')}`,
    );
    expect(parse(again.sdp).origin.sessionVersion).toBe(2);
  });
});
