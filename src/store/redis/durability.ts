import { StoreUnavailable } from '../store.ts';
import type { Link } from './connection.ts';
import { decodeStrings } from './decode.ts';
import type { Locator } from './topology.ts';

/** Whether Redis keeps what it acknowledges: found out once per connection, before the first login over it. */
export interface Durability {
  /** What is wrong, as a sentence, or undefined. @throws StoreUnavailable when Redis does not answer. */
  check(): Promise<string | undefined>;
  /** What is wrong with any master that may come to hold the company; those that do not answer are passed over. */
  checkAll(): Promise<string | undefined>;
}

export interface DurabilityOptions {
  readonly link: Link;
  /** Replicas that must confirm a login. */
  readonly waitForReplicas: number;
  /** Sentinel or cluster: a replica may take over at any time. */
  readonly locator: Locator | undefined;
  readonly onProblem: (text: string) => void;
}

const WANTED = { appendonly: 'yes', appendfsync: 'always', 'maxmemory-policy': 'noeviction' } as const;
const QUESTION = ['CONFIG', 'GET', ...Object.keys(WANTED)] as const;
const UNCONFIRMED =
  'A fail-over would lose acknowledged logins: with Sentinel or Cluster, redis.waitForReplicas must be at least 1';

/** Creates the check; it asks again after each new connection, as that may be another Redis. */
export function createDurability(options: DurabilityOptions): Durability {
  const { link, locator, waitForReplicas } = options;
  let known: { readonly epoch: number; readonly verdict: Promise<string | undefined> } | undefined;

  function check(): Promise<string | undefined> {
    if (locator !== undefined && waitForReplicas <= 0) return Promise.resolve(UNCONFIRMED);
    if (known?.epoch === link.epoch) return known.verdict;
    const verdict = ask(options);
    const asked = { epoch: link.epoch, verdict };
    known = asked;
    verdict.catch(() => {
      if (known === asked) known = undefined;
    });
    return verdict;
  }

  return {
    check,
    async checkAll() {
      const [ours, others] = await Promise.all([check().catch(() => undefined), askOthers(locator)]);
      return ours ?? others;
    },
  };
}

async function ask(options: DurabilityOptions): Promise<string | undefined> {
  const reply = await options.link.send(...QUESTION).catch((error: unknown) => {
    // Redis answered, and the answer is no (an ACL, or a hosted Redis).
    if (error instanceof StoreUnavailable && /refused: (NOPERM|ERR)/.test(error.message)) return undefined;
    throw error;
  });
  await warnOfFewReplicas(options);
  if (reply !== undefined) return weaknessIn(reply, 'Redis');
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
  const info = await link.send('INFO', 'replication').catch(() => undefined);
  if (typeof info !== 'string') return;
  const online = info.match(/^slave\d+:.*state=online/gm)?.length ?? 0;
  if (online < waitForReplicas) {
    onProblem(
      `Redis has ${online} of the ${waitForReplicas} replicas that must confirm each login (redis.waitForReplicas): ` +
        'until it has them, logins are refused',
    );
  }
}
