import type { NumberPlan } from '../domain/view.ts';
import type { LocalView } from '../services/local-view.ts';
import type { SharedState } from '../services/shared-state.ts';
import { Lines } from '../sip/calls/lines.ts';
import { DialogPackage, userOfResource } from '../sip/events/dialog.ts';
import type { EventPackage } from '../sip/events/package.ts';
import { PersonLines } from '../sip/events/person-lines.ts';
import { nodeNameOf } from './events.ts';
import type { Running } from './running.ts';

interface Needs {
  readonly view: LocalView;
  readonly shared: SharedState;
  readonly numberPlan: NumberPlan;
}

export interface DialogParts {
  /** For calls to keep up to date. */
  readonly lines: Lines;
  readonly pack: EventPackage;
}

/** Busy-lamp keys: who is on the phone, wherever they sit and whichever node carries the call. */
export async function startDialogPackage(
  running: Running,
  { view, shared, numberPlan }: Needs,
): Promise<DialogParts> {
  const { clock, log, config } = running;
  const lines = new Lines(log);
  const people = await running.up(
    new PersonLines({
      ...{ lines, view, shared, clock, log, node: nodeNameOf(running) },
      extensionOf: (resource) =>
        view.directory && userOfResource(resource, view.directory, numberPlan)?.extension,
    }),
  );
  return { lines, pack: new DialogPackage({ people, view, numberPlan, domain: config.sip.domain }) };
}
