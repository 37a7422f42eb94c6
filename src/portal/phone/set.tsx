import { useEffect, useRef } from 'preact/hooks';
import type { Call } from './call.ts';
import { LOUDEST } from './kept.ts';
import type { Phone } from './model.ts';
import { Announcer, lineLabel, Screen } from './screen.tsx';
import { isBare, softKeysOf } from './soft-keys.ts';
import { texts } from './texts.ts';

/** The telephone set: everything one can press. */

const { keys } = texts;
const PAD: readonly (readonly [key: string, letters: string])[] = [
  ['1', ''],
  ['2', 'ABC'],
  ['3', 'DEF'],
  ['4', 'GHI'],
  ['5', 'JKL'],
  ['6', 'MNO'],
  ['7', 'PQRS'],
  ['8', 'TUV'],
  ['9', 'WXYZ'],
  ['*', ''],
  ['0', ''],
  ['#', ''],
];
const SOFT_KEYS = 4;

export function PhoneSet({ phone }: { readonly phone: Phone }) {
  const body = useRef<HTMLElement>(null);
  // Digits go to the phone at once.
  useEffect(() => body.current?.focus(), []);
  return (
    <section
      id="phone-set"
      class="vvx"
      aria-label={lineLabel(phone)}
      tabIndex={-1}
      ref={body}
      onKeyDown={(event) => keyDown(phone, event)}
    >
      <Announcer phone={phone} />
      <Handset phone={phone} />
      <div class="vvx-body">
        <TopEdge phone={phone} />
        <div class="vvx-glass">
          <LineKeys phone={phone} />
          <Screen phone={phone} />
          <SoftKeys phone={phone} />
        </div>
        <div class="vvx-lower">
          <DialPad phone={phone} />
          <FunctionKeys phone={phone} />
        </div>
      </div>
      <Sound phone={phone} />
    </section>
  );
}

