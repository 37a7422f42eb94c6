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
  if (ringing) return ringingKeys(phone, ringing);
  if (chosen && phone.transferring.value === chosen) return transferKeys(phone, chosen);
  if (chosen) return callKeys(phone, chosen);
  return phone.dialled.value === '' ? idleKeys(phone) : dialKeys(phone);
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
  if (call.state.value !== 'talking') return [{ ...end, label: keys.cancel }];
  if (isService(phone, call)) return [end];
  const other = phone.calls.value.find((one) => one !== call);
  const hold = { label: call.held.value ? keys.resume : keys.hold, press: () => holdOrResume(phone, call) };
  const transfer = { label: keys.transfer, press: () => phone.transfer(call) };
  const swap = other ? [{ label: keys.swap, press: () => phone.resume(other) }] : [];
  return [hold, transfer, ...swap, end];
}

function holdOrResume(phone: Phone, call: Call): void {
  if (call.held.value) phone.resume(call);
  else phone.hold(call);
}

/** Logging in and out: nothing to hold or to send on. */
export function isService({ codes }: Pick<Phone, 'codes'>, { number }: Pick<Call, 'number'>): boolean {
  return number === codes.logIn || number === codes.logOut;
}

function idleKeys(phone: Phone): SoftKey[] {
  const { logIn, logOut } = phone.codes;
  const isTaken = phone.line.guest.value !== undefined;
  const face = isTaken
    ? { label: keys.logout, press: () => phone.dial(logOut) }
    : { label: keys.login, press: () => phone.dial(logIn) };
  // An ordinary phone of somebody's own has nobody to log in.
  const redial = phone.lastNumber.value === '' ? [] : [{ label: keys.redial, press: () => phone.dial() }];
  return [face, ...redial];
}

function dialKeys(phone: Phone): SoftKey[] {
  return [
    { label: keys.dial, press: () => phone.dial(), kind: 'go' },
    { label: keys.delete, press: () => phone.delete() },
    { label: keys.clear, press: () => phone.clear() },
  ];
}
