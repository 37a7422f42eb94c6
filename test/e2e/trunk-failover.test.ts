import { expect, test } from 'vitest';
import { PEOPLE, PHONES } from '../support/demo.ts';
import type { Phone } from '../support/phone.ts';
import { useHotdesk } from '../support/suite.ts';

/** A trunk that is silent or broken leads to the next one; a person who is busy does not. */

const hotdesk = useHotdesk({ trunkTimeout: 2 });
const OUTSIDE = '01632960500';

test('the first trunk is silent: the second gets the call after the time-out', async () => {
  hotdesk().trunks.main.wire.deaf = () => true;
  const phone = await atTheDesk();
  const dialled = Date.now();
  const call = await phone.call(OUTSIDE);
  const far = await hotdesk().trunks.spare.nextCall();
  expect(Date.now() - dialled).toBeGreaterThan(1_900);
  await far.accept();
  await call.answered;
  await call.hangUp();
});

test.each([500, 503])('the first trunk answers %i: the second gets the call at once', async (status) => {
  hotdesk().trunks.main.onCall((call) => void call.reject(status));
  const phone = await atTheDesk();
  const call = await phone.call(OUTSIDE);
  const far = await hotdesk().trunks.spare.nextCall();
  const { main, spare } = hotdesk().trunks;
  const refused = main.wire.trace.find(({ message }) => message.status === status);
  const asked = spare.wire.trace.find(({ message }) => message.method === 'INVITE');
  expect((asked?.at ?? 0) - (refused?.at ?? 0)).toBeLessThan(900);
  await far.accept();
  await call.answered;
  await call.hangUp();
});

test('busy is busy: no other trunk is tried', async () => {
  const { main, spare } = hotdesk().trunks;
  main.onCall((call) => void call.reject(486));
  const phone = await atTheDesk();
  const call = await phone.call(OUTSIDE);
  expect(await call.ended).toMatchObject({ status: 486 });
  expect(spare.received('INVITE')).toEqual([]);
});

test('both trunks broken: the caller gets the last failure', async () => {
  const { main, spare } = hotdesk().trunks;
  for (const trunk of [main, spare]) trunk.onCall((call) => void call.reject(503));
  const phone = await atTheDesk();
  const call = await phone.call(OUTSIDE);
  expect(await call.ended).toMatchObject({ status: 503 });
});

test('a trunk that rings is not given up, however long nobody answers', async () => {
  const phone = await atTheDesk();
  const call = await phone.call(OUTSIDE);
  const far = await hotdesk().trunks.main.nextCall();
  await far.ring();
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  expect(hotdesk().trunks.spare.received('INVITE')).toEqual([]);
  await far.accept();
  await call.answered;
  await call.hangUp();
});

test('the caller gives up during the search: nothing more is tried', async () => {
  hotdesk().trunks.main.wire.deaf = () => true;
  const phone = await atTheDesk();
  const call = await phone.call(OUTSIDE);
  await new Promise((resolve) => setTimeout(resolve, 300));
  await call.cancel();
  expect(await call.ended).toMatchObject({ status: 487 });
  await new Promise((resolve) => setTimeout(resolve, 2_200));
  expect(hotdesk().trunks.spare.received('INVITE')).toEqual([]);
});

async function atTheDesk(): Promise<Phone> {
  await hotdesk().seat(PEOPLE.first.extension, PHONES.reception);
  return hotdesk().phone(PHONES.reception);
}
