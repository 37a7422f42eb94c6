import type { Catalogue, Charges } from '../api/types.ts';
import { money } from '../app/money.ts';
import { texts } from '../texts.ts';
import { type Column, Table } from '../ui/table.tsx';

const words = texts.order;

type Line = Charges['lines'][number];

/** Names of models and shipping methods, where the price list still has them. */
export function itemName(id: string | null, catalogue: Catalogue | undefined): string {
  const all = [...(catalogue?.models ?? []), ...(catalogue?.shipping ?? [])];
  return all.find((each) => each.id === id)?.name ?? id ?? '';
}

interface ChargesProps {
  readonly charges: Charges;
  readonly catalogue: Catalogue | undefined;
}

/** What it costs, line by line, and in all: as the server counted it. */
export function ChargesTable({ charges, catalogue }: ChargesProps) {
  const { currency } = charges;
  const amount = (value: number) => (value === 0 ? texts.common.none : money(value, currency));
  const columns: readonly Column<Line>[] = [
    {
      key: 'what',
      title: words.chargeColumns.what,
      render: ({ key, item }) => words.chargeKeys[key](itemName(item, catalogue)),
    },
    { key: 'quantity', title: words.chargeColumns.quantity, render: ({ quantity }) => texts.count(quantity) },
    { key: 'once', title: words.chargeColumns.once, render: ({ once }) => amount(once) },
    ...(charges.monthly > 0
      ? [
          {
            key: 'monthly',
            title: words.chargeColumns.monthly,
            render: ({ monthly }: Line) => amount(monthly),
          },
        ]
      : []),
  ];
  return (
    <div class="charges">
      <Table
        label={words.charges}
        columns={columns}
        rows={charges.lines}
        keyOf={({ key, item }) => `${key} ${item ?? ''}`}
        nameOf={({ key, item }) => `${key} ${item ?? ''}`}
      />
      <p class="charges-total">
        <span>{words.total}</span>
        <span>
          <strong>{money(charges.once, currency)}</strong>
          {charges.monthly > 0 && (
            <span class="muted"> + {words.perMonth(money(charges.monthly, currency))}</span>
          )}
        </span>
      </p>
    </div>
  );
}
