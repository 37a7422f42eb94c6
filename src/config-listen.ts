import { z } from 'zod';
import { about, address, hostOrAddress, oneOf, port, text } from './config-words.ts';

const origin = () =>
  text('an origin such as https://phones.example, null, or *', (value) => {
    if (value === '*' || value === 'null') return true;
    return /^https?:/.test(value) && URL.canParse(value) && new URL(value).origin === value.toLowerCase();
  });

/** One address the embedded engine listens at. */
export const listenAddress = z.strictObject({
  protocol: oneOf('udp', 'tcp', 'ws').meta(about('Transport; ws is WebSocket, for phones in browsers.')),
  host: address().meta(about('Address to bind; 0.0.0.0 or :: for all.')),
  port: port().meta(about('Port to bind; 0 lets the system choose.')),
  externalHost: z
    .exactOptional(hostOrAddress())
    .meta(about('What peers are told instead of host (NAT, wildcard bind).', '192.0.2.10')),
  origins: z
    .exactOptional(z.array(origin(), { error: 'expected a list of origins' }))
    .meta(
      about('With ws: web pages that may connect. Absent: pages of the host they connect to.', [
        'https://phones.example',
      ]),
    ),
});

/** Indexes of addresses that have `origins` although no browser can come there. */
export function wrongOrigins(listen: readonly z.output<typeof listenAddress>[]): number[] {
  return listen.flatMap(({ protocol, origins }, index) =>
    origins !== undefined && protocol !== 'ws' ? [index] : [],
  );
}

/** Indexes of trunks the embedded engine has no way to: nobody would know before the call that has to go there. */
export function unreachableTrunks(
  trunks: readonly { readonly uri: string }[],
  listen: readonly Pick<z.output<typeof listenAddress>, 'protocol'>[],
): number[] {
  const dials = listen.map(({ protocol }) => protocol).filter((protocol) => protocol !== 'ws');
  const isReached = (uri: string): boolean => {
    const [, transport] = /;transport=([a-z]+)/i.exec(uri) ?? [];
    if (/^sips:/i.test(uri)) return false;
    return transport === undefined ? dials.length > 0 : dials.some((one) => one === transport.toLowerCase());
  };
  return trunks.flatMap(({ uri }, index) => (isReached(uri) ? [] : [index]));
}
