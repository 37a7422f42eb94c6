import { beforeEach, describe, expect, test } from 'vitest';
import type { Reason } from '../../../../src/domain/reasons.ts';
import { InboundInvite } from '../../../../src/sip/calls/inbound.ts';
import { readOut } from '../../../../src/sip/menus/clips.ts';
import { Conversation } from '../../../../src/sip/menus/conversation.ts';
import { type LogInEnd, logIn } from '../../../../src/sip/menus/log-in.ts';
import { logOut } from '../../../../src/sip/menus/log-out.ts';
import { spoken } from '../../../../src/sip/reasons.ts';
import type { FakeSession } from '../../../support/fake-media.ts';
import { type FakeDialog, FakeResponse, settled } from '../../../support/fake-sip.ts';
import { directory, host, user, viewOf } from '../../domain/example.ts';
import { ANSWER, invite, OFFER, World } from '../world.ts';

let world: World;
let conversation: Conversation;
let inbound: InboundInvite;
let session: FakeSession;
let dialog: FakeDialog;

async function answered(options: { endless?: boolean; body?: string; world?: World } = {}): Promise<void> {
  world = options.world ?? new World();
  world.media.endless = options.endless ?? false;
  const request = invite('*90', { body: options.body ?? OFFER });
  inbound = new InboundInvite(world.srf.asSrf, request.asRequest, new FakeResponse().asResponse);
  const made = await Conversation.answer(world.media, world.clock, inbound);
  if (!made) throw new Error('not answered');
  conversation = made;
  session = world.media.session;
  dialog = world.srf.uas;
}

beforeEach(() => answered());

/** Emergency numbers as a phone of the example company has them. */
const emergencyNumber = (digits: string): string | undefined =>
  ['999', '112'].includes(digits) ? digits : undefined;

function start(
  differs: { enabled?: boolean } = {},
  numberOf = emergencyNumber,
): { end: LogInEnd | 'running' } {
  const state: { end: LogInEnd | 'running' } = { end: 'running' };
  const options = { host: host('d1', differs), source: '192.0.2.10', emergencyNumber: numberOf };
  void logIn(world.deps, conversation, options).then((end) => {
    state.end = end;
  });
  return state;
}

async function type(digits: string): Promise<void> {
  await settled();
  session.press(digits);
  await settled();
}

const AMELIA = { user: user('1001') };

