import { beforeEach, describe, expect, test } from 'vitest';
import type { EmergencyRecord } from '../../../src/domain/emergency-record.ts';
import type { Channel, Outcome, Telling } from '../../../src/services/emergency-notices/channel.ts';
import { createEmergencyNotices } from '../../../src/services/emergency-notices/create-emergency-notices.ts';
import { emailChannel } from '../../../src/services/emergency-notices/email.ts';
import { EmergencyNotices } from '../../../src/services/emergency-notices/emergency-notices.ts';
import { Lane } from '../../../src/services/emergency-notices/lane.ts';
import { messageChannel } from '../../../src/services/emergency-notices/message.ts';
import type { Mail, MailResult } from '../../../src/services/emergency-notices/smtp.ts';
import type { FaceOutcome } from '../../../src/services/ports.ts';
import type { Store } from '../../../src/store/store.ts';
import { company, emergency, host, site } from '../domain/example.ts';
import { Harness, settle } from './harness.ts';

/** People are told at the same moment, once, and never in the way. */

let h: Harness;
let mails: Mail[];
let mailResult: (mail: Mail) => Promise<MailResult> | MailResult;
let texts: { host: string; text: string }[];
let textOutcome: (host: string) => FaceOutcome;
let notices: EmergencyNotices;

const TAKEN = (mail: Mail): MailResult => ({ taken: mail.to, problem: undefined });
const REFUSED = (): MailResult => ({ taken: [], problem: 'the mail server refuses the login (EAUTH, 535)' });

beforeEach(async () => {
  h = new Harness();
  mails = [];
  texts = [];
  mailResult = TAKEN;
  textOutcome = () => 'told';
  await putSite(['desk@example.com'], ['d2']);
  await h.follow();
  notices = node();
  notices.start();
});

async function putSite(emails: string[], phones: string[]): Promise<void> {
  const value = site('london', { name: 'London', emergencyContacts: { emails, phones } });
  const { id: _site, ...plain } = value;
  const { id: _d2, ...d2 } = host('d2');
  const { id: _company, ...acme } = company();
  const put = new Map<string, unknown>([
    ['company', { ...acme, id: 'acme' }],
    ['site:london', plain],
    ['host:d2', d2],
  ]);
  await h.store.writeDirectory({ put, remove: [], actor: 'test' });
}

/** One of several nodes with the same store. */
function node(differs: { store?: Partial<Store>; channels?: Channel[] } = {}): EmergencyNotices {
  const { view, clock: timers, log } = h;
  const send = async (mail: Mail): Promise<MailResult> => {
    mails.push(mail);
    return mailResult(mail);
  };
  const show = async (to: string, text: string): Promise<FaceOutcome> => {
    texts.push({ host: to, text });
    return textOutcome(to);
  };
  const channels = differs.channels ?? [
    emailChannel({ view, send, companyWide: ['security@example.com'] }),
    messageChannel({ view, phones: { show } }),
  ];
  const store = differs.store ? Object.assign(Object.create(h.store), differs.store) : h.store;
  return new EmergencyNotices({ store, view, channels, timers, log });
}

let calls = 0;
function record(differs: Partial<EmergencyRecord> = {}): EmergencyRecord {
  return emergency('d1', { id: `id-${++calls}`, at: h.now, callbackUntil: h.now + 3_600_000, ...differs });
}

/** Lets time pass in steps, so that what one timer leads to has its own. */
async function pass(ms: number, step = 500): Promise<void> {
  h.pass(0);
  await settle();
  for (let left = ms; left > 0; left -= step) {
    h.pass(Math.min(step, left));
    await settle();
  }
  h.pass(0);
  await settle();
}

async function states(): Promise<string[]> {
  const { emergencies } = await notices.list();
  return emergencies.flatMap(({ deliveries }) =>
    deliveries.map(({ stage, channel, to, state, tries }) => `${stage} ${channel} ${to} ${state} ${tries}`),
  );
}

