import { beforeEach, describe, expect, test } from 'vitest';
import { VOICE_PORTAL_KEYS } from '../../../../../src/domain/voice-portal.ts';
import type { Recording } from '../../../../../src/media/media.ts';
import { InboundInvite } from '../../../../../src/sip/calls/inbound.ts';
import { readOut, spelled } from '../../../../../src/sip/menus/clips.ts';
import { Conversation } from '../../../../../src/sip/menus/conversation.ts';
import type { Emergency } from '../../../../../src/sip/menus/credentials.ts';
import { voicePortal } from '../../../../../src/sip/menus/portal/portal.ts';
import { menusWith, promptOf } from '../../../../../src/sip/menus/portal/table.ts';
import { addressReadOut } from '../../../../../src/sip/menus/read-back.ts';
import { spoken } from '../../../../../src/sip/reasons.ts';
import type { FakeSession } from '../../../../support/fake-media.ts';
import { type FakeDialog, FakeResponse, settled } from '../../../../support/fake-sip.ts';
import { association, directory, host, NOW, user, viewOf } from '../../../domain/example.ts';
import { invite, World } from '../../world.ts';

/** The voice portal over fakes: who is asked what, what is said, what is left behind (rules B4–B6). */

const HOURS = 3_600_000;
const ann = user('1001');
const NAME: Recording = { mulaw: new Uint8Array([1, 2, 3]) };
const menus = menusWith(VOICE_PORTAL_KEYS);
const [mainMenu, hotelingMenu, reviewMenu] = [
  promptOf(menus.main),
  promptOf(menus.hoteling),
  promptOf(menus.review),
];

const people = directory({
  users: [ann, user('1002', { name: 'Zoë Li' }), user('1003')],
  hosts: [
    host('d1', { callbackNumber: '+442079460111' }),
    host('off', { enabled: false }),
    host('u1002', { kind: 'user', owner: '1002' }),
    host('u1003', { kind: 'user', owner: '1003' }),
  ],
});

let world: World;
let session: FakeSession;
let dialog: FakeDialog;
let end: Emergency | undefined | 'running';

interface Start {
  readonly at?: string;
  readonly person?: string;
  readonly seats?: Record<string, string>;
  readonly endless?: boolean;
}

async function start({ at = 'd1', person, seats = {}, endless = false }: Start = {}): Promise<void> {
  world = new World({ view: viewOf({ directory: people, seats }) });
  world.media.endless = endless;
  const inbound = new InboundInvite(world.srf.asSrf, invite('8000').asRequest, new FakeResponse().asResponse);
  const conversation = await Conversation.answer(world.media, world.clock, inbound);
  if (!conversation) throw new Error('not answered');
  session = world.media.session;
  dialog = world.srf.uas;
  end = 'running';
  const options = {
    host: at,
    person: person === undefined ? undefined : people.users.get(person),
    source: '192.0.2.10',
  };
  void voicePortal(world.deps, conversation, options).then((how) => {
    end = how;
  });
  await settled();
}

async function press(keys: string): Promise<void> {
  session.press(keys);
  await pass(0);
}

/** Time, in steps small enough for a wait that follows another. */
async function pass(ms: number): Promise<void> {
  for (let left = ms; left >= 0; left -= 700) {
    for (let turn = 0; turn < 5; turn++) await settled();
    if (left > 0) world.clock.advance(Math.min(left, 700));
  }
  for (let turn = 0; turn < 5; turn++) await settled();
}

/** Presses one key and gives it the moment some keys wait. */
async function choose(key: string): Promise<string[]> {
  const before = session.heard.length;
  await press(key);
  await pass(2100);
  return session.heard.slice(before);
}

async function signIn(options: Start = {}): Promise<void> {
  await start(options);
  world.identifyAnswers = [{ user: ann }];
  await press('1001#583914#');
}

function expectNothingLeft(): void {
  expect([session.closed, session.isRecording, world.clock.pending]).toEqual([true, false, 0]);
}

