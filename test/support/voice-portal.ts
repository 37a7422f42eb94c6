import { type Person, SERVICES } from './demo.ts';
import type { Phone } from './phone.ts';
import { MACRO } from './phone-audio.ts';
import type { OutgoingCall } from './phone-call.ts';

/** Dials the voice portal and signs in with extension and PIN, typed ahead in one burst; the main menu is on. */
export async function enterPortal(phone: Phone, { extension, pin }: Person): Promise<OutgoingCall> {
  const call = await phone.call(SERVICES.voicePortal);
  await call.answered;
  await call.digits(`${extension}#${pin}#`, MACRO);
  await call.heard('welcome');
  return call;
}

/** As `enterPortal`, at a phone that takes the caller to be this person. */
export async function enterOwnPortal(phone: Phone, { pin }: Person): Promise<OutgoingCall> {
  const call = await phone.call(SERVICES.voicePortal);
  await call.answered;
  await call.heard('enter-pin');
  await call.digits(`${pin}#`, MACRO);
  await call.heard('welcome');
  return call;
}

/** Presses keys at a menu as somebody who knows them, and hears what comes of it. */
export async function choose(call: OutgoingCall, keys: string, prompt: string): Promise<void> {
  const { ear } = await call.media();
  const before = ear.transcript.length;
  await call.digits(keys, MACRO);
  await ear.heard(prompt, 8000, before);
}

/** Prompts that read this extension. */
export function extensionClips(extension: string): string[] {
  return [...extension].map((digit) => `digit-${digit}`);
}
