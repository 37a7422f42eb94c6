import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { PEOPLE, PHONES } from '../support/demo.ts';
import { ADMIN_TOKEN, type Hotdesk, startHotdesk } from '../support/hotdesk.ts';
import { MailServer, mailBody, mailHeader, type ReceivedMail, SilentServer } from '../support/mail-server.ts';
import type { Phone } from '../support/phone.ts';
import { eventually } from '../support/wait.ts';
import { WebhookReceiver } from '../support/webhook-receiver.ts';

/** Design section 7: people are told at the same moment, and never in the way. */

const GUARD = 'guard@example.com';
const COMPANY = 'security@example.com';
const PASSWORD = 'correct-horse-battery';
const FROM = 'Hot desk <hotdesk@example.com>';
const SUBJECT = 'EMERGENCY CALL 999 from Reception desk, Ground floor, Reception, 10 Example Street, London';

/** Whom London tells: a guard by mail, the window desk and the second person by text. */
async function nameContacts(hotdesk: Hotdesk): Promise<void> {
  const { body } = await hotdesk.api('/api/v1/directory');
  const directory = parse(String(body));
  directory.sites.london.emergencyContacts = {
    emails: [GUARD],
    phones: [PHONES.window, PEOPLE.second.extension],
  };
  const answer = await fetch(`${hotdesk.http}/api/v1/directory`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/yaml' },
    body: stringify(directory),
  });
  expect(answer.status, await answer.text()).toBeLessThan(300);
}

/** ms from the INVITE on the wire to the INVITE at the emergency trunk; the call is answered and ends. */
async function emergencyCall(hotdesk: Hotdesk, phone: Phone): Promise<number> {
  const call = await phone.call('999');
  const psap = await hotdesk.trunks.emergency.nextCall(2_000);
  const sent = phone.wire.trace.findLast(
    ({ direction, message }) => direction === 'out' && message.method === 'INVITE',
  );
  const got = hotdesk.trunks.emergency.wire.trace.findLast(
    ({ direction, message }) => direction === 'in' && message.method === 'INVITE',
  );
  await psap.accept();
  await call.answered;
  await call.hears(psap);
  await call.hangUp();
  return (got?.at ?? Number.NaN) - (sent?.at ?? Number.NaN);
}

