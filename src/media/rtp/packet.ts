/** RTP fixed header (RFC 3550 5.1), read and written by hand: 20 lines against a dependency. */

export interface RtpPacket {
  readonly payloadType: number;
  readonly marker: boolean;
  readonly seq: number;
  readonly ts: number;
  readonly ssrc: number;
  /** A view into the datagram, without padding. */
  readonly payload: Buffer;
}

export const HEADER_BYTES = 12;

/** Where the payload starts, or undefined when the datagram is not RTP. */
export function headerLength(data: Buffer): number | undefined {
  if (data.length < HEADER_BYTES || (data[0] as number) >> 6 !== 2) return undefined;
  let length = HEADER_BYTES + 4 * ((data[0] as number) & 0x0f);
  if ((data[0] as number) & 0x10) {
    if (data.length < length + 4) return undefined;
    length += 4 + 4 * data.readUInt16BE(length + 2);
  }
  return length <= data.length ? length : undefined;
}

/** RTCP on the RTP port (RFC 5761 4): types 192–223 read as payload types 64–95, of which RTCP uses 72–79. */
export function isRtcp(data: Buffer): boolean {
  const type = (data[1] ?? 0) & 0x7f;
  return type >= 72 && type <= 79;
}

/** Reads a (decrypted) datagram; undefined when it is not RTP. */
export function parseRtp(data: Buffer): RtpPacket | undefined {
  const start = headerLength(data);
  if (start === undefined) return undefined;
  const padding = (data[0] as number) & 0x20 ? (data[data.length - 1] as number) : 0;
  if (start + padding > data.length) return undefined;
  return {
    payloadType: (data[1] as number) & 0x7f,
    marker: ((data[1] as number) & 0x80) !== 0,
    seq: data.readUInt16BE(2),
    ts: data.readUInt32BE(4),
    ssrc: data.readUInt32BE(8),
    payload: data.subarray(start, data.length - padding),
  };
}

/** Writes the 12-byte header into `into`. */
export function writeHeader(into: Buffer, header: Omit<RtpPacket, 'payload'>): void {
  into[0] = 0x80;
  into[1] = (header.marker ? 0x80 : 0) | header.payloadType;
  into.writeUInt16BE(header.seq, 2);
  into.writeUInt32BE(header.ts, 4);
  into.writeUInt32BE(header.ssrc, 8);
}
