import { describe, expect, test } from 'vitest';
import type { Account, ApiToken } from '../../../src/domain/account.ts';
import { isRefusal } from '../../../src/domain/reasons.ts';
import { digestSecrets } from '../../../src/services/digest-secrets.ts';
import { EditsWhileFree } from '../../../src/services/edits-while-free.ts';
import { tagOf } from '../../../src/services/entry-tag.ts';
import { type NewPerson, People } from '../../../src/services/people.ts';
import { type NewPhone, Phones } from '../../../src/services/phones.ts';
import { Registrar } from '../../../src/services/registrar.ts';
import { Removals } from '../../../src/services/removals.ts';
import { Sites } from '../../../src/services/sites.ts';
import { host, site } from '../domain/example.ts';
import { ACTOR, guestOffice } from './guest-office.ts';

/** People, phones and sites that come, go and change hands (A6, A7). */

const by = { actor: ACTOR };
const reason = (result: unknown) => (isRefusal(result) ? result.refused : undefined);
const { address } = host('d1');
const phone: NewPhone = {
  ...{ kind: 'commonArea', nickname: 'New desk', site: 'london', model: 'VVX 411', mac: '0004f2aaaaaa' },
  ...{ expansionModule: false, enabled: true, accessLevel: 'company', address },
};
const person: NewPerson = {
  ...{ extension: '1010', name: 'Nia New', site: 'london', numbers: ['+442079461010'], plan: 'connect' },
  ...{ callerId: '+442079461010', hotDeskLicence: false, addOns: [] },
};

async function office() {
  const made = await guestOffice();
  const { harness, view, service: directory } = made;
  const { store, log, random } = harness;
  const removals = new Removals({ store, directory, view, random, log });
  const edits = new EditsWhileFree({ store, directory, view, random, log });
  const bytes = (count: number) => new Uint8Array(count).fill(7);
  const limits = { minExpires: 60, defaultExpires: 3600, maxExpires: 3600, maxContacts: 5 };
  const registrar = new Registrar({ store, view, timers: harness.clock, log, limits });
  return {
    ...made,
    registrar,
    people: new People({ directory, removals, log }),
    phones: new Phones({ ...{ directory, edits, removals, registrar, view, realm: 'test', bytes, log } }),
    sites: new Sites({ directory, log }),
  };
}

describe('people', () => {
  test('come, and go', async () => {
    const { people, userNow } = await office();
    expect(await people.add(person, ACTOR)).toMatchObject({ extension: '1010', passcodeOneTime: false });
    expect(userNow('1010')).toMatchObject(person);
    expect(reason(await people.add(person, ACTOR))).toBe('alreadyExists');
    expect(await people.remove('1010', by)).toBe('done');
    expect(userNow('1010')).toBeUndefined();
    expect(reason(await people.remove('1010', by))).toBe('unknownUser');
  });

  test('nobody gets a number, a site or a licence that is not there for them', async () => {
    const { people, userNow, service } = await office();
    const taken = { ...person, numbers: [...(userNow('1001')?.numbers ?? [])] };
    expect(await people.add(taken, ACTOR)).toMatchObject({
      problems: [expect.stringMatching(/^user:1010\.numbers: .* of 1001 already$/)],
    });
    expect(reason(await people.add({ ...person, site: 'atlantis' }, ACTOR))).toBe('invalidDirectory');
    await service.updateCompany({ hotDeskLicences: 3 }, ACTOR);
    const licensed = { ...person, hotDeskLicence: true };
    expect(reason(await people.add(licensed, ACTOR))).toBe('licencesUsedUp');
  });

  test('who is logged in goes only when that is asked for, and who has a phone not at all', async () => {
    const { people, hotDesk, seats } = await office();
    await hotDesk.associate({ host: 'u1002', extension: '1003', ...by });
    expect(reason(await people.remove('1003', by))).toBe('associationRunning');
    expect(await people.remove('1003', { ...by, release: true })).toBe('done');
    expect(await seats()).toEqual([]);
    expect(await people.remove('1002', { ...by, release: true })).toMatchObject({
      refused: 'inUse',
      detail: expect.stringContaining('u1002'),
    });
  });
});

