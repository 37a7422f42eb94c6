import { useState } from 'preact/hooks';
import { send } from '../api/client.ts';
import { below, type Mistakes, mistakesIn, NO_MISTAKES } from '../api/mistakes.ts';
import type { Host } from '../api/types.ts';
import { texts } from '../texts.ts';
import { AddressFields, addressDraft, addressWish, missingIn } from '../ui/address-fields.tsx';
import { Button } from '../ui/button.tsx';
import { Dialog, Notice } from '../ui/dialog.tsx';
import { hoursOf, SelectField, Switch, TextField } from '../ui/fields.tsx';
import { useMistakeFocus } from '../ui/mistake-focus.ts';
import { done } from '../ui/toast.tsx';
import { releasing, somebodyElse } from './stay-meant.ts';

const words = texts.phoneEdit;
const FORM = 'phone-form';

interface EditProps {
  readonly host: Host;
  readonly onChange: (host: Host) => void;
  readonly onClose: () => void;
}

/** Sends what has changed; told apart: a no, what is wrong with fields, and that somebody is logged in there. */
function useHostChange({ host, onChange, onClose }: EditProps, isField: (path: string) => boolean) {
  const [mistakes, setMistakes] = useState<Mistakes>(NO_MISTAKES);
  const [stay, setStay] = useState<Host['association']>(null);
  const [busy, setBusy] = useState(false);
  const { form, show } = useMistakeFocus<HTMLFormElement>();
  const path = `/hosts/${encodeURIComponent(host.id)}`;
  const refuse = (found: Mistakes): void => {
    setMistakes(found);
    show();
  };
  /** `leaver`: who is to be logged out for it. */
  const save = async (change: object, said: string, leaver: Host['association'] = null): Promise<void> => {
    setBusy(true);
    try {
      onChange(await send<Host>('PATCH', path, { ...change, ...releasing(leaver) }));
      done(said);
      onClose();
    } catch (error) {
      const other = await somebodyElse(error, { id: host.id, stay: leaver }).catch(() => undefined);
      setStay(other?.association ?? null);
      refuse(mistakesIn(error, isField));
      setBusy(false);
    }
  };
  return { mistakes, stay, busy, form, refuse, save };
}

/** Name, on or off, limit, and who may use it; the last three not under somebody's feet (rule B2). */
export function HostDialog(props: EditProps) {
  const { host, onClose } = props;
  const [name, setName] = useState(host.nickname);
  const [enabled, setEnabled] = useState(host.enabled);
  const [limit, setLimit] = useState(String(host.associationLimitHours ?? ''));
  const [access, setAccess] = useState(host.accessLevel);
  const isField = (path: string): boolean => path === 'nickname' || path === 'associationLimitHours';
  const { mistakes, stay, busy, form, refuse, save } = useHostChange(props, isField);
  const hours = hoursOf(limit);
  const submit = (leaver: Host['association']): void => {
    const fields = {
      ...(name.trim() === '' && { nickname: words.missingName }),
      ...(hours === undefined && { associationLimitHours: words.badLimit }),
    };
    if (Object.keys(fields).length > 0) return refuse({ fields, rest: '' });
    const change = changesOf(host, {
      nickname: name.trim(),
      enabled,
      associationLimitHours: hours,
      accessLevel: access,
    });
    if (Object.keys(change).length === 0) return onClose();
    void save(change, words.saved(name.trim()), leaver);
  };
  return (
    <Dialog title={words.title} onClose={onClose} actions={<Actions {...{ busy, onClose }} />}>
      <form
        id={FORM}
        class="form"
        ref={form}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          submit(null);
        }}
      >
        <TextField
          label={words.name}
          name="nickname"
          maxLength={100}
          value={name}
          error={mistakes.fields.nickname}
          onInput={setName}
        />
        {host.kind !== 'unassigned' && (
          <Switch label={words.enabled} hint={words.enabledHint} checked={enabled} onChange={setEnabled} />
        )}
        <RulesFields
          {...{ host, limit, setLimit, access, setAccess }}
          error={mistakes.fields.associationLimitHours}
        />
      </form>
      {stay ? (
        <Notice key={stay.generation} kind="warn">
          <p>{words.busy(stay.guest.name)}</p>
          <Button small icon="logOut" busy={busy} onClick={() => submit(stay)}>
            {words.releaseAndSave(stay.guest.name)}
          </Button>
        </Notice>
      ) : (
        mistakes.rest !== '' && <Notice kind="danger">{mistakes.rest}</Notice>
      )}
    </Dialog>
  );
}

