import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import { HostPage } from '../pages/host.tsx';
import { HostsPage } from '../pages/hosts.tsx';
import { ModelsPage } from '../pages/models.tsx';
import { NewPasswordPage } from '../pages/new-password.tsx';
import { NotFoundPage } from '../pages/not-found.tsx';
import { SignInPage } from '../pages/sign-in.tsx';
import { TimeOutPage } from '../pages/time-out.tsx';
import { UserPage } from '../pages/user.tsx';
import { UsersPage } from '../pages/users.tsx';
import { Mark } from '../ui/icons.tsx';
import { Toasts } from '../ui/toast.tsx';
import { match, navigate, place } from './router.ts';
import { account } from './session.ts';
import { Shell } from './shell.tsx';

type Params = Readonly<Record<string, string>>;

/** Every page and where it is. The server knows the same paths (src/http/portal.ts). */
const ROUTES: readonly (readonly [string, (params: Params) => ComponentChildren])[] = [
  ['/phones/user', () => <HostsPage key="user" kind="user" />],
  ['/phones/common-area', () => <HostsPage key="commonArea" kind="commonArea" />],
  ['/phones/models', () => <ModelsPage />],
  ['/phones/:id', ({ id = '' }) => <HostPage key={id} id={id} />],
  ['/security/hot-desk-session-timeout', () => <TimeOutPage />],
  ['/users', () => <UsersPage />],
  ['/users/:id', ({ id = '' }) => <UserPage key={id} extension={id} tab="profile" />],
  ['/users/:id/features', ({ id = '' }) => <UserPage key={id} extension={id} tab="features" />],
];

/** Where who signs in begins: people at their own settings, administrators at the phones. */
function home(): string {
  const who = account.value;
  return who?.role === 'user' && who.extension !== null
    ? `/users/${encodeURIComponent(who.extension)}/features`
    : '/phones/common-area';
}

function Go({ to }: { readonly to: string }) {
  useEffect(() => navigate(to, { replace: true }), [to]);
  return null;
}

/** Only paths of our own: a link from outside leads nowhere else. */
function returnPath(): string {
  const wanted = place.value.query.get('to') ?? '';
  return /^\/[a-z]/.test(wanted) ? wanted : home();
}

function page(path: string): ComponentChildren {
  for (const [pattern, show] of ROUTES) {
    const params = match(pattern, path);
    if (params) return show(params);
  }
  return <NotFoundPage home={home()} />;
}

function Content() {
  const { path } = place.value;
  const who = account.value;
  if (who === undefined) {
    return (
      <div class="starting">
        <Mark size={48} />
      </div>
    );
  }
  if (path === '/password') return <NewPasswordPage kind="password" />;
  if (who === null) {
    if (path === '/setup') return <NewPasswordPage kind="setup" />;
    if (path === '/sign-in') return <SignInPage />;
    const back = path === '/' ? '' : `?to=${encodeURIComponent(path)}`;
    return <Go to={`/sign-in${back}`} />;
  }
  if (path === '/' || path === '/setup' || path === '/sign-in')
    return <Go to={path === '/sign-in' ? returnPath() : home()} />;
  return <Shell>{page(path)}</Shell>;
}

export function App() {
  return (
    <>
      <Content />
      <Toasts />
    </>
  );
}
