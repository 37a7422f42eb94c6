import { useState } from 'preact/hooks';
import { friendly, send } from '../api/client.ts';
import type { User } from '../api/types.ts';
import { isPerson, mayChange } from '../app/session.ts';
import { texts } from '../texts.ts';
import { Card } from '../ui/bits.tsx';
import { Button } from '../ui/button.tsx';
import { Notice } from '../ui/dialog.tsx';
import { Switch, TextField } from '../ui/fields.tsx';
import { done, failed } from '../ui/toast.tsx';
import { type Mistakes, mistakesIn } from './person-fields.tsx';

const words = texts.calls;

interface CardProps {
  readonly user: User;
  readonly onChange: (user: User) => void;
}

const typed = (text: string): string | null => (text.trim() === '' ? null : text.replace(/[\s().-]/g, ''));

/** Features › Calls and voicemail: people set their forwarding, administrators the mailbox too. */
export function CallsCard({ user, onChange }: CardProps) {
  const { forwarding, mailbox } = user;
  return (
    <Card title={words.title} lead={isPerson.value ? words.ownLead : words.lead}>
      <CallsForm
        key={[forwarding.always, forwarding.unanswered, mailbox].join()}
        user={user}
        onChange={onChange}
      />
    </Card>
  );
}

function CallsForm({ user, onChange }: CardProps) {
  const { forwarding } = user;
  const [always, setAlways] = useState(forwarding.always ?? '');
  const [unanswered, setUnanswered] = useState(forwarding.unanswered ?? '');
  const [mailbox, setMailbox] = useState(user.mailbox ?? '');
  const [mistakes, setMistakes] = useState<Mistakes>({});
  const [error, setError] = useState('');
  const [busy, setBusy] = useState(false);
  const may = mayChange.value || isPerson.value;
  const moved = typed(always) !== forwarding.always || typed(unanswered) !== forwarding.unanswered;
  const named = (mailbox.trim() || null) !== user.mailbox;

  const save = async (event: Event): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    setError('');
    setMistakes({});
    try {
      const body = {
        ...(moved && { forwarding: { always: typed(always), unanswered: typed(unanswered) } }),
        ...(named && { mailbox: mailbox.trim() || null }),
      };
      onChange(await send<User>('PATCH', `/users/${encodeURIComponent(user.extension)}/calls`, body));
      done(words.saved);
    } catch (failure) {
      const found = fieldsOf(failure);
      setMistakes(found);
      setError(Object.keys(found).length > 0 ? '' : friendly(failure));
    }
    setBusy(false);
  };

  return (
    <form class="form" noValidate onSubmit={(event) => void save(event)}>
      <TextField
        label={words.always}
        hint={words.hint}
        name="forward-always"
        maxLength={30}
        value={always}
        disabled={!may}
        error={mistakes.always}
        onInput={setAlways}
      />
      <TextField
        label={words.unanswered}
        hint={words.unansweredHint}
        name="forward-unanswered"
        maxLength={30}
        value={unanswered}
        disabled={!may}
        error={mistakes.unanswered}
        onInput={setUnanswered}
      />
      {mayChange.value && (
        <TextField
          label={words.mailbox}
          hint={words.mailboxHint}
          name="mailbox"
          maxLength={64}
          value={mailbox}
          error={mistakes.mailbox}
          onInput={setMailbox}
        />
      )}
      {error !== '' && <Notice kind="danger">{error}</Notice>}
      {may && (
        <div class="form-actions">
          <Button type="submit" kind="primary" busy={busy} disabled={!moved && !named}>
            {texts.common.save}
          </Button>
          {(moved || named) && <span class="muted">{texts.common.notSaved}</span>}
        </div>
      )}
    </form>
  );
}

/** `body.forwarding.always` is about that field. */
function fieldsOf(failure: unknown): Mistakes {
  const found = mistakesIn(failure, 'always');
  const { forwarding, ...others } = found;
  if (forwarding === undefined) return others;
  const text = JSON.stringify((failure as { problem?: { errors?: unknown } }).problem?.errors ?? '');
  return { ...others, [text.includes('forwarding.unanswered') ? 'unanswered' : 'always']: forwarding };
}

const keys = texts.keys;

/** Features › Guest In keys: an opt-in, as the PIN is then kept sealed besides. */
export function KeysCard({ user, onChange }: CardProps) {
  const [busy, setBusy] = useState(false);
  const { hotelingKeys, hotelingKeysReady } = user;
  if (!mayChange.value && !hotelingKeys) return null;
  const turn = async (wanted: boolean): Promise<void> => {
    setBusy(true);
    try {
      const body = { hotelingKeys: wanted };
      onChange(await send<User>('PATCH', `/users/${encodeURIComponent(user.extension)}`, body));
      done(wanted ? keys.turnedOn : keys.turnedOff);
    } catch (error) {
      failed(error);
    }
    setBusy(false);
  };
  return (
    <Card title={keys.title} lead={keys.lead}>
      <Switch
        label={keys.on}
        hint={keys.hint}
        checked={hotelingKeys}
        disabled={!mayChange.value || busy}
        onChange={(wanted) => void turn(wanted)}
      />
      {hotelingKeys && <Notice kind="info">{hotelingKeysReady ? keys.ready : keys.waiting}</Notice>}
    </Card>
  );
}