describe('a call placed here', () => {
  test('is told by mail and by text, with what they need', async () => {
    notices.tell(record({ nickname: 'Reception desk' }), 'placed');
    await pass(0);
    expect(mails.map(({ to, subject, id }) => [to, subject, id])).toEqual([
      [
        ['security@example.com', 'desk@example.com'],
        'EMERGENCY CALL 999 from Reception desk',
        `emergency.id-${calls}.placed`,
      ],
    ]);
    expect(texts).toEqual([
      { host: 'd2', text: expect.stringMatching(/^EMERGENCY CALL 999 from Reception desk\./) },
    ]);
    expect(await states()).toEqual([
      'placed email security@example.com told 1',
      'placed email desk@example.com told 1',
      'placed message d2 told 1',
    ]);
  });

  test('is told once per stage, whoever says it how often', async () => {
    const call = record();
    for (let n = 0; n < 3; n++) notices.tell(call, 'placed');
    await h.store.noteEmergency(call, 'placed', 'node:a');
    await pass(120_000, 5_000);
    expect([mails.length, texts.length]).toEqual([1, 1]);
    notices.tell(call, 'failed');
    notices.tell(call, 'calledBack');
    await pass(5_000);
    expect(mails.map(({ subject }) => subject.slice(0, 30))).toEqual([
      'EMERGENCY CALL 999 from d1',
      'EMERGENCY CALL 999 FAILED from d1'.slice(0, 30),
      'EMERGENCY CALL BACK to d1',
    ]);
    expect(mails.map(({ follows }) => follows)).toEqual([undefined, mails[0]?.id, mails[0]?.id]);
  });

  test('that is answered is noted and told to nobody', async () => {
    const call = record();
    notices.tell(call, 'answered');
    await pass(5_000);
    expect([mails, texts]).toEqual([[], []]);
    expect((await notices.list()).emergencies[0]?.stages.map(({ stage }) => stage)).toEqual(['answered']);
  });

  test('is told at once while the store is down, and not again when it is back', async () => {
    h.store.down = true;
    const call = record();
    for (let n = 0; n < 3; n++) notices.tell(call, 'placed');
    await pass(0);
    expect([mails.length, texts.length]).toEqual([1, 1]);
    h.store.down = false;
    const other = node();
    other.start();
    await pass(1_500);
    await h.store.noteEmergency(call, 'placed', 'node:a');
    await pass(300_000, 10_000);
    expect([mails.length, texts.length]).toEqual([1, 1]);
  });

  test('is told within half a second while the store never answers', async () => {
    const claimOnce = (): Promise<boolean> => new Promise(() => undefined);
    const alone = node({ store: { claimOnce } });
    alone.start();
    alone.tell(record(), 'placed');
    await pass(400, 100);
    expect(mails).toEqual([]);
    await pass(100, 100);
    expect([mails.length, texts.length]).toEqual([1, 1]);
  });

  test.each(['claimOnce', 'history'] as const)('is told when the store’s %s throws', async (method) => {
    const broken = node({
      store: {
        [method]: () => {
          throw new TypeError('broken');
        },
      },
    });
    broken.start();
    broken.tell(record(), 'placed');
    await pass(1_000);
    expect([mails.length, texts.length]).toEqual([1, 1]);
    expect((await broken.list()).emergencies).toHaveLength(1);
  });
});

describe('of several nodes', () => {
  test('one tells each stage', async () => {
    const others = [node(), node(), node()];
    for (const other of others) other.start();
    const call = record();
    others[1]?.tell(call, 'placed');
    await h.store.noteEmergency(call, 'placed', 'node:b');
    await pass(300_000, 10_000);
    expect([mails.length, texts.length]).toEqual([1, 1]);
  });

  test('another one tells when the one with the call is gone before it could', async () => {
    const others = [node(), node()];
    for (const other of others) other.start();
    await h.store.noteEmergency(record(), 'placed', 'node:gone');
    await pass(5_000);
    expect([mails.length, texts.length]).toEqual([1, 1]);
  });

  test('another one tells when the one that took it in hand never says that it is done', async () => {
    const call = record();
    await h.store.claimOnce(`told:email:${call.id}:placed`, 86_400_000);
    await h.store.noteEmergency(call, 'placed', 'node:gone');
    await pass(10_000);
    expect(mails).toEqual([]);
    expect(texts).toHaveLength(1);
    await pass(70_000, 5_000);
    expect(mails).toHaveLength(1);
    expect(texts).toHaveLength(1);
  });

  test('without the store every one that knows tells', async () => {
    h.store.down = true;
    const call = record();
    const other = node();
    other.start();
    notices.tell(call, 'placed');
    other.tell(call, 'placed');
    await pass(0);
    expect(mails).toHaveLength(2);
    expect(mails[0]?.id).toBe(mails[1]?.id);
  });

  test('a start looks after a minute at what a node that ended left open', async () => {
    const fresh = record();
    const old = record({ at: h.now - 20 * 60_000 });
    h.view.keepEmergencies([fresh, old]);
    await notices.stop();
    const again = node();
    again.start();
    await pass(50_000, 5_000);
    expect(mails).toEqual([]);
    await pass(15_000, 5_000);
    expect(mails.map(({ id }) => id)).toEqual([`emergency.${fresh.id}.placed`]);
    expect((await again.list()).emergencies).toHaveLength(2);
  });
});

