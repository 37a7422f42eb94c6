import { describe, expect, test } from 'vitest';
import type { Directory, Site } from '../../../src/domain/directory.ts';
import { DirectoryTable } from '../../../src/domain/directory-table.ts';
import type { Refusal } from '../../../src/domain/reasons.ts';
import {
  ExpiryWarnings,
  type RingOutcome,
  type StayQuestion,
  type WarnedPhones,
} from '../../../src/services/expiry-warnings.ts';
import { LocalView } from '../../../src/services/local-view.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { FakeStore } from '../../support/fake-store.ts';
import { company, host, site, user } from '../domain/example.ts';
import { settle, TestLog } from './harness.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

type Company = Parameters<typeof company>[0];

/** Phones that note what they are told; the test says who answers. */
class FakePhones implements WarnedPhones {
  readonly states = new Map<string, 'free' | 'busy' | 'emergency'>();
  readonly rung: { readonly host: string; readonly question: StayQuestion }[] = [];
  readonly messages: string[] = [];
  ringing = 0;
  /** A phone that is called off goes on ringing for a while. */
  slow = false;
  #ends: ((outcome: RingOutcome) => void)[] = [];

  stateOf(id: string): 'free' | 'busy' | 'emergency' {
    return this.states.get(id) ?? 'free';
  }

  async ring(id: string, question: StayQuestion): Promise<RingOutcome> {
    this.rung.push({ host: id, question });
    this.ringing++;
    const outcome = await new Promise<RingOutcome>((resolve) => {
      if (!this.slow) question.signal.addEventListener('abort', () => resolve('interrupted'));
      this.#ends.push(resolve);
    });
    this.ringing--;
    return outcome;
  }

  message(id: string, text: string): void {
    this.messages.push(`${id}: ${text}`);
  }

  get question(): StayQuestion {
    return this.rung.at(-1)!.question;
  }

  /** The last phone rung comes to this. */
  async ended(outcome: RingOutcome): Promise<void> {
    this.#ends.pop()?.(outcome);
    await settle();
  }
}

/** Time and store for several nodes. */
class Scene {
  readonly clock = new FakeClock();
  readonly store = new FakeStore(() => this.clock.now());
  readonly directory: DirectoryTable;
  readonly nodes: { warnings: ExpiryWarnings; phones: FakePhones; log: TestLog; view: LocalView }[] = [];

  constructor(differs: { company?: Company; site?: Partial<Site> } = {}) {
    this.directory = new DirectoryTable();
    this.directory.put({ kind: 'company', value: company(differs.company) });
    this.directory.put({ kind: 'site', value: site('london', differs.site) });
    for (const extension of ['1001', '1002']) this.directory.put({ kind: 'user', value: user(extension) });
    for (const id of ['d1', 'd2']) this.directory.put({ kind: 'host', value: host(id) });
  }

  async node() {
    const log = new TestLog();
    const local = new LocalView({ clock: this.clock, log });
    await this.store.follow(local, new AbortController().signal);
    const view = {
      directory: this.directory as Directory,
      now: () => local.now(),
      associations: () => local.associations(),
      associationAt: (id: string) => local.associationAt(id),
    };
    const phones = new FakePhones();
    const warnings = new ExpiryWarnings({ store: this.store, view, phones, timers: this.clock, log });
    warnings.start();
    const node = { warnings, phones, log, view: local };
    this.nodes.push(node);
    return node;
  }

  seat(id: string, guest: string, limitMs: number | 'never', idleLimitMs: number | 'never' = 'never') {
    return this.store.associate({
      ...{ host: id, guest, site: 'london', limitMs, idleLimitMs },
      ...{ occupied: 'deny', secondDesk: 'move', actor: 'x', opId: `${id} ${this.clock.now()}` },
    });
  }

  async pass(ms: number): Promise<void> {
    for (let at = 0; at < ms; at += SECOND) {
      this.clock.advance(SECOND);
      await settle();
      if (!this.store.down) await this.store.claimDue(100);
      await settle();
    }
  }

