import { z } from 'zod';
import { about, address, network, port, text } from './config-words.ts';

/** Where the admin API is, and who may use it without an account. */
export const http = z.strictObject({
  host: address().default('127.0.0.1').meta(about('Address to bind for the admin API.')),
  port: port().default(8080).meta(about('Port to bind; 0 lets the system choose.')),
  adminToken: z
    .exactOptional(text('at least 16 characters of A-Z a-z 0-9 - . _ ~ + / =', /^(?=.{16,})[\w.~+/-]+=*$/))
    .meta(
      about(
        'Bearer token of the administrator. Absent: one is made and kept in the data folder.',
        'at-least-16-characters',
      ),
    ),
  trustedProxies: z
    .array(network(), { error: 'expected a list of addresses and networks' })
    .default([])
    .meta(
      about('Proxies in front of this server, whose X-Forwarded-For and X-Forwarded-Proto are believed.'),
    ),
});
