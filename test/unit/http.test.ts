import { describe, expect, test } from 'vitest';
import type { Refusal } from '../../src/domain/reasons.ts';
import { REASONS } from '../../src/http/problem.ts';
import {
  alice,
  association,
  base,
  directory,
  expectProblem,
  reception,
  request,
  TOKEN,
  world,
} from './http-world.ts';

describe('company', () => {
  test('reads', async () => {
    expect((await request('GET', '/api/v1/company')).json).toEqual({
      ...directory.company,
      idleLimitMinutes: null,
      voicePortal: null,
      voicemailNumber: null,
    });
  });

  test('sets the association limit (A4)', async () => {
    const answer = await request('PATCH', '/api/v1/company', { body: { associationLimit: 'never' } });
    expect(answer).toMatchObject({ status: 200, json: { associationLimit: 'never' } });
    expect(world.calls).toEqual([['updateCompany', { associationLimit: 'never' }, 'admin:api']]);
  });

  test.each([
    { associationLimit: 5 },
    { associationLimit: '12' },
    { associationLimit: 12, name: 'x' },
    { idleLimitMinutes: 1 },
    { passcodeLength: { min: 3, max: 12 } },
    { addOnLicences: { host: -1 } },
    { addOnLicences: { desk: 1 } },
    { ringOwnPhone: true },
    { voicePortal: { keys: { hoteling: { associate: '22' } } } },
    { voicePortal: '8000' },
    { voicemailNumber: 8001 },
    {},
    null,
  ])('refuses %j and names the path', async (body) => {
    const answer = await request('PATCH', '/api/v1/company', { body });
    expectProblem(answer, 400);
    expect(answer.json.errors[0].path).toMatch(/^body/);
    expect(world.calls).toEqual([]);
  });
});