describe('people are told', () => {
  let mail: MailServer;
  let hotdesk: Hotdesk;

  beforeAll(async () => {
    mail = new MailServer({ credentials: { username: 'hotdesk', password: PASSWORD } });
    const smtp = { host: '127.0.0.1', port: await mail.start(), tls: 'none', from: FROM, to: [COMPANY] };
    hotdesk = await startHotdesk({
      settings: { smtp: { ...smtp, username: 'hotdesk', password: PASSWORD } },
      trunkTimeout: 1,
    });
    await nameContacts(hotdesk);
  });
  beforeEach(() => {
    mail.mails.length = 0;
  });
  afterEach(() => hotdesk.tidy());
  afterAll(async () => {
    await hotdesk.stop();
    await mail.stop();
  });

  const nextMail = (subject: string): Promise<ReceivedMail> =>
    eventually(`a mail "${subject}"`, () =>
      mail.mails.find((each) => mailHeader(each, 'Subject').startsWith(subject)),
    );
  const textAt = (phone: Phone): Promise<string> =>
    eventually('a text', () => phone.received('MESSAGE').at(-1)?.body);

  async function placedInLog(): Promise<number> {
    const { body } = await hotdesk.api('/api/v1/audit?kind=emergency.placed');
    return body.entries?.length ?? -1;
  }

  test('by mail, by text, by webhook and by the API, while the call is up', async () => {
    const receiver = new WebhookReceiver();
    await addWebhook(hotdesk, receiver);
    await hotdesk.seat(PEOPLE.first.extension, PHONES.reception);
    const reception = await hotdesk.phone(PHONES.reception);
    const window = await hotdesk.phone(PHONES.window);
    const own = await hotdesk.phone(PHONES.own);

    const call = await reception.call('999');
    const psap = await hotdesk.trunks.emergency.nextCall();

    const got = await nextMail('EMERGENCY CALL 999');
    expect(mailHeader(got, 'Subject')).toBe(SUBJECT);
    expect([...got.to].sort()).toEqual([GUARD, COMPANY]);
    expect(got.user).toBe('hotdesk');
    const body = mailBody(got);
    for (const fact of [
      `Phone:       Reception desk (${PHONES.reception})`,
      'Where:       Ground floor, Reception',
      'Address:     Hotdesk Demo, 10 Example Street, London, EC1A 1AA, GB',
      'Call back:   +442079460111',
      'Person:      Amelia Clarke, extension 1001',
      'Dialled:     999',
    ])
      expect(body).toContain(fact);
    expect(body).toMatch(/Time: {8}\w+day \d+ \w+ \d{4}, \d\d:\d\d:\d\d \(Europe\/London, UTC\+0[01]:00\)/);

    for (const phone of [window, own]) {
      const text = await textAt(phone);
      expect(text.startsWith(`${SUBJECT}. Call back +442079460111. Amelia Clarke, extension 1001.`)).toBe(
        true,
      );
    }

    await psap.accept();
    await call.answered;
    await call.hangUp();
    await eventually(
      'the webhook events',
      () => receiver.types.filter((type) => type.startsWith('emergency.')).length >= 2,
    );
    const [placed] = receiver.events.filter(({ message }) => message.type === 'emergency.placed');
    expect(placed).toMatchObject({
      isGenuine: true,
      message: {
        data: { number: '999', host: PHONES.reception, guest: '1001', callbackNumber: '+442079460111' },
      },
    });
    expect(receiver.types).toContain('emergency.answered');

    const { emergencies, complete } = await eventually('all told', async () => {
      const { body: list } = await hotdesk.api('/api/v1/emergencies');
      return list.emergencies[0]?.notices.every(({ state }: { state: string }) => state === 'told') && list;
    });
    expect(complete).toBe(true);
    expect(emergencies[0]).toMatchObject({
      ...{ number: '999', open: true, host: { id: PHONES.reception }, guest: { extension: '1001' } },
      stages: [{ stage: 'placed' }, { stage: 'answered' }],
    });
    expect(
      emergencies[0].notices.map(({ channel, to }: Record<string, string>) => `${channel} ${to}`).sort(),
    ).toEqual([`email ${GUARD}`, `email ${COMPANY}`, 'message 1002', `message ${PHONES.window}`]);
    expect(mail.mails).toHaveLength(1);
    expect(reception.received('MESSAGE')).toEqual([]);
    expect(hotdesk.log.text).not.toContain(PASSWORD);
    await receiver.stop();
  });

  test('that no trunk took the call', async () => {
    for (const trunk of Object.values(hotdesk.trunks)) trunk.onCall((call) => void call.reject(500));
    const phone = await hotdesk.phone(PHONES.reception);
    const window = await hotdesk.phone(PHONES.window);
    const call = await phone.call('999');
    const failed = await nextMail('EMERGENCY CALL 999 FAILED from Reception desk');
    expect(mailBody(failed)).toContain('NO TRUNK TOOK THE CALL');
    expect(mailHeader(failed, 'In-Reply-To')).toMatch(/\.placed@example\.com>$/);
    await eventually('a text of it', () =>
      /FAILED.*NO TRUNK TOOK/.test(window.received('MESSAGE').at(-1)?.body ?? ''),
    );
    await call.hangUp();
  });

  test.each(['frozen', 'killed'] as const)('while the store is %s, and once when it is back', async (how) => {
    const phone = await hotdesk.phone(PHONES.reception);
    const window = await hotdesk.phone(PHONES.window);
    const before = await placedInLog();
    if (how === 'frozen') await hotdesk.redis.freeze();
    else await hotdesk.redis.kill9();
    try {
      const ms = await emergencyCall(hotdesk, phone);
      expect(ms).toBeLessThan(250);
      await nextMail(SUBJECT);
      await textAt(window);
      const { body } = await hotdesk.api('/api/v1/emergencies');
      expect(body.emergencies[0]).toMatchObject({ open: true, host: { id: PHONES.reception } });
      expect(body.emergencies[0].notices.some(({ state }: { state: string }) => state === 'told')).toBe(true);
    } finally {
      if (how === 'frozen') await hotdesk.redis.thaw();
      else await hotdesk.redis.restart();
    }
    await eventually('the store is back', async () => (await hotdesk.api('/readyz')).status === 200, 15_000);
    await eventually('the store knows', async () => (await placedInLog()) > before);
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    expect(mail.mails.filter((each) => mailHeader(each, 'Subject') === SUBJECT)).toHaveLength(1);
    expect(window.received('MESSAGE')).toHaveLength(1);
  });
});

