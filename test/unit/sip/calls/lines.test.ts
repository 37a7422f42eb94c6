import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { type CallContext, connect } from '../../../../src/sip/calls/connect.ts';
import type { Target } from '../../../../src/sip/calls/fork.ts';
import { InboundInvite } from '../../../../src/sip/calls/inbound.ts';
import type { Leg, Party } from '../../../../src/sip/calls/leg.ts';
import { Lines } from '../../../../src/sip/calls/lines.ts';
import { handleRefer } from '../../../../src/sip/calls/transfer.ts';
import { WarningCalls } from '../../../../src/sip/calls/warning-calls.ts';
import { FakeDialog, FakeResponse, type FakeUac, settled } from '../../../support/fake-sip.ts';
import { ANSWER, invite, OFFER, SOS, TapeLog, World } from '../world.ts';

const at = (host: string) => ({ kind: 'host', host }) as const;
const PBX: Party = { kind: 'trunk', trunk: 'pbx' };

describe('a line', () => {
  let log: TapeLog;
  let lines: Lines;
  let told: string[];

  beforeEach(() => {
    log = new TapeLog();
    lines = new Lines(log);
    told = [];
    lines.onChange((host) => told.push(`${host} ${[...lines.at(host)].map(({ state }) => state).join()}`));
  });

  test('goes forward only, tells of each change once, and ends once', () => {
    const line = lines.begin(at('d1'), { direction: 'recipient', remote: 'x' });
    line.early();
    line.early();
    line.confirm();
    line.early();
    line.end();
    line.confirm();
    line.shows('y');
    line.end();
    expect(told).toEqual(['d1 trying', 'd1 early', 'd1 confirmed', 'd1 ']);
    expect(lines.size).toBe(0);
  });

  test('stays when somebody keeps it', () => {
    const line = lines.begin(at('d1'), { direction: 'recipient', remote: 'x' });
    line.keep();
    line.drop();
    expect([...lines.at('d1')]).toHaveLength(1);
    line.end();
    expect([...lines.at('d1')]).toEqual([]);
  });

  test('a listener that fails costs nobody a call', () => {
    lines.onChange(() => {
      throw new Error('boom');
    });
    lines.onChange((host) => told.push(`after ${host}`));
    lines.begin(at('d1'), { direction: 'initiator', remote: undefined }).end();
    expect(told).toEqual(['d1 trying', 'after d1', 'd1 ', 'after d1']);
    expect(log.errors()).toEqual(['a listener failed on a call', 'a listener failed on a call']);
  });

  test('trunks, and phones nobody knows, have none', () => {
    const nobody = lines.begin(at(''), { direction: 'initiator', remote: undefined });
    const trunk = lines.begin(PBX, { direction: 'initiator', remote: undefined });
    for (const line of [nobody, trunk]) {
      line.early();
      line.end();
    }
    expect([lines.size, told]).toEqual([0, []]);
  });
});

let world: World;
let context: CallContext;

beforeEach(() => {
  world = new World();
  context = world.context();
  context.table.onRefer = (leg, request, response) => handleRefer(context, leg, { request, response });
});

function target(party: Party, contact = 'a'): Target {
  const headers = { From: '"Ann" <sip:1001@hotdesk.test>', To: '<sip:1002@hotdesk.test>' };
  return { uri: `sip:${contact}@192.0.2.1`, headers, party };
}

function place(
  rounds: readonly Target[][],
  { caller = at('d1') as Party, emergency = false } = {},
): { inbound: InboundInvite; call: Promise<unknown>; request: ReturnType<typeof invite> } {
  const request = invite('1002', { body: OFFER });
  const inbound = new InboundInvite(world.srf.asSrf, request.asRequest, new FakeResponse().asResponse);
  const call = connect(context, inbound, { rounds, emergency, caller, record: {} });
  return { inbound, call, request };
}

/** Every line as `host direction state remote`. */
function seen(): string[] {
  const { lines } = context.table;
  return [...lines.hosts()].flatMap((host) =>
    [...lines.at(host)].map(
      ({ direction, state, remote = '-' }) => `${host} ${direction} ${state} ${remote}`,
    ),
  );
}

const CALLER = '"Ann" <sip:1001@hotdesk.test>';
const CALLED = '<sip:1002@hotdesk.test>';

