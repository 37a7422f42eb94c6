import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import { AccountsPage } from '../pages/accounts.tsx';
import { AddDevicePage } from '../pages/add-device.tsx';
import { AssignPhonesPage } from '../pages/assign-phones.tsx';
import { AssignUserPage } from '../pages/assign-user.tsx';
import { AuditChangesPage } from '../pages/audit-changes.tsx';
import { AuditStaysPage } from '../pages/audit-stays.tsx';
import { CompanyPage } from '../pages/company.tsx';
import { ConvertPage } from '../pages/convert.tsx';
import { EmergenciesPage } from '../pages/emergencies.tsx';
import { FeedPage } from '../pages/feed.tsx';
import { HostPage } from '../pages/host.tsx';
import { HostsPage } from '../pages/hosts.tsx';
import { ModelsPage } from '../pages/models.tsx';
import { MyAccountPage } from '../pages/my-account.tsx';
import { NewPasswordPage } from '../pages/new-password.tsx';
import { NewPersonPage } from '../pages/new-person.tsx';
import { NotAllowedPage, NotFoundPage } from '../pages/not-found.tsx';
import { OrderPage } from '../pages/order.tsx';
import { OrdersPage } from '../pages/orders.tsx';
import { PeopleImportPage } from '../pages/people-import.tsx';
import { SignInPage } from '../pages/sign-in.tsx';
import { NewSitePage, SitePage } from '../pages/site.tsx';
import { SitesPage } from '../pages/sites.tsx';
import { TimeOutPage } from '../pages/time-out.tsx';
import { TokensPage } from '../pages/tokens.tsx';
import { UnassignPage } from '../pages/unassign.tsx';
import { UsagePage } from '../pages/usage.tsx';
import { UserPage } from '../pages/user.tsx';
import { UserPhonePage } from '../pages/user-phone.tsx';
import { UsersPage } from '../pages/users.tsx';
import { WebhookPage } from '../pages/webhook.tsx';
import { WebhooksPage } from '../pages/webhooks.tsx';
import { Mark } from '../ui/icons.tsx';
import { Toasts } from '../ui/toast.tsx';
import { match, navigate, place } from './router.ts';
import { account, isAdministrator, isPerson, mayChange } from './session.ts';
import { Shell } from './shell.tsx';

type Params = Readonly<Record<string, string>>;

/** Every page and where it is. The server knows the same paths (src/http/portal.ts). */
const ROUTES: readonly (readonly [string, (params: Params) => ComponentChildren])[] = [
  ['/phones', () => <Go to="/phones/common-area" />],
  ['/phones/user', () => <HostsPage key="user" kind="user" />],
  ['/phones/common-area', () => <HostsPage key="commonArea" kind="commonArea" />],
  ['/phones/unassigned', () => <HostsPage key="unassigned" kind="unassigned" />],
  ['/phones/models', () => <ModelsPage />],
  ['/phones/add', () => <AddDevicePage />],
  ['/phones/:id', ({ id = '' }) => <HostPage key={id} id={id} />],
  ['/phones/:id/unassign', ({ id = '' }) => <UnassignPage key={id} id={id} />],
  ['/phones/:id/assign', ({ id = '' }) => <AssignUserPage key={id} id={id} />],
  ['/phones/:id/convert', ({ id = '' }) => <ConvertPage key={id} id={id} />],
  ['/orders', () => <OrdersPage />],
  ['/orders/:id', ({ id = '' }) => <OrderPage key={id} id={id} />],
  ['/orders/:id/phones', ({ id = '' }) => <AssignPhonesPage key={id} id={id} />],
  ['/security/hot-desk-session-timeout', () => <TimeOutPage />],
  ['/company', () => <CompanyPage />],
  ['/sites', () => <SitesPage />],
  ['/sites/new', () => <NewSitePage />],
  ['/sites/:id', ({ id = '' }) => <SitePage key={id} id={id} tab="settings" />],
  ['/sites/:id/addresses', ({ id = '' }) => <SitePage key={id} id={id} tab="addresses" />],
  ['/account', () => <MyAccountPage />],
  ['/accounts', () => <AccountsPage />],
  ['/tokens', () => <TokensPage />],
  ['/audit', () => <AuditStaysPage key="stays" />],
  ['/audit/changes', () => <AuditChangesPage key="changes" />],
  ['/live', () => <FeedPage />],
  ['/usage', () => <UsagePage />],
  ['/emergencies', () => <EmergenciesPage />],
  ['/webhooks', () => <WebhooksPage />],
  ['/webhooks/:id', ({ id = '' }) => <WebhookPage key={id} id={id} />],
  ['/users', () => <UsersPage />],
  ['/users/new', () => <NewPersonPage />],
  ['/users/import', () => <PeopleImportPage />],
  ['/users/:id', ({ id = '' }) => <UserPage key={id} extension={id} tab="profile" />],
  ['/users/:id/phone', ({ id = '' }) => <UserPhonePage key={id} extension={id} />],
  ['/users/:id/features', ({ id = '' }) => <UserPage key={id} extension={id} tab="features" />],
];

/** Forms that nobody is to fill in for nothing: the server would refuse them. */
const CHANGES = new Set([
  '/phones/add',
  '/phones/:id/unassign',
  '/phones/:id/convert',
  '/phones/:id/assign',
  '/users/:id/phone',
  '/users/new',
  '/users/import',
]);

/** What is the company's, and no site administrator's. */
const COMPANYS = new Set(['/accounts', '/tokens', '/webhooks', '/webhooks/:id', '/sites/new']);

/** What people have beside their own settings; to the rest the server would show them nothing. */
const PEOPLES = new Set(['/phones/:id', '/users/:id', '/users/:id/features', '/account']);

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

function isTheirs(pattern: string): boolean {
  if (isPerson.value) return PEOPLES.has(pattern);
  return isAdministrator.value || !(COMPANYS.has(pattern) || (CHANGES.has(pattern) && !mayChange.value));
}

function page(path: string): ComponentChildren {
  for (const [pattern, show] of ROUTES) {
    const params = match(pattern, path);
    if (!params) continue;
    if (!isTheirs(pattern)) return <NotAllowedPage home={home()} />;
    return show(params);
  }
  return <NotFoundPage home={home()} />;
}

function Content() {
  const { path, query } = place.value;
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
    const wanted = query.size === 0 ? path : `${path}?${query}`;
    const back = path === '/' ? '' : `?to=${encodeURIComponent(wanted)}`;
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
