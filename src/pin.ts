import { readFile } from 'node:fs/promises';
import { isIPv6 } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { type Config, readConfig } from './config.ts';

/** `npm run pin -- 1001`: gives a person a one-time PIN, or with `--set` the PIN typed, through the running server. */

const USAGE = `Usage: npm run pin -- EXTENSION [--set] [--url URL]
  gives the user a one-time PIN, which the first login at a phone replaces
  --set      sets the PIN read from standard input instead
  --url URL  the admin API, when it is not where the configuration says`;
const REQUEST_LIMIT_MS = 10_000;
const EXIT = { ok: 0, refused: 1, usage: 2 } as const;

interface Order {
  readonly extension: string;
  readonly set: boolean;
  readonly url: string | undefined;
}

interface Answer {
  readonly status: number;
  readonly body: { passcode?: string; title?: string; errors?: readonly { readonly message: string }[] };
}

/** The command line, or undefined when it makes no sense. */
function orderOf(args: readonly string[]): Order | undefined {
  const [extension = '', ...options] = args;
  const at = options.indexOf('--url');
  const [url] = at < 0 ? [] : options.splice(at, 2).slice(1);
  const isUrl = at < 0 || (url !== undefined && URL.canParse(url));
  const isKnown = options.every((option) => option === '--set');
  return /^\d{2,8}$/.test(extension) && isUrl && isKnown
    ? { extension, set: options.includes('--set'), url }
    : undefined;
}

/** Where the configuration has the admin API listen; a server for all addresses is on loopback, too. */
function apiOf({ http: { host, port } }: Config): string {
  const reachable = { '0.0.0.0': '127.0.0.1', '::': '::1' }[host] ?? host;
  return `http://${isIPv6(reachable) ? `[${reachable}]` : reachable}:${port}`;
}

/** The administrator's token, as the server uses it. */
async function tokenOf({ http, data }: Config): Promise<string> {
  return http.adminToken ?? (await readFile(join(data, 'admin-token'), 'utf8')).trim();
}

/** One line of standard input; what is typed on a terminal does not show. */
async function readPin(): Promise<string> {
  const { stdin } = process;
  if (stdin.isTTY) process.stderr.write('New PIN: ');
  const silence = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: stdin, output: silence, terminal: stdin.isTTY === true });
  for await (const line of lines) {
    lines.close();
    if (stdin.isTTY) process.stderr.write('\n');
    return line.trim();
  }
  return '';
}

async function send(url: string, token: string, passcode: string | undefined): Promise<Answer> {
  const response = await fetch(url, {
    method: passcode === undefined ? 'POST' : 'PUT',
    headers: {
      authorization: `Bearer ${token}`,
      ...(passcode === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(passcode === undefined ? {} : { body: JSON.stringify({ passcode }) }),
    redirect: 'error',
    signal: AbortSignal.timeout(REQUEST_LIMIT_MS),
  });
  const text = await response.text();
  return { status: response.status, body: text === '' ? {} : JSON.parse(text) };
}

function tell({ extension, set }: Order, { status, body }: Answer): number {
  if (status >= 300) {
    const details = (body.errors ?? []).map(({ message }) => `  it ${message}\n`);
    process.stderr.write(`${body.title ?? `The server answers ${status}`}\n${details.join('')}`);
    return EXIT.refused;
  }
  const given = `One-time PIN of ${extension}: ${body.passcode}\nThe first login at a phone asks for a new one.`;
  process.stdout.write(`${set ? `The PIN of ${extension} is set.` : given}\n`);
  return EXIT.ok;
}

async function run(order: Order): Promise<number> {
  const loaded = await readConfig();
  if ('problems' in loaded) throw new Error(`The configuration is not valid: ${loaded.problems.join('; ')}`);
  const token = await tokenOf(loaded.config);
  const base = order.url ?? apiOf(loaded.config);
  const passcode = order.set ? await readPin() : undefined;
  const url = `${base.replace(/\/+$/, '')}/api/v1/users/${order.extension}/passcode`;
  return tell(order, await send(url, token, passcode));
}

/** Why there is no answer, in words that hold nothing of what was sent. */
function sentence(error: unknown): string {
  const { code, cause, message } = error as NodeJS.ErrnoException & { cause?: NodeJS.ErrnoException };
  if (code === 'ENOENT')
    return 'There is no admin token in the data folder: has the server been started here?';
  return cause?.code === undefined ? message : `The server cannot be reached (${cause.code}).`;
}

async function main(args: readonly string[]): Promise<number> {
  const order = orderOf(args);
  if (!order) {
    process.stderr.write(`${USAGE}\n`);
    return EXIT.usage;
  }
  try {
    return await run(order);
  } catch (error) {
    process.stderr.write(`${sentence(error)}\n`);
    return EXIT.refused;
  }
}

process.exitCode = await main(process.argv.slice(2));
