import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadConfig } from '../../src/config.ts';
import { createLogger } from '../../src/log.ts';
import { createServer } from '../../src/server.ts';
import { registerAt } from './phones.ts';

/**
 * `npm run soak -- [calls per second] [minutes]`: calls through a whole Hotdesk, memory on the way, and all tables empty
 * 70 s after the last call.
 */
const [rate = 50, minutes = 30] = process.argv.slice(2).map(Number);
const PORT = { hotdesk: 17_066, phone: 17_072, load: 17_082 };

const data = mkdtempSync(join(tmpdir(), 'hotdesk-soak-'));
const loaded = loadConfig(
  { HOTDESK_DATA: data, LOG_LEVEL: 'warn' },
  `directory: config/demo.yaml
sip:
  listen: [{ protocol: udp, host: 127.0.0.1, port: ${PORT.hotdesk} }]
  trunks: [{ name: load, uri: "sip:127.0.0.1:9", addresses: [127.0.0.1] }]
http: { port: 0 }
`,
);
if ('problems' in loaded) throw new Error(loaded.problems.join('\n'));
const server = createServer({ config: loaded.config, logger: createLogger(loaded.config.log) });
await server.start();
await registerAt({ server: PORT.hotdesk, from: PORT.phone, host: 'u1002' });

const quiet = { stdio: 'ignore' } as const;
const phone = spawn(
  'sipp',
  ['-sn', 'uas', '-i', '127.0.0.1', '-p', String(PORT.phone), '-mp', '27100', '-nostdin'],
  quiet,
);
const calls = rate * minutes * 60;
const load = [
  '-sn',
  'uac',
  `127.0.0.1:${PORT.hotdesk}`,
  '-s',
  '1002',
  '-i',
  '127.0.0.1',
  '-p',
  String(PORT.load),
  '-mp',
  '28100',
];
const caller = spawn(
  'sipp',
  [...load, '-d', '1000', '-r', String(rate), '-m', String(calls), '-l', '5000', '-nostdin'],
  quiet,
);
const ended = new Promise<number>((resolve) => caller.once('exit', (code) => resolve(code ?? 1)));

/** Memory in MiB, and what is in the tables. */
function report(when: string): void {
  const { rss, heapUsed } = process.memoryUsage();
  const mib = (bytes: number): string => (bytes / 2 ** 20).toFixed(0);
  const full = Object.entries(server.tables()).filter(([, size]) => size > 0);
  console.log(
    `${when}: rss ${mib(rss)} MiB, heap ${mib(heapUsed)} MiB; ${full.map((entry) => entry.join(' ')).join(', ')}`,
  );
}

let code: number | undefined;
void ended.then((value) => {
  code = value;
});
for (let seconds = 30; code === undefined; seconds += 30) {
  await Promise.race([ended, sleep(30_000)]);
  report(`${seconds} s`);
}
console.log(`${calls} calls, sipp says ${code === 0 ? 'all succeeded' : `some failed (exit code ${code})`}`);
phone.kill('SIGKILL');
await sleep(70_000);
report('70 s after the last call');
const left = Object.values(server.tables()).some((size) => size > 0);
await server.stop();
rmSync(data, { recursive: true, force: true });
process.exit(code === 0 && !left ? 0 : 1);
