import { useMemo } from 'preact/hooks';
import { listHosts } from '../api/lists.ts';
import type { CivicAddress } from '../api/types.ts';
import { addressLines, oneLine } from '../app/address.ts';
import { useLoad } from '../app/use-load.ts';
import { texts } from '../texts.ts';
import {
  type AddressDraft,
  AddressFields,
  type AddressMistakes,
  addressDraft,
  addressWish,
  emptyAddress,
  missingIn,
} from '../ui/address-fields.tsx';
import { Button } from '../ui/button.tsx';
import { SelectField } from '../ui/fields.tsx';

const words = texts.addressForm;
const LOOKED_AT = 200;
const NEW = 'new';

/** An address that was chosen among those in use, or is being typed. */
export interface AddressValue {
  /** '' while nothing is chosen, `new`, or `keyOf` a known one. */
  readonly choice: string;
  readonly draft: AddressDraft;
}

export function nothingChosen(country: string): AddressValue {
  return { choice: '', draft: emptyAddress(country) };
}

/** A known address, chosen. */
export function chosen(draft: AddressDraft): AddressValue {
  return { choice: keyOf(draft), draft };
}

/** An address to be typed over. */
export function typed(draft: AddressDraft): AddressValue {
  return { choice: NEW, draft };
}

function keyOf(draft: AddressDraft): string {
  return JSON.stringify(addressWish(draft));
}

/** What is missing before the server is asked; `choice` is about the drop-down itself. */
export function mistakesOf({ choice, draft }: AddressValue): AddressMistakes & { readonly choice?: string } {
  if (choice === '') return { choice: texts.addressForm.choose };
  return choice === NEW ? missingIn(draft) : {};
}

/** Many forms on one page ask for the same at once. */
const asked = new Map<string, Promise<readonly AddressDraft[]>>();

function addressesAt(site: string): Promise<readonly AddressDraft[]> {
  const found =
    asked.get(site) ??
    listHosts({ limit: LOOKED_AT, site })
      .then(({ rows }) => rows.map(({ address }) => addressDraft(address)))
      .finally(() => asked.delete(site));
  asked.set(site, found);
  return found;
}

/** Addresses that phones have now, each once. `site`: of that one; '' of all. Empty while they are not known. */
export function useKnownAddresses(site: string): readonly AddressDraft[] {
  const { data } = useLoad(`addresses ${site}`, async () => ({ site, drafts: await addressesAt(site) }));
  // While another site's are being read, those of the one before would mislead.
  return useMemo(() => (data?.site === site ? each(data.drafts) : []), [data, site]);
}

function each(drafts: readonly AddressDraft[]): readonly AddressDraft[] {
  return [...new Map(drafts.map((draft) => [keyOf(draft), draft])).values()];
}

interface AddressChoiceProps {
  readonly label: string;
  readonly value: AddressValue;
  readonly known: readonly AddressDraft[];
  readonly errors?: (AddressMistakes & { readonly choice?: string }) | undefined;
  readonly inside?: boolean;
  readonly nameLabel?: string;
  readonly onChange: (value: AddressValue) => void;
}

/** Choose an address in use, or type a new one. */
export function AddressChoice(props: AddressChoiceProps) {
  const { label, value, known, errors = {}, onChange } = props;
  const isKnown = value.choice !== '' && value.choice !== NEW;
  const others = each(isKnown ? [...known, value.draft] : known);
  const { choice: missing, ...fields } = errors;
  const isWrong = Object.keys(fields).length > 0;
  const options = [
    ...(value.choice === '' ? [{ value: '', text: words.placeholder, disabled: true }] : []),
    ...others.map((draft) => ({ value: keyOf(draft), text: named(draft) })),
    { value: NEW, text: words.newAddress },
  ];
  const choose = (choice: string): void => {
    const found = others.find((draft) => keyOf(draft) === choice);
    onChange(found ? chosen(found) : { choice: NEW, draft: emptyAddress(value.draft.country) });
  };
  return (
    <div class="address-choice">
      <SelectField label={label} value={value.choice} options={options} error={missing} onChange={choose} />
      {value.choice === NEW || isWrong ? (
        <AddressFields
          value={value.draft}
          errors={fields}
          inside={props.inside}
          nameLabel={props.nameLabel}
          onChange={(draft) => onChange(typed(draft))}
        />
      ) : (
        value.choice !== '' && <Shown draft={value.draft} onEdit={() => onChange(typed(value.draft))} />
      )}
    </div>
  );
}

function Shown({ draft, onEdit }: { readonly draft: AddressDraft; readonly onEdit: () => void }) {
  return (
    <div class="address-shown">
      <AddressLines address={plain(draft)} />
      <Button kind="quiet" small onClick={onEdit}>
        {words.edit}
      </Button>
    </div>
  );
}

/** The address as on an envelope. */
export function AddressLines({ address }: { readonly address: CivicAddress }) {
  return (
    <address>
      {addressLines(address).map((line) => (
        <span key={line}>{line}</span>
      ))}
    </address>
  );
}

/** As the API gives addresses. */
export function plain(draft: AddressDraft): CivicAddress {
  return addressWish(draft);
}

function named(draft: AddressDraft): string {
  return words.inUse(oneLine(plain(draft)), draft.customerName);
}
