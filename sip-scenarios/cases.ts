import { PEOPLE, PHONES, SERVICES } from '../test/support/demo.ts';
import { bodyOf, FakePbx } from '../test/support/fake-pbx.ts';
import type { Hotdesk } from '../test/support/hotdesk.ts';
import { userOf } from '../test/support/sip-text.ts';
import type { SippRun } from './sipp.ts';

/** What SIPp plays, and what must be so before and after it. */

const { first, second, leeds } = PEOPLE;
const OUTSIDE = '01632960500';

/** A scenario's surroundings: what must be so before it, who takes part, what must be so after it. */
export interface Case {
  /** The scenario file that decides, also the name to ask for. */
  readonly file: string;
  readonly title: string;
  readonly phone?: string;
  readonly dial?: string;
  readonly protocol?: 'udp' | 'tcp';
  /**
   * `psap`: the scenario is emergency services, at the end of the emergency trunk. `lamps`: a lamp that is lit is told
   * of at any time. Each of these has a Hotdesk of its own, where cases run one after the other.
   */
  readonly among?: 'psap' | 'lamps';
  before?(stage: Stage): Promise<unknown>;
  /** Runs beside the scenario; rejects when it did not go as it should. */
  beside?(stage: Stage): Promise<unknown>;
  after?(stage: Stage): Promise<unknown>;
}

export interface Stage {
  readonly hotdesk: Hotdesk;
  /** Runs SIPp as a phone; a second one beside it is `called`, or emergency services. */
  sipp(
    run: Partial<SippRun> & Pick<SippRun, 'file'>,
    as?: 'caller' | 'called' | 'psap',
  ): Promise<string | undefined>;
}

