import { useState } from 'preact/hooks';
import { get } from '../api/client.ts';
import { type AccountQuery, listAccounts } from '../api/lists.ts';
import { useLive } from '../api/live.ts';
import type { AdministeredAccount, NewAccount, PasswordLink } from '../api/types.ts';
import { account as self, siteName } from '../app/session.ts';
import { texts } from '../texts.ts';
import { Empty, Failed, Head, Pill } from '../ui/bits.tsx';
import { Button } from '../ui/button.tsx';
import { SearchBox } from '../ui/fields.tsx';
import { type Column, Table } from '../ui/table.tsx';
import { done, failed } from '../ui/toast.tsx';
import { type Action, Ask, LinkDialog, ManageDialog } from './account-actions.tsx';
import { AccountDialog } from './account-form.tsx';
import { Pages } from './hosts.tsx';
import { type ListState, PAGE_SIZE, useList, useListState, useTyped } from './use-list.ts';

const words = texts.accounts;

type Open =
  | { readonly kind: 'add' }
  | { readonly kind: 'manage'; readonly account: AdministeredAccount }
  | { readonly kind: 'edit'; readonly account: AdministeredAccount }
  | { readonly kind: 'link'; readonly name: string; readonly link: PasswordLink }
  | { readonly kind: 'confirm'; readonly action: Action; readonly account: AdministeredAccount };

const COLUMNS: readonly Column<AdministeredAccount>[] = [
  {
    key: 'name',
    title: words.columns.name,
    render: ({ id, name, email }) => (
      <span class="stack">
        <span class="person-name">
          {name} {id === self.value?.id && <span class="muted">{words.you}</span>}
        </span>
        <span class="muted small">{email}</span>
      </span>
    ),
  },
  { key: 'role', title: words.columns.role, render: ({ role }) => texts.account.roles[role] },
  { key: 'for', title: words.columns.for, render: (account) => whatFor(account) },
  { key: 'state', title: words.columns.state, render: (account) => <State account={account} /> },
];

function whatFor({ role, sites, extension }: AdministeredAccount): string {
  if (role === 'user') return texts.user.extension(extension ?? '');
  return sites === null ? texts.common.allSites : sites.map(siteName).join(', ');
}

function State({ account }: { readonly account: AdministeredAccount }) {
  const { disabled, hasPassword, linkExpiresAt, totp } = account;
  return (
    <span class="pills">
      {disabled ? (
        <Pill tone="danger" icon="off">
          {words.states.disabled}
        </Pill>
      ) : (
        <Pill tone={hasPassword ? 'ok' : 'warn'} icon={hasPassword ? 'check' : 'clock'}>
          {hasPassword
            ? words.states.active
            : words.states[linkExpiresAt === null ? 'noPassword' : 'invited']}
        </Pill>
      )}
      {totp && (
        <Pill tone="quiet" icon="shield">
          {words.states.codes}
        </Pill>
      )}
    </span>
  );
}

/** More › Accounts: who may sign in, and as what. */
export function AccountsPage() {
  const state = useListState(['q']);
  const [open, setOpen] = useState<Open>();
  const asked: AccountQuery = { q: state.value('q'), limit: PAGE_SIZE, cursor: state.cursor };
  const list = useList(JSON.stringify(asked), (signal) => listAccounts(asked, signal));
  useLive(['directory'], list.reload);
  const close = (): void => setOpen(undefined);
  const add = (
    <Button kind="primary" icon="plus" onClick={() => setOpen({ kind: 'add' })}>
      {words.add}
    </Button>
  );
  return (
    <>
      <Head title={words.title} lead={words.lead} aside={add} />
      <Tools state={state} />
      {list.error && !list.data && <Failed text={list.error} onRetry={list.reload} />}
      {list.data?.rows.length === 0 && <Nothing state={state} />}
      {!(list.error && !list.data) && list.data?.rows.length !== 0 && (
        <Table
          label={words.title}
          columns={COLUMNS}
          rows={list.data?.rows}
          keyOf={({ id }) => id}
          nameOf={({ name }) => name}
          stale={list.loading && list.data !== undefined}
          rowAction={(account) => (
            <Button
              small
              label={words.manage(account.name)}
              onClick={() => setOpen({ kind: 'manage', account })}
            >
              {words.manageShort}
            </Button>
          )}
        />
      )}
      {list.data && <Pages state={state} page={list.data} />}
      {open && <Opened open={open} onOpen={setOpen} onClose={close} reload={list.reload} />}
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
  const saved = (made: NewAccount | undefined): void => {
    reload();
    if (made) return onOpen({ kind: 'link', name: made.account.name, link: made.link });
    done(texts.common.saved);
    onClose();
  };
  const choose = (account: AdministeredAccount) => async (action: Action | 'edit') => {
    if (action !== 'edit') return onOpen({ kind: 'confirm', action, account });
    try {
      // As it is now: what is saved is held against what was read here.
      onOpen({ kind: 'edit', account: await get<AdministeredAccount>(`/accounts/${account.id}`) });
    } catch (error) {
      failed(error);
    }
  };
  switch (open.kind) {
    case 'add':
      return <AccountDialog onSaved={saved} onClose={onClose} />;
    case 'manage':
      return <ManageDialog account={open.account} onChoose={choose(open.account)} onClose={onClose} />;
    case 'edit':
      return <AccountDialog key={open.account.id} account={open.account} onSaved={saved} onClose={onClose} />;
    case 'link':
      return <LinkDialog key="link" name={open.name} link={open.link} onClose={onClose} />;
    case 'confirm':
      return <Ask {...open} onClose={onClose} reload={reload} />;
  }
}

function Tools({ state }: { readonly state: ListState }) {
  const [typed, type] = useTyped(state);
  return (
    <div class="tools">
      <SearchBox label={words.search} value={typed} onChange={type} />
    </div>
  );
}

function Nothing({ state }: { readonly state: ListState }) {
  if (!state.isNarrowed) return <Empty icon="users" {...words.empty} />;
  return (
    <Empty icon="search" {...words.found}>
      <Button kind="primary" onClick={state.clear}>
        {texts.common.clearFilters}
      </Button>
    </Empty>
  );
}