test('the log keeps what people were called, whoever has their extension next', async () => {
  const { people, hotDesk, store, userNow } = await office();
  const name = userNow('1003')?.name;
  await hotDesk.associate({ host: 'd1', extension: '1003', ...by });
  await people.remove('1003', { ...by, release: true });
  await people.add({ ...person, extension: '1003' }, ACTOR);
  const told = store.log.flatMap((event) => ('association' in event ? [event.association.names] : []));
  expect(told).toEqual([1, 2].map(() => ({ guest: name, host: host('d1').nickname })));
  expect(userNow('1003')?.name).toBe('Nia New');
});

describe('phones', () => {
  test('a new one has a password nobody is told again', async () => {
    const { phones, hostNow, harness } = await office();
    const added = await phones.add(phone, ACTOR);
    if (isRefusal(added)) throw new Error(added.detail);
    const { sipPassword } = added;
    expect(sipPassword.length).toBeGreaterThanOrEqual(24);
    expect(hostNow('cp0004f2aaaaaa')?.digest).toEqual(digestSecrets('cp0004f2aaaaaa', 'test', sipPassword));
    expect(JSON.stringify(harness.log.lines)).not.toContain(sipPassword);
    expect(reason(await phones.add(phone, ACTOR))).toBe('alreadyExists');
    expect(reason(await phones.add({ ...phone, id: 'other' }, ACTOR))).toBe('invalidDirectory');
  });

  test.each([
    ['no address (A6)', { address: { ...address, postcode: 'nowhere' } }],
    ['no owner', { kind: 'user' as const, id: 'u9' }],
    ['an owner nobody knows', { kind: 'user' as const, owner: '1777' }],
    ['no name', { mac: undefined }],
  ])('%s: refused', async (_, differs) => {
    const { phones } = await office();
    expect(reason(await phones.add({ ...phone, ...differs }, ACTOR))).toBe('invalidDirectory');
  });

  describe('a new one by the name of one that was removed', () => {
    const contact = { contacts: [{ uri: 'sip:old@x' }], callId: 'c', cseq: 1, path: [], userAgent: '' };
    const from = { protocol: 'udp', address: '192.0.2.1', port: 5060 } as const;

    /** The phone is registered, then removed: it stays plugged in. */
    async function removed() {
      const made = await office();
      await made.phones.add(phone, ACTOR);
      await made.registrar.register('cp0004f2aaaaaa', { ...contact, flow: from });
      expect(await made.phones.remove('cp0004f2aaaaaa', by)).toBe('done');
      return made;
    }

    test('is not registered by the other, and was never seen', async () => {
      const { phones, view, harness } = await removed();
      expect(view.bindingsOf('cp0004f2aaaaaa')).toHaveLength(1);
      expect(isRefusal(await phones.add(phone, ACTOR))).toBe(false);
      expect(view.bindingsOf('cp0004f2aaaaaa')).toEqual([]);
      expect((await harness.store.snapshot()).bindings.get('cp0004f2aaaaaa')?.bindings ?? []).toEqual([]);
      expect(view.lastSeenAt('cp0004f2aaaaaa')).toBeUndefined();
    });

    test('comes also when the other cannot be forgotten', async () => {
      const { phones, harness } = await removed();
      harness.store.writeBindings = () => Promise.reject(new Error('broken'));
      expect(isRefusal(await phones.add(phone, ACTOR))).toBe(false);
      expect(harness.log.level('error')).toHaveLength(1);
    });

    test('one that is there keeps its registrations when it is asked for once more', async () => {
      const { phones, registrar, view } = await office();
      await phones.add(phone, ACTOR);
      await registrar.register('cp0004f2aaaaaa', { ...contact, flow: from });
      expect(reason(await phones.add(phone, ACTOR))).toBe('alreadyExists');
      expect(view.bindingsOf('cp0004f2aaaaaa')).toHaveLength(1);
    });
  });

  test('taken from its user, converted, and a desk for all (A7)', async () => {
    const { phones, hosts, hotDesk, hostNow, userNow, view } = await office();
    expect(reason(await phones.convert('u1002', { nickname: 'x', address }, by))).toBe('wrongKind');
    const { numbers } = userNow('1002') ?? {};
    expect(await phones.unassign('u1002', address, by)).toMatchObject({ kind: 'commonArea', enabled: false });
    expect(hostNow('u1002')).toMatchObject({ reservedFor: '1002' });
    expect(hostNow('u1002')?.owner).toBeUndefined();
    expect(view.directory?.index.hostsOfOwner('1002')).toEqual([]);
    expect(userNow('1002')?.numbers).toEqual(numbers);
    expect(reason(await hotDesk.associate({ host: 'u1002', extension: '1001', ...by }))).toBe('hostDisabled');
    expect(reason(await hosts.change('u1002', { enabled: true }, by))).toBe('invalidDirectory');
    expect(reason(await phones.unassign('u1002', address, by))).toBe('wrongKind');
    const bad = { ...address, city: '' };
    expect(reason(await phones.convert('u1002', { nickname: 'Hot', address: bad }, by))).toBe(
      'invalidDirectory',
    );
    await phones.convert('u1002', { nickname: 'Hot', address }, by);
    expect(hostNow('u1002')).toMatchObject({ kind: 'commonArea', nickname: 'Hot', enabled: true });
    expect(hostNow('u1002')?.reservedFor).toBeUndefined();
    expect(isRefusal(await hotDesk.associate({ host: 'u1002', extension: '1001', ...by }))).toBe(false);
    expect(reason(await phones.remove('u1002', by))).toBe('associationRunning');
    expect(await phones.remove('u1002', { ...by, release: true })).toBe('done');
  });

  test('given to a person: theirs, no host yet, its address confirmed (A6, B2)', async () => {
    const { phones, hosts, hotDesk, hostNow, view } = await office();
    const given = { owner: '1001', address };
    expect(reason(await phones.assign('u1002', given, by))).toBe('wrongKind');
    await phones.unassign('u1002', address, by);
    expect(reason(await phones.assign('u1002', { ...given, owner: '1777' }, by))).toBe('unknownUser');
    const bad = { ...given, address: { ...address, city: '' } };
    expect(reason(await phones.assign('u1002', bad, by))).toBe('invalidDirectory');
    expect(hostNow('u1002')).toMatchObject({ kind: 'commonArea', reservedFor: '1002' });
    const old = { ...by, ifTag: 'another' };
    expect(reason(await phones.assign('u1002', given, old))).toBe('changedMeanwhile');
    const nickname = 'Of 1001';
    expect(await phones.assign('u1002', { ...given, nickname }, by)).toMatchObject({ nickname });
    expect(hostNow('u1002')).toMatchObject({ kind: 'user', owner: '1001', enabled: false });
    expect(hostNow('u1002')?.reservedFor).toBeUndefined();
    expect(view.directory?.index.hostsOfOwner('1001').map(({ id }) => id)).toContain('u1002');
    expect(reason(await hotDesk.associate({ host: 'u1002', extension: '1003', ...by }))).toBe('hostDisabled');
    expect(isRefusal(await hosts.change('u1002', { enabled: true }, by))).toBe(false);
  });

  test('a common area phone is given to nobody while somebody sits there', async () => {
    const { phones, hotDesk, hostNow, view } = await office();
    await hotDesk.associate({ host: 'd1', extension: '1001', ...by });
    const given = { owner: '1002', address };
    expect(reason(await phones.assign('d1', given, by))).toBe('associationRunning');
    expect(hostNow('d1')?.owner).toBeUndefined();
    expect(await phones.assign('d1', given, { ...by, release: true })).toMatchObject({ owner: '1002' });
    expect(view.associationAt('d1')).toBeUndefined();
  });

  test('what would log out one person logs out nobody who has come since', async () => {
    const { phones, hosts, hotDesk, hostNow, seats, view } = await office();
    const sits = async (id: string, extension: string) => {
      await hotDesk.associateGuest({ host: id, extension });
      return { ...by, release: true, generation: view.associationAt(id)?.generation };
    };
    const before = await sits('u1002', '1003');
    await hotDesk.release({ host: 'u1002', ...by });
    const now = await sits('u1002', '1001');
    const changes = [
      () => phones.unassign('u1002', address, before),
      () => phones.remove('u1002', before),
      () => hosts.change('u1002', { enabled: false }, before),
    ];
    for (const change of changes) expect(reason(await change())).toBe('changedMeanwhile');
    expect([await seats(), hostNow('u1002')?.owner, hostNow('u1002')?.enabled]).toEqual([
      ['1001@u1002'],
      '1002',
      true,
    ]);
    expect(isRefusal(await phones.unassign('u1002', address, now))).toBe(false);
    const there = await sits('d1', '1003');
    const given = { owner: '1002', address };
    const old = { ...there, generation: before.generation };
    expect(reason(await phones.assign('d1', given, old))).toBe('changedMeanwhile');
    expect(reason(await phones.remove('d1', old))).toBe('changedMeanwhile');
    expect(await phones.remove('d1', there)).toBe('done');
    expect([await seats(), hostNow('d1')]).toEqual([[], undefined]);
  });

  test('is not taken from under a guest, and is kept for nobody who is gone', async () => {
    const { phones, people, hotDesk, hostNow } = await office();
    await hotDesk.associate({ host: 'u1002', extension: '1003', ...by });
    expect(reason(await phones.unassign('u1002', address, by))).toBe('associationRunning');
    expect(isRefusal(await phones.unassign('u1002', address, { ...by, release: true }))).toBe(false);
    expect(await people.remove('1002', by)).toBe('done');
    expect(hostNow('u1002')?.reservedFor).toBeUndefined();
  });
});

