import { beforeEach, describe, expect, test } from 'vitest';
import type { EventDocument } from '../../../../src/sip/events/package.ts';
import { MOST_PER_HOST } from '../../../../src/sip/events/subscribe.ts';
import { LAMPS, NotifierWorld, type Phone } from './notifier-world.ts';

/** RFC 6665, the notifier's side, for any package. */

let world: NotifierWorld;
let phone: Phone;

beforeEach(() => {
  world = new NotifierWorld();
  world.first.notifier.start();
  phone = world.phone();
});

const OFF = 'active;expires=3600 | d1 off';

describe('a new SUBSCRIBE', () => {
  test('is answered 200, and at once a NOTIFY tells what is so', async () => {
    const answer = await world.subscribe(phone, { Event: 'X-Lamp;id=7' });
    expect(answer).toMatchObject({
      status: 200,
      headers: { Expires: '3600', 'Allow-Events': 'x-lamp, refer' },
    });
    expect(world.told).toMatchObject([
      {
        uri: 'sip:d1@192.0.2.10:5060',
        headers: {
          Event: 'x-lamp;id=7',
          'Subscription-State': 'active;expires=3600',
          'Content-Type': LAMPS,
          Contact: '<sip:192.0.2.1:5060>',
        },
        body: 'd1 off',
        dialogId: `${phone.callId};from-tag=${phone.tag}`,
      },
    ]);
    expect(world.first.notifier.size).toBe(1);
  });

  test.each<[string, Record<string, string | undefined>, number, Record<string, string>]>([
    ['an event nobody serves', { Event: 'presence' }, 489, { 'Allow-Events': 'x-lamp, refer' }],
    ['no event', { Event: undefined }, 489, { 'Allow-Events': 'x-lamp, refer' }],
    ['no proof', { 'X-Who': undefined }, 401, {}],
    ['somebody who may not', { 'X-Who': 'stranger' }, 403, {}],
    ['no taste for what we send', { Accept: 'text/plain, application/*' }, 406, { Accept: LAMPS }],
    ['no Contact', { Contact: undefined }, 400, {}],
    ['a Contact that is no SIP URI', { Contact: '<tel:+44>' }, 400, {}],
    ['no From tag', { From: '<sip:d1@hotdesk.test>' }, 400, {}],
    ['too short a time', { Expires: '59' }, 423, { 'Min-Expires': '60' }],
    ['more than can be kept', { 'Record-Route': `<sip:${'x'.repeat(4000)}>` }, 513, {}],
    ['a To tag of no dialog', { To: '<sip:d1@hotdesk.test>;tag=strange' }, 481, {}],
  ])('with %s is refused', async (_what, headers, status, said) => {
    const answer = await world.subscribe(phone, headers as Record<string, string>);
    expect([answer.status, answer.headers]).toEqual([status, said]);
    expect([world.told, world.first.notifier.size, world.shared.names('sub:')]).toEqual([[], 0, []]);
  });

  test('for what is not there: 404', async () => {
    world.lamps.gone.add('d9');
    expect((await world.subscribe(phone, {}, { to: 'd9' })).status).toBe(404);
  });

  test.each([
    [undefined, '3600'],
    ['nonsense', '3600'],
    ['60', '60'],
    ['99999', '7200'],
  ])('that asks for %s seconds gets %s', async (asked, granted) => {
    const headers = { Expires: asked } as Record<string, string>;
    expect((await world.subscribe(phone, headers)).headers.Expires).toBe(granted);
    expect(world.news()).toEqual([`active;expires=${granted} | d1 off`]);
  });

  test.each(['text/x-lamp', 'text/*;q=0.1', '*/*'])('with Accept: %s is welcome', async (accept) => {
    expect((await world.subscribe(phone, { Accept: accept })).status).toBe(200);
  });

  test('that asks for no time only looks: one NOTIFY, and nothing is kept', async () => {
    expect((await world.subscribe(phone, { Expires: '0' })).headers.Expires).toBe('0');
    expect(world.news()).toEqual(['terminated;reason=timeout | d1 off']);
    expect([world.first.notifier.size, world.shared.names('sub:')]).toEqual([0, []]);
  });

  test('one too many of a phone: 503, and another phone still may', async () => {
    for (let n = 0; n < MOST_PER_HOST; n++)
      expect((await world.subscribe(world.phone(), {}, { to: `d${n}` })).status).toBe(200);
    const answer = await world.subscribe(phone, {}, { to: 'other' });
    // A phone told to wait would place no emergency call here meanwhile (RFC 3261 21.5.4).
    expect([answer.status, answer.headers['Retry-After']]).toEqual([503, undefined]);
    expect((await world.subscribe(world.phone(), { 'X-Who': 'd2' })).status).toBe(200);
  });

  test('a phone that starts again and again always gets in: the oldest of the same makes room', async () => {
    for (let n = 0; n < MOST_PER_HOST; n++) expect((await world.subscribe(world.phone())).status).toBe(200);
    await world.pass(5_000);
    world.news();
    const oldest = [...world.dialogs.keys()][0];
    expect((await world.subscribe(phone)).status).toBe(200);
    await world.pass(1_000);
    const told = world.told.map(({ headers, dialogId }) => [
      headers['Subscription-State'],
      dialogId === oldest,
    ]);
    expect(told).toContainEqual(['terminated;reason=rejected', true]);
    expect(told).toContainEqual(['active;expires=3600', false]);
    expect(world.first.notifier.size).toBe(MOST_PER_HOST);
  });

  test('a phone that floods and answers nothing has twice as many at most', async () => {
    world.answers = undefined;
    for (let n = 0; n < 5 * MOST_PER_HOST; n++) await world.subscribe(world.phone());
    expect(world.first.notifier.size).toBe(2 * MOST_PER_HOST);
    expect((await world.subscribe(phone)).status).toBe(503);
  });

  test('one too many of a phone that asks for all at once: 503', async () => {
    const answers = await Promise.all(
      Array.from({ length: MOST_PER_HOST + 10 }, (_, n) =>
        world.subscribe(world.phone(), {}, { to: `d${n}` }),
      ),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(MOST_PER_HOST);
    expect(world.first.notifier.size).toBe(MOST_PER_HOST);
    await world.pass(1000);
    world.answers = 481;
    world.lamps.light('d1', 'red');
    await world.pass(2000);
    expect((await world.subscribe(phone)).status).toBe(200);
  });

  test('while the server stops: 503', async () => {
    world.first.notifier.stop();
    expect((await world.subscribe(phone)).status).toBe(503);
  });
});

describe('within a subscription', () => {
  beforeEach(async () => {
    await world.subscribe(phone);
    await world.pass(1000);
    world.news();
  });

  test('a refresh moves the end, and is told the state though it is not new', async () => {
    await world.pass(3_000_000);
    expect((await world.subscribe(phone, { Expires: '600' })).headers.Expires).toBe('600');
    expect(world.news()).toEqual(['active;expires=600 | d1 off']);
    await world.pass(599_000);
    expect(world.news()).toEqual([]);
    await world.pass(2_000);
    expect(world.news()).toEqual(['terminated;reason=timeout | d1 off']);
    expect([world.first.notifier.size, world.shared.names('sub:')]).toEqual([0, []]);
  });

  test('a refresh moves the target', async () => {
    await world.subscribe(phone, { Contact: '"a, b" <sip:d1@192.0.2.99>;x=1' });
    expect(world.told[0]?.uri).toBe('sip:d1@192.0.2.99');
  });

  test('Expires: 0 ends it', async () => {
    await world.subscribe(phone, { Expires: '0' });
    expect(world.news()).toEqual(['terminated;reason=timeout | d1 off']);
    expect(world.first.notifier.size).toBe(0);
    expect((await world.subscribe(phone)).status).toBe(481);
  });

  test.each([
    ['somebody else', { 'X-Who': 'd2' }, 403],
    ['another id', { Event: 'x-lamp;id=2' }, 403],
    ['an event nobody serves', { Event: 'presence' }, 489],
    ['too short a time', { Expires: '5' }, 423],
    ['no taste for what we send', { Accept: '' }, 406],
  ])('%s changes nothing', async (_what, headers, status) => {
    expect((await world.subscribe(phone, headers)).status).toBe(status);
    expect([world.told, world.first.notifier.size]).toEqual([[], 1]);
  });

  test('what comes of each body is told in its order, then what has changed meanwhile', async () => {
    let resolve: (document: EventDocument) => void = () => undefined;
    world.lamps.results = [() => new Promise((later) => (resolve = later))];
    await world.subscribe(phone, { 'Content-Type': 'a/b' }, { body: 'one' });
    await world.subscribe(phone, { 'Content-Type': 'a/b' }, { body: 'two' });
    world.lamps.light('d1', 'red');
    await world.pass(1000);
    expect(world.news()).toEqual([]);
    resolve({ contentType: LAMPS, body: 'did one, late' });
    await world.pass(1000);
    expect(world.news().map((one) => one.split(' | ')[1])).toEqual(['did one, late', 'did two', 'd1 red']);
    expect(world.lamps.received_).toEqual([
      { contentType: 'a/b', body: 'one' },
      { contentType: 'a/b', body: 'two' },
    ]);
  });

  test('a body of which nothing comes is followed by the state', async () => {
    world.lamps.results = [() => Promise.resolve(undefined)];
    await world.subscribe(phone, {}, { body: 'one' });
    await world.pass(500);
    expect(world.news()).toEqual([OFF]);
    world.lamps.results = [() => Promise.reject(new Error('broken'))];
    await world.subscribe(phone, {}, { body: 'two' });
    await world.pass(500);
    expect(world.news()).toEqual([OFF]);
    expect(world.first.log.errors()).toEqual(['event package failed']);
  });

  test('a result that is the state is not told twice, and one that is not changes nothing', async () => {
    const red = { contentType: LAMPS, body: 'd1 red' };
    world.lamps.results = [
      () => Promise.resolve({ contentType: LAMPS, body: 'who are you?' }),
      () => Promise.resolve(red),
    ];
    await world.subscribe(phone, {}, { body: 'one' });
    await world.pass(1000);
    world.lamps.light('d1', 'off');
    world.lamps.lit.set('d1', 'red');
    await world.subscribe(phone, {}, { body: 'two' });
    world.lamps.light('d1', 'red');
    await world.pass(1000);
    world.lamps.light('d1', 'off');
    await world.pass(1000);
    expect(world.news().map((one) => one.split(' | ')[1])).toEqual(['who are you?', 'd1 red', 'd1 off']);
  });

  test('a package that never answers holds the phone for ten seconds', async () => {
    world.lamps.results = [() => new Promise(() => undefined)];
    await world.subscribe(phone, {}, { body: 'one' });
    await world.pass(9_750);
    expect(world.news()).toEqual([]);
    await world.pass(250);
    expect(world.news()).toHaveLength(1);
  });

  test('too many bodies at once: 503', async () => {
    world.lamps.results = [() => new Promise(() => undefined)];
    const statuses: number[] = [];
    for (let n = 0; n < 7; n++) statuses.push((await world.subscribe(phone, {}, { body: `${n}` })).status);
    expect(statuses).toEqual([200, 200, 200, 200, 200, 503, 503]);
  });

  test('a body with Expires: 0 is taken before the end, and told with it', async () => {
    await world.subscribe(phone, { Expires: '0' }, { body: 'last' });
    await world.pass(250);
    expect(world.news()).toEqual(['terminated;reason=timeout | did last']);
  });
});

describe('a change', () => {
  beforeEach(async () => {
    await world.subscribe(phone);
    await world.pass(1000);
    world.news();
  });

  test('is told once, to who watches it', async () => {
    await world.subscribe(world.phone(), {}, { to: 'd2' });
    world.news();
    world.lamps.light('d1', 'red');
    world.lamps.light('d1', 'red');
    world.lamps.light('d3', 'red');
    await world.pass(1000);
    expect(world.news()).toEqual(['active;expires=3599 | d1 red']);
  });

  test('that is taken back before it was told is not told', async () => {
    world.lamps.light('d1', 'red');
    world.lamps.light('d1', 'green');
    world.lamps.light('d1', 'red');
    await world.pass(1000);
    expect(world.news()).toEqual(['active;expires=3599 | d1 red']);
  });

  test('storm: four NOTIFYs a second, the last one true', async () => {
    for (let n = 0; n < 1000; n++) {
      world.lamps.light('d1', `colour ${n}`);
      world.clock.advance(2);
    }
    await world.pass(500);
    const news = world.news();
    expect(news.length).toBeLessThanOrEqual(10);
    expect(news.at(-1)).toContain('colour 999');
  });

  test('waits for the answer to the NOTIFY before', async () => {
    world.answers = undefined;
    world.lamps.light('d1', 'red');
    world.lamps.light('d1', 'green');
    await world.pass(5000);
    expect(world.told).toHaveLength(1);
    world.told[0]?.answer(200);
    await world.pass(500);
    expect(world.news().map((one) => one.split(' | ')[1])).toEqual(['d1 red', 'd1 green']);
  });

  test('numbers of documents are no change; each NOTIFY counts one on', async () => {
    world.lamps.numbered = true;
    await world.subscribe(phone);
    world.lamps.light('d1', 'off');
    await world.pass(1000);
    world.lamps.light('d1', 'red');
    await world.pass(1000);
    expect(world.news().map((one) => one.split(' | ')[1])).toEqual(['d1 off 1', 'd1 red 2']);
  });

  test('what leaves the directory ends its subscriptions', async () => {
    world.lamps.gone.add('d1');
    world.directoryChanges();
    await world.pass(1000);
    expect(world.news()).toEqual(['terminated;reason=noresource']);
    expect(world.first.notifier.size).toBe(0);
  });
});

test('a phone that leaves the directory loses what it watches', async () => {
  await world.subscribe(phone, { 'X-Who': 'd9' });
  await world.subscribe(world.phone());
  await world.pass(1000);
  world.news();
  world.directoryChanges();
  await world.pass(1000);
  expect(world.news()).toEqual(['terminated;reason=noresource']);
  expect(world.first.notifier.size).toBe(1);
});

describe('an answer to a NOTIFY', () => {
  beforeEach(async () => {
    await world.subscribe(phone);
    await world.pass(1000);
    world.news();
  });

  test.each([404, 405, 408, 410, 481, 489, 400, 403, 603])(
    '%d: there is no subscription any more',
    async (status) => {
      world.answers = status;
      world.lamps.light('d1', 'red');
      await world.pass(120_000);
      expect(world.news()).toHaveLength(1);
      expect([world.first.notifier.size, world.shared.names('sub:')]).toEqual([0, []]);
      expect((await world.subscribe(phone)).status).toBe(481);
    },
  );

  test('none at all, not even of the SIP server: tried again, then it is over', async () => {
    world.answers = undefined;
    world.lamps.light('d1', 'red');
    await world.pass(199_000);
    expect([world.told.length, world.first.notifier.size]).toEqual([4, 1]);
    await world.pass(5_000);
    expect([world.told.length, world.first.notifier.size]).toEqual([4, 0]);
  });

  test('503 with Retry-After: again when it says so, with what is so by then', async () => {
    world.answers = undefined;
    world.lamps.light('d1', 'red');
    world.told[0]?.answer(503, { 'Retry-After': '10' });
    world.lamps.light('d1', 'green');
    await world.pass(9_750);
    expect(world.told).toHaveLength(1);
    world.answers = 200;
    await world.pass(500);
    expect(world.news().map((one) => one.split(' | ')[1])).toEqual(['d1 red', 'd1 green']);
    expect(world.first.notifier.size).toBe(1);
  });

  test('500 for ever: three more, then it is over', async () => {
    world.answers = 500;
    world.lamps.light('d1', 'red');
    await world.pass(60_000);
    expect(world.news()).toHaveLength(4);
    expect(world.first.notifier.size).toBe(0);
  });

  test('the SIP server is away: later, without an end', async () => {
    world.isServerAway = true;
    world.lamps.light('d1', 'red');
    await world.pass(120_000);
    expect(world.first.notifier.size).toBe(1);
    world.isServerAway = false;
    await world.pass(6_000);
    expect(world.news()).toHaveLength(1);
  });

  test('the SIP server is another one: the NOTIFY brings its dialog itself', async () => {
    const { cseq } = { cseq: [...world.dialogs.values()][0] ?? 0 };
    world.dialogs.clear();
    world.lamps.light('d1', 'red');
    await world.pass(500);
    expect(world.told).toMatchObject([
      {
        dialogId: undefined,
        cseq: cseq + 1,
        proxy: 'sip:192.0.2.10:5060;transport=udp',
        headers: {
          'Call-ID': phone.callId,
          From: `<sip:d1@hotdesk.test>;tag=${phone.toTag}`,
          To: `<sip:d1@hotdesk.test>;tag=${phone.tag}`,
        },
        body: 'd1 red',
      },
    ]);
  });
});

describe('in all', () => {
  test('200 NOTIFYs a second, and who changes much waits behind who changes little', async () => {
    for (let n = 0; n < 400; n++) await world.subscribe(world.phone(), { 'X-Who': `h${n % 20}` });
    await world.subscribe(phone, { 'X-Who': 'alone' }, { to: 'd7' });
    await world.pass(5_000);
    world.news();
    world.lamps.light('d1', 'red');
    world.lamps.light('d7', 'red');
    world.clock.advance(1_000);
    const news = world.news();
    expect(news.length).toBeGreaterThan(150);
    expect(news.length).toBeLessThanOrEqual(221);
    const place = news.findIndex((one) => one.includes('d7'));
    expect(place).toBeGreaterThanOrEqual(0);
    expect(place).toBeLessThan(60);
  });

  test('what is no news holds up nobody: two thousand that may have changed, and one that has', async () => {
    for (let n = 0; n < 2_000; n++)
      await world.subscribe(world.phone(), { 'X-Who': `h${n % 200}` }, { to: `d${100 + n}` });
    await world.subscribe(phone, { 'X-Who': 'alone' }, { to: 'd7' });
    await world.pass(15_000);
    world.news();
    for (let n = 0; n < 2_000; n++) world.lamps.light(`d${100 + n}`, 'off');
    world.lamps.light('d7', 'red');
    await world.pass(750);
    expect(world.news()).toEqual([expect.stringContaining('d7 red')]);
  });

  test('stop says nothing and leaves no timer', async () => {
    await world.subscribe(phone);
    world.lamps.light('d1', 'red');
    world.news();
    world.first.notifier.stop();
    world.lamps.light('d1', 'green');
    await world.pass(100_000);
    expect([world.told, world.clock.pending, world.first.notifier.size]).toEqual([[], 0, 0]);
    expect(world.shared.names('sub:')).toHaveLength(1);
  });
});
