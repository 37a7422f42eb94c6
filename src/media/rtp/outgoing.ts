import { type Clip, type CodecName, FRAME_BYTES, FRAME_TICKS, SILENCE } from '../codec/codecs.ts';
import type { Agreed } from '../sdp/agree.ts';
import type { Endpoint } from '../sdp/remote.ts';
import type { LocalCrypto } from '../sdp/write.ts';
import { HEADER_BYTES, type RtpPacket, writeHeader } from './packet.ts';
import { Player } from './player.ts';
import { seqDelta } from './serial.ts';
import { SrtpSender } from './srtp.ts';

const LONGEST_TAG = 10;
/** Three catch-up frames may still be with the kernel while the next is written. */
const BUFFERS = 4;
/** 60 ms of G.711 and more: what is longer is not for us. */
const LONGEST_RELAYED = 1_000;
/** Packets that may be missing in a row for the gap to be passed on; more is a stream that began anew. */
const LONGEST_GAP = 50;
/** 200 ms of silence before the first prompt: many phones swallow the first packets. */
const LEAD_FRAMES = 10;

export interface OutgoingOptions {
  readonly randomBytes: (count: number) => Buffer;
  readonly send: (packet: Buffer, to: Endpoint) => void;
  /** The last frame of what was played is out. */
  readonly onPlayed: () => void;
}

/** Our RTP stream: prompts, and silence between them so that nothing on the way times out. */
export class Outgoing {
  private readonly options: OutgoingOptions;
  private readonly buffers = Array.from({ length: BUFFERS }, () =>
    Buffer.alloc(HEADER_BYTES + FRAME_BYTES + LONGEST_TAG),
  );
  private readonly player = new Player();
  private readonly relayBuffers = Array.from({ length: BUFFERS }, () =>
    Buffer.alloc(HEADER_BYTES + LONGEST_RELAYED + LONGEST_TAG),
  );
  /** Where the stream that is relayed stands: of the far side, and of ours. */
  private relayed: { readonly ssrc: number; readonly shift: number; seq: number } | undefined;
  private relaying = false;
  private readonly ssrc: number;
  private seq: number;
  private ts: number;
  private sent = 0;
  private codec: CodecName = 'PCMA';
  private payloadType = 8;
  private sending = false;
  private crypto: LocalCrypto | undefined;
  private srtp: SrtpSender | undefined;

  constructor(options: OutgoingOptions) {
    this.options = options;
    const random = options.randomBytes(10);
    this.ssrc = random.readUInt32BE(0);
    this.ts = random.readUInt32BE(4);
    this.seq = random.readUInt16BE(8) & 0x7fff; // the upper half would risk a rollover nobody saw (RFC 3711 3.3.1)
  }

  /** New terms. The prompt goes on where it was, in the new codec; the key stream goes on while the key stays. */
  follow(agreed: Agreed, crypto: LocalCrypto | undefined): void {
    this.codec = agreed.codec;
    this.payloadType = agreed.payloadType;
    this.sending = agreed.direction === 'sendrecv' || agreed.direction === 'sendonly';
    const same =
      crypto?.suite === this.crypto?.suite && this.crypto?.master.equals(crypto?.master ?? Buffer.alloc(0));
    if (!same) this.srtp = crypto && new SrtpSender(crypto.master, crypto.suite);
    this.crypto = crypto;
  }

  play(clips: readonly Clip[]): void {
    this.player.start(clips);
    if (!this.player.playing) this.options.onPlayed();
  }

  stop(): void {
    this.player.stop();
  }

  /** From now on somebody else's audio goes out, and silence of ours does not. */
  relay(relaying: boolean): void {
    this.relaying = relaying;
    this.relayed = undefined;
  }

  /** Somebody else's packet, under our name. Late ones are dropped: the cipher counts on, and so does the listener. */
  forward(
    packet: RtpPacket,
    payload: Buffer,
    options: { payloadType: number; to: Endpoint | undefined },
  ): void {
    if (!this.sending || options.to === undefined || payload.length > LONGEST_RELAYED) return;
    const { ssrc, marker } = packet;
    let step = this.relayed?.ssrc === ssrc ? seqDelta(packet.seq, this.relayed.seq) : LONGEST_GAP + 1;
    if (step <= 0 && step > -LONGEST_GAP) return;
    const isNew = step <= 0 || step > LONGEST_GAP;
    if (isNew) step = 1;
    const shift = isNew || !this.relayed ? (this.ts - packet.ts) >>> 0 : this.relayed.shift;
    this.relayed = { ssrc, shift, seq: packet.seq };
    this.seq = (this.seq + step) & 0xffff;
    const ts = (packet.ts + shift) >>> 0;
    const buffer = this.relayBuffers[this.sent++ % BUFFERS] as Buffer;
    writeHeader(buffer, {
      ...{ payloadType: options.payloadType, marker: marker || isNew, seq: this.seq, ts },
      ssrc: this.ssrc,
    });
    payload.copy(buffer, HEADER_BYTES);
    this.options.send(this.protect(buffer, HEADER_BYTES + payload.length), options.to);
  }

  /** Every 20 ms. While held nothing is sent and the prompt waits; the timestamp goes on as real time does. */
  tick(target: Endpoint | undefined): void {
    this.ts = (this.ts + FRAME_TICKS) >>> 0;
    if (!this.sending || target === undefined || (this.relaying && !this.player.playing)) return;
    const buffer = this.buffers[this.sent % BUFFERS] as Buffer;
    const playing = this.player.playing && this.sent >= LEAD_FRAMES;
    const marker = this.sent === 0 || (playing && this.player.atStart);
    this.seq = (this.seq + 1) & 0xffff;
    this.sent++;
    const { payloadType, seq, ts, ssrc } = this;
    writeHeader(buffer, { payloadType, marker, seq, ts, ssrc });
    if (playing) this.player.copyFrame(this.codec, buffer, HEADER_BYTES);
    else SILENCE[this.codec].copy(buffer, HEADER_BYTES);
    this.options.send(this.protect(buffer, HEADER_BYTES + FRAME_BYTES), target);
    if (playing && !this.player.playing) this.options.onPlayed();
  }

  private protect(buffer: Buffer, length: number): Buffer {
    return buffer.subarray(0, this.srtp ? this.srtp.protect(buffer, length, HEADER_BYTES) : length);
  }
}
