import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { isLive } from '../api/live.ts';
import { texts } from '../texts.ts';
import { Button } from '../ui/button.tsx';
import { Icon, type IconName, Mark } from '../ui/icons.tsx';
import { failed } from '../ui/toast.tsx';
import { EmergencyBanner } from './emergency-banner.tsx';
import { navigate, place } from './router.ts';
import { account, signOut } from './session.ts';
import { chooseTheme, THEMES, theme } from './theme.ts';

interface Entry {
  readonly href: string;
  readonly text: string;
  readonly icon: IconName;
  /** Where one is there. */
  readonly under: string;
}

interface Group {
  readonly title?: string;
  /** Others may not see what is there. */
  readonly forAdministrators?: true;
  readonly entries: readonly Entry[];
}

const { nav } = texts;

const GROUPS: readonly Group[] = [
  {
    title: nav.phoneSystem,
    entries: [
      { href: '/phones/common-area', text: nav.phones, icon: 'desk', under: '/phones' },
      { href: '/orders', text: nav.orders, icon: 'box', under: '/orders' },
      { href: '/sites', text: nav.sites, icon: 'building', under: '/sites' },
    ],
  },
  { title: nav.users, entries: [{ href: '/users', text: nav.users, icon: 'users', under: '/users' }] },
  {
    title: `${nav.more} › ${nav.activity}`,
    entries: [
      { href: '/usage', text: texts.usage.nav, icon: 'chart', under: '/usage' },
      { href: '/live', text: texts.feed.nav, icon: 'signal', under: '/live' },
      { href: '/audit', text: texts.audit.nav, icon: 'list', under: '/audit' },
      { href: '/emergencies', text: texts.emergencies.nav, icon: 'bell', under: '/emergencies' },
    ],
  },
  {
    title: `${nav.more} › ${nav.security}`,
    entries: [
      {
        href: '/security/hot-desk-session-timeout',
        text: nav.timeOut,
        icon: 'clock',
        under: '/security',
      },
      { href: '/company', text: texts.company.nav, icon: 'sliders', under: '/company' },
    ],
  },
  {
    title: nav.more,
    forAdministrators: true,
    entries: [
      { href: '/accounts', text: nav.accounts, icon: 'shield', under: '/accounts' },
      { href: '/webhooks', text: texts.webhooks.nav, icon: 'link', under: '/webhooks' },
      { href: '/tokens', text: nav.tokens, icon: 'key', under: '/tokens' },
    ],
  },
];

function groups(): readonly Group[] {
  const who = account.value;
  if (who?.role === 'administrator') return GROUPS;
  if (who?.role !== 'user') return GROUPS.filter(({ forAdministrators }) => !forAdministrators);
  const href = `/users/${encodeURIComponent(who.extension ?? '')}`;
  return [{ entries: [{ href: `${href}/features`, text: nav.me, icon: 'user', under: href }] }];
}

function NavLink({ href, text, icon, under }: Entry) {
  const { path } = place.value;
  const isHere = path === under || path.startsWith(`${under}/`);
  const link = useRef<HTMLAnchorElement>(null);
  // On a phone the menu is one line, longer than the screen.
  useEffect(() => {
    if (isHere) link.current?.scrollIntoView({ block: 'nearest', inline: 'center' });
  }, [isHere]);
  return (
    <a ref={link} href={href} aria-current={isHere ? (path === href ? 'page' : 'true') : undefined}>
      <Icon name={icon} />
      <span>{text}</span>
    </a>
  );
}

/** What stands around every page: the way to the others, who is signed in, and what is urgent. */
export function Shell({ children }: { readonly children: ComponentChildren }) {
  return (
    <div class="shell">
      <button type="button" class="skip" onClick={skip}>
        {texts.skip}
      </button>
      <header class="side">
        <a class="brand" href="/">
          <Mark />
          <span>{texts.product}</span>
        </a>
        <nav class="main-nav" aria-label={nav.label}>
          {groups().map(({ title, entries }) => (
            <div class="nav-group" key={entries[0]?.href}>
              {title && title !== entries[0]?.text && <p class="nav-title">{title}</p>}
              {entries.map((entry) => (
                <NavLink key={entry.href} {...entry} />
              ))}
            </div>
          ))}
        </nav>
        <div class="side-foot">
          <LiveSign />
          <AccountMenu />
        </div>
      </header>
      <div class="content">
        {account.value?.role !== 'user' && <EmergencyBanner />}
        <main id="page" tabIndex={-1}>
          {children}
        </main>
      </div>
    </div>
  );
}

function skip(): void {
  document.getElementById('page')?.focus();
}

function LiveSign() {
  const live = isLive.value;
  return (
    <p class={`live ${live ? 'on' : 'off'}`} title={live ? nav.liveHint : nav.notLiveHint}>
      <span class="live-dot" />
      {live ? nav.live : nav.notLive}
    </p>
  );
}

async function leave(): Promise<void> {
  try {
    await signOut();
  } catch (error) {
    failed(error);
  }
  navigate('/sign-in', { replace: true });
}

function openOwn(onLeave: () => void): void {
  onLeave();
  navigate('/account');
}

/** Opens by the button, closes by Esc, by going elsewhere, and by the button again. */
function AccountMenu() {
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const who = account.value;
  useEffect(() => {
    if (!open) return undefined;
    const elsewhere = (event: Event) => {
      if (!box.current?.contains(event.target as Node)) setOpen(false);
    };
    document.addEventListener('pointerdown', elsewhere);
    document.addEventListener('focusin', elsewhere);
    return () => {
      document.removeEventListener('pointerdown', elsewhere);
      document.removeEventListener('focusin', elsewhere);
    };
  }, [open]);
  if (!who) return null;
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key !== 'Escape' || !open) return;
    setOpen(false);
    button.current?.focus();
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: Esc closes it from anywhere inside
    <div class="account" ref={box} onKeyDown={onKeyDown}>
      <button
        type="button"
        ref={button}
        class="account-button"
        aria-expanded={open}
        onClick={() => setOpen(!open)}
      >
        <span class="avatar" aria-hidden="true">
          {who.name.charAt(0).toUpperCase()}
        </span>
        <span class="account-name">
          <strong>{who.name}</strong>
          <span>{texts.account.roles[who.role]}</span>
        </span>
        <span class="hidden">{texts.account.open}</span>
        <Icon name="dots" />
      </button>
      {open && <Menu email={who.email} onLeave={() => setOpen(false)} />}
    </div>
  );
}

function Menu({ email, onLeave }: { readonly email: string; readonly onLeave: () => void }) {
  return (
    <div class="account-menu">
      <p class="muted account-mail">{email}</p>
      <fieldset class="themes">
        <legend>{texts.account.theme}</legend>
        {THEMES.map((choice) => (
          <label key={choice}>
            <input
              type="radio"
              name="theme"
              checked={theme.value === choice}
              onChange={() => chooseTheme(choice)}
            />
            <span>{texts.account.themes[choice]}</span>
          </label>
        ))}
      </fieldset>
      <Button icon="user" onClick={() => openOwn(onLeave)}>
        {texts.myAccount.open}
      </Button>
      <Button icon="logOut" onClick={() => void leave()}>
        {texts.account.signOut}
      </Button>
    </div>
  );
}
