import type { HttpServices } from '../ports.ts';
import { sendProblem, statusProblem } from '../problem.ts';
import * as schemas from '../schemas.ts';
import type { Api } from './route.ts';

/** For supervisors and load balancers: no token, nothing but yes and no. */
export function healthRoutes(api: Api, services: HttpServices): void {
  const liveness = {
    summary: 'The process lives',
    tags: ['health'],
    security: [],
    response: { 200: schemas.live },
  };
  api.get('/healthz', { schema: liveness }, () => ({ alive: true as const }));

  const readiness = {
    summary: 'Every part can do its work',
    tags: ['health'],
    security: [],
    response: {
      200: schemas.ready,
      503: {
        description: 'Not ready.',
        content: { 'application/problem+json': { schema: schemas.notReady } },
      },
    },
  };
  api.get('/readyz', { schema: readiness }, async (_request, reply) => {
    const { store, sip, media } = services.readiness();
    const parts = { store, sip, media };
    const missing = Object.entries(parts).flatMap(([name, isReady]) => (isReady ? [] : [name]));
    if (missing.length === 0) return reply.send({ ready: true, ...parts });
    return sendProblem(reply, { ...statusProblem(503, `Not ready: ${missing.join(', ')}.`), ...parts });
  });
}
