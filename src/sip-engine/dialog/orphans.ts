/** What becomes of the work of an application whose connection is gone. */

import type { App } from './app.ts';
import { answerByEngine } from './closing.ts';
import type { Core } from './core.ts';
import { endDialog } from './dialog-life.ts';
import { byeByEngine } from './engine-bye.ts';
import { holdCancel } from './new-request.ts';

/**
 * Answers what it left open with 503 (so that peers try another server), cancels what it was calling, and ends
 * its dialogs after a short grace in which another application may take them over.
 */
export function appClosed(core: Core, app: App): void {
  for (const request of core.serverRequests.all()) {
    if (request.app === app) answerByEngine(core, request, { status: 503 });
  }
  for (const request of core.clientRequests.values()) {
    if (request.app !== app || request.method !== 'INVITE' || !request.tx) continue;
    request.cancelled = true;
    if (request.proceeding) core.transactions.cancel(request.tx, []);
    else holdCancel(request, request.tx, []);
  }
  const grace = core.clock.setTimer(core.limits.orphanGraceMs, () => {
    core.graces.delete(grace);
    endOrphans(core, app);
  });
  core.graces.add(grace);
}

function endOrphans(core: Core, app: App): void {
  for (const dialog of core.dialogs.all()) {
    // An early one ends with its INVITE.
    if (dialog.app !== app || dialog.state === 'early') continue;
    if (dialog.kind === 'INVITE') byeByEngine(core, dialog, 'application is gone');
    else endDialog(core, dialog);
  }
}
