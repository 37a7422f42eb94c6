import type { Catalogue, Order } from '../api/types.ts';
import { oneLine } from '../app/address.ts';
import { texts } from '../texts.ts';
import { Pill } from '../ui/bits.tsx';
import { SmallSelect } from '../ui/fields.tsx';
import { Icon } from '../ui/icons.tsx';
import { type Column, Table } from '../ui/table.tsx';
import { type ListedPhone, macOf } from './assign-list.ts';
import { withColons } from './mac.ts';
import { itemModel } from './order-parts.tsx';

const words = texts.assign;

interface PreviewProps {
  readonly order: Order;
  readonly catalogue: Catalogue | undefined;
  readonly rows: readonly ListedPhone[];
  /** What the server said, by path: `phones.0.mac`. */
  readonly mistakes: Readonly<Record<string, string>>;
  readonly onChoose: (mac: string, item: string) => void;
}

/** Each line as it was understood, and what is wrong with it. */
export function AssignPreview(props: PreviewProps) {
  const { rows } = props;
  if (rows.length === 0) return <p class="muted card-text">{words.previewEmpty}</p>;
  return (
    <Table
      label={words.previewLabel}
      columns={columnsFor(props)}
      rows={rows}
      keyOf={({ line }) => String(line)}
      nameOf={({ mac }) => mac}
    />
  );
}

function columnsFor({
  order,
  catalogue,
  rows,
  mistakes,
  onChoose,
}: PreviewProps): readonly Column<ListedPhone>[] {
  return [
    {
      key: 'mac',
      title: words.columns.mac,
      render: ({ mac, line }) => (
        <span class="stack">
          <code>{macOf(mac) === undefined ? mac : withColons(mac)}</code>
          <span class="muted small">{words.line(line)}</span>
        </span>
      ),
    },
    {
      key: 'name',
      title: words.columns.name,
      render: ({ name }) => (name === '' ? <span class="muted">{words.made}</span> : name),
    },
    {
      key: 'item',
      title: words.columns.item,
      render: (row) => <Item {...{ row, order, catalogue, onChoose }} />,
    },
    {
      key: 'state',
      title: words.columns.state,
      render: (row) => <State row={row} said={saidOf(rows.indexOf(row), mistakes)} />,
    },
  ];
}

function saidOf(index: number, mistakes: Readonly<Record<string, string>>): string {
  const own = Object.entries(mistakes).filter(
    ([path]) => path === `phones.${index}` || path.startsWith(`phones.${index}.`),
  );
  return own.map(([, text]) => `${text}.`).join(' ');
}

function State({ row, said }: { readonly row: ListedPhone; readonly said: string }) {
  const problem = row.mistake ? words.problems[row.mistake] : said;
  if (problem === '') {
    return (
      <Pill tone="ok" icon="check">
        {words.ok}
      </Pill>
    );
  }
  return (
    <span class="error">
      <Icon name="alert" size={16} /> {problem}
    </span>
  );
}

interface ItemProps {
  readonly row: ListedPhone;
  readonly order: Order;
  readonly catalogue: Catalogue | undefined;
  readonly onChoose: (mac: string, item: string) => void;
}

/** Which of the phones that were ordered it is; a choice where there are several. */
function Item({ row, order, catalogue, onChoose }: ItemProps) {
  const named = order.items.map((item) => ({
    value: item.id,
    text: words.item(itemModel(item, catalogue), oneLine(item.address)),
  }));
  const [only] = named;
  if (named.length === 1 && only) return <span>{only.text}</span>;
  if (macOf(row.mac) === undefined || row.mistake === 'twice')
    return <span class="muted">{texts.common.none}</span>;
  return (
    <SmallSelect
      label={words.itemOf(row.line)}
      value={row.item}
      options={row.item === '' ? [{ value: '', text: texts.common.none, disabled: true }, ...named] : named}
      onChange={(item) => onChoose(row.mac, item)}
    />
  );
}
