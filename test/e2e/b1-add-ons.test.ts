import { expect, test } from 'vitest';
import { useAdministrator } from '../support/administrator.ts';
import { PEOPLE, PHONES } from '../support/demo.ts';
import { useHotdesk } from '../support/suite.ts';

/** Rules A7 and B1: host and guest are add-ons, of which a company has so many; one person may hold both. */

const hotdesk = useHotdesk();
const admin = useAdministrator(hotdesk);
const { first, second, leeds, unlicensed } = PEOPLE;

test('B1: who has no guest add-on is offered no host and gets none', async () => {
  expect(await admin.connect(unlicensed.extension, PHONES.own)).toMatchObject({
    status: 403,
    body: { reason: 'notLicensed' },
  });
  expect(await admin.get(`/users/${unlicensed.extension}/hosts`)).toMatchObject({ status: 403 });
  // With a licence for common area phones those are offered, and no others.
  expect(await admin.offered(second.extension)).toEqual([PHONES.reception, PHONES.window, PHONES.leeds]);
  expect(await admin.connect(second.extension, PHONES.ownLeeds)).toMatchObject({ status: 403 });
});

test('B1: with the add-on the same person is offered the host, and gets it', async () => {
  await admin.must(admin.change(`/users/${unlicensed.extension}`, { addOns: ['guest'] }));
  await admin.must(admin.change(`/users/${unlicensed.extension}/guest`, { associationLimitHours: 8 }));
  expect(await admin.offered(unlicensed.extension)).toEqual([PHONES.own]);
  await admin.must(admin.connect(unlicensed.extension, PHONES.own));
  await hotdesk().expectGuest(PHONES.own, unlicensed.extension);
});

test('B1: a phone whose owner has no host add-on takes nobody', async () => {
  await admin.must(admin.change(`/users/${second.extension}`, { addOns: [] }));
  expect(await admin.offered(leeds.extension)).not.toContain(PHONES.own);
  expect(await admin.connect(leeds.extension, PHONES.own)).toMatchObject({
    status: 409,
    body: { reason: 'hostDisabled' },
  });
});

test('B1: one person may be host and guest at once', async () => {
  const { body } = await admin.must(
    admin.change(`/users/${second.extension}`, { addOns: ['guest', 'host'] }),
  );
  expect(body.addOns).toEqual(['host', 'guest']);
  await admin.must(admin.connect(leeds.extension, PHONES.own));
  await hotdesk().seat(second.extension, PHONES.reception);
  expect(await hotdesk().guestAt(PHONES.own)).toBe(leeds.extension);
});

test.each([
  ['of the guest', leeds.extension],
  ['of the owner', second.extension],
])('B1: an add-on in use (%s) is not taken away, or after a release', async (_whose, extension) => {
  await admin.must(admin.connect(leeds.extension, PHONES.own));
  const refused = await admin.change(`/users/${extension}`, { addOns: [] });
  expect(refused).toMatchObject({ status: 409, body: { reason: 'associationRunning' } });
  expect(refused.body.detail).toContain(PHONES.own);
  expect((await admin.get(`/users/${extension}`)).body.addOns).toHaveLength(1);
  expect(await hotdesk().guestAt(PHONES.own)).toBe(leeds.extension);

  const { body } = await admin.must(admin.change(`/users/${extension}`, { addOns: [], release: true }));
  expect(body.addOns).toEqual([]);
  expect(await hotdesk().guestAt(PHONES.own)).toBeUndefined();
});

test('A7: the licence of somebody at a common area phone is not taken away, or after a release', async () => {
  await hotdesk().seat(first.extension, PHONES.reception);
  const take = (release: boolean) =>
    admin.change(`/users/${first.extension}`, { hotDeskLicence: false, release });
  expect(await take(false)).toMatchObject({ status: 409, body: { reason: 'associationRunning' } });
  expect((await take(true)).body).toMatchObject({ hotDeskLicence: false, association: null });
  expect(await admin.connect(first.extension, PHONES.reception)).toMatchObject({
    body: { reason: 'notLicensed' },
  });
});

test('B1: licences are counted, and nobody gets one beyond', async () => {
  const licences = async () => (await admin.get('/company/licences')).body;
  expect(await licences()).toEqual({
    hotDesk: { total: 5, assigned: 3, available: 2 },
    host: { total: 3, assigned: 2, available: 1 },
    guest: { total: 3, assigned: 2, available: 1 },
  });
  await admin.must(admin.change(`/users/${leeds.extension}`, { addOns: ['host', 'guest'] }));
  expect((await licences()).host).toEqual({ total: 3, assigned: 3, available: 0 });

  const oneMore = () => admin.change(`/users/${unlicensed.extension}`, { addOns: ['host'] });
  expect(await oneMore()).toMatchObject({
    status: 409,
    body: { reason: 'licencesUsedUp', detail: '3 of 3 host add-ons are assigned' },
  });
  expect((await admin.get(`/users/${unlicensed.extension}`)).body.addOns).toEqual([]);
  // Fewer than are assigned cannot be had; one more, and there is one more.
  expect(await admin.change('/company', { addOnLicences: { host: 2 } })).toMatchObject({
    status: 422,
    body: {
      errors: [{ path: 'body.addOnLicences.host', message: 'has 2, but 3 people hold the host add-on' }],
    },
  });
  await admin.must(admin.change('/company', { addOnLicences: { host: 4 } }));
  expect((await oneMore()).status).toBe(200);
  expect(await licences()).toMatchObject({ host: { total: 4, available: 0 }, guest: { total: 3 } });
});

test('B1: two administrators give the last one at the same moment: one of them can', async () => {
  const give = ({ extension }: { extension: string }) =>
    admin.change(`/users/${extension}`, { addOns: ['host'] });
  await admin.must(admin.change('/company', { addOnLicences: { host: 3 } }));
  const answers = await Promise.all([give(unlicensed), give({ extension: leeds.extension })]);
  expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 409]);
  expect((await admin.get('/company/licences')).body.host.assigned).toBe(3);
});
