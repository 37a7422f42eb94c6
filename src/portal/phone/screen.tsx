import { useEffect, useState } from 'preact/hooks';
import { Icon } from '../ui/icons.tsx';
import type { Call } from './call.ts';
import { microphone } from './microphone.ts';
import type { Phone } from './model.ts';
import { isService } from './soft-keys.ts';
import { texts } from './texts.ts';

const words = texts.screen;
const CLOCK = { hour: '2-digit', minute: '2-digit' } as const;
const DAY = { weekday: 'long', day: 'numeric', month: 'long' } as const;

/** By the clock on the wall beside the phone, wherever the browser is. */
function timeAt({ identity: { timeZone } }: Phone, time: number, parts: typeof CLOCK | typeof DAY): string {
  return new Intl.DateTimeFormat('en-GB', { ...parts, ...(timeZone && { timeZone }) }).format(time);
}

/** ms since 1970, anew each second. */
function useNow(): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, []);
  return now;
}

export function Screen({ phone }: { readonly phone: Phone }) {
  return (
    <section class="vvx-screen" aria-label={words.label}>
      <StatusBar phone={phone} />
      <div class="vvx-view">
        <LineLabel phone={phone} />
        <div class="vvx-main">
          <MainView phone={phone} />
        </div>
      </div>
      <p class="vvx-notice">{noticeOf(phone)}</p>
    </section>
  );
}

function StatusBar({ phone }: { readonly phone: Phone }) {
  const now = useNow();
  const { waiting } = phone.line.messages.value;
  const isDeaf = microphone.value === 'none' || microphone.value === 'refused';
  return (
    <div class="vvx-status" aria-hidden="true">
      <span>{phone.identity.nickname}</span>
      <span class="vvx-status-icons">
        {waiting && <Icon name="list" size={14} />}
        {isDeaf && <Icon name="alert" size={14} />}
        <i class={`vvx-dot ${phone.line.state.value}`} />
        <span>{timeAt(phone, now, CLOCK)}</span>
      </span>
    </div>
  );
}

/** What stands beside the line key: the guest, or the phone. */
export function lineLabel(phone: Phone): string {
  const guest = phone.line.guest.value;
  if (!guest) return phone.identity.nickname;
  const name = phone.guestName.value;
  return name === guest.extension || name === undefined ? guest.extension : `${guest.extension} ${name}`;
}

function LineLabel({ phone }: { readonly phone: Phone }) {
  return (
    <div class="vvx-lines" aria-hidden="true">
      <div class={`vvx-line${phone.calls.value.length > 0 ? ' busy' : ''}`}>
        <Icon name="phone" size={15} />
        <span class="vvx-line-label">{lineLabel(phone)}</span>
      </div>
      <div class="vvx-line blank" />
      <div class="vvx-line blank" />
    </div>
  );
}

function MainView({ phone }: { readonly phone: Phone }) {
  const ringing = phone.dialled.value === '' ? phone.ringing.value : undefined;
  const call = ringing ?? phone.chosen.value;
  if (call && phone.transferring.value === call) return <Dialling phone={phone} label={words.transferTo} />;
  if (!ringing && phone.isTyping) return <Dialling phone={phone} label={words.dial} />;
  return call ? <InCall phone={phone} call={call} /> : <Idle phone={phone} />;
}

function Idle({ phone }: { readonly phone: Phone }) {
  const now = useNow();
  return (
    <>
      <p class="vvx-clock" aria-hidden="true">
        {timeAt(phone, now, CLOCK)}
      </p>
      <p class="vvx-date" aria-hidden="true">
        {timeAt(phone, now, DAY)}
      </p>
      <Occupant phone={phone} />
    </>
  );
}

function Occupant({ phone }: { readonly phone: Phone }) {
  const guest = phone.line.guest.value;
  const { kind, ownerName } = phone.identity;
  if (guest) {
    const end = guest.until === undefined ? words.always : words.until(timeAt(phone, guest.until, CLOCK));
    return (
      <p class="vvx-who taken">
        <strong>{phone.guestName.value}</strong>
        <span>{end}</span>
      </p>
    );
  }
  if (kind === 'user')
    return (
      <p class="vvx-who own">
        <strong>{ownerName ?? phone.identity.nickname}</strong>
        <span>{words.own}</span>
      </p>
    );
  return (
    <p class="vvx-who">
      <strong>{words.free}</strong>
      <span>{words.freeHint(phone.codes)}</span>
    </p>
  );
}