describe('hosts', () => {
  test('a free host, with its registration and without secrets', async () => {
    const answer = await request('GET', `/api/v1/hosts/${reception.id}`);
    expect(answer.json).toMatchObject({
      id: reception.id,
      nickname: 'Reception desk',
      owner: null,
      associationLimitHours: null,
      association: null,
      registered: true,
      lastSeenAt: '2031-05-06T00:00:00.000Z',
      bindings: [
        { userAgent: 'PolycomVVX-VVX_411-UA/5.9', protocol: 'udp', address: '192.0.2.7', port: 5060 },
      ],
    });
    expect(answer.json.digest).toBeUndefined();
  });

  test('a host somebody is at', async () => {
    world.association = association;
    expect((await request('GET', `/api/v1/hosts/${reception.id}`)).json.association).toEqual({
      guest: { extension: '1001', name: 'Alice Archer' },
      generation: 7,
      startedAt: '2031-05-06T00:00:00.000Z',
      expiresAt: '2031-05-06T12:00:00.000Z',
    });
  });

  test('all hosts, by id', async () => {
    const { hosts } = (await request('GET', '/api/v1/hosts')).json;
    expect(
      hosts.map(({ id, registered, owner }: Record<string, unknown>) => [id, registered, owner]),
    ).toEqual([
      ['cp0004f2000001', true, null],
      ['u1002', false, { extension: '1002', name: '' }],
    ]);
  });

  test('associates, and answers with the association just made', async () => {
    world.answer = { user: alice, association: { ...association, expiresAt: 'never' } };
    const answer = await request('PUT', `/api/v1/hosts/${reception.id}/association`, {
      body: { guest: '1001' },
    });
    expect(answer.status).toBe(200);
    expect(answer.json.association).toMatchObject({ guest: { extension: '1001' }, expiresAt: null });
    expect(world.calls).toEqual([
      ['associate', { host: reception.id, extension: '1001', actor: 'admin:api' }],
    ]);
  });

  test('releases', async () => {
    expect(await request('DELETE', `/api/v1/hosts/${reception.id}/association`)).toMatchObject({
      status: 204,
      text: '',
    });
    expect(world.calls).toEqual([['release', { host: reception.id, actor: 'admin:api' }]]);
  });

  test('releases the one association that is meant, or nobody (A5)', async () => {
    const path = `/api/v1/hosts/${reception.id}/association`;
    world.association = association;
    const { json } = await request('GET', `/api/v1/hosts/${reception.id}`);
    const meant = `${path}?generation=${json.association.generation}`;
    expect((await request('DELETE', meant)).status).toBe(204);
    expect(world.calls).toEqual([['release', { host: reception.id, actor: 'admin:api', generation: 7 }]]);
    world.answer = { refused: 'changedMeanwhile' } satisfies Refusal;
    expectProblem(await request('DELETE', meant), 412, { reason: 'changedMeanwhile' });
    // What cannot be read is not taken for "whoever is there".
    for (const bad of ['', '-1', 'seven', '7&generation=8'])
      expectProblem(await request('DELETE', `${path}?generation=${bad}`), 400);
    expectProblem(await request('DELETE', `${path}?guest=1001`), 400);
    expect(world.calls).toHaveLength(2);
  });

  test('a change that logs somebody out says whom it means', async () => {
    const path = `/api/v1/hosts/${reception.id}`;
    const { address } = reception;
    const meant = { release: true, generation: 7 };
    const told = { actor: 'admin:api', ...meant };
    await request('DELETE', `${path}?release=true&generation=7`);
    await request('POST', `${path}/unassign`, { body: { address, ...meant } });
    await request('POST', `${path}/assign`, { body: { owner: '1001', address, ...meant } });
    await request('PATCH', path, { body: { enabled: false, ...meant } });
    expect(world.calls).toEqual([
      ['removePhone', reception.id, told],
      ['unassign', reception.id, address, told],
      ['assignPhone', reception.id, { owner: '1001', address }, told],
      ['changeHost', reception.id, { enabled: false }, told],
    ]);
    expectProblem(await request('DELETE', `${path}?release=true&generation=seven`), 400);
    expectProblem(await request('PATCH', path, { body: meant }), 400);
  });

  test('letters of another code are not lost one by one: the request is refused', async () => {
    const body = new Uint8Array([...Buffer.from('{"nickname":"Caf'), 0xe9, ...Buffer.from('"}')]);
    const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' };
    const path = `${base}/api/v1/hosts/${reception.id}`;
    expect((await fetch(path, { method: 'PATCH', headers, body })).status).toBe(400);
    expect(world.calls).toEqual([]);
  });

  test.each(['application/json', 'application/json; charset=utf-8'])(
    'releases also when the empty body is said to be %s',
    async (type) => {
      const path = `/api/v1/hosts/${reception.id}/association`;
      expect(await request('DELETE', path, { body: '', type })).toMatchObject({ status: 204 });
      expect(world.calls).toHaveLength(1);
      // Where a body is needed, none will not do, nor one that would poison an object.
      expectProblem(await request('PUT', path, { body: '', type }), 400, {});
      const body = '{"__proto__":{"guest":"1"},"guest":"1001"}';
      expectProblem(await request('PUT', path, { body, type }), 400, {});
      expect(world.calls).toHaveLength(1);
    },
  );

  test('a refusal says its reason, and its detail to the administrator', async () => {
    world.answer = { refused: 'occupied', detail: 'held by 1003' } satisfies Refusal;
    const answer = await request('PUT', `/api/v1/hosts/${reception.id}/association`, {
      body: { guest: '1001' },
    });
    expectProblem(answer, 409, { reason: 'occupied', detail: 'held by 1003', title: REASONS.occupied.title });
  });

  test('tells where the phone is, and whether anybody has confirmed its address', async () => {
    expect((await request('GET', `/api/v1/hosts/${reception.id}`)).json).toMatchObject({
      location: null,
      address: { state: null },
    });
    const location = { network: '192.0.2.0/24', verified: false };
    world.answer = { ...reception, location };
    const answer = await request('POST', `/api/v1/hosts/${reception.id}/address/verification`);
    expect(answer).toMatchObject({ status: 200, json: { location } });
    expect(world.calls).toEqual([['verifyAddress', reception.id, 'admin:api']]);
  });

  test('changes a host; null clears', async () => {
    const { city: _, ...address } = reception.address;
    const body = {
      ...{ nickname: 'Front desk', enabled: false, accessLevel: 'site' },
      ...{ callbackNumber: null, associationLimitHours: null },
      address: { ...address, city: 'Leeds', floor: null, room: '2' },
    };
    const answer = await request('PATCH', `/api/v1/hosts/${reception.id}`, { body });
    expect(answer).toMatchObject({ status: 200, json: { nickname: 'Front desk', callbackNumber: null } });
    expect(answer.json.address).toEqual({ ...address, city: 'Leeds', state: null, floor: null, room: '2' });
    const change = {
      ...{ ...body, callbackNumber: undefined, associationLimitHours: undefined },
      address: { ...address, city: 'Leeds', room: '2' },
    };
    const options = { actor: 'admin:api', release: false };
    expect(world.calls).toEqual([['changeHost', reception.id, change, options]]);
    await request('PATCH', `/api/v1/hosts/${reception.id}`, { body: { enabled: true } });
    expect(world.calls[1]).toEqual(['changeHost', reception.id, { enabled: true }, options]);
    expect(Object.keys((world.calls[1] as unknown[])[2] as object)).toEqual(['enabled']);
  });

  test('a bad address: each rule that is broken, by its path in the body', async () => {
    world.answer = {
      refused: 'invalidDirectory',
      detail: 'x',
      problems: [
        `host:${reception.id}.address.postcode: must be a UK postcode such as SW1A 1AA`,
        `host:${reception.id}.address.city: must not be empty`,
      ],
    };
    const answer = await request('PATCH', `/api/v1/hosts/${reception.id}`, {
      body: { address: { ...reception.address, city: '' } },
    });
    expectProblem(answer, 422, {
      reason: 'invalidDirectory',
      errors: [
        { path: 'body.address.postcode', message: 'must be a UK postcode such as SW1A 1AA' },
        { path: 'body.address.city', message: 'must not be empty' },
      ],
    });
  });

  test.each([
    {},
    { id: 'x' },
    { digest: { md5: 'x' } },
    { location: { network: 'x', verified: true } },
    { address: { city: 'Leeds' } },
    { address: null },
    { enabled: null },
    { associationLimitHours: 0 },
    { accessLevel: 'world' },
    { release: true },
    { enabled: true, release: 'yes' },
    null,
  ])('refuses %j as a change of a host', async (body) => {
    expectProblem(await request('PATCH', `/api/v1/hosts/${reception.id}`, { body }), 400);
    expect(world.calls).toEqual([]);
  });

  test('an unknown host', async () => {
    for (const [method, path] of [
      ['GET', ''],
      ['PUT', '/association'],
      ['DELETE', '/association'],
      ['PATCH', ''],
      ['POST', '/address/verification'],
    ] as const) {
      const bodies: Record<string, object> = { PUT: { guest: '1001' }, PATCH: { enabled: true } };
      const body = bodies[method];
      expectProblem(await request(method, `/api/v1/hosts/nope${path}`, { body }), 404, {
        reason: 'unknownHost',
      });
    }
    expect(world.calls).toEqual([]);
  });
});

