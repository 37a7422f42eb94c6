import type { ComponentChildren } from 'preact';
import { isLive } from '../api/live.ts';
import { texts } from '../texts.ts';
import { initialsOf } from '../ui/bits.tsx';
import { Button } from '../ui/button.tsx';
import { Icon, Mark } from '../ui/icons.tsx';
import { failed } from '../ui/toast.tsx';
import { useOpen } from '../ui/use-open.ts';
import { EmergencyBanner } from './emergency-banner.tsx';
import { MainMenu } from './menu.tsx';
import { navigate } from './router.ts';
import { account, signOut } from './session.ts';
import { chooseTheme, THEMES, theme } from './theme.ts';

const { nav } = texts;

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
        <MainMenu />
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

function AccountMenu() {
  const { open, setOpen, box, button, onKeyDown } = useOpen<HTMLDivElement>();
  const who = account.value;
  if (!who) return null;
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
          {initialsOf(who.name)}
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
