import type { CivicAddress } from '../api/types.ts';
import { texts } from '../texts.ts';
import { countryOptions, shapeOf } from './countries.ts';
import { SelectField, TextField } from './fields.tsx';

const words = texts.addressForm;

/** An address as it is being typed: nothing is absent, only empty. */
export type AddressDraft = Readonly<Record<keyof CivicAddress, string>>;
/** What is wrong with a field, in words that go below it. */
export type AddressMistakes = Readonly<Partial<Record<keyof CivicAddress, string>>>;

/** The whole address as the API takes it. */
export interface AddressWish {
  readonly customerName: string;
  readonly houseNumber: string;
  readonly street: string;
  readonly city: string;
  readonly state: string | null;
  readonly postcode: string;
  readonly country: string;
  readonly floor: string | null;
  readonly room: string | null;
}

/** Nothing typed yet. */
export function emptyAddress(country: string, customerName = ''): AddressDraft {
  const nothing = { houseNumber: '', street: '', city: '', state: '', postcode: '', floor: '', room: '' };
  return { ...nothing, customerName, country };
}

/** An address of the API, to be edited. */
export function addressDraft(address: CivicAddress): AddressDraft {
  const { state, floor, room, ...plain } = address;
  return { ...plain, state: state ?? '', floor: floor ?? '', room: room ?? '' };
}

/** What was typed, as the API takes it. */
export function addressWish(draft: AddressDraft): AddressWish {
  const { state, floor, room, postcode, ...plain } = draft;
  const hasRegion = shapeOf(draft.country).region !== undefined;
  return {
    ...{ ...plain, postcode: postcode.toUpperCase(), state: hasRegion ? state || null : null },
    ...{ floor: floor || null, room: room || null },
  };
}

/** Fields that must be filled before it is worth asking the server, which knows each country's rules. */
export function missingIn(draft: AddressDraft): AddressMistakes {
  const { region, codeIsOptional } = shapeOf(draft.country);
  const needed: (keyof CivicAddress)[] = ['customerName', 'houseNumber', 'street', 'city', 'country'];
  if (region !== undefined) needed.push('state');
  if (!codeIsOptional) needed.push('postcode');
  const empty = needed.filter((field) => draft[field].trim() === '');
  return Object.fromEntries(empty.map((field) => [field, words.missing]));
}

export interface AddressFieldsProps {
  readonly value: AddressDraft;
  readonly errors?: AddressMistakes | undefined;
  readonly disabled?: boolean | undefined;
  /** Where it stands in the building; a parcel has neither floor nor room. */
  readonly inside?: boolean | undefined;
  /** Whose name stands on the address. */
  readonly nameLabel?: string | undefined;
  readonly onChange: (value: AddressDraft) => void;
}

/** A civic address, in the words of its country. Each error stands below its field. */
export function AddressFields(props: AddressFieldsProps) {
  const { value, errors = {}, disabled = false, inside = true, nameLabel, onChange } = props;
  const { region, code } = shapeOf(value.country);
  const field = (name: keyof CivicAddress) => ({
    ...{ name, disabled, value: value[name], error: errors[name] },
    onInput: (text: string) => onChange({ ...value, [name]: text }),
  });
  return (
    <div class="address-fields">
      <TextField label={nameLabel ?? words.customerName} maxLength={100} {...field('customerName')} />
      <SelectField
        label={words.country}
        value={value.country}
        options={countryOptions()}
        disabled={disabled}
        error={errors.country}
        onChange={(country) => onChange({ ...value, country })}
      />
      <div class="address-row street">
        <TextField label={words.houseNumber} maxLength={20} {...field('houseNumber')} />
        <TextField label={words.street} maxLength={100} {...field('street')} />
      </div>
      <div class={`address-row${region ? ' three' : ''}`}>
        <TextField label={words.city} maxLength={100} {...field('city')} />
        {region && <TextField label={words.regions[region]} maxLength={100} {...field('state')} />}
        <TextField label={words.codes[code]} maxLength={20} {...field('postcode')} />
      </div>
      {inside && (
        <div class="address-row">
          <TextField label={words.floor} maxLength={40} {...field('floor')} />
          <TextField label={words.room} hint={words.roomHint} maxLength={40} {...field('room')} />
        </div>
      )}
    </div>
  );
}
