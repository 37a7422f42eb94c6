import type { User } from '../../domain/directory.ts';
import type { Identity } from '../../domain/route.ts';
import { mailboxOf } from '../../services/person-rules.ts';
import type { SipDependencies, Trunk, TrunkVoicemail } from '../ports.ts';
import type { Headers } from '../srf.ts';
import { encodeUser, withUser } from '../uri.ts';
import type { Round } from './connect.ts';
import { causeOf, type Diversion, diversionHeader, historyHeader } from './diversion.ts';
import { trunkTarget } from './targets.ts';

const STANDARD: TrunkVoicemail = { identify: 'diversion', ownMessages: 'identify', subscribe: false };

/** A trunk that has mailboxes, and how. */
export interface VoicemailTrunk {
  readonly trunk: Trunk;
  readonly voicemail: TrunkVoicemail;
}

/** Trunks with mailboxes; where none is named the first ordinary one. */
export function voicemailTrunks(trunks: readonly Trunk[]): readonly VoicemailTrunk[] {
  const ordinary = trunks.filter(({ emergency, voicemail }) => !emergency || voicemail !== undefined);
  const named = ordinary.flatMap((trunk) => (trunk.voicemail ? [{ trunk, voicemail: trunk.voicemail }] : []));
  const standard = ordinary.slice(0, 1).map((trunk) => ({ trunk, voicemail: STANDARD }));
  return named.length > 0 ? named : standard;
}

export interface ToVoicemail {
  /** Whose mailbox. */
  readonly user: User;
  /** How the call got here; the last one is theirs. Empty: they collect their own messages. */
  readonly chain: readonly Diversion[];
  readonly from: Identity;
  /** Diversion header the call brought along. */
  readonly before?: string | undefined;
  readonly extra?: Headers | undefined;
}

/** A call to somebody's mailbox, one round for each trunk that has mailboxes, as each wants it. */
export function voicemailRounds(deps: SipDependencies, call: ToVoicemail): Round[] {
  return voicemailTrunks(deps.trunks).map((way) => [voicemailTarget(deps, way, call)]);
}

function voicemailTarget(
  { domain, view }: SipDependencies,
  { trunk, voicemail }: VoicemailTrunk,
  { user, chain, from, before, extra }: ToVoicemail,
): Round[number] {
  const mailbox = mailboxOf(user.extension, user);
  const isOwn = chain.length === 0;
  const identify = isOwn && voicemail.ownMessages === 'from' ? undefined : voicemail.identify;
  const line = voicemail.number ?? view.directory?.company.voicemailNumber ?? mailbox;
  const number = identify === 'from' && !isOwn ? mailbox : line;
  const identity = isOwn ? { name: user.name, number: mailbox } : from;
  const plain = trunkTarget(trunk, number, { identity, domain, called: number, extra });
  const last = { number: mailbox, reason: chain.at(-1)?.reason ?? 'unknown' } as const;
  const steps = [...chain.slice(0, -1), last];
  switch (identify) {
    case 'diversion':
      return { ...plain, headers: { ...plain.headers, ...diversionHeader(steps, { domain, before }) } };
    case 'history-info': {
      const target = withUser(trunk.uri, number);
      return { ...plain, headers: { ...plain.headers, ...historyHeader(steps, { domain, target }) } };
    }
    case 'request-uri':
      return { ...plain, uri: `${plain.uri}${targetParameters(mailbox, last, domain)}` };
    default:
      return plain;
  }
}

/** RFC 4458 2: whose mailbox, and why. */
function targetParameters(mailbox: string, { reason }: Diversion, domain: string): string {
  const cause = causeOf(reason);
  const target = `;target=sip:${encodeURIComponent(`${encodeUser(mailbox)}@${domain}`)}`;
  return cause === undefined ? target : `${target};cause=${cause}`;
}
