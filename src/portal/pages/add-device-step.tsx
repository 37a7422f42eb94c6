import type { Catalogue } from '../api/types.ts';
import { navigate } from '../app/router.ts';
import { texts } from '../texts.ts';
import { Button } from '../ui/button.tsx';
import type { Draft, Step } from './add-device-draft.ts';

/** What the steps of Add device share. */

export interface StepProps {
  readonly draft: Draft;
  readonly catalogue: Catalogue;
}

export function pathOf(step: Step): string {
  return step === 'phones' ? '/phones/add' : `/phones/add?step=${step}`;
}

export function goTo(step: Step): void {
  navigate(pathOf(step));
}

interface FootProps {
  readonly before?: Step;
  readonly action?: string;
  readonly busy?: boolean;
}

/** The way back, and on. */
export function StepFoot({ before, action = texts.addDevice.next, busy = false }: FootProps) {
  return (
    <div class="step-foot">
      {before && (
        <Button icon="left" onClick={() => goTo(before)}>
          {texts.common.back}
        </Button>
      )}
      <Button type="submit" kind="primary" busy={busy}>
        {action}
      </Button>
    </div>
  );
}
