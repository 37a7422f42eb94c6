import { useState } from 'preact/hooks';
import { create, send } from '../api/client.ts';
import type { SiteDetails } from '../api/types.ts';
import { readSites, sites } from '../app/session.ts';
import { useForm } from '../app/use-form.ts';
import { texts } from '../texts.ts';
import { Card } from '../ui/bits.tsx';
import { Button } from '../ui/button.tsx';
import { Notice } from '../ui/dialog.tsx';
import { AreaField, SelectField, TextField } from '../ui/fields.tsx';
import { linesOf, type Mistakes, mistakesIn } from './person-fields.tsx';

const words = texts.sites;

/** A site as it stands in the fields. */
interface Draft {
  readonly id: string;
  readonly name: string;
  readonly timeZone: string;
  readonly outsideLinePrefix: string;
  readonly dailyLogOut: string;
  readonly callbackNumber: string;
  readonly callbackMinutes: string;
  readonly callbackOthersAfter: string;
  readonly emergencyNumbers: string;
  readonly emergencyTestNumbers: string;
  readonly emails: string;
  readonly phones: string;
}

function draftOf(site: SiteDetails | undefined): Draft {
  if (!site) {
    const zone = sites.value[0]?.timeZone ?? '';
    const texts_ = { id: '', name: '', outsideLinePrefix: '', dailyLogOut: '', callbackNumber: '' };
    const lists = { emergencyNumbers: '', emergencyTestNumbers: '', emails: '', phones: '' };
    return { ...texts_, ...lists, timeZone: zone, callbackMinutes: '60', callbackOthersAfter: '' };
  }
  const { id, name, timeZone, outsideLinePrefix, callbackNumber, emergencyContacts: told } = site;
  return {
    ...{ id, name, timeZone, outsideLinePrefix, callbackNumber, dailyLogOut: site.dailyLogOut ?? '' },
    callbackMinutes: String(site.callbackMinutes),
    callbackOthersAfter: String(site.callbackOthersAfter ?? ''),
    emergencyNumbers: site.emergencyNumbers.join(', '),
    emergencyTestNumbers: site.emergencyTestNumbers.join(', '),
    ...{ emails: told.emails.join('\n'), phones: told.phones.join('\n') },
  };
}

function secondsOf(text: string): number | 'never' | null | undefined {
  const word = text.trim().toLowerCase();
  if (word === '') return null;
  if (word === 'never') return 'never';
  return /^\d{1,3}$/.test(word) && Number(word) <= 120 ? Number(word) : undefined;
}

function minutesOf(text: string): number | undefined {
  const minutes = Number(text);
  return /^\d{2,4}$/.test(text.trim()) && minutes >= 10 && minutes <= 1440 ? minutes : undefined;
}

function missingIn(draft: Draft, isNew: boolean): Mistakes {
  const needed = ['name', 'timeZone', 'callbackNumber', ...(isNew ? ['id'] : [])] as const;
  const empty = needed.filter((field) => draft[field as keyof Draft].trim() === '');
  const missing: Readonly<Record<string, string>> = words.missing;
  return {
    ...Object.fromEntries(empty.map((field) => [field, missing[field] ?? ''])),
    ...(minutesOf(draft.callbackMinutes) === undefined && { callbackMinutes: words.missing.callbackMinutes }),
    ...(secondsOf(draft.callbackOthersAfter) === undefined && {
      callbackOthersAfter: words.missing.callbackOthersAfter,
    }),
  };
}

function bodyOf(draft: Draft) {
  return {
    ...{ name: draft.name.trim(), timeZone: draft.timeZone.trim() },
    outsideLinePrefix: draft.outsideLinePrefix.trim(),
    callbackNumber: draft.callbackNumber.replace(/[\s().-]/g, ''),
    callbackMinutes: minutesOf(draft.callbackMinutes),
    callbackOthersAfter: secondsOf(draft.callbackOthersAfter),
    dailyLogOut: draft.dailyLogOut.trim() === '' ? null : draft.dailyLogOut.trim(),
    emergencyNumbers: linesOf(draft.emergencyNumbers),
    emergencyTestNumbers: linesOf(draft.emergencyTestNumbers),
    emergencyContacts: { emails: linesOf(draft.emails), phones: linesOf(draft.phones) },
  };
}

/** What is new has no settings that are off. */
function newBody({ callbackOthersAfter: others, dailyLogOut: daily, ...body }: ReturnType<typeof bodyOf>) {
  return {
    ...body,
    ...(others != null && { callbackOthersAfter: others }),
    ...(daily && { dailyLogOut: daily }),
  };
}

/** `body.emergencyContacts.emails.0` is about the e-mails. */
function fieldsOf(failure: unknown): Mistakes {
  const { emergencyContacts: told, ...others } = mistakesIn(failure, 'id');
  if (told === undefined) return others;
  const listed = JSON.stringify((failure as { problem?: object }).problem ?? {});
  return { ...others, [listed.includes('emergencyContacts.emails') ? 'emails' : 'phones']: told };
}

