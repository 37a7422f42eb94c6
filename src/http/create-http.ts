import { isUtf8 } from 'node:buffer';
import type { AddressInfo } from 'node:net';
import cookie from '@fastify/cookie';
import swagger from '@fastify/swagger';
import Fastify, { type FastifyBodyParser, type FastifyReply } from 'fastify';
import {
  jsonSchemaTransform,
  jsonSchemaTransformObject,
  serializerCompiler,
  validatorCompiler,
  type ZodTypeProvider,
} from 'fastify-type-provider-zod';
import { authenticate } from './authentication.ts';
import { boundConnections } from './connections.ts';
import { clientError, refuseOdd, requireHost } from './odd-requests.ts';
import { requireNamed, requirePermission } from './permission.ts';
import { portalRoutes } from './portal.ts';
import type { Http, HttpOptions } from './ports.ts';
import { errorHandler, notFoundHandler } from './problem.ts';
import {
  failuresOf,
  type Limits,
  limitPrincipal,
  limitSource,
  limitsOf,
  type MinuteCounts,
} from './rate-limit.ts';
import { accountRoutes } from './routes/accounts.ts';
import { auditRoutes } from './routes/audit.ts';
import { companyRoutes } from './routes/company.ts';
import { directoryRoutes } from './routes/directory.ts';
import { emergencyRoutes } from './routes/emergencies.ts';
import { eventRoutes } from './routes/events.ts';
import { guestRoutes } from './routes/guests.ts';
import { healthRoutes } from './routes/health.ts';
import { hostRoutes } from './routes/hosts.ts';
import { listRoutes } from './routes/lists.ts';
import { orderRoutes } from './routes/orders.ts';
import { ownSessionRoutes } from './routes/own-sessions.ts';
import { peopleRoutes } from './routes/people.ts';
import { peopleImportRoutes } from './routes/people-import.ts';
import { phoneRoutes } from './routes/phones.ts';
import { providerRoutes } from './routes/provider.ts';
import { type Api, scoped } from './routes/route.ts';
import { entranceRoutes, sessionRoutes } from './routes/session.ts';
import { siteRoutes } from './routes/sites.ts';
import { tokenRoutes } from './routes/tokens.ts';
import { usageRoutes } from './routes/usage.ts';
import { userRoutes } from './routes/users.ts';
import { webPhoneRoutes } from './routes/web-phone.ts';
import { webhookRoutes } from './routes/webhooks.ts';
import { refuseForeign } from './same-origin.ts';
import { harden } from './security-headers.ts';
import { nameNoStrangers } from './strangers.ts';
import { OPENAPI_WEBHOOKS } from './webhook-schemas.ts';

export type { Http, HttpLog, HttpOptions, HttpServices, Readiness } from './ports.ts';

const MAX_BODY_BYTES = 16 * 1024;
const HEAD_TIMEOUT_MS = 15_000;
/** An import of 30 MB over 2 Mbit/s. */
const REQUEST_TIMEOUT_MS = 120_000;
const IDLE_TIMEOUT_MS = 30_000;
const CONNECTIONS_PER_SOURCE = 200;
const REQUESTS_PER_MINUTE = 6_000;

const OPENAPI = {
  openapi: '3.1.0',
  info: {
    title: 'Hotdesk',
    description: 'Administration of Hotdesk. Errors are RFC 9457 problems.',
    version: '1',
  },
  components: {
    securitySchemes: {
      bearer: { type: 'http' as const, scheme: 'bearer' },
      session: { type: 'apiKey' as const, in: 'cookie', name: '__Host-hotdesk' },
    },
  },
  security: [{ bearer: [] }, { session: [] }],
};

type Paths = Readonly<
  Record<string, Record<string, { readonly requestBody?: { readonly content: Record<string, object> } }>>
>;

/** A file is text, though it comes to its route in the shape of the JSON beside it. */
function withCsv(paths: Paths): Paths {
  for (const { requestBody } of Object.values(paths).flatMap((item) => Object.values(item)))
    if (requestBody?.content['text/csv']) requestBody.content['text/csv'] = { schema: { type: 'string' } };
  return paths;
}

/** The schemas without their `…Input` twins, which only bodies would need; and what we send to webhooks. */
const transformObject: typeof jsonSchemaTransformObject = (document) => {
  const object = jsonSchemaTransformObject(document) as { components: { schemas: Record<string, unknown> } };
  const schemas = Object.entries(object.components.schemas).filter(([name]) => !name.endsWith('Input'));
  const components = { ...object.components, schemas: Object.fromEntries(schemas) };
  const paths = withCsv((object as unknown as { readonly paths: Paths }).paths);
  return { ...object, paths, components, webhooks: OPENAPI_WEBHOOKS } as never;
};

/**
 * Clients that always name a type send no body all the same; where one is needed, its schema says so. Letters in another
 * code would be lost one by one: JSON is UTF-8 (RFC 8259 8.1).
 */
function emptyOr(parse: FastifyBodyParser<string>): FastifyBodyParser<Buffer> {
  return (request, body, done) => {
    if (body.length === 0) return done(null, undefined);
    if (isUtf8(body)) return parse(request, body.toString(), done);
    return done(Object.assign(new Error('the body is not UTF-8'), { statusCode: 400 }));
  };
}

