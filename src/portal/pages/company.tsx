import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { get, send } from '../api/client.ts';
import { useLive } from '../api/live.ts';
import type { Company, Licences } from '../api/types.ts';
import { isAdministrator } from '../app/session.ts';
import { useForm } from '../app/use-form.ts';
import { useLoad } from '../app/use-load.ts';
import { texts } from '../texts.ts';
import { Card, Facts, Failed, Head, Skeleton } from '../ui/bits.tsx';
import { Button } from '../ui/button.tsx';
import { Notice } from '../ui/dialog.tsx';
import { Switch, TextField } from '../ui/fields.tsx';
import { done } from '../ui/toast.tsx';
import { type Mistakes, mistakesIn } from './person-fields.tsx';

const words = texts.company;
const KINDS = ['hotDesk', 'host', 'guest'] as const;

/** What may be changed, as it stands in the fields. */
interface Draft {
  readonly hotDesk: string;
  readonly host: string;
  readonly guest: string;
  readonly ringCommonArea: boolean;
  readonly ringUser: boolean;
  readonly voicePortal: string;
  readonly voicemailNumber: string;
  readonly idleLimitMinutes: string;
  readonly expiryWarningMinutes: string;
  readonly pinMin: string;
  readonly pinMax: string;
}

function draftOf(company: Company): Draft {
  const { addOnLicences, ringOwnPhone, voicePortal, passcodeLength } = company;
  return {
    hotDesk: String(company.hotDeskLicences),
    ...{ host: String(addOnLicences.host), guest: String(addOnLicences.guest) },
    ...{ ringCommonArea: ringOwnPhone.commonArea, ringUser: ringOwnPhone.user },
    ...{ voicePortal: voicePortal?.number ?? '', voicemailNumber: company.voicemailNumber ?? '' },
    idleLimitMinutes: String(company.idleLimitMinutes ?? ''),
    expiryWarningMinutes: String(company.expiryWarningMinutes),
    ...{ pinMin: String(passcodeLength.min), pinMax: String(passcodeLength.max) },
  };
}

const NUMBERS = ['hotDesk', 'host', 'guest', 'expiryWarningMinutes', 'pinMin', 'pinMax'] as const;

function missingIn(draft: Draft): Mistakes {
  const bad = [...NUMBERS, 'idleLimitMinutes' as const].filter((field) => {
    const text = draft[field].trim();
    return !/^\d{1,7}$/.test(text) && !(field === 'idleLimitMinutes' && text === '');
  });
  return Object.fromEntries(bad.map((field) => [field, words.badCount]));
}

/** Only what is other than it was. */
function bodyOf(draft: Draft, before: Draft): object {
  const differs = (...fields: (keyof Draft)[]): boolean =>
    fields.some((field) => draft[field] !== before[field]);
  const portal = draft.voicePortal.trim();
  const idle = draft.idleLimitMinutes.trim();
  return {
    ...(differs('hotDesk') && { hotDeskLicences: Number(draft.hotDesk) }),
    ...(differs('host', 'guest') && {
      addOnLicences: { host: Number(draft.host), guest: Number(draft.guest) },
    }),
    ...(differs('ringCommonArea', 'ringUser') && {
      ringOwnPhone: { commonArea: draft.ringCommonArea, user: draft.ringUser },
    }),
    ...(differs('voicePortal') && { voicePortal: portal === '' ? null : { number: portal } }),
    ...(differs('voicemailNumber') && { voicemailNumber: draft.voicemailNumber.trim() || null }),
    ...(differs('idleLimitMinutes') && { idleLimitMinutes: idle === '' ? null : Number(idle) }),
    ...(differs('expiryWarningMinutes') && { expiryWarningMinutes: Number(draft.expiryWarningMinutes) }),
    ...(differs('pinMin', 'pinMax') && {
      passcodeLength: { min: Number(draft.pinMin), max: Number(draft.pinMax) },
    }),
  };
}

/** `body.addOnLicences.host` by the names of the fields. */
function fieldsOf(failure: unknown): Mistakes {
  const { hotDeskLicences, addOnLicences, passcodeLength, ...others } = mistakesIn(failure, 'voicePortal');
  const told = JSON.stringify((failure as { problem?: object }).problem ?? {});
  const addOn = told.includes('addOnLicences.guest') ? 'guest' : 'host';
  return {
    ...others,
    ...(hotDeskLicences && { hotDesk: hotDeskLicences }),
    ...(addOnLicences && { [addOn]: addOnLicences }),
    ...(passcodeLength && { pinMax: passcodeLength }),
  };
}

/** More › Company settings. */
export function CompanyPage() {
  const company = useLoad('company', (signal) => get<Company>('/company', signal));
  const licences = useLoad('licences', (signal) => get<Licences>('/company/licences', signal));
  useLive(['directory'], () => {
    company.reload();
    licences.reload();
  });
  const broken = company.error !== undefined && !company.data;
  return (
    <>
      <Head title={words.title} lead={words.lead} />
      {broken && <Failed text={company.error ?? ''} onRetry={company.reload} />}
      {!company.data && !broken && <Skeleton lines={6} />}
      {company.data && (
        <Form
          key={JSON.stringify(draftOf(company.data))}
          company={company.data}
          licences={licences.data}
          onSaved={(saved) => {
            company.set(saved);
            company.reload();
          }}
        />
      )}
    </>
  );
}

interface FormProps {
  readonly company: Company;
  readonly licences: Licences | undefined;
  readonly onSaved: (company: Company) => void;
}

