import type { AuditEntry } from '../api/types.ts';
import { texts } from '../texts.ts';
import type { Tone } from '../ui/bits.tsx';
import type { IconName } from '../ui/icons.tsx';
import { siteName } from './session.ts';

const words = texts.sentences;
const MOST_NAMED = 3;

/** What happened, for people: words, a sign and a tone. */
export interface Sentence {
  readonly text: string;
  readonly icon: IconName;
  readonly tone: Tone;
}

type Ends = keyof typeof words.ended;
type Entries = keyof typeof words.entry;

/** An entry of the audit as a sentence. */
export function sentenceOf(entry: AuditEntry): Sentence {
  const { kind, reason } = entry;
  const [family = '', step = ''] = kind.split('.');
  if (family === 'association') return aboutStay(entry, step);
  if (family === 'emergency') return aboutEmergency(entry);
  if (family === 'directory') return { text: aboutDirectory(entry), icon: 'list', tone: 'quiet' };
  if (family === 'security') return aboutNotice(entry);
  if (family === 'order') {
    const id = entry.entries?.[0]?.replace('order:', '') ?? '';
    return { text: words.order(id, reason ?? step), icon: 'list', tone: 'quiet' };
  }
  return { text: words.other(kind), icon: 'dots', tone: 'quiet' };
}

function phoneOf({ host }: AuditEntry): string {
  return host?.nickname || host?.id || words.aPhone;
}

function personOf({ guest }: AuditEntry): string {
  return guest?.name || guest?.extension || words.somebody;
}

function aboutStay(entry: AuditEntry, step: string): Sentence {
  const { reason, previousHost } = entry;
  const [who, phone] = [personOf(entry), phoneOf(entry)];
  if (step === 'ended') {
    const text = words.ended[(reason ?? 'loggedOut') as Ends](who, phone);
    return { text, icon: 'logOut', tone: reason === 'released' ? 'warn' : 'quiet' };
  }
  if (step === 'extended') {
    return {
      text: words.extended[reason === 'stay' ? 'stay' : 'call'](who, phone),
      icon: 'clock',
      tone: 'quiet',
    };
  }
  const from = previousHost && (previousHost.nickname || previousHost.id);
  return { text: from ? words.move(who, phone, from) : words.logIn(who, phone), icon: 'user', tone: 'ok' };
}

function aboutEmergency(entry: AuditEntry): Sentence {
  const say = words.emergency[entry.reason ?? ''] ?? words.emergency.placed;
  const isSeen = entry.reason === 'acknowledged' || entry.reason === 'answered';
  return { text: say?.(phoneOf(entry)) ?? '', icon: 'alert', tone: isSeen ? 'warn' : 'danger' };
}

function aboutNotice(entry: AuditEntry): Sentence {
  const notice = entry.reason ?? '';
  const about = entry.guest ? personOf(entry) : phoneOf(entry);
  const isBad = ['lockedOut', 'guessing', 'locationUnverified', 'signInFailed'].includes(notice);
  const text = words.notices[notice]?.(notice === 'guessing' ? phoneOf(entry) : about) ?? words.other(notice);
  return { text, icon: isBad ? 'alert' : 'shield', tone: isBad ? 'warn' : 'quiet' };
}

/** `Changed: person 1001, phone cp0004f2000001 and 4 more` */
function aboutDirectory({ entries }: AuditEntry): string {
  if (entries === null) return words.directoryAll;
  const names = entries.slice(0, MOST_NAMED).map((entry) => {
    const [kind = '', id = ''] = entry.split(/:(.*)/s);
    const name = words.entry[kind as Entries];
    return typeof name === 'function' ? name(kind === 'site' ? siteName(id) : id) : (name ?? entry);
  });
  const more = entries.length - MOST_NAMED;
  return words.directory([names.join(', '), ...(more > 0 ? [words.more(more)] : [])].join(' '));
}

/** Who did it, for people. */
export function actorOf({ actor }: Pick<AuditEntry, 'actor'>): string {
  const known = words.actors[actor];
  if (known !== undefined) return known;
  const [kind = '', name = ''] = actor.split(/:(.*)/s);
  if (kind === 'node') return words.node;
  if (kind === 'user') return words.person(name);
  if (kind === 'token') return words.token;
  if (actor === 'admin:api') return words.configuredToken;
  return kind === 'admin' && name !== '' ? name : actor;
}