describe('never in the way', () => {
  const CALLS = 12;

  /** Times of emergency calls in a row, with this mail server. */
  async function timesWith(port: number): Promise<{ times: number[]; log: string; states: string[] }> {
    const smtp = { host: '127.0.0.1', port, tls: 'none', from: FROM, to: [COMPANY] };
    const hotdesk = await startHotdesk({
      settings: { smtp: { ...smtp, username: 'hotdesk', password: PASSWORD } },
    });
    try {
      await nameContacts(hotdesk);
      const phone = await hotdesk.phone(PHONES.reception);
      const times: number[] = [];
      for (let n = 0; n < CALLS; n++) times.push(await emergencyCall(hotdesk, phone));
      const { body } = await hotdesk.api('/api/v1/emergencies');
      const states = body.emergencies.flatMap(
        ({ notices }: { notices: { channel: string; state: string }[] }) =>
          notices.filter(({ channel }) => channel === 'email').map(({ state }) => state),
      );
      await hotdesk.tidy();
      return { times: times.sort((a, b) => a - b), log: hotdesk.log.text, states };
    } finally {
      await hotdesk.stop();
    }
  }

  function expectQuick({ times, log, states }: Awaited<ReturnType<typeof timesWith>>): void {
    expect(times).toHaveLength(CALLS);
    expect(times[CALLS / 2]).toBeLessThan(100);
    expect(times.at(-1)).toBeLessThan(250);
    expect(states.length).toBeGreaterThan(0);
    expect(new Set(states)).toEqual(new Set(['pending']));
    expect(log).not.toContain(PASSWORD);
    expect(log).not.toContain(Buffer.from(`\0hotdesk\0${PASSWORD}`).toString('base64'));
  }

  test('999 goes out at once with a mail server that accepts and never answers', async () => {
    const silent = new SilentServer();
    const port = await silent.start();
    expectQuick(await timesWith(port));
    expect(silent.connections).toBeGreaterThan(0);
    expect(silent.open).toBe(0);
    await silent.stop();
  });

  test('999 goes out at once with a mail server that takes no connection', async () => {
    const silent = new SilentServer();
    const port = await silent.start();
    await silent.stop();
    const result = await timesWith(port);
    expectQuick(result);
    expect(result.log).toContain('the mail server takes no connection (ECONNREFUSED)');
  });

  test('999 goes out at once with a mail server that refuses the login and repeats it', async () => {
    const mail = new MailServer({ credentials: { username: 'hotdesk', password: 'another' } });
    const port = await mail.start();
    const result = await timesWith(port);
    expectQuick(result);
    expect(result.log).toContain('the mail server refuses the login (EAUTH, 535)');
    expect(mail.mails).toEqual([]);
    await mail.stop();
  });
});

/** A webhook that is served: a new one begins at the end of the log, a moment later. */
async function addWebhook(hotdesk: Hotdesk, receiver: WebhookReceiver): Promise<void> {
  const url = await receiver.start();
  const { status, body } = await hotdesk.api('/api/v1/webhooks', { method: 'POST', json: { url } });
  expect(status).toBe(201);
  receiver.secret = body.secret;
  await eventually('the webhook is served', async () => {
    await hotdesk.api('/api/v1/users/1003/unlock', { method: 'POST' });
    return receiver.events.length > 0;
  });
}
