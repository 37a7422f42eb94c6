import { useState } from 'preact/hooks';
import { send } from '../api/client.ts';
import type { TotpSecret } from '../api/types.ts';
import { account, readSession } from '../app/session.ts';
import { texts } from '../texts.ts';
import { Card, Pill } from '../ui/bits.tsx';
import { Button } from '../ui/button.tsx';
import { Dialog, Notice } from '../ui/dialog.tsx';
import { TextField } from '../ui/fields.tsx';
import { QrCode } from '../ui/qr-code.tsx';
import { SecretText } from '../ui/secret.tsx';
import { done } from '../ui/toast.tsx';
import { proofProblem } from './proof-problem.ts';

const words = texts.myAccount;

/** Codes of an authenticator app: switched on by a code, off by password and code. */
export function CodesCard() {
  const [open, setOpen] = useState<'on' | 'off'>();
  const isOn = account.value?.totp === true;
  const close = (): void => setOpen(undefined);
  return (
    <Card
      title={words.codes}
      lead={words.codesLead}
      aside={
        <Pill tone={isOn ? 'ok' : 'quiet'} icon={isOn ? 'shield' : 'circle'}>
          {isOn ? words.codesOn : words.codesOff}
        </Pill>
      }
    >
      <Button kind={isOn ? 'plain' : 'primary'} icon="shield" onClick={() => setOpen(isOn ? 'off' : 'on')}>
        {isOn ? words.switchOff : words.switchOn}
      </Button>
      {open === 'on' && <SwitchOn onClose={close} />}
      {open === 'off' && <SwitchOff onClose={close} />}
    </Card>
  );
}

interface Asked {
  readonly title: string;
  readonly button: string;
  readonly danger?: boolean;
  readonly withCode: boolean;
  readonly text: string;
  readonly onProof: (proof: { readonly password: string; readonly code?: string }) => Promise<void>;
  readonly onClose: () => void;
}

/** Who it is, once more. */
function Proof({ title, button, danger = false, withCode, text, onProof, onClose }: Asked) {
  const [password, setPassword] = useState('');
  const [code, setCode] = useState('');
  const [problem, setProblem] = useState('');
  const [busy, setBusy] = useState(false);
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    setProblem('');
    try {
      await onProof({ password, ...(withCode && { code }) });
    } catch (error) {
      setProblem(proofProblem(error));
      setBusy(false);
    }
  };
  const actions = (
    <>
      <Button onClick={onClose}>{texts.common.cancel}</Button>
      <Button
        {...{ type: 'submit', form: 'proof-form', busy, kind: danger ? 'danger' : 'primary' }}
        disabled={password === '' || (withCode && code.trim() === '')}
      >
        {button}
      </Button>
    </>
  );
  return (
    <Dialog title={title} onClose={onClose} actions={actions}>
      <p>{text}</p>
      <form id="proof-form" class="form" noValidate onSubmit={(event) => void submit(event)}>
        <TextField
          {...{ name: 'password', label: texts.signIn.password, value: password, autoFocus: true }}
          type="password"
          autocomplete="current-password"
          onInput={setPassword}
        />
        {withCode && (
          <TextField
            {...{ name: 'code', label: texts.signIn.code, value: code, short: true, inputMode: 'numeric' }}
            autocomplete="one-time-code"
            onInput={setCode}
          />
        )}
      </form>
      {problem !== '' && <Notice kind="danger">{problem}</Notice>}
    </Dialog>
  );
}

function SwitchOn({ onClose }: { readonly onClose: () => void }) {
  const [secret, setSecret] = useState<TotpSecret>();
  if (secret) return <Confirmation secret={secret} onClose={onClose} />;
  return (
    <Proof
      {...{ title: words.onTitle, button: words.goOn, withCode: false, text: words.onText, onClose }}
      onProof={async (proof) => setSecret(await send<TotpSecret>('POST', '/session/totp', proof))}
    />
  );
}

function SwitchOff({ onClose }: { readonly onClose: () => void }) {
  const off = async (proof: object): Promise<void> => {
    await send('POST', '/session/totp/removal', proof);
    await readSession();
    done(words.offDone);
    onClose();
  };
  return (
    <Proof
      {...{ title: words.offTitle, button: words.switchOff, danger: true, withCode: true, onClose }}
      text={words.offText}
      onProof={off}
    />
  );
}

interface ConfirmationProps {
  readonly secret: TotpSecret;
  readonly onClose: () => void;
}

/** The app gets the secret, and shows that it has it. */
function Confirmation({ secret, onClose }: ConfirmationProps) {
  const [code, setCode] = useState('');
  const [error, setError] = useState('');
  const [busy, setBusy] = useState(false);
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    try {
      await send('PUT', '/session/totp', { code });
      await readSession();
      done(words.onDone);
      onClose();
    } catch (failure) {
      setError(proofProblem(failure));
      setBusy(false);
    }
  };
  const actions = (
    <>
      <Button onClick={onClose}>{texts.common.cancel}</Button>
      <Button type="submit" form="code-form" kind="primary" busy={busy} disabled={code.trim() === ''}>
        {words.switchOn}
      </Button>
    </>
  );
  return (
    <Dialog title={words.scanTitle} onClose={onClose} actions={actions}>
      <p>{words.scan}</p>
      <div class="qr-box">
        <QrCode text={secret.uri} label={words.qrLabel} />
      </div>
      <p class="muted small">{words.typeInstead}</p>
      <SecretText label={words.secret} value={secret.secret.replace(/(.{4})(?=.)/g, '$1 ')} />
      <form id="code-form" class="form" noValidate onSubmit={(event) => void submit(event)}>
        <TextField
          {...{ name: 'code', label: words.enterCode, hint: texts.signIn.codeHint, value: code, error }}
          short
          inputMode="numeric"
          autocomplete="one-time-code"
          autoFocus
          onInput={(value) => {
            setCode(value);
            setError('');
          }}
        />
      </form>
    </Dialog>
  );
}
