import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { notFoundHandler } from './problem.ts';
import type { Api } from './routes/route.ts';
import { pageHeaders } from './security-headers.ts';

/** The pages people see in a browser, as built from src/portal. They hold no data: that comes from the API. */

/** Paths of pages; one document shows them all (src/portal/app/app.tsx). Anything else is not found. */
export const PAGES = [
  '/',
  '/sign-in',
  '/setup',
  '/password',
  '/account',
  '/accounts',
  '/tokens',
  '/phones',
  '/phones/:id',
  '/phones/:id/unassign',
  '/phones/:id/convert',
  '/phones/:id/assign',
  '/orders',
  '/orders/:id',
  '/orders/:id/phones',
  '/users',
  '/users/:id',
  '/users/:id/features',
  '/users/:id/phone',
  '/security/hot-desk-session-timeout',
  '/audit',
  '/audit/changes',
  '/live',
  '/usage',
  '/emergencies',
  '/webhooks',
  '/webhooks/:id',
  '/company',
  '/sites',
  '/sites/:id',
  '/sites/:id/addresses',
];

export interface PortalOptions {
  readonly folder: string;
  /** WebSocket of phones in browsers; undefined: there is no such page. */
  readonly webPhone: string | undefined;
}

/** Serves the pages from where they were built, and what there is in the place of none. False: there are no pages. */
export async function portalRoutes(api: Api, { folder, webPhone }: PortalOptions): Promise<boolean> {
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
  for (const path of PAGES) addPage(api, path, { document });
  api.setNotFoundHandler(notFoundPage(document));
  const phone = await readFile(join(folder, 'phone.html')).catch(() => undefined);
  if (phone !== undefined && webPhone !== undefined) {
    const headers = pageHeaders({ connect: [webPhone], microphone: true });
    addPage(api, '/phone', { document: phone, headers });
  }
  return true;
}

/** What is for programs, and says so in the words of programs. */
const NO_PAGES = /^\/(api|assets)([/?]|$)/;

/** An address that leads nowhere: whoever typed it into a browser gets the page that says so, with its menu. */
function notFoundPage(document: Buffer) {
  return (request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const { method, headers, url } = request;
    const isBrowser = (headers.accept ?? '').includes('text/html');
    const isRead = method === 'GET' || method === 'HEAD';
    if (!isBrowser || !isRead || NO_PAGES.test(url)) return notFoundHandler(request, reply);
    return reply.code(404).type('text/html; charset=utf-8').send(document);
  };
}

interface Page {
  readonly document: Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

function addPage(api: Api, path: string, { document, headers = {} }: Page): void {
  const show = (_request: FastifyRequest, reply: FastifyReply): FastifyReply =>
    reply.headers(headers).type('text/html; charset=utf-8').send(document);
  api.get(path, { schema: { hide: true } }, show);
}
