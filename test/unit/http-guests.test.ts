import { describe, expect, test } from 'vitest';
import type { Refusal } from '../../src/domain/reasons.ts';
import { VOICE_PORTAL_KEYS } from '../../src/domain/voice-portal.ts';
import { alice, association, directory, expectProblem, reception, request, world } from './http-world.ts';

/** Hosts, guests, add-ons and licences over HTTP: rules A7, B1–B3. */

const ALICE = '/api/v1/users/1001';
const admin = { actor: 'admin:api' };

describe('a user', () => {
  test('is told without passcode, hash or sealed secret: only that there are any', async () => {
    const { json } = await request('GET', ALICE);
    expect(json).toMatchObject({
      ...{
        hasPasscode: true,
        hotelingKeys: true,
        hotelingKeysReady: true,
        guestEnabled: true,
        mailbox: null,
      },
      forwarding: { always: null, unanswered: null },
    });
    expect(Object.keys(json)).not.toContain('passcodeHash');
    expect(Object.keys(json)).not.toContain('hotelingSecret');
  });

  test('gets and loses add-ons and licence (A7, B1)', async () => {
    const body = { addOns: ['host', 'guest'], hotDeskLicence: false };
    const answer = await request('PATCH', ALICE, { body });
    expect(answer).toMatchObject({ status: 200, json: body });
    await request('PATCH', ALICE, { body: { addOns: [], release: true } });
    expect(world.calls).toEqual([
      ['assign', '1001', body, { ...admin, release: false }],
      ['assign', '1001', { addOns: [] }, { ...admin, release: true }],
    ]);
  });

  test('gets Guest In keys and loses them', async () => {
    const on = await request('PATCH', ALICE, { body: { hotelingKeys: true } });
    expect(on).toMatchObject({ status: 200, json: { hotelingKeys: true } });
    const off = await request('PATCH', ALICE, { body: { hotelingKeys: false, hotDeskLicence: true } });
    expect(off).toMatchObject({ status: 200, json: { hotelingKeys: false } });
    expect(world.calls).toEqual([
      ['enableKeys', '1001', 'admin:api'],
      ['assign', '1001', { hotDeskLicence: true }, { ...admin, release: false }],
      ['disableKeys', '1001', 'admin:api'],
    ]);
  });

  test('whose licence is refused does not get the keys either', async () => {
    world.answer = { refused: 'licencesUsedUp' };
    const body = { hotelingKeys: true, hotDeskLicence: true };
    expectProblem(await request('PATCH', ALICE, { body }), 409);
    expect(world.calls).toEqual([['assign', '1001', { hotDeskLicence: true }, { ...admin, release: false }]]);
  });

  test.each<[Refusal, number]>([
    [{ refused: 'licencesUsedUp', detail: '3 of 3 guest add-ons are assigned' }, 409],
    [{ refused: 'associationRunning', detail: '1001 is logged in at u1002: release first' }, 409],
  ])('a refusal has its figures: %j', async (refusal, status) => {
    world.answer = refusal;
    const { refused: reason, detail } = refusal;
    const answer = await request('PATCH', ALICE, { body: { addOns: ['guest'] } });
    expectProblem(answer, status, { reason, detail });
  });

  test.each([
    {},
    { release: true },
    { addOns: ['desk'] },
    { addOns: null },
    { name: '' },
    { passcodeHash: 'x' },
  ])('refuses %j as a change', async (body) => {
    expectProblem(await request('PATCH', ALICE, { body }), 400);
    expect(world.calls).toEqual([]);
  });
});

