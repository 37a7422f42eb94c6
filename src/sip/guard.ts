import type { Request, Response } from './srf.ts';

/** Extensions we understand when a request demands them (RFC 3261 8.2.2.3). */
const SUPPORTED = new Set(['100rel', 'timer', 'replaces', 'path', 'outbound', 'gruu', 'norefersub']);

export const ALLOW =
  'INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, NOTIFY, PRACK, REFER, REGISTER, SUBSCRIBE, UPDATE';
export const SUPPORTED_HEADER = '100rel, path, replaces, timer';

/**
 * What RFC 3261 8.2 leaves to the user agent core: 416, 420, 415, 406. Sends the answer and returns true when the
 * request goes no further. Emergency calls never come here.
 */
export function refuseUnacceptable(request: Request, response: Response): boolean {
  const problem =
    unknownScheme(request) ?? unknownExtension(request) ?? unknownBody(request) ?? unknownAccept(request);
  if (!problem) return false;
  response.send(problem.status, { headers: problem.headers });
  return true;
}

interface Problem {
  readonly status: number;
  readonly headers: Record<string, string>;
}

function unknownScheme(request: Request): Problem | undefined {
  return /^(sips?|tel|urn):/i.test(request.uri) ? undefined : { status: 416, headers: {} };
}

function unknownExtension(request: Request): Problem | undefined {
  const wanted = [...tokens(request.get('Require')), ...tokens(request.get('Proxy-Require'))];
  const unknown = wanted.filter((token) => !SUPPORTED.has(token.toLowerCase()));
  return unknown.length === 0 ? undefined : { status: 420, headers: { Unsupported: unknown.join(', ') } };
}

function unknownBody(request: Request): Problem | undefined {
  if (request.method !== 'INVITE' || request.body === '' || request.body === undefined) return undefined;
  const type = (request.get('Content-Type') ?? '').split(';')[0]?.trim().toLowerCase();
  const encoding = request.get('Content-Encoding') ?? 'identity';
  if (type === 'application/sdp' && encoding === 'identity') return undefined;
  return { status: 415, headers: { Accept: 'application/sdp', 'Accept-Encoding': 'identity' } };
}

function unknownAccept(request: Request): Problem | undefined {
  const accept = request.get('Accept');
  if (request.method !== 'INVITE' || accept === undefined) return undefined;
  const types = tokens(accept).map((type) => type.split(';')[0]?.trim().toLowerCase());
  const fits = types.some((type) => type === 'application/sdp' || type === 'application/*' || type === '*/*');
  return fits ? undefined : { status: 406, headers: { Accept: 'application/sdp' } };
}

function tokens(value: string | undefined): string[] {
  return (value ?? '')
    .split(',')
    .map((token) => token.trim())
    .filter((token) => token !== '');
}
