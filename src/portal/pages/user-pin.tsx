import { useState } from 'preact/hooks';
import { send } from '../api/client.ts';
import type { User } from '../api/types.ts';
import { isPerson, mayChange } from '../app/session.ts';
import { texts } from '../texts.ts';
import { Card, Pill } from '../ui/bits.tsx';
import { Button } from '../ui/button.tsx';
import { Confirm, Dialog } from '../ui/dialog.tsx';
import { done, failed } from '../ui/toast.tsx';

const words = texts.pin;

function stateOf({ hasPasscode, passcodeOneTime }: User) {
  if (!hasPasscode)
    return {
      pill: words.hasNot,
      text: isPerson.value ? words.ownHasNotText : words.hasNotText,
      tone: 'warn',
      icon: 'alert',
    } as const;
  if (passcodeOneTime)
    return {
      pill: words.oneTime,
      text: isPerson.value ? words.ownOneTimeText : words.oneTimeText,
      tone: 'quiet',
      icon: 'clock',
    } as const;
  const text = isPerson.value ? words.ownHasText : words.hasText;
  return { pill: words.has, text, tone: 'ok', icon: 'check' } as const;
}

/** The PIN: give a one-time one, unlock. Its digits are shown once and kept nowhere. */
export function PinCard({ user, reload }: { readonly user: User; readonly reload: () => void }) {
  const [asking, setAsking] = useState(false);
  const [shown, setShown] = useState('');
  const path = `/users/${encodeURIComponent(user.extension)}`;
  const state = stateOf(user);
  const give = async (): Promise<void> => {
    const { passcode } = await send<{ passcode: string }>('POST', `${path}/passcode`);
    setShown(passcode);
    reload();
  };
  const unlock = async (): Promise<void> => {
    try {
      await send('POST', `${path}/unlock`);
      done(words.unlocked(user.name));
    } catch (error) {
      failed(error);
    }
  };
  return (
    <Card
      title={words.title}
      lead={isPerson.value ? words.ownLead : words.lead}
      aside={
        <Pill tone={state.tone} icon={state.icon}>
          {state.pill}
        </Pill>
      }
    >
      <p class="card-text muted">{state.text}</p>
      {mayChange.value && (
        <>
          <div class="form-actions">
            <Button icon="key" onClick={() => setAsking(true)}>
              {words.give}
            </Button>
            <Button icon="unlock" onClick={() => void unlock()}>
              {words.unlock}
            </Button>
          </div>
          <p class="muted small">{words.unlockText}</p>
        </>
      )}
      {asking && (
        <Confirm
          title={words.giveConfirm(user.name)}
          text={<p>{words.giveText}</p>}
          action={words.give}
          onConfirm={give}
          onClose={() => setAsking(false)}
        />
      )}
      {shown !== '' && <PinDialog name={user.name} pin={shown} onClose={() => setShown('')} />}
    </Card>
  );
}

interface PinDialogProps {
  readonly name: string;
  readonly pin: string;
  readonly onClose: () => void;
}

/** A PIN, this once. */
export function PinDialog({ name, pin, onClose }: PinDialogProps) {
  const [copied, setCopied] = useState(false);
  const copy = (): void => {
    // Without permission it is there to read and type.
    navigator.clipboard?.writeText(pin).then(
      () => setCopied(true),
      () => setCopied(false),
    );
  };
  const actions = (
    <>
      <Button icon={copied ? 'check' : 'copy'} onClick={copy}>
        {copied ? texts.common.copied : texts.common.copy}
      </Button>
      <Button kind="primary" onClick={onClose}>
        {texts.common.close}
      </Button>
    </>
  );
  return (
    <Dialog title={words.shown(name)} onClose={onClose} actions={actions}>
      <p class="pin-digits">{pin}</p>
      <p>{words.shownText}</p>
    </Dialog>
  );
}
