import { xmlText } from '../location/xml.ts';
import type { EventDocument } from './package.ts';
import { type Element, readXml } from './tiny-xml.ts';

/** The documents of `x-broadworks-hoteling`, as phones write and read them. */

export const HOTELING_TYPE = 'application/x-broadworks-hoteling+xml';
const NAMESPACE = 'http://schema.broadsoft.com/hoteling';
/** Characters of what phones put into an element. */
const MAX_TEXT = 128;

/** What a phone asks for. `answer`: to a challenge; hexadecimal MD5 of `nonce:passcode`. */
export type SetHoteling =
  | { readonly kind: 'guestOut' }
  | { readonly kind: 'guestIn'; readonly guestAddress: string }
  | {
      readonly kind: 'answer';
      readonly guestAddress: string;
      readonly nonce: string;
      readonly response: string;
    };

/** A body a phone sent; undefined: not understood. */
export function readSetHoteling({ contentType, body }: EventDocument): SetHoteling | undefined {
  if (contentType.split(';', 1)[0]!.trim().toLowerCase() !== HOTELING_TYPE) return undefined;
  const root = readXml(body);
  if (root?.name !== 'SetHoteling' || root.namespace !== NAMESPACE) return undefined;
  const guestAddress = textOf(root, 'guestAddress');
  const proof = only(root, 'authenticationData');
  if (guestAddress === undefined || proof === 'several') return undefined;
  if (!proof) return guestAddress === '' ? { kind: 'guestOut' } : { kind: 'guestIn', guestAddress };
  const [nonce, response] = [textOf(proof, 'nonce'), textOf(proof, 'response')];
  const algorithm = only(proof, 'algorithm') ? textOf(proof, 'algorithm')?.toUpperCase() : 'MD5';
  if (guestAddress === '' || !nonce || !response || algorithm !== 'MD5') return undefined;
  return { kind: 'answer', guestAddress, nonce, response };
}

function only(parent: Element, name: string): Element | undefined | 'several' {
  const found = parent.children.filter((one) => one.name === name && one.namespace === NAMESPACE);
  return found.length > 1 ? 'several' : found[0];
}

/** Text of the one element of this name: printable ASCII. */
function textOf(parent: Element, name: string): string | undefined {
  const element = only(parent, name);
  if (!element || element === 'several' || element.children.length > 0) return undefined;
  return element.text.length <= MAX_TEXT && /^[\x20-\x7e]*$/.test(element.text) ? element.text : undefined;
}

/** Who is at a host, and for how many seconds more; undefined: nobody. `identity`: see EventDocument. */
export function guestDocument(
  guest: { readonly extension: string; readonly seconds: number } | undefined,
  identity: string,
): EventDocument {
  const content = guest
    ? `<guestAddress>${xmlText(guest.extension)}</guestAddress><expires>${guest.seconds}</expires>`
    : '<guestAddress/>';
  return { ...eventOf(content), identity };
}

/** Asks for proof that it is this guest. */
export function challengeDocument(guestAddress: string, nonce: string): EventDocument {
  const data = `<nonce>${nonce}</nonce><algorithm>MD5</algorithm>`;
  return eventOf(
    `<guestAddress>${xmlText(guestAddress)}</guestAddress><authenticationData>${data}</authenticationData>`,
  );
}

function eventOf(content: string): EventDocument {
  const root = `<HotelingEvent xmlns="${NAMESPACE}">${content}</HotelingEvent>`;
  return { contentType: HOTELING_TYPE, body: `<?xml version="1.0" encoding="UTF-8"?>\n${root}` };
}
