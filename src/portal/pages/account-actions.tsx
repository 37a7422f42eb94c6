import { useRef, useState } from 'preact/hooks';
import { send } from '../api/client.ts';
import type { AdministeredAccount, PasswordLink } from '../api/types.ts';
import { account as self } from '../app/session.ts';
import { fullTime } from '../app/time.ts';
import { texts } from '../texts.ts';
import { Button } from '../ui/button.tsx';
import { Confirm, Dialog, Notice } from '../ui/dialog.tsx';
import { Icon, type IconName } from '../ui/icons.tsx';
import { SecretText } from '../ui/secret.tsx';
import { done } from '../ui/toast.tsx';

const words = texts.accounts;

export type Action = keyof typeof words.actions;

const ICONS: Readonly<Record<Action, IconName>> = {
  reset: 'link',
  codes: 'unlock',
  signOut: 'logOut',
  disable: 'off',
  enable: 'check',
  remove: 'trash',
};

/** What can be done with this account. Nobody locks themselves out. */
function actionsFor({ id, disabled, totp }: AdministeredAccount): readonly Action[] {
  const isSelf = id === self.value?.id;
  return [
    ...(isSelf || disabled ? [] : (['reset'] as const)),
    ...(totp && !isSelf ? (['codes'] as const) : []),
    ...(isSelf || disabled ? [] : (['signOut'] as const)),
    ...(isSelf ? [] : ([disabled ? 'enable' : 'disable', 'remove'] as const)),
  ];
}

interface ManageProps {
  readonly account: AdministeredAccount;
  readonly onChoose: (action: Action | 'edit') => Promise<void> | void;
  readonly onClose: () => void;
}

export function ManageDialog({ account, onChoose, onClose }: ManageProps) {
  const choices = [
    { action: 'edit' as const, icon: 'pencil' as const, ...words.editChoice },
    ...actionsFor(account).map((action) => ({
      ...{ action, icon: ICONS[action], button: words.actions[action].button },
      text: words.actions[action].hint,
    })),
  ];
  const close = <Button onClick={onClose}>{texts.common.close}</Button>;
  return (
    <Dialog title={account.name} onClose={onClose} actions={close}>
      <p class="muted">{account.email}</p>
      <ul class="action-list">
        {choices.map(({ action, icon, button, text }) => (
          <li key={action}>
            <button
              type="button"
              class={action === 'remove' ? 'danger' : ''}
              onClick={() => void onChoose(action)}
            >
              <Icon name={icon} />
              <span class="stack">
                <strong>{button}</strong>
                <span class="muted small">{text}</span>
              </span>
            </button>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}

interface AskProps {
  readonly action: Action;
  readonly account: AdministeredAccount;
  readonly onClose: () => void;
  readonly reload: () => void;
}

/** What hurts is asked for once more. */
export function Ask({ action, account, onClose, reload }: AskProps) {
  const { id, name } = account;
  const path = `/accounts/${encodeURIComponent(id)}`;
  const [link, setLink] = useState<PasswordLink>();
  const isShown = useRef(false);
  const perform: Readonly<Record<Action, () => Promise<unknown>>> = {
    reset: async () => {
      setLink(await send<PasswordLink>('POST', `${path}/reset`));
      isShown.current = true;
    },
    codes: () => send('DELETE', `${path}/totp`),
    signOut: () => send('DELETE', `${path}/sessions`),
    disable: () => send('PATCH', path, { disabled: true }),
    enable: () => send('PATCH', path, { disabled: false }),
    remove: () => send('DELETE', path),
  };
  const text = words.actions[action];
  const confirm = async (): Promise<void> => {
    await perform[action]();
    reload();
    if (action !== 'reset') done(text.done(name));
  };
  if (link) return <LinkDialog key="link" name={name} link={link} onClose={onClose} />;
  return (
    <Confirm
      title={text.title(name)}
      text={<p>{text.text}</p>}
      action={text.button}
      danger={action === 'remove' || action === 'disable'}
      onConfirm={confirm}
      onClose={() => !isShown.current && onClose()}
    />
  );
}

interface LinkProps {
  readonly name: string;
  readonly link: PasswordLink;
  readonly onClose: () => void;
}

/** A link that is shown here and never again. */
export function LinkDialog({ name, link, onClose }: LinkProps) {
  const actions = (
    <Button kind="primary" onClick={onClose}>
      {texts.common.close}
    </Button>
  );
  return (
    <Dialog title={words.link.title(name)} onClose={onClose} actions={actions}>
      <p>{words.link.text}</p>
      <SecretText label={words.link.label} value={`${window.location.origin}${link.path}`} />
      <Notice kind="info">{words.link.until(fullTime(link.expiresAt))}</Notice>
    </Dialog>
  );
}
