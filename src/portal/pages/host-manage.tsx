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

function RemoveDialog({ host, onClose }: { readonly host: Host; readonly onClose: () => void }) {
  const name = host.nickname || host.id;
  const guest = host.association?.guest.name;
  const remove = async (): Promise<void> => {
    const query = guest === undefined ? '' : '?release=true';
    await send('DELETE', `/hosts/${encodeURIComponent(host.id)}${query}`);
    done(words.removed(name));
    navigate(listOf(host), { replace: true });
  };
  return (
    <Confirm
      title={words.removeTitle(name)}
      text={
        <>
          <p>{words.removeText}</p>
          {guest !== undefined && <Notice kind="warn">{words.removeBusy(guest)}</Notice>}
        </>
      }
      action={words.removeAction}
      danger
      onConfirm={remove}
      onClose={onClose}
    />
  );
}
