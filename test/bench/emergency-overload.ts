import { spawn } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SipText } from '../support/sip-text.ts';
import { Line, registerAt, request } from './phones.ts';
import { percentile, Served } from './process.ts';

/**
 * `node --import tsx test/bench/emergency-overload.ts [rate] [seconds] [number] [ack]`: emergency calls at five a second
 * while INVITEs come at `rate`, about ten times what the node can carry. Wire to wire, retransmissions included.
 */
const [rate = 10_000, seconds = 15] = process.argv.slice(2, 4).map(Number);
const number = process.argv[4] ?? '01632960000';
const ack = process.argv[5] ?? '';
const PORT = { hotdesk: 17_162, psap: 17_163, phone: 17_170 };
const SDP =
  'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8 101\r\n';

/** Answers every call, and notes when its INVITE came, by the number of the call. */
function startPsap(arrivals: Map<string, number>): Promise<Socket> {
  const socket = createSocket('udp4');
  socket.on('message', (data, from) => {
    const message = new SipText(data.toString('latin1'));
    const { method } = message;
    if (message.status !== undefined || method === 'ACK') return;
    if (method === 'INVITE') {
      const id = /a=call:(\S+)/.exec(message.body)?.[1] ?? '';
      if (!arrivals.has(id)) arrivals.set(id, performance.now());
    }
    const copied = ['Via', 'From', 'Call-ID', 'CSeq'].flatMap((name) =>
      message.headers(name).map((v) => `${name}: ${v}`),
    );
    const to = message.header('To');
    const tagged = /;tag=/.test(to) ? to : `${to};tag=psap${arrivals.size}`;
    const body = method === 'INVITE' ? SDP : '';
    const rest = body === '' ? [] : ['Content-Type: application/sdp'];
    const lines = [
      'SIP/2.0 200 OK',
      ...copied,
      `To: ${tagged}`,
      `Contact: <sip:psap@127.0.0.1:${PORT.psap}>`,
      ...rest,
    ];
    socket.send([...lines, `Content-Length: ${body.length}`, '', body].join('\r\n'), from.port, from.address);
  });
  return new Promise((resolve) => socket.bind(PORT.psap, '127.0.0.1', () => resolve(socket)));
}

/** Dials until there is any answer, as a phone does: again after 0.5 s, 1 s, 2 s, 4 s. */
async function dial(line: Line, id: string, answered: Set<string>): Promise<void> {
  const parts = { line, method: 'INVITE', user: '999', host: 'cp0004f2000001', callId: id, seq: 1 };
  const text = request({ ...parts, body: `${SDP}a=call:${id}\r\n` });
  let heard = false;
  line.on(id, (message) => {
    heard = true;
    if (message.status !== 200 || answered.has(id)) return;
    answered.add(id);
    const tag = /;tag=([^;]+)/.exec(message.header('To'))?.[1] ?? '';
    line.send(request({ ...parts, method: 'ACK', toTag: tag }));
    line.send(request({ ...parts, method: 'BYE', seq: 2, toTag: tag }));
  });
  for (const wait of [500, 1000, 2000, 4000, 8000]) {
    line.send(text);
    await sleep(wait);
    if (heard) return;
  }
}

const folder = mkdtempSync(join(tmpdir(), 'hotdesk-overload-'));
const config = join(folder, 'hotdesk.yaml');
writeFileSync(
  config,
  [
    `data: ${join(folder, 'data')}`,
    'directory: config/demo.yaml',
    'sip:',
    `  listen: [{ protocol: udp, host: 127.0.0.1, port: ${PORT.hotdesk} }]`,
    `  trunks: [{ name: sos, uri: "sip:127.0.0.1:${PORT.psap}", addresses: [127.0.0.99], emergency: true }]`,
    'http: { port: 0 }',
    'log: { level: error }',
    '',
  ].join('\n'),
);
const arrivals = new Map<string, number>();
const psap = await startPsap(arrivals);
const hotdesk = await Served.start('src/main.ts', {
  env: { HOTDESK_CONFIG: config },
  ready: 'Hotdesk is ready',
});
await registerAt({ server: PORT.hotdesk, from: PORT.phone, host: 'cp0004f2000001' });
const line = await new Line(PORT.hotdesk).open(PORT.phone);

const args = [
  '--import',
  'tsx',
  'test/bench/flood.ts',
  String(PORT.hotdesk),
  String(rate),
  String(seconds),
  number,
  ack,
];
const flood = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
let floodSays = '';
const floodEnded = new Promise<void>((resolve) => flood.once('exit', () => resolve()));
await new Promise<void>((resolve) =>
  flood.stdout.on('data', (data: Buffer) => {
    floodSays += data.toString();
    if (floodSays.includes('flowing')) resolve();
  }),
);

const sentAt = new Map<string, number>();
const answered = new Set<string>();
const calls: Promise<void>[] = [];
const cpuBefore = hotdesk.cpu();
for (let i = 0; i < (seconds - 2) * 5; i++) {
  const id = `sos-${i}`;
  sentAt.set(id, performance.now());
  calls.push(dial(line, id, answered));
  await sleep(200);
}
await floodEnded;
const cpu = hotdesk.cpu() - cpuBefore;
await Promise.all(calls);
await sleep(500);

const times = [...sentAt].flatMap(([id, at]) => {
  const arrived = arrivals.get(id);
  return arrived === undefined ? [] : [arrived - at];
});
const ms = (share: number): string => percentile(times, share).toFixed(0);
const { sent, statuses } = JSON.parse(floodSays.split('\n')[1] ?? '{}');
console.log(
  `${sent} INVITEs in ${seconds} s (${Math.round(sent / seconds)}/s) to ${number}; answers ${JSON.stringify(statuses)}`,
);
console.log(`CPU of the node ${(cpu / seconds).toFixed(2)} cores, memory ${hotdesk.memory().toFixed(0)} MiB`);
console.log(`emergency calls: ${sentAt.size} placed, ${times.length} delivered, ${answered.size} answered`);
console.log(`wire to wire: p50 ${ms(0.5)} ms, p90 ${ms(0.9)} ms, p99 ${ms(0.99)} ms, longest ${ms(1)} ms`);
await hotdesk.stop();
psap.close();
line.socket.close();
rmSync(folder, { recursive: true, force: true });
process.exit(times.length === sentAt.size && percentile(times, 0.99) <= 250 ? 0 : 1);