describe('signing in', () => {
  test('at a phone with nobody: extension, then PIN', async () => {
    await start();
    expect(session.heard).toEqual(['voice-portal', 'enter-extension']);
    world.identifyAnswers = [{ user: ann }];
    await press('1001#');
    await press('583914#');
    expect(world.identified).toEqual([
      { host: 'd1', extension: '1001', passcode: '583914', source: '192.0.2.10' },
    ]);
    expect(session.heard.slice(2)).toEqual([
      'enter-pin',
      'welcome',
      'extension',
      ...readOut('1001'),
      'pause',
      ...mainMenu,
    ]);
  });

  test('of who is there, the PIN alone', async () => {
    await start({ person: '1001' });
    expect(session.heard).toEqual(['voice-portal', 'enter-pin', 'another-extension']);
    world.identifyAnswers = [{ user: ann }];
    await press('583914#');
    expect(world.identified).toMatchObject([{ extension: '1001', passcode: '583914' }]);
  });

  test('who is there is somebody else: * asks for the extension, and goes on asking', async () => {
    await start({ person: '1002' });
    await press('*');
    expect(session.heard.at(-1)).toBe('enter-extension');
    await press('1001#000000#');
    expect(session.heard.slice(-2)).toEqual(['try-again', 'enter-extension']);
    world.identifyAnswers = [{ user: ann }];
    await press('1001#583914#');
    expect(world.identified.map(({ extension }) => extension)).toEqual(['1001', '1001']);
    expect(session.heard).toContain('welcome');
  });

  test('with a recorded name the greeting is in their own voice', async () => {
    await start();
    world.names.set('1001', NAME);
    world.identifyAnswers = [{ user: ann }];
    await press('1001#583914#');
    expect(session.played).toContainEqual(['welcome', NAME, 'pause']);
  });

  test('three wrong ones, then goodbye', async () => {
    await start({ person: '1001' });
    for (let n = 0; n < 3; n++) await press('000000#');
    expect(session.heard.slice(-2)).toEqual(['login-failed', 'goodbye']);
    expect(dialog.byes).toEqual([{ Reason: 'SIP;cause=403;text="Extension or PIN not recognised"' }]);
    expect(world.identified).toHaveLength(3);
    expectNothingLeft();
  });

  test('too many guesses end it at once', async () => {
    await start({ person: '1001' });
    world.identifyAnswers = [{ refused: 'tooManyTries' }];
    await press('583914#');
    expect(session.heard.slice(-2)).toEqual(['too-many-attempts', 'goodbye']);
  });

  test('a PIN that was given out is replaced first', async () => {
    await start({ person: '1001' });
    world.identifyAnswers = [{ refused: 'newPasscodeNeeded' }, { user: ann }];
    await press('583914#');
    await press('274961#274961#');
    expect(world.identified[1]).toMatchObject({ passcode: '583914', newPasscode: '274961' });
    expect(session.played).toContainEqual([
      'pin-changed',
      'welcome',
      'extension',
      ...readOut('1001'),
      'pause',
    ]);
  });

  test.each(['999', '112'])('%s at either prompt is an emergency call', async (number) => {
    await start();
    await press(number);
    expect(end).toEqual({ emergency: number });
    await start({ person: '1001' });
    await press(`${number}#`);
    expect(end).toEqual({ emergency: number });
    await start();
    await press(`1001#${number}#`);
    expect(end).toEqual({ emergency: number });
    expect([dialog.byes, world.identified]).toEqual([[], []]);
  });
});

