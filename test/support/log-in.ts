import { setTimeout as sleep } from 'node:timers/promises';
import type { Person } from './demo.ts';
import type { Phone } from './phone.ts';
import { MACRO } from './phone-audio.ts';
import type { CallEnd, OutgoingCall } from './phone-call.ts';
import { within } from './wait.ts';

/** Dials `*90` and waits for the question. */
export async function dialLogIn(phone: Phone): Promise<OutgoingCall> {
  const call = await phone.call('*90');
  await call.answered;
  await call.heard('enter-extension');
  return call;
}

/** Logs in as a person does: listens, types, listens, types. Resolves with the call as soon as the PIN is typed. */
export async function logInByHand(phone: Phone, { extension, pin }: Person): Promise<OutgoingCall> {
  const call = await dialLogIn(phone);
  await call.digits(`${extension}#`);
  await call.heard('enter-pin');
  await call.digits(`${pin}#`);
  return call;
}

/** What the Login key of a VVX does: a second after the ACK the extension, a second later the PIN, 50 ms per key. */
export async function logInBySoftKey(phone: Phone, { extension, pin }: Person): Promise<OutgoingCall> {
  const call = await phone.call('*90');
  await call.answered;
  await sleep(1000);
  await call.digits(`${extension}#`, MACRO);
  await sleep(1000);
  await call.digits(`${pin}#`, MACRO);
  return call;
}

/** The server's BYE after the last prompt. */
export async function endedByServer(call: OutgoingCall, withinMs = 12_000): Promise<CallEnd> {
  const end = await within(withinMs, 'the end of the call', call.ended);
  if (end.by !== 'them') throw new Error('the call ended, but not by the server');
  return end;
}
