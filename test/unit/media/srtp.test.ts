import { createCipheriv, createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { deriveKeys, SrtpReceiver, SrtpSender, type Suite } from '../../../src/media/rtp/srtp.ts';

const KEY = 'E1F97A0D3E018BE0D64FA32C06DE4139';
const SALT = '0EC675AD498AFEEBB6960B3AABE6';
const MASTER = Buffer.from(KEY + SALT, 'hex');
const SUITE_80 = 'AES_CM_128_HMAC_SHA1_80';

function rtp(seq: number, text = 'payload', ssrc = 0xcafebabe): Buffer {
  const header = Buffer.from([0x80, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  header.writeUInt16BE(seq & 0xffff, 2);
  header.writeUInt32BE(ssrc, 8);
  return Buffer.concat([header, Buffer.from(text)]);
}

function protect(sender: SrtpSender, packet: Buffer): Buffer {
  const buffer = Buffer.alloc(packet.length + 10);
  packet.copy(buffer);
  return Buffer.from(buffer.subarray(0, sender.protect(buffer, packet.length, 12)));
}

const pair = (suite: Suite = SUITE_80): [SrtpSender, SrtpReceiver] => [
  new SrtpSender(MASTER, suite),
  new SrtpReceiver(MASTER, suite),
];

describe('RFC 3711', () => {
  it('B.3: derives the session keys', () => {
    const keys = deriveKeys(MASTER);
    expect(keys.cipher.toString('hex').toUpperCase()).toBe('C61E7A93744F39EE10734AFE3FF7A087');
    expect(keys.salt.toString('hex').toUpperCase()).toBe('30CBBC08863D8C85D49DB34A9AE1');
    expect(keys.auth.toString('hex').toUpperCase()).toBe('CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4');
  });

  it('agrees with a plain writing-down of 4.1.1 and 4.2.1', () => {
    const keys = deriveKeys(MASTER);
    const packet = rtp(4660, 'x'.repeat(160));
    const iv = Buffer.alloc(16);
    keys.salt.copy(iv);
    for (const [at, byte] of [0xca, 0xfe, 0xba, 0xbe].entries()) iv[4 + at] = (iv[4 + at] as number) ^ byte;
    iv[12] = (iv[12] as number) ^ 0x12;
    iv[13] = (iv[13] as number) ^ 0x34;
    const secret = createCipheriv('aes-128-ctr', keys.cipher, iv).update(packet.subarray(12));
    const body = Buffer.concat([packet.subarray(0, 12), secret]);
    const tag = createHmac('sha1', keys.auth).update(body).update(Buffer.alloc(4)).digest().subarray(0, 10);
    expect(protect(pair()[0], packet)).toEqual(Buffer.concat([body, tag]));
  });
});

describe('a secured stream', () => {
  it.each<Suite>([SUITE_80, 'AES_CM_128_HMAC_SHA1_32'])('%s: 70 000 packets across the rollover', (suite) => {
    const [sender, receiver] = pair(suite);
    let opened = 0;
    for (let i = 0; i < 70_000; i++) {
      const plain = receiver.open(protect(sender, rtp(i + 1000, `p${i}`)));
      if (plain?.subarray(12).toString() === `p${i}`) opened++;
    }
    expect(opened).toBe(70_000);
  });

  it('refuses replays, forgeries, other keys and short packets', () => {
    const [sender, receiver] = pair();
    const packet = protect(sender, rtp(1));
    const forged = Buffer.from(packet);
    forged[14] = (forged[14] as number) ^ 1;
    expect(receiver.open(forged)).toBeUndefined();
    expect(receiver.open(Buffer.from(packet))).toBeDefined();
    expect(receiver.open(Buffer.from(packet))).toBeUndefined();
    expect(new SrtpReceiver(Buffer.alloc(30), SUITE_80).open(packet)).toBeUndefined();
    expect(receiver.open(Buffer.alloc(11, 0x80))).toBeUndefined();
    expect(receiver.open(rtp(2))).toBeUndefined();
  });

  it('takes packets out of order within the window, not behind it', () => {
    const [sender, receiver] = pair();
    const packets = Array.from({ length: 100 }, (_, i) => protect(sender, rtp(i + 1)));
    const open = (i: number): boolean => receiver.open(Buffer.from(packets[i] as Buffer)) !== undefined;
    expect([50, 49, 50, 99, 36, 35, 36].map(open)).toEqual([true, true, false, true, true, false, false]);
  });

  it('takes a late packet from before the rollover', () => {
    const [sender, receiver] = pair();
    const packets = [65_534, 65_535, 65_536].map((seq) => protect(sender, rtp(seq)));
    const open = (i: number): boolean => receiver.open(packets[i] as Buffer) !== undefined;
    expect([0, 2, 1].map(open)).toEqual([true, true, true]);
  });

  it('keeps a few sources apart, and not many', () => {
    const [, receiver] = pair();
    for (let ssrc = 1; ssrc < 100; ssrc++) {
      expect(receiver.open(protect(new SrtpSender(MASTER, SUITE_80), rtp(5, 'x', ssrc)))).toBeDefined();
    }
    expect((receiver as unknown as { sources: Map<number, object> }).sources.size).toBeLessThanOrEqual(8);
  });
});
