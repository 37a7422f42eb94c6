import { useState } from 'preact/hooks';
import { ApiError, send } from '../api/client.ts';
import type { User } from '../api/types.ts';
import { navigate } from '../app/router.ts';
import { account, mayChange, siteName } from '../app/session.ts';
import { useForm } from '../app/use-form.ts';
import { texts } from '../texts.ts';
import { Card, Facts } from '../ui/bits.tsx';
import { Button } from '../ui/button.tsx';
import { Confirm, Dialog, Notice } from '../ui/dialog.tsx';
import { CheckField } from '../ui/fields.tsx';
import { done } from '../ui/toast.tsx';
import {
  bodyOf,
  draftOf,
  inWords,
  missingIn,
  mistakesIn,
  NumberFields,
  WhoFields,
} from './person-fields.tsx';

const words = texts.person;

interface DetailsProps {
  readonly user: User;
  readonly onChange: (user: User) => void;
}

/** Profile › Details: who somebody is, Edit, and Remove. */
export function DetailsCard({ user, onChange }: DetailsProps) {
  const [open, setOpen] = useState(false);
  const { name, numbers, callerId, email, site, plan } = user;
  const list = (texts_: readonly string[]) => texts_.join(', ') || texts.common.none;
  return (
    <Card
      title={texts.user.about}
      aside={
        mayChange.value && (
          <Button icon="pencil" onClick={() => setOpen(true)}>
            {words.edit}
          </Button>
        )
      }
    >
      <Facts
        rows={[
          [texts.user.name, name],
          [texts.users.columns.extension, user.extension],
          [texts.user.numbers, list(numbers)],
          [texts.user.callerId, callerId || texts.common.none],
          [texts.user.email, email ?? texts.common.none],
          [texts.user.site, siteName(site)],
          [texts.user.plan, texts.user.plans[plan]],
        ]}
      />
      {open && (
        <EditDialog
          user={user}
          onClose={() => setOpen(false)}
          onSaved={(changed) => {
            onChange(changed);
            setOpen(false);
          }}
        />
      )}
    </Card>
  );
}

interface EditProps {
  readonly user: User;
  readonly onClose: () => void;
  readonly onSaved: (user: User) => void;
}

function EditDialog({ user, onClose, onSaved }: EditProps) {
  const [draft, setDraft] = useState(() => draftOf(user));
  const [isUsed, setUsed] = useState(false);
  const [release, setRelease] = useState(false);
  const { element, mistakes, problem, busy, onSubmit } = useForm({
    check: () => missingIn(draft),
    fieldsOf(failure) {
      if (failure instanceof ApiError && failure.problem.reason === 'associationRunning') setUsed(true);
      return mistakesIn(failure);
    },
    look: words.look,
    async send() {
      const body = { ...bodyOf(draft), ...(release && { release }) };
      const changed = await send<User>('PATCH', `/users/${encodeURIComponent(user.extension)}`, body);
      done(words.saved(changed.name));
      onSaved(changed);
    },
  });
  const actions = (
    <>
      <Button onClick={onClose}>{texts.common.cancel}</Button>
      <Button kind="primary" type="submit" form="edit-person" busy={busy}>
        {texts.common.save}
      </Button>
    </>
  );
  return (
    <Dialog title={words.edit} onClose={onClose} actions={actions}>
      <form ref={element} class="form" id="edit-person" noValidate onSubmit={onSubmit}>
        <WhoFields isNew={false} draft={draft} mistakes={mistakes} onChange={setDraft} />
        <NumberFields draft={draft} mistakes={mistakes} onChange={setDraft} />
        {problem !== '' && <Notice kind="danger">{problem}</Notice>}
        {isUsed && <CheckField label={words.release} checked={release} onChange={setRelease} />}
      </form>
    </Dialog>
  );
}

/** Removing somebody: asked twice while they are logged in. */
export function RemoveCard({ user }: { readonly user: User }) {
  const [asking, setAsking] = useState(false);
  const [release, setRelease] = useState(false);
  const { association, name } = user;
  if (!mayChange.value || account.value?.extension === user.extension) return null;
  const remove = async (): Promise<void> => {
    if (association && !release) throw new ApiError({ status: 422, title: words.removeTick });
    const path = `/users/${encodeURIComponent(user.extension)}${release ? '?release=true' : ''}`;
    await inWords(send('DELETE', path), words.removeInUse);
    done(words.removed(name));
    navigate('/users');
  };
  const where = association?.host.nickname || association?.host.id;
  const text = (
    <>
      <p>{words.removeText}</p>
      {where && <CheckField label={words.removeRelease(where)} checked={release} onChange={setRelease} />}
    </>
  );
  return (
    <Card title={words.remove} lead={words.removeLead}>
      <Button icon="trash" onClick={() => setAsking(true)}>
        {words.remove}
      </Button>
      {asking && (
        <Confirm
          danger
          title={words.removeConfirm(name)}
          text={text}
          action={words.remove}
          onConfirm={remove}
          onClose={() => setAsking(false)}
        />
      )}
    </Card>
  );
}
