import type { User } from '../../../domain/directory.ts';
import { VOICE_PORTAL_KEYS } from '../../../domain/voice-portal.ts';
import type { PlayItem } from '../../../media/media.ts';
import type { SipDependencies } from '../../ports.ts';
import { reasonHeader } from '../../reasons.ts';
import { readOut } from '../clips.ts';
import type { Conversation } from '../conversation.ts';
import { askCredentials, type Emergency, type Proved } from '../credentials.ts';
import { emergencyDigits } from '../emergency-digits.ts';
import { ACTIONS, nameClips, type Visit } from './actions.ts';
import { type EndOfVisit, type MenuName, type Menus, menusWith, promptOf, stepFrom } from './table.ts';

/** ms a visit may last. */
const MAX_VISIT = 600_000;

export interface PortalOptions {
  /** Id of the host that calls. */
  readonly host: string;
  /** Who is there: they give their passcode only. */
  readonly person: User | undefined;
  /** Signalling address, for the guess counters. */
  readonly source: string;
}

/**
 * The voice portal (rules B4–B6): who is it, then the menus until they have enough. An emergency number typed anywhere
 * is returned, and the call is still up.
 */
export async function voicePortal(
  deps: SipDependencies,
  conversation: Conversation,
  { host, person, source }: PortalOptions,
): Promise<Emergency | undefined> {
  conversation.allow(MAX_VISIT);
  const emergency = emergencyDigits(deps, host);
  const answer = await askCredentials(deps, conversation, {
    host,
    source,
    person: person?.extension,
    greeting: ['voice-portal'],
    emergencyNumber: emergency.number,
    prove: (request) => deps.hotDesk.identify(request),
  });
  if (!answer || 'emergency' in answer) return answer;
  const { extension, name } = answer.proved.user;
  const { passcode } = answer;
  const visit: Visit = {
    ...{ deps, conversation, host, source, emergency },
    ...{ extension, name, passcode, draft: undefined },
  };
  return walk(visit, await greeting(visit, answer));
}

async function greeting({ deps, extension }: Visit, { first }: Proved<object>): Promise<PlayItem[]> {
  const name = (await nameClips(deps, extension)) ?? ['extension', ...readOut(extension)];
  return [...first, 'welcome', ...name, 'pause'];
}

/** From menu to menu until the end; the keys are those the company has when it begins. */
async function walk(visit: Visit, welcome: readonly PlayItem[]): Promise<Emergency | undefined> {
  const { deps, conversation } = visit;
  const menus = menusWith(deps.view.directory?.company.voicePortal?.keys ?? VOICE_PORTAL_KEYS);
  let place: Place = { say: welcome, at: { menu: 'main', misses: 0 } };
  while (!conversation.signal.aborted) {
    const next = await visitMenu(visit, menus, place);
    if ('emergency' in next) return next;
    if ('why' in next) {
      await goodbye(conversation, next);
      return undefined;
    }
    place = next;
  }
  return undefined;
}

interface Place {
  readonly say: readonly PlayItem[];
  readonly at: { readonly menu: MenuName; readonly misses: number };
}

interface End {
  readonly say: readonly string[];
  readonly why: EndOfVisit;
}

/** Says what there is to say, asks, and does what was asked for. */
async function visitMenu(visit: Visit, menus: Menus, { say, at }: Place): Promise<Place | End | Emergency> {
  const { conversation, emergency } = visit;
  if (say.length > 0) await conversation.tell(say);
  const pressed = await conversation.key({ prompt: promptOf(menus[at.menu]), emergency });
  if (conversation.signal.aborted) return { say: [], at };
  if (pressed && 'emergency' in pressed) return pressed;
  const step = stepFrom(menus, at, pressed ?? 'silence');
  if (step.kind !== 'act') return step;
  const outcome = await ACTIONS[step.action](visit);
  return 'emergency' in outcome ? outcome : { say: outcome.say, at: { menu: outcome.menu, misses: 0 } };
}

const ENDS = {
  exit: reasonHeader(200, 'Goodbye'),
  silence: reasonHeader(408, 'No digits were received'),
  invalid: reasonHeader(400, 'None of the choices'),
} as const satisfies Record<EndOfVisit, string>;

async function goodbye(conversation: Conversation, { say, why }: End): Promise<void> {
  await conversation.say(say);
  conversation.hangUp(ENDS[why]);
}
