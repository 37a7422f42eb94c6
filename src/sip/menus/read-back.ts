import type { CivicAddress, Host } from '../../domain/directory.ts';
import { reasonHeader } from '../reasons.ts';
import { readOut } from './clips.ts';
import type { Conversation } from './conversation.ts';

/** Longest part of an address that is spelled, in letters and digits: half a minute, and nobody listens longer. */
const MOST_SPELLED = 40;
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

/** Prompt ids: the number first, then the address from the house to the room, then whether anybody has confirmed it. */
export function readBackClips({ host, callbackNumber }: ReadBack): string[] {
  const shown =
    callbackNumber === undefined
      ? []
      : ['emergency-would-show', 'call-back-number', ...readOut(callbackNumber), 'pause'];
  const unconfirmed = host.location?.verified === false ? ['address-not-confirmed'] : [];
  return [...shown, 'emergency-address-is', ...addressClips(host.address), ...unconfirmed, 'goodbye'];
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

/** Letter by letter and digit by digit, with a pause after each word; accents are left out, as nobody can say them. */
function spelled(text: string, most = MOST_SPELLED): string[] {
  const words = text
    .normalize('NFKD')
    .replace(/\p{Mark}/gu, '')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '');
  let left = most;
  return words.flatMap((word) => {
    const part = word.slice(0, left);
    left -= part.length;
    return part === '' ? [] : [...[...part].map(clipOf), 'pause'];
  });
}

function clipOf(character: string): string {
  return /\d/.test(character) ? `digit-${character}` : `letter-${character}`;
}