describe('forwarding and mailbox', () => {
  test('what is not named stays, null clears', async () => {
    const forwarding = { always: '1002' };
    const set = await request('PATCH', `${ALICE}/calls`, { body: { mailbox: 'box1', forwarding } });
    expect(set).toMatchObject({
      status: 200,
      json: { mailbox: 'box1', forwarding: { always: '1002', unanswered: null }, name: alice.name },
    });
    const clear = { mailbox: null, forwarding: { always: null } };
    const cleared = await request('PATCH', `${ALICE}/calls`, { body: clear });
    expect(cleared.json).toMatchObject({ mailbox: null, forwarding: { always: null, unanswered: null } });
    expect(world.calls).toEqual([
      ['updateUser', '1001', admin],
      ['updateUser', '1001', admin],
    ]);
  });

  test('what clashes is named by its path in the body', async () => {
    world.answer = {
      ...{ refused: 'invalidDirectory', detail: 'x' },
      problems: ['user:1001.forwarding.always: is their own number'],
    };
    const answer = await request('PATCH', `${ALICE}/calls`, { body: { forwarding: { always: '1001' } } });
    const errors = [{ path: 'body.forwarding.always', message: 'is their own number' }];
    expectProblem(answer, 422, { reason: 'invalidDirectory', errors });
  });

  test.each([{}, { forwarding: null }, { forwarding: { busy: '1' } }, { mailbox: '' }])(
    'refuses %j',
    async (body) => {
      expectProblem(await request('PATCH', `${ALICE}/calls`, { body }), 400);
      expect(world.calls).toEqual([]);
    },
  );
});

describe('the guest service (B3)', () => {
  test('on, off, and a limit; null clears it', async () => {
    const change = (body: object) => request('PATCH', `${ALICE}/guest`, { body });
    expect((await change({ enabled: false })).status).toBe(200);
    await change({ associationLimitHours: 999 });
    await change({ associationLimitHours: null });
    expect(world.calls).toEqual([
      ['changeGuest', '1001', { enabled: false }, 'admin:api'],
      ['changeGuest', '1001', { associationLimitHours: 999 }, 'admin:api'],
      ['changeGuest', '1001', { associationLimitHours: undefined }, 'admin:api'],
    ]);
    expect(Object.keys((world.calls[2] as unknown[])[2] as object)).toEqual(['associationLimitHours']);
  });

  test.each([
    {},
    { associationLimitHours: 0 },
    { associationLimitHours: 1000 },
    { enabled: 'yes' },
    { host: 'x' },
  ])('refuses %j', async (body) => {
    expectProblem(await request('PATCH', `${ALICE}/guest`, { body }), 400);
    expect(world.calls).toEqual([]);
  });

  test('connects to a host and answers with the association just made', async () => {
    world.answer = { user: alice, association };
    const answer = await request('PUT', `${ALICE}/association`, { body: { host: reception.id } });
    expect(answer).toMatchObject({
      status: 200,
      json: { association: { host: { id: reception.id }, expiresAt: '2031-05-06T12:00:00.000Z' } },
    });
    expect(world.calls).toEqual([['connect', { extension: '1001', host: reception.id, ...admin }]]);
  });

  test('a limit above the host’s is refused with the figures', async () => {
    const detail = 'the host allows 8 h at most; the limit of the guest is 24 h';
    world.answer = { refused: 'limitTooLong', detail };
    const answer = await request('PUT', `${ALICE}/association`, { body: { host: 'u1002' } });
    expectProblem(answer, 409, { reason: 'limitTooLong', detail });
  });

  test('disconnects', async () => {
    expect(await request('DELETE', `${ALICE}/association`)).toMatchObject({ status: 204, text: '' });
    expect(world.calls).toEqual([['disconnect', { extension: '1001', ...admin }]]);
    world.answer = { refused: 'nobodyHere' };
    expectProblem(await request('DELETE', `${ALICE}/association`), 404, { reason: 'nobodyHere' });
  });

  test('somebody unknown', async () => {
    const bodies: Record<string, object> = {
      ...{ PATCH: { addOns: [] }, 'PATCH /guest': { enabled: true }, 'PATCH /calls': { mailbox: null } },
      ...{ 'PUT /association': { host: 'u1002' }, 'DELETE /association': {}, 'GET /hosts': {} },
    };
    for (const [route, body] of Object.entries(bodies)) {
      const [method = '', path = ''] = route.split(' ');
      const options = Object.keys(body).length > 0 ? { body } : {};
      const answer = await request(method, `/api/v1/users/9999${path}`, options);
      expectProblem(answer, 404, { reason: 'unknownUser' });
    }
    expect(world.calls).toEqual([]);
  });
});