describe('the lines of a call', () => {
  test('trying, early, confirmed, none', async () => {
    const { call } = place([[target(at('d2'))]]);
    expect(seen()).toEqual([`d1 initiator trying ${CALLED}`, `d2 recipient trying ${CALLER}`]);
    await settled();
    world.srf.uac.ring();
    expect(seen()).toEqual([`d1 initiator early ${CALLED}`, `d2 recipient early ${CALLER}`]);
    const ids = [...context.table.lines.at('d2')].map(({ id }) => id);
    world.srf.uac.answer(ANSWER);
    await call;
    expect(seen()).toEqual([`d1 initiator confirmed ${CALLED}`, `d2 recipient confirmed ${CALLER}`]);
    expect([...context.table.lines.at('d2')].map(({ id }) => id)).toEqual(ids);
    world.srf.uas.bye();
    expect(seen()).toEqual([]);
  });

  test('one that declines is free while the others ring, and those that lose when one has it', async () => {
    const { call } = place([[target(at('d2')), target(at('d3')), target(at('d4'))]], { caller: PBX });
    const [d2, d3, d4] = world.srf.uacs as [FakeUac, FakeUac, FakeUac];
    await settled();
    d3.ring();
    d4.ring();
    d2.reject(486);
    await settled();
    expect(seen()).toEqual([`d3 recipient early ${CALLER}`, `d4 recipient early ${CALLER}`]);
    d4.answer(ANSWER);
    await call;
    expect(seen()).toEqual([`d4 recipient confirmed ${CALLER}`]);
    world.srf.uas.bye();
    expect(seen()).toEqual([]);
  });

  test('two contacts of one phone are one line, until both have said no', async () => {
    place([[target(at('d2'), 'a'), target(at('d2'), 'b'), target(at('d3'))]], { caller: PBX });
    const [a, b] = world.srf.uacs as [FakeUac, FakeUac];
    a.ring();
    a.reject(480);
    await settled();
    expect(seen()).toEqual([`d2 recipient early ${CALLER}`, `d3 recipient trying ${CALLER}`]);
    b.reject(480);
    await settled();
    expect(seen()).toEqual([`d3 recipient trying ${CALLER}`]);
  });

  test('an emergency call tells of nobody', async () => {
    const { call } = place([[target({ kind: 'trunk', trunk: SOS.name })]], { emergency: true });
    await settled();
    expect(seen()).toEqual(['d1 initiator trying -']);
    world.srf.uac.answer(ANSWER);
    await call;
    expect(seen()).toEqual(['d1 initiator confirmed -']);
  });

  test('a listener that throws breaks no call, not even the emergency call', async () => {
    context.table.lines.onChange(() => {
      throw new Error('boom');
    });
    for (const emergency of [false, true]) {
      const { call } = place([[target(at('d2'))]], { emergency });
      await settled();
      world.srf.uac.ring();
      world.srf.uac.answer(ANSWER);
      expect(await call).toEqual({ outcome: 'connected' });
      world.srf.uas.bye();
    }
    expect(seen()).toEqual([]);
  });

  test('late offer: confirmed from the answer on, none when the caller’s ACK brings nothing', async () => {
    const request = invite('1002', { body: '' });
    const inbound = new InboundInvite(world.srf.asSrf, request.asRequest, new FakeResponse().asResponse);
    const rounds = [[target(at('d2'))]];
    const call = connect(context, inbound, { rounds, emergency: false, caller: at('d1'), record: {} });
    await settled();
    world.srf.uac.answer(ANSWER);
    await settled();
    expect(seen()).toEqual([`d1 initiator confirmed ${CALLED}`, `d2 recipient confirmed ${CALLER}`]);
    world.srf.uas.ack();
    expect(await call).toEqual({ outcome: 'gone' });
    expect(seen()).toEqual([]);
  });
});

/** A call between two phones that is up; each is shown the other's name. */
function talk(a: string, b: string): { own: FakeDialog; far: FakeDialog } {
  const { table } = context;
  const own = new FakeDialog('uas', { local: ANSWER, remote: OFFER });
  const far = new FakeDialog('uac', { local: OFFER, remote: ANSWER });
  const join = (dialog: FakeDialog, host: string, remote: string): Leg =>
    table.add(dialog.asDialog, {
      party: at(host),
      emergency: false,
      line: table.lines.begin(at(host), { direction: 'initiator', remote }),
    });
  table.connect(join(own, a, `at ${b}`), join(far, b, `at ${a}`), {});
  return { own, far };
}

