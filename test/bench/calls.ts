import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { registerAt } from './phones.ts';
import { median, Served } from './process.ts';

/** UDP ports of this benchmark, all on loopback. */
const PORT = { bare: 17_060, hotdesk: 17_062, phone: 17_070, load: 17_080 };
const ROUNDS = 3;
const HELD_MS = 500;

interface Round {
  readonly cpuPerCall: number;
  readonly failed: number;
  readonly retransmitted: number;
}

/**
 * CPU per B2BUA call and the rate without loss, against drachtio-srf's bare createB2BUA on the same engine in the same
 * run. A call comes from a trunk and rings a registered phone: the path of every inbound call.
 */
export async function benchCalls(rate: number, seconds: number): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), 'hotdesk-bench-'));
  const bare = await Served.start('test/bench/bare-b2bua.ts', {
    args: [String(PORT.bare), `sip:u1002@127.0.0.1:${PORT.phone}`],
    ready: 'ready',
  });
  const hotdesk = await startHotdesk(folder);
  let phone: ReturnType<typeof sipp> | undefined;
  try {
    await registerAt({ server: PORT.hotdesk, from: PORT.phone, host: 'u1002' });
    phone = sipp(['-sn', 'uas', '-i', '127.0.0.1', '-p', String(PORT.phone), '-mp', '27000']);
    const results = { bare: [] as Round[], hotdesk: [] as Round[] };
    await round(bare, { port: PORT.bare, rate, seconds: 3 });
    await round(hotdesk, { port: PORT.hotdesk, rate, seconds: 3 });
    for (let i = 0; i < ROUNDS; i++) {
      results.bare.push(await round(bare, { port: PORT.bare, rate, seconds }));
      results.hotdesk.push(await round(hotdesk, { port: PORT.hotdesk, rate, seconds }));
    }
    const cpu = (rounds: Round[]): number => median(rounds.map(({ cpuPerCall }) => cpuPerCall)) * 1000;
    const ratio = cpu(results.hotdesk) / cpu(results.bare);
    const lost = [...results.bare, ...results.hotdesk].reduce((sum, { failed }) => sum + failed, 0);
    console.log(`B2BUA calls at ${rate}/s, ${ROUNDS} rounds of ${seconds} s: CPU per call`);
    console.log(`  bare drachtio-srf  ${cpu(results.bare).toFixed(2)} ms`);
    console.log(
      `  Hotdesk            ${cpu(results.hotdesk).toFixed(2)} ms, ${ratio.toFixed(2)} times (target: 1.3 at most)`,
    );
    console.log(`  calls lost         ${lost}; Hotdesk's memory ${hotdesk.memory().toFixed(0)} MiB`);
    console.log(
      `  without loss       bare ${await topRate(bare, PORT.bare)}/s, Hotdesk ${await topRate(hotdesk, PORT.hotdesk)}/s`,
    );
    return ratio <= 1.3 && lost === 0;
  } finally {
    phone?.kill();
    await Promise.all([bare.stop(), hotdesk.stop()]);
    rmSync(folder, { recursive: true, force: true });
  }
}

function startHotdesk(folder: string): Promise<Served> {
  const config = join(folder, 'hotdesk.yaml');
  const lines = [
    `data: ${join(folder, 'data')}`,
    'directory: config/demo.yaml',
    'sip:',
    `  listen: [{ protocol: udp, host: 127.0.0.1, port: ${PORT.hotdesk} }]`,
    '  trunks: [{ name: load, uri: "sip:127.0.0.1:9", addresses: [127.0.0.1] }]',
    'http: { port: 0 }',
    'log: { level: warn }',
  ];
  writeFileSync(config, `${lines.join('\n')}\n`);
  return Served.start('src/main.ts', { env: { HOTDESK_CONFIG: config }, ready: 'Hotdesk is ready' });
}

/** The highest rate, in steps of 50/s, at which 4 s of calls all succeed with almost no retransmission. */
async function topRate(server: Served, port: number): Promise<number> {
  let best = 0;
  for (let rate = 100; rate <= 600; rate += 50) {
    const { failed, retransmitted } = await round(server, { port, rate, seconds: 4 });
    if (failed > 0 || retransmitted > rate / 25) break;
    best = rate;
  }
  return best;
}

async function round(server: Served, load: { port: number; rate: number; seconds: number }): Promise<Round> {
  const calls = load.rate * load.seconds;
  const before = server.cpu();
  const limits = ['-r', String(load.rate), '-m', String(calls), '-d', String(HELD_MS), '-l', '3000'];
  const caller = await sipp([
    '-sn',
    'uac',
    `127.0.0.1:${load.port}`,
    '-s',
    '1002',
    '-i',
    '127.0.0.1',
    '-p',
    String(PORT.load),
    '-mp',
    '28000',
    ...limits,
  ]).ended;
  const used = server.cpu() - before;
  return { cpuPerCall: used / calls, failed: failedCalls(caller), retransmitted: retransmissions(caller) };
}

function sipp(args: readonly string[]): { ended: Promise<string>; kill(): void } {
  const child = spawn('sipp', [...args, '-nostdin', '-timeout', '600s'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let output = '';
  child.stdout.on('data', (data: Buffer) => {
    output = (output + data.toString('latin1')).slice(-20_000);
  });
  const ended = new Promise<string>((resolve) => child.once('exit', () => resolve(output)));
  return { ended, kill: () => void child.kill('SIGKILL') };
}

/** From SIPp's last screen: cumulative column. */
function failedCalls(screen: string): number {
  return Number([...screen.matchAll(/Failed call\s*\|\s*\d+\s*\|\s*(\d+)/g)].at(-1)?.[1] ?? Number.NaN);
}

/** Retransmissions of the caller's INVITE, ACK and BYE. */
function retransmissions(screen: string): number {
  const last = screen.lastIndexOf('Messages  Retrans');
  const rows = [...screen.slice(last).matchAll(/(?:INVITE|ACK|BYE) -+>\s+\d+\s+(\d+)/g)];
  return rows.reduce((sum, [, count]) => sum + Number(count), 0);
}
