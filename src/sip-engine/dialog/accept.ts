import type { ServerTransaction } from '../transaction/transaction-layer.ts';
import type { App } from './app.ts';
import { answerByEngine } from './closing.ts';
import { type Core, newTag } from './core.ts';
import { giveUp } from './invite-answer.ts';
import type { ServerRequest } from './server-request.ts';

/** Opens the books on a request that goes to an application; it has a deadline from now on. */
export function accept(
  core: Core,
  options: { tx: ServerTransaction; app: App; size: number; id: string; dialog?: ServerRequest['dialog'] },
): ServerRequest {
  const { tx, app, size, id, dialog } = options;
  const request: ServerRequest = {
    id,
    tx,
    app,
    size,
    method: tx.request.method,
    inDialog: dialog !== undefined,
    localTag: dialog?.localTag ?? newTag(),
    dialog,
    answered: undefined,
    silence: undefined,
    reliable: undefined,
    update: undefined,
  };
  const { silentMs, silentInviteMs } = core.limits;
  request.silence = core.clock.setTimer(request.method === 'INVITE' ? silentInviteMs : silentMs, () =>
    appIsSilent(core, request),
  );
  tx.onTerminated = () => {
    request.silence?.cancel();
    core.serverRequests.remove(request);
  };
  core.serverRequests.add(request);
  return request;
}

/** The network gets an answer even if the application never gives one. */
function appIsSilent(core: Core, request: ServerRequest): void {
  core.counters.appSilent++;
  core.log('warn', 'the application did not answer', { method: request.method });
  if (request.method === 'INVITE') return giveUp(core, request, 480);
  answerByEngine(core, request, { status: request.method === 'BYE' ? 200 : 480 });
}