describe('the main menu', () => {
  beforeEach(() => signIn());

  test('9 reads the address of this desk, and comes back', async () => {
    const at = people.hosts.get('d1')!;
    const address = addressReadOut({ host: at, callbackNumber: '+442079460111' });
    expect(await choose('9')).toEqual([...address, ...mainMenu]);
  });

  test('8 changes the PIN by the rules', async () => {
    await choose('8');
    expect(session.heard.at(-1)).toBe('new-pin');
    await press('111111#');
    const tooSimple = [
      'pin-too-simple',
      'pin-needs-between',
      'digit-6',
      'and',
      'number-12',
      'digits',
      'new-pin',
    ];
    expect(session.heard.slice(-7)).toEqual(tooSimple);
    await press('583914#');
    expect(session.heard.slice(-7)).toEqual(tooSimple);
    world.identifyAnswers = [{ user: ann }];
    await press('274961#274961#');
    expect(world.identified.at(-1)).toEqual({
      ...{ host: 'd1', source: '192.0.2.10', extension: '1001' },
      ...{ passcode: '583914', newPasscode: '274961' },
    });
    expect(session.heard.slice(-mainMenu.length - 1)).toEqual(['pin-changed', ...mainMenu]);
    world.identifyAnswers = [{ user: ann }];
    await press('8690372#690372#');
    expect(world.identified.at(-1)).toMatchObject({ passcode: '274961', newPasscode: '690372' });
  });

  test.each([
    ['passcodesDiffer', '274961#274962#'.repeat(3), 'pins-differ'],
    ['passcodeTooSimple', '123456#'.repeat(3), 'pin-too-simple'],
  ])('8: %s three times leaves it as it is', async (_reason, typed, clip) => {
    await choose('8');
    await press(typed);
    expect(session.heard.at(-mainMenu.length - 1)).toBe(clip);
    expect(world.identified).toHaveLength(1);
  });

  test('8: hanging up before the last # changes nothing', async () => {
    await choose('8');
    await press('274961#274961');
    dialog.bye();
    await pass(0);
    expect(world.identified).toHaveLength(1);
    expectNothingLeft();
  });

  test('8: with the store away says so', async () => {
    world.identifyAnswers = [{ refused: 'storeUnavailable' }];
    await press('8274961#274961#');
    expect(session.heard.at(-mainMenu.length - 1)).toBe('try-later');
  });

  test('# says it again, * is goodbye', async () => {
    expect(await choose('#')).toEqual(mainMenu);
    expect(await choose('*')).toEqual(['goodbye']);
    expect(dialog.byes).toEqual([{ Reason: 'SIP;cause=200;text="Goodbye"' }]);
    expect(end).toBeUndefined();
    expectNothingLeft();
  });

  test('a wrong key is told, the third ends it', async () => {
    expect(await choose('0')).toEqual(['invalid-key', ...mainMenu]);
    expect(await choose('5')).toEqual(['invalid-key', ...mainMenu]);
    expect(await choose('6')).toEqual(['invalid-key', 'goodbye']);
    expect(dialog.byes).toEqual([{ Reason: 'SIP;cause=400;text="None of the choices"' }]);
    expectNothingLeft();
  });

  test('silence, three times; a choice begins the count anew', async () => {
    await pass(12_000);
    expect(session.heard.slice(-mainMenu.length - 1)).toEqual(['no-input', ...mainMenu]);
    await pass(12_000);
    await choose('#');
    await pass(25_000);
    expect(dialog.byes).toEqual([]);
    await pass(12_000);
    expect(dialog.byes).toEqual([{ Reason: 'SIP;cause=408;text="No digits were received"' }]);
    expectNothingLeft();
  });

  test('has an end: ten minutes', async () => {
    for (let n = 0; n < 59; n++) {
      await choose('#');
      world.clock.advance(7900);
    }
    expect(dialog.byes).toEqual([]);
    world.clock.advance(10_000);
    await settled();
    expect(dialog.byes).toEqual([{ Reason: 'SIP;cause=408;text="Time is up"' }]);
    expectNothingLeft();
  });
});

describe('recording a name', () => {
  beforeEach(() => signIn());

  test('tone, recording, played back, kept; who is greeted next hears it', async () => {
    expect(await choose('1')).toEqual(['record-name', 'beep']);
    expect(session.recorded).toEqual([{ maxMs: 8000, silenceMs: 2000 }]);
    session.endRecording(NAME);
    await pass(0);
    expect(session.played.slice(-2)).toEqual([['your-name', NAME, 'pause'], reviewMenu]);
    expect(world.names.size).toBe(0);
    expect(await choose('1')).toEqual(['name-saved', ...mainMenu]);
    expect(world.names.get('1001')).toBe(NAME);
  });

  test('any key ends it, and is no answer to what follows', async () => {
    await choose('1');
    session.said = NAME;
    expect(await choose('2')).toEqual(['your-name', '(recording)', 'pause', ...reviewMenu]);
  });

  test('again, with 2', async () => {
    await choose('1');
    session.endRecording(NAME);
    await pass(0);
    expect(await choose('2')).toEqual(['record-name', 'beep']);
    session.endRecording(undefined);
    await pass(0);
    expect(session.heard.slice(-mainMenu.length - 1)).toEqual(['not-recorded', ...mainMenu]);
    expect(world.names.size).toBe(0);
  });

  test('heard again with #, given up with *', async () => {
    await choose('1');
    session.endRecording(NAME);
    await pass(0);
    expect(await choose('#')).toEqual(['your-name', '(recording)', 'pause', ...reviewMenu]);
    expect(await choose('*')).toEqual(mainMenu);
    expect(world.names.size).toBe(0);
  });

  test('that cannot be kept is said so, and may be tried again', async () => {
    world.deps.names.keep = async () => ({ refused: 'storeUnavailable' });
    await choose('1');
    session.endRecording(NAME);
    await pass(0);
    expect(await choose('1')).toEqual(['try-later', ...reviewMenu]);
  });

  test('hanging up right after the key that keeps it: it is not kept', async () => {
    await choose('1');
    session.endRecording(NAME);
    await pass(0);
    session.press('1');
    await settled();
    dialog.bye();
    await pass(700);
    expect(world.names.size).toBe(0);
    expectNothingLeft();
  });

  test('999 while it records is an emergency call, with nothing kept', async () => {
    await choose('1');
    session.said = NAME;
    await press('999');
    expect(end).toEqual({ emergency: '999' });
    expect([dialog.byes, world.names.size]).toEqual([[], 0]);
  });
});

