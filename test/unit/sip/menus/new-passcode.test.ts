import { beforeEach, describe, expect, test } from 'vitest';
import { InboundInvite } from '../../../../src/sip/calls/inbound.ts';
import { readOut } from '../../../../src/sip/menus/clips.ts';
import { Conversation } from '../../../../src/sip/menus/conversation.ts';
import { type LogInEnd, logIn } from '../../../../src/sip/menus/log-in.ts';
import { spoken } from '../../../../src/sip/reasons.ts';
import type { FakeSession } from '../../../support/fake-media.ts';
import { type FakeDialog, FakeResponse, settled } from '../../../support/fake-sip.ts';
import { host, user } from '../../domain/example.ts';
import { invite, World } from '../world.ts';

/** The first login with a one-time PIN: the person chooses another before anything else happens. */

const GIVEN = '583914';
const CHOSEN = '204863';
const NEEDED = { refused: 'newPasscodeNeeded' };
const AMELIA = { user: user('1001') };
/** With the rule that nobody can guess. */
const TOO_SIMPLE = ['pin-too-simple', 'pin-needs-between', 'digit-6', 'and', 'number-12', 'digits'];
const GREETING = ['logged-in-as', ...readOut('1001'), 'pause'];

let world: World;
let session: FakeSession;
let dialog: FakeDialog;
let end: LogInEnd | 'running';

beforeEach(async () => {
  world = new World();
  world.logInAnswers = [NEEDED, AMELIA];
  const call = new InboundInvite(world.srf.asSrf, invite('*90').asRequest, new FakeResponse().asResponse);
  const conversation = await Conversation.answer(world.media, world.clock, call);
  if (!conversation) throw new Error('not answered');
  session = world.media.session;
  dialog = world.srf.uas;
  end = 'running';
  const emergencyNumber = (digits: string): string | undefined =>
    ['999', '112', '4443'].includes(digits) ? digits : undefined;
  const options = { host: host('d1'), source: '192.0.2.10', emergencyNumber };
  void logIn(world.deps, conversation, options).then((result) => {
    end = result;
  });
  await type(`1001#${GIVEN}#`);
  expect(session.heard).toEqual(['enter-extension', 'new-pin']);
});

/** What was said after the first question for a new PIN. */
function heard(): readonly string[] {
  return session.heard.slice(2);
}

async function type(digits: string): Promise<void> {
  await settled();
  session.press(digits);
  await settled();
}

async function silence(): Promise<void> {
  world.clock.advance(12_000);
  await settled();
}

const given = { host: 'd1', extension: '1001', passcode: GIVEN, source: '192.0.2.10' };

describe('a one-time PIN', () => {
  test('is replaced by one typed twice, and the person is logged in', async () => {
    await type(`${CHOSEN}#`);
    await type(`${CHOSEN}#`);
    expect(world.logIns).toEqual([given, { ...given, newPasscode: CHOSEN }]);
    expect(heard()).toEqual(['repeat-pin', 'pin-changed', ...GREETING]);
    expect(dialog.byes).toEqual([{ Reason: 'SIP;cause=200;text="Logged in"' }]);
    expect(end).toBeUndefined();
  });

  test('all in one burst', async () => {
    await type(`${CHOSEN}#${CHOSEN}#`);
    expect(heard()).toEqual(['pin-changed', ...GREETING]);
  });

  test('twelve digits and #: the # is not the answer to the next question', async () => {
    const longest = '204863175920';
    await type(`${longest}#`);
    await type(`${longest}#`);
    expect(world.logIns.at(-1)).toMatchObject({ newPasscode: longest });
  });

  test('two that differ, then one too simple, then a good one', async () => {
    await type(`${CHOSEN}#204864#`);
    expect(heard()).toEqual(['pins-differ', 'new-pin']);
    await type('111111#');
    expect(heard().slice(2)).toEqual([...TOO_SIMPLE, 'new-pin']);
    await type(`${CHOSEN}#${CHOSEN}#`);
    expect(heard().slice(9)).toEqual(['pin-changed', ...GREETING]);
  });

  test.each([
    ['too short', '20486'],
    ['too long', '2048631759204'],
    ['a row', '456789'],
    ['the extension in it', '110012'],
    ['the one that was given', GIVEN],
  ])('a choice that is %s is asked for again at once', async (_, choice) => {
    await type(`${choice}#`);
    expect(heard().slice(0, 7)).toEqual([...TOO_SIMPLE, 'new-pin']);
    expect(world.logIns).toEqual([given]);
  });

  test('three tries in all: the last problem is said, and the call ended', async () => {
    await type(`111111#${CHOSEN}#204864#`);
    await silence();
    const { clips, status, text } = spoken('noInput');
    expect(heard().slice(-2)).toEqual([...clips, 'goodbye']);
    expect(heard()).not.toContain('enter-extension');
    expect(dialog.byes).toEqual([{ Reason: `SIP;cause=${status};text="${text}"` }]);
    expect(world.logIns).toEqual([given]);
  });

  test('hanging up before the end sets nothing, even with all digits typed', async () => {
    await type(`${CHOSEN}#${CHOSEN}`);
    dialog.bye();
    await settled();
    expect(world.logIns).toEqual([given]);
    expect([session.closed, world.clock.pending]).toEqual([true, 0]);
  });

  test.each([
    ['the new PIN', ''],
    ['its repetition', `${CHOSEN}#`],
    ['the new PIN at the second try', '111111#'],
  ])('an emergency number instead of %s calls for help', async (_, before) => {
    await type(`${before}999#`);
    expect(end).toEqual({ emergency: '999' });
    expect(dialog.byes).toEqual([]);
    expect(world.logIns).toEqual([given]);
  });

  test('a site’s longer emergency number counts, too, where no PIN is that short', async () => {
    await type('4443#');
    expect(end).toEqual({ emergency: '4443' });
  });

  test('refused after the change: both are said', async () => {
    world.logInAnswers = [{ refused: 'occupied', passcodeChanged: true }];
    await type(`${CHOSEN}#${CHOSEN}#`);
    expect(heard()).toEqual(['pin-changed', ...spoken('occupied').clips, 'goodbye']);
  });

  test('refused instead of the change: no word of a change', async () => {
    world.logInAnswers = [{ refused: 'storeUnavailable' }];
    await type(`${CHOSEN}#${CHOSEN}#`);
    expect(heard()).toEqual([...spoken('storeUnavailable').clips, 'goodbye']);
  });
});
