import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { PEOPLE, PHONES } from '../support/demo.ts';
import { endedByServer, logInBySoftKey } from '../support/log-in.ts';
import type { Phone } from '../support/phone.ts';
import { useHotdesk } from '../support/suite.ts';
import { eventually } from '../support/wait.ts';

/** Design 6: after each change the phone is told to look again, once, and never in a call. */

describe('check-sync', () => {
  const hotdesk = useHotdesk();

  async function release(host: string): Promise<void> {
    await hotdesk().api(`/api/v1/hosts/${host}/association`, { method: 'DELETE' });
    await hotdesk().expectGuest(host, undefined);
  }

  /** Waits for so many, and a while longer for one too many. */
  async function told(phone: Phone, times: number): Promise<void> {
    await eventually(`${times} NOTIFYs`, () => phone.received('NOTIFY').length >= times);
    await sleep(1_500);
    expect(phone.received('NOTIFY')).toHaveLength(times);
  }

  test('one at login, in the form that reboots no VVX, and one at logout', async () => {
    const phone = await hotdesk().phone(PHONES.reception);
    const other = await hotdesk().phone(PHONES.window);
    await hotdesk().seat(PEOPLE.first.extension, PHONES.reception);
    await told(phone, 1);
    const [notify] = phone.received('NOTIFY');
    expect(notify?.requestUri).toContain(`sip:${PHONES.reception}@127.0.0.1:${phone.wire.local.port}`);
    expect(notify?.header('Event')).toBe('check-sync');
    expect(notify?.header('Subscription-State')).toBe('active');
    expect(notify?.header('Content-Length')).toBe('0');
    expect(notify?.header('To')).not.toContain('tag=');
    expect(notify?.header('From')).toContain(`<sip:${PHONES.reception}@hotdesk.example>;tag=`);
    expect(notify?.header('Contact')).toMatch(/^<sip:[^@]*@127\.0\.0\.1:\d+>$/);
    // It says nothing about who sits there.
    expect(notify?.text).not.toContain(PEOPLE.first.extension);
    await release(PHONES.reception);
    await told(phone, 2);
    expect(other.received('NOTIFY')).toEqual([]);
  });

  test('by the connection of a phone that registered over TCP', async () => {
    const phone = await hotdesk().phone(PHONES.reception, { protocol: 'tcp' });
    await hotdesk().seat(PEOPLE.first.extension, PHONES.reception);
    await told(phone, 1);
  });

  test('one for in, out and in again at once', async () => {
    const phone = await hotdesk().phone(PHONES.reception);
    await hotdesk().seat(PEOPLE.first.extension, PHONES.reception);
    await release(PHONES.reception);
    await hotdesk().seat(PEOPLE.second.extension, PHONES.reception);
    await eventually('a NOTIFY', () => phone.received('NOTIFY').length > 0);
    await sleep(1_500);
    // Two if the three took longer than half a second; the last always comes after the last change.
    expect(phone.received('NOTIFY').length).toBeLessThanOrEqual(2);
    expect(await hotdesk().guestAt(PHONES.reception)).toBe(PEOPLE.second.extension);
  });

  test('both phones of a move', async () => {
    const from = await hotdesk().phone(PHONES.reception);
    const to = await hotdesk().phone(PHONES.window);
    await hotdesk().seat(PEOPLE.first.extension, PHONES.reception);
    await told(from, 1);
    await hotdesk().seat(PEOPLE.first.extension, PHONES.window);
    await told(to, 1);
    await told(from, 2);
  });

  test('after the log-in call is over, not during it', async () => {
    const phone = await hotdesk().phone(PHONES.reception);
    const call = await logInBySoftKey(phone, PEOPLE.first);
    await endedByServer(call);
    const over = Date.now();
    expect(phone.received('NOTIFY')).toEqual([]);
    await told(phone, 1);
    const at = phone.wire.trace.find(({ message }) => message.method === 'NOTIFY')?.at ?? 0;
    expect(at - over).toBeGreaterThanOrEqual(1_500);
  });

  test('again, to a phone that let the first go unheard', async () => {
    const phone = await hotdesk().phone(PHONES.reception);
    phone.wire.deaf = ({ method, status }) => method === 'NOTIFY' && status === undefined;
    await hotdesk().seat(PEOPLE.first.extension, PHONES.reception);
    await eventually('the first tries', () => phone.received('NOTIFY').length >= 4, 10_000);
    phone.wire.deaf = () => false;
    await eventually('one that is heard', () => phone.notified.length === 1, 20_000);
  });
});

describe('phones.update: none', () => {
  const hotdesk = useHotdesk({ settings: { phones: { update: 'none' } } });

  test('tells no phone anything', async () => {
    const phone = await hotdesk().phone(PHONES.reception);
    await hotdesk().seat(PEOPLE.first.extension, PHONES.reception);
    await sleep(2_000);
    expect(phone.received('NOTIFY')).toEqual([]);
  });
});