function createApp(options: HttpOptions) {
  const { log, now, trustedProxies = [], idleMs = IDLE_TIMEOUT_MS } = options;
  const { requestMs = REQUEST_TIMEOUT_MS, connectionsPerSource = CONNECTIONS_PER_SOURCE } = options;
  const headMs = Math.min(requestMs, HEAD_TIMEOUT_MS);
  const onError = errorHandler(log);
  const app = Fastify({
    logger: false,
    bodyLimit: MAX_BODY_BYTES,
    trustProxy: trustedProxies.length > 0 ? [...trustedProxies] : false,
    requestTimeout: requestMs,
    connectionTimeout: idleMs,
    keepAliveTimeout: idleMs,
    // Whoever sends a byte now and then is never idle; looked for this often, as Node does only every 30 s by itself.
    http: {
      headersTimeout: headMs,
      requestTimeout: requestMs,
      connectionsCheckingInterval: headMs / 3,
      requireHostHeader: false,
    },
    forceCloseConnections: 'idle',
    clientErrorHandler: clientError,
    // No hook has seen these.
    frameworkErrors: (error, request, reply) => {
      harden(request, reply as FastifyReply, () => undefined);
      onError(error, request, reply as FastifyReply);
    },
  }).withTypeProvider<ZodTypeProvider>();
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.setErrorHandler(onError);
  // A form of any other site can send this.
  app.removeContentTypeParser('text/plain');
  app.addContentTypeParser(
    'application/json',
    { parseAs: 'buffer' },
    emptyOr(app.getDefaultJsonParser('error', 'error')),
  );
  app.addHook('onRequest', harden);
  app.addHook('onRequest', requireHost);
  refuseOdd(app.server);
  boundConnections(app.server, { perSource: connectionsPerSource, trustedProxies, log, now });
  return app;
}

interface Guarded extends HttpOptions {
  readonly failed: MinuteCounts;
  readonly limits: Limits;
}

/** Everything here needs somebody whom the policy lets. */
function administration(api: Api, { services, adminToken, failed, limits }: Guarded): void {
  api.addHook('onRequest', authenticate({ adminToken, failed, services }));
  api.addHook('onRequest', limitPrincipal(limits));
  api.addHook('onRequest', requirePermission(services));
  api.addHook('preHandler', requireNamed(services));
  api.addHook('preSerialization', nameNoStrangers(services));
  sessionRoutes(api, services);
  ownSessionRoutes(api, services);
  accountRoutes(api, services);
  tokenRoutes(api, services);
  companyRoutes(api, services);
  listRoutes(api, services);
  hostRoutes(api, services);
  phoneRoutes(api, services);
  orderRoutes(api, services);
  userRoutes(api, services);
  peopleRoutes(api, services);
  peopleImportRoutes(api, services);
  siteRoutes(api, services);
  guestRoutes(api, services);
  directoryRoutes(api, services);
  webhookRoutes(api, services);
  auditRoutes(api, services);
  usageRoutes(api, services);
  emergencyRoutes(api, services);
  eventRoutes(api, services);
}

/** Signing in, and what leads there. */
function entrance(api: Api, guarded: Guarded): void {
  api.addHook('onRequest', refuseForeign);
  entranceRoutes(api, guarded);
  providerRoutes(api, guarded);
  webPhoneRoutes(api, guarded.services);
}

async function addRoutes(app: Api, options: HttpOptions): Promise<void> {
  const { now, requestsPerMinute: perMinute = REQUESTS_PER_MINUTE } = options;
  const limits = limitsOf({ now, perMinute });
  app.addHook('onRequest', limitSource(limits));
  await app.register(cookie);
  await app.register(swagger, {
    openapi: OPENAPI,
    transform: jsonSchemaTransform,
    transformObject,
  });
  healthRoutes(app, options.services);
  const guarded = { ...options, limits, failed: failuresOf(now) };
  await app.register(
    scoped((api) => administration(api, guarded)),
    { prefix: '/api/v1' },
  );
  await app.register(
    scoped((api) => entrance(api, guarded)),
    { prefix: '/api/v1' },
  );
  // Open to all: it holds no data, and tools fetch it without a token.
  app.get('/api/v1/openapi.json', { schema: { hide: true } }, () => app.swagger());
  const { portalFolder: folder, services } = options;
  const webPhone = services.webPhones.url;
  const hasPages = folder !== undefined && (await portalRoutes(app, { folder, webPhone }));
  if (!hasPages) app.setNotFoundHandler(notFoundHandler);
}

/** The HTTP edge: administration under `/api/v1` (OpenAPI 3.1 at `/api/v1/openapi.json`), `/healthz`, `/readyz`. */
export function createHttp(options: HttpOptions): Http {
  const app = createApp(options);
  return {
    async start() {
      await addRoutes(app, options);
      await app.listen({ host: options.host, port: options.port });
      const { address: host, port } = app.server.address() as AddressInfo;
      return { host, port };
    },
    stop: () => app.close(),
  };
}