describe('logging in (rule A1)', () => {
  test('extension, then PIN; the person hears who they are, and the call is ended', async () => {
    world.logInAnswers = [AMELIA];
    const menu = start();
    await type('1001#');
    await type('583914#');
    expect(menu.end).toBeUndefined();
    expect(world.logIns).toEqual([
      { host: 'd1', extension: '1001', passcode: '583914', source: '192.0.2.10' },
    ]);
    expect(session.heard).toEqual([
      'enter-extension',
      'enter-pin',
      'logged-in-as',
      ...readOut('1001'),
      'pause',
    ]);
    expect(dialog.byes).toEqual([{ Reason: 'SIP;cause=200;text="Logged in"' }]);
    expect([session.closed, world.clock.pending]).toEqual([true, 0]);
  });

  test('a burst with both fields is not asked for anything', async () => {
    world.logInAnswers = [AMELIA];
    session.press('1001#583914#');
    start();
    await settled();
    expect(session.heard).toEqual(['logged-in-as', ...readOut('1001'), 'pause']);
  });

  test('who sat elsewhere hears that they have moved', async () => {
    world.logInAnswers = [{ ...AMELIA, movedFrom: host('d2') }];
    session.press('1001#583914#');
    start();
    await settled();
    expect(session.heard[0]).toBe('moved');
  });

  test('the first digit stops the prompt', async () => {
    await answered({ endless: true });
    start();
    await settled();
    expect([session.heard, session.stops]).toEqual([['enter-extension'], 0]);
    session.press('1');
    await settled();
    expect(session.stops).toBe(1);
  });

  test('three tries, then goodbye', async () => {
    start();
    for (let n = 0; n < 3; n++) await type('1001#000000#');
    const again = [...spoken('badCredentials').clips, 'try-again', 'enter-extension'];
    const asked = session.heard.filter((clip) => clip !== 'enter-pin');
    expect(asked).toEqual(['enter-extension', ...again, ...again, 'login-failed', 'goodbye']);
    expect(world.logIns).toHaveLength(3);
    expect(dialog.byes).toEqual([{ Reason: 'SIP;cause=403;text="Extension or PIN not recognised"' }]);
  });

  test('silence is a try, too', async () => {
    start();
    for (let n = 0; n < 3; n++) {
      await settled();
      world.clock.advance(12_000);
      await settled();
    }
    expect(session.heard.slice(-2)).toEqual(['no-input', 'goodbye']);
    expect(dialog.byes).toEqual([{ Reason: 'SIP;cause=408;text="No digits were received"' }]);
  });

  const refusals: Reason[] = [
    'tooManyTries',
    'notLicensed',
    'hostDisabled',
    'notAllowedHere',
    'ownHost',
    'alreadyHere',
    'occupied',
    'guestElsewhere',
    'storeUnavailable',
  ];
  test.each(refusals)('%s is said with a prompt of its own, and ends the call at once', async (reason) => {
    world.logInAnswers = [{ refused: reason }];
    session.press('1001#583914#');
    start();
    await settled();
    const { clips, status, text } = spoken(reason);
    expect(session.heard).toEqual([...clips, 'goodbye']);
    expect(dialog.byes).toEqual([{ Reason: `SIP;cause=${status};text="${text}"` }]);
    const others = refusals.filter((other) => other !== reason).map((other) => spoken(other).clips[0]);
    expect(others).not.toContain(clips[0]);
  });

  test('a phone that is switched off asks nothing', async () => {
    start({ enabled: false });
    await settled();
    expect(session.heard).toEqual(['host-disabled', 'goodbye']);
  });

  test('the caller hangs up: nothing is asked of the store', async () => {
    start();
    await type('1001#58');
    dialog.bye();
    await settled();
    expect(world.logIns).toEqual([]);
    expect([session.closed, world.clock.pending]).toEqual([true, 0]);
  });

  test('a phone that falls silent, unplugged perhaps, is not waited for', async () => {
    start();
    await settled();
    session.onSilent?.();
    await settled();
    expect(dialog.byes).toEqual([{ Reason: 'SIP;cause=408;text="No audio from the phone"' }]);
    expect([session.closed, world.clock.pending]).toEqual([true, 0]);
  });
});

describe('an emergency number at the extension prompt', () => {
  test('is enough at once, without #', async () => {
    const menu = start();
    await type('99');
    expect(menu.end).toBe('running');
    await type('9');
    expect(menu.end).toEqual({ emergency: '999' });
    expect(dialog.byes).toEqual([]);
  });

  test('that begins an extension waits for the end of the field', async () => {
    const people = directory({ users: [user('9991')], hosts: [host('d1')] });
    await answered({ world: new World({ view: viewOf({ directory: people }) }) });
    const menu = start();
    await type('999');
    expect(menu.end).toBe('running');
    world.clock.advance(4000);
    await settled();
    expect(menu.end).toEqual({ emergency: '999' });
  });

  test('that is an extension is that extension', async () => {
    const people = directory({ users: [user('999')], hosts: [host('d1')] });
    await answered({ world: new World({ view: viewOf({ directory: people }) }) });
    const menu = start();
    await type('999#1234#');
    expect(world.logIns).toMatchObject([{ extension: '999', passcode: '1234' }]);
    expect(menu.end).toBe('running');
  });

  test('at the second try counts as well', async () => {
    const menu = start();
    await type('1001#000000#');
    await type('112');
    expect(menu.end).toEqual({ emergency: '112' });
  });

  test('at the PIN prompt, where no PIN is that short', async () => {
    const menu = start();
    await type('1001#999#');
    expect(menu.end).toEqual({ emergency: '999' });
    expect(world.logIns).toEqual([]);
  });

  /** Outside-line prefix 9: as long as a PIN may be. */
  const withPrefix = (digits: string): string | undefined =>
    emergencyNumber(digits.startsWith('9') ? digits.slice(1) : digits);

  test('at the PIN prompt with the outside-line prefix, where the company’s PINs are longer', async () => {
    const menu = start({}, withPrefix);
    await type('1001#9999#');
    expect(menu.end).toEqual({ emergency: '9999' });
    expect(world.logIns).toEqual([]);
  });

  test.each(['badCredentials', 'tooManyTries', 'storeUnavailable'] as const)(
    'at the PIN prompt where a PIN may look so, unless it is one: %s',
    async (refused) => {
      const people = directory({ company: { passcodeLength: { min: 4, max: 12 } }, hosts: [host('d1')] });
      await answered({ world: new World({ view: viewOf({ directory: people }) }) });
      world.logInAnswers = [{ refused }];
      const menu = start({}, withPrefix);
      await type('1001#9112#');
      expect(menu.end).toEqual({ emergency: '9112' });
    },
  );

  test.each([AMELIA, { refused: 'notLicensed' }])('a PIN that looks so is a PIN: %o', async (answer) => {
    const people = directory({ company: { passcodeLength: { min: 4, max: 12 } }, hosts: [host('d1')] });
    await answered({ world: new World({ view: viewOf({ directory: people }) }) });
    world.logInAnswers = [answer];
    const menu = start({}, withPrefix);
    await type('1001#9112#');
    expect(menu.end).toBeUndefined();
    expect(dialog.byes).toHaveLength(1);
  });
});

