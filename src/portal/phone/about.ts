import type { z } from 'zod';
import type { webPhone } from '../../http/web-phone-schemas.ts';

/** What the server says of phones in browsers (`GET /api/v1/web-phone`). */
export type About = z.output<typeof webPhone>;

/** @throws Error when the server does not answer, or not as it should */
export async function readAbout(): Promise<About | 'off'> {
  const response = await fetch('/api/v1/web-phone', { headers: { accept: 'application/json' } });
  if (response.status === 404) return 'off';
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  return (await response.json()) as About;
}

export interface PhoneIdentity {
  readonly id: string;
  readonly password: string;
  /** On the line key while nobody is there. */
  readonly nickname: string;
  readonly model: string;
  readonly kind: 'commonArea' | 'user';
  /** Whose own phone it is. */
  readonly ownerName: string | undefined;
  /** Of the place it stands at; undefined: not known, and the browser's own is shown. */
  readonly timeZone: string | undefined;
}

export interface Network {
  readonly url: string;
  readonly domain: string;
  readonly featureAccessCodes: { readonly logIn: string; readonly logOut: string };
  readonly isEmergency: (number: string) => boolean;
  readonly nameOf: (extension: string) => string | undefined;
}
