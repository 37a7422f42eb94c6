import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeBindings,
  decodeEmergency,
  decodeEvent,
  decodeFacts,
  decodeRead,
  decodeRecord,
  decodeSnapshot,
} from '../../../src/store/redis/decode.ts';

const start = {
  ...{ seq: '7', kind: 'start', at: '5', actor: 'guest', reason: 'logIn', host: 'h1', guest: '1001' },
  ...{ site: 'london', gen: '7', since: '5', dl: '0', prev: '' },
};

const call = { id: 'c1', number: '999', host: 'h1', addressUnverified: false, at: 5, callbackUntil: 9 };
const NOTHING = {
  nickname: undefined,
  site: undefined,
  callbackNumber: undefined,
  address: undefined,
  guest: undefined,
};
const emergency = {
  ...{ seq: '7', kind: 'emergency', at: '5', actor: 'node:a', host: 'h1', guest: '' },
  ...{ stage: 'placed', record: JSON.stringify(call) },
};

describe('what comes back from Redis', () => {
  it('reads a record, with 0 as never', () => {
    const text = '{"g":"1001","gen":"7","at":"5","dl":"0","site":"london"}';
    const who = { host: 'h1', guest: '1001', site: 'london', generation: 7, startedAt: 5 };
    expect(decodeRecord('h1', text)).toEqual({ ...who, expiresAt: 'never', idleLimitMs: 'never' });
    const facts = ['h1', '1001', 'london', '7', '5', '9', '60000'];
    expect(decodeFacts(facts)).toEqual({ ...who, expiresAt: 9, idleLimitMs: 60_000 });
  });

  it('reads every kind of event', () => {
    const association = {
      host: 'h1',
      guest: '1001',
      site: 'london',
      generation: 7,
      startedAt: 5,
      expiresAt: 'never',
      idleLimitMs: 'never',
    };
    const base = { seq: 7, at: 5, actor: 'guest' };
    expect(decodeEvent(start)).toEqual({
      ...{ ...base, kind: 'start', reason: 'logIn', association },
      previousHost: undefined,
    });
    expect(decodeEvent({ ...start, kind: 'end', reason: 'expired' })).toEqual({
      ...{ ...base, kind: 'end', reason: 'expired', association },
    });
    expect(decodeEvent({ seq: '7', at: '5', actor: 'guest', kind: 'directory' })).toEqual({
      ...{ ...base, kind: 'directory', entries: 'all' },
    });
    const named = { seq: '7', at: '5', actor: 'guest', kind: 'directory', names: '["user:1"]' };
    expect(decodeEvent(named)).toMatchObject({ entries: ['user:1'] });
    expect(decodeEvent({ ...start, kind: 'extend', reason: 'stay', idle: '9' })).toEqual({
      ...{ ...base, kind: 'extend', reason: 'stay', association: { ...association, idleLimitMs: 9 } },
    });
    expect(decodeEvent(emergency)).toEqual({
      ...{ seq: 7, at: 5, actor: 'node:a', kind: 'emergency', stage: 'placed' },
      record: { ...call, ...NOTHING },
    });
    expect(decodeEvent({ ...start, kind: 'notice', reason: 'lockedOut', host: '' })).toEqual({
      ...{ ...base, kind: 'notice', notice: 'lockedOut', extension: '1001', host: undefined },
    });
  });

  it.each([
    { ...start, reason: 'loggedOut' },
    { ...start, kind: 'end', reason: 'logIn' },
    { ...start, kind: 'other' },
    { ...start, kind: 'notice' },
    { ...emergency, stage: 'started' },
    { ...emergency, record: '{' },
    { ...emergency, record: '{"id":"c1"}' },
    { ...start, kind: 'directory', names: '{' },
    { ...start, seq: '1e3' },
    { ...start, dl: '-1' },
    { ...start, host: '' },
    { seq: '1' },
    {},
  ])('knows an event it cannot read: %j', (fields) => {
    expect(decodeEvent(fields as Record<string, string>)).toBeUndefined();
  });

  it.each(['', '{', '[]', '{"version":1}', '{"version":-1,"bindings":[]}', '{"version":1,"bindings":[{}]}'])(
    'knows bindings it cannot read: %j',
    (text) => {
      expect(decodeBindings(text)).toBeUndefined();
    },
  );

  it('never throws, whatever Redis says', () => {
    fc.assert(
      fc.property(fc.anything(), fc.string(), (anything, text) => {
        decodeSnapshot(anything);
        decodeRead(anything);
        decodeRecord('h', text);
        decodeBindings(text);
        decodeEmergency(text);
        decodeEvent({ ...emergency, record: text });
        decodeEvent({ kind: text, seq: text });
      }),
    );
  });
});
