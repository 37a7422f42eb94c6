import { once } from 'node:events';
import { connect } from 'node:net';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { WsPeer } from '../../support/ws-peer.ts';
import { cleanUps, layer, request } from './transport-bench.ts';

/** Whatever comes over a WebSocket, the engine lives, blames nobody's code, and hears the next one. */

const UPGRADE = [
  'GET / HTTP/1.1',
  'Host: x',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
  'Sec-WebSocket-Protocol: sip',
  '',
  '',
].join('\r\n');

const opcode = fc.constantFrom(0, 1, 2, 3, 7, 8, 9, 10, 15);
/** Between 126 and 255 octets. */
const sip = Buffer.from(request().toString(), 'latin1');
const payload = fc.oneof(
  fc.uint8Array({ maxLength: 200 }).map((octets) => Buffer.from(octets)),
  fc.constant(sip),
  fc.nat({ max: sip.length }).map((length) => sip.subarray(0, length)),
  fc.tuple(fc.nat({ max: sip.length - 1 }), fc.nat({ max: 255 })).map(([at, octet]) => {
    const copy = Buffer.from(sip);
    copy[at] = octet;
    return copy;
  }),
);

/** A frame that is nearly right: every field may lie. */
const frame = fc
  .record({ fin: fc.boolean(), rsv: fc.constantFrom(0, 0, 0, 0x40), opcode, payload, masked: fc.boolean() })
  .map(({ fin, rsv, opcode: code, payload: octets, masked }) => {
    const first = (fin ? 0x80 : 0) | rsv | code;
    const mask = masked ? 0x80 : 0;
    const { length } = octets;
    const size = length < 126 ? [mask | length] : [mask | 126, length >> 8, length & 255];
    return Buffer.concat([Buffer.from([first, ...size]), Buffer.alloc(masked ? 4 : 0), octets]);
  });
const noise = fc.uint8Array({ maxLength: 100 }).map((octets) => Buffer.from(octets));
/** A frame as it should be. */
const good = fc.constant(Buffer.concat([Buffer.from([0x81, 0xfe, 0, sip.length]), Buffer.alloc(4), sip]));
const stream = fc.array(
  fc.oneof({ weight: 4, arbitrary: frame }, { weight: 4, arbitrary: good }, { weight: 1, arbitrary: noise }),
  { maxLength: 8 },
);

it('random frames and handshakes do no harm', async () => {
  const errors: Error[] = [];
  const {
    transport,
    inbox,
    udp: web,
  } = await layer({
    listen: [{ protocol: 'ws', host: '127.0.0.1', port: 0 }],
    limits: { maxMessageBytes: 4_096 },
    onError: (error) => errors.push(error),
  });
  const to = { host: web.localHost, port: web.localPort };
  const heard: string[] = [];
  transport.onMessage = (message, flow, size) => {
    heard.push(message.toString());
    flow.send('answer');
    inbox.put({ message, flow, size });
  };
  const attack = async (chunks: readonly Buffer[], cut: boolean): Promise<void> => {
    const socket = connect(to.port, to.host);
    socket.on('error', () => undefined);
    socket.resume();
    await once(socket, 'connect');
    for (const chunk of chunks) socket.write(chunk);
    if (cut) socket.destroy();
    else socket.end();
    await once(socket, 'close');
  };
  await fc.assert(
    fc.asyncProperty(stream, fc.boolean(), fc.boolean(), async (chunks, upgraded, cut) => {
      await attack(upgraded ? [Buffer.from(UPGRADE), ...chunks] : chunks, cut);
      expect(transport.stats().handlerErrors).toBe(0);
    }),
    { numRuns: 300, seed: 7118 },
  );
  expect(errors).toEqual([]);
  // Some of it was SIP, or this would try nothing.
  expect(heard.length).toBeGreaterThan(20);
  const peer = await WsPeer.open(to);
  cleanUps.push(() => peer.cut());
  const before = heard.length;
  peer.send(sip.toString('latin1'));
  expect(await peer.next()).toMatchObject({ text: 'answer' });
  expect(heard.length).toBe(before + 1);
  peer.cut();
  while (transport.stats().connections > 0) await new Promise((resolve) => setImmediate(resolve));
});
