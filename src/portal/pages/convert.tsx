import { useState } from 'preact/hooks';
import { ApiError, sendAbout } from '../api/client.ts';
import { below, type Mistakes, mistakesIn, NO_MISTAKES } from '../api/mistakes.ts';
import { readCatalogue } from '../api/orders.ts';
import type { Catalogue, Charges, Host } from '../api/types.ts';
import { conversionCharges, moneyOrNothing } from '../app/money.ts';
import { navigate } from '../app/router.ts';
import { useLoad } from '../app/use-load.ts';
import { texts } from '../texts.ts';
import { type AddressMistakes, addressDraft, addressWish } from '../ui/address-fields.tsx';
import { Card } from '../ui/bits.tsx';
import { Notice } from '../ui/dialog.tsx';
import { TextField } from '../ui/fields.tsx';
import { useMistakeFocus } from '../ui/mistake-focus.ts';
import { RadioCards } from '../ui/radio-cards.tsx';
import { done } from '../ui/toast.tsx';
import type { Delivery } from './add-device-draft.ts';
import { AddressChoice, chosen, mistakesOf, nothingChosen, useKnownAddresses } from './address-choice.tsx';
import { ChargesTable } from './charges.tsx';
import { DeliveryFields } from './delivery-fields.tsx';
import { HostAround } from './host-around.tsx';
import { FormFoot } from './unassign.tsx';

const words = texts.convert;

/** Makes an unassigned phone a common area phone, and has it delivered where it is to stand (rules A6, A7). */
export function ConvertPage({ id }: { readonly id: string }) {
  const catalogue = useLoad('catalogue', readCatalogue);
  return (
    <HostAround id={id} title={() => words.title} lead={(host) => words.lead(host.nickname || host.id)}>
      {(host) =>
        host.kind === 'unassigned' ? (
          <ConvertForm key={host.id} host={host} catalogue={catalogue.data} reloadPrices={catalogue.reload} />
        ) : (
          <Notice kind="info">{words.notUnassigned}</Notice>
        )
      }
    </HostAround>
  );
}

interface FormProps {
  readonly host: Host;
  readonly catalogue: Catalogue | undefined;
  readonly reloadPrices: () => void;
}

/** What the API answers with: the phone, and the order of its delivery. */
type Converted = Host & { readonly order?: string | null };

function useConvertForm(host: Host) {
  const [name, setName] = useState('');
  const [address, setAddress] = useState(chosen(addressDraft(host.address)));
  const [isSent, setSent] = useState(false);
  const [delivery, setDelivery] = useState<Delivery>({
    ...{ address: nothingChosen(host.address.country), attention: '', method: '', note: '' },
  });
  return { name, setName, address, setAddress, isSent, setSent, delivery, setDelivery };
}

type Fields = ReturnType<typeof useConvertForm>;

function missingIn({ name, address, isSent, delivery }: Fields): Record<string, string> {
  const found = Object.entries(mistakesOf(address)).map(([field, text]) => [`address.${field}`, text]);
  if (name.trim() === '') found.push(['nickname', words.missingName]);
  if (isSent) {
    for (const [field, text] of Object.entries(mistakesOf(delivery.address)))
      found.push([`delivery.address.${field}`, text]);
    if (delivery.method === '') found.push(['delivery.shippingMethod', texts.addDevice.missingMethod]);
  }
  return Object.fromEntries(found);
}

/** What the delivery would cost; undefined while nothing is to be delivered. */
function chargesFor({ isSent, delivery }: Fields, catalogue: Catalogue | undefined): Charges | undefined {
  return isSent && catalogue ? conversionCharges(catalogue, delivery.method) : undefined;
}

function bodyOf({ name, address, isSent, delivery }: Fields, charges: Charges | undefined): object {
  const { method, attention, note } = delivery;
  return {
    nickname: name.trim(),
    address: addressWish(address.draft),
    ...(isSent && {
      delivery: {
        address: addressWish(delivery.address.draft),
        attention: attention.trim() || null,
        shippingMethod: method,
        ...(note.trim() !== '' && { note: note.trim() }),
        ...(charges && {
          total: { once: charges.once, monthly: charges.monthly, currency: charges.currency },
        }),
      },
    }),
  };
}

