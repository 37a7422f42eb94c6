import { useEffect, useState } from 'preact/hooks';
import { ApiError, friendly, get, send } from '../api/client.ts';
import { place } from '../app/router.ts';
import { sessionEnded, signIn } from '../app/session.ts';
import { useLoad } from '../app/use-load.ts';
import { texts } from '../texts.ts';
import { Button } from '../ui/button.tsx';
import { Notice } from '../ui/dialog.tsx';
import { TextField } from '../ui/fields.tsx';
import { Icon, Mark } from '../ui/icons.tsx';

const words = texts.signIn;
/** Characters, as the API takes them. */
const LONGEST_WAY_BACK = 300;

interface Form {
  readonly email: string;
  readonly password: string;
  readonly code: string;
}
type Mistakes = Partial<Record<keyof Form, string>>;

function mistakesIn({ email, password, code }: Form, needsCode: boolean): Mistakes {
  return {
    ...(email.trim() === '' && { email: words.missingEmail }),
    ...(password === '' && { password: words.missingPassword }),
    ...(needsCode && !/^\s*\d{3}\s?\d{3}\s*$/.test(code) && { code: words.missingCode }),
  };
}

/** E-mail and password; then the code, where the account has one. */
export function SignInPage() {
  const [form, setForm] = useState<Form>({ email: '', password: '', code: '' });
  const [needsCode, setNeedsCode] = useState(false);
  const [mistakes, setMistakes] = useState<Mistakes>({});
  const [problem, setProblem] = useState(providerProblem);
  const [busy, setBusy] = useState(false);
  const title = needsCode ? words.codeTitle : words.title;
  useEffect(() => {
    document.title = texts.title(title);
  }, [title]);

  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    const found = mistakesIn(form, needsCode);
    setMistakes(found);
    setProblem('');
    if (Object.keys(found).length > 0) return focusFirst(event.currentTarget as HTMLFormElement, found);
    setBusy(true);
    const { email, password, code } = form;
    const credentials = { email: email.trim(), password };
    try {
      const result = await signIn(
        needsCode ? { ...credentials, code: code.replace(/\s/g, '') } : credentials,
      );
      if (result === 'codeNeeded') setNeedsCode(true);
    } catch (error) {
      setProblem(problemOf(error, needsCode));
    }
    setBusy(false);
  };
  const set = (name: keyof Form) => (value: string) => {
    setForm((before) => ({ ...before, [name]: value }));
    setMistakes((before) => ({ ...before, [name]: undefined }));
  };
  const again = (): void => {
    setNeedsCode(false);
    setForm({ email: form.email, password: '', code: '' });
    setProblem('');
  };

  return (
    <div class="sign-in">
      <aside class="sign-in-side" aria-hidden="true">
        <Poster />
      </aside>
      <main class="sign-in-main">
        <form class="sign-in-form" noValidate onSubmit={(event) => void submit(event)}>
          <div class="sign-in-mark">
            <Mark size={40} />
            <span>{texts.product}</span>
          </div>
          <h1>{title}</h1>
          {!needsCode && <p class="lead">{words.lead}</p>}
          <SetUpNotice />
          {sessionEnded.value && problem === '' && <Notice kind="info">{words.ended}</Notice>}
          {problem !== '' && <Notice kind="danger">{problem}</Notice>}
          {!window.isSecureContext && <Notice kind="warn">{words.insecure}</Notice>}
          {needsCode ? (
            <CodeField value={form.code} error={mistakes.code} onInput={set('code')} />
          ) : (
            <Fields form={form} mistakes={mistakes} set={set} />
          )}
          <Button type="submit" kind="primary" busy={busy}>
            {needsCode ? words.verify : words.submit}
          </Button>
          {!needsCode && <ProviderButton onFail={(error) => setProblem(friendly(error))} />}
          {needsCode && (
            <Button kind="quiet" onClick={again}>
              {words.back}
            </Button>
          )}
        </form>
      </main>
    </div>
  );
}