function Dialling({ phone, label }: { readonly phone: Phone; readonly label: string }) {
  return (
    <>
      <p class="vvx-label">{label}</p>
      <p class="vvx-number">
        {phone.dialled.value}
        <i class="vvx-cursor" />
      </p>
      <Meanwhile phone={phone} />
    </>
  );
}

/** What goes on beside a number that is being made. */
function Meanwhile({ phone }: { readonly phone: Phone }) {
  const call = phone.ringing.value ?? phone.chosen.value;
  if (!call || phone.transferring.value === call) return null;
  return <p class="vvx-other">{`${stateOf(call)}: ${titleOf(phone, call)}`}</p>;
}

function InCall({ phone, call }: { readonly phone: Phone; readonly call: Call }) {
  const now = useNow();
  const since = call.since.value;
  const others = phone.calls.value.filter((one) => one !== call);
  const name = phone.nameFor(call);
  return (
    <>
      <p class="vvx-label">
        {stateOf(call)}
        {since !== undefined && <span class="vvx-timer">{duration(now - since)}</span>}
      </p>
      <p class="vvx-party">{titleOf(phone, call)}</p>
      {name !== call.number && !isService(phone, call) && <p class="vvx-party-number">{call.number}</p>}
      <CallNote phone={phone} call={call} />
      {others.length > 0 && (
        <p class="vvx-other">
          {others.map((other) => `${stateOf(other)}: ${titleOf(phone, other)}`).join(', ')}
        </p>
      )}
    </>
  );
}

function titleOf(phone: Phone, call: Call): string {
  if (call.number === phone.codes.logIn) return texts.keys.login;
  if (call.number === phone.codes.logOut) return texts.keys.logout;
  return phone.nameFor(call);
}

/** What goes on besides: what to type, what was typed (not which keys: it may be a PIN), or that nothing is heard. */
function CallNote({ phone, call }: { readonly phone: Phone; readonly call: Call }) {
  const count = call.keysSent.value;
  const isLogIn = call.number === phone.codes.logIn;
  const hint = isLogIn ? (phone.line.guest.value ? words.loggedIn : words.logIn) : '';
  return (
    <>
      {hint !== '' && <p class="vvx-hint">{hint}</p>}
      {count > 0 && (
        <p class="vvx-keys">
          <span aria-hidden="true">{'•'.repeat(Math.min(count, 18))}</span>
          <span class="hidden">{words.keysSent(count)}</span>
        </p>
      )}
      {call.emergency && !phone.line.isUp.value && <p class="vvx-hint">{words.helpWaits}</p>}
      {call.quiet && <p class="vvx-hint">{words.noSound}</p>}
    </>
  );
}

export function stateOf(call: Call): string {
  if (call.isRinging.value) return words.incoming;
  if (call.held.value) return words.held;
  if (call.heldByThem.value) return words.heldByThem;
  const { dialling, ringing, talking } = words;
  return { dialling, ringing, talking, over: words.ending }[call.state.value];
}

function duration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

function noticeOf(phone: Phone): string {
  const { state } = phone.line;
  if (phone.notice.value !== '') return phone.notice.value;
  if (state.value === 'unreachable') return texts.state.unreachable(phone.network.url);
  if (state.value === 'refused' || state.value === 'lost' || state.value === 'taken')
    return texts.state[state.value];
  if (state.value === 'connecting') return texts.state.connecting;
  if (phone.muted.value && phone.calls.value.length > 0) return words.muted;
  if (microphone.value === 'none' || microphone.value === 'refused' || microphone.value === 'waiting')
    return texts.microphone[microphone.value];
  const { waiting, fresh } = phone.line.messages.value;
  if (waiting) return fresh > 0 ? words.messages(fresh) : words.messagesWaiting;
  return '';
}

/** The state in words, for who hears the screen: it changes when the state does, not each second. */
export function Announcer({ phone }: { readonly phone: Phone }) {
  const call = phone.ringing.value ?? phone.chosen.value;
  const what = call ? `${stateOf(call)}: ${titleOf(phone, call)}` : occupancy(phone);
  const text = [what, noticeOf(phone)].filter(Boolean).join('. ');
  return (
    <p class="hidden" role="status" aria-live="polite">
      {text}
    </p>
  );
}

function occupancy(phone: Phone): string {
  const guest = phone.line.guest.value;
  if (guest) return lineLabel(phone);
  return phone.identity.kind === 'user' ? lineLabel(phone) : `${lineLabel(phone)}: ${words.free}`;
}
