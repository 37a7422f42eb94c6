import type { CodecName } from './codecs.ts';
import { ALAW_TO_LINEAR, encodeAlaw, encodeUlaw, ULAW_TO_LINEAR } from './g711.ts';

const ULAW_TO_ALAW = Buffer.from(Array.from(ULAW_TO_LINEAR, encodeAlaw));
const ALAW_TO_ULAW = Buffer.from(Array.from(ALAW_TO_LINEAR, encodeUlaw));

/** G.711 audio of one law in the other; the same payload when there is nothing to do; undefined: not G.711. */
export function transcoded(payload: Buffer, from: CodecName, to: CodecName): Buffer | undefined {
  if (from === to) return payload;
  if (from === 'G722' || to === 'G722') return undefined;
  const table = from === 'PCMU' ? ULAW_TO_ALAW : ALAW_TO_ULAW;
  const out = Buffer.allocUnsafe(payload.length);
  for (let at = 0; at < payload.length; at++) out[at] = table[payload[at] as number] as number;
  return out;
}
