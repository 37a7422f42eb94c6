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
