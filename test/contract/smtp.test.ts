import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, describe, expect, test } from 'vitest';
import { createSmtp, type Mail, type SmtpSettings } from '../../src/services/emergency-notices/smtp.ts';
import {
  MailServer,
  type MailServerOptions,
  mailBody,
  mailHeader,
  type ReceivedMail,
  SilentServer,
} from '../support/mail-server.ts';

/** Mail, as a real SMTP server on loopback gets it. */

const PASSWORD = 'correct-horse-battery';
const CREDENTIALS = { username: 'hotdesk', password: PASSWORD };
const MAIL: Mail = {
  id: 'emergency.7.placed',
  to: ['security@example.com', 'reception@example.com'],
  subject: 'EMERGENCY CALL 999 from Reception desk, Ground floor, 10 Example Street, London',
  body: 'First line\n\nÄddress: 10 Example Street\n.\nLast line\n',
};

const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

async function serve(options: MailServerOptions = {}): Promise<{ server: MailServer; port: number }> {
  const server = new MailServer(options);
  const port = await server.start();
  stops.push(() => server.stop());
  return { server, port };
}

function settings(port: number, differs: Partial<SmtpSettings> = {}): SmtpSettings {
  return { host: '127.0.0.1', port, tls: 'none', from: 'Hot desk <hotdesk@example.com>', ...differs };
}

function send(port: number, differs: { settings?: Partial<SmtpSettings>; mail?: Partial<Mail> } = {}) {
  return createSmtp(settings(port, differs.settings))(
    { ...MAIL, ...differs.mail },
    new AbortController().signal,
  );
}

function only(server: MailServer): ReceivedMail {
  expect(server.mails).toHaveLength(1);
  return server.mails[0]!;
}

describe('a mail', () => {
  test('arrives as written, for all at once', async () => {
    const { server, port } = await serve();
    expect(await send(port)).toEqual({ taken: MAIL.to, problem: undefined });
    const mail = only(server);
    expect(mail).toMatchObject({ from: 'hotdesk@example.com', to: MAIL.to, user: undefined });
    expect(mailHeader(mail, 'Subject')).toBe(MAIL.subject);
    expect(mailHeader(mail, 'From')).toMatch(/^"?Hot desk"? <hotdesk@example.com>$/);
    expect(mailHeader(mail, 'To')).toBe('security@example.com, reception@example.com');
    expect(mailHeader(mail, 'Message-ID')).toBe('<emergency.7.placed@example.com>');
    expect(mailHeader(mail, 'Auto-Submitted')).toBe('auto-generated');
    expect(mailHeader(mail, 'Content-Type')).toBe('text/plain; charset=utf-8');
    expect(mailBody(mail).replaceAll('\r\n', '\n').trimEnd()).toBe(MAIL.body.trimEnd());
  });

  test('that goes on from another says so', async () => {
    const { server, port } = await serve();
    await send(port, { mail: { id: 'emergency.7.failed', follows: MAIL.id } });
    expect(mailHeader(only(server), 'In-Reply-To')).toBe('<emergency.7.placed@example.com>');
    expect(mailHeader(only(server), 'References')).toBe('<emergency.7.placed@example.com>');
  });

  test('gets no further header, recipient or command from what somebody typed', async () => {
    const { server, port } = await serve();
    const subject = 'x\r\nBcc: thief@example.org\r\n\r\nbody';
    const to = ['a@example.com', 'b@example.com, c@example.com', 'd@example.com>\r\nRCPT TO:<e@example.com'];
    await send(port, { mail: { subject, to } });
    for (const mail of server.mails) {
      expect(mail.text.split('\r\n\r\n', 1)[0]).not.toMatch(/^bcc:/im);
      expect(mail.to).not.toContain('e@example.com');
      expect(mail.to).not.toContain('c@example.com');
      expect(mail.to).not.toContain('thief@example.org');
    }
  });

  test('is taken for some and not for others', async () => {
    const { server, port } = await serve();
    server.refuse = (address) => (address.startsWith('reception') ? 550 : undefined);
    const { taken, problem } = await send(port);
    expect(taken).toEqual(['security@example.com']);
    expect(problem).toMatch(/does not take mail for this address/);
    expect(only(server).to).toEqual(['security@example.com']);
  });

  test('is taken for an address however its domain is written, and not for one that is refused so', async () => {
    const { server, port } = await serve();
    server.refuse = (address) => (/^ne?[io]/.test(address) ? 550 : undefined);
    const to = ['Yes@Example.COM', 'ja@bücher.example', 'no@Example.COM', 'nein@bücher.example'];
    expect((await send(port, { mail: { to } })).taken).toEqual(['Yes@Example.COM', 'ja@bücher.example']);
  });

  test.each([450, 550])('is taken for nobody: %i', async (status) => {
    const { server, port } = await serve();
    server.refuse = () => status;
    const { taken, problem } = await send(port);
    expect(taken).toEqual([]);
    expect(problem).toBe(`the mail server refuses the sender or every recipient (EENVELOPE, ${status})`);
  });

  test('is refused as a whole, and taken the next time', async () => {
    const { server, port } = await serve();
    server.trouble.push(451);
    expect(await send(port)).toEqual({
      taken: [],
      problem: 'the mail server refuses the message (EMESSAGE, 451)',
    });
    expect((await send(port)).taken).toEqual(MAIL.to);
  });
});

