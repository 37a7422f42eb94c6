import { useEffect } from 'preact/hooks';
import type { ReadyPhones } from '../api/types.ts';
import { saveFile } from '../app/save-file.ts';
import { texts } from '../texts.ts';
import { Card, Head } from '../ui/bits.tsx';
import { Button } from '../ui/button.tsx';
import { Notice } from '../ui/dialog.tsx';
import { Icon } from '../ui/icons.tsx';
import { type Column, Table } from '../ui/table.tsx';
import { done } from '../ui/toast.tsx';
import { csvRow, harmless } from './assign-list.ts';
import { withColons } from './mac.ts';

const words = texts.assign;

type Ready = ReadyPhones['phones'][number];

function copy({ host, sipPassword }: Ready): void {
  const name = host.nickname || host.id;
  // Without permission it is there to be selected.
  navigator.clipboard?.writeText(sipPassword).then(
    () => done(words.copied(name)),
    () => done(words.notCopied),
  );
}

function csvOf(phones: readonly Ready[]): string {
  const rows = phones.map(({ host, sipPassword }) => [
    harmless(host.nickname),
    host.mac === null ? '' : withColons(host.mac),
    host.id,
    sipPassword,
  ]);
  return [words.csvHead, ...rows].map(csvRow).join('');
}

const COLUMNS: readonly Column<Ready>[] = [
  {
    key: 'phone',
    title: words.passwordColumns.phone,
    render: ({ host }) => <strong>{host.nickname}</strong>,
  },
  {
    key: 'mac',
    title: words.passwordColumns.mac,
    render: ({ host }) => <code>{host.mac === null ? texts.common.none : withColons(host.mac)}</code>,
  },
  { key: 'user', title: words.passwordColumns.user, render: ({ host }) => <code>{host.id}</code> },
  {
    key: 'password',
    title: words.passwordColumns.password,
    render: ({ sipPassword }) => <code class="sip-password">{sipPassword}</code>,
  },
];

/** The passwords of phones that are new. They are in this page's memory alone, and gone with it. */
export function SipPasswords({ ready }: { readonly ready: ReadyPhones }) {
  const { order, phones } = ready;
  useEffect(() => {
    const warn = (event: BeforeUnloadEvent): void => event.preventDefault();
    window.addEventListener('beforeunload', warn);
    return () => window.removeEventListener('beforeunload', warn);
  }, []);
  return (
    <>
      <Head key="passwords" title={words.doneTitle(phones.length)} />
      <div class="form">
        <Notice kind="warn">{words.doneText}</Notice>
        <Card
          title={words.passwordsLabel}
          aside={
            <Button icon="download" onClick={() => saveFile(words.fileName(order.number), csvOf(phones))}>
              {words.download}
            </Button>
          }
        >
          <Table
            label={words.passwordsLabel}
            columns={COLUMNS}
            rows={phones}
            keyOf={({ host }) => host.id}
            nameOf={({ host }) => host.nickname}
            rowAction={(phone) => (
              <Button small icon="copy" label={words.copy(phone.host.nickname)} onClick={() => copy(phone)}>
                {texts.common.copy}
              </Button>
            )}
          />
        </Card>
        <div class="step-bar">
          <a class="button primary" href={`/orders/${encodeURIComponent(order.id)}`}>
            <Icon name="check" size={18} />
            <span>{words.finish}</span>
          </a>
        </div>
      </div>
    </>
  );
}
