import { StoreUnavailable } from '../store.ts';
import type { Link } from './connection.ts';
import { decodeStrings } from './decode.ts';
import type { Locator } from './topology.ts';

/** Whether Redis keeps what it acknowledges: asked for at each connection, and every few seconds while there are logins. */
export interface Durability {
  /** What was wrong when last asked, as a sentence. */
  readonly weakness: string | undefined;
  /** What is wrong, as a sentence, or undefined. @throws StoreUnavailable when Redis does not answer. */
  check(): Promise<string | undefined>;
  /** What is wrong with any master that may come to hold the company; those that do not answer are passed over. */
  checkAll(): Promise<string | undefined>;
  /** Whether as many replicas are connected as must confirm a login. @throws StoreUnavailable */
  hasReplicas(): Promise<boolean>;
}

export interface DurabilityOptions {
  readonly link: Link;
  readonly clock: { now(): number };
  /** Replicas that must confirm a login. */
  readonly waitForReplicas: number;
  /** Sentinel or cluster: a replica may take over at any time. */
  readonly locator: Locator | undefined;
  readonly onProblem: (text: string) => void;
  /** Told when the answer is another than before. */
  readonly onChange: (text: string) => void;
}

const WANTED = { appendonly: 'yes', appendfsync: 'always', 'maxmemory-policy': 'noeviction' } as const;
const QUESTION = ['CONFIG', 'GET', ...Object.keys(WANTED)] as const;
const UNCONFIRMED =
  'A fail-over would lose acknowledged logins: with Sentinel or Cluster, redis.waitForReplicas must be at least 1';

/** For so long an answer holds: somebody may change the configuration of a running Redis. */
const HOLDS_MS = 5_000;

interface Verdict {
  readonly epoch: number;
  readonly at: number;
  readonly answer: Promise<string | undefined>;
}

/** Creates the check. */
export function createDurability(options: DurabilityOptions): Durability {
  const { link, locator, waitForReplicas, clock, onChange } = options;
  let known: Verdict | undefined;
  let weakness: string | undefined;

  function check(): Promise<string | undefined> {
    if (locator !== undefined && waitForReplicas <= 0) return Promise.resolve(UNCONFIRMED);
    const age = clock.now() - (known?.at ?? 0);
    if (known?.epoch === link.epoch && age >= 0 && age < HOLDS_MS) return known.answer;
    const isNew = known?.epoch !== link.epoch;
    const asked = { epoch: link.epoch, at: clock.now(), answer: ask(options, isNew) };
    known = asked;
    asked.answer.then(note, () => {
      if (known === asked) known = undefined;
    });
    return asked.answer;
  }

  function note(answer: string | undefined): void {
    if (answer !== weakness) onChange(answer ?? 'Redis keeps acknowledged logins again');
    weakness = answer;
  }

  return {
    get weakness() {
      return weakness;
    },
    check,
    async checkAll() {
      const [ours, others] = await Promise.all([check().catch(() => undefined), askOthers(locator)]);
      return ours ?? others;
    },
    hasReplicas: async () => waitForReplicas <= 0 || (await onlineReplicas(link)) >= waitForReplicas,
  };
}

async function ask(options: DurabilityOptions, isNewConnection: boolean): Promise<string | undefined> {
  const reply = await options.link.send(...QUESTION).catch((error: unknown) => {
    // Redis answered, and the answer is no (an ACL, or a hosted Redis).
    if (error instanceof StoreUnavailable && /refused: (NOPERM|ERR)/.test(error.message)) return undefined;
    throw error;
  });
  if (isNewConnection) await warnOfFewReplicas(options);
  if (reply !== undefined) return weaknessIn(reply, 'Redis');
  if (!isNewConnection) return undefined;
  options.onProblem(
    'Redis does not let us see its configuration. Make sure yourself that it has appendonly yes, ' +
      'appendfsync always and maxmemory-policy noeviction: otherwise acknowledged logins can be lost',
  );
  return undefined;
}

/** The slot may be moved to any master. */
async function askOthers(locator: Locator | undefined): Promise<string | undefined> {
  const answers = (await locator?.askMasters(QUESTION).catch(() => [])) ?? [];
  return answers
    .map(({ address, reply }) => weaknessIn(reply, `Redis at ${address.host}:${address.port}`))
    .find((weakness) => weakness !== undefined);
}

function weaknessIn(reply: unknown, which: string): string | undefined {
  const list = decodeStrings(reply) ?? [];
  const wrong = Object.entries(WANTED).filter(([name, value]) => list[list.indexOf(name) + 1] !== value);
  if (wrong.length === 0) return undefined;
  const need = wrong.map(([name, value]) => `${name} ${value}`).join(', ');
  return `${which} would lose acknowledged logins: it needs ${need}`;
}

/** Not a reason to refuse to start: replicas come and go. Logins are refused while there are too few. */
async function warnOfFewReplicas({ link, waitForReplicas, onProblem }: DurabilityOptions): Promise<void> {
  if (waitForReplicas <= 0) return;
  const online = await onlineReplicas(link).catch(() => waitForReplicas);
  if (online < waitForReplicas) {
    onProblem(
      `Redis has ${online} of the ${waitForReplicas} replicas that must confirm each login (redis.waitForReplicas): ` +
        'until it has them, logins are refused',
    );
  }
}

async function onlineReplicas(link: Link): Promise<number> {
  return String(await link.send('INFO', 'replication')).match(/^slave\d+:.*state=online/gm)?.length ?? 0;
}