describe('logging out (rule A2)', () => {
  const options = { host: host('d1'), source: '192.0.2.10', emergencyNumber };

  test('asks nothing and says who was logged out', async () => {
    world.logOutAnswer = { association: { guest: '1001' } };
    await logOut(world.deps, conversation, options);
    expect(session.heard).toEqual(['extension', ...readOut('1001'), 'logged-out-as']);
    expect(dialog.byes).toEqual([{ Reason: 'SIP;cause=200;text="Logged out"' }]);
    expect([world.identified, world.asked]).toEqual([[], []]);
  });

  test('with the store away says so, and asks nothing', async () => {
    world.logOutAnswer = { refused: 'storeUnavailable' };
    await logOut(world.deps, conversation, options);
    expect(session.heard).toEqual([...spoken('storeUnavailable').clips]);
    expect(dialog.byes).toHaveLength(1);
  });

  describe('where nobody is logged in', () => {
    test('ends the association of who gives extension and PIN, wherever it is', async () => {
      world.identifyAnswers = [AMELIA];
      world.leaveAnswer = { association: { guest: '1001', host: 'd2' } };
      const end = logOut(world.deps, conversation, options);
      await type('1001#');
      await type('583914#');
      expect(await end).toBeUndefined();
      expect(world.identified).toEqual([
        { host: 'd1', extension: '1001', passcode: '583914', source: '192.0.2.10' },
      ]);
      expect(world.asked).toEqual([['leave', { extension: '1001' }]]);
      const questions = ['not-logged-in', 'log-out-elsewhere', 'enter-extension', 'enter-pin'];
      expect(session.heard).toEqual([...questions, 'extension', ...readOut('1001'), 'logged-out-as']);
      expect(dialog.byes).toEqual([{ Reason: 'SIP;cause=200;text="Logged out"' }]);
    });

    test('says so when there is nothing to end', async () => {
      world.identifyAnswers = [AMELIA];
      session.press('1001#583914#');
      await logOut(world.deps, conversation, options);
      expect(session.heard).toEqual(['not-logged-in-anywhere', 'goodbye']);
      expect(dialog.byes).toEqual([{ Reason: 'SIP;cause=403;text="Not logged in at any phone"' }]);
    });

    test('a wrong PIN ends nothing', async () => {
      session.press('1001#000000#1001#000000#1001#000000#');
      await logOut(world.deps, conversation, options);
      expect(world.asked).toEqual([]);
      expect(dialog.byes).toEqual([{ Reason: 'SIP;cause=403;text="Extension or PIN not recognised"' }]);
    });

    test('999 is an emergency call there, too', async () => {
      session.press('999');
      expect(await logOut(world.deps, conversation, options)).toEqual({ emergency: '999' });
      expect(dialog.byes).toEqual([]);
    });

    test.each(['1001#58391', '1001#583914#'])(
      'the caller hangs up after %s: nothing is ended',
      async (typed) => {
        let answer = (_: unknown): void => undefined;
        world.deps.hotDesk.identify = () =>
          new Promise((resolve) => {
            answer = resolve as typeof answer;
          });
        const end = logOut(world.deps, conversation, options);
        await type(typed);
        dialog.bye();
        answer(AMELIA);
        await end;
        expect(world.asked).toEqual([]);
      },
    );
  });
});

