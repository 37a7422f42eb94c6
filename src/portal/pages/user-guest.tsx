import { useState } from 'preact/hooks';
import { friendly, get, send } from '../api/client.ts';
import type { AvailableHost, User } from '../api/types.ts';
import { isPerson, mayChange, zoneOf } from '../app/session.ts';
import { clock, left } from '../app/time.ts';
import { useLoad } from '../app/use-load.ts';
import { texts } from '../texts.ts';
import { Card } from '../ui/bits.tsx';
import { Button } from '../ui/button.tsx';
import { Notice } from '../ui/dialog.tsx';
import { hoursOf, SelectField, Switch, TextField } from '../ui/fields.tsx';
import { Icon } from '../ui/icons.tsx';
import { done, failed } from '../ui/toast.tsx';
import { NeedsAddOn } from './needs-add-on.tsx';

const words = texts.guest;

interface GuestProps {
  readonly user: User;
  readonly onChange: (user: User) => void;
  readonly reload: () => void;
}

/** The host that is chosen, and why the connection with it was refused: they outlive the settings that are saved first. */
interface Attempt {
  readonly host: string;
  readonly error: string;
}
const NO_ATTEMPT: Attempt = { host: '', error: '' };

/** Features › Hot desking guest (rule B3). */
export function GuestCard({ user, onChange, reload }: GuestProps) {
  const [attempt, setAttempt] = useState<Attempt>(NO_ATTEMPT);
  const hasAddOn = user.addOns.includes('guest');
  return (
    <Card title={words.title} lead={isPerson.value ? words.ownLead : words.lead}>
      {user.association && <Connected user={user} reload={reload} />}
      {hasAddOn ? (
        <GuestForm
          key={`${user.guestEnabled}${user.associationLimitHours}`}
          user={user}
          onChange={onChange}
          attempt={attempt}
          onAttempt={setAttempt}
        />
      ) : (
        <NeedsAddOn extension={user.extension} text={words.needsAddOn} />
      )}
    </Card>
  );
}

function Connected({ user, reload }: Omit<GuestProps, 'onChange'>) {
  const { association, extension, site } = user;
  if (!association) return null;
  const { host, startedAt, expiresAt } = association;
  const reconnect = async (): Promise<void> => {
    await send('PUT', `/users/${encodeURIComponent(extension)}/association`, { host: host.id });
    reload();
  };
  const disconnect = async (): Promise<void> => {
    try {
      await send('DELETE', `/users/${encodeURIComponent(extension)}/association`);
      done(words.disconnected, reconnect);
    } catch (error) {
      failed(error);
    }
    reload();
  };
  const times = [
    texts.time.since(clock(startedAt, zoneOf(site))),
    expiresAt ? texts.time.left(left(expiresAt) ?? '') : texts.time.noLimit,
  ];
  return (
    <div class="connected">
      <Icon name="desk" size={24} />
      <div>
        <strong>{words.connected(host.nickname || host.id)}</strong>
        <p class="muted small">{times.join(' · ')}</p>
      </div>
      {(mayChange.value || isPerson.value) && (
        <Button small icon="logOut" onClick={() => void disconnect()}>
          {words.disconnect}
        </Button>
      )}
    </div>
  );
}

function optionsOf(hosts: readonly AvailableHost[], isConnected: boolean) {
  const named = hosts.map(({ id, nickname, site, owner, free }) => ({
    value: id,
    text: [nickname || id, owner?.name, site.name, free ? words.free : words.taken]
      .filter(Boolean)
      .join(' · '),
    disabled: !free,
  }));
  return [{ value: '', text: isConnected ? words.stay : words.choose }, ...named];
}

/** Hosts in the drop-down; where there are more, they are found by a search. */
const OFFERED = 200;

/** The hosts of the drop-down; `isLong`: there are more of them, which a search finds. */
function useOffered(user: User, enabled: boolean) {
  const [find, setFind] = useState('');
  const [isLong, setLong] = useState(false);
  const path = `/users/${encodeURIComponent(user.extension)}`;
  const where = user.association?.host.id ?? '';
  const { data } = useLoad(`${path} ${enabled} ${where} ${find}`, async (signal) => {
    if (!user.guestEnabled) return [];
    const query = find.trim() === '' ? '' : `&q=${encodeURIComponent(find.trim())}`;
    const asked = `${path}/hosts?limit=${OFFERED}${query}`;
    const page = await get<{ hosts: readonly AvailableHost[]; total: number }>(asked, signal);
    if (page.total > OFFERED) setLong(true);
    return page.hosts;
  });
  return { data, find, setFind, isLong };
}

