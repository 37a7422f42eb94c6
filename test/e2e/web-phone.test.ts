import { afterEach, describe, expect, test } from 'vitest';
import { PEOPLE, PHONES, passwordOf } from '../support/demo.ts';
import { DOMAIN } from '../support/hotdesk.ts';
import { userOf } from '../support/sip-text.ts';
import { useHotdesk } from '../support/suite.ts';
import { WebPhone } from '../support/web-phone.ts';

/** Phones in browsers: SIP over WebSocket (RFC 7118) into the embedded engine. */

const listen = (['udp', 'tcp', 'ws'] as const).map((protocol) => ({ protocol, host: '127.0.0.1', port: 0 }));
// The phones here speak plain RTP, which no browser does.
const settings = { sip: { listen }, media: { webrtc: 'off' } };
const hotdesk = useHotdesk({ settings, voicemail: false });
const { first, second } = PEOPLE;
const open: WebPhone[] = [];

afterEach(async () => {
  for (const phone of open.splice(0)) {
    if (phone.registered) await phone.unregister().catch(() => undefined);
    await phone.close();
  }
});

async function webPhone(host: string, password = passwordOf(host)): Promise<WebPhone> {
  const server = hotdesk().sip.ws;
  if (!server) throw new Error('the server does not listen for WebSocket');
  const phone = await WebPhone.open({ server, domain: DOMAIN, user: host, password });
  open.push(phone);
  return phone;
}

async function registered(host: string): Promise<WebPhone> {
  const phone = await webPhone(host);
  expect((await phone.register()).status).toBe(200);
  return phone;
}

// A drachtio-server has addresses of its own, and the tests' listens on UDP and TCP.
describe.runIf(process.env.DRACHTIO_HOST === undefined)('a phone in a browser', () => {
  test('registers with its password, keeps its connection, and signs off', async () => {
    const phone = await webPhone(PHONES.window);
    const answer = await phone.register();
    expect(answer.status).toBe(200);
    expect(answer.header('Contact')).toContain(phone.contact);
    expect(phone.contact).toMatch(/\.invalid;transport=ws$/);
    await phone.keepAlive();
    expect((await phone.unregister()).status).toBe(200);
  });

  test('does not register with another password', async () => {
    const phone = await webPhone(PHONES.window, 'a guess');
    expect((await phone.register()).status).toBe(403);
  });

  test('is called by a phone on UDP, and either side hangs up', async () => {
    await hotdesk().seat(first.extension, PHONES.window);
    const web = await registered(PHONES.window);
    const desk = await hotdesk().phone(PHONES.own);
    for (const ends of ['the browser', 'the desk'] as const) {
      const call = await desk.call(first.extension);
      const ringing = await web.nextCall();
      expect(ringing.invite.requestUri).toBe(web.contact);
      expect(userOf(ringing.invite.header('From'))).toBe(second.extension);
      await ringing.ring();
      await ringing.accept();
      await call.answered;
      await ringing.hears(call);
      await call.hears(ringing);
      await (ends === 'the browser' ? ringing : call).hangUp();
      expect(await (ends === 'the browser' ? call : ringing).ended).toMatchObject({ by: 'them' });
    }
  });

  test('a caller that gives up stops it ringing', async () => {
    await hotdesk().seat(first.extension, PHONES.window);
    const web = await registered(PHONES.window);
    const call = await hotdesk().trunks.main.call(first.extension);
    const ringing = await web.nextCall();
    await ringing.ring();
    await call.cancel();
    await ringing.ended;
  });

  test('calls another phone and the world, is put on hold, and is hung up on', async () => {
    await hotdesk().seat(first.extension, PHONES.window);
    const web = await registered(PHONES.window);
    const desk = await hotdesk().phone(PHONES.own);
    const call = await web.call(second.extension);
    const ringing = await desk.nextCall();
    expect(userOf(ringing.invite.header('From'))).toBe(first.extension);
    await ringing.ring();
    await ringing.accept();
    await call.answered;
    await call.hears(ringing);
    expect((await ringing.hold()).status).toBe(200);
    expect(await call.remoteDirection()).toBe('sendonly');
    await ringing.hangUp();
    expect(await call.ended).toMatchObject({ by: 'them' });

    const outside = await web.call('01632960999');
    const trunk = await hotdesk().trunks.main.nextCall();
    await trunk.accept();
    await outside.answered;
    await outside.hangUp();
    expect(await trunk.ended).toMatchObject({ by: 'them' });
  });

  test('makes an emergency call with nobody on it', async () => {
    const web = await webPhone(PHONES.window);
    const call = await web.call('999');
    const psap = await hotdesk().trunks.emergency.nextCall();
    await psap.accept();
    await call.answered;
    await psap.hangUp();
    await call.ended;
  });

  test('two browsers call each other', async () => {
    await hotdesk().seat(first.extension, PHONES.window);
    const [one, other] = [await registered(PHONES.window), await registered(PHONES.own)];
    const call = await one.call(second.extension);
    const ringing = await other.nextCall();
    await ringing.accept();
    await call.answered;
    await call.hears(ringing);
    await ringing.hears(call);
    await call.hangUp();
    expect(await ringing.ended).toMatchObject({ by: 'them' });
  });
});

describe.runIf(process.env.DRACHTIO_HOST === undefined)('a browser that is gone', () => {
  test('is not reachable, and the caller is told at once', async () => {
    await hotdesk().seat(first.extension, PHONES.window);
    const web = await registered(PHONES.window);
    await web.vanish();
    const from = Date.now();
    const call = await hotdesk().trunks.main.call(first.extension);
    expect(await call.ended).toMatchObject({ status: 480 });
    expect(Date.now() - from).toBeLessThan(1_000);
  });

  test('in the middle of ringing is not reachable either', async () => {
    await hotdesk().seat(first.extension, PHONES.window);
    const web = await registered(PHONES.window);
    const call = await hotdesk().trunks.main.call(first.extension);
    await (await web.nextCall()).ring();
    await web.vanish();
    expect(await call.ended).toMatchObject({ status: 480 });
  });

  test('lets the other phones of the desk ring, and what they say is what the caller hears', async () => {
    await hotdesk().seat(first.extension, PHONES.window);
    const web = await registered(PHONES.window);
    const desk = await hotdesk().phone(PHONES.window);
    await web.vanish();
    const answered = await hotdesk().trunks.main.call(first.extension);
    const ringing = await desk.nextCall();
    await ringing.ring();
    await ringing.accept();
    await answered.answered;
    await answered.hangUp();
    const busy = await hotdesk().trunks.main.call(first.extension);
    await (await desk.nextCall()).reject(486);
    expect(await busy.ended).toMatchObject({ status: 486 });
  });

  test('and is opened again rings, at its new address', async () => {
    await hotdesk().seat(first.extension, PHONES.window);
    const before = await registered(PHONES.window);
    await before.vanish();
    const again = await registered(PHONES.window);
    expect(again.contact).not.toBe(before.contact);
    const call = await hotdesk().trunks.main.call(first.extension);
    await (await again.nextCall()).accept();
    await call.answered;
    await call.hangUp();
  });
});