describe('hosts a guest may use (B3)', () => {
  const read = (query = '') => request('GET', `${ALICE}/hosts${query}`);

  test('with name, number, site, limit, free or not', async () => {
    const { json } = await read();
    expect(json).toEqual({
      hosts: [
        {
          ...{ id: reception.id, kind: 'commonArea', nickname: 'Reception desk', owner: null },
          ...{ site: { id: 'london', name: 'London' }, limitHours: 12, free: true },
        },
      ],
      ...{ next: null, total: 1 },
    });
  });

  test('only those asked for', async () => {
    expect((await read('?free=false')).json).toMatchObject({ hosts: [], total: 0 });
    expect((await read('?q=rec&free=true&site=london')).json.total).toBe(1);
    expect((await read('?site=leeds')).json.total).toBe(0);
  });

  test('a cursor of nowhere, and odd queries', async () => {
    expectProblem(await read('?cursor=gone'), 400, { reason: 'invalidCursor' });
    for (const query of ['?limit=0', '?limit=1001', '?q=', '?free=yes', '?colour=red'])
      expectProblem(await read(query), 400);
  });
});

describe('a host', () => {
  test('is changed under an association only when that is asked for', async () => {
    world.answer = { refused: 'associationRunning', detail: '1001 is logged in at u1002: release first' };
    const change = (body: object) => request('PATCH', '/api/v1/hosts/u1002', { body });
    expectProblem(await change({ associationLimitHours: 4 }), 409, { reason: 'associationRunning' });
    world.answer = undefined;
    expect((await change({ associationLimitHours: 4, release: true })).status).toBe(200);
    expect(world.calls).toEqual([
      ['changeHost', 'u1002', { associationLimitHours: 4 }, { ...admin, release: false }],
      ['changeHost', 'u1002', { associationLimitHours: 4 }, { ...admin, release: true }],
    ]);
  });

  test('says whose it is', async () => {
    const { json } = await request('GET', '/api/v1/hosts/u1002');
    expect(json).toMatchObject({
      kind: 'user',
      owner: { extension: '1002', name: '' },
      associationLimitHours: 8,
    });
  });
});

describe('the company', () => {
  test('counts licences: total, assigned, available', async () => {
    expect((await request('GET', '/api/v1/company/licences')).json).toEqual({
      hotDesk: { total: 3, assigned: 1, available: 2 },
      host: { total: 5, assigned: 0, available: 5 },
      guest: { total: 5, assigned: 1, available: 4 },
    });
  });

  test('voice portal, voicemail, own phones and licences: what is not named stays', async () => {
    const hoteling = { associate: '5' };
    const body = {
      ...{ ringOwnPhone: { user: true }, addOnLicences: { guest: 9 }, voicemailNumber: '8001' },
      voicePortal: { number: '8000', keys: { hoteling } },
    };
    const answer = await request('PATCH', '/api/v1/company', { body });
    expect(answer).toMatchObject({
      status: 200,
      json: {
        ...{ ringOwnPhone: { commonArea: true, user: true }, addOnLicences: { host: 5, guest: 9 } },
        voicePortal: {
          number: '8000',
          keys: { ...VOICE_PORTAL_KEYS, hoteling: { ...VOICE_PORTAL_KEYS.hoteling, associate: '5' } },
        },
        voicemailNumber: '8001',
      },
    });
    await request('PATCH', '/api/v1/company', { body: { voicePortal: null, voicemailNumber: null } });
    expect(world.calls).toEqual([
      ['updateCompany', body, 'admin:api'],
      ['updateCompany', { voicePortal: undefined, voicemailNumber: undefined }, 'admin:api'],
    ]);
    expect(Object.keys((world.calls[1] as unknown[])[1] as object)).toHaveLength(2);
  });

  test('a clash is named by its path in the body', async () => {
    world.answer = {
      ...{ refused: 'invalidDirectory', detail: 'x' },
      problems: ['company.voicePortal.number: 1001 is an extension'],
    };
    const answer = await request('PATCH', '/api/v1/company', { body: { voicePortal: { number: '1001' } } });
    const errors = [{ path: 'body.voicePortal.number', message: '1001 is an extension' }];
    expectProblem(answer, 422, { reason: 'invalidDirectory', errors });
  });

  test('no licences are counted before the directory is known', async () => {
    world.view = { knowledge: 'unknown', directory };
    expectProblem(await request('GET', '/api/v1/company/licences'), 503, { reason: 'stateUnknown' });
  });
});
