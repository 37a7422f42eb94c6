import { useRef, useState } from 'preact/hooks';
import { ApiError, get } from '../api/client.ts';
import { type Mistakes, mistakesIn, NO_MISTAKES } from '../api/mistakes.ts';
import { assignPhones, orderPath } from '../api/orders.ts';
import type { Order, ReadyPhones } from '../api/types.ts';
import { freshKey } from '../app/fresh-key.ts';
import { mayChange } from '../app/session.ts';
import { useLoad } from '../app/use-load.ts';
import { texts } from '../texts.ts';
import { Card, Empty, Head } from '../ui/bits.tsx';
import { Button } from '../ui/button.tsx';
import { Notice } from '../ui/dialog.tsx';
import { AreaField } from '../ui/fields.tsx';
import { failed } from '../ui/toast.tsx';
import { type ListedPhone, phonesIn, type Room } from './assign-list.ts';
import { AssignPreview } from './assign-preview.tsx';
import { NotReady } from './not-ready.tsx';
import { leftOf } from './order-parts.tsx';
import { SipPasswords } from './sip-passwords.tsx';
import { useCatalogue } from './use-catalogue.ts';

const words = texts.assign;
const MOST_BYTES = 200_000;
const ORDERS = { href: '/orders', text: texts.order.back };

/** MAC addresses of the phones that have come: then they are known, and ready to be plugged in. */
export function AssignPhonesPage({ id }: { readonly id: string }) {
  const path = orderPath(id);
  const order = useLoad(path, (signal) => get<Order>(path, signal));
  const [ready, setReady] = useState<ReadyPhones>();
  const back = { href: path, text: texts.order.title(order.data?.number ?? id) };
  if (ready) return <SipPasswords ready={ready} />;
  if (!order.data) return <NotReady title={words.title} loaded={order} back={order.isGone ? ORDERS : back} />;
  const { state, kind, items, number } = order.data;
  const left = items.reduce((sum, item) => sum + leftOf(item), 0);
  const isOpen = mayChange.value && state === 'received' && kind === 'newPhones' && left > 0;
  return (
    <>
      <Head key="ready" title={words.title} lead={words.lead(number)} back={back} />
      {isOpen ? (
        <AssignForm order={order.data} onReady={setReady} />
      ) : (
        <Empty
          icon="box"
          title={words.title}
          text={state === 'received' && left === 0 ? words.all : words.notYet}
        >
          <a class="button primary" href={path}>
            {texts.order.title(number)}
          </a>
        </Empty>
      )}
    </>
  );
}

interface FormProps {
  readonly order: Order;
  readonly onReady: (ready: ReadyPhones) => void;
}

function roomsOf({ items }: Order): readonly Room[] {
  return items.map((item) => ({ id: item.id, left: leftOf(item) }));
}

function AssignForm({ order, onReady }: FormProps) {
  const [text, setText] = useState('');
  const [chosen, setChosen] = useState<Readonly<Record<string, string>>>({});
  const [mistakes, setMistakes] = useState<Mistakes>(NO_MISTAKES);
  const [busy, setBusy] = useState(false);
  const key = useRef(freshKey());
  const catalogue = useCatalogue();
  const rows = phonesIn(text, roomsOf(order), chosen);
  const wrong = rows.filter(({ mistake }) => mistake !== undefined).length;
  const change = (to: string): void => {
    setText(to);
    setMistakes(NO_MISTAKES);
  };
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    const no = rows.length === 0 ? words.nothing : wrong > 0 ? words.fix(wrong) : '';
    setMistakes({ fields: {}, rest: no });
    if (no !== '') return;
    setBusy(true);
    try {
      onReady(await assignPhones(order.id, rows.map(receivedAs), key.current));
    } catch (error) {
      if (error instanceof ApiError && error.status >= 400 && error.status < 500) key.current = freshKey();
      setMistakes(mistakesIn(error, (path) => /^phones\.\d+(\.|$)/.test(path)));
      setBusy(false);
    }
  };
  return (
    <form class="form" onSubmit={(event) => void submit(event)} noValidate>
      <Card title={words.typeTitle} lead={words.typeLead} aside={<FileButton onText={change} />}>
        <AreaField
          name="phones"
          label={words.field}
          hint={words.hint}
          placeholder={words.placeholder}
          rows={6}
          value={text}
          onInput={change}
        />
      </Card>
      <Card title={words.preview} lead={words.left(roomsOf(order).reduce((sum, { left }) => sum + left, 0))}>
        <AssignPreview
          {...{ order, catalogue, rows }}
          mistakes={mistakes.fields}
          onChoose={(mac, item) => setChosen({ ...chosen, [mac]: item })}
        />
      </Card>
      {mistakes.rest !== '' && <Notice kind="danger">{mistakes.rest}</Notice>}
      <div class="step-bar">
        <div class="step-foot">
          <Button type="submit" kind="primary" busy={busy}>
            {words.submit(rows.length)}
          </Button>
        </div>
      </div>
    </form>
  );
}

function receivedAs({ item, mac, name }: ListedPhone) {
  return { item, mac, ...(name !== '' && { nickname: name }) };
}

/** Takes the file's lines over into the field, where they can be looked at and changed. */
function FileButton({ onText }: { readonly onText: (text: string) => void }) {
  const input = useRef<HTMLInputElement>(null);
  const read = async (file: File | undefined): Promise<void> => {
    if (!file) return;
    const isSmall = file.size <= MOST_BYTES;
    const text = isSmall ? await file.text().catch(() => undefined) : undefined;
    if (text === undefined || text.includes('\0')) {
      failed(new ApiError({ status: 0, title: isSmall ? words.badFile : words.bigFile }));
    } else onText(text);
  };
  return (
    <>
      <input
        ref={input}
        class="hidden"
        type="file"
        accept=".csv,.txt,text/csv,text/plain"
        aria-label={words.file}
        tabIndex={-1}
        onChange={(event) => {
          void read(event.currentTarget.files?.[0]);
          event.currentTarget.value = '';
        }}
      />
      <Button small icon="list" onClick={() => input.current?.click()}>
        {words.file}
      </Button>
    </>
  );
}
