import type { Binding } from '../domain/binding.ts';
import type { Request } from './srf.ts';

type Protocol = Binding['flow']['protocol'];

/** What drachtio-server tells of a WebSocket, which it takes for what is under it. */
const UNDER: Partial<Record<Protocol, string>> = { ws: 'tcp', wss: 'tls' };

/** What a request came over: its top Via tells a WebSocket (RFC 7118 5) from what the server may call it. */
export function protocolOf(request: Pick<Request, 'protocol' | 'get'>): Protocol {
  const told = (request.protocol || 'udp') as Protocol;
  const written = /^\s*SIP\s*\/\s*2\.0\s*\/\s*(wss?)\s/i.exec(request.get('Via') ?? '')?.[1]?.toLowerCase();
  const over = written as Protocol | undefined;
  return over !== undefined && UNDER[over] === told ? over : told;
}

/** The flow a request came over: what goes back down it reaches who sent it (RFC 5626). */
export function flowOf(request: Request): Binding['flow'] {
  return {
    protocol: protocolOf(request),
    address: request.source_address,
    port: Number(request.source_port),
  };
}