describe('who is transferred is shown with whom they talk to now', () => {
  test('blindly', async () => {
    const { own, far } = talk('d1', 'd3');
    own.receive('REFER', { headers: { 'Refer-To': '<sip:1002@hotdesk.test>' } });
    await settled();
    world.srf.uac.answer(ANSWER);
    await settled();
    far.sent('INVITE')[0]?.answer(200, { body: ANSWER });
    await settled();
    expect(seen()).toEqual([
      expect.stringMatching(/^d3 initiator confirmed <sip:1002@/),
      expect.stringMatching(/^u1002 recipient confirmed .*<sip:1001@/),
    ]);
  });

  test('blindly, and hangs up before anybody answers: nobody rings any more', async () => {
    const { own, far } = talk('d1', 'd3');
    own.receive('REFER', { headers: { 'Refer-To': '<sip:1002@hotdesk.test>' } });
    await settled();
    expect(seen().at(-1)).toMatch(/^u1002 recipient trying/);
    far.bye();
    own.bye();
    await settled();
    expect(seen()).toEqual([]);
  });

  test('after a word with the other one', async () => {
    const first = talk('d1', 'd2');
    const second = talk('d1', 'd3');
    const { callId, localTag, remoteTag } = second.own.sip;
    const replaces = encodeURIComponent(`${callId};to-tag=${localTag};from-tag=${remoteTag}`);
    first.own.receive('REFER', { headers: { 'Refer-To': `<sip:x@h?Replaces=${replaces}>` } });
    await settled();
    second.far.sent('INVITE')[0]?.answer(200, { body: ANSWER });
    await settled();
    first.far.sent('INVITE')[0]?.answer(200, { body: ANSWER });
    await settled();
    expect(seen()).toEqual(['d2 initiator confirmed at d3', 'd3 initiator confirmed at d2']);
  });
});

test('who listens to a warning of ours is on the phone', async () => {
  const calls = new WarningCalls({ context, inMenu: () => false });
  const calledOff = new AbortController();
  const stay = async (): Promise<undefined> => undefined;
  const question = { ringMs: 30_000, signal: calledOff.signal, minutesLeft: () => 5, stay };
  const over = calls.ring('d1', question);
  await settled();
  expect(seen()).toEqual([]);
  world.srf.uac.answer(OFFER);
  await settled();
  expect(seen()).toEqual(['d1 recipient confirmed -']);
  calledOff.abort();
  await over;
  expect(seen()).toEqual([]);
});

test('whatever happens, no line is left when no call is', async () => {
  const step = fc.constantFrom(
    'ring',
    'answer',
    'reject',
    'fail',
    'cancel',
    'bye',
    'farBye',
    'call',
    'emergency',
  );
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(step, fc.nat(5)), { maxLength: 25 }), async (steps) => {
      world = new World();
      context = world.context();
      const calls: { call: Promise<unknown>; request: ReturnType<typeof invite>; done: boolean }[] = [];
      const begin = (emergency: boolean): void => {
        const targets = [target(at('d2')), target(at('d2'), 'b'), target(at('d3'))];
        const { call, request } = place([targets, [target(PBX)]], { emergency });
        const entry = { call, request, done: false };
        calls.push(entry);
        void call.then(() => {
          entry.done = true;
        });
      };
      begin(false);
      for (const [what, which] of steps) {
        const uac = world.srf.uacs[which % world.srf.uacs.length];
        const call = calls[which % calls.length]!;
        if (what === 'call' || what === 'emergency') begin(what === 'emergency');
        if (what === 'ring') uac?.ring();
        if (what === 'answer') uac?.answer(ANSWER);
        if (what === 'reject') uac?.reject(which > 2 ? 486 : 603);
        if (what === 'fail') uac?.fail();
        if (what === 'cancel' && !call.done) call.request.cancelled();
        if (what === 'bye') world.srf.uass[which % Math.max(1, world.srf.uass.length)]?.bye();
        if (what === 'farBye') uac?.dialog.bye();
        await settled();
      }
      for (let more = true; more; ) {
        const before = world.srf.uacs.length;
        for (const uac of world.srf.uacs) uac.reject(500);
        await settled();
        more = world.srf.uacs.length > before;
      }
      for (const uas of world.srf.uass) uas.bye();
      await settled();
      expect(calls.every(({ done }) => done)).toBe(true);
      expect([seen(), context.table.legs]).toEqual([[], 0]);
    }),
    { numRuns: 60 },
  );
});
