import { afterEach, describe, expect, test } from 'vitest';
import { PEOPLE, PHONES } from '../support/demo.ts';
import { endedByServer, logInByHand } from '../support/log-in.ts';
import { useHotdesk } from '../support/suite.ts';
import { eventually } from '../support/wait.ts';

/** Without the store nobody logs in or out, and calls go on with what was last known. */

const hotdesk = useHotdesk();
const { first, leeds } = PEOPLE;

afterEach(async () => {
  await hotdesk().redis.thaw();
  await storeIs(true);
});

describe.each(['frozen', 'killed'] as const)('the store is %s', (how) => {
  test('calls out, calls in and registrations go on; a login is refused with a spoken reason', async () => {
    await hotdesk().seat(first.extension, PHONES.reception);
    const phone = await hotdesk().phone(PHONES.reception);
    const free = await hotdesk().phone(PHONES.window);
    await takeAway(how);
    try {
      const out = await phone.call('01632960500');
      const far = await hotdesk().trunks.main.nextCall();
      await far.accept();
      await out.answered;
      await out.hangUp();

      const into = await hotdesk().trunks.main.call(first.extension);
      await (await phone.nextCall()).accept();
      await into.answered;
      await into.hangUp();

      expect((await phone.register()).status).toBe(200);

      const logIn = await logInByHand(free, leeds);
      await logIn.heard('service-problem', 10_000);
      expect((await endedByServer(logIn)).reason).toContain('cause=503');
    } finally {
      await giveBack(how);
    }
    const again = await logInByHand(free, leeds);
    await again.heard('logged-in-as', 10_000);
  });
});

test.each(['frozen', 'killed'] as const)(
  'a log-out while the store is %s holds at once, and ever after',
  async (how) => {
    await hotdesk().seat(first.extension, PHONES.reception);
    const phone = await hotdesk().phone(PHONES.reception);
    await takeAway(how);
    try {
      const call = await phone.call('*91');
      await call.heard('logged-out-as', 10_000);
      await endedByServer(call);
      expect(await hotdesk().guestAt(PHONES.reception)).toBeUndefined();
      const refused = await phone.call('01632960500');
      await refused.heard('phone-free');
      await endedByServer(refused);
      await (await phone.call('*91')).heard('service-problem', 10_000);
    } finally {
      await giveBack(how);
    }
    const inStore = (): Promise<number> => hotdesk().redis.client().hexists('hd:{demo}:b', PHONES.reception);
    await eventually('the store told', async () => (await inStore()) === 0);
    expect(await hotdesk().guestAt(PHONES.reception)).toBeUndefined();
  },
);

test('a login that was confirmed is there after kill -9 of the store', async () => {
  const phone = await hotdesk().phone(PHONES.reception);
  const call = await logInByHand(phone, first);
  await call.heard('logged-in-as');
  await hotdesk().redis.kill9();
  await hotdesk().redis.restart();
  await storeIs(true);
  expect(await hotdesk().redis.client().hexists('hd:{demo}:b', PHONES.reception)).toBe(1);
  expect(await hotdesk().guestAt(PHONES.reception)).toBe(first.extension);
});

async function takeAway(how: 'frozen' | 'killed'): Promise<void> {
  if (how === 'frozen') await hotdesk().redis.freeze();
  else await hotdesk().redis.kill9();
}

async function giveBack(how: 'frozen' | 'killed'): Promise<void> {
  if (how === 'frozen') await hotdesk().redis.thaw();
  else await hotdesk().redis.restart();
  await storeIs(true);
}

async function storeIs(ready: boolean): Promise<void> {
  const ask = async (): Promise<boolean> => ((await hotdesk().api('/readyz')).status === 200) === ready;
  await eventually(`the store ${ready ? 'back' : 'away'}`, ask, 15_000);
}
