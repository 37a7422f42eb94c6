import { useState } from 'preact/hooks';
import { ApiError, send } from '../api/client.ts';
import { account, readSession, siteName } from '../app/session.ts';
import { texts } from '../texts.ts';
import { Card, Facts, Head } from '../ui/bits.tsx';
import { Button } from '../ui/button.tsx';
import { Notice } from '../ui/dialog.tsx';
import { TextField } from '../ui/fields.tsx';
import { done } from '../ui/toast.tsx';
import { CodesCard } from './my-codes.tsx';
import { SessionsCard } from './my-sessions.tsx';
import { proofProblem } from './proof-problem.ts';

const words = texts.myAccount;

/** One's own account: password, codes, and where else one is signed in. */
export function MyAccountPage() {
  return (
    <>
      <Head title={words.title} lead={words.lead} />
      <div class="cards narrow">
        <AboutCard />
        <PasswordCard />
        <CodesCard />
        <SessionsCard />
      </div>
    </>
  );
}

function AboutCard() {
  const who = account.value;
  if (!who) return null;
  const where = who.sites === null ? texts.common.allSites : who.sites.map(siteName).join(', ');
  const rows: [string, string][] = [
    [words.name, who.name],
    [words.email, who.email],
    [words.role, texts.account.roles[who.role]],
    who.role === 'user'
      ? [texts.accounts.extension, who.extension ?? texts.common.none]
      : [texts.accounts.sites, where],
  ];
  return (
    <Card title={words.about} lead={words.aboutLead}>
      <Facts rows={rows} />
    </Card>
  );
}

type Mistakes = Partial<Record<'password' | 'newPassword' | 'code', string>>;

/** A password is never typed twice: it can be looked at. */
function PasswordCard() {
  const [form, setForm] = useState({ password: '', newPassword: '', code: '' });
  const [mistakes, setMistakes] = useState<Mistakes>({});
  const [problem, setProblem] = useState('');
  const [busy, setBusy] = useState(false);
  const needsCode = account.value?.totp === true;
  const set = (name: keyof Mistakes) => (value: string) => {
    setForm((before) => ({ ...before, [name]: value }));
    setMistakes({});
  };
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    const found: Mistakes = {
      ...(form.password === '' && { password: texts.signIn.missingPassword }),
      ...(form.newPassword === '' && { newPassword: texts.newPassword.missingPassword }),
      ...(needsCode && form.code === '' && { code: texts.signIn.missingCode }),
    };
    setMistakes(found);
    setProblem('');
    if (Object.keys(found).length > 0 || busy) return;
    setBusy(true);
    try {
      const { password, newPassword, code } = form;
      await send('PUT', '/session/password', { password, newPassword, ...(needsCode && { code }) });
      // It is another session now, with another token for changes.
      await readSession();
      setForm({ password: '', newPassword: '', code: '' });
      done(words.passwordSaved);
    } catch (error) {
      const told = weakness(error);
      if (told === undefined) setProblem(proofProblem(error));
      else setMistakes({ newPassword: told });
    }
    setBusy(false);
  };
  return (
    <Card title={words.password} lead={words.passwordLead}>
      <form class="form" noValidate onSubmit={(event) => void submit(event)}>
        <input type="hidden" name="username" autocomplete="username" value={account.value?.email ?? ''} />
        <TextField
          {...{ name: 'password', label: words.current, value: form.password, error: mistakes.password }}
          type="password"
          autocomplete="current-password"
          onInput={set('password')}
        />
        <TextField
          {...{ name: 'newPassword', label: texts.newPassword.label, value: form.newPassword }}
          hint={texts.newPassword.passwordHint}
          error={mistakes.newPassword}
          type="password"
          autocomplete="new-password"
          onInput={set('newPassword')}
        />
        {needsCode && (
          <TextField
            {...{
              name: 'code',
              label: texts.signIn.code,
              value: form.code,
              error: mistakes.code,
              short: true,
            }}
            inputMode="numeric"
            autocomplete="one-time-code"
            onInput={set('code')}
          />
        )}
        {problem !== '' && <Notice kind="danger">{problem}</Notice>}
        <div class="form-actions">
          <Button type="submit" kind="primary" busy={busy}>
            {words.changePassword}
          </Button>
        </div>
      </form>
    </Card>
  );
}

function weakness(error: unknown): string | undefined {
  const errors = error instanceof ApiError ? (error.problem.errors ?? []) : [];
  const told = errors.map(({ message }) => message).join(', ');
  return told === '' ? undefined : words.weak(told);
}
