import { readFileSync } from 'node:fs';
import type { Redis } from 'ioredis';

const read = (name: string) => readFileSync(new URL(`./${name}.lua`, import.meta.url), 'utf8');
const log = read('log');
const associations = read('associations');
const streamIds = read('stream-ids');
const orderBook = read('order-book');

/** The scripts; keys, arguments and reply of each stand at the head of its file. */
const SCRIPTS = {
  associate: log + associations + read('associate'),
  end: log + associations + read('end'),
  takeBack: log + associations + read('take-back'),
  extend: log + associations + read('extend'),
  claimDue: log + associations + read('claim-due'),
  noteEmergency: log + read('note-emergency'),
  snapshot: log + read('snapshot'),
  writeDirectory: log + orderBook + read('write-directory'),
  writeOrder: log + orderBook + read('write-order'),
  changedOrders: read('changed-orders'),
  writeBindings: log + read('write-bindings'),
  putShared: log + read('put-shared'),
  reserveGuess: log + read('reserve-guess'),
  confirmGuess: log + read('confirm-guess'),
  clearGuesses: log + read('clear-guesses'),
  keepSession: log + read('keep-session'),
  dropSessions: read('drop-sessions'),
  listSessions: read('list-sessions'),
  logNotice: log + read('log-notice'),
  noteAttempt: read('note-attempt'),
  takeLease: streamIds + read('take-lease'),
  holdLease: read('hold-lease'),
  trimLog: log + streamIds + read('trim-log'),
  history: log + read('history'),
} as const;

export type ScriptName = keyof typeof SCRIPTS;

export interface ScriptCall {
  readonly script: ScriptName;
  /** Every key the script touches. */
  readonly keys: readonly string[];
  readonly args: readonly (string | number)[];
}

type ScriptFunction = (args: readonly (string | number)[]) => Promise<unknown>;

/** Teaches a connection the scripts: EVALSHA, and EVAL once per connection or when Redis does not know one. */
export function defineScripts(redis: Redis): void {
  for (const [name, lua] of Object.entries(SCRIPTS))
    redis.defineCommand(methodOf(name as ScriptName), { lua });
}

/** Runs a script; one array, as a long list of arguments would overflow the call stack. */
export function runScript(redis: Redis, call: ScriptCall): Promise<unknown> {
  const methods = redis as unknown as Record<string, ScriptFunction>;
  return methods[methodOf(call.script)]!.call(redis, [call.keys.length, ...call.keys, ...call.args]);
}

function methodOf(name: ScriptName): string {
  return `hd:${name}`;
}
