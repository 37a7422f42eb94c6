import type { VoicePortalKeys } from '../../../domain/voice-portal.ts';
import { readOut } from '../clips.ts';

/** The voice portal's menus as a table (rules B4–B6): what each key does where, what is said, and what follows. */

export type MenuName = 'main' | 'hoteling' | 'review';

export type ActionName =
  | 'recordName'
  | 'playName'
  | 'keepName'
  | 'changePasscode'
  | 'tellAddress'
  | 'checkHostStatus'
  | 'associate'
  | 'disassociate'
  | 'disassociateFromRemoteHost';

/** What a key leads to. */
export type Move = { readonly menu: MenuName } | { readonly action: ActionName } | 'exit';

export interface Choice {
  /** One of `0-9 * #`. */
  readonly key: string;
  /** Prompt id of what it does; the key's own name is said after it. */
  readonly clip: string;
  readonly move: Move;
}

export interface Menu {
  /** Said before the choices. */
  readonly opening: readonly string[];
  readonly choices: readonly Choice[];
}

export type Menus = Readonly<Record<MenuName, Menu>>;

/** Where a caller is, and how many answers in a row were none of the choices. */
export interface Position {
  readonly menu: MenuName;
  readonly misses: number;
}

export type Input = { readonly key: string } | 'silence';

/** Why the portal says goodbye. */
export type EndOfVisit = 'exit' | 'silence' | 'invalid';

/** What to do next: say something and ask at a menu, carry an action out, or say goodbye. */
export type Step =
  | { readonly kind: 'ask'; readonly say: readonly string[]; readonly at: Position }
  | { readonly kind: 'act'; readonly action: ActionName }
  | { readonly kind: 'end'; readonly say: readonly string[]; readonly why: EndOfVisit };

/** Silence and wrong keys in a row after which the portal hangs up. */
const MAX_MISSES = 3;

/** The menus with a company's own keys. The most wanted is said first. */
export function menusWith({ main, hoteling, recordedName }: VoicePortalKeys): Menus {
  return {
    main: {
      opening: [],
      choices: [
        { key: main.hoteling, clip: 'for-hotelling', move: { menu: 'hoteling' } },
        { key: main.recordName, clip: 'to-record-name', move: { action: 'recordName' } },
        { key: main.changePasscode, clip: 'to-change-pin', move: { action: 'changePasscode' } },
        { key: main.emergencyAddress, clip: 'to-hear-address', move: { action: 'tellAddress' } },
        { key: main.repeat, clip: 'to-hear-again', move: { menu: 'main' } },
        { key: main.exit, clip: 'to-finish', move: 'exit' },
      ],
    },
    hoteling: {
      opening: ['hotelling'],
      choices: [
        { key: hoteling.checkHostStatus, clip: 'to-check-host', move: { action: 'checkHostStatus' } },
        { key: hoteling.associate, clip: 'to-associate', move: { action: 'associate' } },
        { key: hoteling.disassociate, clip: 'to-disassociate', move: { action: 'disassociate' } },
        {
          key: hoteling.disassociateFromRemoteHost,
          clip: 'to-disassociate-remote',
          move: { action: 'disassociateFromRemoteHost' },
        },
        { key: hoteling.previous, clip: 'to-go-back', move: { menu: 'main' } },
        { key: hoteling.repeat, clip: 'to-hear-again', move: { menu: 'hoteling' } },
      ],
    },
    review: {
      opening: [],
      choices: [
        { key: recordedName.keep, clip: 'to-keep-name', move: { action: 'keepName' } },
        { key: recordedName.recordAgain, clip: 'to-record-again', move: { action: 'recordName' } },
        { key: recordedName.repeat, clip: 'to-hear-again', move: { action: 'playName' } },
        { key: recordedName.previous, clip: 'to-go-back', move: { menu: 'main' } },
      ],
    },
  };
}

/** Prompt ids of a menu: each choice and its key. */
export function promptOf({ opening, choices }: Menu): string[] {
  return [...opening, ...choices.flatMap(({ clip, key }) => [clip, ...readOut(key), 'pause'])];
}

/** What follows an answer. */
export function stepFrom(menus: Menus, { menu, misses }: Position, input: Input): Step {
  const choice = input === 'silence' ? undefined : menus[menu].choices.find(({ key }) => key === input.key);
  if (choice) return follow(choice.move);
  const isSilence = input === 'silence';
  const told = isSilence ? 'no-input' : 'invalid-key';
  if (misses + 1 < MAX_MISSES) return { kind: 'ask', say: [told], at: { menu, misses: misses + 1 } };
  return { kind: 'end', say: [told, 'goodbye'], why: isSilence ? 'silence' : 'invalid' };
}

function follow(move: Move): Step {
  if (move === 'exit') return { kind: 'end', say: ['goodbye'], why: 'exit' };
  if ('action' in move) return { kind: 'act', action: move.action };
  return { kind: 'ask', say: [], at: { menu: move.menu, misses: 0 } };
}