function keyDown(phone: Phone, event: KeyboardEvent): void {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const onButton = event.target instanceof HTMLButtonElement;
  if (/^[0-9*#]$/.test(event.key)) phone.press(event.key);
  else if (event.key === 'Backspace') phone.delete();
  else if (event.key === 'Escape') goBack(phone);
  else if (event.key === 'Enter' && !onButton)
    softKeysOf(phone)
      .find(({ kind }) => kind === 'go')
      ?.press();
  else return;
  event.preventDefault();
}

function goBack(phone: Phone): void {
  if (phone.ringing.value && !phone.isTyping) phone.end(phone.ringing.value);
  else if (phone.isTyping || phone.transferring.value) phone.clear();
  else phone.end();
}

function TopEdge({ phone }: { readonly phone: Phone }) {
  const { waiting } = phone.line.messages.value;
  const isRinging = phone.ringing.value !== undefined;
  return (
    <div class="vvx-top">
      <span class="vvx-brand" aria-hidden="true">
        {texts.product}
      </span>
      <span class="vvx-model" aria-hidden="true">
        {phone.identity.model}
      </span>
      <span
        class={`vvx-lamp${waiting ? ' on' : ''}${isRinging ? ' ringing' : ''}`}
        role="img"
        aria-label={waiting ? texts.lamp.on : texts.lamp.off}
      />
    </div>
  );
}

function LineKeys({ phone }: { readonly phone: Phone }) {
  const call = phone.ringing.value ?? phone.chosen.value;
  const light = phone.ringing.value ? 'ringing' : call?.held.value ? 'held' : call ? 'busy' : '';
  return (
    <div class="vvx-line-keys">
      <button
        type="button"
        class={`vvx-line-key ${light}`}
        aria-label={`${texts.screen.line}: ${lineLabel(phone)}`}
        onClick={() => pressLine(phone, call)}
      />
      <span class="vvx-line-key blank" aria-hidden="true" />
      <span class="vvx-line-key blank" aria-hidden="true" />
    </div>
  );
}

function pressLine(phone: Phone, call: Call | undefined): void {
  if (phone.ringing.value) phone.answer();
  else if (call?.held.value) phone.resume(call);
  else if (!call) phone.hook(false);
}

function SoftKeys({ phone }: { readonly phone: Phone }) {
  const shown = softKeysOf(phone);
  // A key that went away must not take the keyboard with it.
  useEffect(() => {
    if (document.activeElement === document.body) document.getElementById('phone-set')?.focus();
  });
  return (
    <fieldset class="vvx-soft-keys">
      <legend class="hidden">{keys.softKeys}</legend>
      {Array.from({ length: SOFT_KEYS }, (_, index) => {
        const key = shown[index];
        if (!key) return <span key={index} class="vvx-soft-key blank" aria-hidden="true" />;
        return (
          <button key={index} type="button" class={`vvx-soft-key ${key.kind ?? ''}`} onClick={key.press}>
            <span class="vvx-soft-label">{key.label}</span>
            <span class="vvx-soft-cap" aria-hidden="true" />
          </button>
        );
      })}
    </fieldset>
  );
}

function DialPad({ phone }: { readonly phone: Phone }) {
  return (
    <fieldset class="vvx-pad">
      <legend class="hidden">{keys.dialPad}</legend>
      {PAD.map(([key, letters]) => (
        <button
          key={key}
          type="button"
          class="vvx-key"
          aria-label={keys.names[key]}
          onClick={() => phone.press(key)}
        >
          <span class="vvx-key-digit">{key === '*' ? '✱' : key}</span>{' '}
          <span class="vvx-key-letters">{letters}</span>
        </button>
      ))}
    </fieldset>
  );
}

interface FunctionKeyProps {
  readonly icon: 'speaker' | 'mic' | 'hold' | 'transfer' | 'mail' | 'handset';
  readonly label: string;
  readonly pressed?: boolean;
  readonly disabled?: boolean;
  readonly wide?: boolean;
  readonly onPress: () => void;
}

const DRAWN: Readonly<Record<string, string>> = {
  speaker: 'M4 9.5v5h3.5L12 18.5v-13L7.5 9.5H4ZM15.5 9a4 4 0 0 1 0 6M18 6.5a7.6 7.6 0 0 1 0 11',
  mic: 'M12 14.5a3 3 0 0 0 3-3v-5a3 3 0 0 0-6 0v5a3 3 0 0 0 3 3ZM6 11.5a6 6 0 0 0 12 0M12 17.5v3M4 4l16 16',
  hold: 'M9 6v12M15 6v12',
  transfer: 'M4 8h13M13.5 4.5 17 8l-3.5 3.5M20 16H7M10.5 12.5 7 16l3.5 3.5',
  mail: 'M3.5 6h17v12h-17zM4 6.5l8 6.5 8-6.5',
  handset:
    'M5 4h3.5l1.6 4.2-2 1.4a12 12 0 0 0 5.3 5.3l1.4-2 4.2 1.6V18a2 2 0 0 1-2.2 2A16 16 0 0 1 3 6.2 2 2 0 0 1 5 4Z',
};

function FunctionKey({ icon, label, pressed, disabled = false, wide = false, onPress }: FunctionKeyProps) {
  return (
    <button
      type="button"
      class={`vvx-function${pressed ? ' on' : ''}${wide ? ' wide' : ''}`}
      aria-pressed={pressed}
      disabled={disabled}
      onClick={onPress}
    >
      <svg class="icon" viewBox="0 0 24 24" width="20" height="20" aria-hidden="true" focusable="false">
        <path d={DRAWN[icon] ?? ''} />
      </svg>
      <span>{label}</span>
    </button>
  );
}

function FunctionKeys({ phone }: { readonly phone: Phone }) {
  const call = phone.chosen.value;
  const isTalking = call?.state.value === 'talking' && !isBare(phone, call);
  const isUp =
    phone.offHook.value || (call !== undefined && call.state.value !== 'over' && !call.isRinging.value);
  return (
    <fieldset class="vvx-functions">
      <legend class="hidden">{keys.functions}</legend>
      <FunctionKey
        icon="mail"
        label={keys.messages}
        disabled={phone.line.messages.value.account === undefined || phone.emergency.value !== undefined}
        onPress={() => phone.messages()}
      />
      <FunctionKey
        icon="hold"
        label={keys.hold}
        disabled={!isTalking}
        pressed={call?.held.value ?? false}
        onPress={() => call && (call.held.value ? phone.resume(call) : phone.hold(call))}
      />
      <FunctionKey
        icon="transfer"
        label={keys.transfer}
        disabled={!isTalking}
        onPress={() => call && phone.transfer(call)}
      />
      <FunctionKey icon="mic" label={keys.mute} pressed={phone.muted.value} onPress={() => phone.mute()} />
      <FunctionKey
        icon="speaker"
        label={keys.speaker}
        pressed={isUp && !phone.handset.value}
        onPress={() => phone.hook(false)}
      />
      <FunctionKey
        icon="handset"
        label={keys.handset}
        pressed={isUp && phone.handset.value}
        onPress={() => phone.hook(true)}
      />
      <Volume phone={phone} />
    </fieldset>
  );
}

function Volume({ phone }: { readonly phone: Phone }) {
  const volume = phone.volume.value;
  return (
    <div class="vvx-volume">
      <button type="button" aria-label={keys.quieter} onClick={() => phone.setVolume(volume - 1)}>
        <span aria-hidden="true">−</span>
      </button>
      <meter min={0} max={LOUDEST} value={volume} aria-label={keys.volume} />
      <button type="button" aria-label={keys.louder} onClick={() => phone.setVolume(volume + 1)}>
        <span aria-hidden="true">+</span>
      </button>
    </div>
  );
}

/** Beside the set, as large as one: the whole of it is a key. */
function Handset({ phone }: { readonly phone: Phone }) {
  const isUp = phone.handset.value && (phone.offHook.value || phone.chosen.value !== undefined);
  return (
    <button
      type="button"
      class={`vvx-handset${isUp ? ' up' : ''}`}
      aria-label={isUp ? keys.replace : keys.lift}
      onClick={() => phone.hook(true)}
    >
      <span class="vvx-ear" aria-hidden="true" />
      <span class="vvx-grip" aria-hidden="true" />
      <span class="vvx-ear" aria-hidden="true" />
    </button>
  );
}

/** What the other side says. */
function Sound({ phone }: { readonly phone: Phone }) {
  const audio = useRef<HTMLAudioElement>(null);
  const call = phone.chosen.value;
  const isUp = call !== undefined && (call.state.value === 'talking' || call.early.value);
  const volume = phone.volume.value;
  useEffect(() => {
    const element = audio.current;
    if (!element) return;
    element.srcObject = isUp ? (call?.sound ?? null) : null;
    if (element.srcObject) element.play().catch(() => undefined);
  }, [call, isUp]);
  useEffect(() => {
    if (audio.current) audio.current.volume = volume / LOUDEST;
  }, [volume]);
  // biome-ignore lint/a11y/useMediaCaption: a conversation, as it is spoken
  return <audio ref={audio} autoPlay />;
}