interface RulesProps {
  readonly host: Host;
  readonly limit: string;
  readonly setLimit: (limit: string) => void;
  readonly access: Host['accessLevel'];
  readonly setAccess: (access: Host['accessLevel']) => void;
  readonly error: string | undefined;
}

function RulesFields(props: RulesProps) {
  return (
    <div class="form-row rules">
      <TextField
        label={words.limit}
        hint={words.limitHint[props.host.kind === 'user' ? 'user' : 'commonArea']}
        name="limit"
        inputMode="numeric"
        short
        value={props.limit}
        error={props.error}
        onInput={props.setLimit}
      />
      <SelectField
        label={words.access}
        value={props.access}
        options={(['site', 'company'] as const).map((value) => ({
          value,
          text: texts.phone.accessLevel[value],
        }))}
        onChange={(value) => props.setAccess(value === 'site' ? 'site' : 'company')}
      />
    </div>
  );
}

type Rules = Pick<Host, 'nickname' | 'enabled' | 'associationLimitHours' | 'accessLevel'>;

/** Only what is other than it was: what somebody else changes meanwhile stays. */
function changesOf(host: Host, wanted: { [K in keyof Rules]: Rules[K] | undefined }): Partial<Rules> {
  const keys = Object.keys(wanted) as (keyof Rules)[];
  return Object.fromEntries(keys.filter((key) => wanted[key] !== host[key]).map((key) => [key, wanted[key]]));
}

function Actions({ busy, onClose }: { readonly busy: boolean; readonly onClose: () => void }) {
  return (
    <>
      <Button onClick={onClose}>{texts.common.cancel}</Button>
      <Button type="submit" form={FORM} kind="primary" busy={busy}>
        {texts.common.save}
      </Button>
    </>
  );
}

/** Emergency address and callback number (rule A6). */
export function AddressDialog(props: EditProps) {
  const { host, onClose } = props;
  const [address, setAddress] = useState(addressDraft(host.address));
  const [callback, setCallback] = useState(host.callbackNumber ?? '');
  const isField = (path: string): boolean => path === 'callbackNumber' || path.startsWith('address.');
  const { mistakes, busy, form, refuse, save } = useHostChange(props, isField);
  const submit = (event: Event): void => {
    event.preventDefault();
    const missing = Object.entries(missingIn(address)).map(([field, text]) => [`address.${field}`, text]);
    if (missing.length > 0) return refuse({ fields: Object.fromEntries(missing), rest: '' });
    const number = callback.replace(/[\s()-]/g, '') || null;
    const change = {
      address: addressWish(address),
      ...(number !== host.callbackNumber && { callbackNumber: number }),
    };
    void save(change, words.addressSaved);
  };
  return (
    <Dialog title={words.addressTitle} onClose={onClose} actions={<Actions {...{ busy, onClose }} />}>
      <p class="muted">{words.addressText}</p>
      <form id={FORM} class="form" ref={form} noValidate onSubmit={submit}>
        <AddressFields value={address} errors={below(mistakes.fields, 'address')} onChange={setAddress} />
        <TextField
          label={words.callback}
          hint={words.callbackHint}
          name="callback"
          maxLength={20}
          value={callback}
          error={mistakes.fields.callbackNumber}
          onInput={setCallback}
        />
      </form>
      {mistakes.rest !== '' && <Notice kind="danger">{mistakes.rest}</Notice>}
    </Dialog>
  );
}
