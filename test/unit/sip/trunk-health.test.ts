import { beforeEach, describe, expect, test } from 'vitest';
import type { Request, Srf } from '../../../src/sip/srf.ts';
import { TrunkProbes } from '../../../src/sip/trunk-health.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { FakeRequest } from '../../support/fake-sip.ts';
import { TapeLog, trunk } from './world.ts';

/** Trunks are asked now and then; calls only read what is known. */

const EVERY = 30_000;

interface Probe {
  readonly uri: string;
  readonly headers: Record<string, string>;
  answer(status: number): void;
}

let clock: FakeClock;
let log: TapeLog;
let sent: Probe[];
let send: Srf['request'];

beforeEach(() => {
  clock = new FakeClock();
  log = new TapeLog();
  sent = [];
  send = (uri, { headers = {} }, callback) => {
    const request = new FakeRequest({ method: 'OPTIONS' });
    sent.push({ uri, headers, answer: (status) => void request.emit('response', { status }) });
    callback(null, request as unknown as Request);
  };
});

function probes(everyMs = EVERY, names: readonly string[] = ['a', 'b']): TrunkProbes {
  const srf = { request: (...args: Parameters<Srf['request']>) => send(...args) };
  const trunks = names.map((name) => trunk(name, { uri: `sip:pbx@${name}.test:5060;transport=tcp` }));
  const made = new TrunkProbes({ srf, trunks, clock, log, domain: 'hotdesk.test', everyMs });
  made.start();
  return made;
}

/** Lets a round of probes go out and answers them; none: nothing comes. */
function round(...statuses: readonly (number | undefined)[]): void {
  sent = [];
  clock.advance(EVERY - (clock.now() % EVERY));
  for (const [index, status] of statuses.entries()) if (status !== undefined) sent[index]?.answer(status);
  clock.advance(6_000);
}

describe('a trunk', () => {
  test('is asked after one interval and then again and again, with OPTIONS to itself', () => {
    probes();
    clock.advance(EVERY - 1);
    expect(sent).toEqual([]);
    clock.advance(1);
    expect(sent.map(({ uri }) => uri)).toEqual([
      'sip:a.test:5060;transport=tcp',
      'sip:b.test:5060;transport=tcp',
    ]);
    expect(sent[0]?.headers).toMatchObject({ From: '<sip:hotdesk@hotdesk.test>', To: `<${sent[0]?.uri}>` });
    clock.advance(EVERY);
    expect(sent).toHaveLength(4);
  });

  test.each([
    ['silence', undefined],
    ['408', 408],
    ['503', 503],
  ])('counts as down after two failures in a row (%s), and is said to be once', (_what, status) => {
    const health = probes();
    round(status, 200);
    expect(health.isDown('a')).toBe(false);
    round(status, 200);
    expect([health.isDown('a'), health.isDown('b')]).toEqual([true, false]);
    for (let times = 0; times < 5; times++) round(status, 200);
    expect(log.lines.filter(({ level }) => level === 'warn')).toMatchObject([{ data: { trunk: 'a' } }]);
  });

  test.each([200, 404, 405, 401, 483, 500, 603])('counts as up after one answer, even %i', (status) => {
    const health = probes();
    for (let times = 0; times < 4; times++) round();
    expect(health.isDown('a')).toBe(true);
    round(status);
    expect(health.isDown('a')).toBe(false);
    expect(log.lines.filter(({ level }) => level === 'info')).toMatchObject([{ data: { trunk: 'a' } }]);
  });

  test('one failure between answers is none', () => {
    const health = probes();
    for (const status of [503, 200, 503, 200, undefined, 404]) round(status);
    expect(health.isDown('a')).toBe(false);
  });

  test('that answers late lives; the time-out the server makes up later is not counted twice', () => {
    const health = probes();
    round();
    const late = sent[0];
    late?.answer(408);
    expect(health.isDown('a')).toBe(false);
    round();
    expect(health.isDown('a')).toBe(true);
    sent[0]?.answer(200);
    expect(health.isDown('a')).toBe(false);
  });

  test('that nobody knows is not down', () => {
    expect(probes().isDown('nobody')).toBe(false);
  });
});

test('what could not be sent says nothing about the trunk', () => {
  const health = probes();
  send = (_uri, _options, callback) => callback(new Error('no'), undefined as unknown as Request);
  for (let times = 0; times < 4; times++) round();
  send = () => {
    throw new Error('assert(typeSocket(socket))');
  };
  for (let times = 0; times < 4; times++) round();
  expect(health.isDown('a')).toBe(false);
  expect(log.errors()).toEqual([]);
});

test('0: nobody is asked', () => {
  const health = probes(0);
  clock.advance(1_000_000);
  expect([sent, clock.pending, health.isDown('a')]).toEqual([[], 0, false]);
});

test('with no trunks there is nothing to do', () => {
  probes(EVERY, []);
  expect(clock.pending).toBe(0);
});

test('timers do not add up, and after stop there are none and nothing changes', () => {
  const health = probes(1_000);
  for (let times = 0; times < 100; times++) clock.advance(1_000);
  expect(clock.pending).toBeLessThanOrEqual(1 + 2);
  health.stop();
  const before = log.lines.length;
  expect(clock.pending).toBe(0);
  for (const probe of sent) probe.answer(200);
  clock.advance(1_000_000);
  expect(log.lines).toHaveLength(before);
  expect(health.isDown('a')).toBe(true);
});
