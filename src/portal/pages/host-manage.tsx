import { useState } from 'preact/hooks';
import { send } from '../api/client.ts';
import type { Host } from '../api/types.ts';
import { navigate } from '../app/router.ts';
import { texts } from '../texts.ts';
import { Card } from '../ui/bits.tsx';
import { Button } from '../ui/button.tsx';
import { Confirm, Notice } from '../ui/dialog.tsx';
import { Icon } from '../ui/icons.tsx';
import { done } from '../ui/toast.tsx';
import { listOf } from './host-parts.tsx';
import { releasing, somebodyElse } from './stay-meant.ts';

const words = texts.phoneEdit;

/** Unassign, Convert to hot desk phone, remove (rule A7). */
export function ManageCard({ host }: { readonly host: Host }) {
  const [removing, setRemoving] = useState(false);
  const path = `/phones/${encodeURIComponent(host.id)}`;
  return (
    <Card title={words.manage} lead={words.manageText[host.kind]}>
      <div class="form-actions">
        {host.kind === 'user' && (
          <a class="button plain" href={`${path}/unassign`}>
            <Icon name="user" size={18} />
            <span>{words.unassign}</span>
          </a>
        )}
        {host.kind === 'unassigned' && (
          <a class="button primary" href={`${path}/convert`}>
            <Icon name="desk" size={18} />
            <span>{words.convert}</span>
          </a>
        )}
        {host.kind !== 'user' && (
          <a class="button plain" href={`${path}/assign`}>
            <Icon name="user" size={18} />
            <span>{words.assign}</span>
          </a>
        )}
        <Button icon="trash" onClick={() => setRemoving(true)}>
          {words.remove}
        </Button>
      </div>
      {removing && <RemoveDialog host={host} onClose={() => setRemoving(false)} />}
    </Card>
  );
}

/** Names who would be logged out, and asks anew when somebody else has come since. */
function RemoveDialog({ host: given, onClose }: { readonly host: Host; readonly onClose: () => void }) {
  // What is asked does not change under whoever is about to say yes.
  const [{ host, isOther }, setQuestion] = useState({ host: given, isOther: false });
  const { id, association: stay } = host;
  const name = host.nickname || id;
  const remove = async (): Promise<void> => {
    const query = new URLSearchParams(Object.entries(releasing(stay)));
    try {
      await send('DELETE', `/hosts/${encodeURIComponent(id)}?${query.toString()}`);
    } catch (error) {
      const other = await somebodyElse(error, { id, stay });
      if (!other) throw error;
      return setQuestion({ host: other, isOther: true });
    }
    done(words.removed(name));
    onClose();
    navigate(listOf(host), { replace: true });
  };
  return (
    <Confirm
      // A question of its own: Cancel has the focus again.
      key={stay?.generation}
      title={words.removeTitle(name)}
      text={
        <>
          {isOther && <Notice kind="warn">{words.notRemoved}</Notice>}
          <p>{words.removeText}</p>
          {stay && <Notice kind="warn">{words.removeBusy(stay.guest.name)}</Notice>}
        </>
      }
      action={words.removeAction}
      danger
      staysOpen
      onConfirm={remove}
      onClose={onClose}
    />
  );
}
