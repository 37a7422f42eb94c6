import { beforeEach, describe, expect, test } from 'vitest';
import type { Association, ChangeEvent } from '../../../src/domain/association.ts';
import type { MailboxState } from '../../../src/domain/message-summary.ts';
import { Mailboxes } from '../../../src/services/mailboxes.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { association, directory, user, viewOf } from '../domain/example.ts';
import { FakeShared } from '../sip/events/notifier-world.ts';

/** What is in people's mailboxes, and whose lamps it concerns. */

const PEOPLE = [
  user('1001', { mailbox: 'm+1' }),
  user('1002'),
  user('1003'),
  user('1004', { mailbox: '1003' }),
];
const acme = directory({ users: PEOPLE });
const SOME: MailboxState = { waiting: true, new: 2, old: 1, urgentNew: 0, urgentOld: 0 };

let clock: FakeClock;
let shared: FakeShared;
let seats: Record<string, string>;
let tell: (event: ChangeEvent) => void;
let mailboxes: Mailboxes;
let lamps: string[];

beforeEach(() => {
  clock = new FakeClock();
  shared = new FakeShared(clock);
  seats = {};
  lamps = [];
  const seated = (): Association[] => Object.entries(seats).map(([at, guest]) => association(at, guest));
  const view = {
    ...viewOf({ directory: acme }),
    associationAt: (id: string) => seated().find(({ host }) => host === id),
    associationOf: (extension: string) => seated().find(({ guest }) => guest === extension),
    associations: seated,
    directoryVersion: 1,
    onChange: (listener: (event: ChangeEvent) => void) => {
      tell = listener;
      return () => undefined;
    },
  };
  mailboxes = new Mailboxes({ view, shared, clock });
  mailboxes.onLamp((resource) => lamps.push(resource));
});

describe('a mailbox', () => {
  test('is kept for all nodes, under a name the store takes', () => {
    expect(mailboxes.learn('m+1', SOME)).toBe(true);
    expect(mailboxes.stateOf('m+1')).toEqual(SOME);
    expect(shared.names('mwi:')).toEqual(['mwi:m@1']);
  });

  test('of nobody is not kept', () => {
    expect(mailboxes.learn('9999', SOME)).toBe(false);
    expect(mailboxes.learn('1001', SOME)).toBe(false);
    expect(shared.values.size).toBe(0);
  });

  test('is written once for each change, and once a day without', () => {
    let puts = 0;
    shared.onChange(() => puts++);
    for (let again = 0; again < 3; again++) mailboxes.learn('1002', SOME);
    expect(puts).toBe(1);
    mailboxes.learn('1002', { ...SOME, new: 3 });
    expect(puts).toBe(2);
    clock.advance(25 * 3_600_000);
    mailboxes.learn('1002', { ...SOME, new: 3 });
    expect(puts).toBe(3);
  });

  test.each([
    ['m+1', 'm+1'],
    ['1001', 'm+1'],
    ['1002', '1002'],
    ['+442079461002', '1002'],
    ['1004', '1003'],
    ['9999', undefined],
    ['', undefined],
  ])('is meant by %s: %s', (word, mailbox) => {
    expect(mailboxes.named(word)).toBe(mailbox);
  });

  test('what another version has written is nothing', () => {
    shared.put('mwi:1002', { waiting: 'yes' }, 1_000);
    expect(mailboxes.stateOf('1002')).toBeUndefined();
  });
});

test('mailboxes in use: of who sits somewhere first, then of who has a phone; each once', () => {
  expect([...mailboxes.inUse()]).toEqual(['1002']);
  seats = { d1: '1004', d2: '1003', d3: '1002' };
  expect([...mailboxes.inUse()]).toEqual(['1003', '1002']);
});

describe('whose lamps', () => {
  const event = (kind: 'start' | 'end', at: string, guest: string): ChangeEvent =>
    ({ kind, seq: 2, at: 0, actor: 'x', association: association(at, guest) }) as ChangeEvent;

  test('a change of association: the host, the guest, and the owner', () => {
    tell(event('start', 'd1', '1001'));
    tell(event('end', 'u1002', '1003'));
    expect(lamps).toEqual(['d1', '1001', 'u1002', '1003', '1002']);
  });

  test('a mailbox: where its people sit, and their own phones without a guest', () => {
    seats = { d2: '1002' };
    mailboxes.learn('1002', SOME);
    expect(lamps).toEqual(['1002', 'd2', 'u1002']);
    lamps.length = 0;
    seats = { u1002: '1001' };
    mailboxes.learn('1002', { ...SOME, new: 9 });
    expect(lamps).toEqual(['1002']);
    lamps.length = 0;
    mailboxes.learn('m+1', SOME);
    expect(lamps).toEqual(['1001', 'u1002']);
    lamps.length = 0;
    mailboxes.learn('1003', SOME);
    expect(lamps).toEqual(['1003', '1004']);
  });

  test('a change of the directory', () => {
    tell({ kind: 'directory', seq: 3, at: 0, actor: 'x', entries: ['user:1002', 'host:d1', 'site:london'] });
    expect(lamps).toEqual(['1002', 'u1002', 'd1']);
    lamps.length = 0;
    tell({ kind: 'directory', seq: 4, at: 0, actor: 'x', entries: 'all' });
    expect(lamps).toEqual(['d1', 'd2', 'd3', 'u1002', '1001', '1002', '1003', '1004']);
  });
});
