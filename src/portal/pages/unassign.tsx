import { useState } from 'preact/hooks';
import { ApiError, sendAbout } from '../api/client.ts';
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

const words = texts.unassign;

/** Takes a phone from its user, whose number stays reserved (rules A6, A7). */
export function UnassignPage({ id }: { readonly id: string }) {
  return (
    <HostAround
      id={id}
      title={(host) => words.title(host.nickname || host.id)}
      lead={(host) => (host.owner ? words.lead(host.owner.name) : '')}
    >
      {(host) =>
        host.kind === 'user' && host.owner ? (
          <UnassignForm key={host.id} host={host} owner={host.owner} />
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
}

function UnassignForm({ host, owner }: FormProps) {
  const [address, setAddress] = useState(chosen(addressDraft(host.address)));
  const [release, setRelease] = useState(false);
  const [mistakes, setMistakes] = useState<Mistakes>(NO_MISTAKES);
  const [busy, setBusy] = useState(false);
  const { form, show } = useMistakeFocus<HTMLFormElement>();
  const known = useKnownAddresses(host.site);
  const name = host.nickname || host.id;
  const guest = host.association?.guest.name;
  const refuse = (found: Mistakes): void => {
    setMistakes(found);
    show();
  };
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    const missing = Object.entries(mistakesOf(address)).map(([field, text]) => [`address.${field}`, text]);
    if (guest !== undefined && !release) missing.push(['release', words.mustRelease(guest)]);
    if (missing.length > 0) return refuse({ fields: Object.fromEntries(missing), rest: '' });
    setBusy(true);
    try {
      const body = { address: addressWish(address.draft), ...(release && { release }) };
      await sendAbout(`/hosts/${encodeURIComponent(host.id)}`, 'unassign', body);
      done(words.done(name));
      navigate(`/phones/${encodeURIComponent(host.id)}`, { replace: true });
    } catch (error) {
      const isTaken = error instanceof ApiError && error.problem.reason === 'associationRunning';
      const found = mistakesIn(error, (path) => path.startsWith('address.'));
      const somebody = guest ?? texts.phoneEdit.somebody;
      refuse(isTaken ? { fields: { release: words.mustRelease(somebody) }, rest: '' } : found);
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
      {(guest !== undefined || mistakes.fields.release) && (
        <CheckField
          label={words.release(guest ?? texts.phoneEdit.somebody)}
          hint={words.busy(guest ?? texts.phoneEdit.somebody)}
          checked={release}
          error={release ? undefined : mistakes.fields.release}
          onChange={setRelease}
        />
      )}
      {mistakes.rest !== '' && <Notice kind="danger">{mistakes.rest}</Notice>}
      <FormFoot id={host.id} busy={busy} action={words.submit} />
    </form>
  );
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
