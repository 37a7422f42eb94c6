import { useState } from 'preact/hooks';
import { Button } from '../ui/button.tsx';
import { TextField } from '../ui/fields.tsx';
import { Icon, Mark } from '../ui/icons.tsx';
import type { PhoneIdentity } from './about.ts';
import { elsewhere } from './seats.ts';
import { texts } from './texts.ts';

const words = texts.plugIn;

export interface Offered extends PhoneIdentity {
  /** Beside its name in the list. */
  readonly hint: string;
}

interface PlugInProps {
  /** Undefined: one has to know a phone and its password. */
  readonly phones: readonly Offered[] | undefined;
  readonly wanted: string | undefined;
  readonly onChosen: (phone: PhoneIdentity) => void;
}

/** Which phone this is to be. */
export function PlugIn({ phones, wanted, onChosen }: PlugInProps) {
  return (
    <div class="plug-in">
      <Mark size={44} />
      <h1>{words.title}</h1>
      <p class="muted">{words.lead}</p>
      {phones ? (
        <Choice phones={phones} wanted={wanted} onChosen={onChosen} />
      ) : (
        <Credentials onChosen={onChosen} />
      )}
      <p class="small muted plug-in-note">
        <Icon name="alert" size={16} />
        <span>{words.microphone}</span>
      </p>
    </div>
  );
}

function Choice({ phones, wanted, onChosen }: PlugInProps & { readonly phones: readonly Offered[] }) {
  const taken = elsewhere.value;
  const [picked, pick] = useState<string | undefined>(wanted);
  const first = phones.find(({ id }) => !taken.has(id)) ?? phones[0];
  const chosen = phones.find(({ id }) => id === picked) ?? first;
  return (
    <form
      class="plug-in-form"
      onSubmit={(event) => {
        event.preventDefault();
        if (chosen) onChosen(chosen);
      }}
    >
      <fieldset class="phone-choice">
        <legend class="strong small">{words.which}</legend>
        {phones.map(({ id, nickname, hint, model }) => (
          <label key={id} class="phone-option">
            <input
              type="radio"
              name="phone"
              value={id}
              checked={id === chosen?.id}
              onChange={() => pick(id)}
            />
            <span class="phone-option-text">
              <strong>{nickname}</strong>
              <span class="small muted">
                {hint} · {model}
              </span>
            </span>
            {taken.has(id) && <span class="phone-taken small">{words.taken}</span>}
          </label>
        ))}
      </fieldset>
      <Button type="submit" kind="primary">
        {words.submit}
      </Button>
    </form>
  );
}

function Credentials({ onChosen }: Pick<PlugInProps, 'onChosen'>) {
  const [id, setId] = useState('');
  const [password, setPassword] = useState('');
  const [isChecked, setChecked] = useState(false);
  const submit = (event: Event): void => {
    event.preventDefault();
    setChecked(true);
    const phone = id.trim();
    if (phone === '' || password === '') return;
    const unknown = { model: '', ownerName: undefined, timeZone: undefined };
    onChosen({ ...unknown, id: phone, password, nickname: phone, kind: 'commonArea' });
  };
  return (
    <form class="plug-in-form" onSubmit={submit} noValidate>
      <TextField
        {...{ label: words.id, hint: words.idHint, value: id, name: 'phone-id', autocomplete: 'off' }}
        error={isChecked && id.trim() === '' ? words.missingId : undefined}
        onInput={setId}
      />
      <TextField
        {...{ label: words.password, hint: words.passwordHint, value: password, name: 'phone-secret' }}
        type="password"
        autocomplete="off"
        error={isChecked && password === '' ? words.missingPassword : undefined}
        onInput={setPassword}
      />
      <Button type="submit" kind="primary">
        {words.submit}
      </Button>
    </form>
  );
}
