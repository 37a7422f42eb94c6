import { useState } from 'preact/hooks';
import { findPeople } from '../api/audit.ts';
import { ApiError, sendAbout } from '../api/client.ts';
import { below, type Mistakes, mistakesIn, NO_MISTAKES } from '../api/mistakes.ts';
import type { Host } from '../api/types.ts';
import { navigate, place } from '../app/router.ts';
import { texts } from '../texts.ts';
import { type AddressMistakes, addressDraft, addressWish } from '../ui/address-fields.tsx';
import { Card } from '../ui/bits.tsx';
import { Notice } from '../ui/dialog.tsx';
import { CheckField, TextField } from '../ui/fields.tsx';
import { useMistakeFocus } from '../ui/mistake-focus.ts';
import { PickerField } from '../ui/picker.tsx';
import { done } from '../ui/toast.tsx';
import {
  AddressChoice,
  type AddressValue,
  chosen,
  mistakesOf,
  useKnownAddresses,
} from './address-choice.tsx';
import { HostAround } from './host-around.tsx';
import { releasing, somebodyElse, useRelease } from './stay-meant.ts';
import { FormFoot, mustRelease } from './unassign.tsx';

const words = texts.assignUser;

/** Gives a phone that is nobody's to a person: an unassigned one, or a common area phone (rules A6, B2). */
export function AssignUserPage({ id }: { readonly id: string }) {
  return (
    <HostAround id={id} title={(host) => words.title(host.nickname || host.id)} lead={() => words.lead}>
      {(host, set) =>
        host.owner ? (
          <Notice kind="info">{words.theirs(host.owner.name)}</Notice>
        ) : (
          <AssignForm key={host.id} host={host} onChange={set} />
        )
      }
    </HostAround>
  );
}

interface FormProps {
  readonly host: Host;
  readonly onChange: (host: Host) => void;
}

interface Draft {
  readonly owner: string;
  readonly nickname: string;
  readonly address: AddressValue;
}

/** `guest`: who is still to be ticked. */
function missingIn({ owner, nickname, address }: Draft, guest: string | undefined): Mistakes {
  const fields = Object.entries(mistakesOf(address)).map(([field, text]) => [`address.${field}`, text]);
  if (owner === '') fields.push(['owner', words.missingOwner]);
  if (nickname.trim() === '') fields.push(['nickname', texts.convert.missingName]);
  if (guest !== undefined) fields.push(['release', texts.unassign.mustRelease(guest)]);
  return { fields: Object.fromEntries(fields), rest: '' };
}

function bodyOf({ owner, nickname, address }: Draft): object {
  return { owner, nickname: nickname.trim(), address: addressWish(address.draft) };
}

const isField = (path: string): boolean =>
  path === 'owner' || path === 'nickname' || path.startsWith('address.');

/** What is wrong with the person stands where one can mend it. */
function refusedAs(error: unknown): Mistakes {
  const reason = error instanceof ApiError ? error.problem.reason : undefined;
  if (reason === 'unknownUser') return { fields: { owner: texts.reasons.unknownUser }, rest: '' };
  return mistakesIn(error, isField);
}

function useAssignment({ host, onChange }: FormProps) {
  const wanted = place.value.query.get('to') ?? '';
  const [draft, setDraft] = useState<Draft>({
    owner: wanted || host.reservedFor?.extension || '',
    nickname: host.nickname,
    address: chosen(addressDraft(host.address)),
  });
  const [mistakes, setMistakes] = useState<Mistakes>(NO_MISTAKES);
  const [busy, setBusy] = useState(false);
  const { form, show } = useMistakeFocus<HTMLFormElement>();
  const release = useRelease(host);
  const refuse = (found: Mistakes): void => {
    setMistakes(found);
    show();
  };
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    const missing = missingIn(draft, release.isTicked ? undefined : release.guest);
    if (Object.keys(missing.fields).length > 0) return refuse(missing);
    setBusy(true);
    try {
      const path = `/hosts/${encodeURIComponent(host.id)}`;
      const { nickname, owner } = await sendAbout<Host>(path, 'assign', {
        ...{ ...bodyOf(draft), ...releasing(release.stay) },
      });
      done(words.done(nickname, owner?.name ?? draft.owner));
      // There the phone can be made a host.
      const features = `/users/${encodeURIComponent(draft.owner)}/features`;
      navigate(wanted === draft.owner ? features : `/phones/${encodeURIComponent(host.id)}`, {
        replace: true,
      });
    } catch (error) {
      const { stay } = release;
      const other = await somebodyElse(error, { id: host.id, stay }).catch(() => undefined);
      if (other) onChange(other);
      refuse(mustRelease(other) ?? refusedAs(error));
      setBusy(false);
    }
  };
  const set = (change: Partial<Draft>): void => setDraft((before) => ({ ...before, ...change }));
  return { draft, set, mistakes, busy, form, submit, release };
}

function AssignForm({ host, onChange }: FormProps) {
  const { draft, set, mistakes, busy, form, submit, release } = useAssignment({ host, onChange });
  const { guest, isTicked, tick } = release;
  const known = useKnownAddresses(host.site);
  return (
    <form class="form narrow" ref={form} noValidate onSubmit={(event) => void submit(event)}>
      {host.kind === 'commonArea' && <Notice kind="info">{words.fromAll}</Notice>}
      <Card title={words.who} lead={words.whoLead}>
        <div class="form">
          <PickerField
            label={words.owner}
            placeholder={words.find}
            value={draft.owner}
            error={mistakes.fields.owner}
            search={findPeople}
            onChange={(owner) => set({ owner })}
          />
          <TextField
            label={texts.convert.name}
            hint={words.nameHint}
            name="nickname"
            maxLength={100}
            value={draft.nickname}
            error={mistakes.fields.nickname}
            onInput={(nickname) => set({ nickname })}
          />
        </div>
      </Card>
      <Card title={texts.convert.address} lead={texts.convert.addressLead}>
        <AddressChoice
          label={texts.convert.address}
          value={draft.address}
          known={known}
          errors={below(mistakes.fields, 'address') as AddressMistakes & { readonly choice?: string }}
          onChange={(address) => set({ address })}
        />
      </Card>
      {guest !== undefined && (
        <CheckField
          label={texts.unassign.release(guest)}
          hint={texts.unassign.busy(guest)}
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
