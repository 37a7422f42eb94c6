import { type CodecName, makeClip } from '../../../src/media/codec/codecs.ts';
import { NarrowG722Encoder } from '../../../src/media/codec/g722.ts';
import type { RecordOptions } from '../../../src/media/media.ts';
import { Recorder } from '../../../src/media/recording/recorder.ts';
import type { RtpPacket } from '../../../src/media/rtp/packet.ts';
import { decoded } from '../../support/sound.ts';

/** What the tests of recording share: a recorder on a clock of its own, and packets for it. */

export interface Heard {
  /** ms at which it comes. */
  readonly at: number;
  readonly packet: RtpPacket;
  readonly codec: CodecName | undefined;
}

export interface Line {
  readonly codec?: CodecName;
  readonly packetMs?: number;
  readonly seq?: number;
  readonly ts?: number;
  readonly ssrc?: number;
  /** ms at which the first packet comes. */
  readonly from?: number;
}

/** Samples at 8 kHz as a phone sends them. */
export function packetsOf(samples: Int16Array, line: Line = {}): Heard[] {
  const { codec = 'PCMA', packetMs = 20, seq = 65_530, ts = 0xffff_f000, ssrc = 7, from = packetMs } = line;
  const data =
    codec === 'G722' ? new NarrowG722Encoder().encode(samples) : makeClip(samples, 8000).data[codec];
  const bytes = packetMs * 8;
  return Array.from({ length: Math.floor(data.length / bytes) }, (_, i) => ({
    at: from + i * packetMs,
    codec,
    packet: {
      payloadType: 8,
      marker: false,
      seq: (seq + i) & 0xffff,
      ts: (ts + i * bytes) >>> 0,
      ssrc,
      payload: data.subarray(i * bytes, (i + 1) * bytes),
    },
  }));
}

export interface Recorded {
  /** Undefined: nothing was said. */
  readonly samples: Int16Array | undefined;
  /** ms at which it ended by itself; undefined when it was stopped. */
  readonly endedAt: number | undefined;
}

/** Runs a recorder over these packets, ticking every 20 ms, until it ends or `stopAt`. */
export function record(
  heard: readonly Heard[],
  options: Partial<RecordOptions> & { stopAt?: number } = {},
): Recorded {
  const { maxMs = 10_000, silenceMs = 20_000, stopAt = 10_000 } = options;
  const recorder = new Recorder({ maxMs, silenceMs }, 1_000_000);
  const waiting = [...heard].sort((a, b) => a.at - b.at);
  let endedAt: number | undefined;
  for (let at = 0; at <= stopAt && endedAt === undefined; at += 20) {
    while (waiting[0] !== undefined && waiting[0].at <= at) {
      const { packet, codec } = waiting.shift() as Heard;
      recorder.push(packet, codec, 1_000_000 + at);
    }
    if (recorder.tick(1_000_000 + at)) endedAt = at;
  }
  const mulaw = recorder.finish();
  const samples = mulaw && decoded('PCMU', mulaw);
  return { samples, endedAt };
}