/** Why the way back from the identity provider ended here. */
function providerProblem(): string {
  const reason = place.value.query.get('problem');
  if (reason === null) return '';
  const known: Readonly<Record<string, string>> = words.providerProblems;
  return known[reason] ?? words.providerProblems.other;
}

/** The other way in, where there is one. */
function ProviderButton({ onFail }: { readonly onFail: (error: unknown) => void }) {
  const [busy, setBusy] = useState(false);
  const state = useLoad('provider', (signal) => get<{ name: string | null }>('/provider', signal));
  const name = state.data?.name;
  if (!name) return null;
  const go = async (): Promise<void> => {
    setBusy(true);
    try {
      // The provider's way back has room for so much.
      const wanted = returnPath();
      const to = wanted.length <= LONGEST_WAY_BACK ? wanted : wanted.replace(/\?.*/s, '');
      const { location } = await send<{ location: string }>('POST', '/provider', { to });
      window.location.assign(location);
    } catch (error) {
      onFail(error);
      setBusy(false);
    }
  };
  return (
    <>
      <p class="or">{words.or}</p>
      <Button icon="key" busy={busy} onClick={() => void go()}>
        {words.provider(name)}
      </Button>
    </>
  );
}

/** On a new machine: where to begin. */
function SetUpNotice() {
  const state = useLoad('setup', (signal) => get<{ needed: boolean }>('/setup', signal));
  if (!state.data?.needed) return null;
  return (
    <Notice kind="info">
      {texts.newPassword.notSetUp} <a href="/setup">{texts.newPassword.goSetUp}</a>
    </Notice>
  );
}

/** The page that was asked for; a page of ours whatever the address says. */
function returnPath(): string {
  const wanted = place.value.query.get('to') ?? '';
  return /^\/[a-z]/.test(wanted) ? wanted : '/';
}

function problemOf(error: unknown, withCode: boolean): string {
  const isNo = error instanceof ApiError && error.status === 401;
  if (!isNo) return friendly(error);
  return withCode ? words.wrongCode : words.wrong;
}

function focusFirst(form: HTMLFormElement, found: Mistakes): void {
  const [name = ''] = Object.keys(found);
  form.querySelector<HTMLInputElement>(`[name="${name}"]`)?.focus();
}

interface FieldsProps {
  readonly form: Form;
  readonly mistakes: Mistakes;
  readonly set: (name: keyof Form) => (value: string) => void;
}

function Fields({ form, mistakes, set }: FieldsProps) {
  return (
    <>
      <TextField
        label={words.email}
        name="email"
        type="email"
        inputMode="email"
        autocomplete="username"
        autoFocus
        value={form.email}
        error={mistakes.email}
        onInput={set('email')}
      />
      <TextField
        label={words.password}
        name="password"
        type="password"
        autocomplete="current-password"
        value={form.password}
        error={mistakes.password}
        onInput={set('password')}
      />
    </>
  );
}

interface CodeProps {
  readonly value: string;
  readonly error: string | undefined;
  readonly onInput: (value: string) => void;
}

function CodeField({ value, error, onInput }: CodeProps) {
  useEffect(() => document.querySelector<HTMLInputElement>('input[name="code"]')?.focus(), []);
  return (
    <TextField
      label={words.code}
      hint={words.codeHint}
      name="code"
      inputMode="numeric"
      autocomplete="one-time-code"
      value={value}
      error={error}
      onInput={onInput}
    />
  );
}

/** What the product does, beside the form on wide screens. */
function Poster() {
  return (
    <div class="poster">
      <div class="poster-phone">
        <div class="poster-screen">
          <span class="poster-time">14:05</span>
          <span class="poster-line">
            <Icon name="user" size={16} /> Amelia Clarke
          </span>
          <span class="poster-line dim">
            <Icon name="clock" size={16} /> 3 h 12 min
          </span>
        </div>
        <div class="poster-keys">
          {Array.from({ length: 12 }, (_, key) => (
            <span key={key} />
          ))}
        </div>
      </div>
      <ul>
        {words.points.map((point) => (
          <li key={point}>
            <Icon name="check" size={18} />
            {point}
          </li>
        ))}
      </ul>
    </div>
  );
}
