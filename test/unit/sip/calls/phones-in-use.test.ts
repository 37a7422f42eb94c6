import { beforeEach, describe, expect, test } from 'vitest';
import { connect } from '../../../../src/sip/calls/connect.ts';
import { InboundInvite } from '../../../../src/sip/calls/inbound.ts';
import type { PhonesInUse } from '../../../../src/sip/calls/phones-in-use.ts';
import { CallTable } from '../../../../src/sip/calls/table.ts';
import { FakeResponse, settled } from '../../../support/fake-sip.ts';
import { ANSWER, invite, TapeLog, World } from '../world.ts';

const at = (host: string) => ({ kind: 'host', host }) as const;

describe('phones in use', () => {
  let log: TapeLog;
  let phones: PhonesInUse;
  const told: string[] = [];

  beforeEach(() => {
    log = new TapeLog();
    phones = new CallTable(log, () => 0).phones;
    told.length = 0;
    phones.onUse((host) => told.push(host));
  });

  test('one that only rings is busy, but nobody uses it', () => {
    const stop = phones.ring(at('d1'));
    expect([phones.stateOf('d1'), phones.inUse(), told]).toEqual(['busy', [], []]);
    stop();
    expect(phones.stateOf('d1')).toBe('free');
  });

  test('a call is told when it begins and when it ends, once each', () => {
    const end = phones.use(at('d1'), false);
    expect([phones.stateOf('d1'), phones.inUse(), told]).toEqual(['busy', ['d1'], ['d1']]);
    end();
    end();
    expect([phones.stateOf('d1'), phones.inUse(), told]).toEqual(['free', [], ['d1', 'd1']]);
  });

  test('an emergency call goes before any other', () => {
    const other = phones.use(at('d1'), false);
    const emergency = phones.use(at('d1'), true);
    expect(phones.stateOf('d1')).toBe('emergency');
    emergency();
    expect(phones.stateOf('d1')).toBe('busy');
    other();
  });

  test('trunks, and phones nobody knows, do not count', () => {
    phones.use({ kind: 'trunk', trunk: 'pbx' }, false);
    phones.use(at(''), true);
    expect([phones.inUse(), told]).toEqual([[], []]);
  });

  test('a listener that fails costs nobody a call', () => {
    phones.onUse(() => {
      throw new Error('boom');
    });
    phones.onUse((host) => told.push(`after ${host}`));
    phones.use(at('d1'), true);
    expect([told, log.errors()]).toEqual([['d1', 'after d1'], ['a listener failed on a call']]);
  });
});

describe('a call from one desk to another', () => {
  test('uses the first from dialling on, the other from its answer; both until the end', async () => {
    const world = new World();
    const context = world.context();
    const { phones } = context.table;
    const request = invite('1002');
    const inbound = new InboundInvite(world.srf.asSrf, request.asRequest, new FakeResponse().asResponse);
    const target = { uri: 'sip:d2', headers: {}, party: at('d2') };
    const outgoing = { rounds: [[target]], emergency: false, caller: at('d1'), record: {} };
    const call = connect(context, inbound, outgoing);
    await settled();
    expect([phones.inUse(), phones.stateOf('d2')]).toEqual([['d1'], 'busy']);
    world.srf.uac.answer(ANSWER);
    await call;
    expect(phones.inUse().toSorted()).toEqual(['d1', 'd2']);
    world.srf.uas.bye();
    await settled();
    expect([phones.inUse(), phones.stateOf('d1'), phones.stateOf('d2')]).toEqual([[], 'free', 'free']);
  });

  test('leaves nothing behind when nobody answers', async () => {
    const world = new World();
    const context = world.context();
    const request = invite('1002');
    const inbound = new InboundInvite(world.srf.asSrf, request.asRequest, new FakeResponse().asResponse);
    const target = { uri: 'sip:d2', headers: {}, party: at('d2') };
    const outgoing = { rounds: [[target], [target]], emergency: true, caller: at('d1'), record: {} };
    const call = connect(context, inbound, outgoing);
    await settled();
    expect(context.table.phones.stateOf('d1')).toBe('emergency');
    world.srf.uac.reject(503);
    await settled();
    world.srf.uac.reject(503);
    await call;
    expect(['d1', 'd2'].map((host) => context.table.phones.stateOf(host))).toEqual(['free', 'free']);
  });
});
