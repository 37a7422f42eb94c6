import { beforeEach, describe, expect, test } from 'vitest';
import type { Refusal } from '../../../../src/domain/reasons.ts';
import type { RingOutcome } from '../../../../src/services/expiry-warnings.ts';
import type { CallContext } from '../../../../src/sip/calls/connect.ts';
import { WarningCalls } from '../../../../src/sip/calls/warning-calls.ts';
import { type FakeDialog, FakeRequest, settled } from '../../../support/fake-sip.ts';
import { ANSWER, OFFER, World } from '../world.ts';

let world: World;
let context: CallContext;
let calls: WarningCalls;
const inMenu = new Set<string>();

beforeEach(() => {
  world = new World();
  context = world.context();
  inMenu.clear();
  calls = new WarningCalls({ context, inMenu: (host) => inMenu.has(host) });
});

const WARNING = ['log-out-in', 'digit-5', 'minutes', 'press-one-to-stay'];

interface Rung {
  outcome: RingOutcome | undefined;
  stays: number;
  refusal: Refusal | undefined;
  minutes: number;
  readonly calledOff: AbortController;
}

function ring(host = 'd1'): Rung {
  const rung: Rung = {
    ...{ outcome: undefined, stays: 0, refusal: undefined, minutes: 5 },
    calledOff: new AbortController(),
  };
  const stay = async (): Promise<Refusal | undefined> => {
    rung.stays++;
    return rung.refusal;
  };
  const minutesLeft = (): number => rung.minutes;
  const question = { ringMs: 30_000, signal: rung.calledOff.signal, minutesLeft, stay };
  void calls.ring(host, question).then((outcome) => {
    rung.outcome = outcome;
  });
  return rung;
}

/** Somebody picks up; the phone makes the offer. */
async function pickUp(): Promise<FakeDialog> {
  const dialog = world.srf.uac.answer(OFFER);
  await settled();
  return dialog;
}

async function press(digits: string): Promise<void> {
  world.media.session.press(digits);
  await settled();
  await settled();
}

/** Everything is put away again. */
function expectNothingLeft(): void {
  expect([calls.size, context.table.size, context.table.phones.inUse(), world.clock.pending]).toEqual([
    0,
    0,
    [],
    0,
  ]);
  expect(world.media.sessions.every(({ closed }) => closed)).toBe(true);
}

describe('ringing', () => {
  test('goes to the phone down its flow, from the hot desk, and lets the phone make the offer', async () => {
    ring();
    await settled();
    const { uri, options } = world.srf.uac;
    expect([uri, options.proxy]).toEqual(['sip:d1@192.0.2.10:5060', 'sip:192.0.2.10:5060;transport=udp']);
    expect(world.srf.uac.header('From')).toBe('"Hot desk" <sip:hotdesk@hotdesk.test>');
    expect([options.noAck, options.localSdp]).toEqual([true, undefined]);
    expect(world.media.opened).toEqual([]);
    expect([calls.size, context.table.size]).toEqual([1, 0]);
  });

  test('ends after its time, and the phone is told', async () => {
    const rung = ring();
    await settled();
    world.clock.advance(30_000);
    world.srf.uac.reject(487);
    await settled();
    expect(world.srf.uac.cancels).toEqual(['SIP;cause=480;text="No answer"']);
    expect(rung.outcome).toBe('unanswered');
    expectNothingLeft();
  });

  test.each([
    [486, 'busy'],
    [600, 'busy'],
    [603, 'unanswered'],
    [408, 'unanswered'],
  ] as const)('%i is %s', async (status, outcome) => {
    const rung = ring();
    await settled();
    world.srf.uac.reject(status);
    await settled();
    expect(rung.outcome).toBe(outcome);
    expectNothingLeft();
  });

  test('a phone that is not registered, or gone from the directory, does not answer', async () => {
    const [d2, gone] = [ring('d2'), ring('nowhere')];
    await settled();
    expect([d2.outcome, gone.outcome, world.srf.uacs]).toEqual(['unanswered', 'unanswered', []]);
  });

  test('is called off from outside', async () => {
    const rung = ring();
    await settled();
    rung.calledOff.abort();
    await settled();
    expect(rung.outcome).toBe('interrupted');
    expect(world.srf.uac.cancels).toEqual(['SIP;cause=487;text="No longer needed"']);
    expectNothingLeft();
  });

  test('a phone in a menu is not rung, nor one in a call', async () => {
    inMenu.add('d1');
    expect(calls.stateOf('d1')).toBe('busy');
    const rung = ring();
    await settled();
    expect([rung.outcome, world.srf.uacs]).toEqual(['interrupted', []]);
    inMenu.clear();
    context.table.phones.use({ kind: 'host', host: 'd1' }, true);
    expect(calls.stateOf('d1')).toBe('emergency');
    ring();
    await settled();
    expect(world.srf.uacs).toEqual([]);
  });

  test('stops when somebody begins a call at the phone', async () => {
    const rung = ring();
    await settled();
    context.table.phones.use({ kind: 'host', host: 'd2' }, false)();
    expect(world.srf.uac.cancels).toEqual([]);
    context.table.phones.use({ kind: 'host', host: 'd1' }, false)();
    await settled();
    expect([rung.outcome, world.srf.uac.cancels.length]).toEqual(['interrupted', 1]);
    expectNothingLeft();
  });

  test('every phone stops when the server does', async () => {
    ring();
    ring('u1002');
    await settled();
    calls.endAll('SIP;cause=503;text="Server stops"');
    await settled();
    expect(world.srf.uacs.map(({ cancels }) => cancels)).toEqual(
      world.srf.uacs.map(() => ['SIP;cause=503;text="Server stops"']),
    );
    expectNothingLeft();
  });
});

