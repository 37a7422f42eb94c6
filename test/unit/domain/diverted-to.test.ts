import { describe, expect, test } from 'vitest';
import { type DivertedRoute, decideDivertedTo } from '../../../src/domain/diverted-to.ts';
import { binding, directory, emergency, UK, user, viewOf } from './example.ts';

/** Where a diverted call goes; forwarding is dialled as from the site of the person who wants it. */

const COMPANY = { voicemailNumber: '8001' };
const PEOPLE = [
  user('1001'),
  user('1002'),
  user('1003', { site: 'leeds' }),
  user('1004', { forwarding: { always: '1003' } }),
];
const acme = directory({ company: COMPANY, users: PEOPLE });
const view = viewOf({
  directory: acme,
  seats: { d1: '1001' },
  bindings: { d1: [binding('sip:d1@192.0.2.1')] },
  emergencies: [emergency('d2')],
});
const CALLER = { name: 'Caller', number: '+441632960777' };

function to(number: string, by = '1002', as = CALLER): DivertedRoute {
  const who = acme.users.get(by)!;
  return decideDivertedTo({ user: who, to: { kind: 'number', number } }, { view, plan: UK, as });
}

describe('a number', () => {
  test.each(['1001', '+442079461001', '02079461001'])('of a colleague rings where they are: %s', (number) => {
    expect(to(number)).toMatchObject({ kind: 'ring', user: { extension: '1001' }, as: CALLER });
  });

  test('of a colleague who sends calls on, in their turn', () => {
    expect(to('1004')).toMatchObject({
      kind: 'divert',
      to: { user: { extension: '1004' }, to: { kind: 'number', number: '1003' } },
      as: CALLER,
    });
  });

  test('outside, by the trunk of their site', () => {
    expect(to('01632960123')).toEqual({ kind: 'trunk', number: '01632960123', trunk: undefined, as: CALLER });
    expect(to('901632960123', '1003')).toMatchObject({ number: '01632960123', trunk: 'north' });
  });

  test('outside, showing what a colleague shows outside', () => {
    expect(to('01632960123', '1002', { name: 'Person 1001', number: '1001' })).toMatchObject({
      as: { name: 'Person 1001', number: '+442079461001' },
    });
  });

  test.each([
    ['999', '1002'],
    ['9999', '1003'],
    ['112', '1001'],
    ['1999', '1002'],
    ['12', '1002'],
    ['*90', '1002'],
  ])('of an emergency service, a menu or nobody is refused: %s', (number, by) => {
    expect(to(number, by)).toEqual({ kind: 'refuse', reason: 'numberUnknown' });
  });

  test('a desk waits at for a call back goes outside as any other', () => {
    expect(to('+442079460100')).toMatchObject({ kind: 'trunk' });
  });
});

test('a mailbox is theirs', () => {
  const who = acme.users.get('1002')!;
  const facts = { view, plan: UK, as: CALLER };
  expect(decideDivertedTo({ user: who, to: { kind: 'voicemail' } }, facts)).toEqual({
    kind: 'voicemail',
    user: who,
  });
});

test('with nothing known it is refused', () => {
  const facts = { view: viewOf({}), plan: UK, as: CALLER };
  const wish = { user: user('1002'), to: { kind: 'voicemail' } } as const;
  expect(decideDivertedTo(wish, facts)).toEqual({ kind: 'refuse', reason: 'stateUnknown' });
});
