import { createHash } from 'node:crypto';

/** Names of a company's keys, all in one cluster slot by the hash tag. See docs of the scripts for what each holds. */
export interface Keys {
  readonly records: string;
  readonly guests: string;
  readonly deadlines: string;
  readonly sites: string;
  readonly events: string;
  readonly seq: string;
  readonly directory: string;
  readonly contactIndex: string;
  readonly contactStream: string;
  readonly contactSeq: string;
  /** Stored reply of an operation. */
  operation(opId: string): string;
  contacts(aor: string): string;
  /** Guess counters of an extension (x), a host (h) and a source (s). */
  guesses(kind: 'x' | 'h' | 's', id: string): string;
}

/** @throws TypeError unless the company matches `[a-z0-9-]+`: braces would break or share the cluster hash tag. */
export function createKeys(company: string): Keys {
  if (!/^[a-z0-9-]+$/.test(company)) throw new TypeError('A company id may hold a-z, 0-9 and - only');
  const key = (name: string) => `hd:{${company}}:${name}`;
  return {
    records: key('b'),
    guests: key('g'),
    deadlines: key('dl'),
    sites: key('site'),
    events: key('ev'),
    seq: key('seq'),
    directory: key('dir'),
    contactIndex: key('cti'),
    contactStream: key('cs'),
    contactSeq: key('csq'),
    operation: (opId) => key(`op:${checkOpId(opId)}`),
    contacts: (aor) => key(`ct:${checkAor(aor)}`),
    guesses: (kind, id) => key(`guess:${kind}:${countable(id)}`),
  };
}

/** First six keys of every script that changes associations. */
export function associationKeys(keys: Keys): string[] {
  return [keys.records, keys.guests, keys.deadlines, keys.sites, keys.events, keys.seq];
}

/** @throws TypeError unless the AOR matches `[A-Za-z0-9._-]{1,64}`, the form of a host id. */
export function checkAor(aor: string): string {
  if (!/^[A-Za-z0-9._-]{1,64}$/.test(aor))
    throw new TypeError('An AOR may hold A-Z, a-z, 0-9, ., _ and - only');
  return aor;
}

function checkOpId(opId: string): string {
  if (!/^[A-Za-z0-9-]{1,64}$/.test(opId)) throw new TypeError('An operation id must be a UUID');
  return opId;
}

/** What a person dials or a peer calls itself may be anything: odd or long ids are counted under their hash. */
function countable(id: string): string {
  if (/^[A-Za-z0-9._:-]{1,64}$/.test(id)) return id;
  return `~${createHash('sha256').update(id).digest('hex').slice(0, 32)}`;
}