describe('who answers', () => {
  test('hears the warning, presses 1 and stays', async () => {
    const rung = ring();
    const dialog = await pickUp();
    expect(world.media.opened[0]).toMatchObject({ offer: OFFER, peer: '192.0.2.10' });
    expect(world.srf.uac.late).toEqual([world.media.session.localSdp]);
    expect(world.media.session.heard).toEqual(WARNING);
    await press('1');
    expect(rung.stays).toBe(1);
    expect(world.media.session.heard).toEqual([...WARNING, 'staying', 'goodbye']);
    expect(dialog.byes).toHaveLength(1);
    expect(rung.outcome).toBe('answered');
    expectNothingLeft();
  });

  test.each([
    [1, ['one-minute']],
    [9, ['digit-9', 'minutes']],
    [15, ['number-15', 'minutes']],
    [60, ['number-60', 'minutes']],
  ])('hears of %i minutes', async (minutes, words) => {
    ring().minutes = minutes;
    await pickUp();
    expect(world.media.session.heard).toEqual(['log-out-in', ...words, 'press-one-to-stay']);
  });

  test('cannot stay: hears why', async () => {
    ring().refusal = { refused: 'notLicensed' };
    await pickUp();
    await press('1');
    expect(world.media.session.heard).toEqual([...WARNING, 'not-licensed', 'goodbye']);
  });

  test.each(['2', '0', '#', '*'])('presses %s: nothing happens', async (key) => {
    const rung = ring();
    await pickUp();
    await press(`${key}#`);
    expect(rung).toMatchObject({ stays: 0, outcome: 'answered' });
    expectNothingLeft();
  });

  test('says nothing: nothing happens', async () => {
    const rung = ring();
    await pickUp();
    world.clock.advance(12_000);
    await settled();
    expect(rung).toMatchObject({ stays: 0, outcome: 'answered' });
    expectNothingLeft();
  });

  test('hangs up: nothing happens', async () => {
    const rung = ring();
    const dialog = await pickUp();
    dialog.bye();
    await settled();
    expect(rung).toMatchObject({ stays: 0, outcome: 'answered' });
    expectNothingLeft();
  });

  test('without media for it is let go', async () => {
    world.media.refuse = 'noPorts';
    const rung = ring();
    await pickUp();
    expect(world.srf.uac.late).toEqual(['destroy']);
    expect(rung.outcome).toBe('unanswered');
    expectNothingLeft();
  });

  test('without a session description is let go', async () => {
    const rung = ring();
    await settled();
    const dialog = world.srf.uac.answer('');
    await settled();
    expect([dialog.byes.length, rung.outcome]).toEqual([1, 'unanswered']);
    expectNothingLeft();
  });

  test('and is called off while media are made ready is let go', async () => {
    const rung = ring();
    const open = world.media.open.bind(world.media);
    world.media.open = (options) => {
      rung.calledOff.abort();
      return open(options);
    };
    const dialog = await pickUp();
    expect([dialog.byes, rung.outcome]).toEqual([
      [{ Reason: 'SIP;cause=487;text="No longer needed"' }],
      'interrupted',
    ]);
    expect(world.media.session.heard).toEqual([]);
    expectNothingLeft();
  });

  test('as it is called off is let go', async () => {
    const rung = ring();
    world.srf.uac.answer(OFFER);
    rung.calledOff.abort();
    await settled();
    expect(rung.outcome).toBe('interrupted');
    expectNothingLeft();
  });
});

