import { describe, expect, test } from 'vitest';
import { PEOPLE, PHONES, SERVICES } from '../support/demo.ts';
import { editDirectory } from '../support/directory-edit.ts';
import type { Hotdesk } from '../support/hotdesk.ts';
import type { Phone } from '../support/phone.ts';
import type { IncomingCall } from '../support/phone-call.ts';
import { userOf } from '../support/sip-text.ts';
import { useHotdesk } from '../support/suite.ts';

/** Voicemail and diversion: RFC 5806, RFC 7044, RFC 4458. */

const { first, second, leeds } = PEOPLE;
const CALLER = { user: '+441632960777', name: 'Caller' };
const BUSY = 486;

/** How the trunk sees that a call is for the mailbox of 1001, and why it came. */
const FORMS = {
  diversion: (call: IncomingCall) => {
    const header = call.invite.header('Diversion');
    return { number: userOf(call.invite.requestUri), mailbox: userOf(header), why: wordIn(header) };
  },
  'history-info': (call: IncomingCall) => {
    const [before = '', now = ''] = call.invite.header('History-Info').split(', ');
    expect(now).toMatch(/^<sip:8001@127\.0\.0\.2:\d+;transport=udp(;cause=\d+)?>;index=1\.1;mp=1$/);
    expect(before).toMatch(/;index=1$/);
    return { number: userOf(now), mailbox: userOf(before), why: /cause%3D(\d+)/.exec(before)?.[1] ?? '' };
  },
  'request-uri': (call: IncomingCall) => {
    const uri = call.invite.requestUri;
    const target = /;target=sip:(\d+)%40hotdesk\.example/.exec(uri)?.[1];
    return { number: userOf(uri), mailbox: target, why: /;cause=(\d+)/.exec(uri)?.[1] ?? '' };
  },
} as const;

const BUSY_IS: Record<keyof typeof FORMS, string> = {
  diversion: 'user-busy',
  'history-info': '486',
  'request-uri': '486',
};
const OWN_IS: Record<keyof typeof FORMS, string> = {
  diversion: 'unknown',
  'history-info': '',
  'request-uri': '',
};

function wordIn(diversion: string): string {
  return /;reason=([a-z-]+)/.exec(diversion)?.[1] ?? '';
}

function shows(call: IncomingCall, number: string): void {
  expect(userOf(call.invite.header('From'))).toBe(number);
  expect(userOf(call.invite.header('P-Asserted-Identity'))).toBe(number);
}

async function busyAt(hotdesk: Hotdesk, host: string): Promise<Phone> {
  const phone = await hotdesk.phone(host);
  phone.onCall((call) => void call.reject(BUSY));
  return phone;
}

describe.each(Object.keys(FORMS) as (keyof typeof FORMS)[])('a trunk that looks at %s', (identify) => {
  const hotdesk = useHotdesk({ trunkSettings: { main: { voicemail: { identify } } } });

  test('one’s own messages, from the phone one sits at', async () => {
    await hotdesk().seat(first.extension, PHONES.reception);
    const phone = await hotdesk().phone(PHONES.reception);
    const call = await phone.call(SERVICES.voicemail);
    const box = await hotdesk().trunks.main.nextCall();
    shows(box, first.extension);
    const found = FORMS[identify](box);
    expect(found).toEqual({ number: '8001', mailbox: first.extension, why: OWN_IS[identify] });
    await box.accept();
    await call.answered;
    await call.hears(box);
    await call.hangUp();
  });

  test('a call nobody takes, from its caller, to the mailbox of whom it was for', async () => {
    await hotdesk().seat(first.extension, PHONES.reception);
    await busyAt(hotdesk(), PHONES.reception);
    const call = await hotdesk().trunks.spare.call(first.extension, { from: CALLER });
    const box = await hotdesk().trunks.main.nextCall();
    shows(box, CALLER.user);
    const found = FORMS[identify](box);
    expect(found).toEqual({ number: '8001', mailbox: first.extension, why: BUSY_IS[identify] });
    await box.accept();
    await call.answered;
    await box.hangUp();
    await call.ended;
  });
});

describe('a trunk that knows mailboxes by From and number alone', () => {
  const voicemail = { identify: 'from', number: '5999' };
  const hotdesk = useHotdesk({ trunkSettings: { main: { voicemail } } });

  test('one’s own messages come by From, calls left go to the number of the mailbox', async () => {
    await hotdesk().seat(first.extension, PHONES.reception);
    const phone = await busyAt(hotdesk(), PHONES.reception);
    const own = await phone.call(SERVICES.voicemail);
    const box = await hotdesk().trunks.main.nextCall();
    shows(box, first.extension);
    expect(userOf(box.invite.requestUri)).toBe('5999');
    await box.reject(BUSY);
    await own.ended;
    await hotdesk().trunks.spare.call(first.extension, { from: CALLER });
    const left = await hotdesk().trunks.main.nextCall();
    shows(left, CALLER.user);
    expect(userOf(left.invite.requestUri)).toBe(first.extension);
    expect(left.invite.header('Diversion')).toBe('');
    await left.reject(BUSY);
  });
});

