import type { WebPhoneFacts } from '../../services/web-phones.ts';
import type { HttpServices } from '../ports.ts';
import { sendProblem, statusProblem } from '../problem.ts';
import * as schemas from '../web-phone-schemas.ts';
import { type Api, describe } from './route.ts';

/** For the phone in the browser, before anybody is signed in: a desk phone asks for no account either. */
export function webPhoneRoutes(api: Api, { webPhones }: Pick<HttpServices, 'webPhones'>): void {
  const { schema } = describe('Where phones in browsers connect', { 200: schemas.webPhone });
  api.get('/web-phone', { schema: { ...schema, security: [] } }, async (_request, reply) => {
    const facts = webPhones.about();
    if (facts) return reply.send(present(facts));
    const detail = webPhones.url === undefined ? 'The phone in the browser is switched off.' : undefined;
    return sendProblem(reply, statusProblem(detail === undefined ? 503 : 404, detail));
  });
}

function present({ demo, emergencyNumbers, ...plain }: WebPhoneFacts) {
  const phones = demo?.phones.map(({ host, timeZone = null, password }) => {
    const { id, nickname, model, kind, owner = null } = host;
    return { ...{ id, nickname, model, kind, owner }, timeZone, password };
  });
  const offered = demo && phones ? { phones, people: [...demo.people] } : null;
  return { ...plain, emergencyNumbers: [...emergencyNumbers], demo: offered };
}
