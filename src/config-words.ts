import { isIP } from 'node:net';
import { z } from 'zod';

/** The words of the configuration's schema: each says what it expects and never repeats what it got, which may be a secret. */

export function whole(from: number, to: number) {
  const error = `expected a whole number from ${from} to ${to}`;
  return z.int({ error }).min(from, { error }).max(to, { error });
}

export function text(what: string, test: RegExp | ((value: string) => boolean)) {
  const error = `expected ${what}`;
  return z
    .string({ error })
    .refine((value) => (test instanceof RegExp ? test.test(value) : test(value)), { error });
}

export function oneOf<const T extends readonly [string, ...string[]]>(...values: T) {
  return z.enum(values, { error: `expected one of ${values.join(', ')}` });
}

function isNetwork(value: string): boolean {
  const [address = '', bits, ...rest] = value.split('/');
  const family = isIP(address);
  if (family === 0 || rest.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
}

export const HOST_NAME = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/i;
export const TRUNK_URI =
  /^sips?:([^\s@<>]+@)?(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(:\d{1,5})?(;transport=(udp|tcp|tls|ws|wss))?(;lr)?$/i;

export const flag = () => z.boolean({ error: 'expected true or false' });
export const filled = () => text('some text', /\S/);
export const address = () => text('an IP address', (value) => isIP(value) > 0);
export const hostOrAddress = () =>
  text('a host name or an IP address', (value) => isIP(value) > 0 || HOST_NAME.test(value));
export const network = () => text('an IP address or a network such as 192.0.2.0/24', isNetwork);
export const port = () => whole(0, 65_535);
export const seconds = (from: number, to: number) => whole(from, to);
/** A description, and for what has no default an example to show in the example file. */
export const about = (description: string, ...examples: never[] | [unknown]) =>
  examples.length > 0 ? { description, examples } : { description };