describe('failures', () => {
  test('of mail: tried again after 1 s, 5 s, 30 s, 2 min and 10 min, then an error', async () => {
    mailResult = REFUSED;
    const began = h.now;
    const times: number[] = [];
    mailResult = () => {
      times.push((h.now - began) / 1_000);
      return REFUSED();
    };
    notices.tell(record(), 'placed');
    await pass(800_000, 500);
    expect(times.map(Math.round)).toEqual([0, 1, 6, 36, 156, 756]);
    expect(await states()).toContain('placed email desk@example.com failed 6');
    const errors = h.log.lines.filter(({ level }) => level === 'error');
    expect(errors.map(({ data }) => data)).toContainEqual(
      expect.objectContaining({ to: 'desk@example.com', tries: 6, problem: expect.stringContaining('535') }),
    );
    const { emergencies } = await notices.list();
    expect(emergencies[0]?.deliveries[0]?.problem).toContain('EAUTH');
  });

  test('of one recipient: the others are not told twice', async () => {
    mailResult = (mail) => ({
      taken: mail.to.filter((to) => to !== 'desk@example.com' || mails.length > 1),
      problem: mails.length > 1 ? undefined : 'not now',
    });
    notices.tell(record(), 'placed');
    await pass(2_000);
    expect(mails.map(({ to }) => to)).toEqual([
      ['security@example.com', 'desk@example.com'],
      ['desk@example.com'],
    ]);
    expect(await states()).toContain('placed email desk@example.com told 2');
  });

  test.each<[FaceOutcome, number, string]>([
    ['failed', 3, 'failed'],
    ['nobody', 3, 'failed'],
    ['refused', 1, 'failed'],
  ])('of a phone, %s: %i tries', async (outcome, tries, state) => {
    textOutcome = () => outcome;
    notices.tell(record(), 'placed');
    await pass(60_000);
    expect(texts).toHaveLength(tries);
    expect(await states()).toContain(`placed message d2 ${state} ${tries}`);
    expect(h.log.level('error').length).toBeGreaterThan(0);
  });

  test('are pending while there are more tries to come', async () => {
    mailResult = REFUSED;
    notices.tell(record(), 'placed');
    await pass(3_000);
    expect(await states()).toContain('placed email desk@example.com pending 2');
  });
});

describe('never in the way', () => {
  const broken: [string, Partial<Channel>][] = [
    [
      'throws',
      {
        tell: () => {
          throw new Error('broken');
        },
      },
    ],
    ['rejects', { tell: () => Promise.reject(new Error('broken')) }],
    ['never answers', { tell: () => new Promise<never>(() => undefined) }],
    [
      'does not know whom to tell',
      {
        recipients: () => {
          throw new Error('broken');
        },
      },
    ],
  ];

  test.each(broken)(
    'a channel that %s: tell returns at once, and the other channel works',
    async (_how, fault) => {
      const told: Telling[] = [];
      const good: Channel = {
        ...{ name: 'message', waits: [], patienceMs: 1_000, atOnce: 1, recipients: () => ['x'] },
        tell: async (telling) => {
          told.push(telling);
          return new Map<string, Outcome>([['x', { told: true }]]);
        },
      };
      const bad: Channel = { ...good, name: 'email', waits: [1_000], recipients: () => ['y'], ...fault };
      const alone = node({ channels: [bad, good] });
      alone.start();
      expect(() => alone.tell(record(), 'placed')).not.toThrow();
      expect(told).toEqual([]);
      await pass(10_000);
      expect(told).toHaveLength(1);
      const { emergencies } = await alone.list();
      const states = emergencies[0]?.deliveries.map(({ channel, state }) => `${channel} ${state}`);
      expect(states).toContain('message told');
      if (!('recipients' in fault)) expect(states).toContain('email failed');
      await alone.stop();
    },
  );

  test('nothing happens before a timer: no channel, no store, no table', () => {
    h.store.calls.length = 0;
    notices.tell(record(), 'placed');
    expect([mails, texts, h.store.calls]).toEqual([[], [], []]);
  });

  test('a view that throws does not reach the call', () => {
    const view = {
      ...{ directory: undefined, emergencyDirectory: undefined, openEmergencies: () => [] },
      ...{
        onChange: () => () => undefined,
        onReconnect: () => () => undefined,
        onEmergency: () => () => undefined,
      },
      now: () => {
        throw new Error('broken');
      },
    };
    const { store, clock: timers, log } = h;
    const alone = new EmergencyNotices({ store, view, channels: [], timers, log });
    alone.start();
    expect(() => alone.tell(record(), 'placed')).not.toThrow();
    expect(h.log.level('error')).toEqual(['people are not told of an emergency call']);
  });

  test('thousands of calls take a bounded table and bounded work', async () => {
    mailResult = () => new Promise<MailResult>(() => undefined);
    for (let n = 0; n < 3_000; n++) notices.tell(record({ at: h.now + n }), 'placed');
    await pass(1_000);
    const { emergencies } = await notices.list();
    expect(emergencies).toHaveLength(1_000);
    expect(emergencies[0]?.record.at).toBeGreaterThan(emergencies[999]?.record.at ?? 0);
    // Four at once, and no more while those hang.
    expect(mails).toHaveLength(4);
    const stopping = notices.stop();
    await pass(2_000);
    await stopping;
  });
});

