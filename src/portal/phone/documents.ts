/** What the server tells a phone, read. */

/** Who is on the phone; `seconds` left. */
export interface GuestShown {
  readonly extension: string;
  readonly seconds: number | undefined;
}

/** Body of a NOTIFY of `x-broadworks-hoteling`. Undefined: nobody. */
export function readGuest(body: string): GuestShown | undefined {
  const extension = /<guestAddress>([^<]{1,128})<\/guestAddress>/.exec(body)?.[1]?.trim();
  if (!extension) return undefined;
  const seconds = /<expires>(\d{1,9})<\/expires>/.exec(body)?.[1];
  return { extension, seconds: seconds === undefined ? undefined : Number(seconds) };
}

export interface Messages {
  readonly waiting: boolean;
  readonly fresh: number;
  /** Number to dial to hear them. */
  readonly account: string | undefined;
}

/** Body of a NOTIFY of `message-summary` (RFC 3842). */
export function readMessages(body: string): Messages {
  const waiting = /^messages-waiting\s*:\s*yes/im.test(body);
  const fresh = Number(/^voice-message\s*:\s*(\d{1,6})/im.exec(body)?.[1] ?? 0);
  const account = /^message-account\s*:\s*sips?:([^@\s;]{1,64})@/im.exec(body)?.[1];
  return { waiting, fresh, account: account?.replace(/%2a/gi, '*') };
}

interface Headers {
  getHeader(name: string): string | undefined;
}

/** Why a call was refused or ended, in the server's words: those that are meant for people, which failures' are not. */
export function readRefusal(message: Headers): string | undefined {
  const warning = /^\s*\d{3}\s+\S+\s+"((?:[^"\\]|\\.)*)"/.exec(message.getHeader('Warning') ?? '')?.[1];
  const reason = /;\s*cause=[24]\d\d\s*;\s*text="((?:[^"\\]|\\.)*)"/.exec(
    message.getHeader('Reason') ?? '',
  )?.[1];
  return (warning ?? reason)?.replace(/\\(.)/g, '$1');
}