const isField = (path: string): boolean =>
  path === 'nickname' || path.startsWith('address.') || path.startsWith('delivery.');

function ConvertForm({ host, catalogue, reloadPrices }: FormProps) {
  const fields = useConvertForm(host);
  const [mistakes, setMistakes] = useState<Mistakes>(NO_MISTAKES);
  const [busy, setBusy] = useState(false);
  const { form, show } = useMistakeFocus<HTMLFormElement>();
  const known = useKnownAddresses(host.site);
  const charges = chargesFor(fields, catalogue);
  const refuse = (found: Mistakes): void => {
    setMistakes(found);
    show();
  };
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    const missing = missingIn(fields);
    if (Object.keys(missing).length > 0) return refuse({ fields: missing, rest: '' });
    setBusy(true);
    try {
      const path = `/hosts/${encodeURIComponent(host.id)}`;
      const { nickname, order } = await sendAbout<Converted>(path, 'convert', bodyOf(fields, charges));
      done(order ? words.doneOrdered(nickname, order) : words.done(nickname));
      const after = order ? `/orders/${encodeURIComponent(order)}` : `/phones/${encodeURIComponent(host.id)}`;
      navigate(after, { replace: true });
    } catch (error) {
      if (error instanceof ApiError && error.problem.reason === 'priceChanged') reloadPrices();
      refuse(mistakesIn(error, isField));
      setBusy(false);
    }
  };
  return (
    <form class="form narrow" ref={form} noValidate onSubmit={(event) => void submit(event)}>
      <Card title={texts.phone.about}>
        <TextField
          label={words.name}
          hint={words.nameHint}
          name="nickname"
          maxLength={100}
          value={fields.name}
          error={mistakes.fields.nickname}
          onInput={fields.setName}
        />
      </Card>
      <Card title={words.address} lead={words.addressLead}>
        <AddressChoice
          label={words.address}
          value={fields.address}
          known={known}
          errors={below(mistakes.fields, 'address') as AddressMistakes & { readonly choice?: string }}
          onChange={fields.setAddress}
        />
      </Card>
      {catalogue && catalogue.shipping.length > 0 && (
        <DeliveryCard {...{ fields, catalogue }} mistakes={below(mistakes.fields, 'delivery')} />
      )}
      {charges && (
        <Card title={texts.order.charges} lead={words.chargesLead}>
          <ChargesTable charges={charges} catalogue={catalogue} />
        </Card>
      )}
      {mistakes.rest !== '' && <Notice kind="danger">{mistakes.rest}</Notice>}
      <FormFoot id={host.id} busy={busy} action={charges ? words.submitOrder : words.submit} />
    </form>
  );
}

interface DeliveryProps {
  readonly fields: Fields;
  readonly catalogue: Catalogue;
  readonly mistakes: Readonly<Record<string, string>>;
}

function DeliveryCard({ fields, catalogue, mistakes }: DeliveryProps) {
  const { isSent, setSent, delivery, setDelivery, address } = fields;
  const { currency, shipping } = catalogue;
  return (
    <Card title={words.delivery} lead={words.deliveryLead}>
      <div class="form">
        <RadioCards
          label={words.question}
          name="delivery"
          value={isSent ? 'sent' : 'stays'}
          choices={[
            { value: 'stays', text: words.stays },
            { value: 'sent', text: words.sent },
          ]}
          onChange={(value) => setSent(value === 'sent')}
        />
        {isSent && (
          <DeliveryFields
            value={delivery}
            shipping={shipping.map((method) => ({
              ...method,
              price: moneyOrNothing(method.once, currency) ?? texts.addDevice.freeDelivery,
            }))}
            known={address.choice === '' ? [] : [{ ...address.draft, floor: '', room: '' }]}
            mistakes={mistakes}
            onChange={setDelivery}
          />
        )}
      </div>
    </Card>
  );
}
