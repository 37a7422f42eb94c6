import type { MediaOptions } from '../../../src/media/media.ts';
import type { RtpPeer } from '../../support/rtp-peer.ts';

/** What the media contract tests share. */

export const PROMPTS = new URL('../../../config/prompts/', import.meta.url).pathname;

export const BENCH_OPTIONS: MediaOptions = {
  address: '127.0.0.1',
  ports: { from: 46_000, to: 46_039 },
  prompts: { shipped: PROMPTS, language: 'en-GB' },
  srtp: 'optional',
  silentAfterMs: 400,
  latch: 'latch',
  inband: 'auto',
};

/** An offer of this peer's; events are known by 101 and 127 if `formats` names them. */
export function offerOf(peer: RtpPeer, formats = '8 101', more = ''): string {
  return (
    `v=0\r\no=- 1 1 IN IP4 ${peer.address}\r\ns=x\r\nc=IN IP4 ${peer.address}\r\nt=0 0\r\n` +
    `m=audio ${peer.port} RTP/AVP ${formats}\r\na=rtpmap:101 telephone-event/8000\r\n` +
    `a=rtpmap:127 telephone-event/8000\r\n${more}`
  );
}
