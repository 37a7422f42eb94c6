import { useEffect, useState } from 'preact/hooks';
import { ApiError, friendly, send } from '../api/client.ts';
import { decoded, navigate } from '../app/router.ts';
import { signIn } from '../app/session.ts';
import { texts } from '../texts.ts';
import { Button } from '../ui/button.tsx';
import { Notice } from '../ui/dialog.tsx';
import { TextField } from '../ui/fields.tsx';
import { Mark } from '../ui/icons.tsx';
import { useMistakeFocusOn } from '../ui/mistake-focus.ts';

const words = texts.newPassword;

/** The token stands behind `#`: it reaches no server before the form is sent, and leaves the address at once. */
function tokenInAddress(): string {
  const token = decoded(window.location.hash.slice(1));
  if (token !== '') window.history.replaceState(null, '', window.location.pathname);
  return token;
}

interface Form {
  readonly token: string;
  readonly name: string;
  readonly email: string;
  readonly password: string;
}
type Mistakes = Partial<Record<keyof Form, string>>;

function mistakesIn(form: Form, isSetUp: boolean): Mistakes {
  return {
    ...(form.token.trim() === '' && { token: words.missingToken }),
    ...(isSetUp && form.name.trim() === '' && { name: words.missingName }),
    ...(isSetUp && form.email.trim() === '' && { email: texts.signIn.missingEmail }),
    ...(form.password === '' && { password: words.missingPassword }),
  };
}

/** What the API finds wrong stands at its field. */
function mistakesOf(error: unknown): Mistakes {
  if (!(error instanceof ApiError)) return {};
  const found = (error.problem.errors ?? []).map(({ path, message }) => [
    path.replace(/^body\./, ''),
    message,
  ]);
  return Object.fromEntries(found);
}

async function submitForm(form: Form, isSetUp: boolean): Promise<void> {
  const { token, password, name, email } = form;
  if (!isSetUp) {
    await send('POST', '/password', { token, password });
    return navigate('/sign-in', { replace: true });
  }
  const who = { email: email.trim(), name: name.trim() };
  await send('POST', '/setup', { token: token.trim(), password, ...who });
  await signIn({ email: who.email, password });
  navigate('/', { replace: true });
}

/** By a one-time link: the first administrator (`setup`), or a password. */
export function NewPasswordPage({ kind }: { readonly kind: 'setup' | 'password' }) {
  const isSetUp = kind === 'setup';
  const [form, setForm] = useState<Form>(() => ({
    token: tokenInAddress(),
    name: '',
    email: '',
    password: '',
  }));
  const [asksToken] = useState(form.token === '');
  const [mistakes, setMistakes] = useState<Mistakes>({});
  const element = useMistakeFocusOn<HTMLFormElement>(mistakes);
  const [problem, setProblem] = useState('');
  const [busy, setBusy] = useState(false);
  const { title, lead, submit } = words[kind];
  useEffect(() => {
    document.title = texts.title(title);
  }, [title]);
  const onSubmit = async (event: Event): Promise<void> => {
    event.preventDefault();
    const found = mistakesIn(form, isSetUp);
    setMistakes(found);
    setProblem('');
    if (Object.keys(found).length > 0) return;
    setBusy(true);
    try {
      await submitForm(form, isSetUp);
    } catch (error) {
      setMistakes(mistakesOf(error));
      setProblem(friendly(error));
      setBusy(false);
    }
  };
  const field = (name: keyof Form, label: string) => ({
    ...{ name, label, value: form[name], error: mistakes[name] },
    onInput: (value: string) => setForm((before) => ({ ...before, [name]: value })),
  });
  return (
    <main class="sign-in-main alone">
      <form ref={element} class="sign-in-form" noValidate onSubmit={(event) => void onSubmit(event)}>
        <div class="sign-in-mark">
          <Mark size={40} />
          <span>{texts.product}</span>
        </div>
        <h1>{title}</h1>
        <p class="lead">{lead}</p>
        {problem !== '' && <Notice kind="danger">{problem}</Notice>}
        {asksToken && (
          <TextField
            {...field('token', words.token)}
            hint={isSetUp ? words.setUpTokenHint : words.tokenHint}
          />
        )}
        {isSetUp && <TextField {...field('name', words.name)} />}
        {isSetUp && (
          <TextField
            {...field('email', texts.signIn.email)}
            type="email"
            inputMode="email"
            autocomplete="username"
          />
        )}
        <TextField
          {...field('password', words.label)}
          type="password"
          hint={words.passwordHint}
          autocomplete="new-password"
        />
        <Button type="submit" kind="primary" busy={busy}>
          {submit}
        </Button>
      </form>
    </main>
  );
}