interface FormProps {
  /** Absent: a new one. */
  readonly site?: SiteDetails;
  readonly may: boolean;
  readonly onSaved: (site: SiteDetails) => void;
}

/** The settings of a site, in three cards. */
export function SiteForm({ site, may, onSaved }: FormProps) {
  const isNew = site === undefined;
  const [draft, setDraft] = useState(() => draftOf(site));
  const isSame = JSON.stringify(draft) === JSON.stringify(draftOf(site));
  const write = (key: string): Promise<SiteDetails> => {
    const body = bodyOf(draft);
    if (!isNew) return send<SiteDetails>('PATCH', `/sites/${encodeURIComponent(site.id)}`, body);
    return create<SiteDetails>('/sites', { id: draft.id.trim(), ...newBody(body) }, key);
  };
  const { element, mistakes, problem, busy, onSubmit } = useForm({
    check: () => missingIn(draft, isNew),
    fieldsOf,
    look: texts.person.look,
    async send(key) {
      const saved = await write(key);
      await readSites();
      onSaved(saved);
    },
  });
  const parts = { draft, mistakes, may, onChange: setDraft };
  return (
    <form ref={element} class="form" noValidate onSubmit={onSubmit}>
      <div class="columns even">
        <div>
          <PlaceCard {...parts} isNew={isNew} />
          <ToldCard {...parts} />
        </div>
        <div>
          <EmergencyCard {...parts} />
        </div>
      </div>
      {problem !== '' && <Notice kind="danger">{problem}</Notice>}
      {may && (
        <div class="form-actions">
          <Button type="submit" kind="primary" busy={busy} disabled={!isNew && isSame}>
            {isNew ? words.submit : texts.common.save}
          </Button>
          {!isNew && !isSame && <span class="muted">{texts.common.notSaved}</span>}
        </div>
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

/** What every field of the form has in common. */
function fieldOf({ draft, mistakes, may, onChange }: PartProps, name: keyof Draft) {
  return {
    ...{ name, value: draft[name], error: mistakes[name], disabled: !may },
    onInput: (value: string) => onChange({ ...draft, [name]: value }),
  };
}

function PlaceCard({ isNew, ...parts }: PartProps & { readonly isNew: boolean }) {
  return (
    <Card title={words.place}>
      <div class="form">
        <TextField label={words.name} maxLength={100} {...fieldOf(parts, 'name')} />
        {isNew && <TextField label={words.id} hint={words.idHint} maxLength={64} {...fieldOf(parts, 'id')} />}
        <ZoneField {...parts} />
        <div class="form-row">
          <TextField
            label={words.prefix}
            hint={words.prefixHint}
            inputMode="numeric"
            maxLength={3}
            {...fieldOf(parts, 'outsideLinePrefix')}
          />
          <TextField
            label={words.daily}
            hint={words.dailyHint}
            maxLength={5}
            {...fieldOf(parts, 'dailyLogOut')}
          />
        </div>
      </div>
    </Card>
  );
}

/** Every zone the browser knows, and the one that is set. */
function ZoneField({ draft, mistakes, may, onChange }: PartProps) {
  const known = Intl.supportedValuesOf('timeZone');
  const all = draft.timeZone === '' || known.includes(draft.timeZone) ? known : [draft.timeZone, ...known];
  const options = all.map((zone) => ({ value: zone, text: zone.replaceAll('_', ' ') }));
  return (
    <SelectField
      label={words.zone}
      value={draft.timeZone}
      error={mistakes.timeZone}
      disabled={!may}
      options={draft.timeZone === '' ? [{ value: '', text: words.chooseZone }, ...options] : options}
      onChange={(timeZone) => onChange({ ...draft, timeZone })}
    />
  );
}

function EmergencyCard(parts: PartProps) {
  return (
    <Card title={words.emergency} lead={words.emergencyLead}>
      <div class="form">
        <TextField
          label={words.callback}
          hint={words.callbackHint}
          maxLength={30}
          {...fieldOf(parts, 'callbackNumber')}
        />
        <div class="form-row">
          <TextField
            label={words.minutes}
            hint={words.minutesHint}
            inputMode="numeric"
            maxLength={4}
            {...fieldOf(parts, 'callbackMinutes')}
          />
          <TextField
            label={words.others}
            hint={words.othersHint}
            maxLength={5}
            {...fieldOf(parts, 'callbackOthersAfter')}
          />
        </div>
        <TextField label={words.extra} hint={words.extraHint} {...fieldOf(parts, 'emergencyNumbers')} />
        <TextField label={words.tests} hint={words.testsHint} {...fieldOf(parts, 'emergencyTestNumbers')} />
      </div>
    </Card>
  );
}

function ToldCard(parts: PartProps) {
  return (
    <Card title={words.told} lead={words.toldLead}>
      <div class="form">
        <AreaField label={words.emails} hint={words.emailsHint} {...fieldOf(parts, 'emails')} />
        <AreaField label={words.phones} hint={words.phonesHint} {...fieldOf(parts, 'phones')} />
      </div>
    </Card>
  );
}
