import type { AddressInfo, Socket } from 'node:net';
import swagger from '@fastify/swagger';
import Fastify, { type FastifyBodyParser, type FastifyReply, type FastifyRequest } from 'fastify';
import {
  jsonSchemaTransform,
  jsonSchemaTransformObject,
  serializerCompiler,
  validatorCompiler,
  type ZodTypeProvider,
} from 'fastify-type-provider-zod';
import { FailedTokens, requireToken } from './authentication.ts';
import type { Http, HttpOptions } from './ports.ts';
import { errorHandler, notFoundHandler, rawProblem } from './problem.ts';
import { auditRoutes } from './routes/audit.ts';
import { companyRoutes } from './routes/company.ts';
import { directoryRoutes } from './routes/directory.ts';
import { emergencyRoutes } from './routes/emergencies.ts';
import { guestRoutes } from './routes/guests.ts';
import { healthRoutes } from './routes/health.ts';
import { hostRoutes } from './routes/hosts.ts';
import { type Api, scoped } from './routes/route.ts';
import { userRoutes } from './routes/users.ts';
import { webhookRoutes } from './routes/webhooks.ts';
import { OPENAPI_WEBHOOKS } from './webhook-schemas.ts';

export type { Http, HttpLog, HttpOptions, HttpServices, Readiness } from './ports.ts';

const MAX_BODY_BYTES = 16 * 1024;
const REQUEST_TIMEOUT_MS = 15_000;
const IDLE_TIMEOUT_MS = 30_000;
const MAX_CONNECTIONS = 500;

const OPENAPI = {
  openapi: '3.1.0',
  info: {
    title: 'Hotdesk',
    description: 'Administration of Hotdesk. Errors are RFC 9457 problems.',
    version: '1',
  },
  components: { securitySchemes: { bearer: { type: 'http' as const, scheme: 'bearer' } } },
  security: [{ bearer: [] }],
};

/** The schemas without their `…Input` twins, which only bodies would need; and what we send to webhooks. */
const transformObject: typeof jsonSchemaTransformObject = (document) => {
  const object = jsonSchemaTransformObject(document) as { components: { schemas: Record<string, unknown> } };
  const schemas = Object.entries(object.components.schemas).filter(([name]) => !name.endsWith('Input'));
  const components = { ...object.components, schemas: Object.fromEntries(schemas) };
  return { ...object, components, webhooks: OPENAPI_WEBHOOKS } as never;
};

function clientError(error: NodeJS.ErrnoException, socket: Socket): void {
  const status = { ERR_HTTP_REQUEST_TIMEOUT: 408, HPE_HEADER_OVERFLOW: 431 }[error.code ?? ''] ?? 400;
  if (socket.writable && error.code !== 'ECONNRESET') socket.end(rawProblem(status));
  else socket.destroy();
}

function harden(_request: FastifyRequest, reply: FastifyReply, done: () => void): void {
  reply.headers({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
  done();
}

/** Clients that always name a type send no body all the same; where one is needed, its schema says so. */
function emptyOr(parse: FastifyBodyParser<string>): FastifyBodyParser<string> {
  return (request, body, done) => (body === '' ? done(null, undefined) : parse(request, body, done));
}

function createApp({ log }: HttpOptions) {
  const onError = errorHandler(log);
  const app = Fastify({
    logger: false,
    bodyLimit: MAX_BODY_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionTimeout: IDLE_TIMEOUT_MS,
    forceCloseConnections: 'idle',
    clientErrorHandler: clientError,
    frameworkErrors: (error, request, reply) => void onError(error, request, reply as FastifyReply),
  }).withTypeProvider<ZodTypeProvider>();
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.setErrorHandler(onError);
  app.setNotFoundHandler(notFoundHandler);
  app.addContentTypeParser(
    'application/json',
    { parseAs: 'string' },
    emptyOr(app.getDefaultJsonParser('error', 'error')),
  );
  app.addHook('onRequest', harden);
  app.server.maxConnections = MAX_CONNECTIONS;
  return app;
}

function administration(api: Api, { services, adminToken, now }: HttpOptions): void {
  api.addHook('onRequest', requireToken(adminToken, new FailedTokens(now)));
  companyRoutes(api, services);
  hostRoutes(api, services);
  userRoutes(api, services);
  guestRoutes(api, services);
  directoryRoutes(api, services);
  webhookRoutes(api, services);
  auditRoutes(api, services);
  emergencyRoutes(api, services);
}

async function addRoutes(app: Api, options: HttpOptions): Promise<void> {
  await app.register(swagger, {
    openapi: OPENAPI,
    transform: jsonSchemaTransform,
    transformObject,
  });
  healthRoutes(app, options.services);
  await app.register(
    scoped((api) => administration(api, options)),
    { prefix: '/api/v1' },
  );
  // Open to all: it holds no data, and tools fetch it without a token.
  app.get('/api/v1/openapi.json', { schema: { hide: true } }, () => app.swagger());
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
