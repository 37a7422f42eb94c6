import { expect, it } from 'vitest';
import { createAssociations } from '../../../src/store/redis/associations.ts';
import { type Link, NotSent } from '../../../src/store/redis/connection.ts';
import { createKeys } from '../../../src/store/redis/keys.ts';
import { createStoreClock } from '../../../src/store/redis/store-clock.ts';
import { type AssociateCommand, StoreUnavailable } from '../../../src/store/store.ts';

const command: AssociateCommand = {
  host: 'h1',
  guest: '1001',
  site: 'london',
  limitMs: 1000,
  idleLimitMs: 'never',
  actor: 'guest',
  occupied: 'deny',
  secondDesk: 'move',
  opId: 'a',
};

/** Associations over a link that answers as told; `undone` lists what is to be undone. */
function setUp(link: Partial<Link>) {
  const undone: string[] = [];
  // Not a spread: getters must stay getters.
  const fake: Link = Object.setPrototypeOf(link, { epoch: 1, send: async () => ['5', '0'] });
  const associations = createAssociations({
    ...{
      link: fake,
      keys: createKeys('demo'),
      node: 'n1',
      acceptWeakDurability: true,
    },
    ...{ storeClock: createStoreClock({ now: () => 5000 }), commandTimeoutMs: 250, waitForReplicas: 1 },
    durability: {
      weakness: undefined,
      check: async () => undefined,
      checkAll: async () => undefined,
      hasReplicas: async () => true,
    },
    takeBacks: {
      begin: (opId) => undone.push(opId),
      cancel: () => undone.pop() !== undefined,
      stop: () => undefined,
    },
  });
  return { associations, undone };
}

const associated = ['new', '5000', 'associated', '1', 'h1', '1001', 'london', '1', '5000', '6000', '0', ''];

it('a confirmation of replicas over another connection is none: that one never wrote the login', async () => {
  let epoch = 1;
  const { associations, undone } = setUp({
    get epoch() {
      return epoch;
    },
    run: async () => {
      epoch = 2;
      return associated;
    },
    send: async (name) => (name === 'WAIT' ? 1 : ['5', '0']),
  });
  await expect(associations.associate(command)).rejects.toThrow(StoreUnavailable);
  expect(undone).toEqual(['a']);
});

it.each([
  [[]],
  [['new', '5000', 'dunno', '1', 'h1', '1001', 'london', '1', '5000', '6000', '0']],
  ['x'],
  [null],
])('a reply that cannot be read is no login: %j', async (reply) => {
  const { associations, undone } = setUp({ run: async () => reply });
  await expect(associations.associate(command)).rejects.toThrow(StoreUnavailable);
  expect(undone).toEqual(['a']);
});

it('a repeat that cannot be sent leaves the first attempt to be undone', async () => {
  const answers = [new StoreUnavailable('no answer in time'), new NotSent('not connected')];
  const { associations, undone } = setUp({
    run: async () => {
      throw answers.shift();
    },
  });
  await expect(associations.associate(command)).rejects.toThrow('no answer in time');
  expect(undone).toEqual(['a']);
  await expect(associations.associate(command)).rejects.toThrow('not connected');
  expect(undone).toEqual(['a']);
});

it('what could not be sent at all is not undone', async () => {
  const { associations, undone } = setUp({
    run: async () => {
      throw new NotSent('not connected');
    },
  });
  await expect(associations.associate(command)).rejects.toThrow('not connected');
  expect(undone).toEqual([]);
});

it('a login that is late twice is refused', async () => {
  let runs = 0;
  const { associations } = setUp({
    run: async () => {
      runs += 1;
      return ['late', '9000'];
    },
  });
  await expect(associations.associate(command)).rejects.toThrow('too late');
  expect(runs).toBe(2);
});