describe('users', () => {
  test('read, with where they sit and without hash', async () => {
    world.association = association;
    const answer = await request('GET', '/api/v1/users/1001');
    expect(answer.json).toMatchObject({
      extension: '1001',
      email: null,
      association: {
        host: { id: reception.id, nickname: 'Reception desk' },
        startedAt: '2031-05-06T00:00:00.000Z',
      },
    });
    expect(answer.json.passcodeHash).toBeUndefined();
    expect((await request('GET', '/api/v1/users')).json.users).toEqual([answer.json]);
  });

  test('unlock', async () => {
    expect((await request('POST', '/api/v1/users/1001/unlock')).status).toBe(204);
    expect(world.calls).toEqual([['unlock', '1001', 'admin:api']]);
    expectProblem(await request('POST', '/api/v1/users/9/unlock'), 404, { reason: 'unknownUser' });
  });

  test('set a PIN', async () => {
    world.answer = 'done';
    const body = { passcode: '204863' };
    expect((await request('PUT', '/api/v1/users/1001/passcode', { body })).status).toBe(204);
    expect(world.calls).toEqual([['set', '1001', '204863', 'admin:api']]);
    expectProblem(await request('PUT', '/api/v1/users/9/passcode', { body }), 404, { reason: 'unknownUser' });
  });

  test('a PIN against the rules: each is named, no digit is repeated', async () => {
    world.answer = { refused: 'passcodeTooSimple', problems: ['tooShort', 'ascending'] };
    const answer = await request('PUT', '/api/v1/users/1001/passcode', { body: { passcode: '45678' } });
    expectProblem(answer, 422, {
      reason: 'passcodeTooSimple',
      errors: [
        { path: 'body.passcode', message: 'is too short' },
        { path: 'body.passcode', message: 'is a row of digits' },
      ],
    });
    expect(answer.text).not.toContain('45678');
  });

  test.each([
    { passcode: 204863 },
    { passcode: '204863'.repeat(20) },
    { passcode: '204863', 204863: true },
    { 204863: true },
    '204863',
    ['204863'],
    null,
  ])('a body that is none (%j) is refused without repeating it', async (body) => {
    const answer = await request('PUT', '/api/v1/users/1001/passcode', { body });
    expectProblem(answer, 400);
    expect(answer.text + JSON.stringify(world.logged)).not.toContain('204863');
    expect(world.calls).toEqual([]);
  });

  test('give a one-time PIN: told once', async () => {
    world.answer = { passcode: '204863' };
    const answer = await request('POST', '/api/v1/users/1001/passcode');
    expect(answer).toMatchObject({ status: 201, json: { passcode: '204863', oneTime: true } });
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(world.calls).toEqual([['giveOneTime', '1001', 'admin:api']]);
    world.answer = { refused: 'storeUnavailable' };
    expectProblem(await request('POST', '/api/v1/users/1001/passcode'), 503);
    expectProblem(await request('POST', '/api/v1/users/1001/passcode', { token: '' }), 401);
  });
});

