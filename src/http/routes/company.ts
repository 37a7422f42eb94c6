import type { Directory } from '../../domain/directory.ts';
import { isRefusal } from '../../domain/reasons.ts';
import type { CompanyChange } from '../../services/company-change.ts';
import { heldLicences } from '../../services/person-rules.ts';
import * as guestSchemas from '../guest-schemas.ts';
import type { HttpServices } from '../ports.ts';
import { ifMatch, ifTagOf, tag } from '../preconditions.ts';
import { presentCompany } from '../present.ts';
import { actorOf } from '../principal.ts';
import { problemsProblem, refuse, sendProblem } from '../problem.ts';
import * as schemas from '../schemas.ts';
import { type Api, describe, factsOf } from './route.ts';

/** The company: read it, and set how long people may stay at common area phones (A4) and what else goes with it. */
export function companyRoutes(api: Api, services: HttpServices): void {
  api.get('/company', describe('Read the company', { 200: schemas.company }), async (_request, reply) => {
    const facts = factsOf(services);
    if (isRefusal(facts)) return refuse(reply, facts);
    tag(reply, facts.directory.company);
    return reply.send(presentCompany(facts.directory.company));
  });

  const given = { headers: ifMatch, body: schemas.companyChange };
  const change = describe('Change settings of the company', { 200: schemas.company }, given);
  api.patch('/company', change, async (request, reply) => {
    const facts = factsOf(services);
    if (isRefusal(facts)) return refuse(reply, facts);
    const { directory } = services;
    const change = changeOf(request.body);
    const result = await directory.updateCompany(change, actorOf(request), ifTagOf(request));
    if (isRefusal(result)) return sendProblem(reply, problemsProblem(result, 'company.'));
    tag(reply, result);
    return reply.send(presentCompany(result));
  });

  const count = describe('Count licences: assigned and available', { 200: guestSchemas.licences });
  api.get('/company/licences', count, async (_request, reply) => {
    const facts = factsOf(services);
    return isRefusal(facts) ? refuse(reply, facts) : reply.send(licencesOf(facts.directory));
  });
}

/** null clears what may be absent. */
function changeOf({
  idleLimitMinutes: idle,
  voicePortal,
  voicemailNumber,
  ...rest
}: schemas.CompanyChangeBody): CompanyChange {
  return {
    ...rest,
    ...(idle === undefined ? {} : { idleLimitMinutes: idle ?? undefined }),
    ...(voicePortal === undefined ? {} : { voicePortal: voicePortal ?? undefined }),
    ...(voicemailNumber === undefined ? {} : { voicemailNumber: voicemailNumber ?? undefined }),
  };
}

function licencesOf({ company, users }: Directory) {
  const held = heldLicences(users.values());
  const { hotDeskLicences, addOnLicences } = company;
  return {
    hotDesk: licence(hotDeskLicences, held.hotDesk),
    host: licence(addOnLicences.host, held.host),
    guest: licence(addOnLicences.guest, held.guest),
  };
}

/** More may be assigned than there are by now. */
function licence(total: number, assigned: number) {
  return { total, assigned, available: Math.max(0, total - assigned) };
}