function Form({ company, licences, onSaved }: FormProps) {
  const before = draftOf(company);
  const [draft, setDraft] = useState(before);
  const may = isAdministrator.value;
  const isSame = JSON.stringify(draft) === JSON.stringify(before);
  const { element, mistakes, problem, busy, onSubmit } = useForm({
    check: () => missingIn(draft),
    fieldsOf,
    look: texts.person.look,
    async send() {
      onSaved(await send<Company>('PATCH', '/company', bodyOf(draft, before)));
      done(words.saved);
    },
  });
  const parts: PartProps = { draft, mistakes, may, onChange: setDraft };
  return (
    <form ref={element} class="form" noValidate onSubmit={onSubmit}>
      <div class="columns even">
        <div>
          <LicenceCard {...parts} licences={licences} />
          <OwnPhoneCard {...parts} />
          <AboutCard company={company} />
        </div>
        <div>
          <ServiceCard {...parts} />
          <StayCard {...parts} />
        </div>
      </div>
      {problem !== '' && <Notice kind="danger">{problem}</Notice>}
      {may ? (
        <div class="form-actions">
          <Button type="submit" kind="primary" busy={busy} disabled={isSame}>
            {texts.common.save}
          </Button>
          {!isSame && <span class="muted">{texts.common.notSaved}</span>}
        </div>
      ) : (
        <p class="muted">{words.readOnly}</p>
      )}
    </form>
  );
}

interface PartProps {
  readonly draft: Draft;
  readonly mistakes: Mistakes;
  readonly may: boolean;
  readonly onChange: (draft: Draft) => void;
}

type TextName = { [K in keyof Draft]: Draft[K] extends string ? K : never }[keyof Draft];

interface NumberProps {
  readonly parts: PartProps;
  readonly name: TextName;
  readonly label: string;
  readonly hint?: string;
}

function NumberField({ parts, name, label, hint }: NumberProps) {
  const { draft, mistakes, may, onChange } = parts;
  return (
    <TextField
      label={label}
      hint={hint}
      name={name}
      inputMode="numeric"
      maxLength={8}
      value={draft[name]}
      error={mistakes[name]}
      disabled={!may}
      onInput={(value) => onChange({ ...draft, [name]: value })}
    />
  );
}

function LicenceCard({ licences, ...parts }: PartProps & { readonly licences: Licences | undefined }) {
  return (
    <Card title={words.licences} lead={words.licencesLead}>
      <div class="form-row three">
        {KINDS.map((kind) => (
          <NumberField
            key={kind}
            parts={parts}
            name={kind}
            label={texts.users.licences[kind]}
            hint={licences ? words.assigned(licences[kind].assigned) : ''}
          />
        ))}
      </div>
    </Card>
  );
}

function OwnPhoneCard({ draft, may, onChange }: PartProps) {
  return (
    <Card title={words.own} lead={words.ownLead}>
      <div class="form">
        <Switch
          label={words.ringCommonArea}
          checked={draft.ringCommonArea}
          disabled={!may}
          onChange={(ringCommonArea) => onChange({ ...draft, ringCommonArea })}
        />
        <Switch
          label={words.ringUser}
          checked={draft.ringUser}
          disabled={!may}
          onChange={(ringUser) => onChange({ ...draft, ringUser })}
        />
      </div>
    </Card>
  );
}

function ServiceCard(parts: PartProps) {
  return (
    <Card title={words.services} lead={words.servicesLead}>
      <div class="form">
        <NumberField parts={parts} name="voicePortal" label={words.portal} hint={words.portalHint} />
        <NumberField
          parts={parts}
          name="voicemailNumber"
          label={words.voicemail}
          hint={words.voicemailHint}
        />
      </div>
    </Card>
  );
}

function StayCard(parts: PartProps) {
  return (
    <Card title={words.stay}>
      <div class="form">
        <NumberField parts={parts} name="idleLimitMinutes" label={words.idle} hint={words.idleHint} />
        <NumberField
          parts={parts}
          name="expiryWarningMinutes"
          label={words.warning}
          hint={words.warningHint}
        />
        <fieldset>
          <legend class="switch-label">{words.pinLength}</legend>
          <p class="hint">{words.pinHint}</p>
          <div class="form-row pin-row">
            <NumberField parts={parts} name="pinMin" label={words.pinMin} />
            <NumberField parts={parts} name="pinMax" label={words.pinMax} />
          </div>
        </fieldset>
        <p class="muted small">
          {words.timeOutLead} <a href="/security/hot-desk-session-timeout">{words.timeOut}</a>
        </p>
      </div>
    </Card>
  );
}

/** What is shown, and changed elsewhere. */
function AboutCard({ company }: { readonly company: Company }) {
  const { featureAccessCodes: codes, occupiedDeskPolicy, secondDeskPolicy } = company;
  const country = new Intl.DisplayNames('en-GB', { type: 'region' }).of(company.country) ?? company.country;
  const rows: (readonly [string, ComponentChildren])[] = [
    [words.name, company.name],
    [words.country, country],
    [words.logIn, <code key="in">{codes.logIn}</code>],
    [words.logOut, <code key="out">{codes.logOut}</code>],
    [words.occupied, words.occupiedIs[occupiedDeskPolicy]],
    [words.second, words.secondIs[secondDeskPolicy]],
  ];
  return (
    <Card title={words.codes} lead={words.codesLead}>
      <Facts rows={rows} />
    </Card>
  );
}
