import { expect } from 'vitest';
import type { Hotdesk } from './hotdesk.ts';
import type { Phone } from './phone.ts';
import type { IncomingCall, OutgoingCall } from './phone-call.ts';
import { userOf } from './sip-text.ts';

/** Calls for help from a phone and is answered; the number a PSAP would call back. */
export async function helpFor(phone: Phone, hotdesk: Hotdesk): Promise<string> {
  const call = await phone.call('999');
  const psap = await hotdesk.trunks.emergency.nextCall();
  await psap.accept();
  await call.answered;
  await call.hangUp();
  await psap.ended;
  return userOf(psap.invite.header('P-Asserted-Identity'));
}

/** Somebody calls back from this trunk, and this phone, and no other, answers. */
export async function calledBack(phone: Phone, number: string, trunk: Phone): Promise<void> {
  const back = await trunk.call(number);
  const ringing = await phone.nextCall();
  await joined(back, ringing);
}

/** It is a call back, both hear each other, and hanging up ends it at both ends. */
export async function joined(back: OutgoingCall, ringing: IncomingCall): Promise<void> {
  expect(ringing.invite.header('Priority')).toBe('psap-callback');
  await ringing.accept();
  await back.answered;
  await back.hears(ringing);
  await ringing.hears(back);
  await back.hangUp();
  await ringing.ended;
}
