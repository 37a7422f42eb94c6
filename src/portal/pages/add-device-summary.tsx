import { useState } from 'preact/hooks';
import { ApiError } from '../api/client.ts';
import { type Mistakes, mistakesIn, NO_MISTAKES } from '../api/mistakes.ts';
import { placeOrder, quote } from '../api/orders.ts';
import type { Charges } from '../api/types.ts';
import { freshKey } from '../app/fresh-key.ts';
import { money, moneyOrNothing } from '../app/money.ts';
import { navigate } from '../app/router.ts';
import { siteName } from '../app/session.ts';
import { useLoad } from '../app/use-load.ts';
import { texts } from '../texts.ts';
import { Card, Failed, Skeleton } from '../ui/bits.tsx';
import { Notice } from '../ui/dialog.tsx';
import { CheckField } from '../ui/fields.tsx';
import { Icon } from '../ui/icons.tsx';
import { useMistakeFocus } from '../ui/mistake-focus.ts';
import { done } from '../ui/toast.tsx';
import { edit, endDraft, linesOf, type Step, wishOf } from './add-device-draft.ts';
import { variantName } from './add-device-phones.tsx';
import { pathOf, StepFoot, type StepProps } from './add-device-step.tsx';
import { AddressLines, plain } from './address-choice.tsx';
import { ChargesTable, itemName } from './charges.tsx';

const words = texts.addDevice;

/** Everything once more, what it costs, and the tick that it is meant. */
export function SummaryStep(props: StepProps) {
  const { draft, catalogue } = props;
  const wish = wishOf(draft, catalogue);
  const charges = useLoad(JSON.stringify(wish), () => quote(wish));
  return (
    <div class="form">
      <div class="columns even">
        <PhonesCard {...props} />
        <DeliveryCard {...props} />
      </div>
      {charges.error && !charges.data && <Failed text={charges.error} onRetry={charges.reload} />}
      {!charges.data && !charges.error && <Skeleton lines={4} />}
      {charges.data && <ChargesCard {...props} charges={charges.data} reload={charges.reload} />}
    </div>
  );
}

function Change({ step }: { readonly step: Step }) {
  return (
    <a class="button small plain" href={pathOf(step)} aria-label={words.changeLabel(words.steps[step])}>
      <Icon name="pencil" size={16} />
      <span>{words.change}</span>
    </a>
  );
}

function PhonesCard({ draft, catalogue }: StepProps) {
  return (
    <Card title={texts.order.phones} aside={<Change step="address" />}>
      <ul class="order-lines">
        {linesOf(draft, catalogue).map(({ variant, quantity, site, address, place }) => (
          <li key={`${variant.id} ${place?.key}`}>
            <p class="strong">{words.line(quantity, variantName(variant))}</p>
            <p class="muted small">
              {words.standsAt} · {siteName(site)}
            </p>
            <AddressLines address={plain(address.draft)} />
          </li>
        ))}
      </ul>
    </Card>
  );
}

function DeliveryCard({ draft: { delivery }, catalogue }: StepProps) {
  return (
    <Card title={texts.order.delivery} aside={<Change step="delivery" />}>
      <AddressLines address={plain(delivery.address.draft)} />
      {delivery.attention !== '' && (
        <p>
          <span class="muted">{texts.order.attention}:</span> {delivery.attention}
        </p>
      )}
      <p>
        <span class="muted">{words.method}:</span> {itemName(delivery.method, catalogue)}
      </p>
      {delivery.note !== '' && (
        <p>
          <span class="muted">{texts.order.note}:</span> {delivery.note}
        </p>
      )}
    </Card>
  );
}

interface ChargesProps extends StepProps {
  readonly charges: Charges;
  readonly reload: () => void;
}

function ChargesCard({ draft, catalogue, charges, reload }: ChargesProps) {
  const [acknowledged, setAcknowledged] = useState(false);
  const [unticked, setUnticked] = useState(false);
  const [mistakes, setMistakes] = useState<Mistakes>(NO_MISTAKES);
  const [busy, setBusy] = useState(false);
  const { form, show } = useMistakeFocus<HTMLFormElement>();
  const { once, monthly, currency } = charges;
  const place = async (event: Event): Promise<void> => {
    event.preventDefault();
    setUnticked(!acknowledged);
    if (!acknowledged) return show();
    setBusy(true);
    try {
      const order = await placeOrder(wishOf(draft, catalogue), charges, draft.key);
      done(words.ordered(order.number));
      // Replaced: back does not lead to an order that is placed already.
      navigate(`/orders/${encodeURIComponent(order.id)}`, { replace: true });
      endDraft();
    } catch (error) {
      if (isOtherTotal(error)) {
        setAcknowledged(false);
        reload();
      }
      // Refused: what comes next is another order. Not heard of: the same again, which is made once.
      if (isRefused(error)) edit({ key: freshKey() });
      setMistakes(
        isOtherTotal(error) ? { fields: {}, rest: words.newPrices } : mistakesIn(error, () => false),
      );
      setBusy(false);
    }
  };
  return (
    <form class="form" ref={form} onSubmit={(event) => void place(event)} noValidate>
      <Card title={texts.order.charges}>
        <ChargesTable charges={charges} catalogue={catalogue} />
      </Card>
      <CheckField
        label={words.acknowledge(money(once, currency), moneyOrNothing(monthly, currency))}
        checked={acknowledged}
        error={unticked && !acknowledged ? words.mustAcknowledge : undefined}
        onChange={setAcknowledged}
      />
      {mistakes.rest !== '' && <Notice kind="danger">{mistakes.rest}</Notice>}
      <div class="step-bar">
        <StepFoot before="delivery" action={words.order} busy={busy} />
      </div>
    </form>
  );
}

function isRefused(error: unknown): boolean {
  return error instanceof ApiError && error.status >= 400 && error.status < 500;
}

function isOtherTotal(error: unknown): boolean {
  return error instanceof ApiError && error.problem.reason === 'priceChanged';
}
