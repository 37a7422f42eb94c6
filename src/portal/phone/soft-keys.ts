import type { Call } from './call.ts';
import type { Phone } from './model.ts';
import { texts } from './texts.ts';

/** What the four keys below the screen do now. */

export interface SoftKey {
  readonly label: string;
  readonly press: () => void;
  readonly kind?: 'go' | 'stop';
}

const { keys } = texts;

export function softKeysOf(phone: Phone): SoftKey[] {
  const ringing = phone.ringing.value;
  const chosen = phone.chosen.value;
  if (ringing && phone.dialled.value === '') return ringingKeys(phone, ringing);
  if (chosen && phone.transferring.value === chosen) return transferKeys(phone, chosen);
  if (phone.isTyping) return dialKeys(phone, ringing);
  if (chosen) return callKeys(phone, chosen);
  return idleKeys(phone);
}

function ringingKeys(phone: Phone, call: Call): SoftKey[] {
  return [
    { label: keys.answer, press: () => phone.answer(call), kind: 'go' },
    { label: keys.reject, press: () => phone.end(call), kind: 'stop' },
  ];
}

function transferKeys(phone: Phone, call: Call): SoftKey[] {
  const cancel = { label: keys.cancel, press: () => phone.resume(call) };
  if (phone.dialled.value === '') return [cancel];
  return [
    { label: keys.blind, press: () => phone.transferNow(), kind: 'go' },
    { label: keys.ask, press: () => phone.dial() },
    { label: keys.delete, press: () => phone.delete() },
    cancel,
  ];
}

function callKeys(phone: Phone, call: Call): SoftKey[] {
  const end: SoftKey = { label: keys.end, press: () => phone.end(call), kind: 'stop' };
  const fresh = { label: keys.newCall, press: () => phone.newCall() };
  if (call.emergency) return [end];
  if (call.state.value !== 'talking') return [{ ...end, label: keys.cancel }, fresh];
  if (isService(phone, call)) return [end, fresh];
  const other = phone.calls.value.find((one) => one !== call);
  const hold = { label: call.held.value ? keys.resume : keys.hold, press: () => holdOrResume(phone, call) };
  const transfer = { label: keys.transfer, press: () => phone.transfer(call) };
  if (!other) return [hold, fresh, transfer, end];
  const swap = { label: keys.swap, press: () => phone.resume(other) };
  // There are four. Hold and Transfer have keys of their own beside the dial pad.
  return [call.held.value ? hold : transfer, swap, fresh, end];
}

function holdOrResume(phone: Phone, call: Call): void {
  if (call.held.value) phone.resume(call);
  else phone.hold(call);
}

/** Logging in and out: nothing to hold or to send on. */
export function isService({ codes }: Pick<Phone, 'codes'>, { number }: Pick<Call, 'number'>): boolean {
  return number === codes.logIn || number === codes.logOut;
}

/** Nothing to hold or to send on: a talk with the server, an emergency call. */
export function isBare(phone: Pick<Phone, 'codes'>, call: Call): boolean {
  return call.emergency || isService(phone, call);
}

function idleKeys(phone: Phone): SoftKey[] {
  if (phone.line.state.value === 'taken') return [{ label: keys.useHere, press: () => phone.useHere() }];
  const { logIn, logOut } = phone.codes;
  const isTaken = phone.line.guest.value !== undefined;
  const face = isTaken
    ? { label: keys.logout, press: () => phone.dial(logOut) }
    : { label: keys.login, press: () => phone.dial(logIn) };
  // An ordinary phone of somebody's own has nobody to log in.
  const redial = phone.lastNumber.value === '' ? [] : [{ label: keys.redial, press: () => phone.dial() }];
  return [face, ...redial];
}

function dialKeys(phone: Phone, ringing: Call | undefined): SoftKey[] {
  const clear = { label: keys.clear, press: () => phone.clear() };
  if (phone.dialled.value === '') return [clear];
  const answer = ringing ? [{ label: keys.answer, press: () => phone.answer(ringing) }] : [];
  return [
    { label: keys.dial, press: () => phone.dial(), kind: 'go' },
    { label: keys.delete, press: () => phone.delete() },
    clear,
    ...answer,
  ];
}
