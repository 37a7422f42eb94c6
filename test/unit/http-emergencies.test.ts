import { describe, expect, test } from 'vitest';
import type { EmergencyOverview } from '../../src/services/emergency-notices/emergency-notices.ts';
import { expectProblem, reception, request, world } from './http-world.ts';

const AT = Date.UTC(2031, 4, 6, 14, 5);
const call: EmergencyOverview = {
  record: {
    id: 'e1',
    number: '999',
    host: reception.id,
    nickname: 'Reception desk',
    site: 'london',
    callbackNumber: '+442079460111',
    address: { ...reception.address, state: 'Greater London' },
    addressUnverified: true,
    guest: { extension: '1001', name: 'Alice Archer' },
    at: AT,
    callbackUntil: AT + 3_600_000,
  },
  open: true,
  stages: [
    { stage: 'placed', at: AT },
    { stage: 'failed', at: AT + 9_000 },
  ],
  acknowledged: undefined,
  deliveries: [
    { stage: 'placed', channel: 'email', to: 'a@example.com', state: 'told', tries: 1, problem: undefined },
    { stage: 'failed', channel: 'message', to: 'd2', state: 'pending', tries: 2, problem: 'no phone there' },
  ],
};

test('emergency calls, with who is told of them', async () => {
  world.answer = { emergencies: [call], complete: true };
  const { status, json } = await request('GET', '/api/v1/emergencies');
  expect(status).toBe(200);
  expect(json).toEqual({
    complete: true,
    emergencies: [
      {
        id: 'e1',
        number: '999',
        at: '2031-05-06T14:05:00.000Z',
        open: true,
        callbackUntil: '2031-05-06T15:05:00.000Z',
        callbackNumber: '+442079460111',
        host: { id: reception.id, nickname: 'Reception desk' },
        site: 'london',
        guest: { extension: '1001', name: 'Alice Archer' },
        address: { ...reception.address, state: 'Greater London', floor: null, room: null },
        addressUnverified: true,
        stages: [
          { stage: 'placed', at: '2031-05-06T14:05:00.000Z' },
          { stage: 'failed', at: '2031-05-06T14:05:09.000Z' },
        ],
        acknowledged: null,
        notices: [
          { stage: 'placed', channel: 'email', to: 'a@example.com', state: 'told', tries: 1, problem: null },
          {
            ...{ stage: 'failed', channel: 'message', to: 'd2', state: 'pending', tries: 2 },
            problem: 'no phone there',
          },
        ],
      },
    ],
  });
});

test('of a phone nobody knows, without the directory and without the store', async () => {
  world.view = { knowledge: 'unknown', directory: undefined };
  const nothing = { host: undefined, nickname: undefined, site: undefined, callbackNumber: undefined };
  const record = { ...call.record, ...nothing, address: undefined, guest: undefined };
  world.answer = { emergencies: [{ ...call, record }], complete: false };
  const { json } = await request('GET', '/api/v1/emergencies');
  expect(json).toMatchObject({ complete: false });
  const [shown] = json.emergencies;
  expect(shown).toMatchObject({ host: null, site: null, callbackNumber: null, address: null, guest: null });
});

describe('acknowledged by an administrator', () => {
  const PATH = '/api/v1/emergencies/e1/acknowledgement';

  test('who and when', async () => {
    world.answer = { ...call, acknowledged: { by: 'admin:api', at: AT + 60_000 } };
    const { status, json } = await request('POST', PATH);
    expect(status).toBe(200);
    expect(json).toMatchObject({
      id: 'e1',
      acknowledged: { by: 'admin:api', at: '2031-05-06T14:06:00.000Z' },
    });
    expect(world.calls).toEqual([['acknowledge', ['e1', 'admin:api']]]);
  });

  test.each([
    ['unknownEmergency', 404],
    ['storeUnavailable', 503],
  ])('%s is %i', async (refused, status) => {
    world.answer = { refused };
    expectProblem(await request('POST', PATH), status, { reason: refused });
  });
});

test('only for administrators', async () => {
  expectProblem(await request('GET', '/api/v1/emergencies', { token: '' }), 401);
  expectProblem(await request('POST', '/api/v1/emergencies/e1/acknowledgement', { token: '' }), 401);
});
