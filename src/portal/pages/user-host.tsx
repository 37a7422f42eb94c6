import { useState } from 'preact/hooks';
import { friendly, send } from '../api/client.ts';
import type { Host, User } from '../api/types.ts';
import { isPerson, mayChange } from '../app/session.ts';
import { texts } from '../texts.ts';
import { Card, Empty, Facts } from '../ui/bits.tsx';
import { Button } from '../ui/button.tsx';
import { Notice } from '../ui/dialog.tsx';
import { hoursOf, SelectField, Switch, TextField } from '../ui/fields.tsx';
import { done } from '../ui/toast.tsx';
import { Guest, modelOf, TimeLeft } from './host-parts.tsx';
import { LogOutDialog } from './log-out.tsx';
import { NeedsAddOn } from './needs-add-on.tsx';

const words = texts.host;

interface HostCardProps {
  readonly user: User;
  readonly phones: readonly Host[];
  readonly reload: () => void;
}

/** Features › Hot desking host (rule B2). */
export function HostCard({ user, phones, reload }: HostCardProps) {
  const hasAddOn = user.addOns.includes('host');
  return (
    <Card title={words.title} lead={isPerson.value ? words.ownLead : words.lead}>
      {!hasAddOn && <NeedsAddOn extension={user.extension} text={words.needsAddOn} />}
      {hasAddOn && phones.length === 0 && (
        <Empty
          icon="desk"
          title={isPerson.value ? words.ownNoPhone : words.noPhone}
          text={isPerson.value ? words.ownNoPhoneText : words.noPhoneText}
        >
          {mayChange.value ? (
            <a class="button primary" href={`/users/${encodeURIComponent(user.extension)}/phone`}>
              {words.givePhone}
            </a>
          ) : (
            <span class="muted">{texts.licensing.ask}</span>
          )}
        </Empty>
      )}
      {hasAddOn && phones.map((phone) => <HostForm key={stateOf(phone)} phone={phone} reload={reload} />)}
    </Card>
  );
}

/** The form begins anew when somebody else has changed it. */
function stateOf({ id, enabled, associationLimitHours, accessLevel }: Host): string {
  return [id, enabled, associationLimitHours, accessLevel].join();
}

function HostForm({ phone, reload }: { readonly phone: Host; readonly reload: () => void }) {
  const [enabled, setEnabled] = useState(phone.enabled);
  const [limit, setLimit] = useState(String(phone.associationLimitHours ?? ''));
  const [access, setAccess] = useState(phone.accessLevel);
  const [mistake, setMistake] = useState('');
  const [error, setError] = useState('');
  const [busy, setBusy] = useState(false);
  const [leaving, setLeaving] = useState<Host>();
  const hours = hoursOf(limit);
  const isSame =
    enabled === phone.enabled && hours === phone.associationLimitHours && access === phone.accessLevel;
  const isTaken = phone.association !== null;
  const may = mayChange.value || isPerson.value;

  const save = async (event: Event): Promise<void> => {
    event.preventDefault();
    setMistake(hours === undefined ? words.badLimit : '');
    setError('');
    if (hours === undefined) return;
    setBusy(true);
    try {
      const body = { enabled, associationLimitHours: hours, accessLevel: access };
      await send('PATCH', `/hosts/${encodeURIComponent(phone.id)}`, body);
      done(words.saved);
      reload();
    } catch (failure) {
      setError(friendly(failure));
    }
    setBusy(false);
  };

  return (
    <form class="form" onSubmit={(event) => void save(event)}>
      <Switch
        label={words.on}
        hint={`${phone.nickname || phone.id} · ${modelOf(phone)}`}
        checked={enabled}
        disabled={!may || isTaken}
        onChange={setEnabled}
      />
      {phone.association && <OnIt phone={phone} may={may} onRelease={() => setLeaving(phone)} />}
      {leaving && <LogOutDialog hosts={[leaving]} onDone={reload} onClose={() => setLeaving(undefined)} />}
      <div class="form-row">
        <TextField
          label={words.limit}
          hint={words.limitHint}
          name="host-limit"
          inputMode="numeric"
          short
          value={limit}
          disabled={!may || isTaken}
          error={mistake || undefined}
          onInput={setLimit}
        />
        <SelectField
          label={words.access}
          value={access}
          disabled={!may || isTaken}
          options={(['site', 'company'] as const).map((value) => ({ value, text: words.accessLevel[value] }))}
          onChange={(value) => setAccess(value === 'site' ? 'site' : 'company')}
        />
      </div>
      {isTaken && <p class="muted small">{words.busy(phone.association?.guest.name ?? '')}</p>}
      {error !== '' && <Notice kind="danger">{error}</Notice>}
      {may && (
        <div class="form-actions">
          <Button type="submit" kind="primary" busy={busy} disabled={isSame || isTaken}>
            {texts.common.save}
          </Button>
          {!isSame && <span class="muted">{texts.common.notSaved}</span>}
        </div>
      )}
    </form>
  );
}

interface OnItProps {
  readonly phone: Host;
  readonly may: boolean;
  readonly onRelease: () => void;
}

/** Who is on it, until when, and Release. */
function OnIt({ phone, may, onRelease }: OnItProps) {
  return (
    <div class="on-it">
      <Facts
        rows={[
          [words.onIt, <Guest key="guest" host={phone} />],
          [texts.phones.columns.timeLeft, <TimeLeft key="left" host={phone} />],
        ]}
      />
      {may && (
        <Button small icon="logOut" onClick={onRelease}>
          {words.release}
        </Button>
      )}
    </div>
  );
}
