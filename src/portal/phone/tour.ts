import { texts } from './texts.ts';

/** The tour: what somebody who has never seen this might do next, by what has really happened. */

/** Whom the demo's newcomer becomes, as config/demo.yaml has it. */
export const NEWCOMER = { extension: '1001', pin: '583914', name: 'Amelia Clarke' } as const;
/** The phone beside. */
export const SECOND_PHONE = 'u1002';

export interface TourFacts {
  readonly isReady: boolean;
  readonly isSecondPhone: boolean;
  /** Name of who is logged in. */
  readonly guest: string | undefined;
  readonly call: 'none' | 'menu' | 'incoming' | 'outgoing' | 'talking' | 'emergency';
  readonly isSecondOpen: boolean;
  readonly hasTalked: boolean;
  readonly hasBeenUsed: boolean;
}

export interface Hint {
  readonly step: number;
  readonly text: string;
  readonly offersSecond?: boolean;
}

const { tour } = texts;
export const STEPS = 6;

export function hintFor(facts: TourFacts): Hint {
  const { isReady, isSecondPhone, guest, call, isSecondOpen, hasTalked, hasBeenUsed } = facts;
  if (!isReady) return { step: 1, text: tour.connect };
  if (call === 'incoming') return { step: 4, text: tour.answer };
  if (call === 'outgoing') return { step: 4, text: tour.ringing };
  if (call === 'talking') return { step: 5, text: tour.talk };
  if (call === 'emergency') return { step: 5, text: tour.emergency };
  if (isSecondPhone) return { step: 4, text: tour.secondOwn };
  if (guest === undefined && hasBeenUsed) return { step: STEPS, text: tour.done };
  if (call === 'menu' && guest === undefined)
    return { step: 2, text: tour.type(NEWCOMER.extension, NEWCOMER.pin) };
  if (guest === undefined) return { step: 1, text: tour.logIn };
  if (hasTalked) return { step: STEPS, text: tour.logOut };
  // Keys would go into this call.
  if (call === 'menu') return { step: 3, text: tour.listen };
  if (isSecondOpen) return { step: 4, text: tour.call };
  return { step: 3, text: tour.second(guest), offersSecond: true };
}
