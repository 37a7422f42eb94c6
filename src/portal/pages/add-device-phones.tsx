import { useState } from 'preact/hooks';
import { money, moneyOrNothing, type Variant, variantsOf } from '../app/money.ts';
import { texts } from '../texts.ts';
import { Card } from '../ui/bits.tsx';
import { Notice } from '../ui/dialog.tsx';
import { Quantity } from '../ui/quantity.tsx';
import { type Column, Table } from '../ui/table.tsx';
import { countOf, edit } from './add-device-draft.ts';
import { goTo, StepFoot, type StepProps } from './add-device-step.tsx';
import { modelOf } from './host-parts.tsx';

const words = texts.addDevice;

/** As people know it: with or without the expansion module. */
export function variantName({ name, expansionModule }: Pick<Variant, 'name' | 'expansionModule'>): string {
  return modelOf({ model: name, expansionModule });
}

/** Quantity and model. */
export function PhonesStep({ draft, catalogue }: StepProps) {
  const [mistake, setMistake] = useState('');
  const { phones: most } = catalogue.limits;
  const count = countOf(draft);
  const next = (event: Event): void => {
    event.preventDefault();
    const wrong = count === 0 ? words.noPhones : count > most ? words.tooMany(most) : '';
    setMistake(wrong);
    if (wrong === '') goTo('address');
  };
  return (
    <form class="form" onSubmit={next} noValidate>
      <Card>
        <Table
          label={words.tableLabel}
          columns={columnsFor({ draft, catalogue, isWrong: mistake !== '', onChange: () => setMistake('') })}
          rows={variantsOf(catalogue)}
          keyOf={({ id }) => id}
          nameOf={variantName}
        />
      </Card>
      <p class="muted small">{licenceText({ draft, catalogue })}</p>
      {mistake !== '' && (
        <div id="phones-mistake">
          <Notice kind="danger">{mistake}</Notice>
        </div>
      )}
      <div class="step-bar">
        <Sum draft={draft} catalogue={catalogue} />
        <StepFoot />
      </div>
    </form>
  );
}

function licenceText({ catalogue: { licence, currency } }: StepProps): string {
  const price = moneyOrNothing(licence.monthly, currency);
  return price === undefined ? words.noLicence : words.licence(price);
}

interface ColumnProps extends StepProps {
  readonly isWrong: boolean;
  readonly onChange: () => void;
}

function columnsFor({ draft, catalogue, isWrong, onChange }: ColumnProps): readonly Column<Variant>[] {
  const { currency, limits } = catalogue;
  const isMonthly = variantsOf(catalogue).some(({ monthly }) => monthly > 0);
  return [
    {
      key: 'model',
      title: words.columns.model,
      render: (variant) => <strong>{variantName(variant)}</strong>,
    },
    { key: 'once', title: words.columns.once, render: ({ once }) => money(once, currency) },
    ...(isMonthly
      ? [
          {
            key: 'monthly',
            title: words.columns.monthly,
            render: ({ monthly }: Variant) => moneyOrNothing(monthly, currency) ?? words.free,
          },
        ]
      : []),
    {
      key: 'quantity',
      title: words.columns.quantity,
      render: (variant) => (
        <Quantity
          label={words.quantityOf(variantName(variant))}
          fewer={words.fewer(variantName(variant))}
          more={words.more(variantName(variant))}
          value={draft.quantities[variant.id] ?? 0}
          max={limits.quantity}
          invalid={isWrong}
          describedBy={isWrong ? 'phones-mistake' : undefined}
          onChange={(quantity) => {
            edit({ quantities: { ...draft.quantities, [variant.id]: quantity } });
            onChange();
          }}
        />
      ),
    },
  ];
}

/** By the price list; the server's own sum comes with the summary. */
function Sum({ draft, catalogue }: StepProps) {
  const count = countOf(draft);
  const chosen = variantsOf(catalogue).map((variant) => ({
    variant,
    quantity: draft.quantities[variant.id] ?? 0,
  }));
  const once = chosen.reduce((sum, { variant, quantity }) => sum + variant.once * quantity, 0);
  const each = chosen.reduce((sum, { variant, quantity }) => sum + variant.monthly * quantity, 0);
  const monthly = each + catalogue.licence.monthly * count;
  const { currency } = catalogue;
  return (
    <p class="step-sum" aria-live="polite">
      <strong>{words.soFar(count)}</strong>
      {count > 0 && (
        <span class="muted">
          {words.beforeDelivery(money(once, currency), moneyOrNothing(monthly, currency))}
        </span>
      )}
    </p>
  );
}
