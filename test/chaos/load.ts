import { setTimeout as delay } from 'node:timers/promises';
import type { Chance } from './chance.ts';
import { guests, guestsWithPasscode, hosts, PASSCODE } from './company.ts';
import type { Fleet, Life, Outcome } from './fleet.ts';
import type { Order } from './protocol.ts';

/** Something a person or an administrator did, and what they were told. Times in ms since 1970. */
export interface Deed {
  readonly order: Order;
  readonly sentAt: number;
  /** Life of the node that was asked. */
  readonly life: Life;
  answeredAt: number | undefined;
  outcome: Outcome | undefined;
}

export interface Load {
  readonly deeds: readonly Deed[];
  /** Ends it, and waits for all answers. */
  stop(): Promise<void>;
}

/** Orders a second, of which some are refused because the desk is taken. */
const RATE = 190;
const TICK_MS = 10;
const MOST_UNANSWERED = 60;

/** People come and go at random desks over random nodes. */
export function startLoad(fleet: Fleet, chance: Chance): Load {
  const deeds: Deed[] = [];
  const unanswered = new Set<Promise<void>>();
  /** As far as we were told: so that most orders make sense. */
  const seats = new Map<string, string>();
  const stopping = new AbortController();
  let owed = 0;

  async function perform(order: Order): Promise<void> {
    const node = fleet.ready.length > 0 ? chance.pick(fleet.ready) : undefined;
    if (node?.life === undefined) return;
    const deed: Deed = {
      ...{ order, sentAt: Date.now(), life: node.life },
      ...{ answeredAt: undefined, outcome: undefined },
    };
    deeds.push(deed);
    const outcome = await node.order(order);
    Object.assign(deed, { outcome, answeredAt: Date.now() });
    note(outcome, order.host);
  }

  function note(outcome: Outcome, host: string): void {
    if (outcome.outcome === 'loggedIn') {
      const { association, movedFrom } = outcome;
      if (movedFrom !== undefined) seats.delete(movedFrom);
      seats.set(association.host, association.guest);
    } else if (outcome.outcome === 'ended') seats.delete(host);
    else if (outcome.outcome === 'refused' && outcome.reason === 'nobodyHere') seats.delete(host);
  }

  async function run(): Promise<void> {
    let last = performance.now();
    while (!stopping.signal.aborted) {
      await delay(TICK_MS, undefined, { signal: stopping.signal }).catch(() => undefined);
      const now = performance.now();
      owed = Math.min(owed + ((now - last) / 1000) * RATE, MOST_UNANSWERED);
      last = now;
      for (; owed >= 1 && unanswered.size < MOST_UNANSWERED; owed--) {
        const deed = perform(nextOrder({ chance, seats, number: deeds.length + 1 }));
        unanswered.add(deed);
        void deed.finally(() => unanswered.delete(deed));
      }
    }
  }

  const running = run();
  return {
    deeds,
    async stop() {
      stopping.abort();
      await running;
      await Promise.all(unanswered);
    },
  };
}

interface Situation {
  readonly chance: Chance;
  readonly seats: ReadonlyMap<string, string>;
  readonly number: number;
}

function nextOrder({ chance, seats, number }: Situation): Order {
  const actor = `admin:${number}`;
  const taken = [...seats.keys()];
  if (taken.length > 0 && chance.happens(0.25)) {
    return { kind: chance.happens(0.7) ? 'logOut' : 'release', host: chance.pick(taken), actor };
  }
  const free = hosts.filter((host) => !seats.has(host));
  const host = free.length > 0 && chance.happens(0.8) ? chance.pick(free) : chance.pick(hosts);
  const proves = chance.happens(0.03);
  const sitting = new Set(seats.values());
  const others = guests.filter((guest) => !sitting.has(guest));
  const someone = others.length > 0 && chance.happens(0.6) ? others : guests;
  return {
    ...{ host, actor, passcode: PASSCODE, limitMs: someLimit(chance) },
    kind: proves ? 'logIn' : 'associate',
    guest: chance.pick(proves ? guestsWithPasscode : someone),
    occupied: chance.happens(0.15) ? 'takeover' : 'deny',
  };
}

/** Many short ones, so that much expires while things break; some beyond the end. */
function someLimit(chance: Chance): number | 'never' {
  const kind = chance.fraction();
  if (kind < 0.5) return chance.whole(300, 1_500);
  if (kind < 0.75) return chance.whole(1_500, 8_000);
  return kind < 0.9 ? chance.whole(10_000, 60_000) : 'never';
}