describe('hoteling: the status of the host (B4)', () => {
  test('free', async () => {
    await signIn();
    expect(await choose('7')).toEqual(hotelingMenu);
    expect(await choose('1')).toEqual(['host-free', ...hotelingMenu]);
  });

  test('a guest without a recorded name is spelled, the extension follows', async () => {
    await signIn({ seats: { d1: '1002' } });
    await choose('7');
    expect(await choose('1')).toEqual([
      ...['host-guest', ...spelled('Zoe Li'), 'extension', ...readOut('1002'), 'pause'],
      ...hotelingMenu,
    ]);
  });

  test('a guest with a recorded name is heard in their own voice', async () => {
    await signIn({ seats: { d1: '1002' } });
    world.names.set('1002', NAME);
    await choose('7');
    await choose('1');
    expect(session.played).toContainEqual(['host-guest', NAME, 'extension', ...readOut('1002'), 'pause']);
  });

  test.each([
    ['off', 'host-disabled'],
    ['u1002', 'host-free'],
  ])('%s: %s', async (at, clip) => {
    await signIn({ at });
    await choose('7');
    expect((await choose('1'))[0]).toBe(clip);
  });
});

describe('hoteling: associating (B5)', () => {
  const seat = association('d1', '1001', { startedAt: NOW, expiresAt: NOW + 24 * HOURS });

  beforeEach(async () => {
    await signIn();
    await choose('7');
  });

  test('a free host: success, and for how long', async () => {
    world.associateAnswer = { user: ann, association: seat };
    const said = ['associated', 'time-limit-is', 'number-20', 'digit-4', 'hours'];
    expect(await choose('2')).toEqual([...said, ...hotelingMenu]);
    expect(world.asked).toEqual([['associateGuest', { host: 'd1', extension: '1001' }]]);
  });

  test.each([
    ['never', []],
    [NOW + HOURS, ['time-limit-is', 'one-hour']],
    [NOW + HOURS / 3, ['time-limit-is', 'less-than-an-hour']],
    [NOW + 999 * HOURS, ['time-limit-is', 'digit-9', 'hundred', 'and', 'number-90', 'digit-9', 'hours']],
  ] as const)('until %s', async (expiresAt, said) => {
    world.associateAnswer = { user: ann, association: { ...seat, expiresAt } };
    expect(await choose('2')).toEqual(['associated', ...said, ...hotelingMenu]);
  });

  test('a guest from elsewhere hears that the old one has ended', async () => {
    world.associateAnswer = { user: ann, association: seat, movedFrom: host('d2') };
    expect((await choose('2')).slice(0, 2)).toEqual(['moved', 'associated']);
  });

  test('taken: denied, told, and not by whom', async () => {
    world.associateAnswer = { refused: 'occupied', detail: 'held by 1002' };
    expect(await choose('2')).toEqual(['host-taken', ...hotelingMenu]);
  });

  test.each([
    'notLicensed',
    'hostDisabled',
    'notAllowedHere',
    'ownHost',
    'alreadyHere',
    'guestDisabled',
  ] as const)('%s is said with its own words', async (reason) => {
    world.associateAnswer = { refused: reason };
    expect(await choose('2')).toEqual([...spoken(reason).clips, ...hotelingMenu]);
  });
});