test('sites: come, change, and go when nobody is there', async () => {
  const { sites, view } = await office();
  const london = view.directory?.sites.get('london');
  if (!london) throw new Error('no site');
  expect(await sites.add({ ...london, id: 'york', name: 'York' }, ACTOR)).toMatchObject({ id: 'york' });
  expect(reason(await sites.add({ ...london, id: 'york' }, ACTOR))).toBe('alreadyExists');
  expect(await sites.change('york', { dailyLogOut: '19:30' }, by)).toMatchObject({ dailyLogOut: '19:30' });
  expect(reason(await sites.change('york', { timeZone: 'Moon/Base' }, by))).toBe('invalidDirectory');
  const contacts = { emails: [], phones: ['nobody'] };
  expect(reason(await sites.change('york', { emergencyContacts: contacts }, by))).toBe('invalidDirectory');
  expect(reason(await sites.remove('london', by))).toBe('inUse');
  expect(await sites.remove('york', by)).toBe('done');
  expect(reason(await sites.remove('york', by))).toBe('unknownSite');
});

test('an edit of what has changed since it was read is refused, whoever edits', async () => {
  const { hosts, guests, addOns, service, phones, sites, hostNow, userNow, view } = await office();
  const [d1, user, site] = [hostNow('d1'), userNow('1001'), view.directory?.sites.get('london')];
  if (!d1 || !user || !site) throw new Error('not there');
  const old = { ...by, ifTag: tagOf(d1) };
  expect(isRefusal(await hosts.change('d1', { nickname: 'Other' }, old))).toBe(false);
  expect(reason(await hosts.change('d1', { nickname: 'Third' }, old))).toBe('changedMeanwhile');
  expect(hostNow('d1')?.nickname).toBe('Other');
  expect(reason(await phones.remove('d1', old))).toBe('changedMeanwhile');
  expect(reason(await guests.change('1001', { enabled: false }, old))).toBe('changedMeanwhile');
  expect(reason(await addOns.assign('1001', { addOns: [] }, old))).toBe('changedMeanwhile');
  expect(reason(await service.updateUser('1001', (one) => one, old))).toBe('changedMeanwhile');
  expect(reason(await sites.remove('london', old))).toBe('changedMeanwhile');
  const now = { ...by, ifTag: tagOf(user) };
  expect(isRefusal(await addOns.assign('1001', { details: { name: 'New Name' } }, now))).toBe(false);
  expect(userNow('1001')?.name).toBe('New Name');
});

