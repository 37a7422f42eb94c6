import { beforeEach, describe, expect, test } from 'vitest';
import { type FirstLook, firstLook } from '../../../src/sip-engine/transport/first-look.ts';
import { Intake, type Urgency } from '../../../src/sip-engine/transport/intake.ts';

/** What is handled first when more comes than can be handled. */

let now: number;
let turns: (() => void)[];
let handled: string[];
let errors: Error[];
let intake: Intake;

beforeEach(() => use(({ uri }) => (uri.includes('999@') ? 'claimed' : 'none')));

function use(urgencyOf: (look: FirstLook) => Urgency): void {
  now = 0;
  turns = [];
  handled = [];
  errors = [];
  intake = new Intake({
    clock: { now: () => now, setTimer: () => ({ cancel: () => undefined }) },
    urgencyOf,
    nextTurn: (run) => void turns.push(run),
    onError: (error) => void errors.push(error),
  });
}

function look(line: string, source = '192.0.2.1:5060'): FirstLook {
  const [remoteAddress = '', port] = source.split(':');
  return firstLook(line, { remoteAddress, remotePort: Number(port) });
}

function take(line: string, source?: string): string {
  return intake.take(
    look(`${line} SIP/2.0\r\n`, source),
    (late) => void handled.push(late ? `late ${line}` : line),
  );
}

/** One turn of the event loop. */
function turn(): void {
  for (const run of turns.splice(0)) run();
}

describe('with little to do', () => {
  test('everything is handled as it comes', () => {
    for (const line of ['INVITE sip:1@x', 'ACK sip:1@x', 'BYE sip:1@x', 'INVITE sip:2@x']) take(line);
    expect(handled).toHaveLength(4);
    turn();
    expect(intake.waiting).toBe(0);
    expect(turns).toEqual([]);
  });
});

describe('under a flood', () => {
  beforeEach(() => {
    for (let i = 0; i < 100; i++) take(`INVITE sip:${i}@x`);
  });

  test('a few are handled, the others wait, in their order', () => {
    expect(handled.length).toBeLessThan(10);
    for (let i = 0; i < 200; i++) turn();
    expect(handled).toEqual(Array.from({ length: 100 }, (_, i) => `INVITE sip:${i}@x`));
    expect(turns).toEqual([]);
  });

  test('an emergency call is handled at once', () => {
    expect(take('INVITE sip:999@x')).toBe('urgent');
    expect(handled.at(-1)).toBe('INVITE sip:999@x');
  });

  test('what belongs to calls that are up goes before what is new', () => {
    take('BYE sip:1@x');
    take('SIP/2.0 200');
    expect(handled.slice(-2)).toEqual(['BYE sip:1@x', 'SIP/2.0 200']);
  });

  test('it has an end: what finds no room is turned away', () => {
    const taken = Array.from({ length: 5_000 }, (_, i) => take(`REGISTER sip:${i}`));
    expect(taken.at(-1)).toBe('turnedAway');
    expect(intake.turnedAway).toBeGreaterThan(900);
    expect(intake.waiting).toBeLessThanOrEqual(8_000);
    expect(take('INVITE sip:999@x')).toBe('urgent');
    expect(intake.isFlooded).toBe(true);
  });

  test('less is taken on in a turn in which much arrived', () => {
    turn();
    const before = handled.length;
    for (let i = 0; i < 32; i++) take('INVITE sip:3@x');
    turn();
    expect(handled.length - before).toBeLessThanOrEqual(2);
  });

  test('as long as it goes on, reading goes first, and what is new still has its small share', () => {
    const perTurn: number[] = [];
    for (let i = 0; i < 24; i++) {
      const before = handled.length;
      for (let j = 0; j < 32; j++) take('INVITE sip:3@x');
      turn();
      perTurn.push(handled.length - before);
    }
    expect(perTurn.slice(8).filter((count) => count === 1)).toHaveLength(2);
    expect(perTurn.slice(8).filter((count) => count === 0)).toHaveLength(14);
    const before = handled.length;
    turn();
    expect(handled.length - before).toBe(8);
  });
});

describe('a flood of emergency calls', () => {
  test('from one address: beyond its share they wait their turn, and are told apart; others are not held up', () => {
    const taken = Array.from({ length: 300 }, (_, i) => take('INVITE sip:999@x', `192.0.2.1:${1000 + i}`));
    expect(taken.filter((one) => one === 'urgent')).toHaveLength(200);
    expect(take('INVITE sip:999@x', '192.0.2.2:5060')).toBe('urgent');
    for (let i = 0; i < 200; i++) turn();
    expect(handled.filter((one) => one.startsWith('late'))).toHaveLength(100);
  });

  test('from many addresses: what they may have together is shared', () => {
    const from = (address: string): number =>
      Array.from({ length: 300 }, () => take('INVITE sip:999@x', address)).filter((one) => one === 'urgent')
        .length;
    const shares = Array.from({ length: 10 }, (_, i) => from(`192.0.2.${i}:5060`));
    expect(shares.slice(0, 3)).toEqual([200, 100, 20]);
    expect(shares.at(-1)).toBe(20);
  });

  test('what belongs to calls takes nothing of the share of new ones', () => {
    for (let i = 0; i < 300; i++) take('ACK sip:999@x');
    expect(take('ACK sip:999@x')).toBe('late');
    expect(take('INVITE sip:999@x')).toBe('urgent');
  });

  test('a second later its share is new', () => {
    for (let i = 0; i < 300; i++) take('INVITE sip:999@x');
    expect(take('INVITE sip:999@x')).not.toBe('urgent');
    now += 1_000;
    expect(take('INVITE sip:999@x')).toBe('urgent');
  });

  test('a known desk behind the same address is not held up', () => {
    use(({ uri, port }) => (uri.includes('999@') ? (port === 5060 ? 'proven' : 'claimed') : 'none'));
    for (let i = 0; i < 1_000; i++) take('INVITE sip:999@x', '192.0.2.1:1000');
    expect(take('INVITE sip:999@x')).toBe('urgent');
  });
});

test('what decides urgency throws: everything is handled in turn', () => {
  use(() => {
    throw new Error('broken');
  });
  expect(take('INVITE sip:999@x')).toBe('inTurn');
  expect(errors).toHaveLength(1);
});

describe('the first look', () => {
  test.each([
    ['INVITE sip:999@x SIP/2.0', { method: 'INVITE', uri: 'sip:999@x', isNew: true }],
    ['\r\nINVITE urn:service:sos SIP/2.0', { method: 'INVITE', uri: 'urn:service:sos', isNew: true }],
    ['ACK sip:999@x SIP/2.0', { method: 'ACK', uri: 'sip:999@x', isNew: false }],
    ['SIP/2.0 200 OK', { method: '', uri: '', isNew: false }],
    [`INVITE sip:${'9'.repeat(600)}`, { method: 'INVITE', uri: '', isNew: true }],
    ['', { method: '', uri: '', isNew: false }],
    ['\0\0\0 \0', { isNew: false }],
    ['x'.repeat(600), { method: '', uri: '', isNew: false }],
  ])('%j', (text, expected) => expect(look(text)).toMatchObject(expected));
});
