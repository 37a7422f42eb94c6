import { StoreUnavailable } from '../store.ts';
import type { Link } from './connection.ts';
import { decodeStrings } from './decode.ts';

/** Whether Redis keeps what it acknowledges: found out once per connection, before the first login over it. */
export interface Durability {
  /** What is wrong, as a sentence, or undefined. @throws StoreUnavailable when Redis does not answer. */
  check(): Promise<string | undefined>;
}

const WANTED = { appendonly: 'yes', appendfsync: 'always', 'maxmemory-policy': 'noeviction' } as const;

/** Creates the check; it asks again after each new connection, as that may be another Redis. */
export function createDurability(link: Link, onProblem: (text: string) => void): Durability {
  let known: { readonly epoch: number; readonly verdict: Promise<string | undefined> } | undefined;
  return {
    check() {
      if (known?.epoch === link.epoch) return known.verdict;
      const verdict = ask(link, onProblem);
      const asked = { epoch: link.epoch, verdict };
      known = asked;
      verdict.catch(() => {
        if (known === asked) known = undefined;
      });
      return verdict;
    },
  };
}

async function ask(link: Link, onProblem: (text: string) => void): Promise<string | undefined> {
  const reply = await link.send('CONFIG', 'GET', ...Object.keys(WANTED)).catch((error: unknown) => {
    // Redis answered, and the answer is no (an ACL, or a hosted Redis).
    if (error instanceof StoreUnavailable && /refused: (NOPERM|ERR)/.test(error.message)) return undefined;
    throw error;
  });
  if (reply === undefined) {
    onProblem(
      'Redis does not let us see its configuration. Make sure yourself that it has appendonly yes, ' +
        'appendfsync always and maxmemory-policy noeviction: otherwise acknowledged logins can be lost',
    );
    return undefined;
  }
  const list = decodeStrings(reply) ?? [];
  const wrong = Object.entries(WANTED).filter(([name, value]) => list[list.indexOf(name) + 1] !== value);
  if (wrong.length === 0) return undefined;
  const need = wrong.map(([name, value]) => `${name} ${value}`).join(', ');
  return `Redis would lose acknowledged logins: it needs ${need}`;
}