describe('hoteling: disassociating (B6)', () => {
  beforeEach(async () => {
    await signIn();
    await choose('7');
  });

  test('the current guest', async () => {
    world.leaveAnswer = { association: association('d1', '1001') };
    expect(await choose('3')).toEqual(['disassociated', ...hotelingMenu]);
    expect(world.asked).toEqual([['leave', { host: 'd1', extension: '1001' }]]);
  });

  test.each(['notYours', 'nobodyHere'] as const)(
    '%s: told that they are not associated here',
    async (refused) => {
      world.leaveAnswer = { refused };
      expect(await choose('3')).toEqual(['not-associated', ...hotelingMenu]);
    },
  );

  test('from a remote host', async () => {
    world.leaveAnswer = { association: association('d2', '1001') };
    expect(await choose('4')).toEqual(['disassociated-remote', ...hotelingMenu]);
    expect(world.asked).toEqual([['leave', { extension: '1001' }]]);
    world.leaveAnswer = { refused: 'nobodyHere' };
    expect(await choose('4')).toEqual(['not-associated-anywhere', ...hotelingMenu]);
    world.leaveAnswer = { refused: 'storeUnavailable' };
    expect(await choose('4')).toEqual(['try-later', ...hotelingMenu]);
  });

  test('* leads back, # says it again', async () => {
    expect(await choose('#')).toEqual(hotelingMenu);
    expect(await choose('*')).toEqual(mainMenu);
  });
});

test('everything typed ahead in one burst is done, and what came of it is still said', async () => {
  await start();
  world.identifyAnswers = [{ user: ann }];
  world.associateAnswer = { user: ann, association: association('d1', '1001') };
  session.press('1001#583914#72**');
  await pass(2100);
  expect(world.asked).toEqual([['associateGuest', { host: 'd1', extension: '1001' }]]);
  const said = ['welcome', 'extension', ...readOut('1001'), 'pause', 'associated', 'goodbye'];
  expect(session.heard).toEqual(['voice-portal', 'enter-extension', ...said]);
});

test('a key stops what is being said', async () => {
  await start({ endless: true });
  world.identifyAnswers = [{ user: ann }];
  await press('1001#583914#');
  expect(session.heard.slice(-2)).toEqual(['digit-1', 'pause']);
  const { stops } = session;
  await press('7');
  expect(session.stops).toBeGreaterThan(stops);
  expect(session.heard.slice(-hotelingMenu.length)).toEqual(hotelingMenu);
});

/** Every place a caller can be, by the keys that lead there after signing in. */
const PLACES: readonly [place: string, keys: string][] = [
  ['the main menu', ''],
  ['the address', '9'],
  ['the new PIN', '8'],
  ['the new PIN again', '8274961#'],
  ['the recording', '1'],
  ['the review', '1r'],
  ['the review after #', '1r#'],
  ['kept', '1r1'],
  ['the hoteling menu', '7'],
  ['the status', '71'],
  ['associated', '72'],
  ['disassociated', '73'],
  ['disassociated from afar', '74'],
  ['back', '7*'],
  ['after a wrong key', '0'],
  ['after a wrong key at hoteling', '70'],
];

async function goTo(keys: string): Promise<void> {
  await signIn();
  for (const key of keys) {
    if (key === 'r') session.endRecording(NAME);
    else await press(key);
    await pass(2100);
  }
}

describe.each(PLACES)('at %s', (_place, keys) => {
  test('hanging up leaves nothing behind', async () => {
    await goTo(keys);
    dialog.bye();
    await pass(0);
    expect(end).toBeUndefined();
    expectNothingLeft();
  });

  test('so does the end of the media', async () => {
    await goTo(keys);
    session.die();
    await pass(0);
    expect(end).toBeUndefined();
    expect([session.isRecording, world.clock.pending, dialog.byes.length]).toEqual([false, 0, 1]);
  });

  test.each(['999', '112'])('%s is an emergency call', async (number) => {
    await goTo(keys);
    for (const digit of number) {
      await press(digit);
      await pass(350);
    }
    await pass(7000);
    expect(end).toEqual({ emergency: number });
    expect(dialog.byes).toEqual([]);
  });

  test('and whatever key comes next, it goes on or says goodbye, and ends with nothing left', async () => {
    for (const key of '0123456789*#') {
      await goTo(keys);
      await choose(key);
      dialog.bye();
      await pass(0);
      expect(end).toBeUndefined();
      expectNothingLeft();
    }
  });

  test('silence ends it with goodbye', async () => {
    await goTo(keys);
    for (let n = 0; n < 8; n++) {
      await pass(12_700);
      if (session.isRecording) session.endRecording(undefined);
    }
    expect(session.heard.at(-1)).toBe('goodbye');
    expectNothingLeft();
  });
});