describe('the list', () => {
  test('has open calls and those of a day, newest first', async () => {
    const HOUR = 3_600_000;
    const now = h.now;
    const yesterday = record({ at: now - 25 * HOUR, callbackUntil: now - 24 * HOUR });
    const open = record({ at: now - 26 * HOUR, callbackUntil: now + 1_000 });
    const today = record({ at: now - HOUR, callbackUntil: now - 1 });
    for (const call of [yesterday, open, today]) notices.tell(call, 'placed');
    await pass(0);
    const { emergencies, complete } = await notices.list();
    expect(emergencies.map((each) => [each.record.id, each.open])).toEqual([
      [today.id, false],
      [open.id, true],
    ]);
    expect(complete).toBe(true);
  });

  test('knows what happened before the start, and is honest when it cannot', async () => {
    const call = record();
    await h.store.noteEmergency(call, 'placed', 'node:b');
    await h.store.noteEmergency(call, 'answered', 'node:b');
    const late = node();
    late.start();
    h.store.down = true;
    expect((await late.list()).complete).toBe(false);
    h.store.down = false;
    const { emergencies, complete } = await late.list();
    expect(complete).toBe(true);
    expect(emergencies[0]?.stages.map(({ stage }) => stage)).toEqual(['placed', 'answered']);
  });

  test('reads the log once, and again after a silence', async () => {
    const reads = () => h.store.calls.filter((call) => call === 'history').length;
    for (let n = 0; n < 3; n++) await notices.list();
    expect(reads()).toBe(1);
    h.pass(20_000);
    h.store.contact();
    await notices.list();
    expect(reads()).toBe(2);
  });
});

describe('a stop', () => {
  test('lets a first try end', async () => {
    let done: (result: MailResult) => void = () => undefined;
    mailResult = () => new Promise((resolve) => (done = resolve));
    notices.tell(record(), 'placed');
    await pass(0);
    let stopped = false;
    const stopping = notices.stop().then(() => (stopped = true));
    await settle();
    expect(stopped).toBe(false);
    done({ taken: ['security@example.com', 'desk@example.com'], problem: undefined });
    await stopping;
    expect(h.log.lines.filter(({ text }) => text === 'told of an emergency call').length).toBe(3);
  });

  test('waits two seconds for one that hangs, and nothing is tried after it', async () => {
    mailResult = () => new Promise<MailResult>(() => undefined);
    notices.tell(record(), 'placed');
    await pass(0);
    const stopping = notices.stop();
    await pass(2_000);
    await stopping;
    notices.tell(record(), 'placed');
    await pass(900_000, 30_000);
    expect(mails).toHaveLength(1);
  });
});

describe('no smtp in the configuration', () => {
  function house() {
    const { view, store, clock: timers, log } = h;
    return createEmergencyNotices({ view, store, timers, log, phones: { show: async () => 'told' } });
  }
  const said = () => h.log.level('warn').filter((text) => /no smtp in the configuration/.test(text)).length;

  test('is said once where a site has e-mail contacts', async () => {
    const parts = house();
    parts.start();
    expect(said()).toBe(1);
    await putSite(['other@example.com'], []);
    expect(said()).toBe(1);
    await parts.stop();
  });

  test('is said when such a contact comes, and not before', async () => {
    await putSite([], ['d2']);
    const parts = house();
    parts.start();
    expect(said()).toBe(0);
    await putSite(['other@example.com'], []);
    expect(said()).toBe(1);
    await parts.stop();
  });
});

test('a lane lets so many run, in order, whatever becomes of them, and lets go of who gives up', async () => {
  const lane = new Lane(2);
  const goes = new AbortController();
  const order: number[] = [];
  const ends: (() => void)[] = [];
  const runs = [0, 1, 2, 3].map((n) =>
    lane
      .run(
        async () => {
          order.push(n);
          await new Promise<void>((resolve) => ends.push(resolve));
          if (n === 0) throw new Error('broken');
        },
        n === 2 ? goes.signal : new AbortController().signal,
      )
      .catch(() => undefined),
  );
  await settle();
  expect(order).toEqual([0, 1]);
  goes.abort();
  ends[0]?.();
  await settle();
  expect(order).toEqual([0, 1, 3]);
  for (const end of ends) end();
  await Promise.all(runs);
  await lane.run(async () => void order.push(4), new AbortController().signal);
  expect(order).toEqual([0, 1, 3, 4]);
});
