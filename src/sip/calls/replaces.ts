import type { Request } from '../srf.ts';
import type { CallTable } from './table.ts';

/** A dialog as the phone that names it sees it (RFC 3891 3, RFC 3911 3). */
export interface NamedDialog {
  readonly callId: string;
  readonly tags: { readonly to: string; readonly from: string };
}

/** Reads a Replaces or Join header. Total for any input. */
export function parseReplaces(value: string): NamedDialog {
  const [callId = '', ...params] = value.split(';').map((part) => part.trim());
  const param = (name: string): string =>
    params.find((p) => p.toLowerCase().startsWith(`${name}=`))?.slice(name.length + 1) ?? '';
  return { callId, tags: { to: param('to-tag'), from: param('from-tag') } };
}

/** Whether an INVITE wants to take over an emergency call that is up, or into it: nobody may (RFC 6881). */
export function isBarge(request: Request, table: Pick<CallTable, 'find'>): boolean {
  return ['Replaces', 'Join'].some((name) => {
    const value = request.get(name);
    if (value === undefined) return false;
    const { callId, tags } = parseReplaces(value);
    return table.find(callId, tags)?.emergency === true;
  });
}
