import { execFileSync } from 'node:child_process';
import { afterEach, expect, test } from 'vitest';
import { PEOPLE, PHONES, SERVICES } from '../support/demo.ts';
import type { RawMessage } from '../support/raw-sip-peer.ts';
import { Subscriber } from '../support/subscriber.ts';
import { useHotdesk } from '../support/suite.ts';
import { eventually } from '../support/wait.ts';

/** RFC 4235 on the wire: a key on somebody else's phone shows whether a person is on the phone, wherever they sit. */

const hotdesk = useHotdesk({ voicemail: false });
const { first, second, leeds } = PEOPLE;

const open: Subscriber[] = [];

afterEach(async () => {
  for (const one of open) await one.subscribe({ expires: 0 }).catch(() => undefined);
  await new Promise((resolve) => setTimeout(resolve, 300));
  await Promise.all(open.splice(0).map((one) => one.close()));
});

/** A key for this person on the phone in Leeds. */
async function key(resource: string): Promise<Subscriber> {
  const one = await Subscriber.open(hotdesk().sip.udp, { user: PHONES.leeds, event: 'dialog', resource });
  open.push(one);
  return one;
}

async function lamp(resource: string): Promise<Subscriber> {
  const one = await key(resource);
  expect((await one.subscribe()).status).toBe(200);
  await one.notified();
  return one;
}

/** Each dialog as `direction state`; the document is checked as well. */
function dialogsIn(notify: RawMessage | undefined): string[] {
  if (!notify) return ['nothing yet'];
  execFileSync('xmllint', ['--noout', '--nonet', '-'], { input: notify.body });
  const found = notify.body.matchAll(/<dialog id="\w+" direction="(\w+)">\s*<state>(\w+)<\/state>/g);
  return [...found].map(([, direction, state]) => `${direction} ${state}`);
}

async function shows(one: Subscriber, ...dialogs: string[]): Promise<RawMessage> {
  await eventually(`the lamp to show [${dialogs.join()}]`, () => {
    const shown = dialogsIn(one.notifies.at(-1));
    return shown.join() === dialogs.join();
  });
  return one.notifies.at(-1)!;
}

test('who may be watched: any extension or direct number; nobody else is there', async () => {
  const one = await key(first.extension);
  const answer = await one.subscribe({ expires: 600 });
  expect([answer.status, answer.header('Expires')]).toEqual([200, '600']);
  expect(answer.header('Allow-Events')).toMatch(/\bdialog\b/);
  const initial = await one.notified();
  expect(initial.header('Content-Type')).toBe('application/dialog-info+xml');
  expect(initial.body).toContain(`version="0" state="full" entity="sip:${first.extension}@hotdesk.example"`);
  expect(dialogsIn(initial)).toEqual([]);
  const { numbers } = await hotdesk().user(first.extension);
  expect((await (await key(numbers[0]!)).subscribe()).status).toBe(200);
  for (const nobody of ['1999', PHONES.reception])
    expect((await (await key(nobody)).subscribe({ expires: 600 })).status).toBe(404);
});

test('called, answered, hung up; at another desk the same', async () => {
  const [reception, window] = [await hotdesk().phone(PHONES.reception), await hotdesk().phone(PHONES.window)];
  const one = await lamp(first.extension);
  for (const [host, phone] of [
    [PHONES.reception, reception],
    [PHONES.window, window],
  ] as const) {
    await hotdesk().seat(first.extension, host);
    const call = await hotdesk().trunks.main.call(first.extension);
    const ringing = await phone.nextCall();
    await ringing.ring();
    await shows(one, 'recipient early');
    await ringing.accept();
    await call.answered;
    const notify = await shows(one, 'recipient confirmed');
    expect(notify.body).toMatch(/<remote><identity[^>]*>sip:/);
    // Whoever knows these can take the call over.
    expect(notify.body).not.toContain(ringing.invite.header('Call-ID'));
    await call.hangUp();
    await shows(one);
  }
  const versions = one.notifies.map(({ body }) => Number(/version="(\d+)"/.exec(body)?.[1]));
  expect(versions).toEqual(versions.map((_, index) => index));
});

test('a call left behind at the old desk is no longer theirs', async () => {
  const reception = await hotdesk().phone(PHONES.reception);
  await hotdesk().seat(first.extension, PHONES.reception);
  const one = await lamp(first.extension);
  const call = await reception.call('01632960500');
  const far = await hotdesk().trunks.main.nextCall();
  await far.ring();
  await shows(one, 'initiator early');
  await far.accept();
  await call.answered;
  await shows(one, 'initiator confirmed');
  await hotdesk().seat(first.extension, PHONES.window);
  await shows(one);
  await call.hangUp();
});

test('a guest at somebody’s own phone: the calls are the guest’s, and the owner’s again after', async () => {
  const own = await hotdesk().phone(PHONES.own);
  const guest = await lamp(leeds.extension);
  const owner = await lamp(second.extension);
  await hotdesk().seat(leeds.extension, PHONES.own);
  const call = await own.call('01632960500');
  await (await hotdesk().trunks.main.nextCall()).accept();
  await call.answered;
  await shows(guest, 'initiator confirmed');
  expect(dialogsIn(owner.notifies.at(-1))).toEqual([]);
  await hotdesk().api(`/api/v1/hosts/${PHONES.own}/association`, { method: 'DELETE' });
  await shows(owner, 'initiator confirmed');
  await shows(guest);
  await call.hangUp();
  await shows(owner);
});

test('an emergency call: busy, with nobody', async () => {
  const reception = await hotdesk().phone(PHONES.reception);
  await hotdesk().seat(first.extension, PHONES.reception);
  const one = await lamp(first.extension);
  const call = await reception.call('999');
  await (await hotdesk().trunks.emergency.nextCall()).accept();
  await call.answered;
  const notify = await shows(one, 'initiator confirmed');
  expect(notify.body).not.toContain('<remote>');
  // The dialog's id is random, and may hold these digits.
  expect(notify.body.replace(/ id="\w+"/, '')).not.toContain('999');
  await call.hangUp();
  await shows(one);
});

test('a menu counts as a call', async () => {
  const reception = await hotdesk().phone(PHONES.reception);
  await hotdesk().seat(first.extension, PHONES.reception);
  const one = await lamp(first.extension);
  const call = await reception.call(SERVICES.voicePortal);
  await call.answered;
  await shows(one, 'initiator confirmed');
  await call.hangUp();
  await shows(one);
});
