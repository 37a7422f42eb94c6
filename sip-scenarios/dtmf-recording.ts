/**
 * A recording of key presses by RFC 4733 for SIPp's `play_pcap_audio`: SIPp's own `play_dtmf` knows payload type 96
 * only, and a VVX uses 127. SIPp puts its own addresses in; times and RTP are sent as recorded.
 */

const KEYS = '0123456789*#ABCD';
const FRAME_MS = 20;

export interface Recording {
  readonly keys: string;
  readonly payloadType: number;
  /** ms a key is held and the pause after it. */
  readonly on: number;
  readonly gap: number;
}

/** The recording as a pcap file of Ethernet frames. */
export function dtmfRecording({ keys, payloadType, on, gap }: Recording): Buffer {
  const header = Buffer.alloc(24);
  header.writeUInt32LE(0xa1b2c3d4, 0);
  header.writeUInt16LE(2, 4);
  header.writeUInt16LE(4, 6);
  header.writeUInt32LE(65_535, 16);
  header.writeUInt32LE(1, 20);
  const packets: Buffer[] = [];
  [...keys].forEach((key, index) => {
    const start = index * (on + gap);
    const press = { event: KEYS.indexOf(key), timestamp: 1_000_000 + start * 8, payloadType };
    for (let held = FRAME_MS; held < on; held += FRAME_MS) {
      const rtp = eventPacket({ ...press, seq: packets.length, duration: held * 8, end: false });
      packets.push(frame(rtp, start + held));
    }
    for (let copy = 0; copy < 3; copy++) {
      const rtp = eventPacket({ ...press, seq: packets.length, duration: on * 8, end: true });
      packets.push(frame(rtp, start + on + copy));
    }
  });
  return Buffer.concat([header, ...packets]);
}

interface EventPacket {
  readonly event: number;
  readonly timestamp: number;
  readonly payloadType: number;
  readonly seq: number;
  readonly duration: number;
  readonly end: boolean;
}

function eventPacket({ event, timestamp, payloadType, seq, duration, end }: EventPacket): Buffer {
  const rtp = Buffer.alloc(16);
  rtp.writeUInt8(0x80, 0);
  rtp.writeUInt8(payloadType, 1);
  rtp.writeUInt16BE(seq, 2);
  rtp.writeUInt32BE(timestamp, 4);
  rtp.writeUInt32BE(0x5eed5eed, 8);
  rtp.writeUInt8(event, 12);
  rtp.writeUInt8((end ? 0x80 : 0) | 10, 13);
  rtp.writeUInt16BE(duration, 14);
  return rtp;
}

/** Ethernet, IPv4 and UDP round an RTP packet, with the time it is sent at. */
function frame(rtp: Buffer, atMs: number): Buffer {
  const ethernet = Buffer.alloc(14);
  ethernet.writeUInt16BE(0x0800, 12);
  const ip = Buffer.alloc(20);
  ip.writeUInt8(0x45, 0);
  ip.writeUInt16BE(28 + rtp.length, 2);
  ip.writeUInt8(64, 8);
  ip.writeUInt8(17, 9);
  ip.writeUInt32BE(0x7f000001, 12);
  ip.writeUInt32BE(0x7f000001, 16);
  const udp = Buffer.alloc(8);
  udp.writeUInt16BE(6000, 0);
  udp.writeUInt16BE(6000, 2);
  udp.writeUInt16BE(8 + rtp.length, 4);
  const data = Buffer.concat([ethernet, ip, udp, rtp]);
  const record = Buffer.alloc(16);
  record.writeUInt32LE(Math.floor(atMs / 1000), 0);
  record.writeUInt32LE((atMs % 1000) * 1000, 4);
  record.writeUInt32LE(data.length, 8);
  record.writeUInt32LE(data.length, 12);
  return Buffer.concat([record, data]);
}