describe('emergency calls', () => {
  test('999 from the phone while it rings: ours stops, theirs goes out', async () => {
    const rung = ring();
    await settled();
    const warning = world.srf.uac;
    const end = context.table.phones.use({ kind: 'host', host: 'd1' }, true);
    await settled();
    expect(warning.cancels).toEqual(['SIP;cause=487;text="No longer needed"']);
    expect(rung.outcome).toBe('emergency');
    end();
    expectNothingLeft();
  });

  test('999 from the phone while it talks to us: ours ends', async () => {
    const rung = ring();
    const dialog = await pickUp();
    const end = context.table.phones.use({ kind: 'host', host: 'd1' }, true);
    await settled();
    expect([dialog.byes.length, rung.outcome]).toEqual([1, 'emergency']);
    end();
    expectNothingLeft();
  });

  test.each(['999', '112'])('%s typed at our question goes out on the call that is up', async (number) => {
    const rung = ring();
    const dialog = await pickUp();
    await press(number);
    const psap = world.srf.uac;
    expect(psap.uri).toBe(`sip:${number}@sos.test:5060`);
    expect(psap.header('Priority')).toBe('emergency');
    expect([dialog.byes, calls.pendingEmergencies, context.table.phones.stateOf('d1')]).toEqual([
      [],
      1,
      'emergency',
    ]);
    // A server that stops takes the warning away, not the emergency call.
    calls.endAll('SIP;cause=503;text="Server stops"');
    const far = psap.answer(ANSWER);
    await settled();
    dialog.sent('INVITE')[0]?.answer(200, { body: OFFER });
    await settled();
    await settled();
    expect([dialog.byes, far.byes, context.table.legs, calls.pendingEmergencies]).toEqual([[], [], 2, 0]);
    expect(rung.outcome).toBe('emergency');
    expect(rung.stays).toBe(number === '112' ? 1 : 0);
    far.bye();
    await settled();
    expectNothingLeft();
  });
});

describe('a text', () => {
  test('goes to every binding of the phone, whatever it answers', async () => {
    const sent: {
      uri: string;
      options: { method: string; headers?: object; body?: string; proxy?: string };
    }[] = [];
    const answers = [new FakeRequest(), undefined];
    const srf = Object.assign(world.srf, {
      request(uri: string, options: (typeof sent)[0]['options'], callback: (...args: unknown[]) => void) {
        sent.push({ uri, options });
        const request = answers[sent.length - 1];
        callback(request ? null : new Error('no flow'), request);
        request?.emit('response', { status: 405 });
      },
    });
    expect(srf).toBe(world.srf);
    calls.message('u1002', 'You will be logged out of this phone in 5 minutes.');
    expect(sent.map(({ uri, options }) => [uri, options.method, options.proxy])).toEqual([
      ['sip:u1002@192.0.2.21', 'MESSAGE', 'sip:192.0.2.10:5060;transport=udp'],
      ['sip:u1002@192.0.2.22', 'MESSAGE', 'sip:[2001:db8::2]:5061;transport=tcp'],
    ]);
    const { headers, body } = sent[0]!.options;
    expect(headers).toMatchObject({
      From: '"Hot desk" <sip:hotdesk@hotdesk.test>',
      'Content-Type': 'text/plain;charset=UTF-8',
    });
    expect(headers).not.toHaveProperty('Contact');
    expect(body).toBe('You will be logged out of this phone in 5 minutes.');
    expect(world.log.errors()).toEqual([]);
  });

  test('for a phone nobody knows goes nowhere', () => {
    expect(() => calls.message('nowhere', 'x')).not.toThrow();
  });
});