describe('login', () => {
  test('with the right password', async () => {
    const { server, port } = await serve({ credentials: CREDENTIALS });
    expect((await send(port, { settings: CREDENTIALS })).taken).toEqual(MAIL.to);
    expect(only(server).user).toBe('hotdesk');
  });

  test('with a wrong one: no word of it comes back, though the server repeats it', async () => {
    const { server, port } = await serve({ credentials: { ...CREDENTIALS, password: 'other' } });
    const result = await send(port, { settings: CREDENTIALS });
    expect(result).toEqual({ taken: [], problem: 'the mail server refuses the login (EAUTH, 535)' });
    expect(server.mails).toEqual([]);
  });

  test('without one, where the server wants one', async () => {
    const { port } = await serve({ credentials: CREDENTIALS });
    expect((await send(port)).taken).toEqual([]);
  });
});

describe('TLS', () => {
  test('STARTTLS with a certificate nobody trusts is refused, and the password stays here', async () => {
    const { server, port } = await serve({ tls: 'starttls', credentials: CREDENTIALS });
    const { taken, problem } = await send(port, { settings: { tls: 'starttls', ...CREDENTIALS } });
    expect(taken).toEqual([]);
    expect(problem).toMatch(/^no secure connection to the mail server.*certificate/);
    expect(server.mails).toEqual([]);
  });

  test('a server without STARTTLS is not spoken to in clear', async () => {
    const { server, port } = await serve({ credentials: CREDENTIALS });
    const { taken, problem } = await send(port, { settings: { tls: 'starttls', ...CREDENTIALS } });
    expect(taken).toEqual([]);
    expect(problem).toMatch(/^no secure connection to the mail server \(ETLS/);
    expect(server.mails).toEqual([]);
  });

  test('TLS from the start with a certificate nobody trusts is refused', async () => {
    const { server, port } = await serve({ tls: 'tls' });
    const { taken, problem } = await send(port, { settings: { tls: 'tls' } });
    expect(taken).toEqual([]);
    expect(problem).toMatch(/^no secure connection to the mail server/);
    expect(server.mails).toEqual([]);
  });

  test('TLS wanted of a server that speaks none', async () => {
    const { port } = await serve();
    expect((await send(port, { settings: { tls: 'tls' } })).taken).toEqual([]);
  });

  test.each(['starttls', 'tls'] as const)('%s with a certificate the system trusts', async (tls) => {
    const { key, cert, file } = await selfSigned();
    const { server, port } = await serve({ tls, key, cert, credentials: CREDENTIALS });
    const result = await sendTrusting(file, {
      ...settings(port, { host: 'localhost', tls }),
      ...CREDENTIALS,
    });
    expect(result).toEqual({ taken: MAIL.to });
    expect(only(server)).toMatchObject({ secure: true, user: 'hotdesk' });
  });
});

describe('a server that', () => {
  test('takes no connection', async () => {
    const { server, port } = await serve();
    await server.stop();
    stops.length = 0;
    expect((await send(port)).problem).toMatch(/^the mail server takes no connection \(/);
  });

  test('is not there by name', async () => {
    const { problem } = await send(25, { settings: { host: 'nowhere.invalid' } });
    expect(problem).toMatch(
      /^the mail server’s name is not known \(|^the mail server does not answer in time/,
    );
  });

  test('accepts and never answers is left as soon as that is wished, with nothing open', async () => {
    const silent = new SilentServer();
    const port = await silent.start();
    stops.push(() => silent.stop());
    const enough = new AbortController();
    const sent = createSmtp(settings(port))(MAIL, enough.signal);
    await expect.poll(() => silent.connections).toBe(1);
    const began = performance.now();
    enough.abort();
    expect(await sent).toEqual({ taken: [], problem: 'no answer in time' });
    expect(performance.now() - began).toBeLessThan(1_000);
    await expect.poll(() => silent.open).toBe(0);
  });

  test('accepts and never answers is given up without any wish after five seconds', async () => {
    const silent = new SilentServer();
    const port = await silent.start();
    stops.push(() => silent.stop());
    const began = performance.now();
    const { problem } = await send(port);
    expect(problem).toMatch(/^the mail server does not answer in time \(/);
    expect(performance.now() - began).toBeLessThan(8_000);
    await expect.poll(() => silent.open).toBe(0);
  });
});

const run = promisify(execFile);

async function selfSigned(): Promise<{ key: string; cert: string; file: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'hotdesk-smtp-'));
  stops.push(() => rm(folder, { recursive: true, force: true }));
  const script = `
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost \
      -addext subjectAltName=DNS:localhost -keyout "$1/key.pem" -out "$1/cert.pem" 2>/dev/null
    cat "$1/key.pem" "$1/cert.pem"`;
  const { stdout } = await run('sh', ['-c', script, 'sh', folder]);
  const pem = (name: string): string =>
    new RegExp(`-----BEGIN ${name}-----[\\s\\S]*?-----END ${name}-----\\n`).exec(stdout)?.[0] ?? '';
  return { key: pem('PRIVATE KEY'), cert: pem('CERTIFICATE'), file: join(folder, 'cert.pem') };
}

/** In a process of its own: whom the system trusts is read when a process starts. */
async function sendTrusting(ca: string, smtp: SmtpSettings): Promise<unknown> {
  const module = new URL('../../src/services/emergency-notices/smtp.ts', import.meta.url).href;
  const file = `${ca}.mjs`;
  const text = `import { createSmtp } from ${JSON.stringify(module)};
    const sent = createSmtp(${JSON.stringify(smtp)})(${JSON.stringify(MAIL)}, new AbortController().signal);
    process.stdout.write(JSON.stringify(await sent));`;
  await writeFile(file, text);
  const env = { ...process.env, NODE_EXTRA_CA_CERTS: ca };
  const tsx = import.meta.resolve('tsx');
  const { stdout } = await run(process.execPath, ['--import', tsx, file], { env });
  return JSON.parse(stdout);
}