  get claims(): number {
    return this.store.calls.filter((name) => name === 'claimOnce').length;
  }
}

/** A guest at d1 for an hour, 5 minutes and a few seconds before the log-out. */
async function nearTheEnd(differs: ConstructorParameters<typeof Scene>[0] = {}) {
  const scene = new Scene(differs);
  const node = await scene.node();
  await scene.seat('d1', '1001', HOUR);
  await scene.pass(HOUR - 5 * MINUTE - 2 * SECOND);
  return { scene, ...node };
}

describe('the warning', () => {
  test('rings the phone five minutes before, once', async () => {
    const { scene, phones } = await nearTheEnd();
    expect(phones.rung).toEqual([]);
    await scene.pass(6 * SECOND);
    expect(phones.rung.map(({ host }) => host)).toEqual(['d1']);
    expect([phones.question.minutesLeft(), phones.question.ringMs]).toEqual([5, 30_000]);
    await phones.ended('unanswered');
    await scene.pass(5 * MINUTE);
    expect(phones.rung).toHaveLength(1);
    expect(scene.claims).toBe(1);
    expect(scene.store.log.at(-1)).toMatchObject({ reason: 'expired' });
  });

  test('rings for as long as there is time', async () => {
    const { scene, phones } = await nearTheEnd();
    phones.states.set('d1', 'busy');
    await scene.pass(5 * MINUTE - 20 * SECOND);
    phones.states.set('d1', 'free');
    await scene.pass(SECOND);
    expect(phones.question.ringMs).toBeLessThan(20_000);
    expect(phones.question.minutesLeft()).toBe(1);
  });

  test('does not come when the company wants none, nor to who has just come', async () => {
    const none = await nearTheEnd({ company: { expiryWarningMinutes: 0 } });
    await none.scene.pass(5 * MINUTE);
    expect([none.phones.rung, none.scene.claims, none.warnings.size]).toEqual([[], 0, 0]);
    const scene = new Scene();
    const { phones } = await scene.node();
    await scene.seat('d1', '1001', 5 * MINUTE);
    await scene.pass(5 * MINUTE);
    expect(phones.rung).toEqual([]);
  });

  test('is called off when the person logs out', async () => {
    const { scene, phones, warnings } = await nearTheEnd();
    await scene.pass(6 * SECOND);
    expect(phones.ringing).toBe(1);
    await scene.store.end({ host: 'd1', reason: 'loggedOut', actor: 'guest', opId: 'out' });
    await scene.pass(SECOND);
    expect([phones.ringing, warnings.size]).toEqual([0, 0]);
  });

  test('is called off when the company wants none any more', async () => {
    const { scene, phones, warnings } = await nearTheEnd();
    await scene.pass(6 * SECOND);
    scene.directory.put({ kind: 'company', value: company({ expiryWarningMinutes: 0 }) });
    await scene.pass(SECOND);
    expect([phones.ringing, warnings.size]).toEqual([0, 0]);
  });

  test('is waited for on stop', async () => {
    const { scene, phones, warnings } = await nearTheEnd();
    phones.slow = true;
    await scene.pass(6 * SECOND);
    let stopped = false;
    const stopping = warnings.stop().then(() => {
      stopped = true;
    });
    await settle();
    expect(stopped).toBe(false);
    await phones.ended('interrupted');
    await stopping;
  });

  test('is called off on stop', async () => {
    const { scene, phones, warnings } = await nearTheEnd();
    await scene.pass(6 * SECOND);
    await warnings.stop();
    expect([phones.ringing, warnings.size, scene.clock.pending]).toEqual([0, 0, 0]);
  });

  test('comes again for the next deadline', async () => {
    const { scene, phones } = await nearTheEnd();
    await scene.pass(6 * SECOND);
    expect(await phones.question.stay()).toBeUndefined();
    await phones.ended('answered');
    await scene.pass(12 * HOUR);
    expect(phones.rung).toHaveLength(2);
  });

  test('waits for a store that is away, which is said once', async () => {
    const { scene, phones, log } = await nearTheEnd();
    scene.store.down = true;
    await scene.pass(2 * MINUTE);
    expect(log.level('warn')).toHaveLength(1);
    expect(scene.claims).toBeLessThan(10);
    scene.store.down = false;
    await scene.pass(30 * SECOND);
    expect(phones.rung).toHaveLength(1);
    expect(phones.question.minutesLeft()).toBe(3);
  });
});

