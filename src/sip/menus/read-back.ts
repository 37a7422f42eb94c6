import type { CivicAddress, Host } from '../../domain/directory.ts';
import { reasonHeader } from '../reasons.ts';
import { readOut, spelled } from './clips.ts';
import type { Conversation } from './conversation.ts';

/** Longest floor or room. */
const FEW_SPELLED = 16;

export interface ReadBack {
  readonly host: Host;
  /** What a PSAP would see and call back; E.164. */
  readonly callbackNumber: string | undefined;
}

/** Reads aloud what an emergency call from this desk would tell, and hangs up. Asks the store for nothing. */
export async function readBack(conversation: Conversation, what: ReadBack): Promise<void> {
  await conversation.say(readBackClips(what));
  conversation.hangUp(reasonHeader(200, 'Emergency address read back'));
}

/** Prompt ids of all that is said at the test number. */
export function readBackClips(what: ReadBack): string[] {
  return [...addressReadOut(what), 'goodbye'];
}

/** Prompt ids: the number first, then the address from the house to the room, then whether anybody has confirmed it. */
export function addressReadOut({ host, callbackNumber }: ReadBack): string[] {
  const shown =
    callbackNumber === undefined
      ? []
      : ['emergency-would-show', 'call-back-number', ...readOut(callbackNumber), 'pause'];
  const unconfirmed = host.location?.verified === false ? ['address-not-confirmed'] : [];
  return [...shown, 'emergency-address-is', ...addressClips(host.address), ...unconfirmed];
}

/** Each part ends with a pause; one that is empty is left out with its name. */
function addressClips(address: CivicAddress): string[] {
  const { customerName, houseNumber, street, city, state = '', postcode, floor = '', room = '' } = address;
  return [
    ...spelled(customerName),
    ...named('address-number', spelled(houseNumber, FEW_SPELLED)),
    ...spelled(street),
    ...spelled(city),
    ...spelled(state),
    ...named('address-postcode', spelled(postcode, FEW_SPELLED)),
    ...named('address-floor', spelled(floor, FEW_SPELLED)),
    ...named('address-room', spelled(room, FEW_SPELLED)),
  ];
}

function named(name: string, clips: readonly string[]): string[] {
  return clips.length === 0 ? [] : [name, ...clips];
}
