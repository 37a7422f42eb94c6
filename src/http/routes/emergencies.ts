import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { CivicAddress } from '../../domain/directory.ts';
import { isRefusal } from '../../domain/reasons.ts';
import type { EmergencyOverview } from '../../services/emergency-notices/emergency-notices.ts';
import * as schemas from '../emergency-schemas.ts';
import { maySeeSite } from '../policy.ts';
import type { HttpServices } from '../ports.ts';
import { actorOf, principalOf } from '../principal.ts';
import { refuse } from '../problem.ts';
import { type Api, describe } from './route.ts';

/** Emergency calls: open, and of the last 24 hours. Listed also while the store is away. */
export function emergencyRoutes(api: Api, { emergencies }: Pick<HttpServices, 'emergencies'>): void {
  const list = describe('List emergency calls: open ones, and those of the last 24 hours', {
    200: schemas.emergencies,
  });
  api.get('/emergencies', list, async (request, reply) => {
    const found = await emergencies.list();
    const own = found.emergencies.filter(({ record }) => maySeeSite(principalOf(request), record.site));
    return reply.send({ emergencies: own.map(present), complete: found.complete });
  });

  const acknowledge = describe(
    'Say that somebody has seen an emergency call; the first stays',
    { 200: schemas.emergency },
    { params: schemas.emergencyPath },
  );
  api.post('/emergencies/:id/acknowledgement', acknowledge, async (request, reply) => {
    if (!(await maySee(emergencies, request))) return refuse(reply, { refused: 'unknownEmergency' });
    const found = await emergencies.acknowledge(request.params.id, actorOf(request));
    return isRefusal(found) ? refuse(reply, found) : reply.send(present(found));
  });
}

/** Whether the call is at a site of theirs. Who has all sites need not be asked. */
async function maySee(
  emergencies: HttpServices['emergencies'],
  request: FastifyRequest<{ Params: { readonly id: string } }>,
): Promise<boolean> {
  const principal = principalOf(request);
  if (principal.sites === 'all') return true;
  const { emergencies: all } = await emergencies.list();
  return all.some(({ record }) => record.id === request.params.id && maySeeSite(principal, record.site));
}

function present({
  record,
  open,
  stages,
  acknowledged,
  deliveries,
}: EmergencyOverview): z.output<typeof schemas.emergency> {
  const { id, number, host, nickname, site, callbackNumber, address, guest, addressUnverified } = record;
  return {
    id,
    number,
    at: iso(record.at),
    open,
    callbackUntil: iso(record.callbackUntil),
    callbackNumber: callbackNumber ?? null,
    host: host === undefined ? null : { id: host, nickname: nickname ?? null },
    site: site ?? null,
    guest: guest ? { ...guest } : null,
    address: address ? presentAddress(address) : null,
    addressUnverified,
    stages: stages.map(({ stage, at }) => ({ stage, at: iso(at) })),
    acknowledged: acknowledged ? { by: acknowledged.by, at: iso(acknowledged.at) } : null,
    notices: deliveries.map(({ problem = null, ...delivery }) => ({ ...delivery, problem })),
  };
}

function presentAddress({ state, floor, room, ...address }: CivicAddress) {
  return { ...address, state: state ?? null, floor: floor ?? null, room: room ?? null };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
