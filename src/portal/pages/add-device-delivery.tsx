import { useState } from 'preact/hooks';
import { below, type Mistakes, mistakesIn, NO_MISTAKES } from '../api/mistakes.ts';
import { quote } from '../api/orders.ts';
import { moneyOrNothing } from '../app/money.ts';
import { texts } from '../texts.ts';
import { Card } from '../ui/bits.tsx';
import { Notice } from '../ui/dialog.tsx';
import { useMistakeFocus } from '../ui/mistake-focus.ts';
import { edit, linesOf, stepOf, wishOf } from './add-device-draft.ts';
import { goTo, StepFoot, type StepProps } from './add-device-step.tsx';
import { mistakesOf } from './address-choice.tsx';
import { DeliveryFields } from './delivery-fields.tsx';

const words = texts.addDevice;

function missing({ draft: { delivery } }: StepProps): Record<string, string> {
  const found = Object.entries(mistakesOf(delivery.address)).map(([field, text]) => [
    `delivery.address.${field}`,
    text,
  ]);
  if (delivery.method === '') found.push(['delivery.shippingMethod', words.missingMethod]);
  return Object.fromEntries(found);
}

async function refused({ draft, catalogue }: StepProps): Promise<Mistakes> {
  try {
    await quote(wishOf(draft, catalogue));
    return NO_MISTAKES;
  } catch (error) {
    return mistakesIn(error, (path) => stepOf(path) !== 'phones');
  }
}

/** Where the parcel goes, to whom, and how. */
export function DeliveryStep(props: StepProps) {
  const { draft, catalogue } = props;
  const [rest, setRest] = useState('');
  const [busy, setBusy] = useState(false);
  const { form, show } = useMistakeFocus<HTMLFormElement>();
  const next = async (event: Event): Promise<void> => {
    event.preventDefault();
    const empty = missing(props);
    setBusy(true);
    const found = Object.keys(empty).length > 0 ? { fields: empty, rest: '' } : await refused(props);
    setBusy(false);
    edit({ mistakes: found.fields });
    setRest(found.rest);
    if (found.rest === '' && Object.keys(found.fields).length === 0) goTo('summary');
    else show();
  };
  const elsewhere = Object.keys(draft.mistakes).some((path) => stepOf(path) === 'address');
  const known = linesOf(draft, catalogue).map(({ address }) => ({
    ...address.draft,
    ...{ floor: '', room: '' },
  }));
  return (
    <form class="form" ref={form} onSubmit={(event) => void next(event)} noValidate>
      <Card>
        <DeliveryFields
          value={draft.delivery}
          shipping={catalogue.shipping.map((method) => ({
            ...method,
            price: moneyOrNothing(method.once, catalogue.currency) ?? words.freeDelivery,
          }))}
          known={known}
          mistakes={below(draft.mistakes, 'delivery')}
          onChange={(delivery) => edit({ delivery, mistakes: {} })}
        />
      </Card>
      {elsewhere && (
        <Notice kind="danger">
          <p>{words.elsewhere}</p>
          <a href="/phones/add?step=address">{words.goTo(words.steps.address)}</a>
        </Notice>
      )}
      {rest !== '' && <Notice kind="danger">{rest}</Notice>}
      <div class="step-bar">
        <StepFoot before="address" busy={busy} />
      </div>
    </form>
  );
}
