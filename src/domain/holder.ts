/** What one entry of a directory has, no other may have. */
type Kind = 'number' | 'MAC' | 'mailbox';

/** Who has what is asked for. `holder`: extension, or host id of who has a MAC. */
export function heldBy(kind: Kind, holder: string): string {
  return `is the ${kind} of ${holder} already`;
}

const HELD = /\bis the (number|MAC|mailbox) of (\S+) already\b/g;

/** The same words, without who has it where that is not to be told. */
export function withoutHolders(
  text: string,
  isTold: (holder: { readonly kind: 'user' | 'host'; readonly id: string }) => boolean,
): string {
  return text.replace(HELD, (words, kind: Kind, id: string) =>
    isTold({ kind: kind === 'MAC' ? 'host' : 'user', id }) ? words : 'is taken already',
  );
}
