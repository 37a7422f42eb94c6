import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { passwordOf } from '../test/support/demo.ts';
import type { Endpoint } from '../test/support/wire.ts';

/** One run of SIPp as a phone. */
export interface SippRun {
  /** File name without `.xml`. */
  readonly file: string;
  /** SIP user of the phone; its demo password is used. */
  readonly phone: string;
  readonly server: Endpoint;
  readonly domain: string;
  /** User part to dial. */
  readonly dial?: string;
  readonly protocol?: 'udp' | 'tcp';
  /** Address it runs at, 127.0.0.1 by default. */
  readonly host?: string;
  readonly port: number;
  readonly mediaPort: number;
  /** Where SIPp writes its files and finds recordings. */
  readonly folder: string;
}

const LIMIT_SECONDS = 60;

/** Runs a scenario once. Undefined when it went as written, else what SIPp had to say. */
export async function runSipp(run: SippRun): Promise<string | undefined> {
  const { code, output } = await execute(argumentsOf(run), run.folder);
  if (code === 0) return undefined;
  const errors = await written(run, 'err');
  const why = errors || output.trim().split('\n').at(-1) || 'no word';
  return `sipp ended with ${code}: ${why}\n${await written(run, 'talk')}`;
}

function argumentsOf(run: SippRun): string[] {
  const { server, phone, domain, host = '127.0.0.1' } = run;
  const scenario = new URL(`${run.file}.xml`, import.meta.url).pathname;
  return [
    `${server.host}:${server.port}`,
    ...['-sf', scenario, '-m', '1', '-s', run.dial ?? phone],
    ...['-i', host, '-p', String(run.port), '-mi', host, '-mp', String(run.mediaPort)],
    ...['-t', run.protocol === 'tcp' ? 't1' : 'u1'],
    ...['-key', 'phone', phone, '-key', 'domain', domain, '-au', phone, '-ap', passwordOf(phone)],
    ...['-nostdin', '-trace_err', '-error_file', `${run.file}.err`],
    // First lines only: what proves a phone is in none.
    ...['-trace_shortmsg', '-shortmessage_file', `${run.file}.talk`],
    ...['-timeout', String(LIMIT_SECONDS), '-timeout_error'],
  ];
}

function execute(args: string[], cwd: string): Promise<{ code: number | string; output: string }> {
  return new Promise((resolve) => {
    const child = spawn('sipp', args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (data: Buffer) => {
        output = (output + data.toString('utf8')).slice(-4000);
      });
    }
    const limit = setTimeout(() => child.kill('SIGKILL'), (LIMIT_SECONDS + 10) * 1000);
    child.once('error', (error) => resolve({ code: error.message, output }));
    child.once('close', (code, signal) => {
      clearTimeout(limit);
      resolve({ code: code ?? signal ?? 'nothing', output });
    });
  });
}

/** How a file of SIPp's begins: `err`: what was expected, what came instead; `talk`: what was sent (S) and received (R), and when. */
async function written({ folder, file }: SippRun, ending: 'err' | 'talk'): Promise<string> {
  const text = await readFile(join(folder, `${file}.${ending}`), 'utf8').catch(() => '');
  return text.slice(0, 1500).trim();
}
