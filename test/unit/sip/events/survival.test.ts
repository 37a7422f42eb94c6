import { beforeEach, describe, expect, test } from 'vitest';
import { type Node, NotifierWorld, type Phone } from './notifier-world.ts';

/** Subscriptions outlive the process that made them. */

let world: NotifierWorld;
let phone: Phone;
let next: Node;

beforeEach(async () => {
  world = new NotifierWorld();
  world.first.notifier.start();
  phone = world.phone();
  await world.subscribe(phone, { Event: 'x-lamp;id=3' });
  await world.pass(10_000);
  world.news();
});

/** The process dies, and its SIP server and what that knew with it. */
function dies(node: Node, how: 'stops' | 'is killed'): void {
  if (how === 'stops') node.notifier.stop();
  else {
    const { shared } = world;
    const mine = new Map(shared.values);
    node.notifier.stop();
    for (const [name, entry] of mine) shared.values.set(name, entry);
  }
  world.dialogs.clear();
}

/** The next process comes up and does what it does by itself. */
async function restarts(name = 'n2'): Promise<void> {
  next = world.node(name);
  next.notifier.start();
  await world.pass(12_000);
}

describe.each([
  ['stops', 'n2'],
  ['is killed', 'n2'],
  // Containers: the process id is always the same.
  ['stops', 'n1'],
  ['is killed', 'n1'],
] as const)('a process %s, and %s comes', (how, name) => {
  test('within twelve seconds the subscription has a node; nothing is told that is not new', async () => {
    dies(world.first, how);
    await restarts(name);
    expect(next.notifier.size).toBe(1);
    expect(world.news()).toEqual([]);
    expect(world.shared.get(world.shared.names('sub:')[0] ?? '')).toMatchObject({ node: name });
  });

  test('what changed meanwhile is told, in the old dialog, with a higher CSeq', async () => {
    const last = [...world.dialogs.values()][0] ?? 0;
    dies(world.first, how);
    world.lamps.lit.set('d1', 'red');
    await world.pass(60_000);
    await restarts(name);
    expect(world.told).toHaveLength(1);
    expect(world.told[0]).toMatchObject({
      uri: 'sip:d1@192.0.2.10:5060',
      proxy: 'sip:192.0.2.10:5060;transport=udp',
      headers: {
        Event: 'x-lamp;id=3',
        'Call-ID': phone.callId,
        From: `<sip:d1@hotdesk.test>;tag=${phone.toTag}`,
        To: `<sip:d1@hotdesk.test>;tag=${phone.tag}`,
      },
      body: 'd1 red',
    });
    // Four a second may have been sent that nobody knows of.
    expect(world.told[0]?.cseq).toBeGreaterThanOrEqual(last + 4 * 70);
    expect(world.told[0]?.headers.CSeq).toBe(`${world.told[0]?.cseq} NOTIFY`);
    world.lamps.light('d1', 'green');
    await world.pass(500);
    expect(world.told[1]?.cseq).toBe((world.told[0]?.cseq ?? 0) + 1);
  });

  test('a refresh is answered, also before anybody has taken it over', async () => {
    dies(world.first, how);
    next = world.node(name);
    next.notifier.start();
    const answer = await world.subscribe(phone, { Event: 'x-lamp;id=3' }, { node: next });
    expect([answer.status, world.news()]).toEqual([200, ['active;expires=3600 | d1 off']]);
    expect(next.notifier.size).toBe(1);
    await world.pass(70_000);
    expect([next.notifier.size, world.told]).toEqual([1, []]);
  });
});

test('a refresh before the store has been read: 503, not 481', async () => {
  dies(world.first, 'is killed');
  const kept = new Map(world.shared.values);
  world.shared.values.clear();
  Object.assign(world.view, { directory: undefined, knowledge: 'unknown' });
  next = world.node('n2');
  next.notifier.start();
  const answer = await world.subscribe(phone, { Event: 'x-lamp;id=3' }, { node: next });
  expect([answer.status, answer.headers['Retry-After']]).toEqual([503, undefined]);
  Object.assign(world.view, { directory: new NotifierWorld().view.directory, knowledge: 'fresh' });
  for (const [name, entry] of kept) world.shared.values.set(name, entry);
  expect((await world.subscribe(phone, { Event: 'x-lamp;id=3' }, { node: next })).status).toBe(200);
});

