import { createHash, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';

/** A small OpenID Connect provider (authorization code with PKCE), with the ways it can go wrong. */
export interface IdentityProvider {
  readonly issuer: string;
  /** Who signs in next, laid over `sub`, `iss`, `aud`, `iat`, `exp` and `nonce`. */
  claims: JWTPayload;
  /** Claims that only the userinfo endpoint tells. */
  userinfo: object | undefined;
  /** Signs with a key nobody knows. */
  forged: boolean;
  /** Answers nothing at all. */
  silent: boolean;
  /** Requests to each path so far. */
  readonly asked: string[];
  /** What a person does at the page `location`: signs in. The address they are sent back to. */
  authorize(location: string): Promise<URL>;
  stop(): Promise<void>;
}

export const CLIENT = { id: 'hotdesk-test', secret: 'secret-of-the-oidc-client' };

interface Code {
  readonly challenge: string;
  readonly redirectUri: string;
  readonly nonce: string;
}

type Answer = { readonly status?: number; readonly body?: object; readonly location?: string };

export async function startIdentityProvider(): Promise<IdentityProvider> {
  const { privateKey, publicKey } = await generateKeyPair('RS256');
  const stranger = await generateKeyPair('RS256');
  const keys = { keys: [{ ...(await exportJWK(publicKey)), kid: 'k1', alg: 'RS256', use: 'sig' }] };
  const codes = new Map<string, Code>();
  const server = createServer((request, response) => void serve(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const provider: IdentityProvider = {
    ...{ issuer, claims: {}, userinfo: undefined, forged: false, silent: false, asked: [] },
    async authorize(location) {
      const response = await fetch(location, { redirect: 'manual' });
      return new URL(response.headers.get('location') ?? '');
    },
    stop: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };

  function authorize(query: URLSearchParams): Answer {
    const code = randomUUID();
    const redirectUri = query.get('redirect_uri') ?? '';
    const challenge = query.get('code_challenge') ?? '';
    codes.set(code, { challenge, redirectUri, nonce: query.get('nonce') ?? '' });
    const back = new URL(redirectUri);
    back.search = new URLSearchParams({ code, state: query.get('state') ?? '', iss: issuer }).toString();
    return { status: 302, location: back.href };
  }

  async function token(form: URLSearchParams, authorization: string): Promise<Answer> {
    const known = codes.get(form.get('code') ?? '');
    codes.delete(form.get('code') ?? '');
    const challenge = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url');
    const [, basic = ''] = authorization.split(' ');
    // Either part is encoded (RFC 6749 2.3.1).
    const client = decodeURIComponent(Buffer.from(basic, 'base64').toString());
    const isRight = known?.challenge === challenge && known.redirectUri === form.get('redirect_uri');
    if (!known || !isRight || client !== `${CLIENT.id}:${CLIENT.secret}`)
      return { status: 400, body: { error: 'invalid_grant' } };
    const now = Math.floor(Date.now() / 1000);
    const standard = { iss: issuer, aud: CLIENT.id, iat: now, exp: now + 300, nonce: known.nonce, sub: 's1' };
    const signer = new SignJWT({ ...standard, ...provider.claims });
    signer.setProtectedHeader({ alg: 'RS256', kid: 'k1' });
    const id = await signer.sign(provider.forged ? stranger.privateKey : privateKey);
    return { body: { access_token: 'a', token_type: 'Bearer', expires_in: 300, id_token: id } };
  }

  async function answerTo(request: IncomingMessage): Promise<Answer> {
    const { pathname, searchParams } = new URL(request.url ?? '/', issuer);
    provider.asked.push(pathname);
    switch (pathname) {
      case '/.well-known/openid-configuration':
        return { body: metadata(issuer) };
      case '/keys':
        return { body: keys };
      case '/authorize':
        return authorize(searchParams);
      case '/token':
        return token(new URLSearchParams(await bodyOf(request)), request.headers.authorization ?? '');
      case '/userinfo':
        return { body: { sub: provider.claims.sub ?? 's1', ...provider.userinfo } };
      default:
        return { status: 404 };
    }
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (provider.silent) return;
    const { status = 200, body, location } = await answerTo(request);
    response.writeHead(status, { 'content-type': 'application/json', ...(location && { location }) });
    response.end(body && JSON.stringify(body));
  }
  return provider;
}

function metadata(issuer: string): object {
  return {
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    userinfo_endpoint: `${issuer}/userinfo`,
    jwks_uri: `${issuer}/keys`,
    response_types_supported: ['code'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256'],
    code_challenge_methods_supported: ['S256'],
    authorization_response_iss_parameter_supported: true,
  };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += chunk;
  return text;
}
