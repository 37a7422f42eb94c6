import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { SipMessage } from '../../../src/sip-engine/message/message.ts';
import { parseMessage } from '../../../src/sip-engine/message/parse.ts';
import { checkSanity } from '../../../src/sip-engine/message/sanity.ts';
import { StreamFramer } from '../../../src/sip-engine/transport/framer.ts';
import { stampSource } from '../../../src/sip-engine/transport/via.ts';

const SEED = [
  'INVITE sip:bob@h.example;transport=tcp SIP/2.0',
  'Via: SIP/2.0/UDP [2001:db8::1]:5060;branch=z9hG4bK1;rport, SIP/2.0/TCP h;received=1.2.3.4',
  'f: "A \\"q\\"" <sip:a@h>;tag=1',
  'To: Bob',
  ' <sip:bob@h>',
  'Call-ID: c@h',
  'CSeq: 1 INVITE',
  'm: <sip:a@h;x="1">;expires=60, "b,c" <sip:b@h>',
  'Content-Type: application/sdp',
  'l: 7',
  '',
  'v=0\r\n\u0000\u00ff',
].join('\r\n');
const SPECIAL = '\r\n \t:;,<>"\\=@?/[]%*\u0000\u00a0\u00ff';

/** A small generator with a fixed seed, so that a failure can be repeated. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const folder = new URL('../../../../shared/torture/rfc4475/', import.meta.url);
const corpus = existsSync(folder)
  ? readdirSync(folder).map((file) => readFileSync(new URL(file, folder), 'latin1'))
  : [];
const seeds = [
  SEED,
  SEED.replace('INVITE sip:bob@h.example;transport=tcp SIP/2.0', 'SIP/2.0 200 OK'),
  ...corpus,
];

function mutate(text: string, random: (below: number) => number): string {
  const at = random(text.length + 1);
  const other = seeds[random(seeds.length)] ?? '';
  switch (random(5)) {
    case 0:
      return text.slice(0, at) + (SPECIAL[random(SPECIAL.length)] ?? '') + text.slice(at);
    case 1:
      return text.slice(0, at) + String.fromCharCode(random(256)) + text.slice(at + 1);
    case 2:
      return text.slice(0, at) + text.slice(at + random(40));
    case 3:
      return text.slice(0, at) + other.slice(random(other.length));
    default:
      return text.slice(0, at) + text.slice(Math.max(0, at - random(60)));
  }
}

/** Everything the engine does with what arrives; returns how it ended. */
function swallow(text: string): string {
  const message = parseMessage(text, 'datagram');
  const framer = new StreamFramer(65_535);
  framer.push(text);
  for (let frame = framer.next(); frame !== undefined && frame.kind !== 'broken'; frame = framer.next());
  if (message === undefined) return 'junk';
  if (message.isRequest) stampSource(message, '192.0.2.1', 5060);
  message.contacts();
  const verdict = checkSanity(message);
  if (verdict.action === 'accept')
    expect(parseMessage(message.toString(), 'datagram')?.defect).toBeUndefined();
  if (message.isRequest) SipMessage.response(message, 400).toString();
  return verdict.action;
}

describe('fuzz', () => {
  it('20 000 mutated messages: no throw, and what is accepted can be read again', () => {
    const random = randomFrom(4475);
    const seen = new Set<string>();
    for (let i = 0; i < 20_000; i++) {
      let text = seeds[random(seeds.length)] ?? '';
      for (let n = 1 + random(4); n > 0; n--) text = mutate(text, random);
      seen.add(swallow(text));
    }
    expect([...seen].sort()).toEqual(['accept', 'drop', 'junk', 'reject']);
  });

  it('takes linear time on long runs of one character', () => {
    const started = performance.now();
    for (const filler of SPECIAL) {
      const run = filler.repeat(60_000);
      swallow(`OPTIONS ${run}x SIP/2.0\r\nTo: x\r\n\r\n`);
      for (const name of ['Via: SIP/2.0/UDP h', 'To: <sip:a@h>', 'Contact: "a"', 'CSeq: 1', 'l']) {
        swallow(`OPTIONS sip:a SIP/2.0\r\n${name}${run}x\r\n y\r\n\r\n`);
      }
    }
    expect(performance.now() - started).toBeLessThan(5_000);
  });
});
