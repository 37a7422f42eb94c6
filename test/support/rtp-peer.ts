import { createSocket, type Socket } from 'node:dgram';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * The RTP half of a test phone: sends silence (or given audio) every 20 ms, presses keys by RFC 4733, and keeps
 * every payload byte it hears. Written for tests only; it shares no code with what it tests.
 */

export interface RtpTarget {
  readonly address: string;
  readonly port: number;
}

export interface HeardPacket {
  readonly payloadType: number;
  readonly marker: boolean;
  readonly seq: number;
  readonly ts: number;
  readonly ssrc: number;
  readonly payload: Buffer;
  readonly from: RtpTarget;
}

export interface RtpPeerOptions {
  readonly address?: string;
  /** Payload type and silence byte of our audio; PCMA unless told. */
  readonly audioType?: number;
  readonly silence?: number;
  /** telephone-event number used by `sendDigits` unless told there. */
  readonly eventType?: number;
  /** Decides per packet whether the network loses it. */
  readonly lose?: () => boolean;
}

export interface DigitTiming {
  readonly onMs?: number;
  readonly gapMs?: number;
  readonly payloadType?: number;
}

const KEYS = '0123456789*#ABCD';
const FRAME_MS = 20;
const TICKS_PER_MS = 8;

export class RtpPeer {
  readonly port: number;
  readonly address: string;
  /** Every RTP packet heard, in order of arrival. */
  readonly packets: HeardPacket[] = [];
  target: RtpTarget | undefined;
  seq = Math.floor(Math.random() * 0x8000);
  ts = Math.floor(Math.random() * 0xffffffff);
  ssrc = Math.floor(Math.random() * 0xffffffff);
  private readonly socket: Socket;
  private readonly options: RtpPeerOptions;
  private audio = Buffer.alloc(0);
  private timer: NodeJS.Timeout | undefined;
  private pressing = false;

  private constructor(socket: Socket, options: RtpPeerOptions) {
    this.socket = socket;
    this.options = options;
    this.port = socket.address().port;
    this.address = socket.address().address;
    socket.on('message', (data, from) => this.hear(data, { address: from.address, port: from.port }));
  }

  /** Binds a UDP port (0: any free one). */
  static async open(port = 0, options: RtpPeerOptions = {}): Promise<RtpPeer> {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.bind(port, options.address ?? '127.0.0.1', resolve);
    });
    return new RtpPeer(socket, options);
  }

  /** All payload bytes heard, in order of arrival. */
  get received(): Buffer {
    return Buffer.concat(this.packets.map((packet) => packet.payload));
  }

  /** Where to send. An SDP answer will do: its last `c=` and the port of its first audio line that is not 0. */
  sendTo(target: RtpTarget | string): void {
    this.target = typeof target === 'string' ? targetOf(target) : target;
  }

  /** Sends 20 ms of audio every 20 ms until `stopAudio`. */
  startAudio(): void {
    this.timer ??= setInterval(() => {
      if (!this.pressing) this.sendAudio();
    }, FRAME_MS);
  }

  stopAudio(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  /** Puts coded audio (8 kHz, one byte per sample) in the place of silence. */
  say(audio: Buffer): void {
    this.audio = Buffer.concat([this.audio, audio]);
  }

  /** True once everything given to `say` is on the wire. */
  get saidAll(): boolean {
    return this.audio.length === 0;
  }

  /** Presses keys one after another: updates every 20 ms, then three end packets. */
  async sendDigits(text: string, { onMs = 100, gapMs = 100, payloadType }: DigitTiming = {}): Promise<void> {
    for (const key of text) {
      await this.press(KEYS.indexOf(key.toUpperCase()), {
        onMs,
        type: payloadType ?? this.options.eventType ?? 101,
      });
      await sleep(gapMs);
      if (this.timer === undefined) this.ts = (this.ts + gapMs * TICKS_PER_MS) >>> 0;
    }
  }

  /** One packet with what the caller wants in it; the next sequence number is used up. */
  sendPacket(packet: { payloadType: number; payload: Buffer; marker?: boolean; ts?: number }): void {
    this.seq = (this.seq + 1) & 0xffff;
    const header = Buffer.alloc(12);
    header[0] = 0x80;
    header[1] = (packet.marker ? 0x80 : 0) | packet.payloadType;
    header.writeUInt16BE(this.seq, 2);
    header.writeUInt32BE(packet.ts ?? this.ts, 4);
    header.writeUInt32BE(this.ssrc, 8);
    this.sendRaw(Buffer.concat([header, packet.payload]));
  }

  /** Any bytes at all. */
  sendRaw(data: Buffer): void {
    if (this.target === undefined || this.options.lose?.()) return;
    this.socket.send(data, this.target.port, this.target.address);
  }

  /** Resolves when `count` packets have been heard, rejects after `withinMs`. */
  async heard(count: number, withinMs = 10_000): Promise<void> {
    const end = Date.now() + withinMs;
    while (this.packets.length < count) {
      if (Date.now() > end) throw new Error(`heard ${this.packets.length} of ${count} packets`);
      await sleep(5);
    }
  }

  close(): Promise<void> {
    this.stopAudio();
    return new Promise((resolve) => this.socket.close(resolve));
  }

  private sendAudio(): void {
    const frame = Buffer.alloc(160, this.options.silence ?? 0xd5);
    this.audio.copy(frame);
    this.audio = this.audio.subarray(160);
    this.ts = (this.ts + 160) >>> 0;
    this.sendPacket({ payloadType: this.options.audioType ?? 8, payload: frame });
  }

  private async press(event: number, { onMs, type }: { onMs: number; type: number }): Promise<void> {
    this.pressing = true;
    const ts = (this.ts + 160) >>> 0;
    for (let at = FRAME_MS; at < onMs; at += FRAME_MS) {
      this.sendEvent({ event, ts, type, durationMs: at, marker: at === FRAME_MS });
      await sleep(FRAME_MS);
    }
    for (let i = 0; i < 3; i++) this.sendEvent({ event, ts, type, durationMs: onMs, end: true });
    this.ts = (ts + onMs * TICKS_PER_MS) >>> 0;
    this.pressing = false;
  }

  private sendEvent(press: {
    event: number;
    ts: number;
    type: number;
    durationMs: number;
    marker?: boolean;
    end?: boolean;
  }): void {
    const payload = Buffer.from([press.event, press.end ? 0x8a : 0x0a, 0, 0]);
    payload.writeUInt16BE(press.durationMs * TICKS_PER_MS, 2);
    this.sendPacket({ payloadType: press.type, payload, ts: press.ts, marker: press.marker ?? false });
  }

  private hear(data: Buffer, from: RtpTarget): void {
    if (data.length < 12) return;
    this.packets.push({
      payloadType: (data[1] as number) & 0x7f,
      marker: ((data[1] as number) & 0x80) !== 0,
      seq: data.readUInt16BE(2),
      ts: data.readUInt32BE(4),
      ssrc: data.readUInt32BE(8),
      payload: Buffer.from(data.subarray(12)),
      from,
    });
  }
}

function targetOf(sdp: string): RtpTarget {
  const address = [...sdp.matchAll(/^c=IN IP[46] (\S+)/gm)].at(-1)?.[1];
  const port = /^m=audio ([1-9]\d*)/m.exec(sdp)?.[1];
  if (address === undefined || port === undefined) throw new Error(`no audio in this SDP:\n${sdp}`);
  return { address, port: Number(port) };
}
