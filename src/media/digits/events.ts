import { seqDelta, tsDelta } from '../rtp/serial.ts';

/** A telephone-event packet (RFC 4733 2.3) and when it came, in ms of any steady clock. */
export interface EventPacket {
  readonly ssrc: number;
  readonly seq: number;
  readonly ts: number;
  readonly marker: boolean;
  readonly payload: Buffer;
  readonly now: number;
}

/** One 4-byte block of it. */
interface EventBlock {
  readonly seq: number;
  readonly ts: number;
  readonly marker: boolean;
  readonly code: number;
  readonly end: boolean;
  readonly duration: number;
  readonly now: number;
}

interface Seen {
  readonly ts: number;
  readonly code: number;
  at: number;
}

/** The press being heard; `segTs` is its latest segment's timestamp, `seen` that segment's memory. */
interface Press {
  segTs: number;
  readonly code: number;
  duration: number;
  ended: boolean;
  lastSeq: number;
  at: number;
  seen: Seen;
}

const DIGITS = '0123456789*#ABCD';
const REMEMBERED = 16;
const BLOCK_BYTES = 4;
/** Two seconds of timestamp: a press this far back is a late packet, further back a sender that started afresh. */
const LATE_TICKS = 16000;

/**
 * RFC 4733 digits, each exactly once, reported with the first packet of a press that arrives: lost starts, lost ends
 * and repeated ends cost nothing. A press is known by its timestamp and code; marker and E bit are hints only,
 * because senders differ. There is no shortest duration: soft-key macros press for 50 ms.
 */
export class EventDecoder {
  private ssrc: number | undefined;
  private press: Press | undefined;
  private memory: Seen[] = [];

  /** Digits that begin with this packet, in order. Flash and tones are not digits. */
  push(packet: EventPacket): string[] {
    if (packet.ssrc !== this.ssrc) this.forget(packet.ssrc);
    const digits: string[] = [];
    for (const block of blocksOf(packet)) {
      if (this.begins(block)) digits.push(DIGITS[block.code] as string);
    }
    return digits;
  }

  private forget(ssrc: number): void {
    this.ssrc = ssrc;
    this.press = undefined;
    this.memory = [];
  }

  private begins(block: EventBlock): boolean {
    if (block.code >= DIGITS.length) return false;
    const press = this.press;
    if (press !== undefined && (this.belongsTo(press, block) || this.isStale(press, block))) return false;
    this.press = {
      segTs: block.ts,
      code: block.code,
      duration: block.duration,
      ended: block.end,
      lastSeq: block.seq,
      at: block.now,
      seen: this.remember(block),
    };
    return true;
  }

  /** Same press: another packet of it, a repeated end, or its next segment. */
  private belongsTo(press: Press, block: EventBlock): boolean {
    if (block.code !== press.code || restarts(press, block)) return false;
    const moved = tsDelta(block.ts, press.segTs);
    if (moved === 0) {
      press.duration = Math.max(press.duration, block.duration);
      press.ended ||= block.end;
    } else if (repeatsEnd(press, block)) {
      this.continue(press, block, block.duration);
    } else if (moved > 0 && moved < press.duration) {
      this.continue(press, block, Math.max(block.duration, press.duration - moved));
    } else if (isNextSegment(press, moved)) {
      this.continue(press, block, block.duration);
    } else return false;
    this.hear(press, block);
    return true;
  }

  private continue(press: Press, block: EventBlock, duration: number): void {
    press.segTs = block.ts;
    press.duration = duration;
    press.ended = block.end;
    press.seen = this.remember(block);
  }

  private hear(press: Press, block: EventBlock): void {
    if (seqDelta(block.seq, press.lastSeq) <= 0) return;
    press.lastSeq = block.seq;
    press.at = block.now;
    press.seen.at = block.now;
  }

  /** A packet of an older press: heard before, or so late that its place in the order is lost. */
  private isStale(press: Press, block: EventBlock): boolean {
    const moved = tsDelta(block.ts, press.segTs);
    if (moved === 0 && block.code === press.code) return false;
    const recycled = isRecycled(press, block);
    const seen = this.memory.find((old) => old.ts === block.ts && old.code === block.code);
    if (seen !== undefined) return !(recycled && block.now - seen.at > 40);
    const newer = seqDelta(block.seq, press.lastSeq) > 0;
    return moved < 0 && moved > -LATE_TICKS && !newer && !recycled;
  }

  private remember(block: EventBlock): Seen {
    const seen = { ts: block.ts, code: block.code, at: block.now };
    this.memory.push(seen);
    if (this.memory.length > REMEMBERED) this.memory.shift();
    return seen;
  }
}

/** Could be a new press at an old timestamp: not an end, and in order (or, after a pause, marked as a start). */
function isRecycled(press: Press, block: EventBlock): boolean {
  const newer = seqDelta(block.seq, press.lastSeq) > 0;
  return !block.end && (newer || (block.marker && block.now - press.at > 600));
}

/** The same key again at the same or an overlapping timestamp: some senders never advance it properly. */
function restarts(press: Press, block: EventBlock): boolean {
  const shorter = press.ended && block.duration < press.duration;
  return isRecycled(press, block) && shorter && block.now - press.at > 40;
}

/** End after end under a new timestamp: a gateway that re-stamps the repeats. */
function repeatsEnd(press: Press, block: EventBlock): boolean {
  const same = block.end && press.ended && block.duration === press.duration;
  return same && block.now - press.at < 100 && Math.abs(seqDelta(block.seq, press.lastSeq)) <= 3;
}

/** RFC 4733 2.5.1.3: a long press goes on in a new segment where the last one stopped; segments may be lost. */
function isNextSegment(press: Press, moved: number): boolean {
  return moved > 0 && !press.ended && (moved === press.duration || moved % 0xffff === 0);
}

function* blocksOf(packet: EventPacket): Generator<EventBlock> {
  const { payload, seq, now } = packet;
  let ts = packet.ts;
  for (let at = 0; at + BLOCK_BYTES <= payload.length; at += BLOCK_BYTES) {
    const duration = payload.readUInt16BE(at + 2);
    const end = ((payload[at + 1] as number) & 0x80) !== 0;
    yield { seq, ts, now, end, duration, code: payload[at] as number, marker: packet.marker && at === 0 };
    if (duration === 0) return;
    ts = (ts + duration) >>> 0;
  }
}
