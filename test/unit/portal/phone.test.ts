import { describe, expect, test } from 'vitest';
import { formatSummary } from '../../../src/domain/message-summary.ts';
import { readGuest, readMessages, readRefusal } from '../../../src/portal/phone/documents.ts';
import { hintFor, NEWCOMER, STEPS, type TourFacts } from '../../../src/portal/phone/tour.ts';
import { guestDocument } from '../../../src/sip/events/hoteling-documents.ts';
import { reasonHeader, warning } from '../../../src/sip/reasons.ts';
import { PEOPLE } from '../../support/demo.ts';

/** What the phone in the browser reads, against what the server writes; and the tour. */

const header = (name: string, value: string) => ({
  getHeader: (wanted: string) => (wanted === name ? value : undefined),
});

describe('what it reads', () => {
  test('who is on the phone', () => {
    const { body } = guestDocument({ extension: '1001', seconds: 90 }, '');
    expect(readGuest(body)).toEqual({ extension: '1001', seconds: 90 });
    expect(readGuest(guestDocument(undefined, '').body)).toBeUndefined();
    expect(readGuest('')).toBeUndefined();
  });

  test('its messages', () => {
    const state = { waiting: true, new: 3, old: 1, urgentNew: 0, urgentOld: 0 };
    expect(readMessages(formatSummary(state, 'sip:8001@hotdesk.example'))).toEqual({
      ...{ waiting: true, fresh: 3, account: '8001' },
    });
    expect(readMessages(formatSummary({ ...state, waiting: false, new: 0 }, 'sip:%2a97@a'))).toEqual({
      ...{ waiting: false, fresh: 0, account: '*97' },
    });
    expect(readMessages('nonsense')).toEqual({ waiting: false, fresh: 0, account: undefined });
  });

  test('why a call was refused or ended', () => {
    expect(readRefusal(header('Warning', warning('a.example', 'Say "no"')))).toBe('Say "no"');
    expect(readRefusal(header('Reason', reasonHeader(403, 'Nobody is here')))).toBe('Nobody is here');
    expect(readRefusal(header('Reason', 'SIP;cause=200'))).toBeUndefined();
    expect(readRefusal(header('Reason', reasonHeader(500, 'closed')))).toBeUndefined();
  });
});

describe('the tour', () => {
  const begin: TourFacts = {
    ...{ isReady: false, isSecondPhone: false, guest: undefined, call: 'none' },
    ...{ isSecondOpen: false, hasTalked: false, hasBeenUsed: false },
  };

  test('leads from plugging in to leaving, one step after the other', () => {
    const here = { ...begin, isReady: true };
    const seated = { ...here, guest: 'Amelia Clarke', hasBeenUsed: true };
    const way: TourFacts[] = [
      begin,
      here,
      { ...here, call: 'menu' },
      seated,
      { ...seated, isSecondOpen: true },
      { ...seated, isSecondOpen: true, call: 'outgoing' },
      { ...seated, isSecondOpen: true, call: 'talking', hasTalked: true },
      { ...seated, isSecondOpen: true, hasTalked: true },
      { ...here, isSecondOpen: true, hasTalked: true, hasBeenUsed: true },
    ];
    const hints = way.map(hintFor);
    const steps = hints.map(({ step }) => step);
    expect(steps).toEqual([...steps].sort());
    expect(steps.at(-1)).toBe(STEPS);
    expect(new Set(hints.map(({ text }) => text)).size).toBe(way.length);
    expect(hints.filter(({ offersSecond }) => offersSecond)).toHaveLength(1);
  });

  test('whoever it makes of a newcomer is in the demo', () => {
    expect(PEOPLE.first).toMatchObject({ extension: NEWCOMER.extension, pin: NEWCOMER.pin });
  });

  test('the phone beside is told to answer', () => {
    const own = { ...begin, isReady: true, isSecondPhone: true };
    expect(hintFor(own).text).toContain('Oliver');
    expect(hintFor({ ...own, call: 'incoming' }).text).toContain('Answer');
  });
});
