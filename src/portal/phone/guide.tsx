import { signal } from '@preact/signals';
import { Icon } from '../ui/icons.tsx';
import type { Phone } from './model.ts';
import { elsewhere } from './seats.ts';
import { isService } from './soft-keys.ts';
import { texts } from './texts.ts';
import { hintFor, SECOND_PHONE, STEPS, type TourFacts } from './tour.ts';

const KEY = 'hotdesk.phone.tour';
const words = texts.tour;
const isShown = signal(window.localStorage.getItem(KEY) !== 'closed');

function show(shown: boolean): void {
  isShown.value = shown;
  if (shown) window.localStorage.removeItem(KEY);
  else window.localStorage.setItem(KEY, 'closed');
}

/** One line above the phone, that goes on by what really happens. It stands in the page and covers nothing. */
export function Guide({ phone }: { readonly phone: Phone }) {
  if (!isShown.value)
    return (
      <p class="guide-again">
        <button type="button" class="link-button" onClick={() => show(true)}>
          {words.again}
        </button>
      </p>
    );
  const { step, text, offersSecond } = hintFor(factsOf(phone));
  return (
    <aside class="guide" aria-label={words.title}>
      <span class="guide-step" role="img" aria-label={words.step(step, STEPS)}>
        {step}/{STEPS}
      </span>
      <p class="guide-text" aria-live="polite">
        {text}
      </p>
      {offersSecond && (
        <a class="button primary small" href={`/phone?phone=${SECOND_PHONE}`} target="_blank" rel="noopener">
          <Icon name="phone" size={16} />
          <span>
            {words.openSecond} <span class="hidden">{texts.newWindow}</span>
          </span>
        </a>
      )}
      <button
        type="button"
        class="icon-button guide-close"
        aria-label={words.close}
        onClick={() => show(false)}
      >
        <Icon name="close" size={18} />
      </button>
    </aside>
  );
}

function factsOf(phone: Phone): TourFacts {
  return {
    isReady: phone.line.state.value === 'registered',
    isSecondPhone: phone.identity.kind === 'user' && phone.line.guest.value === undefined,
    guest: phone.guestName.value,
    call: callOf(phone),
    isSecondOpen: elsewhere.value.size > 0,
    hasTalked: phone.hasTalked.value,
    hasBeenUsed: phone.hasBeenUsed.value,
  };
}

function callOf(phone: Phone): TourFacts['call'] {
  if (phone.ringing.value) return 'incoming';
  const call = phone.chosen.value;
  if (!call) return 'none';
  if (call.emergency) return 'emergency';
  if (isService(phone, call)) return 'menu';
  return call.state.value === 'talking' ? 'talking' : 'outgoing';
}