describe('staying', () => {
  test('the limit starts anew by the rules as they are now', async () => {
    const { scene, phones, view } = await nearTheEnd();
    await scene.pass(6 * SECOND);
    expect(await phones.question.stay()).toBeUndefined();
    expect(view.associationAt('d1')?.expiresAt).toBe(scene.clock.now() + 12 * HOUR);
    // What the deadline's move looks like from here ends nothing.
    await scene.pass(3 * SECOND);
    expect(phones.ringing).toBe(1);
    expect(scene.store.log.at(-1)).toMatchObject({ kind: 'extend', reason: 'stay', actor: 'guest' });
  });

  test('with a daily log-out, until the one of the next day', async () => {
    // 1970 began in summer time: London's clocks were an hour ahead of UTC until 1971.
    const scene = new Scene({ company: { associationLimit: 'never' }, site: { dailyLogOut: '02:00' } });
    const { phones, view } = await scene.node();
    await scene.seat('d1', '1001', HOUR);
    await scene.pass(HOUR - 5 * MINUTE + 6 * SECOND);
    expect(await phones.question.stay()).toBeUndefined();
    expect(view.associationAt('d1')?.expiresAt).toBe(25 * HOUR);
  });

  test('with a daily log-out that is not the limit now, until that', async () => {
    const scene = new Scene({ site: { dailyLogOut: '06:00' } });
    const { phones, view } = await scene.node();
    await scene.seat('d1', '1001', HOUR);
    await scene.pass(HOUR - 5 * MINUTE + 6 * SECOND);
    expect(await phones.question.stay()).toBeUndefined();
    expect(view.associationAt('d1')?.expiresAt).toBe(5 * HOUR);
  });

  const refusals: [string, (scene: Scene) => unknown, Refusal['refused']][] = [
    [
      'the licence is gone',
      ({ directory }) => directory.put({ kind: 'user', value: user('1001', { hotDeskLicence: false }) }),
      'notLicensed',
    ],
    ['the person has left', ({ directory }) => directory.remove('user', '1001'), 'nobodyHere'],
    [
      'the store does not answer',
      ({ store }) => {
        store.down = true;
      },
      'storeUnavailable',
    ],
    [
      'an administrator was faster',
      ({ store }) => store.end({ host: 'd1', reason: 'released', actor: 'admin', opId: 'r' }),
      'nobodyHere',
    ],
  ];
  test.each(refusals)('not when %s', async (_when, arrange, refused) => {
    const { scene, phones } = await nearTheEnd();
    await scene.pass(6 * SECOND);
    await arrange(scene);
    expect(await phones.question.stay()).toMatchObject({ refused });
  });

  test('a lost answer is asked for again', async () => {
    const { scene, phones } = await nearTheEnd();
    await scene.pass(6 * SECOND);
    scene.store.loseReplies = 1;
    scene.clock.advance(1);
    // Carried out; asked again it has nothing to move, or moves it by the moment in between.
    const answer = phones.question.stay();
    scene.clock.advance(1);
    expect(await answer).toBeUndefined();
  });
});

