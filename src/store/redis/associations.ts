import type { AssociateCommand, EndCommand, ExtendCommand } from '../store.ts';
import {
  type AssociateReply,
  type ClaimReply,
  type EndReply,
  type ExtendReply,
  type Store,
  StoreUnavailable,
} from '../store.ts';
import { type Link, NotSent } from './connection.ts';
import { decodeFacts, decodeStrings, decodeWhole, FACTS } from './decode.ts';
import type { Durability } from './durability.ts';
import { associationKeys, type Keys } from './keys.ts';
import { replicated } from './replicated.ts';
import type { ScriptCall } from './scripts.ts';
import { measureStoreClock, type StoreClock } from './store-clock.ts';
import type { TakeBacks } from './take-backs.ts';

export interface AssociationOptions {
  readonly link: Link;
  readonly keys: Keys;
  readonly node: string;
  readonly storeClock: StoreClock;
  readonly durability: Durability;
  readonly acceptWeakDurability: boolean;
  readonly commandTimeoutMs: number;
  readonly waitForReplicas: number;
  readonly takeBacks: TakeBacks;
}

/** How long a repeat of an operation gets the stored reply. */
const OPERATION_TTL_MS = 3_600_000;
/** How long a replica may take to confirm. */
const REPLICA_MS = 200;

/** Logging in and out, deadlines and expiry. */
export function createAssociations(
  options: AssociationOptions,
): Pick<Store, 'associate' | 'end' | 'extend' | 'claimDue'> {
  const { link, keys } = options;
  return {
    associate: (command) => associate(options, command),
    end: (command) => end(options, command),
    extend: (command) => extend(options, command),
    async claimDue(limit) {
      const args = [Math.max(1, Math.floor(limit)), `node:${options.node}`];
      return decodeClaim(await link.run({ script: 'claimDue', keys: associationKeys(keys), args }));
    },
  };
}

async function associate(options: AssociationOptions, command: AssociateCommand): Promise<AssociateReply> {
  if (command.host === '' || command.guest === '')
    throw new TypeError('An association needs a host and a guest');
  await requireDurability(options);
  // Asked before anything is done: a login that would be refused must not end what others were told they have.
  if (!(await options.durability.hasReplicas())) throw new NotSent('Too few replicas are connected');
  const wasDoubtful = options.takeBacks.cancel(command.opId);
  try {
    return await associateDurably(options, command);
  } catch (error) {
    // It may have been carried out all the same, and nobody would know: the phone must not stay logged in.
    const isDoubtful = wasDoubtful || !(error instanceof NotSent);
    if (error instanceof StoreUnavailable && isDoubtful) options.takeBacks.begin(command.opId);
    throw error;
  }
}

async function associateDurably(
  options: AssociationOptions,
  command: AssociateCommand,
): Promise<AssociateReply> {
  const { epoch } = options.link;
  const reply = decodeAssociate(await runAssociate(options, command));
  const isThere = reply.outcome === 'associated' || reply.outcome === 'alreadyHere';
  if (isThere && !(await isReplicated(options, epoch))) {
    throw new StoreUnavailable('Too few replicas confirmed the login');
  }
  return reply;
}

async function requireDurability({ durability, acceptWeakDurability }: AssociationOptions): Promise<void> {
  if (acceptWeakDurability) return;
  const weakness = await durability.check();
  if (weakness !== undefined) throw new StoreUnavailable(weakness);
}

/**
 * Runs a script that refuses to act after the moment at which its caller has given up. One repeat when the store's
 * clock has moved: the command was refused as late without being late.
 */
async function runInTime(
  options: AssociationOptions,
  call: (lastMoment: number) => ScriptCall,
): Promise<readonly string[]> {
  for (let attempt = 1; ; attempt++) {
    const reply = await runOnce(options, call);
    if (reply[0] !== 'late') return reply;
    if (attempt === 2) throw new StoreUnavailable('The store got the command too late');
  }
}

async function runOnce(
  { link, storeClock, commandTimeoutMs }: AssociationOptions,
  call: (lastMoment: number) => ScriptCall,
): Promise<readonly string[]> {
  if (storeClock.in(0) === undefined) await measureStoreClock(storeClock, link);
  const asked = storeClock.ask();
  const reply = decodeStrings(await link.run(call(storeClock.in(commandTimeoutMs) ?? 0))) ?? [];
  asked.answered(decodeWhole(reply[1]));
  return reply;
}

