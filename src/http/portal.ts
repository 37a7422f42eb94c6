import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Api } from './routes/route.ts';

/** The pages people see in a browser, as built from src/portal. They hold no data: that comes from the API. */

/** Paths of pages; one document shows them all (src/portal/app/app.tsx). Anything else is not found. */
export const PAGES = [
  '/',
  '/sign-in',
  '/setup',
  '/password',
  '/phones/:id',
  '/users',
  '/users/:id',
  '/users/:id/features',
  '/security/hot-desk-session-timeout',
];

/** Scripts and styles from files of our own only; nothing inline, no frames, no foreign forms. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join('; ');

const HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  'content-security-policy': POLICY,
  'cross-origin-opener-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=()',
  'referrer-policy': 'no-referrer',
};

/** Serves the pages from where they were built. False: there are none. */
export async function portalRoutes(api: Api, folder: string): Promise<boolean> {
  const document = await readFile(join(folder, 'index.html')).catch(() => undefined);
  if (document === undefined) return false;
  // Their names change with what is in them.
  await api.register(fastifyStatic, {
    root: join(folder, 'assets'),
    prefix: '/assets/',
    decorateReply: false,
    index: false,
    wildcard: false,
    cacheControl: true,
    immutable: true,
    maxAge: '365d',
    schemaHide: true,
  });
  const show = (_request: FastifyRequest, reply: FastifyReply): FastifyReply =>
    reply.headers(HEADERS).send(document);
  for (const path of PAGES) api.get(path, { schema: { hide: true } }, show);
  return true;
}