describe('directory', () => {
  test('exports', async () => {
    world.answer = 'company: demo\n';
    expect(await request('GET', '/api/v1/directory')).toMatchObject({
      status: 200,
      type: 'text/yaml; charset=utf-8',
      text: 'company: demo\n',
    });
  });

  test('a long export comes in pieces, and no character is torn apart', async () => {
    const text = `x${'\u{1F4DE}'.repeat(200_000)}`;
    world.answer = text;
    expect((await request('GET', '/api/v1/directory')).text === text).toBe(true);
  });

  test.each(['text/yaml', 'application/yaml', 'text/yaml; charset=utf-8'])('imports %s', async (type) => {
    const body = `company: demo\n${'# x\n'.repeat(100_000)}`;
    expect((await request('PUT', '/api/v1/directory', { body, type })).status).toBe(204);
    expect(world.calls).toEqual([['importYaml', body, { actor: 'admin:api', release: false }]]);
  });

  test('says what is wrong with it', async () => {
    world.answer = { refused: 'invalidDirectory', detail: 'users.0.site: no such site' } satisfies Refusal;
    const answer = await request('PUT', '/api/v1/directory', { body: 'x', type: 'text/yaml' });
    expectProblem(answer, 422, { reason: 'invalidDirectory', detail: 'users.0.site: no such site' });
  });

  test('takes nothing but YAML, and nothing else takes YAML', async () => {
    expectProblem(await request('PUT', '/api/v1/directory', { body: {} }), 415);
    expectProblem(await request('PATCH', '/api/v1/company', { body: 'a: 1', type: 'text/yaml' }), 415);
    expect(world.calls).toEqual([]);
  });
});

describe('what is wrong with something new is named by its field, not by an id nobody has given', () => {
  const address = { ...reception.address, postcode: 'EC1A 1AA' };
  const phone = { nickname: 'Desk', site: 'london', model: 'VVX 411', address };
  const account = { email: 'a@example.com', name: 'A', role: 'readOnly' };
  test.each([
    ['/accounts', 'account:0b6e.sites.1', account, 'sites.1'],
    ['/tokens', 'token:0b6e.name', { name: 'A', scopes: ['read'] }, 'name'],
    ['/hosts', 'host:desk.1.address.city', { ...phone, id: 'desk.1' }, 'address.city'],
    ['/hosts', 'host:cp0004f2000009.mac', { ...phone, mac: '00:04:f2:00:00:09' }, 'mac'],
    ['/hosts', 'host:.mac', phone, 'mac'],
  ])('%s: %s', async (path, problem, body, field) => {
    world.answer = { refused: 'invalidDirectory', problems: [`${problem}: is taken`] };
    const answer = await request('POST', `/api/v1${path}`, { body });
    expectProblem(answer, 422);
    expect(answer.json.errors).toEqual([{ path: `body.${field}`, message: 'is taken' }]);
  });
});