describe('with nothing said of voicemail', () => {
  const hotdesk = useHotdesk();
  let undo: (() => Promise<void>) | undefined;

  /** Sends calls on as these people want it; for one test. */
  async function forwarding(wishes: Record<string, object>, work: () => Promise<void>): Promise<void> {
    undo = await editDirectory(hotdesk(), ({ users }) => {
      for (const [extension, forwarding] of Object.entries(wishes)) users[extension].forwarding = forwarding;
    });
    try {
      await work();
    } finally {
      await undo();
    }
  }

  test('the first ordinary trunk has the mailboxes, a mailbox may have a name of its own', async () => {
    const restore = await editDirectory(hotdesk(), ({ users }) => {
      users[first.extension].mailbox = 'm.clarke';
    });
    await hotdesk().seat(first.extension, PHONES.reception);
    const phone = await hotdesk().phone(PHONES.reception);
    await phone.call(SERVICES.voicemail);
    const box = await hotdesk().trunks.main.nextCall();
    shows(box, 'm.clarke');
    expect(userOf(box.invite.header('Diversion'))).toBe('m.clarke');
    await box.reject(BUSY);
    await restore();
  });

  test('a person without a phone is left a message at once', async () => {
    const call = await hotdesk().trunks.spare.call(leeds.extension, { from: CALLER });
    const box = await hotdesk().trunks.main.nextCall();
    expect(wordIn(box.invite.header('Diversion'))).toBe('unavailable');
    await box.accept();
    await call.answered;
    await call.hangUp();
  });

  test('all calls to a colleague, whose phone sees who sent them', async () => {
    await hotdesk().seat(first.extension, PHONES.reception);
    const phone = await hotdesk().phone(PHONES.reception);
    await forwarding({ [leeds.extension]: { always: first.extension } }, async () => {
      const call = await hotdesk().trunks.main.call(leeds.extension, { from: CALLER });
      const ringing = await phone.nextCall();
      expect(userOf(ringing.invite.header('From'))).toBe(CALLER.user);
      expect(ringing.invite.header('Diversion')).toBe(
        `<sip:${leeds.extension}@hotdesk.example>;reason=unconditional;counter=1;privacy=off`,
      );
      await ringing.accept();
      await call.answered;
      await call.hears(ringing);
      await call.hangUp();
    });
  });

  test('unanswered calls to an outside number; a colleague shows the number they show outside', async () => {
    await hotdesk().seat(first.extension, PHONES.reception);
    await hotdesk().seat(second.extension, PHONES.window);
    await busyAt(hotdesk(), PHONES.reception);
    const caller = await hotdesk().phone(PHONES.window);
    await forwarding({ [first.extension]: { unanswered: '01632960123' } }, async () => {
      const call = await caller.call(first.extension);
      const far = await hotdesk().trunks.main.nextCall();
      expect(userOf(far.invite.requestUri)).toBe('01632960123');
      shows(far, (await hotdesk().user(second.extension)).callerId);
      const header = far.invite.header('Diversion');
      expect([userOf(header), wordIn(header)]).toEqual(['+442079460101', 'user-busy']);
      await far.accept();
      await call.answered;
      await call.hears(far);
      await call.hangUp();
    });
  });

  test('of a call that was diverted before, all steps are told, and after five it goes no further', async () => {
    const header = (steps: number): string =>
      `Diversion: <sip:9@pbx.example>;reason=no-answer;counter=${steps}`;
    const four = await hotdesk().trunks.spare.call(leeds.extension, { extraHeaders: [header(4)] });
    const box = await hotdesk().trunks.main.nextCall();
    expect(box.invite.header('Diversion')).toMatch(
      /^<sip:1003@hotdesk\.example>;reason=unavailable;counter=1;privacy=off, <sip:9@pbx\.example>.*counter=4$/,
    );
    await box.reject(BUSY);
    expect((await four.ended).status).toBe(BUSY);
    const five = await hotdesk().trunks.spare.call(leeds.extension, { extraHeaders: [header(5)] });
    expect((await five.ended).status).toBe(480);
  });

  test('two who send their calls to each other: the call ends', async () => {
    await hotdesk().seat(first.extension, PHONES.reception);
    const phone = await hotdesk().phone(PHONES.reception);
    const wishes = {
      [first.extension]: { always: leeds.extension },
      [leeds.extension]: { always: first.extension },
    };
    await forwarding(wishes, async () => {
      const call = await hotdesk().trunks.main.call(first.extension);
      expect((await call.ended).status).toBe(480);
      expect(phone.received('INVITE')).toEqual([]);
    });
  });

  test('a caller who gives up ends it wherever it is', async () => {
    const call = await hotdesk().trunks.spare.call(leeds.extension);
    const box = await hotdesk().trunks.main.nextCall();
    await box.ring();
    await call.cancel();
    expect((await box.ended).by).toBe('them');
    expect((await call.ended).status).toBe(487);
  });

  test('an emergency call is nobody’s to send on', async () => {
    await hotdesk().seat(first.extension, PHONES.reception);
    const phone = await hotdesk().phone(PHONES.reception);
    await forwarding({ [first.extension]: { always: leeds.extension } }, async () => {
      const call = await phone.call('999');
      const psap = await hotdesk().trunks.emergency.nextCall();
      expect(psap.invite.header('Diversion')).toBe('');
      await psap.accept();
      await call.answered;
      await call.hangUp();
      await psap.ended;
      // The desk is called back, whatever the person there has wished.
      const number = userOf(psap.invite.header('P-Asserted-Identity'));
      const back = await hotdesk().trunks.emergency.call(number);
      const ringing = await phone.nextCall();
      expect(ringing.invite.header('Diversion')).toBe('');
      await ringing.accept();
      await back.answered;
      await back.hangUp();
    });
  });
});
