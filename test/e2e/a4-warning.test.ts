import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { deadlineAt, endIn } from '../support/deadline.ts';
import { PEOPLE, PHONES } from '../support/demo.ts';
import type { Phone } from '../support/phone.ts';
import type { IncomingCall } from '../support/phone-call.ts';
import { useHotdesk } from '../support/suite.ts';
import { within } from '../support/wait.ts';

/** Issue "Expiry": some minutes before the log-out the phone rings, and who presses 1 stays. */

const hotdesk = useHotdesk();
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const HOST = PHONES.reception;

afterEach(() => patchCompany({ expiryWarningMinutes: 5, associationLimit: 12 }));

test('who answers and presses 1 stays for as long as if they had just come', async () => {
  const phone = await seatedUntil(4 * MINUTE);
  const call = await phone.nextCall(8000);
  expect(call.invite.header('From')).toMatch(/^"Hot desk" </);
  await call.accept();
  await call.heard('log-out-in');
  await call.heard('digit-4');
  await call.heard('press-one-to-stay');
  await call.digits('1');
  await call.heard('staying');
  await endedByUs(call);
  const deadline = await deadlineAt(hotdesk(), HOST);
  expect(deadline! - Date.now()).toBeGreaterThan(12 * HOUR - MINUTE);
  expect(await hotdesk().guestAt(HOST)).toBe(PEOPLE.first.extension);
});

test('staying begins a limit by the rules as they are now', async () => {
  const phone = await seatedUntil(4 * MINUTE);
  await patchCompany({ associationLimit: 1 });
  const call = await phone.nextCall(8000);
  await call.accept();
  await call.heard('log-out-in');
  await call.infoDigits('1', { type: 'application/dtmf-relay' });
  await call.heard('staying');
  await endedByUs(call);
  const left = (await deadlineAt(hotdesk(), HOST))! - Date.now();
  expect(left).toBeGreaterThan(HOUR - MINUTE);
  expect(left).toBeLessThanOrEqual(HOUR);
});

test('who hangs up goes when it was said, and is not rung again', async () => {
  const phone = await seatedUntil(3 * MINUTE);
  const deadline = await deadlineAt(hotdesk(), HOST);
  const call = await phone.nextCall(8000);
  await call.accept();
  await call.heard('log-out-in');
  await call.hangUp();
  await sleep(5000);
  expect(phone.received('INVITE')).toHaveLength(1);
  expect(await deadlineAt(hotdesk(), HOST)).toBe(deadline);
});

test('a phone that says it is busy shows a text', async () => {
  const phone = await seatedUntil(4 * MINUTE);
  const call = await phone.nextCall(8000);
  await call.reject(486);
  await textAt(phone);
});

test('in a call: a text at once, the question afterwards', async () => {
  const phone = await seated();
  const call = await phone.call('01632960500');
  const far = await hotdesk().trunks.main.nextCall();
  await far.accept();
  await call.answered;
  await endIn(hotdesk(), HOST, 4 * MINUTE);
  await textAt(phone);
  expect(phone.received('INVITE')).toEqual([]);
  await call.hears(far);
  await call.hangUp();
  const asked = await phone.nextCall(8000);
  await asked.accept();
  await asked.heard('press-one-to-stay');
  await asked.hangUp();
});

test('the warning stops ringing when the person logs out', async () => {
  const phone = await seatedUntil(4 * MINUTE);
  const call = await phone.nextCall(8000);
  await call.ring();
  const answer = await hotdesk().api(`/api/v1/hosts/${HOST}/association`, { method: 'DELETE' });
  expect(answer.status).toBe(204);
  await endedByUs(call);
});

test('nobody is warned where the company wants none', async () => {
  await patchCompany({ expiryWarningMinutes: 0 });
  const phone = await seatedUntil(4 * MINUTE);
  await sleep(5000);
  expect([...phone.received('INVITE'), ...phone.received('MESSAGE')]).toEqual([]);
});

test('999 while the warning rings goes out at once, and the ringing stops', async () => {
  const phone = await seatedUntil(4 * MINUTE);
  const warning = await phone.nextCall(8000);
  await warning.ring();
  await emergencyGoesOut(phone);
  await endedByUs(warning);
  // Not again after that.
  await sleep(4000);
  expect(phone.received('INVITE')).toHaveLength(1);
});

test('999 while the warning talks goes out at once, and the talking ends', async () => {
  const phone = await seatedUntil(4 * MINUTE);
  const warning = await phone.nextCall(8000);
  await warning.accept();
  await warning.heard('log-out-in');
  await emergencyGoesOut(phone);
  await endedByUs(warning);
});

test.each(['999', '112'])('%s typed while the warning talks goes out on that call', async (number) => {
  const phone = await seatedUntil(4 * MINUTE);
  const warning = await phone.nextCall(8000);
  await warning.accept();
  await warning.heard('log-out-in');
  await warning.digits(number);
  const psap = await hotdesk().trunks.emergency.nextCall();
  await psap.accept();
  await warning.hears(psap);
  await psap.hears(warning);
  await warning.hangUp();
});

test('a phone in an emergency call is not disturbed, then or after it', async () => {
  const phone = await seated();
  const call = await phone.call('999');
  const psap = await hotdesk().trunks.emergency.nextCall();
  await psap.accept();
  await call.answered;
  await endIn(hotdesk(), HOST, 4 * MINUTE);
  await sleep(4000);
  await call.hangUp();
  await sleep(3000);
  expect([...phone.received('INVITE'), ...phone.received('MESSAGE')]).toEqual([]);
});

async function seated(): Promise<Phone> {
  await hotdesk().seat(PEOPLE.first.extension, HOST);
  return hotdesk().phone(HOST);
}

async function seatedUntil(ms: number): Promise<Phone> {
  const phone = await seated();
  await endIn(hotdesk(), HOST, ms);
  return phone;
}

async function textAt(phone: Phone): Promise<void> {
  await expect.poll(() => phone.received('MESSAGE').length, { timeout: 8000 }).toBe(1);
  const [text] = phone.received('MESSAGE');
  expect(text?.body).toBe('You will be logged out of this phone in 4 minutes.');
  expect(text?.header('Content-Type')).toMatch(/^text\/plain/);
}

async function emergencyGoesOut(phone: Phone): Promise<void> {
  const call = await phone.call('999');
  const psap = await hotdesk().trunks.emergency.nextCall(1000);
  await psap.accept();
  await call.answered;
  await call.hears(psap);
  await call.hangUp();
}

/** The server's BYE or CANCEL. */
async function endedByUs(call: IncomingCall): Promise<void> {
  expect((await within(12_000, 'the end of the warning', call.ended)).by).toBe('them');
}

async function patchCompany(json: object): Promise<void> {
  expect((await hotdesk().api('/api/v1/company', { method: 'PATCH', json })).status).toBe(200);
}
