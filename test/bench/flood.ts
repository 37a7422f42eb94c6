import { createSocket, type Socket } from 'node:dgram';

/**
 * A flood of INVITEs, in a process of its own: `flood.ts PORT RATE SECONDS NUMBER [ack]`. From many sockets on several loopback
 * addresses, some in the name of demo phones and most in nobody's. Prints what came back as JSON.
 */
const [port = 0, rate = 1000, seconds = 10] = process.argv.slice(2, 5).map(Number);
const number = process.argv[5] ?? '01632960000';
const acknowledges = process.argv[6] === 'ack';
const SOCKETS = 40;
/** How many loopback addresses they are on. */
const ADDRESSES = Number(process.env.FLOOD_ADDRESSES ?? 8);
const NAMES = [
  'cp0004f2000001',
  'cp0004f2000002',
  'cp0004f2000003',
  'nobody',
  'sipp',
  'test',
  '1000',
  'admin',
];
const SDP =
  'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8 101\r\n';

const statuses: Record<string, number> = {};
let sent = 0;

function invite(host: string, local: number): string {
  const name = NAMES[sent % NAMES.length];
  const id = `${process.pid}x${sent}`;
  return [
    `INVITE sip:${number}@hotdesk.example SIP/2.0`,
    `Via: SIP/2.0/UDP ${host}:${local};branch=z9hG4bK${id};rport`,
    'Max-Forwards: 70',
    `From: <sip:${name}@hotdesk.example>;tag=${id}`,
    `To: <sip:${number}@hotdesk.example>`,
    `Call-ID: ${id}@flood`,
    'CSeq: 1 INVITE',
    `Contact: <sip:${name}@${host}:${local}>`,
    'User-Agent: flood',
    'Content-Type: application/sdp',
    `Content-Length: ${SDP.length}`,
    '',
    SDP,
  ].join('\r\n');
}

function acknowledge(socket: Socket, response: string): void {
  const line = (name: string): string => new RegExp(`^${name}:.*$`, 'im').exec(response)?.[0].trim() ?? '';
  const text = [
    `ACK sip:${number}@hotdesk.example SIP/2.0`,
    ...[line('Via'), line('From'), line('To'), line('Call-ID')],
    ...['CSeq: 1 ACK', 'Max-Forwards: 70', 'Content-Length: 0', '', ''],
  ].join('\r\n');
  socket.send(text, port, '127.0.0.1');
}

async function open(index: number): Promise<{ socket: Socket; host: string; local: number }> {
  const socket = createSocket({ type: 'udp4', lookup: (host, _options, done) => done(null, host, 4) });
  const host = `127.0.0.${10 + (index % ADDRESSES)}`;
  await new Promise<void>((resolve) => socket.bind(0, host, resolve));
  socket.on('message', (data) => {
    const text = data.toString('latin1');
    const status = text.slice(8, 11);
    statuses[status] = (statuses[status] ?? 0) + 1;
    if (acknowledges && Number(status) >= 300) acknowledge(socket, text);
  });
  return { socket, host, local: socket.address().port };
}

const ends = await Promise.all(Array.from({ length: SOCKETS }, (_, index) => open(index)));
const began = performance.now();
process.stdout.write('flowing\n');
while (performance.now() - began < seconds * 1000) {
  const due = Math.floor(((performance.now() - began) / 1000) * rate);
  // What could not be sent in time is not made up for: a flood has a rate, not a debt.
  if (due - sent > rate / 10) sent = due - Math.ceil(rate / 10);
  for (let burst = 0; sent < due && burst < 200; burst++) {
    const { socket, host, local } = ends[sent % SOCKETS]!;
    socket.send(invite(host, local), port, '127.0.0.1');
    sent += 1;
  }
  await new Promise((resolve) => setTimeout(resolve, 1));
}
await new Promise((resolve) => setTimeout(resolve, 500));
process.stdout.write(`${JSON.stringify({ sent, statuses })}\n`);
process.exit(0);
