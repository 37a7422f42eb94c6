import { useState } from 'preact/hooks';
import { sendAbout } from '../api/client.ts';
import { below, type Mistakes, mistakesIn, NO_MISTAKES } from '../api/mistakes.ts';
import type { Host } from '../api/types.ts';
import { navigate } from '../app/router.ts';
import { texts } from '../texts.ts';
import { type AddressMistakes, addressDraft, addressWish } from '../ui/address-fields.tsx';
import { Card } from '../ui/bits.tsx';
import { Button } from '../ui/button.tsx';
import { Notice } from '../ui/dialog.tsx';
import { CheckField } from '../ui/fields.tsx';
import { useMistakeFocus } from '../ui/mistake-focus.ts';
import { done } from '../ui/toast.tsx';
import { AddressChoice, chosen, mistakesOf, useKnownAddresses } from './address-choice.tsx';
import { HostAround } from './host-around.tsx';
import { releasing, somebodyElse, useRelease } from './stay-meant.ts';

const words = texts.unassign;

/** Takes a phone from its user, whose number stays reserved (rules A6, A7). */
export function UnassignPage({ id }: { readonly id: string }) {
  return (
    <HostAround
      id={id}
      title={(host) => words.title(host.nickname || host.id)}
      lead={(host) => (host.owner ? words.lead(host.owner.name) : '')}
    >
      {(host, set) =>
        host.kind === 'user' && host.owner ? (
          <UnassignForm key={host.id} host={host} owner={host.owner} onChange={set} />
        ) : (
          <Notice kind="info">{words.notTheirs}</Notice>
        )
      }
    </HostAround>
  );
}

interface FormProps {
  readonly host: Host;
  readonly owner: NonNullable<Host['owner']>;
  readonly onChange: (host: Host) => void;
}

function UnassignForm({ host, owner, onChange }: FormProps) {
  const [address, setAddress] = useState(chosen(addressDraft(host.address)));
  const { guest, isTicked, stay, tick } = useRelease(host);
  const [mistakes, setMistakes] = useState<Mistakes>(NO_MISTAKES);
  const [busy, setBusy] = useState(false);
  const { form, show } = useMistakeFocus<HTMLFormElement>();
  const known = useKnownAddresses(host.site);
  const name = host.nickname || host.id;
  const refuse = (found: Mistakes): void => {
    setMistakes(found);
    show();
  };
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    const missing = Object.entries(mistakesOf(address)).map(([field, text]) => [`address.${field}`, text]);
    if (guest !== undefined && !isTicked) missing.push(['release', words.mustRelease(guest)]);
    if (missing.length > 0) return refuse({ fields: Object.fromEntries(missing), rest: '' });
    setBusy(true);
    try {
      const body = { address: addressWish(address.draft), ...releasing(stay) };
      await sendAbout(`/hosts/${encodeURIComponent(host.id)}`, 'unassign', body);
      done(words.done(name));
      navigate(`/phones/${encodeURIComponent(host.id)}`, { replace: true });
    } catch (error) {
      const other = await somebodyElse(error, { id: host.id, stay }).catch(() => undefined);
      if (other) onChange(other);
      refuse(mustRelease(other) ?? mistakesIn(error, (path) => path.startsWith('address.')));
      setBusy(false);
    }
  };
  return (
    <form class="form narrow" ref={form} noValidate onSubmit={(event) => void submit(event)}>
      <Notice kind="info">
        <p>{words.keeps(owner.name, owner.extension)}</p>
        <p>{words.off}</p>
      </Notice>
      <Card title={words.address} lead={words.addressLead}>
        <AddressChoice
          label={texts.convert.address}
          value={address}
          known={known}
          errors={below(mistakes.fields, 'address') as AddressMistakes & { readonly choice?: string }}
          onChange={setAddress}
        />
      </Card>
      {guest !== undefined && (
        <CheckField
          label={words.release(guest)}
          hint={words.busy(guest)}
          checked={isTicked}
          error={isTicked ? undefined : mistakes.fields.release}
          onChange={tick}
        />
      )}
      {mistakes.rest !== '' && <Notice kind="danger">{mistakes.rest}</Notice>}
      <FormFoot id={host.id} busy={busy} action={words.submit} />
    </form>
  );
}

/** Somebody is there who was not asked about; undefined: nobody is. */
export function mustRelease(host: Host | undefined): Mistakes | undefined {
  const guest = host?.association?.guest.name;
  return guest === undefined ? undefined : { fields: { release: words.mustRelease(guest) }, rest: '' };
}

/** Cancel leads back to the phone. */
export function FormFoot(props: { readonly id: string; readonly busy: boolean; readonly action: string }) {
  return (
    <div class="step-bar">
      <div class="step-foot">
        <a class="button plain" href={`/phones/${encodeURIComponent(props.id)}`}>
          {texts.common.cancel}
        </a>
        <Button type="submit" kind="primary" busy={props.busy}>
          {props.action}
        </Button>
      </div>
    </div>
  );
}