describe('a conversation', () => {
  test('takes digits by INFO, answers 200 to an empty INFO and 415 to any other', async () => {
    const digit = { body: 'Signal=1\r\n', headers: { 'Content-Type': 'application/dtmf-relay' } };
    expect(dialog.receive('INFO', digit).final?.status).toBe(200);
    expect(dialog.receive('INFO').final?.status).toBe(200);
    expect(dialog.receive('INFO', { body: 'x' }).final?.status).toBe(415);
    const field = conversation.ask({ prompt: [], maxDigits: 1 });
    expect(await field).toBe('1');
  });

  test('renegotiates: hold, a late offer, and 488 for what cannot be', async () => {
    const hold = dialog.receive('INVITE', { body: ANSWER });
    await settled();
    expect(hold.final).toMatchObject({ status: 200, body: session.localSdp });
    const late = dialog.receive('INVITE');
    await settled();
    expect(late.final).toMatchObject({ status: 200, body: session.localSdp });
    dialog.ack(ANSWER);
    expect(session.renegotiated).toEqual([ANSWER, ANSWER]);
    expect(dialog.receive('UPDATE').final?.status).toBe(200);
    session.acceptable = false;
    const bad = dialog.receive('UPDATE', { body: 'v=0 nonsense' });
    await settled();
    expect(bad.final?.status).toBe(488);
  });

  test('without an offer: ours is in the 200, the ACK brings the answer', async () => {
    await answered({ body: '' });
    expect(world.media.opened).toEqual([{ callId: expect.any(String), peer: '192.0.2.10' }]);
    dialog.ack();
    expect(session.renegotiated).toEqual([]);
    await answered({ body: '' });
    dialog.ack(ANSWER);
    expect(session.renegotiated).toEqual([ANSWER]);
  });

  test('has an end: three minutes', () => {
    world.clock.advance(180_000);
    expect(dialog.byes).toEqual([{ Reason: 'SIP;cause=408;text="Time is up"' }]);
    expect(session.closed).toBe(true);
  });

  test('ends when the media die, when the server stops, and refuses transfers', async () => {
    expect(dialog.receive('REFER').final?.status).toBe(603);
    session.die();
    expect(dialog.byes).toHaveLength(1);
    await answered();
    inbound.abandon('SIP;cause=503;text="Server stops"');
    expect(dialog.byes).toEqual([{ Reason: 'SIP;cause=503;text="Server stops"' }]);
  });

  test('given to somebody else is theirs: neither time nor media end it', () => {
    conversation.detach();
    world.clock.advance(180_000);
    session.die();
    conversation.hangUp('x');
    expect(dialog.byes).toEqual([]);
  });

  test.each([
    ['noPorts', 503],
    ['notAcceptable', 488],
  ] as const)('without media (%s): %i', async (refuse, status) => {
    world.media.refuse = refuse;
    const response = new FakeResponse();
    const call = new InboundInvite(world.srf.asSrf, invite('*90').asRequest, response.asResponse);
    expect(await Conversation.answer(world.media, world.clock, call)).toBeUndefined();
    expect(response.final?.status).toBe(status);
  });

  test('whose caller has gone closes its media', async () => {
    world.srf.answerFails = true;
    const call = new InboundInvite(world.srf.asSrf, invite('*90').asRequest, new FakeResponse().asResponse);
    expect(await Conversation.answer(world.media, world.clock, call)).toBeUndefined();
    expect(world.media.session.closed).toBe(true);
  });
});