describe('a process dies', () => {
  test('numbers of documents go on, and are no news', async () => {
    world.lamps.numbered = true;
    await world.subscribe(phone, { Event: 'x-lamp;id=3' });
    await world.pass(1000);
    expect(world.news()).toEqual(['active;expires=3600 | d1 off 1']);
    dies(world.first, 'is killed');
    await restarts();
    expect(world.news()).toEqual([]);
    world.lamps.light('d1', 'red');
    await world.pass(500);
    expect(Number(world.told[0]?.body?.split(' ')[2])).toBeGreaterThan(40);
  });

  test('one of two takes over', async () => {
    const [second, third] = [world.node('n2'), world.node('n3')];
    second.notifier.start();
    third.notifier.start();
    for (let n = 0; n < 5; n++) await world.subscribe(world.phone());
    world.news();
    dies(world.first, 'is killed');
    world.lamps.lit.set('d1', 'red');
    await world.pass(20_000);
    expect([second.notifier.size, third.notifier.size].toSorted()).toEqual([0, 6]);
    expect(world.told).toHaveLength(6);
  });

  test('a claim whose answer is lost keeps nobody away', async () => {
    dies(world.first, 'is killed');
    world.lostClaims = 1;
    await restarts();
    await world.pass(2_000);
    expect(next.notifier.size).toBe(1);
  });

  test('while the store is away nobody is taken for dead', async () => {
    const second = world.node('n2');
    // Not in step with the other's signs of life.
    await world.pass(1_000);
    second.notifier.start();
    Object.assign(world.view, { knowledge: 'stale' });
    for (let n = 0; n < 100; n++) {
      world.shared.values.delete('node:n1');
      await world.pass(250);
    }
    expect([world.first.notifier.size, second.notifier.size]).toEqual([1, 0]);
  });

  test('and the one that took over dies, too', async () => {
    dies(world.first, 'is killed');
    await restarts();
    dies(next, 'is killed');
    await restarts('n3');
    expect(next.notifier.size).toBe(1);
    const cseqs = world.told.map(({ cseq }) => cseq);
    world.lamps.light('d1', 'red');
    await world.pass(500);
    expect(world.told.at(-1)?.cseq).toBeGreaterThan(Math.max(0, ...cseqs));
  });

  test('what ended meanwhile: the phone is told so', async () => {
    await world.subscribe(phone, { Event: 'x-lamp;id=3', Expires: '60' });
    world.news();
    dies(world.first, 'is killed');
    await world.pass(61_000);
    await restarts();
    expect(world.news()).toEqual(['terminated;reason=timeout | d1 off']);
    expect([next.notifier.size, world.shared.names('sub:')]).toEqual([0, []]);
  });

  test('what the phone watched left the directory meanwhile: the phone is told so', async () => {
    dies(world.first, 'is killed');
    world.lamps.gone.add('d1');
    await restarts();
    expect(world.news()).toEqual(['terminated;reason=noresource']);
    expect(next.notifier.size).toBe(0);
  });

  test('a damaged entry is nobody’s', async () => {
    world.shared.put('sub:00', { node: 'n0', event: 'x-lamp' }, 60_000);
    world.shared.put('sub:01', 'nonsense', 60_000);
    dies(world.first, 'is killed');
    await restarts();
    expect([next.notifier.size, next.log.errors()]).toEqual([1, []]);
  });
});

describe('a node that lives', () => {
  test('keeps what it has', async () => {
    const second = world.node('n2');
    second.notifier.start();
    await world.pass(120_000);
    expect([world.first.notifier.size, second.notifier.size]).toEqual([1, 0]);
  });

  test('loses a subscription whose phone turns to another, and says nothing', async () => {
    const second = world.node('n2');
    second.notifier.start();
    await world.subscribe(phone, { Event: 'x-lamp;id=3' }, { node: second });
    expect([world.first.notifier.size, second.notifier.size]).toEqual([0, 1]);
    world.news();
    world.lamps.light('d1', 'red');
    await world.pass(1000);
    expect(world.told).toHaveLength(1);
  });

  test('and seemed dead for a moment keeps what it has', async () => {
    const second = world.node('n2');
    await world.pass(1_000);
    second.notifier.start();
    await world.pass(1_500);
    // As after the store was away: it takes a moment until everybody has said that they live.
    world.shared.values.delete('node:n1');
    await world.pass(20_000);
    expect([world.first.notifier.size, second.notifier.size]).toEqual([1, 0]);
  });
});
