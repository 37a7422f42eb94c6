import { useState } from 'preact/hooks';
import { create, get, send } from '../api/client.ts';
import type { Licences, User } from '../api/types.ts';
import { navigate } from '../app/router.ts';
import { sites } from '../app/session.ts';
import { useForm } from '../app/use-form.ts';
import { useLoad } from '../app/use-load.ts';
import { texts } from '../texts.ts';
import { Card, Head } from '../ui/bits.tsx';
import { Button } from '../ui/button.tsx';
import { Notice } from '../ui/dialog.tsx';
import { CheckField } from '../ui/fields.tsx';
import { done } from '../ui/toast.tsx';
import { NeedsSite } from './needs-site.tsx';
import { bodyOf, missingIn, mistakesIn, NumberFields, newDraft, WhoFields } from './person-fields.tsx';
import { PinDialog } from './user-pin.tsx';

const words = texts.person;
const KINDS = ['hotDesk', 'host', 'guest'] as const;
type Kind = (typeof KINDS)[number];

/** Users › Add a person: who they are, what they may do, and the PIN they begin with. */
export function NewPersonPage() {
  if (sites.value.length > 0) return <NewPerson />;
  return (
    <>
      <Head title={words.add} lead={words.addLead} back={{ href: '/users', text: texts.user.back }} />
      <NeedsSite />
    </>
  );
}

function NewPerson() {
  const [draft, setDraft] = useState(newDraft);
  const [wanted, setWanted] = useState<ReadonlySet<Kind>>(new Set());
  const [wantsPin, setWantsPin] = useState(true);
  const [pin, setPin] = useState('');

  const leave = (): void => navigate(`/users/${encodeURIComponent(draft.extension.trim())}`);
  const { element, mistakes, problem, busy, onSubmit } = useForm({
    check: () => missingIn(draft),
    fieldsOf: mistakesIn,
    look: words.look,
    async send(key) {
      const user = await add(key);
      done(words.added(user.name));
      await givePin(user);
    },
  });
  const add = (key: string): Promise<User> => {
    const { email, ...body } = bodyOf(draft);
    const addOns = (['host', 'guest'] as const).filter((kind) => wanted.has(kind));
    const licences = { hotDeskLicence: wanted.has('hotDesk'), addOns };
    const person = { extension: draft.extension.trim(), ...body, ...licences, ...(email && { email }) };
    return create<User>('/users', person, key);
  };
  /** They are there by now: what goes wrong here takes nothing back. */
  const givePin = async ({ extension }: User): Promise<void> => {
    if (!wantsPin) return leave();
    try {
      const path = `/users/${encodeURIComponent(extension)}/passcode`;
      setPin((await send<{ passcode: string }>('POST', path)).passcode);
    } catch {
      done(words.noPin);
      leave();
    }
  };

  return (
    <>
      <Head title={words.add} lead={words.addLead} back={{ href: '/users', text: texts.user.back }} />
      <form ref={element} class="form" noValidate onSubmit={onSubmit}>
        <div class="columns even">
          <div>
            <Card title={words.who}>
              <div class="form">
                <WhoFields isNew draft={draft} mistakes={mistakes} onChange={setDraft} />
              </div>
            </Card>
          </div>
          <div>
            <Card title={words.numbers}>
              <div class="form">
                <NumberFields draft={draft} mistakes={mistakes} onChange={setDraft} />
              </div>
            </Card>
            <LicenceCard wanted={wanted} onChange={setWanted} wantsPin={wantsPin} onPin={setWantsPin} />
          </div>
        </div>
        {problem !== '' && <Notice kind="danger">{problem}</Notice>}
        <div class="form-actions">
          <Button type="submit" kind="primary" busy={busy}>
            {words.submit}
          </Button>
          <Button onClick={() => navigate('/users')}>{texts.common.cancel}</Button>
        </div>
      </form>
      {pin !== '' && <PinDialog name={draft.name.trim()} pin={pin} onClose={leave} />}
    </>
  );
}

interface LicenceProps {
  readonly wanted: ReadonlySet<Kind>;
  readonly onChange: (wanted: ReadonlySet<Kind>) => void;
  readonly wantsPin: boolean;
  readonly onPin: (wants: boolean) => void;
}

function LicenceCard({ wanted, onChange, wantsPin, onPin }: LicenceProps) {
  const licences = useLoad('licences', (signal) => get<Licences>('/company/licences', signal));
  const toggle = (kind: Kind, checked: boolean): void => {
    const after = new Set(wanted);
    if (checked) after.add(kind);
    else after.delete(kind);
    onChange(after);
  };
  const leftOf = (kind: Kind): string => {
    const found = licences.data?.[kind];
    if (!found) return '';
    return found.available === 0 ? texts.licensing.none : texts.licensing.left(found.available, found.total);
  };
  return (
    <Card title={words.licences}>
      <div class="choices">
        {KINDS.map((kind) => (
          <CheckField
            key={kind}
            label={texts.licensing.names[kind]}
            hint={[texts.licensing.does[kind], leftOf(kind)].filter(Boolean).join(' · ')}
            checked={wanted.has(kind)}
            disabled={licences.data?.[kind].available === 0}
            onChange={(checked) => toggle(kind, checked)}
          />
        ))}
        <CheckField label={words.givePin} hint={words.givePinHint} checked={wantsPin} onChange={onPin} />
      </div>
    </Card>
  );
}
