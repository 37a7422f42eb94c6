import { z } from 'zod';
import { about, address, filled, network, oneOf, port, text, whole } from './config-words.ts';

/** As the domain knows them. */
const ROLES = ['administrator', 'siteAdministrator', 'readOnly', 'user'] as const;
const CREATION_EXAMPLE = {
  roleClaim: 'groups',
  roles: { 'hotdesk-administrators': 'administrator', staff: 'readOnly' },
};
const OIDC_EXAMPLE = {
  name: 'Example Ltd',
  issuer: 'https://login.example',
  clientId: 'hotdesk',
  clientSecret: 'the-secret-of-the-client',
};

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/** TLS, but for what stays on this machine. */
function isSafeUrl(value: string): boolean {
  if (!URL.canParse(value)) return false;
  const { protocol, hostname, username, search, hash } = new URL(value);
  if (username !== '' || search !== '' || hash !== '') return false;
  return protocol === 'https:' || (protocol === 'http:' && LOOPBACK.test(hostname));
}

const creation = z.strictObject({
  roleClaim: filled().meta(about('Claim that says which role somebody gets: a text, or a list of texts.')),
  roles: z
    .record(z.string(), oneOf(...ROLES), { error: 'expected a role for each value of the claim' })
    .meta(about('Role for each value of it; the first that fits. Nobody without one gets an account.')),
  sitesClaim: z
    .exactOptional(filled())
    .meta(about('Claim with site ids, of a site administrator and of who may only read.', 'sites')),
  extensionClaim: z.exactOptional(filled()).meta(about('Claim with the extension of a user.', 'extension')),
});

const oidc = z.strictObject({
  name: filled().default('your organisation').meta(about('Its name, on the button of the sign-in page.')),
  issuer: text('an https:// address', isSafeUrl).meta(about('Issuer, as its discovery document says.')),
  clientId: filled().meta(about('Client id this server has there.')),
  clientSecret: z
    .exactOptional(filled())
    .meta(about('Its secret. Absent: a public client, by PKCE alone.', 'the-secret-of-the-client')),
  scopes: z
    .array(text('a scope', /^[\x21\x23-\x5b\x5d-\x7e]+$/), { error: 'expected a list of scopes' })
    .refine((scopes) => scopes.includes('openid'), { error: 'expected openid among them' })
    .default(['openid', 'email', 'profile'])
    .meta(about('What is asked for.')),
  match: oneOf('email', 'subject')
    .default('email')
    .meta(
      about(
        'Whose account it is: by an e-mail address the provider has verified, or by its subject, which an administrator writes into the account.',
      ),
    ),
  create: z
    .exactOptional(creation)
    .meta(about('Makes accounts for who has none. Absent: they are not let in.', CREATION_EXAMPLE)),
});

/** Where the admin API is, and who may use it without an account. */
export const http = z.strictObject({
  host: address().default('127.0.0.1').meta(about('Address to bind for the admin API.')),
  port: port().default(8080).meta(about('Port to bind; 0 lets the system choose.')),
  adminToken: z
    .exactOptional(text('at least 16 characters of A-Z a-z 0-9 - . _ ~ + / =', /^(?=.{16,})[\w.~+/-]+=*$/))
    .meta(
      about(
        'Bearer token of the administrator. Absent: one is made and kept in the data folder.',
        'at-least-16-characters',
      ),
    ),
  publicUrl: z
    .exactOptional(
      text(
        'an address such as https://hotdesk.example',
        (value) => isSafeUrl(value) && /^[^/]+\/\/[^/]+\/?$/.test(value),
      ),
    )
    .meta(about('Address of the portal as browsers know it.', 'https://hotdesk.example')),
  oidc: z
    .exactOptional(oidc)
    .meta(
      about(
        'Sign-in at an identity provider (OpenID Connect), beside passwords. It sends browsers back to /api/v1/provider/callback.',
        OIDC_EXAMPLE,
      ),
    ),
  requestsPerMinute: whole(60, 1_000_000)
    .default(6000)
    .meta(
      about('Requests of one account or token a minute; five times as many of one address. More get 429.'),
    ),
  connectionsPerSource: whole(10, 1_000)
    .default(200)
    .meta(
      about(
        'Connections one address may have open, of 1000 in all. Trusted proxies may have more: behind one an address is everybody.',
      ),
    ),
  trustedProxies: z
    .array(network(), { error: 'expected a list of addresses and networks' })
    .default([])
    .meta(
      about('Proxies in front of this server, whose X-Forwarded-For and X-Forwarded-Proto are believed.'),
    ),
});