export const CASES: readonly Case[] = [
  { file: 'register', title: 'a phone registers' },
  { file: 'register-stale-nonce', title: 'an old nonce is stale' },
  { file: 'rfc6665-subscription', title: 'RFC 6665 the life of a subscription' },
  { file: 'a1-log-in-by-hand', title: 'A1 log in by hand', dial: '*90', after: sits(first.extension) },
  { file: 'a1-log-in-burst', title: 'A1 log in by soft key', dial: '*90', after: sits(first.extension) },
  {
    file: 'a1-log-in-pt127',
    title: 'A1 events on payload type 127, no fmtp',
    dial: '*90',
    after: sits(first.extension),
  },
  { file: 'a1-log-in-info', title: 'A1 log in by SIP INFO', dial: '*90', after: sits(first.extension) },
  {
    file: 'a1-log-in-tcp',
    title: 'A1 log in over TCP',
    dial: '*90',
    protocol: 'tcp',
    after: sits(first.extension),
  },
  { file: 'a1-wrong-pin', title: 'A1 three wrong PINs', dial: '*90', after: sits(undefined) },
  {
    file: 'a2-log-out',
    title: 'A2 log out',
    dial: '*91',
    before: ({ hotdesk }) => hotdesk.seat(first.extension, PHONES.reception),
    after: sits(undefined),
  },
  { file: 'a3-refused-when-free', title: 'A3 a free phone cannot call', dial: OUTSIDE },
  {
    file: 'a3-emergency-when-free',
    title: 'A3 A6 a free phone can call 999, as the desk',
    dial: '999',
    beside: async ({ hotdesk }) => {
      const psap = await hotdesk.trunks.emergency.nextCall();
      await psap.accept();
      expectEqual(userOf(psap.invite.header('P-Asserted-Identity')), '+442079460111');
      await psap.ended;
    },
  },
  {
    file: 'b5-occupied',
    title: 'B5b a taken phone is refused',
    dial: '*90',
    before: ({ hotdesk }) => hotdesk.seat(first.extension, PHONES.reception),
    after: sits(first.extension),
  },
  {
    file: 'b5-move',
    title: 'B5c moved from another phone',
    dial: '*90',
    before: ({ hotdesk }) => hotdesk.seat(first.extension, PHONES.window),
    after: async (stage) => {
      await sits(first.extension)(stage);
      expectEqual(await stage.hotdesk.guestAt(PHONES.window), undefined);
    },
  },
  {
    file: 'a2-log-out-elsewhere',
    title: 'A2 log out of another phone',
    dial: '*91',
    before: ({ hotdesk }) => hotdesk.seat(first.extension, PHONES.window),
    after: ({ hotdesk }) => hotdesk.expectGuest(PHONES.window, undefined),
  },
  { file: 'b4-host-status', title: 'B4 the status of a free host', dial: SERVICES.voicePortal },
  { file: 'b4-wrong-pin', title: 'B4 three wrong PINs in the portal', dial: SERVICES.voicePortal },
  {
    file: 'b5-portal-associate',
    title: 'B5a associate with a free host in the portal',
    dial: SERVICES.voicePortal,
    after: sits(first.extension),
  },
  {
    file: 'b5-portal-associate',
    title: 'B5c associate while elsewhere in the portal',
    dial: SERVICES.voicePortal,
    before: ({ hotdesk }) => hotdesk.seat(first.extension, PHONES.window),
    after: async (stage) => {
      await sits(first.extension)(stage);
      expectEqual(await stage.hotdesk.guestAt(PHONES.window), undefined);
    },
  },
  {
    file: 'b5-portal-taken',
    title: 'B5b a taken host is denied in the portal',
    dial: SERVICES.voicePortal,
    before: ({ hotdesk }) => hotdesk.seat(first.extension, PHONES.reception),
    after: sits(first.extension),
  },
  {
    file: 'b6-portal-disassociate',
    title: 'B6 disassociate in the portal',
    dial: SERVICES.voicePortal,
    before: ({ hotdesk }) => hotdesk.seat(first.extension, PHONES.reception),
    after: sits(undefined),
  },
  {
    file: 'b6-portal-not-yours',
    title: 'B6 who is not the guest is denied in the portal',
    dial: SERVICES.voicePortal,
    before: ({ hotdesk }) => hotdesk.seat(first.extension, PHONES.reception),
    after: sits(first.extension),
  },
  {
    file: 'b6-portal-remote',
    title: 'B6 leave a remote host in the portal',
    dial: SERVICES.voicePortal,
    before: ({ hotdesk }) => hotdesk.seat(first.extension, PHONES.window),
    after: ({ hotdesk }) => hotdesk.expectGuest(PHONES.window, undefined),
  },
  {
    file: 'call-out',
    title: 'a call out, as the guest',
    dial: OUTSIDE,
    before: ({ hotdesk }) => hotdesk.seat(first.extension, PHONES.reception),
    beside: async ({ hotdesk }) => {
      const far = await hotdesk.trunks.main.nextCall();
      await far.ring();
      await far.accept();
      const { callerId } = await hotdesk.user(first.extension);
      expectEqual(userOf(far.invite.header('From')), callerId);
      await far.ended;
    },
  },
  {
    file: 'call-out',
    title: 'a call from desk to desk, SIPp at both ends',
    dial: leeds.extension,
    before: async (stage) => {
      await stage.hotdesk.seat(first.extension, PHONES.reception);
      await stage.hotdesk.seat(leeds.extension, PHONES.leeds);
      await succeeds(stage.sipp({ file: 'register', phone: PHONES.leeds }, 'called'));
    },
    beside: (stage) => succeeds(stage.sipp({ file: 'called-party', phone: PHONES.leeds }, 'called')),
  },
  {
    file: 'called-party',
    title: 'a call in, to where the person sits',
    phone: PHONES.window,
    before: async (stage) => {
      await stage.hotdesk.seat(second.extension, PHONES.window);
      await succeeds(stage.sipp({ file: 'register', phone: PHONES.window }));
    },
    beside: async ({ hotdesk }) => {
      await new Promise((resolve) => setTimeout(resolve, 500));
      const call = await hotdesk.trunks.main.call(second.extension);
      await call.answered;
      await call.hangUp();
    },
  },
  {
    file: 'cancel-while-ringing',
    title: 'CANCEL while it rings',
    dial: OUTSIDE,
    before: ({ hotdesk }) => hotdesk.seat(first.extension, PHONES.reception),
    beside: async ({ hotdesk }) => {
      const far = await hotdesk.trunks.main.nextCall();
      await far.ring();
      await far.ended;
    },
  },
  {
    file: 'a6-psap-answers',
    title: 'A6 emergency services see the desk and its address',
    among: 'psap',
    before: ({ hotdesk }) => hotdesk.seat(first.extension, PHONES.reception),
    beside: callsForHelp,
  },
  {
    file: 'a6-psap-calls-back',
    title: 'A6 emergency services call back after the guest has left',
    among: 'psap',
    dial: '+442079460111',
    before: async (stage) => {
      await stage.hotdesk.seat(first.extension, PHONES.reception);
      await succeeds(stage.sipp({ file: 'register' }));
      const answered = stage.sipp({ file: 'a6-psap-answers' }, 'psap');
      await callsForHelp(stage);
      await succeeds(answered);
      await succeeds(stage.sipp({ file: 'a2-log-out', dial: '*91' }));
      await sits(undefined)(stage);
    },
    beside: (stage) => succeeds(stage.sipp({ file: 'called-party' })),
  },
  {
    file: 'call-out',
    title: "voicemail: one's own messages",
    dial: SERVICES.voicemail,
    before: ({ hotdesk }) => hotdesk.seat(first.extension, PHONES.reception),
    beside: ({ hotdesk }) => answersMailbox(hotdesk, 'unknown'),
  },
  {
    file: 'voicemail-deposit',
    title: 'voicemail: a call to a phone that is busy',
    before: async (stage) => {
      await stage.hotdesk.seat(first.extension, PHONES.reception);
      await succeeds(stage.sipp({ file: 'register' }));
    },
    beside: async ({ hotdesk }) => {
      await new Promise((resolve) => setTimeout(resolve, SIPP_START_MS));
      const call = await hotdesk.trunks.spare.call(first.extension);
      const left = answersMailbox(hotdesk, 'user-busy');
      await call.answered;
      await call.hangUp();
      await left;
    },
  },
  {
    file: 'cancel-at-once',
    title: 'CANCEL before anything rings',
    dial: OUTSIDE,
    before: async ({ hotdesk }) => {
      await hotdesk.seat(first.extension, PHONES.reception);
      hotdesk.trunks.main.onCall((call) => void call.ring());
    },
  },
  {
    file: 'mwi-subscribed',
    among: 'lamps',
    title: 'message-summary: a phone that subscribes',
    phone: PHONES.leeds,
    before: async (stage) => {
      await stage.hotdesk.seat(leeds.extension, PHONES.leeds);
      await leaveMessages(stage, leeds.extension);
    },
  },
  {
    file: 'mwi-unsolicited',
    among: 'lamps',
    title: 'message-summary: a phone that does not subscribe',
    before: async (stage) => {
      await stage.hotdesk.seat(first.extension, PHONES.reception);
      await succeeds(stage.sipp({ file: 'register' }));
    },
    beside: async (stage) => {
      await new Promise((resolve) => setTimeout(resolve, SIPP_START_MS));
      await leaveMessages(stage, first.extension);
    },
  },
];

