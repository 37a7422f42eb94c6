import { useEffect } from 'preact/hooks';
import { texts } from '../texts.ts';
import { Icon, type IconName } from '../ui/icons.tsx';
import { useOpen } from '../ui/use-open.ts';
import { place } from './router.ts';
import { account } from './session.ts';

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
  /** Not for every day: where there is little room it is found under More. */
  readonly isMore?: true;
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
    isMore: true,
    entries: [
      { href: '/usage', text: texts.usage.nav, icon: 'chart', under: '/usage' },
      { href: '/live', text: texts.feed.nav, icon: 'signal', under: '/live' },
      { href: '/audit', text: texts.audit.nav, icon: 'list', under: '/audit' },
      { href: '/emergencies', text: texts.emergencies.nav, icon: 'bell', under: '/emergencies' },
    ],
  },
  {
    title: `${nav.more} › ${nav.security}`,
    isMore: true,
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
    isMore: true,
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
  return (
    <a href={href} aria-current={isHere ? (path === href ? 'page' : 'true') : undefined}>
      <Icon name={icon} />
      <span>{text}</span>
    </a>
  );
}

function NavGroup({ title, entries }: Group) {
  return (
    <div class="nav-group">
      {title && title !== entries[0]?.text && <p class="nav-title">{title}</p>}
      {entries.map((entry) => (
        <NavLink key={entry.href} {...entry} />
      ))}
    </div>
  );
}

/** The way to every page. Wide screens show all of it; narrow ones the first few in a bar, the others under More. */
export function MainMenu() {
  const all = groups();
  const more = all.filter(({ isMore }) => isMore);
  return (
    <nav class="main-nav" aria-label={nav.label}>
      {all
        .filter(({ isMore }) => !isMore)
        .map((group) => (
          <NavGroup key={group.entries[0]?.href} {...group} />
        ))}
      {more.length > 0 && <More groups={more} />}
    </nav>
  );
}

function More({ groups: shown }: { readonly groups: readonly Group[] }) {
  const { open, setOpen, box, button, onKeyDown } = useOpen<HTMLDivElement>();
  const { path } = place.value;
  useEffect(() => setOpen(false), [path]);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: Esc closes it from anywhere inside
    <div class="nav-more" ref={box} onKeyDown={onKeyDown}>
      <button
        type="button"
        ref={button}
        class="nav-more-button"
        aria-expanded={open}
        onClick={() => setOpen(!open)}
      >
        <Icon name="dots" />
        <span>{nav.more}</span>
      </button>
      <div class={`nav-sheet${open ? ' open' : ''}`}>
        {shown.map((group) => (
          <NavGroup key={group.entries[0]?.href} {...group} />
        ))}
      </div>
    </div>
  );
}
