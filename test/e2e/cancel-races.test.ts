import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { PEOPLE, PHONES } from '../support/demo.ts';
import type { Phone } from '../support/phone.ts';
import { useHotdesk } from '../support/suite.ts';
import { eventually } from '../support/wait.ts';

/** A caller may give up at any moment; nothing stays behind on either side. */

const hotdesk = useHotdesk();
const OUTSIDE = '01632960500';

describe('CANCEL', () => {
  test('while it rings: 487 for the caller, CANCEL with a Reason for the far end', async () => {
    const phone = await atTheDesk();
    const call = await phone.call(OUTSIDE);
    const far = await hotdesk().trunks.main.nextCall();
    await far.ring();
    await call.cancel();
    expect(await call.ended).toMatchObject({ status: 487 });
    expect(await far.ended).toMatchObject({ by: 'them' });
    const [cancel] = hotdesk().trunks.main.received('CANCEL');
    expect(cancel?.header('Reason')).toMatch(/SIP;cause=\d+/);
  });

  test.each([0, 5, 20, 60])('%i ms after the INVITE: the far end is left in peace', async (wait) => {
    const phone = await atTheDesk();
    const { main } = hotdesk().trunks;
    main.onCall((call) => void call.ring());
    const call = await phone.call(OUTSIDE);
    await eventually('the INVITE with credentials', () => phone.sent('INVITE').length === 2);
    await sleep(wait);
    await call.cancel();
    expect(await call.ended).toMatchObject({ status: 487 });
    await eventually('every INVITE cancelled', () => balanced(main));
  });

  test('crossing the answer: the caller is out, the far end gets CANCEL or BYE', async () => {
    const phone = await atTheDesk();
    const call = await phone.call(OUTSIDE);
    const far = await hotdesk().trunks.main.nextCall();
    await far.ring();
    await Promise.allSettled([far.accept(), call.cancel()]);
    await call.ended;
    expect(await far.ended).toMatchObject({ by: 'them' });
  });

  test('of a call that rings at two phones: both stop', async () => {
    await hotdesk().seat(PEOPLE.first.extension, PHONES.reception);
    const phones = [await hotdesk().phone(PHONES.reception), await hotdesk().phone(PHONES.reception)];
    const call = await hotdesk().trunks.main.call(PEOPLE.first.extension);
    const ringing = await Promise.all(phones.map((phone) => phone.nextCall()));
    await Promise.all(ringing.map((one) => one.ring()));
    await call.cancel();
    const ends = await Promise.all(ringing.map((one) => one.ended));
    for (const end of ends) expect(end.reason).not.toMatch(/elsewhere/i);
  });
});

describe('hanging up', () => {
  test('a login at the very moment it is answered', async () => {
    const phone = await hotdesk().phone(PHONES.reception);
    const call = await phone.call('*90');
    await call.answered;
    await call.hangUp();
    const again = await phone.call('*90');
    await again.heard('enter-extension');
    await again.hangUp();
  });

  test('both sides at once: nobody waits', async () => {
    const phone = await atTheDesk();
    const call = await phone.call(OUTSIDE);
    const far = await hotdesk().trunks.main.nextCall();
    await far.accept();
    await call.answered;
    await Promise.allSettled([call.hangUp(), far.hangUp()]);
    await Promise.all([call.ended, far.ended]);
  });
});

async function atTheDesk(): Promise<Phone> {
  await hotdesk().seat(PEOPLE.first.extension, PHONES.reception);
  return hotdesk().phone(PHONES.reception);
}

/** As many CANCELs or BYEs as INVITEs. */
function balanced(trunk: Phone): boolean {
  const ended = trunk.received('CANCEL').length + trunk.received('BYE').length;
  return ended >= new Set(trunk.received('INVITE').map((invite) => invite.header('Call-ID'))).size;
}