/** SIPp that is called needs a moment to be there. */
const SIPP_START_MS = 700;

/** Who must sit at the reception phone afterwards. */
function sits(extension: string | undefined): (stage: Stage) => Promise<void> {
  return ({ hotdesk }) => hotdesk.expectGuest(PHONES.reception, extension);
}

/** The mailbox of 1001 answers on the main trunk, and is told why. */
async function answersMailbox({ trunks }: Hotdesk, reason: string): Promise<void> {
  const box = await trunks.main.nextCall();
  const header = box.invite.header('Diversion');
  expectEqual(userOf(box.invite.requestUri), SERVICES.voicemail);
  expectEqual(`${userOf(header)} ${/;reason=([a-z-]+)/.exec(header)?.[1]}`, `${first.extension} ${reason}`);
  await box.accept();
  await box.ended;
}

/** The PBX tells of two new messages and an old one. */
async function leaveMessages({ hotdesk }: Stage, extension: string): Promise<void> {
  const pbx = await FakePbx.open('127.0.0.2');
  const server = hotdesk.sip.udp;
  pbx.wire.aim(server);
  expectEqual(await pbx.tell(extension, bodyOf(extension, 0, 0), { server }), 200);
  expectEqual(await pbx.tell(extension, bodyOf(extension, 2, 1), { server }), 200);
  await pbx.close();
}

/** A phone nobody has to be logged in at, and that has no password to show. */
async function callsForHelp({ sipp }: Stage): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, SIPP_START_MS));
  await succeeds(sipp({ file: 'a3-emergency-when-free', dial: '999' }));
}

function expectEqual(found: unknown, wanted: unknown): void {
  if (found !== wanted) throw new Error(`expected ${String(wanted)}, found ${String(found)}`);
}

async function succeeds(run: Promise<string | undefined>): Promise<void> {
  const problem = await run;
  if (problem !== undefined) throw new Error(problem);
}