function runAssociate(options: AssociationOptions, command: AssociateCommand): Promise<readonly string[]> {
  const { keys } = options;
  const { host, guest, site, occupied, secondDesk, actor, opId, names } = command;
  const called = names === undefined ? '' : JSON.stringify([names.guest, names.host]);
  const limits = [toLimit(command.limitMs), toLimit(command.idleLimitMs)];
  return runInTime(options, (lastMoment) => ({
    script: 'associate',
    keys: [...associationKeys(keys), keys.operation(opId)],
    args: [host, guest, site, ...limits, occupied, secondDesk, actor, OPERATION_TTL_MS, lastMoment, called],
  }));
}

/** As the scripts take it: whole ms, 0 for never. */
function toLimit(limitMs: number | 'never'): number {
  return limitMs === 'never' ? 0 : Math.max(1, Math.ceil(limitMs));
}

async function extend(options: AssociationOptions, command: ExtendCommand): Promise<ExtendReply> {
  const { link, keys } = options;
  const { host, generation, reason, actor } = command;
  const { epoch } = link;
  const limit = reason === 'stay' ? toLimit(command.limitMs) : 0;
  const args = [host, generation, reason, limit, actor];
  const reply = decodeStrings(await link.run({ script: 'extend', keys: associationKeys(keys), args })) ?? [];
  const [outcome] = reply;
  if (outcome === 'unchanged' || outcome === 'gone') return { outcome };
  const association = decodeFacts(reply.slice(2, 2 + FACTS));
  if (outcome !== 'extended' || association === undefined) throw unreadable();
  // Somebody is told that they stay. What a call moves is told to nobody, and moves again with the next one.
  if (reason === 'stay' && !(await isReplicated(options, epoch)))
    throw new StoreUnavailable('Too few replicas confirmed the new deadline');
  return { outcome, association };
}

function isReplicated({ link, waitForReplicas }: AssociationOptions, epoch: number): Promise<boolean> {
  return replicated({ link, epoch, replicas: waitForReplicas, withinMs: REPLICA_MS });
}

async function end(options: AssociationOptions, command: EndCommand): Promise<EndReply> {
  const { host, guest } = command;
  if (host === '' || guest === '' || (host === undefined && guest === undefined)) {
    throw new TypeError('An end needs a host or a guest');
  }
  const { epoch } = options.link;
  const reply = await runEnd(options, command);
  if (reply.outcome === 'ended' && !(await isReplicated(options, epoch))) {
    throw new StoreUnavailable('Too few replicas confirmed the logout');
  }
  return reply;
}

async function runEnd(options: AssociationOptions, command: EndCommand): Promise<EndReply> {
  const { keys } = options;
  const { host = '', guest = '', generation = '', reason, actor, opId } = command;
  const reply = await runInTime(options, (lastMoment) => ({
    script: 'end',
    keys: [...associationKeys(keys), keys.operation(opId)],
    args: [host, guest, generation, reason, actor, OPERATION_TTL_MS, lastMoment],
  }));
  return decodeEnd(reply);
}

function decodeAssociate(reply: readonly string[]): AssociateReply {
  const association = decodeFacts(reply.slice(4, 4 + FACTS));
  if (association === undefined) throw unreadable();
  switch (reply[2]) {
    case 'associated': {
      const replay = reply[0] === 'replay';
      return { outcome: 'associated', association, movedFrom: reply[4 + FACTS] || undefined, replay };
    }
    case 'occupied':
      return { outcome: 'occupied', by: association };
    case 'elsewhere':
      return { outcome: 'elsewhere', at: association };
    case 'alreadyHere':
      return { outcome: 'alreadyHere', association };
    default:
      throw unreadable();
  }
}

function decodeEnd(reply: readonly string[]): EndReply {
  const outcome = reply[2];
  if (outcome === 'none' || outcome === 'notYours' || outcome === 'stale') return { outcome };
  const association = decodeFacts(reply.slice(4, 4 + FACTS));
  if (outcome !== 'ended' || association === undefined) throw unreadable();
  return { outcome, association, replay: reply[0] === 'replay' };
}

function decodeClaim(reply: unknown): ClaimReply {
  const [ended, next, now] = (decodeStrings(reply) ?? []).map(decodeWhole);
  if (ended === undefined || next === undefined || now === undefined) throw unreadable();
  return { ended, nextDeadline: next === 0 ? undefined : next, now };
}

function unreadable(): StoreUnavailable {
  return new StoreUnavailable('The store gave a reply that cannot be read');
}
