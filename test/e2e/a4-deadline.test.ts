import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { deadlineAt, endIn } from '../support/deadline.ts';
import { PEOPLE, PHONES } from '../support/demo.ts';
import { useHotdesk } from '../support/suite.ts';

/** Rule A4 at the deadline and around it: calls, edited limits, idleness. */

const hotdesk = useHotdesk({ voicemail: false });
const HOUR = 3_600_000;
const HOST = PHONES.reception;

test('a call made a second before the deadline goes on after it; the next is refused, 999 is not', async () => {
  await hotdesk().seat(PEOPLE.first.extension, HOST);
  const phone = await hotdesk().phone(HOST);
  const deadline = await endIn(hotdesk(), HOST, 5_000);
  await sleep(deadline - 1_000 - Date.now());
  const call = await phone.call('01632960500');
  const far = await hotdesk().trunks.main.nextCall();
  await far.ring();
  // Dialled before, answered after.
  await sleep(deadline + 200 - Date.now());
  await far.accept();
  await call.answered;
  await call.hears(far);

  const emergency = await phone.call('999');
  const psap = await hotdesk().trunks.emergency.nextCall(1000);
  await psap.accept();
  await emergency.answered;
  await emergency.hears(psap);
  await emergency.hangUp();

  const next = await phone.call('01632960500');
  await next.heard('phone-free');
  await next.hangUp();
  await hotdesk().expectGuest(HOST, undefined);
  await far.hears(call);
  await call.hangUp();
});

test('a call to the guest a moment after the deadline does not ring the phone', async () => {
  const { numbers } = await hotdesk().user(PEOPLE.first.extension);
  await hotdesk().seat(PEOPLE.first.extension, HOST);
  const phone = await hotdesk().phone(HOST);
  const deadline = await endIn(hotdesk(), HOST, 4_000);
  await sleep(deadline + 20 - Date.now());
  const call = await hotdesk().trunks.main.call(numbers[0]!);
  await expect(call.answered).rejects.toThrow();
  expect(phone.received('INVITE')).toEqual([]);
});

test('an edited limit holds for the next log-in, not for who is in', async () => {
  await patchCompany({ associationLimit: 12 });
  await hotdesk().seat(PEOPLE.first.extension, HOST);
  const before = await deadlineAt(hotdesk(), HOST);
  await patchCompany({ associationLimit: 1 });
  await hotdesk().seat(PEOPLE.second.extension, PHONES.window);
  expect(await deadlineAt(hotdesk(), HOST)).toBe(before);
  const next = (await deadlineAt(hotdesk(), PHONES.window))!;
  expect(next - Date.now()).toBeLessThanOrEqual(HOUR);
  await patchCompany({ associationLimit: 12 });
  expect(await deadlineAt(hotdesk(), PHONES.window)).toBe(next);
});

test.each(['out', 'in', 'to the emergency services'])('idleness starts anew with a call %s', async (way) => {
  await patchCompany({ idleLimitMinutes: 5 });
  try {
    await hotdesk().seat(PEOPLE.first.extension, HOST);
    const phone = await hotdesk().phone(HOST);
    const { numbers } = await hotdesk().user(PEOPLE.first.extension);
    const { main, emergency } = hotdesk().trunks;
    const before = (await deadlineAt(hotdesk(), HOST))!;
    expect(before - Date.now()).toBeLessThanOrEqual(300_000);
    await sleep(1_000);
    const from = way === 'in' ? main : phone;
    const to = { out: main, in: phone }[way] ?? emergency;
    const call = await from.call({ out: '01632960500', in: numbers[0]! }[way] ?? '999');
    const far = await to.nextCall();
    await far.accept();
    await call.answered;
    await expect.poll(() => deadlineAt(hotdesk(), HOST)).toBeGreaterThan(before + 900);
    await call.hangUp();
  } finally {
    await patchCompany({ idleLimitMinutes: null });
  }
});

async function patchCompany(json: object): Promise<void> {
  expect((await hotdesk().api('/api/v1/company', { method: 'PATCH', json })).status).toBe(200);
}