interface ChoiceProps {
  readonly user: User;
  readonly offered: ReturnType<typeof useOffered>;
  readonly host: string;
  readonly disabled: boolean;
  readonly onChange: (host: string) => void;
}

/** Connect with: a drop-down of the hosts this person may use. */
function HostChoice({ user, offered, host, disabled, onChange }: ChoiceProps) {
  const hosts = offered.data ?? [];
  const isNone = !disabled && offered.data && hosts.length === 0 && user.guestEnabled;
  return (
    <>
      {offered.isLong && (
        <TextField
          label={words.find}
          hint={words.findHint(OFFERED)}
          name="find-host"
          maxLength={100}
          value={offered.find}
          disabled={disabled}
          onInput={(text) => {
            offered.setFind(text);
            onChange('');
          }}
        />
      )}
      <SelectField
        label={words.connect}
        hint={!disabled && !user.guestEnabled ? words.saveFirst : isNone ? words.noHosts : words.connectHint}
        value={host}
        disabled={disabled || hosts.length === 0}
        options={optionsOf(hosts, user.association !== null)}
        onChange={onChange}
      />
    </>
  );
}

interface GuestFormProps extends Omit<GuestProps, 'reload'> {
  readonly attempt: Attempt;
  readonly onAttempt: (attempt: Attempt) => void;
}

function GuestForm({ user, onChange, attempt, onAttempt }: GuestFormProps) {
  const { host, error } = attempt;
  const path = `/users/${encodeURIComponent(user.extension)}`;
  const [enabled, setEnabled] = useState(user.guestEnabled);
  const [limit, setLimit] = useState(String(user.associationLimitHours ?? ''));
  const [mistake, setMistake] = useState('');
  const [busy, setBusy] = useState(false);
  const offered = useOffered(user, enabled);
  const hours = hoursOf(limit);
  const isSame = enabled === user.guestEnabled && hours === user.associationLimitHours;
  const may = mayChange.value || isPerson.value;

  const write = async (): Promise<string> => {
    if (!isSame) {
      onChange(await send<User>('PATCH', `${path}/guest`, { enabled, associationLimitHours: hours }));
    }
    if (host === '') return words.saved;
    const connected = await send<User>('PUT', `${path}/association`, { host });
    onChange(connected);
    onAttempt(NO_ATTEMPT);
    return words.savedConnected(connected.association?.host.nickname ?? host);
  };
  const save = async (event: Event): Promise<void> => {
    event.preventDefault();
    setMistake(hours === undefined ? words.badLimit : '');
    onAttempt({ host, error: '' });
    if (hours === undefined) return;
    setBusy(true);
    try {
      done(await write());
    } catch (failure) {
      onAttempt({ host, error: friendly(failure) });
    }
    setBusy(false);
  };
  return (
    <form class="form" onSubmit={(event) => void save(event)}>
      <Switch label={words.on} checked={enabled} disabled={!may} onChange={setEnabled} />
      <TextField
        label={words.limitOn}
        hint={words.limitHint}
        name="guest-limit"
        inputMode="numeric"
        short
        value={limit}
        disabled={!may || !enabled}
        error={mistake || undefined}
        onInput={setLimit}
      />
      <HostChoice
        user={user}
        offered={offered}
        host={host}
        disabled={!may || !enabled}
        onChange={(chosen) => onAttempt({ host: chosen, error: '' })}
      />
      {error !== '' && <Notice kind="danger">{error}</Notice>}
      {may && (
        <div class="form-actions">
          <Button type="submit" kind="primary" busy={busy} disabled={isSame && host === ''}>
            {texts.common.save}
          </Button>
          {!(isSame && host === '') && <span class="muted">{texts.common.notSaved}</span>}
        </div>
      )}
    </form>
  );
}
