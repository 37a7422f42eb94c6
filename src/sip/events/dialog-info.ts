import type { Identity } from '../../domain/route.ts';
import { xmlText } from '../location/xml.ts';
import { encodeUser } from '../uri.ts';
import type { ShownLine } from './shown-line.ts';

/** RFC 4235 7.2. */
export const DIALOG_INFO_TYPE = 'application/dialog-info+xml';

/** Characters of a document that more dialogs are added to: a NOTIFY stays far from what a SIP server refuses. */
const LARGE = 6_000;

export interface DialogInfo {
  /** User part of whom it tells of. */
  readonly resource: string;
  readonly domain: string;
  readonly version: number;
  readonly lines: readonly ShownLine[];
}

/** The whole state of one person's lines as XML (RFC 4235 4). */
export function formatDialogInfo({ resource, domain, version, lines }: DialogInfo): string {
  const entity = uriOf(resource, domain);
  const head = `<?xml version="1.0" encoding="UTF-8"?>
<dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info" version="${version}" state="full" entity="${entity}">
`;
  let body = head;
  for (const line of lines) if (body.length < LARGE) body += dialogOf(line, { entity, domain });
  return `${body}</dialog-info>\n`;
}

function dialogOf(
  { id, direction, state, remote }: ShownLine,
  { entity, domain }: { readonly entity: string; readonly domain: string },
): string {
  const far = remote === undefined ? '' : `\n<remote>${identityOf(remote, domain)}</remote>`;
  return `<dialog id="${xmlText(id)}" direction="${direction}">
<state>${state}</state>
<local><identity>${entity}</identity></local>${far}
</dialog>
`;
}

function identityOf({ name, number }: Identity, domain: string): string {
  const display = name === '' ? '' : ` display="${xmlText(name)}"`;
  return `<identity${display}>${uriOf(number, domain)}</identity>`;
}

/** Escaped. Who is not named is nowhere either (RFC 3323 4.1.1.3). */
function uriOf(user: string, domain: string): string {
  const isNamed = user !== 'anonymous';
  return xmlText(isNamed ? `sip:${encodeUser(user)}@${domain}` : 'sip:anonymous@anonymous.invalid');
}
