import type { Association } from '../../../domain/association.ts';
import { callbackNumberOf } from '../../../domain/directory-index.ts';
import { isRefusal, type Reason } from '../../../domain/reasons.ts';
import type { PlayItem, Recording } from '../../../media/media.ts';
import type { SipDependencies } from '../../ports.ts';
import { spoken } from '../../reasons.ts';
import { hoursClips, readOut, spelled } from '../clips.ts';
import type { Conversation } from '../conversation.ts';
import type { Emergency } from '../credentials.ts';
import type { EmergencyDigits } from '../digit-queue.ts';
import { askNewPasscode } from '../new-passcode.ts';
import { addressReadOut } from '../read-back.ts';
import type { ActionName, MenuName } from './table.ts';

/** Somebody in the voice portal. */
export interface Visit {
  readonly deps: SipDependencies;
  readonly conversation: Conversation;
  /** Id of the host they call from. */
  readonly host: string;
  /** Signalling address. */
  readonly source: string;
  readonly extension: string;
  /** Of who was proved: somebody else may get the extension meanwhile. */
  readonly name: string;
  /** Proved; replaced when they choose another. */
  passcode: string;
  readonly emergency: EmergencyDigits;
  /** Their name as just recorded, not kept yet. */
  draft: Recording | undefined;
}

/** What to say of it, and the menu that follows. */
export interface Outcome {
  readonly say: readonly PlayItem[];
  readonly menu: MenuName;
}

/** A name takes no longer; 64 KB. */
const NAME = { maxMs: 8_000, silenceMs: 2_000 };

/** Where the menus say other words than phones do. Who has taken a host is not said. */
const SAID: Partial<Record<Reason, readonly string[]>> = {
  occupied: ['host-taken'],
  notYours: ['not-associated'],
  nobodyHere: ['not-associated'],
  storeUnavailable: ['try-later'],
  stateUnknown: ['try-later'],
  unknownUser: ['login-failed'],
};

type Action = (visit: Visit) => Promise<Outcome | Emergency>;

/** What the keys do. Each says what came of it; of a hang-up on the way nothing is left. */
export const ACTIONS: Readonly<Record<ActionName, Action>> = {
  recordName,
  playName: async (visit) => review(visit),
  keepName,
  changePasscode,
  tellAddress: async (visit) => tellAddress(visit),
  checkHostStatus,
  associate,
  disassociate,
  disassociateFromRemoteHost,
};

/** A name as it was recorded; undefined: it has not been, or cannot be had. */
export async function nameClips(deps: SipDependencies, extension: string): Promise<PlayItem[] | undefined> {
  const recording = await deps.names.of(extension);
  return recording && [recording];
}

async function recordName(visit: Visit): Promise<Outcome | Emergency> {
  const { conversation } = visit;
  visit.draft = undefined;
  for (const clip of ['record-name', 'beep']) {
    await conversation.tell([clip]);
    const skipped = await takeKey(visit);
    if (skipped) return skipped;
  }
  const recording = await conversation.record(NAME);
  const stopped = await takeKey(visit);
  if (stopped) return stopped;
  if (!recording) return { say: refusal('notRecorded'), menu: 'main' };
  visit.draft = recording;
  return review(visit);
}

/** The key that ended a prompt or a recording is no answer to what follows, unless it begins an emergency number. */
async function takeKey({ conversation, emergency }: Visit): Promise<Emergency | undefined> {
  if (!conversation.hasDigits) return undefined;
  const pressed = await conversation.key({ prompt: [], emergency });
  return pressed && 'emergency' in pressed ? pressed : undefined;
}

function review({ draft }: Visit): Outcome {
  if (!draft) return { say: refusal('notRecorded'), menu: 'main' };
  return { say: ['your-name', draft, 'pause'], menu: 'review' };
}

async function keepName(visit: Visit): Promise<Outcome> {
  const { deps, draft, extension, name } = visit;
  if (!draft) return review(visit);
  const kept = await deps.names.keep({ extension, name }, draft);
  if (isRefusal(kept)) return { say: refusal(kept.refused), menu: 'review' };
  visit.draft = undefined;
  return { say: ['name-saved'], menu: 'main' };
}