test('the tag does not tell of what nobody reads, nor of the order things were written in', () => {
  const one = host('d1');
  const { id, ...rest } = one;
  expect(tagOf({ ...rest, id })).toBe(tagOf(one));
  expect(tagOf({ ...one, location: { network: '192.0.2.0/24', verified: true } })).toBe(tagOf(one));
  expect(tagOf({ ...one, callbackNumber: undefined })).toBe(tagOf(one));
  expect(tagOf({ ...one, nickname: 'other' })).not.toBe(tagOf(one));
});

describe('a site that goes', () => {
  const york = site('york');
  const account = (id: string, at: readonly string[]): Account => ({
    ...{ id, email: `${id}@example.com`, name: id, disabled: false },
    ...{ role: 'siteAdministrator', sites: at },
  });
  const token: ApiToken = {
    ...{ id: 't', name: 'clock', scopes: ['read'], sites: ['york'], hash: 'ab'.repeat(32) },
    ...{ createdBy: ACTOR, createdAt: 0 },
  };

  async function staffed() {
    const made = await office();
    const { service, view, sites } = made;
    await sites.add(york, ACTOR);
    const staff = [account('both', ['london', 'york']), account('york-only', ['york'])];
    await service.editDirectory(
      () => ({
        put: [
          ...staff.map((value) => ({ kind: 'account', value }) as const),
          { kind: 'token', value: token } as const,
        ],
      }),
      ACTOR,
    );
    const rights = () => [
      view.directory?.accounts.get('both')?.sites,
      view.directory?.accounts.get('york-only')?.sites,
      view.directory?.tokens.get('t')?.sites,
    ];
    return { ...made, rights };
  }

  test('takes the rights to it along: another of that name is another site', async () => {
    const { sites, rights } = await staffed();
    expect(rights()).toEqual([['london', 'york'], ['york'], ['york']]);
    expect(await sites.remove('york', by)).toBe('done');
    expect(rights()).toEqual([['london'], [], []]);
    await sites.add(york, ACTOR);
    expect(rights()).toEqual([['london'], [], []]);
  });

  test('by an import as well', async () => {
    const { service, rights } = await staffed();
    const yaml = await service.exportYaml();
    const without = String(yaml).replace(/^ {2}york:\n( {4}.*\n)*/m, '');
    expect(without).not.toBe(yaml);
    expect(await service.importYaml(without, by)).toMatchObject({ written: true });
    expect(rights()).toEqual([['london'], [], []]);
  });

  test('in a change of many portions brings nobody back who is removed meanwhile', async () => {
    const { service, store, rights } = await staffed();
    const many = Array.from({ length: 2_000 }, (_, i) => ({ kind: 'site', value: site(`s${i}`) }) as const);
    const write = store.writeDirectory.bind(store);
    store.writeDirectory = async (first) => {
      store.writeDirectory = write;
      const written = await write(first);
      await write({ put: new Map(), remove: ['account:york-only'], actor: 'somebody else' });
      return written;
    };
    const edit = { put: many, remove: [{ kind: 'site', id: 'york' } as const] };
    expect(await service.editDirectory(() => edit, ACTOR)).toBe('done');
    expect(rights()).toEqual([['london'], undefined, []]);
  });

  test('leaves nothing to who kept a right to it from before that was so', async () => {
    const { store, sites, rights, harness } = await staffed();
    await store.writeDirectory({ put: new Map(), remove: ['site:york'], actor: 'an older node' });
    await harness.follow();
    expect(rights()[1]).toEqual(['york']);
    await sites.add(york, ACTOR);
    expect(rights()).toEqual([['london'], [], []]);
  });
});
