import { listHosts } from '../api/lists.ts';
import type { Catalogue } from '../api/types.ts';
import { money, variantsOf } from '../app/money.ts';
import { mayChange } from '../app/session.ts';
import { useLoad } from '../app/use-load.ts';
import { MODELS, type Model } from '../models.ts';
import { texts } from '../texts.ts';
import { Card, Head, Pill } from '../ui/bits.tsx';
import { type Column, Table } from '../ui/table.tsx';
import { AddDeviceLink } from './orders.tsx';
import { useCatalogue } from './use-catalogue.ts';

const words = texts.models;

/** At most this many phones are looked at to count one's own; of more nothing is said. */
const LOOKED_AT = 200;

/** The price of a model by its name, where the price list has it. */
function priceOf({ name, expansionModule }: Model, catalogue: Catalogue | undefined): string {
  const variant =
    catalogue &&
    variantsOf(catalogue).find((each) => each.name === name && each.expansionModule === expansionModule);
  return variant && catalogue ? money(variant.once, catalogue.currency) : texts.common.none;
}

interface Facts {
  /** Undefined while they are counted, null where there are too many to count. */
  readonly have: ReadonlyMap<string, number> | null | undefined;
  readonly catalogue: Catalogue | undefined;
}

function columns({ have, catalogue }: Facts): readonly Column<Model>[] {
  return [
    {
      key: 'model',
      title: words.columns.model,
      render: ({ maker, name }) => (
        <strong>
          {maker} {name}
        </strong>
      ),
    },
    {
      key: 'module',
      title: words.columns.module,
      render: ({ expansionModule }) => (
        <Pill tone={expansionModule ? 'ok' : 'quiet'} icon={expansionModule ? 'check' : 'circle'}>
          {expansionModule ? words.with : words.without}
        </Pill>
      ),
    },
    { key: 'keys', title: words.columns.keys, render: ({ lineKeys }) => lineKeys },
    { key: 'screen', title: words.columns.screen, render: ({ screen }) => words.screens[screen] },
    { key: 'price', title: words.price, render: (model) => priceOf(model, catalogue) },
    ...(have === null
      ? []
      : [
          {
            key: 'yours',
            title: words.yours,
            render: (model: Model) => (have ? words.have(have.get(keyOf(model)) ?? 0) : texts.common.none),
          },
        ]),
  ];
}

function keyOf({ name, expansionModule }: Pick<Model, 'name' | 'expansionModule'>): string {
  return `${name}${expansionModule ? '+' : ''}`;
}

/** Check phones that support hot desking (rule A8). */
export function ModelsPage() {
  const mine = useLoad('models', async (signal) => {
    const { rows, total } = await listHosts({ limit: LOOKED_AT }, signal);
    if (total > rows.length) return null;
    const counts = new Map<string, number>();
    for (const { model, expansionModule } of rows) {
      const key = keyOf({ name: model, expansionModule });
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    return counts;
  });
  const catalogue = useCatalogue();
  const sources = [...new Set(MODELS.map(({ source }) => source))];
  return (
    <>
      <Head
        title={words.title}
        lead={words.lead}
        back={{ href: '/phones/common-area', text: texts.phone.back }}
        aside={mayChange.value && <AddDeviceLink />}
      />
      <Card>
        <Table
          label={words.label}
          columns={columns({ have: mine.data, catalogue })}
          rows={MODELS}
          keyOf={keyOf}
          nameOf={({ name }) => name}
        />
      </Card>
      <p class="foot-note">{words.note}</p>
      {sources.map((source) => (
        <p class="foot-note muted small" key={source}>
          {words.source(source)}
        </p>
      ))}
    </>
  );
}
