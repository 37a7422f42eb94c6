import { useState } from 'preact/hooks';
import { get, send } from '../api/client.ts';
import { useLive } from '../api/live.ts';
import type { ApiToken, NewApiToken } from '../api/types.ts';
import { actorOf } from '../app/sentences.ts';
import { siteName } from '../app/session.ts';
import { clock, fullTime, now } from '../app/time.ts';
import { useLoad } from '../app/use-load.ts';
import { texts } from '../texts.ts';
import { Empty, Failed, Head, Pill } from '../ui/bits.tsx';
import { Button } from '../ui/button.tsx';
import { Confirm, Dialog, Notice } from '../ui/dialog.tsx';
import { SecretText } from '../ui/secret.tsx';
import { type Column, Table } from '../ui/table.tsx';
import { done } from '../ui/toast.tsx';
import { TokenDialog } from './token-form.tsx';

const words = texts.tokens;
/** Time to make another before it ends. */
const SOON_MS = 14 * 24 * 3_600_000;

const COLUMNS: readonly Column<ApiToken>[] = [
  {
    key: 'name',
    title: words.columns.name,
    render: ({ name, createdBy, createdAt }) => (
      <span class="stack">
        <span class="person-name">{name}</span>
        <span class="muted small">{words.made(actorOf({ actor: createdBy }), clock(createdAt))}</span>
      </span>
    ),
  },
  {
    key: 'scopes',
    title: words.columns.scopes,
    render: ({ scopes }) => (
      <span class="pills">
        {scopes.map((scope) => (
          <Pill
            key={scope}
            tone={scope === 'write' ? 'warn' : 'quiet'}
            icon={scope === 'read' ? 'eye' : 'pencil'}
          >
            {words.scopes[scope].name}
          </Pill>
        ))}
      </span>
    ),
  },
  {
    key: 'sites',
    title: words.columns.sites,
    render: ({ sites }) => (sites === null ? texts.common.allSites : sites.map(siteName).join(', ')),
  },
  { key: 'expiry', title: words.columns.expiry, render: ({ expiresAt }) => <Expiry at={expiresAt} /> },
];

function Expiry({ at }: { readonly at: string | null }) {
  if (at === null) return <span class="muted">{words.never}</span>;
  const left = Date.parse(at) - now.value;
  if (left <= 0)
    return (
      <Pill tone="danger" icon="off">
        {words.expired}
      </Pill>
    );
  if (left > SOON_MS) return <span>{clock(at)}</span>;
  return (
    <Pill tone="warn" icon="clock">
      {clock(at)}
    </Pill>
  );
}

type Open =
  | { readonly kind: 'add' }
  | { readonly kind: 'made'; readonly made: NewApiToken }
  | { readonly kind: 'remove'; readonly token: ApiToken };

/** More › API tokens: programs that use the API. */
export function TokensPage() {
  const [open, setOpen] = useState<Open>();
  const list = useLoad('tokens', (signal) => get<{ tokens: readonly ApiToken[] }>('/tokens', signal));
  useLive(['directory'], list.reload);
  const tokens = list.data?.tokens;
  const isEmpty = tokens?.length === 0;
  const add = (
    <Button kind="primary" icon="plus" onClick={() => setOpen({ kind: 'add' })}>
      {words.add}
    </Button>
  );
  return (
    <>
      <Head title={words.title} lead={words.lead} aside={isEmpty ? undefined : add} />
      {list.error && !list.data && <Failed text={list.error} onRetry={list.reload} />}
      {isEmpty && (
        <Empty icon="key" {...words.empty}>
          {add}
        </Empty>
      )}
      {!isEmpty && !(list.error && !list.data) && (
        <Table
          label={words.title}
          columns={COLUMNS}
          rows={tokens}
          keyOf={({ id }) => id}
          nameOf={({ name }) => name}
          stale={list.loading && list.data !== undefined}
          rowAction={(token) => (
            <Button
              small
              icon="trash"
              label={words.removeLabel(token.name)}
              onClick={() => setOpen({ kind: 'remove', token })}
            >
              {words.remove}
            </Button>
          )}
        />
      )}
      {open && (
        <Opened open={open} onOpen={setOpen} onClose={() => setOpen(undefined)} reload={list.reload} />
      )}
    </>
  );
}

interface OpenedProps {
  readonly open: Open;
  readonly onOpen: (open: Open) => void;
  readonly onClose: () => void;
  readonly reload: () => void;
}

function Opened({ open, onOpen, onClose, reload }: OpenedProps) {
  if (open.kind === 'add') {
    const made = (token: NewApiToken): void => {
      reload();
      onOpen({ kind: 'made', made: token });
    };
    return <TokenDialog onMade={made} onClose={onClose} />;
  }
  if (open.kind === 'made') return <MadeDialog key="made" {...open} onClose={onClose} />;
  const { id, name } = open.token;
  const remove = async (): Promise<void> => {
    await send('DELETE', `/tokens/${encodeURIComponent(id)}`);
    reload();
    done(words.removed(name));
  };
  return (
    <Confirm
      title={words.removeTitle(name)}
      text={<p>{words.removeText}</p>}
      action={words.remove}
      danger
      onConfirm={remove}
      onClose={onClose}
    />
  );
}

function MadeDialog({ made, onClose }: { readonly made: NewApiToken; readonly onClose: () => void }) {
  const { token, secret } = made;
  const actions = (
    <Button kind="primary" onClick={onClose}>
      {texts.common.close}
    </Button>
  );
  return (
    <Dialog title={words.madeTitle(token.name)} onClose={onClose} actions={actions}>
      <p>{words.madeText}</p>
      <SecretText label={words.secret} value={secret} />
      <pre class="code-block">
        <code>{`Authorization: Bearer ${secret.slice(0, 8)}…`}</code>
      </pre>
      <Notice kind="warn">
        {token.expiresAt === null ? words.madeForEver : words.madeUntil(fullTime(token.expiresAt))}
      </Notice>
    </Dialog>
  );
}
