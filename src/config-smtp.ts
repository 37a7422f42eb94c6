import { z } from 'zod';
import { about, filled, hostOrAddress, oneOf, text, whole } from './config-words.ts';

const ADDRESS = String.raw`[^\s@<>()[\]\\,;:"]{1,64}@[^\s@<>()[\]\\,;:"]{1,253}`;
const EMAIL = new RegExp(`^${ADDRESS}$`);
/** Without quotes and line breaks: it becomes a header. */
const SENDER = new RegExp(`^(?:[^<>",;:@\\p{Cc}]{0,100}<${ADDRESS}>|${ADDRESS})$`, 'u');

/** Mail server for notices of emergency calls. */
export const smtp = z
  .strictObject({
    host: hostOrAddress().meta(about('Mail server (SMTP).')),
    port: whole(1, 65_535).default(587).meta(about('Its port.')),
    tls: oneOf('none', 'starttls', 'tls')
      .default('starttls')
      .meta(about('STARTTLS and never without it, TLS from the start (port 465), or none at all.')),
    username: z.exactOptional(filled()).meta(about('User name, where the server wants one.')),
    password: z.exactOptional(filled()).meta(about('Password.')),
    from: text('an e-mail address, or a name and <address>', SENDER).meta(about('Sender.')),
    to: z
      .array(text('an e-mail address', EMAIL), { error: 'expected a list of e-mail addresses' })
      .max(50, { error: 'expected at most 50 addresses' })
      .default([])
      .meta(about('Told of every emergency call, besides the contacts of each site.')),
  })
  .superRefine(({ username, password }, context) => {
    if ((username === undefined) === (password === undefined)) return;
    const [path, message] =
      username === undefined
        ? ['username', 'expected one, as there is a password']
        : ['password', 'expected one, as there is a user name'];
    context.addIssue({ code: 'custom', path: [path], message });
  });

export const SMTP_EXAMPLE = {
  host: 'smtp.example.com',
  port: 587,
  tls: 'starttls',
  username: 'hotdesk',
  password: '(password)',
  from: 'Hot desk <hotdesk@example.com>',
  to: ['security@example.com'],
};