async function changePasscode(visit: Visit): Promise<Outcome | Emergency> {
  const { deps, conversation, emergency, extension, host, source, passcode: previous } = visit;
  const length = deps.view.directory?.company.passcodeLength;
  if (!length) return { say: refusal('stateUnknown'), menu: 'main' };
  const rules = { extension, previous, length };
  const choice = await askNewPasscode(conversation, { rules, emergencyNumber: emergency.number });
  if ('emergency' in choice) return choice;
  if (isRefusal(choice)) return { say: refusal(choice.refused), menu: 'main' };
  if (conversation.signal.aborted) return { say: [], menu: 'main' };
  const { passcode: newPasscode } = choice;
  // Proved once more: it may have been changed by somebody else since.
  const result = await deps.hotDesk.identify({ host, source, extension, passcode: previous, newPasscode });
  if (isRefusal(result)) return { say: refusal(result.refused), menu: 'main' };
  visit.passcode = newPasscode;
  return { say: ['pin-changed'], menu: 'main' };
}

function tellAddress({ deps, host: id }: Visit): Outcome {
  const { directory } = deps.view;
  const host = directory?.hosts.get(id);
  if (!directory || !host) return { say: refusal('stateUnknown'), menu: 'main' };
  const callbackNumber = callbackNumberOf(host, directory);
  return { say: addressReadOut({ host, callbackNumber }), menu: 'main' };
}

async function checkHostStatus({ deps, host: id }: Visit): Promise<Outcome> {
  const { directory, knowledge } = deps.view;
  const host = directory?.hosts.get(id);
  if (!host || knowledge === 'unknown') return { say: refusal('stateUnknown'), menu: 'hoteling' };
  const association = deps.view.associationAt(id);
  if (association) return { say: await guestClips(deps, association), menu: 'hoteling' };
  const owner = host.owner === undefined ? undefined : directory?.users.get(host.owner);
  const isHost = host.enabled && (host.kind === 'commonArea' || (owner?.addOns.includes('host') ?? false));
  return { say: isHost ? ['host-free'] : refusal('hostDisabled'), menu: 'hoteling' };
}

/** Rule B4: the recorded name, if there is one, and the extension. */
async function guestClips(deps: SipDependencies, { guest }: Association): Promise<PlayItem[]> {
  const name = (await nameClips(deps, guest)) ?? spelled(deps.view.directory?.users.get(guest)?.name ?? '');
  return ['host-guest', ...name, 'extension', ...readOut(guest), 'pause'];
}

/** Rule B5. */
async function associate({ deps, host, extension }: Visit): Promise<Outcome> {
  const result = await deps.hotDesk.associateGuest({ host, extension });
  if (isRefusal(result)) return { say: refusal(result.refused), menu: 'hoteling' };
  const { association, movedFrom } = result;
  const moved = movedFrom ? ['moved'] : [];
  return { say: [...moved, 'associated', ...limitClips(association)], menu: 'hoteling' };
}

function limitClips({ startedAt, expiresAt }: Association): string[] {
  return expiresAt === 'never' ? [] : ['time-limit-is', ...hoursClips(expiresAt - startedAt)];
}

/** Rule B6. */
async function disassociate({ deps, host, extension }: Visit): Promise<Outcome> {
  const result = await deps.hotDesk.leave({ extension, host });
  const say = isRefusal(result) ? refusal(result.refused) : ['disassociated'];
  return { say, menu: 'hoteling' };
}

async function disassociateFromRemoteHost({ deps, host, extension }: Visit): Promise<Outcome> {
  const result = await deps.hotDesk.leave({ extension });
  if (!isRefusal(result)) {
    const wasHere = result.association.host === host;
    return { say: [wasHere ? 'disassociated' : 'disassociated-remote'], menu: 'hoteling' };
  }
  const say = result.refused === 'nobodyHere' ? ['not-associated-anywhere'] : refusal(result.refused);
  return { say, menu: 'hoteling' };
}

function refusal(reason: Reason): readonly string[] {
  return SAID[reason] ?? spoken(reason).clips;
}