describe('a phone in use', () => {
  test('shows a text, and is rung when it is free', async () => {
    const { scene, phones } = await nearTheEnd();
    phones.states.set('d1', 'busy');
    await scene.pass(2 * MINUTE);
    expect(phones.messages).toEqual(['d1: You will be logged out of this phone in 5 minutes.']);
    expect(phones.rung).toEqual([]);
    phones.states.delete('d1');
    await scene.pass(2 * SECOND);
    expect(phones.rung).toHaveLength(1);
    expect(phones.question.minutesLeft()).toBe(3);
  });

  test('until there is no time to decide is not rung', async () => {
    const { scene, phones } = await nearTheEnd();
    phones.states.set('d1', 'busy');
    await scene.pass(5 * MINUTE - 6 * SECOND);
    phones.states.delete('d1');
    await scene.pass(10 * SECOND);
    expect(phones.rung).toEqual([]);
  });

  test('until the end is not rung', async () => {
    const { scene, phones } = await nearTheEnd();
    phones.states.set('d1', 'busy');
    await scene.pass(6 * MINUTE);
    expect([phones.messages.length, phones.rung.length]).toEqual([1, 0]);
  });

  test('in an emergency call is left alone, then and after it', async () => {
    const { scene, phones } = await nearTheEnd();
    phones.states.set('d1', 'emergency');
    await scene.pass(MINUTE);
    phones.states.delete('d1');
    await scene.pass(5 * MINUTE);
    expect([phones.messages, phones.rung, scene.claims]).toEqual([[], [], 1]);
  });

  test('from which somebody called for help is not rung again', async () => {
    const { scene, phones } = await nearTheEnd();
    await scene.pass(6 * SECOND);
    await phones.ended('emergency');
    await scene.pass(5 * MINUTE);
    expect([phones.rung.length, phones.messages]).toEqual([1, []]);
  });

  test('whose call we gave way to is rung afterwards', async () => {
    const { scene, phones } = await nearTheEnd();
    await scene.pass(6 * SECOND);
    phones.states.set('d1', 'busy');
    await phones.ended('interrupted');
    await scene.pass(30 * SECOND);
    expect(phones.rung).toHaveLength(1);
    phones.states.delete('d1');
    await scene.pass(2 * SECOND);
    expect(phones.rung).toHaveLength(2);
  });

  test('by its own account shows a text and is tried again in 20 s', async () => {
    const { scene, phones } = await nearTheEnd();
    await scene.pass(6 * SECOND);
    await phones.ended('busy');
    expect(phones.messages).toHaveLength(1);
    await scene.pass(18 * SECOND);
    expect(phones.rung).toHaveLength(1);
    await scene.pass(4 * SECOND);
    expect(phones.rung).toHaveLength(2);
  });
});

describe('several nodes', () => {
  test('one of them rings', async () => {
    const scene = new Scene();
    for (let n = 0; n < 4; n++) await scene.node();
    await scene.seat('d1', '1001', HOUR);
    await scene.pass(HOUR);
    expect(scene.nodes.flatMap(({ phones }) => phones.rung)).toHaveLength(1);
  });

  test('the one with the call of the phone goes first', async () => {
    const scene = new Scene();
    for (let n = 0; n < 3; n++) await scene.node();
    scene.nodes[2]!.phones.states.set('d1', 'busy');
    await scene.seat('d1', '1001', HOUR);
    await scene.pass(HOUR);
    expect(scene.nodes.map(({ phones }) => phones.messages.length)).toEqual([0, 0, 1]);
    expect(scene.nodes.flatMap(({ phones }) => phones.rung)).toEqual([]);
  });

  test('one that starts again rings nobody a second time', async () => {
    const { scene, warnings, phones } = await nearTheEnd();
    await scene.pass(6 * SECOND);
    await warnings.stop();
    const again = await scene.node();
    await scene.pass(MINUTE);
    expect([phones.rung.length, again.phones.rung.length]).toEqual([1, 0]);
  });
});

test('many at once: a hundred phones ring, the others after them', async () => {
  const scene = new Scene();
  const { phones } = await scene.node();
  for (let n = 0; n < 250; n++) {
    scene.directory.put({ kind: 'user', value: user(`u${n}`) });
    scene.directory.put({ kind: 'host', value: host(`h${n}`) });
    await scene.seat(`h${n}`, `u${n}`, HOUR);
  }
  await scene.pass(HOUR - 5 * MINUTE + 10 * SECOND);
  // What this node cannot ring now is left to others.
  expect([phones.rung.length, phones.ringing, scene.claims]).toEqual([100, 100, 100]);
  for (let n = 0; n < 100; n++) await phones.ended('unanswered');
  await scene.pass(3 * SECOND);
  expect(phones.rung).toHaveLength(200);
});
