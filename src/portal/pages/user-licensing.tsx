import { useState } from 'preact/hooks';
import { friendly, get, send } from '../api/client.ts';
import { useLive } from '../api/live.ts';
import type { Licences, User } from '../api/types.ts';
import { mayChange } from '../app/session.ts';
import { useLoad } from '../app/use-load.ts';
import { texts } from '../texts.ts';
import { Card, Pill } from '../ui/bits.tsx';
import { Button } from '../ui/button.tsx';
import { Dialog, Notice } from '../ui/dialog.tsx';
import { CheckField } from '../ui/fields.tsx';
import { done } from '../ui/toast.tsx';

const words = texts.licensing;
const KINDS = ['hotDesk', 'host', 'guest'] as const;
type Kind = (typeof KINDS)[number];

function held(user: User): ReadonlySet<Kind> {
  return new Set<Kind>([...(user.hotDeskLicence ? (['hotDesk'] as const) : []), ...user.addOns]);
}

interface LicensingProps {
  readonly user: User;
  readonly onChange: (user: User) => void;
}

/** Profile › User licensing: what somebody has, what is left, Modify (rules A7, B1). */
export function LicensingCard({ user, onChange }: LicensingProps) {
  const [open, setOpen] = useState(false);
  const licences = useLoad('licences', (signal) => get<Licences>('/company/licences', signal));
  useLive(['directory'], licences.reload);
  const has = held(user);
  return (
    <Card
      title={words.title}
      lead={words.lead}
      aside={
        mayChange.value &&
        licences.data && (
          <Button kind="primary" onClick={() => setOpen(true)}>
            {words.modify}
          </Button>
        )
      }
    >
      <ul class="licences">
        {KINDS.map((kind) => (
          <li key={kind}>
            <div>
              <strong>{words.names[kind]}</strong>
              <p class="muted small">{words.does[kind]}</p>
            </div>
            <div class="licence-state">
              <Pill tone={has.has(kind) ? 'ok' : 'quiet'} icon={has.has(kind) ? 'check' : 'circle'}>
                {has.has(kind) ? words.assigned : words.notAssigned}
              </Pill>
              <span class="muted small">{licences.data && leftOf(licences.data, kind)}</span>
            </div>
          </li>
        ))}
      </ul>
      {open && licences.data && (
        <Modify
          user={user}
          licences={licences.data}
          onClose={() => setOpen(false)}
          onSaved={(changed) => {
            onChange(changed);
            licences.reload();
            setOpen(false);
          }}
        />
      )}
    </Card>
  );
}

function leftOf(licences: Licences, kind: Kind): string {
  const { available, total } = licences[kind];
  return words.left(available, total);
}

interface ModifyProps {
  readonly user: User;
  readonly licences: Licences;
  readonly onClose: () => void;
  readonly onSaved: (user: User) => void;
}

/** Modify → Continue → Save. */
function Modify({ user, licences, onClose, onSaved }: ModifyProps) {
  const before = held(user);
  const [wanted, setWanted] = useState(before);
  const [reviewing, setReviewing] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState('');
  const adds = KINDS.filter((kind) => wanted.has(kind) && !before.has(kind));
  const takes = KINDS.filter((kind) => !wanted.has(kind) && before.has(kind));
  const nothing = adds.length + takes.length === 0;
  const save = async (): Promise<void> => {
    setBusy(true);
    try {
      onSaved(
        await send<User>('PATCH', `/users/${encodeURIComponent(user.extension)}`, bodyOf(wanted, takes)),
      );
      done(words.saved(user.name));
    } catch (failure) {
      setError(friendly(failure));
      setBusy(false);
    }
  };
  const actions = reviewing ? (
    <>
      <Button onClick={() => setReviewing(false)}>{texts.common.back}</Button>
      <Button kind="primary" busy={busy} autoFocus onClick={() => void save()}>
        {texts.common.save}
      </Button>
    </>
  ) : (
    <>
      <Button onClick={onClose}>{texts.common.cancel}</Button>
      <Button kind="primary" disabled={nothing} onClick={() => setReviewing(true)}>
        {words.continue}
      </Button>
    </>
  );
  return (
    <Dialog title={reviewing ? words.review : words.choose} onClose={onClose} actions={actions}>
      {reviewing ? (
        <Review adds={adds} takes={takes} isThere={user.association !== null} />
      ) : (
        <Choice before={before} wanted={wanted} licences={licences} onChange={setWanted} />
      )}
      {error !== '' && <Notice kind="danger">{error}</Notice>}
    </Dialog>
  );
}

/** What is in use may be taken away: it was asked for, and shown. */
function bodyOf(wanted: ReadonlySet<Kind>, takes: readonly Kind[]) {
  return {
    hotDeskLicence: wanted.has('hotDesk'),
    addOns: (['host', 'guest'] as const).filter((kind) => wanted.has(kind)),
    ...(takes.length > 0 && { release: true }),
  };
}

interface ChoiceProps {
  readonly before: ReadonlySet<Kind>;
  readonly wanted: ReadonlySet<Kind>;
  readonly licences: Licences;
  readonly onChange: (wanted: ReadonlySet<Kind>) => void;
}

function Choice({ before, wanted, licences, onChange }: ChoiceProps) {
  const toggle = (kind: Kind, checked: boolean): void => {
    const after = new Set(wanted);
    if (checked) after.add(kind);
    else after.delete(kind);
    onChange(after);
  };
  return (
    <div class="choices">
      {KINDS.map((kind) => {
        const isGone = licences[kind].available === 0 && !before.has(kind);
        return (
          <CheckField
            key={kind}
            label={words.names[kind]}
            hint={`${words.does[kind]} · ${isGone ? words.none : leftOf(licences, kind)}`}
            checked={wanted.has(kind)}
            disabled={isGone}
            onChange={(checked) => toggle(kind, checked)}
          />
        );
      })}
    </div>
  );
}

interface ReviewProps {
  readonly adds: readonly Kind[];
  readonly takes: readonly Kind[];
  readonly isThere: boolean;
}

function Review({ adds, takes, isThere }: ReviewProps) {
  const list = (title: string, kinds: readonly Kind[]) =>
    kinds.length > 0 && (
      <>
        <h3>{title}</h3>
        <ul class="plain-list">
          {kinds.map((kind) => (
            <li key={kind}>{words.names[kind]}</li>
          ))}
        </ul>
      </>
    );
  return (
    <>
      {list(words.adds, adds)}
      {list(words.takes, takes)}
      {takes.length > 0 && (isThere || takes.includes('host')) && (
        <Notice kind="warn">{words.release}</Notice>
      )}
    </>
  );
}
