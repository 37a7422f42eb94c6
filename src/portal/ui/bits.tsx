import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { texts } from '../texts.ts';
import { Button } from './button.tsx';
import { Icon, type IconName } from './icons.tsx';

/** Small parts that many pages share. */

export type Tone = 'ok' | 'busy' | 'warn' | 'danger' | 'quiet';

interface PillProps {
  readonly tone: Tone;
  readonly icon: IconName;
  readonly children: ComponentChildren;
}

/** A state in icon, words and colour: never in colour alone. */
export function Pill({ tone, icon, children }: PillProps) {
  return (
    <span class={`pill ${tone}`}>
      <Icon name={icon} size={14} />
      {children}
    </span>
  );
}

interface HeadProps {
  readonly title: string;
  readonly lead?: string;
  readonly back?: { readonly href: string; readonly text: string };
  readonly aside?: ComponentChildren;
}

/** The page's heading: takes the focus when the page is new, so that it is read out. */
export function Head({ title, lead, back, aside }: HeadProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = texts.title(title);
  }, [title]);
  useEffect(() => heading.current?.focus({ preventScroll: true }), []);
  return (
    <header class="page-head">
      <div>
        {back && (
          <a class="back" href={back.href}>
            <Icon name="left" size={16} />
            {back.text}
          </a>
        )}
        <h1 tabIndex={-1} ref={heading}>
          {title}
        </h1>
        {lead && <p class="lead">{lead}</p>}
      </div>
      {aside && <div class="page-aside">{aside}</div>}
    </header>
  );
}

interface TabsProps {
  readonly label: string;
  readonly current: string;
  readonly tabs: readonly { readonly href: string; readonly text: string }[];
}

/** Pages side by side: links, so that each has an address. */
export function Tabs({ label, current, tabs }: TabsProps) {
  const nav = useRef<HTMLElement>(null);
  // On a phone they may be wider than the screen.
  useEffect(() => {
    nav.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }, [current]);
  return (
    <nav class="tabs" aria-label={label} ref={nav}>
      {tabs.map(({ href, text }) => (
        <a key={href} href={href} aria-current={href === current ? 'page' : undefined}>
          {text}
        </a>
      ))}
    </nav>
  );
}

interface EmptyProps {
  readonly icon: IconName;
  readonly title: string;
  readonly text: string;
  readonly children?: ComponentChildren;
}

/** Nothing here: why, and what to do next. */
export function Empty({ icon, title, text, children }: EmptyProps) {
  return (
    <div class="empty">
      <span class="empty-icon">
        <Icon name={icon} size={26} />
      </span>
      <h2>{title}</h2>
      <p>{text}</p>
      {children && <div class="empty-actions">{children}</div>}
    </div>
  );
}

export function Failed({ text, onRetry }: { readonly text: string; readonly onRetry: () => void }) {
  return (
    <div role="alert">
      <Empty icon="alert" title={texts.common.couldNotLoad} text={text}>
        <Button kind="primary" onClick={onRetry}>
          {texts.common.retry}
        </Button>
      </Empty>
    </div>
  );
}

/** Grey lines where words are about to come. */
export function Skeleton({ lines = 3 }: { readonly lines?: number }) {
  return (
    <div class="skeleton-box" role="status">
      <span class="hidden">{texts.common.loading}</span>
      {Array.from({ length: lines }, (_, index) => (
        <span key={index} class={`skeleton w${(index % 3) + 1}`} />
      ))}
    </div>
  );
}

interface CardProps {
  readonly title?: string;
  readonly lead?: string;
  readonly aside?: ComponentChildren;
  readonly children: ComponentChildren;
}

export function Card({ title, lead, aside, children }: CardProps) {
  return (
    <section class="card">
      {title && (
        <header class="card-head">
          <div>
            <h2>{title}</h2>
            {lead && <p>{lead}</p>}
          </div>
          {aside}
        </header>
      )}
      {children}
    </section>
  );
}

/** Names and values, a line each. */
export function Facts({ rows }: { readonly rows: readonly (readonly [string, ComponentChildren])[] }) {
  return (
    <dl class="facts">
      {rows.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** Of the first and the last word: whole characters, also where one takes two places, as emoji do. */
export function initialsOf(name: string): string {
  const words = name.split(/\s+/).filter(Boolean);
  const named = words.length > 1 ? [words[0], words.at(-1)] : words;
  return named
    .map((word = '') => [...word][0] ?? '')
    .join('')
    .toUpperCase();
}

interface PersonProps {
  readonly name: string;
  readonly extension: string;
  readonly children?: ComponentChildren;
}

/** Somebody: initials, name, extension; and what else there is to say, on a second line. */
export function Person({ name, extension, children }: PersonProps) {
  return (
    <span class="person">
      <span class="avatar" aria-hidden="true">
        {initialsOf(name)}
      </span>
      {children ? (
        <span class="stack">
          <span class="person-name">{name}</span>
          <span class="muted small">
            {extension} · {children}
          </span>
        </span>
      ) : (
        <span>
          <span class="person-name">{name}</span> <span class="muted">{extension}</span>
        </span>
      )}
    </span>
  );
}
