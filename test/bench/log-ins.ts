import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { stringify } from 'yaml';
import { RtpPeer } from '../support/rtp-peer.ts';
import type { SipText } from '../support/sip-text.ts';
import { answerTo, Line, request } from './phones.ts';
import { median, percentile, Served } from './process.ts';

const SIP_PORT = 17_064;
const SOFT_KEY = { onMs: 50, gapMs: 50, payloadType: 101 };

/**
 * Login time: from the last digit on the wire to the association in the store's log, PIN hash, guess counters and
 * fsync included. Real SIP with digest, real RTP events, as a soft key sends them.
 */
export async function benchLogIns({ rate, seconds }: { rate: number; seconds: number }): Promise<boolean> {
  const count = rate * seconds;
  const folder = mkdtempSync(join(tmpdir(), 'hotdesk-bench-'));
  const hotdesk = await startHotdesk(folder, count);
  const line = await new Line(SIP_PORT).open();
  const log = new Redis({ path: join(folder, 'data/redis/redis.sock'), protocol: 2 });
  try {
    const acknowledged = new Map<string, number>();
    const watching = watchLog(log, acknowledged);
    const typed = new Map<string, number>();
    const phones: Promise<void>[] = [];
    for (let i = 0; i < count; i++) {
      phones.push(
        logIn(line, i, typed).catch((error: unknown) => console.log(`login ${i}: ${String(error)}`)),
      );
      await sleep(1000 / rate);
    }
    await Promise.all(phones);
    await sleep(500);
    const times = [...acknowledged].map(([guest, at]) => at - (typed.get(guest) ?? Number.NaN));
    const p99 = percentile(times, 0.99);
    console.log(`Logins at ${rate}/s for ${seconds} s: last digit to association in the log`);
    console.log(
      `  ${times.length} of ${count} logged in; median ${median(times).toFixed(0)} ms, p99 ${p99.toFixed(0)} ms (target: 150)`,
    );
    log.disconnect();
    await watching;
    return times.length === count && p99 <= 150;
  } finally {
    log.disconnect();
    line.socket.close();
    await hotdesk.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function startHotdesk(folder: string, count: number): Promise<Served> {
  const config = join(folder, 'hotdesk.yaml');
  const directory = join(folder, 'directory.yaml');
  writeFileSync(directory, stringify(manyPeople(count), { aliasDuplicateObjects: false }));
  const settings = {
    company: 'bench',
    data: join(folder, 'data'),
    directory,
    sip: { listen: [{ protocol: 'udp', host: '127.0.0.1', port: SIP_PORT }] },
    media: { ports: { from: 38_000, to: 39_000 } },
    http: { port: 0 },
    log: { level: 'warn' },
  };
  writeFileSync(config, stringify(settings));
  return Served.start('src/main.ts', { env: { HOTDESK_CONFIG: config }, ready: 'Hotdesk is ready' });
}

const extensionOf = (i: number): string => String(20_000 + i);
const pinOf = (i: number): string => String(704_913 + i * 37);
const hostOf = (i: number): string => `cp0004f2${i.toString(16).padStart(6, '0')}`;

function manyPeople(count: number): object {
  const people = Array.from({ length: count }, (_, i) => i);
  const address = {
    customerName: 'Bench',
    houseNumber: '1',
    street: 'Bench Row',
    city: 'Leeds',
    postcode: 'LS1 1AA',
    country: 'GB',
  };
  const user = (i: number): object => ({
    name: `Person ${i}`,
    site: 'here',
    callerId: '+441134960200',
    hotDeskLicence: true,
    passcode: pinOf(i),
  });
  const host = (i: number): object => ({
    kind: 'commonArea',
    nickname: `Desk ${i}`,
    site: 'here',
    model: 'VVX 411',
    sipPassword: `demo-${hostOf(i)}`,
    address,
  });
  return {
    company: { id: 'bench', name: 'Bench', country: 'GB', hotDeskLicences: count },
    sites: { here: { name: 'Here', timeZone: 'Europe/London', callbackNumber: '+441134960200' } },
    users: Object.fromEntries(people.map((i) => [extensionOf(i), user(i)])),
    hosts: Object.fromEntries(people.map((i) => [hostOf(i), host(i)])),
  };
}

/** Notes when each guest's start event could be read from the log, ms of `performance.now()`, until disconnected. */
async function watchLog(redis: Redis, seen: Map<string, number>): Promise<void> {
  let from = '0';
  while (redis.status !== 'end') {
    const reply = await redis.xread('BLOCK', 1000, 'STREAMS', 'hd:{bench}:ev', from).catch(() => undefined);
    const now = performance.now();
    for (const [id, fields] of reply?.[0]?.[1] ?? []) {
      from = id;
      const names = fields.filter((_, i) => i % 2 === 0);
      const field = (name: string): string => fields[2 * names.indexOf(name) + 1] ?? '';
      if (field('kind') === 'start') seen.set(field('guest'), now);
    }
  }
}

/** One phone: dials `*90`, types both fields in one burst each, notes when the last key went down. */
async function logIn(line: Line, i: number, typed: Map<string, number>): Promise<void> {
  const host = hostOf(i);
  const callId = `log-in-${i}`;
  const rtp = await RtpPeer.open(0, { eventType: SOFT_KEY.payloadType });
  const messages = inbox(line, callId);
  const parts = { line, user: '*90', host, callId, body: offer(rtp.port) };
  line.send(request({ ...parts, method: 'INVITE', seq: 1 }));
  const challenge = await messages.next(401);
  line.send(request({ ...parts, method: 'ACK', seq: 1, toTag: tagOf(challenge), body: '' }));
  const headers = [answerTo(challenge, { host, method: 'INVITE', user: '*90' })];
  line.send(request({ ...parts, method: 'INVITE', seq: 2, headers }));
  const ok = await messages.next(200);
  line.send(request({ ...parts, method: 'ACK', seq: 2, toTag: tagOf(ok), body: '' }));
  rtp.sendTo(ok.body);
  rtp.startAudio();
  await sleep(1000);
  await rtp.sendDigits(`${extensionOf(i)}#`, SOFT_KEY);
  await sleep(1000);
  await rtp.sendDigits(pinOf(i), SOFT_KEY);
  typed.set(extensionOf(i), performance.now());
  await rtp.sendDigits('#', SOFT_KEY);
  const bye = await messages.next('BYE');
  line.send(bye.text.replace(/^BYE .*/, 'SIP/2.0 200 OK'));
  rtp.stopAudio();
  line.off(callId);
  await rtp.close();
}

function offer(port: number): string {
  const lines = ['v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=bench', 'c=IN IP4 127.0.0.1', 't=0 0'];
  return [...lines, `m=audio ${port} RTP/AVP 8 101`, 'a=rtpmap:101 telephone-event/8000', ''].join('\r\n');
}

function tagOf(message: SipText): string {
  return /;tag=([^;\s]+)/.exec(message.header('To'))?.[1] ?? '';
}

/** The messages of one call, by status or method. */
function inbox(line: Line, callId: string): { next(what: number | string): Promise<SipText> } {
  const seen: SipText[] = [];
  let wake = (): void => undefined;
  line.on(callId, (message) => {
    seen.push(message);
    wake();
  });
  const next = async (what: number | string): Promise<SipText> => {
    for (const deadline = Date.now() + 30_000; Date.now() < deadline; ) {
      const index = seen.findIndex((one) =>
        typeof what === 'number' ? one.status === what : one.startLine.startsWith(`${what} `),
      );
      if (index >= 0) return seen.splice(0, index + 1).at(-1)!;
      await Promise.race([new Promise<void>((resolve) => (wake = resolve)), sleep(1000)]);
    }
    throw new Error(`no ${what}`);
  };
  return { next };
}
